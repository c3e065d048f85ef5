"""What a model's page says of relations and orders: sentences made of the numbers, and the plots that a script draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tokviz.pages.frame import relative
from tokviz.pages.related_plots import strip_size
from tokviz.pages.sentences import depths_name
from tokviz.pages.wording import count, joined_by_and, ranged, score
from tokviz.records import (
    ContextReport,
    ModelReport,
    OrderMeasures,
    RelationMeasures,
    Relations,
    Report,
    Tested,
)

MOST_RUNS = 3
"""Of depths that don't lie together more runs are counted, not named."""
MOST_HELD_BACK = 0.5
"""Of the targets: where sources alone find more of them, the pairs lie near each other."""


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
    alt: str


@dataclass(frozen=True, kw_only=True)
class RelatedSection:
    """All of a model."""

    figures: tuple[RelatedFigure, ...]
    strips: tuple[RelatedStrip, ...]
    note: str
    stylesheet: str
    script: str
    slug: str
    data: str
    """The folder of the model's numbers."""


def related_section(report: Report, model: ModelReport, page: str) -> RelatedSection | None:
    """None where nothing was asked for or measured."""
    measured = [(context, context.relations) for context in model.captures if context.relations is not None]
    if not measured:
        return None
    relations = (
        RelatedFigure(
            heading=relation.label,
            caption="Each line joins the two words of a pair, from the hollow to the full mark, in the first two principal "
            "components of these words in this layer. If one vector led from every first word to its second, the lines would "
            "be parallel.",
            said=_said(measured, [relation_sentences(each.relations[index]) for _, each in measured]),
        )
        for index, relation in enumerate(report.relations)
    )
    orders = (
        RelatedFigure(
            heading=order.label,
            caption=f"Each word stands where a regression on the other words puts it{_SHOULD_BE[order.cyclic]}. The line joins "
            "the words in their order.",
            said=_said(measured, [order_sentences(each.orders[index], cyclic=order.cyclic) for _, each in measured]),
        )
        for index, order in enumerate(report.orders)
    )
    return RelatedSection(
        figures=(*relations, *orders),
        strips=tuple(
            _strip(report, model, context, page, current=index == 0) for index, (context, _) in enumerate(measured)
        ),
        note=_NOTE,
        stylesheet=relative(page, "assets/relations.css"),
        script=relative(page, "assets/relations.js"),
        slug=model.slug,
        data=relative(page, f"data/{model.slug}"),
    )


_NOTE = (
    "What is claimed here is corrected for the number of layers, but not for the number of relations and orders that were tried. "
    "That something can be read from hidden states doesn’t say that the model uses it."
)
_SHOULD_BE = {
    True: "; perfectly read, all would lie on the dotted circle at equal distances",
    False: " on the horizontal axis, and at its true place on the vertical one; perfectly read, all would lie on the dotted line",
}


def _said(measured: list[tuple[ContextReport, Relations]], sentences: list[tuple[str, ...]]) -> tuple[Said, ...]:
    return tuple(
        Said(
            context=context.states.context.name, label=context.states.context.label, sentences=each, current=index == 0
        )
        for index, ((context, _), each) in enumerate(zip(measured, sentences, strict=True))
    )


def _strip(report: Report, model: ModelReport, context: ContextReport, page: str, *, current: bool) -> RelatedStrip:
    name, label = context.states.context.name, context.states.context.label
    width, height = strip_size(len(report.relations) + len(report.orders), context.states.n_depths)
    what = joined_by_and([*(each.label for each in report.relations), *(each.label for each in report.orders)])
    return RelatedStrip(
        context=name,
        current=current,
        src=relative(page, f"data/{model.slug}/{name}/relations.svg"),
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        alt=f"{what}, words {label}: small plots of some layers from the embedding to the last one.",
    )


# --- sentences -------------------------------------------------------------------------------------------------------


