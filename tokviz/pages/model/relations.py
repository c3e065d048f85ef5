"""What a model's page says of relations and orders: sentences made of the numbers, and the plots that a script draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.frame.frame import data_path, relative
from tokviz.pages.frame.index import data_folder
from tokviz.pages.model.related_plots import CAPTIONS, StripName, kind_of, strip_names, strip_size
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.extent import last_captured
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_where, in_quotes, over_sentences
from tokviz.pages.text.wording import count, joined_by_and, ranged, score, the_depth
from tokviz.records import (
    Beyond,
    ContextReport,
    ModelReport,
    Order,
    OrderMeasures,
    Relation,
    RelationMeasures,
    Relations,
    Report,
    Tested,
)
from tokviz.text import isolated

LOOKS: Mapping[str, str] = {
    "frequency": "scope.beyond.frequency",
    "tokens": "scope.beyond.tokens",
    "case": "scope.beyond.case",
    "categories": "scope.beyond.categories",
}
"""The catalogue's names of what words look like."""
LEAST_NEAR = 0.5
"""Of the second words: where the first words alone find more of them, at the median depth, the pairs lie near each other."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the numbers of one context say."""

    context: str
    label: str
    sentences: tuple[str, ...]
    current: bool
    """Whether it is seen before a reader chooses a context."""


@dataclass(frozen=True, kw_only=True)
class RelatedFigure:
    """A relation or an order: what was found, and its plot."""

    heading: str
    caption: str
    said: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True)
class RelatedStrip:
    """The image of one context."""

    context: str
    current: bool
    src: str
    width: str
    height: str
    names: tuple[StripName, ...]
    caption: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class RelatedSection:
    """All of a model."""

    figures: tuple[RelatedFigure, ...]
    strips: tuple[RelatedStrip, ...]
    span: str
    """Which layers the strips are from."""
    note: str
    stylesheet: str
    script: str
    slug: str
    folder: str
    """Of the model's numbers."""


Sentences = Callable[[Relations, tuple[str, ...]], tuple[str, ...]]
"""What is measured in a context, and its templates → what is said of one relation or order; first of all whether it is shown."""


def related_section(report: Report, model: ModelReport, page: str) -> RelatedSection | None:
    """None where nothing was asked for or measured."""
    measured = [context for context in model.captures if context.relations is not None]
    if not measured:
        return None

    def figure(asked: Relation | Order, sentences: Sentences) -> RelatedFigure:
        return RelatedFigure(heading=asked.label, caption=CAPTIONS[kind_of(asked)], said=_said(model, sentences))

    def of_relation(index: int, relation: Relation) -> RelatedFigure:
        return figure(
            relation, lambda found, texts: relation_sentences(found.relations[index], len(relation.pairs), texts)
        )

    def of_order(index: int, order: Order) -> RelatedFigure:
        return figure(order, lambda found, texts: order_sentences(found.orders[index], order, texts))

    relations = (of_relation(index, each) for index, each in enumerate(report.relations))
    orders = (of_order(index, each) for index, each in enumerate(report.orders))
    return RelatedSection(
        figures=(*relations, *orders),
        strips=tuple(
            _strip(report, model, context, page, current=index == 0) for index, context in enumerate(measured)
        ),
        span=_span(report),
        note=_NOTE,
        stylesheet=relative(page, "assets/relations.css"),
        script=relative(page, "assets/related-plot.js"),
        slug=model.slug,
        folder=data_folder(model, page),
    )


def _span(report: Report) -> str:
    last = last_captured(report)
    return f"from the embedding to {'the last one' if last is None else the_depth(last)}"


_NOTE = "That something can be read from hidden states doesn’t say that the model uses it."

_NOT_MEASURED = "Not measured"
_UNMEASURED = ("Relations and orders weren’t measured here.",)


