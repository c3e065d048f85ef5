"""Relations and orders on pages: what a model's page says and shows of them, an image without scripts, and the scripts with the plots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tokviz.pages.frame.frame import data_path
from tokviz.pages.frame.index import data_folder
from tokviz.pages.model.relations import order_at, order_sentences, relation_at, relation_sentences
from tokviz.pages.text import data_text
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.extent import last_captured
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Option
from tokviz.pages.text.sentences import in_quotes
from tokviz.pages.text.wording import the_depth
from tokviz.records import (
    ContextReport,
    ModelReport,
    Order,
    Relation,
    Relations,
    Report,
    WordList,
    depth_name,
)

SCRIPT = "related-choice.js"
"""Of pages where a relation or an order can be chosen."""
MOST_COLUMNS = 6
"""Depths in the image without scripts."""
_SIZE, _GAP, _TOP, _LEFT, _LABEL = 150, 12, 26, 8, 22
_MARGIN = 10.0
_CHARACTER = 8.5
"""Pixels of a wide Latin letter, on average."""
_RING = 1.0
_QUIET, _HAIR = "#63676c", "#b4b4b4"
Asked = Relation | Order


def choices(report: Report, models: Iterable[ModelReport]) -> tuple[Option, ...]:
    """What can be shown in place of all words, by its key; none where no capture was measured."""
    if not any(context.relations for model in models for context in model.captures):
        return ()
    return tuple(Option(value=key_of(each), label=each.label, checked=False) for each in _asked(report))


def _asked(report: Report) -> tuple[Asked, ...]:
    return (*report.relations, *report.orders)


def kind_of(asked: Asked) -> str:
    """``pairs``, ``circle`` or ``line``."""
    if isinstance(asked, Relation):
        return "pairs"
    return "circle" if asked.cyclic else "line"


def caption_of(asked: Asked) -> str:
    """What its plot shows."""
    return text(Fact(f"model.plot.{kind_of(asked)}"))


def key_of(asked: Asked) -> str:
    """Its name in addresses, ``relation-capital``, ``order-months``; a relation and an order may have the same name."""
    return f"{'relation' if isinstance(asked, Relation) else 'order'}-{asked.name}"


# --- the section of a model's page -----------------------------------------------------------------------------------


def related_section(report: Report, model: ModelReport, page: str) -> dict[str, Any] | None:
    """What the template takes; None where nothing was asked for or measured.

    A figure is a relation or an order, with what is said of it in each context. A strip is the image of a context.
    """
    measured = [context for context in model.captures if context.relations is not None]
    if not measured:
        return None
    asked, last = _asked(report), last_captured(report)
    labels = [each.label for each in asked]
    said = [(each.states.context, _said(report, model, each)) for each in model.captures]
    return {
        "figures": [
            (each, caption_of(each), [(context, told[index]) for context, told in said])
            for index, each in enumerate(asked)
        ],
        "strips": [
            {
                "context": context.states.context,
                "src": data_path(model.slug, context.states.context.name, "relations.svg"),
                "size": strip_size(len(asked), context.states.n_depths),
                "names": strip_names(labels, context.states.n_depths),
            }
            for context in measured
        ],
        # Which layers the strips are from.
        "span": f"from the embedding to {'the last one' if last is None else the_depth(last)}",
        "folder": data_folder(model, page),
    }


def _said(report: Report, model: ModelReport, capture: ContextReport) -> list[tuple[str, ...]]:
    """What is said of a capture: of each relation and order."""
    if capture.relations is None:
        return [("Relations and orders weren’t measured here.",)] * len(_asked(report))
    every = zip(items(report, capture.relations), _unchanged(report, model, capture), strict=True)
    return [(*item.told(capture.states.context.templates), *unchanged) for item, unchanged in every]


def _unchanged(report: Report, model: ModelReport, changed: ContextReport) -> list[tuple[str, ...]]:
    """Of a capture with neurons changed: what the model as it is gives in the one template that was captured so, if there are several."""
    several = [each for each in model.contexts if each.has_templates]
    intact = next((each for each in several if any(own is changed for own in each.interventions)), None)
    if intact is None or intact.relations is None:
        return [()] * len(_asked(report))
    which = f"Neurons are changed in the first sentence only, {in_quotes(intact.states.context.template)}."
    return [
        (f"{which} Of the same sentence in the unchanged model: {item.told()[0]}",) if item.is_measured else ()
        for item in items(report, intact.relations.in_first_template)
    ]


# --- what lies where -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Item:
    """A relation or an order of one capture."""

    asked: Asked
    rows: list[int]
    """Of its words."""
    places: np.ndarray
    """``(n_depths, n_words, 2)``; y runs up."""
    is_measured: bool
    told: Callable[..., tuple[str, ...]]
    """What its numbers say, of a context's templates: first of all whether it is shown, or why it wasn't measured."""
    at: Callable[[int], str]
    """What they say of a depth."""

    def hues(self, words: WordList) -> list[int]:
        """Of each word its first category's."""
        return [(words.memberships[row] or (0,))[0] for row in self.rows]


