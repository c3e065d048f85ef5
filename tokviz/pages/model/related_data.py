"""Relations and orders for the pages' scripts: what can be chosen, what lies where, and what the numbers of each layer say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tokviz.pages.frame.frame import data_path
from tokviz.pages.model.related_plots import CAPTIONS, Item, items, key_of, strip
from tokviz.pages.model.relations import looks_of, order_sentences, relation_sentences
from tokviz.pages.text import data_text
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Option
from tokviz.pages.text.wording import score
from tokviz.records import (
    ContextReport,
    ModelReport,
    Order,
    OrderMeasures,
    Relation,
    RelationMeasures,
    Report,
)

SCRIPT = "related-choice.js"
"""Of pages where a relation or an order can be chosen."""


def choices(report: Report, models: Iterable[ModelReport]) -> tuple[Option, ...]:
    """What can be shown in place of all words, by its key; none where no capture was measured."""
    if not any(context.relations for model in models for context in model.captures):
        return ()
    asked: tuple[Relation | Order, ...] = (*report.relations, *report.orders)
    return tuple(Option(value=key_of(each), label=each.label, checked=False) for each in asked)


def files(report: Report, model: ModelReport, context: ContextReport) -> Iterator[tuple[str, str]]:
    """Path from the site's root → text."""
    relations = context.relations
    if relations is None:
        return
    name = context.states.context.name
    folder, words = data_path(model.slug, name), report.words.of(context.states.tokenization)
    content = {
        "model": model.display_name,
        "label": context.states.context.label,
        "items": [
            _plain(item) | said
            for item, said in zip(items(report, relations, words), _said(report, context), strict=True)
        ],
    }
    yield f"{folder}/relations.js", data_text.script(f"{model.slug}/{name} relations", content)
    yield f"{folder}/relations.svg", strip(report, relations, words)


def _plain(item: Item) -> dict[str, Any]:
    """``places`` is null where there is no plot."""
    places = [
        [_rounded(value) for value in at.ravel().tolist()] if np.isfinite(at).all() and at.size else None
        for at in item.places
    ]
    found = {"key": item.key, "kind": item.kind, "label": item.label, "caption": CAPTIONS[item.kind]}
    return {**found, "words": item.words, "hues": item.hues, "places": places}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _said(report: Report, context: ContextReport) -> Iterator[dict[str, Any]]:
    """Of each relation and order why it wasn't measured, or what its numbers say of each depth, in the first template as in plots."""
    relations = context.in_first_template.relations
    if relations is None:
        return
    before = "First sentence: " if context.has_templates else ""

    def told(texts: Iterable[str]) -> dict[str, Any]:
        return {"said": [text and f"{before}{text}" for text in texts]}

    for relation, pairs in zip(report.relations, relations.relations, strict=True):
        if pairs.is_measured:
            yield told(relation_at(pairs, depth) for depth in range(len(pairs.hits)))
        else:
            yield {"problem": relation_sentences(pairs, len(relation.pairs))[0]}
    for order, ordered in zip(report.orders, relations.orders, strict=True):
        if ordered.is_measured:
            yield told(order_at(ordered, depth) for depth in range(len(ordered.r2.value)))
        else:
            yield {"problem": order_sentences(ordered, order)[0]}


def relation_at(measured: RelationMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    parallelism = measured.parallelism
    if not np.isfinite(parallelism.value[depth]):
        return ""
    cosines = f"mean cosine {score(parallelism.value[depth])}, at random {score(parallelism.null_mean[depth])}"
    hits, without = measured.hits[depth], measured.hits_of_source[depth]
    found = f" ({hits:.0f} of {len(measured.rows)} found, {without:.0f} without it)" if np.isfinite(hits) else ""
    parallel = f"more parallel than with the same words paired at random ({cosines})"
    leads = f"the mean difference of the other pairs leads to the second words better than the first word alone{found}"
    if measured.holds[depth]:
        return f"The pairs have a common difference here: their differences are {parallel}, and {leads}."
    if not measured.parallelism.claim.holds[depth]:
        return f"It isn’t shown that the pairs have a common difference here, or that their differences are {parallel}."
    return f"It isn’t shown that the pairs have a common difference here: their differences are {parallel}, but it isn’t shown that {leads}."


def order_at(measured: OrderMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    r2 = measured.r2
    if not np.isfinite(r2.value[depth]):
        return ""
    if not measured.holds[depth]:
        return f"It isn’t shown that the order can be read here: leave-one-out R² is {score(r2.value[depth])}."
    read = f"The order can be read here: leave-one-out R² is {score(r2.value[depth])}.{_beyond_at(measured, depth)}"
    if measured.closing is None:
        return read
    if measured.is_circle[depth]:
        return f"{read} Its ends meet, and the words lie in a circle."
    return f"{read} Its ends meet." if measured.ends_meet[depth] else f"{read} It isn’t shown that its ends meet."


def _beyond_at(measured: OrderMeasures, depth: int) -> str:
    """Whether it is more there than what the words look like."""
    if measured.beyond is None:
        return ""
    looks = looks_of(measured.beyond)
    here = Fact("scope.beyond.here", looks=looks) if measured.is_beyond[depth] else None
    return f" {sentence([here or Fact('scope.beyond.not_shown', looks=looks)])}"