def _said(model: ModelReport, sentences: Sentences) -> tuple[Said, ...]:
    return tuple(
        Said(
            context=context.states.context.name,
            label=context.states.context.label,
            sentences=(
                *sentences(context.relations, context.states.context.templates),
                *_unchanged(model, context, sentences),
            )
            if context.relations
            else _UNMEASURED,
            current=index == 0,
        )
        for index, context in enumerate(model.captures)
    )


def _unchanged(model: ModelReport, changed: ContextReport, sentences: Sentences) -> tuple[str, ...]:
    """Of a capture with neurons changed: what the model as it is gives in the one template that was captured so, if there are several."""
    several = [each for each in model.contexts if each.has_templates]
    intact = next((each for each in several if any(own is changed for own in each.interventions)), None)
    if intact is None or intact.relations is None:
        return ()
    said, *_ = sentences(intact.relations.in_first_template, ())
    if said.startswith(_NOT_MEASURED):
        return ()
    which = f"Neurons are changed in the first sentence only, {in_quotes(intact.states.context.template)}."
    return (f"{which} Of the same sentence in the unchanged model: {said}",)


def _strip(report: Report, model: ModelReport, context: ContextReport, page: str, *, current: bool) -> RelatedStrip:
    name, label = context.states.context.name, context.states.context.label
    width, height = strip_size(len(report.relations) + len(report.orders), context.states.n_depths)
    labels = [*(each.label for each in report.relations), *(each.label for each in report.orders)]
    what = joined_by_and(labels)
    return RelatedStrip(
        context=name,
        current=current,
        src=relative(page, data_path(model.slug, name, "relations.svg")),
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        names=strip_names(labels, context.states.n_depths),
        caption=f"Words {label}, in some layers {_span(report)}; an empty square: not defined or not measured there.",
        alt=f"{what}, words {label}: small plots of some layers {_span(report)}.",
    )


# --- sentences -------------------------------------------------------------------------------------------------------


