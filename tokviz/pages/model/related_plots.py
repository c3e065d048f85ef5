"""Where the words of relations and orders lie, and what their plots show: for scripts, and as one image without them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.records import Marks, Order, Relation, Relations, Report, WordList, depth_name

MOST_COLUMNS = 6
"""Depths in the image without scripts."""
_SIZE, _GAP, _TOP, _LEFT, _LABEL = 150.0, 12.0, 26.0, 8.0, 22.0
_MARGIN = 10.0
_CHARACTER = 8.5
"""Pixels of a wide Latin letter, on average."""
_RING = 1.0
CAPTIONS = {
    "pairs": "Each line leads from the first word of a pair (hollow) to the second (full), in the first two principal components "
    "of these words, fitted to each layer separately. If one vector led from every first word to its second, the lines would be "
    "parallel and equally long. The plot shows two dimensions; the numbers are of all.",
    "circle": "Each word stands where a regression fitted without it puts it, in each layer separately. If all were read exactly, "
    "they would follow each other on the dotted circle, and R² would be 1; at 0 or below, it is no better than the mean of all. "
    "The line joins the words in their order.",
    "line": "Horizontal: where a regression fitted without a word puts it, in each layer separately; vertical: its true place, the "
    "first word at the bottom. If all were read exactly, they would lie on the dotted line, and R² would be 1; at 0 or below, it "
    "is no better than the mean of all. The line joins the words in their order.",
}
"""What a plot of each kind shows."""
_QUIET, _HAIR = "#63676c", "#b4b4b4"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A relation or an order of one capture; ``kind``: ``pairs``, ``circle`` or ``line``."""

    kind: str
    key: str
    """In addresses: ``relation-capital``, ``order-months``."""
    label: str
    words: tuple[str, ...]
    hues: tuple[int, ...]
    """Of each word its first category's."""
    places: np.ndarray
    """``(n_depths, n_words, 2)``; y runs up."""


def items(report: Report, relations: Relations, words: WordList) -> Iterator[Item]:
    """All of one capture, relations first; ``words``: those of the capture."""

    def item(asked: Relation | Order, rows: Sequence[int], places: np.ndarray) -> Item:
        return Item(
            kind=kind_of(asked),
            key=key_of(asked),
            label=asked.label,
            words=tuple(words.words[row] for row in rows),
            hues=tuple((words.memberships[row] or (0,))[0] for row in rows),
            places=places,
        )

    for relation, pairs in zip(report.relations, relations.relations, strict=True):
        n_depths, n_pairs = pairs.coordinates.shape[:2]
        places = pairs.coordinates.reshape(n_depths, 2 * n_pairs, 2)
        yield item(relation, pairs.rows.ravel().tolist(), places)
    for order, ordered in zip(report.orders, relations.orders, strict=True):
        rows = ordered.rows.tolist()
        yield item(order, rows, ordered.held_out)


def kind_of(asked: Relation | Order) -> str:
    """``pairs``, ``circle`` or ``line``."""
    if isinstance(asked, Relation):
        return "pairs"
    return "circle" if asked.cyclic else "line"


def key_of(asked: Relation | Order) -> str:
    """Its name in addresses; a relation and an order may have the same name."""
    return f"{'relation' if isinstance(asked, Relation) else 'order'}-{asked.name}"


# --- the image ---------------------------------------------------------------------------------------------------


def strip(report: Report, relations: Relations, words: WordList) -> str:
    """Rows of relations and orders, columns of depths, as SVG: points, and the lines between them.

    Without words: pages set what ``strip_names`` has over it, in their own type.
    """
    drawn = list(items(report, relations, words))
    depths = _some_depths(max((len(each.places) for each in drawn), default=0))
    width, height = strip_size(len(drawn), max((len(each.places) for each in drawn), default=0))
    size = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {size}>',
        f'<rect {size} fill="#fff"/>',
    ]
    for column, depth in enumerate(depths):
        for row, item in enumerate(drawn):
            x, y = _left(column), _top(row)
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{_SIZE}" height="{_SIZE}" fill="none" stroke="{_HAIR}"/>'
            )
            parts += _drawn(item, item.places[depth], report.look.marks, x, y)
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True, kw_only=True)
class StripName:
    """A text over the strip, in its units."""

    text: str
    x: str
    y: str
    quiet: bool


def strip_names(labels: Sequence[str], n_depths: int) -> tuple[StripName, ...]:
    """The names of its columns, then those of its rows."""
    room = strip_size(len(labels), n_depths)[0] - 2 * _LEFT
    names = [(_left(column), 16.0, depth_name(depth), True) for column, depth in enumerate(_some_depths(n_depths))]
    names += [(_LEFT, _top(row) - 7, _cut(label, room), False) for row, label in enumerate(labels)]
    return tuple(StripName(text=text, x=f"{x:.0f}", y=f"{y:.0f}", quiet=quiet) for x, y, text, quiet in names)


def _left(column: int) -> float:
    return _LEFT + column * (_SIZE + _GAP)


def _top(row: int) -> float:
    return _TOP + row * (_LABEL + _SIZE + _GAP) + _LABEL


def strip_size(n_items: int, n_depths: int) -> tuple[float, float]:
    """Width and height, in pixels."""
    return _LEFT + len(_some_depths(n_depths)) * (_SIZE + _GAP), _TOP + n_items * (_LABEL + _SIZE + _GAP)


def _some_depths(n_depths: int) -> list[int]:
    """The first, the last, and some between."""
    return sorted({round(share) for share in np.linspace(0, n_depths - 1, min(MOST_COLUMNS, n_depths)).tolist()})


def _cut(label: str, room: float) -> str:
    """As much of it as there is room for."""
    most = int(room / _CHARACTER)
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _drawn(item: Item, places: np.ndarray, marks: Marks, left: float, top: float) -> list[str]:
    """``places``: ``(n_words, 2)``, into a square, which stays empty where they aren't defined."""
    if not np.isfinite(places).all() or not places.size:
        return []
    low, high = frame(item.kind, places)
    room = _SIZE - 2 * _MARGIN
    shares = (places - low) / (high - low)
    x, y = left + _MARGIN + room * shares[:, 0], top + _MARGIN + room * (1 - shares[:, 1])
    points = [f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    drawn = []
    if item.kind == "pairs":
        path = "".join(f"M{a}L{b}" for a, b in zip(points[::2], points[1::2], strict=True))
    else:
        path = "M" + "L".join(points) + ("Z" if item.kind == "circle" and len(points) > 2 else "")
        drawn.append(_should_be(item.kind, low, high, left, top))
    drawn.append(f'<path d="{path}" fill="none" stroke="{_QUIET}" stroke-width="1"/>')
    for index, point in enumerate(points):
        a, b = point.split(",")
        # The second word of a pair is filled, so that the direction is seen.
        hue = marks.hue(item.hues[index])
        fill = "#fff" if item.kind == "pairs" and index % 2 == 0 else hue
        drawn.append(f'<circle cx="{a}" cy="{b}" r="3" fill="{fill}" stroke="{hue}" stroke-width="1.3"/>')
    return drawn


def _should_be(kind: str, low: np.ndarray, high: np.ndarray, left: float, top: float) -> str:
    """The circle, or the line, on which the words would be."""
    room = _SIZE - 2 * _MARGIN
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