def items(report: Report, relations: Relations) -> Iterator[Item]:
    """All of one capture, relations first."""
    for relation, pairs in zip(report.relations, relations.relations, strict=True):
        n_depths, n_pairs = pairs.coordinates.shape[:2]
        yield Item(
            asked=relation,
            rows=pairs.rows.ravel().tolist(),
            places=pairs.coordinates.reshape(n_depths, 2 * n_pairs, 2),
            is_measured=pairs.is_measured,
            told=partial(relation_sentences, pairs, len(relation.pairs)),
            at=partial(relation_at, pairs),
        )
    for order, ordered in zip(report.orders, relations.orders, strict=True):
        yield Item(
            asked=order,
            rows=ordered.rows.tolist(),
            places=ordered.held_out,
            is_measured=ordered.is_measured,
            told=partial(order_sentences, ordered, order),
            at=partial(order_at, ordered),
        )


# --- the scripts with the plots --------------------------------------------------------------------------------------


def files(report: Report, model: ModelReport, context: ContextReport) -> Iterator[tuple[str, str]]:
    """Path from the site's root → text."""
    # What is said of a depth is, as plots are, of the first template.
    relations, first = context.relations, context.in_first_template.relations
    if relations is None or first is None:
        return
    name = context.states.context.name
    folder, words = data_path(model.slug, name), report.words.of(context.states.tokenization)
    before = "First sentence: " if context.has_templates else ""
    content = {
        "model": model.display_name,
        "label": context.states.context.label,
        "items": [
            _plain(item, words) | _said_at_depths(one, before)
            for item, one in zip(items(report, relations), items(report, first), strict=True)
        ],
    }
    yield f"{folder}/relations.js", data_text.script(f"{model.slug}/{name} relations", content)
    yield f"{folder}/relations.svg", strip(report, relations, words)


def _plain(item: Item, words: WordList) -> dict[str, Any]:
    """``places`` is null where there is no plot."""
    return {
        "key": key_of(item.asked),
        "kind": kind_of(item.asked),
        "label": item.asked.label,
        "caption": caption_of(item.asked),
        "words": [words.words[row] for row in item.rows],
        "hues": item.hues(words),
        "places": [
            [float(f"{value:.3g}") for value in at.ravel().tolist()] if np.isfinite(at).all() and at.size else None
            for at in item.places
        ],
    }


def _said_at_depths(item: Item, before: str) -> dict[str, Any]:
    if not item.is_measured:
        return {"problem": item.told()[0]}
    return {"said": [each and f"{before}{each}" for each in map(item.at, range(len(item.places)))]}


# --- the image ---------------------------------------------------------------------------------------------------


def strip(report: Report, relations: Relations, words: WordList) -> str:
    """Rows of relations and orders, columns of depths, as SVG: points, and the lines between them.

    Without words: pages set what ``strip_names`` has over it, in their own type.
    """
    drawn = list(items(report, relations))
    n_depths = max((len(each.places) for each in drawn), default=0)
    width, height = strip_size(len(drawn), n_depths)
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>',
        f'<rect {size} fill="#fff"/>',
    ]
    for column, depth in enumerate(_some_depths(n_depths)):
        for row, item in enumerate(drawn):
            x, y = _left(column), _top(row)
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{_SIZE:.1f}" height="{_SIZE:.1f}" fill="none" stroke="{_HAIR}"/>'
            )
            hues = [report.look.marks.hue(hue) for hue in item.hues(words)]
            parts += _drawn(kind_of(item.asked), item.places[depth], hues, (x, y))
    return "\n".join([*parts, "</svg>", ""])