def relation_sentences(measured: RelationMeasures, n_asked: int, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether pairs differ by one vector, as far as the numbers say so.

    Parameters
    ----------
    n_asked : pairs in the configuration.
    templates : of the context.
    """
    n_pairs = len(measured.rows)
    if not measured.is_measured:
        return (_too_few(n_pairs, "pairs of reference words", measured.LEAST_PAIRS),)
    parallelism = measured.parallelism
    known = np.isfinite(parallelism.value)
    if not known.any():
        return ("Not defined at any depth: one of the first words has the same state as one of the second words.",)
    left_out = (
        (f"{n_pairs} of {n_asked} pairs are measured here; of the others, not both words are reference words.",)
        if n_pairs < n_asked
        else ()
    )
    by_sentence = over_sentences(measured.holds, measured.template_holds, templates)
    return (
        _verdict(measured, known),
        *by_sentence,
        *_against_shuffled(parallelism),
        *_found(measured),
        *left_out,
    )


def _against_shuffled(parallelism: Tested) -> tuple[str, ...]:
    parallel = parallelism.claim.holds
    if not parallel.any():
        return ()
    shown = (
        f"At {depths_where(parallel)}, the pairs’ differences are more parallel than with the same words paired at random (mean cosine "
        f"{ranged(parallelism.value[parallel], score)}, at random {ranged(parallelism.null_mean[parallel], score)})."
    )
    return (shown,)


def _found(measured: RelationMeasures) -> tuple[str, ...]:
    """Nothing where hits aren't known."""
    if not np.isfinite(measured.hits).any():
        return ()
    found = (
        f"Over all depths, the first word plus the mean difference of the other pairs finds {_whole(measured.hits)} of "
        f"{count(len(measured.rows), 'second word')} among the {count(measured.n_candidates, 'word')} of their category; the first "
        f"word alone finds {_whole(measured.hits_of_source)}."
    )
    return (found,)


def _whole(hits: np.ndarray) -> str:
    """``8–10``."""
    return ranged(hits, lambda value: f"{value:g}")


def _verdict(measured: RelationMeasures, known: np.ndarray) -> str:
    holds = measured.holds
    if holds.any():
        return (
            f"At {depths_where(holds)}, a common difference leads from the first words to the second: the pairs’ differences are more "
            "parallel than chance, and their mean leads to the second words better than the first words alone do."
        )
    if not measured.can_be_tested:
        return (
            f"{count(len(measured.rows), 'pair')} are too few to be tested at the level of this report: whether a common difference "
            "leads from the first words to the second remains open."
        )
    near = measured.hits_of_source[known & np.isfinite(measured.hits_of_source)]
    if len(near) and np.median(near) > LEAST_NEAR * len(measured.rows):
        return "The pairs lie near each other; that a common difference leads from the first words to the second isn’t shown."
    return "It isn’t shown that a common difference leads from the first words to the second."


def order_sentences(measured: OrderMeasures, order: Order, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether an order can be read from the states, and whether it closes, as far as the numbers say so."""
    n_words = len(measured.rows)
    if not measured.is_measured:
        return (_too_few(n_words, "reference words", measured.LEAST_WORDS),)
    r2, holds = measured.r2, measured.holds
    if not np.isfinite(r2.value).any():
        return ("Not defined at any depth: the words don’t differ, or one word alone makes up a principal component.",)
    what = "place in the cycle" if order.cyclic else "place"
    how = f"from the first {count(measured.n_components, 'principal component')} of these {count(n_words, 'word')}"
    best = float(np.nanmax(r2.value))
    if holds.any():
        said = (
            f"At {depths_where(holds)}, a word’s {what} can be read {how}, better than permuted orders can: leave-one-out R² "
            f"{ranged(r2.value[holds], score)}."
        )
    else:
        reached = f"at most {score(best)}" if best > 0 else "nowhere above 0"
        said = f"It isn’t shown that a word’s {what} can be read {how} at any depth: leave-one-out R² is {reached}."
    left_out = (
        (f"{n_words} of {measured.n_places} words are measured here; the others aren’t reference words.",)
        if n_words < measured.n_places
        else ()
    )
    by_sentence = over_sentences(holds, r2.claim.template_holds, templates)
    closing = _closing(measured, order) if order.cyclic and holds.any() else ()
    return (said, *_beyond(measured), *by_sentence, *closing, *left_out)


def looks_of(beyond: Beyond) -> tuple[Fact, ...]:
    """What words look like, as sentences call it."""
    return tuple(Fact(LOOKS[each]) for each in beyond.looks)


def _beyond(measured: OrderMeasures) -> tuple[str, ...]:
    """Whether an order that can be read is more than what its words look like."""
    if measured.beyond is None or not measured.holds.any():
        return ()
    looks, where = looks_of(measured.beyond), measured.is_beyond
    found = Fact("scope.beyond.shown", looks=looks, where=depths_where(where)) if where.any() else None
    return (sentence([found or Fact("scope.beyond.not_shown", looks=looks)]),)


def _closing(measured: OrderMeasures, order: Order) -> tuple[str, ...]:
    """Whether the ends of a cycle that can be read meet, and whether it is a circle."""
    first, last = (order.words[measured.places[end]] for end in (0, -1))
    ends_meet, is_circle = measured.ends_meet, measured.is_circle
    if not ends_meet.any():
        return (f"It isn’t shown that the ends meet: that {isolated(last)} lies near {isolated(first)}.",)
    met = f"At {depths_where(ends_meet)}, the ends meet: the last words, up to {isolated(last)}, lie near the first, from {isolated(first)} on."
    if not is_circle.any():
        return (met,)
    return (
        met,
        f"At {depths_where(is_circle)}, the words lie in a circle: those opposite each other are farthest apart.",
    )


def _too_few(number: int, what: str, least: int) -> str:
    return f"{_NOT_MEASURED}: at least {least} {what} are needed; of these, this capture has {number or 'none'}."