def relation_sentences(measured: RelationMeasures) -> tuple[str, ...]:
    """Whether pairs differ by one vector, as far as the numbers say so."""
    n_pairs = len(measured.rows)
    if not measured.is_measured:
        return (_too_few(n_pairs, "pair", measured.LEAST_PAIRS),)
    parallelism = measured.parallelism
    known = np.isfinite(parallelism.value)
    if not known.any():
        return ("Not defined at any depth: a first and a second word have the same state.",)
    parallel = known & (parallelism.p_value < measured.LEVEL)
    hits = (
        f"The first word plus the mean difference of the other pairs finds {_found(measured.hits[known], n_pairs)}; the first "
        f"word alone finds {_found(measured.hits_of_source[known], n_pairs)}, among {count(measured.n_candidates, 'word')}."
    )
    return (_verdict(measured, known), _against_shuffled(parallelism, parallel, known), hits)


def _against_shuffled(parallelism: Tested, parallel: np.ndarray, known: np.ndarray) -> str:
    if not parallel.any():
        return (
            "At no depth are the pairs’ differences more parallel than those of the same words paired at random (mean cosine "
            f"{ranged(parallelism.value[known], score)}, at random {ranged(parallelism.null_mean[known], score)}; p ≥ 0.05, "
            "corrected for the number of depths)."
        )
    return (
        f"The pairs’ differences are more parallel than those of the same words paired at random at {where(parallel)} (mean "
        f"cosine there {ranged(parallelism.value[parallel], score)}, at random "
        f"{ranged(parallelism.null_mean[parallel], score)}; p < 0.05, corrected for the number of depths)."
    )


def _found(hits: np.ndarray, n_pairs: int) -> str:
    """``8–10 of 10 second words``."""
    return f"{ranged(hits, lambda value: f'{value:.0f}')} of {count(n_pairs, 'second word')}"


def _verdict(measured: RelationMeasures, known: np.ndarray) -> str:
    holds = measured.holds
    if holds.any():
        return (
            f"A common difference leads from the first words to the second at {where(holds)}: it is more parallel than chance, and "
            "finds more of the second words than the first words alone do."
        )
    if np.nanmedian(measured.hits_of_source[known]) > MOST_HELD_BACK * len(measured.rows):
        return "The pairs lie near each other; that a common difference leads from the first words to the second isn’t shown."
    return "It isn’t shown that a common difference leads from the first words to the second."


def order_sentences(measured: OrderMeasures, *, cyclic: bool) -> tuple[str, ...]:
    """Whether an order can be read from the states, as far as the numbers say so."""
    n_words = len(measured.rows)
    if not measured.is_measured:
        return (_too_few(n_words, "word", measured.LEAST_WORDS),)
    r2, holds = measured.r2, measured.holds
    if not np.isfinite(r2.value).any():
        return ("Not defined at any depth: the words don’t differ.",)
    what = "place on the circle" if cyclic else "place"
    how = f"from {count(measured.n_components, 'principal component')} of these {count(n_words, 'word')}"
    best = float(np.nanmax(r2.value))
    if holds.any():
        said = (
            f"A word’s {what} can be read {how} at {where(holds)}: leave-one-out R² {ranged(r2.value[holds], score)} there "
            "(p < 0.05 against permuted orders, corrected for the number of depths)."
        )
    elif best > 0:
        said = (
            f"It isn’t shown that a word’s {what} can be read {how} at any depth: leave-one-out R² is at most {score(best)}, "
            "which permuted orders reach too (p ≥ 0.05, corrected for the number of depths)."
        )
    else:
        said = f"A word’s {what} can’t be read {how} at any depth: leave-one-out R² is nowhere above 0."
    return (said,)


def _too_few(number: int, noun: str, least: int) -> str:
    return f"Not measured: {count(number, noun)} of reference words here, and at least {least} are needed."


def where(depths: np.ndarray) -> str:
    """``(n_depths,)`` bool → ``the embedding and layers 2–8``, ``20 of 31 depths``, ``every depth``."""
    if depths.all():
        return "every depth"
    edges = np.flatnonzero(np.diff(np.concatenate([[0], depths.astype(int), [0]])))
    runs = list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))
    if len(runs) > MOST_RUNS:
        return f"{int(depths.sum())} of {count(len(depths), 'depth')}"
    names = [depths_name(first, last) for first, last in runs]
    return joined_by_and([f"the {name}" if name.startswith("embedding") else name for name in names])