def strip_names(labels: Sequence[str], n_depths: int) -> list[tuple[str, int, int, bool]]:
    """What stands over the strip, in its units: the names of its columns, then those of its rows; where, and whether it is quiet."""
    most = int((strip_size(len(labels), n_depths)[0] - 2 * _LEFT) / _CHARACTER)
    cut = [label if len(label) <= most else f"{label[: most - 1]}…" for label in labels]
    columns = [(depth_name(depth), _left(column), 16, True) for column, depth in enumerate(_some_depths(n_depths))]
    return [*columns, *((label, _LEFT, _top(row) - 7, False) for row, label in enumerate(cut))]


def _left(column: int) -> int:
    return _LEFT + column * (_SIZE + _GAP)


def _top(row: int) -> int:
    return _TOP + row * (_LABEL + _SIZE + _GAP) + _LABEL


def strip_size(n_items: int, n_depths: int) -> tuple[int, int]:
    """Width and height, in pixels."""
    return _left(len(_some_depths(n_depths))), _TOP + n_items * (_LABEL + _SIZE + _GAP)


def _some_depths(n_depths: int) -> list[int]:
    """The first, the last, and some between."""
    return sorted({round(share) for share in np.linspace(0, n_depths - 1, min(MOST_COLUMNS, n_depths)).tolist()})


def _drawn(kind: str, places: np.ndarray, hues: Sequence[str], corner: tuple[float, float]) -> list[str]:
    """``places``: ``(n_words, 2)``, into a square, which stays empty where they aren't defined; ``hues``: of each word."""
    if not np.isfinite(places).all() or not places.size:
        return []
    low, high = frame(kind, places)
    room = _SIZE - 2 * _MARGIN
    shares = (places - low) / (high - low)
    left, top = corner
    x, y = left + _MARGIN + room * shares[:, 0], top + _MARGIN + room * (1 - shares[:, 1])
    points = [(f"{a:.1f}", f"{b:.1f}") for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    steps = [",".join(point) for point in points]
    drawn = []
    if kind == "pairs":
        path = "".join(f"M{a}L{b}" for a, b in zip(steps[::2], steps[1::2], strict=True))
    else:
        path = "M" + "L".join(steps) + ("Z" if kind == "circle" and len(steps) > 2 else "")
        drawn.append(_should_be(kind, low, high, corner))
    drawn.append(f'<path d="{path}" fill="none" stroke="{_QUIET}" stroke-width="1"/>')
    for index, ((a, b), hue) in enumerate(zip(points, hues, strict=True)):
        # The second word of a pair is filled, so that the direction is seen.
        fill = "#fff" if kind == "pairs" and index % 2 == 0 else hue
        drawn.append(f'<circle cx="{a}" cy="{b}" r="3" fill="{fill}" stroke="{hue}" stroke-width="1.3"/>')
    return drawn


def _should_be(kind: str, low: np.ndarray, high: np.ndarray, corner: tuple[float, float]) -> str:
    """The circle, or the line, on which the words would be."""
    (left, top), room = corner, _SIZE - 2 * _MARGIN
    if kind == "circle":
        radius = _RING / float(high[0] - low[0]) * room
        centre = (left + _SIZE / 2, top + _SIZE / 2)
        return (
            f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}" fill="none" stroke="{_HAIR}" '
            'stroke-dasharray="2 3"/>'
        )
    ends = [(value - low) / (high - low) for value in (np.full(2, low[1]), np.full(2, high[1]))]
    (x1, y1), (x2, y2) = ((left + _MARGIN + room * a, top + _MARGIN + room * (1 - b)) for a, b in ends)
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{_HAIR}" stroke-dasharray="2 3"/>'


def frame(kind: str, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a plot spans, lower and upper ends ``(2,)``: all words, and the circle or the line with them.

    Pairs and circles keep the ratio of their axes.
    """
    if kind == "line":
        low, high = places.min(axis=0), places.max(axis=0)
        low[0], high[0] = min(low[0], low[1]), max(high[0], high[1])
        return low, high
    if kind == "circle":
        half = max(float(np.abs(places).max()), _RING)
        return np.full(2, -half), np.full(2, half)
    centre = (places.min(axis=0) + places.max(axis=0)) / 2
    half = float(np.ptp(places, axis=0).max()) / 2
    half = half if half > 0 and math.isfinite(half) else 1.0
    return centre - half, centre + half
