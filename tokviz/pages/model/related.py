"""Relations and orders on pages: what a model's page says of them, and the scripts with their plots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tokviz.pages.frame.frame import data_path
from tokviz.pages.frame.index import data_folder
from tokviz.pages.model.relations import order_at, order_sentences, relation_at, relation_sentences
from tokviz.pages.text import data_text
from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.parts import Option
from tokviz.pages.text.sentences import in_quotes
from tokviz.records import ContextReport, ModelReport, Order, Relation, Relations, Report, WordList

SCRIPT = "related-choice.js"
"""Of pages where a relation or an order can be chosen."""
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

    A figure is a relation or an order, with what is said of it in each context.
    """
    if all(context.relations is None for context in model.captures):
        return None
    said = [(each.states.context, _said(report, model, each)) for each in model.captures]
    return {
        "figures": [
            (each, caption_of(each), [(context, told[index]) for context, told in said])
            for index, each in enumerate(_asked(report))
        ],
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
