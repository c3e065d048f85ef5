"""The measures that charts show over depth: what each is called, what it means, how it is read, and what its axis spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tokviz.pages.text import sources
from tokviz.pages.text.parts import Term
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import NBSP, count, number, percent, score, whole_percent
from tokviz.records import (
    AddedMeasure,
    CategoryMeasure,
    ContextReport,
    ControlCurves,
    Geometry,
    Measured,
    Order,
    Relation,
    Tested,
)

ControlKind = Literal["random", "layers"]
"""All weights random; random layers after the model's own embedding."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A measure of one model in one context."""

    values: np.ndarray
    """``(n_depths,)`` float64; NaN where the measure isn't defined."""
    interval: tuple[np.ndarray, np.ndarray] | None
    """Lower and upper ends, ``(n_depths,)`` float64 each."""
    chance: np.ndarray | None
    """``(n_depths,)`` float64."""
    thresholds: tuple[float, ...]
    """Those that the measure was judged by."""
    surface: float | None = None
    """What the words' surface gives, without any model."""
    templates: tuple[np.ndarray, np.ndarray] | None = None
    """The lowest and the highest value among the context's templates, ``(n_depths,)`` each, of which ``values`` are the medians."""
    raw: np.ndarray | None = None
    """``(n_depths,)`` float64: the measure of the states as they are, where that differs; else NaN."""

    @property
    def is_defined(self) -> bool:
        return bool(np.isfinite(self.values).any())


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a chart shows, of any model in any context."""

    name: str
    caption: str
    """A format string; its one field is the ``geometry`` that the numbers in it are read from."""
    read: Callable[[ContextReport, Geometry], np.ndarray | CategoryMeasure | Tested | AddedMeasure | None]
    write: Callable[[float], str] = score
    is_log: bool = False
    spans: tuple[float, ...] = (0.0, 1.0)
    """Values that the axis includes, whatever was measured."""
    thresholds: Callable[[Geometry], tuple[float, ...]] = lambda _: ()
    """Dotted lines."""
    templates: Callable[[Geometry], np.ndarray | None] = lambda _: None
    """``(n_templates, n_depths)``, of an array; measures with chance have them."""
    raw: Callable[[Geometry], Measured] | None = None
    """The same of the states as they are, drawn thinner where it lies outside the interval."""
    of_control: Callable[[ControlCurves, ContextReport, Geometry], np.ndarray] | None = None
    """The same of an untrained model, ``(n_depths,)``, where it is measured."""
    definition: Callable[[Geometry], Term] | None = None
    """For the method page, with the thresholds that it was measured with; of measures that share one, the first has it."""
    within: bool = True
    """Whether it compares a model’s contexts."""
    between: bool = True
    """Whether it compares models."""

    def reading(self, context: ContextReport) -> Reading | None:
        """None where nothing was measured."""
        geometry = context.geometry
        found = None if geometry is None else self.read(context, geometry)
        if geometry is None or found is None:
            return None
        thresholds = self.thresholds(geometry)
        if isinstance(found, AddedMeasure):
            return Reading(values=found.value, interval=None, chance=found.chance, thresholds=thresholds)
        if isinstance(found, CategoryMeasure | Tested):
            return Reading(
                values=found.value,
                interval=(found.low, found.high),
                chance=found.null_mean,
                thresholds=thresholds,
                surface=found.surface if isinstance(found, CategoryMeasure) else None,
                templates=_range(found.templates),
                raw=None if self.raw is None else _where_it_differs(self.raw(geometry).value, found),
            )
        templates = _range(self.templates(geometry))
        return Reading(values=found, interval=None, chance=None, thresholds=thresholds, templates=templates)

    def of_controls(self, context: ContextReport) -> dict[ControlKind, Reading]:
        """In untrained models: with all weights random; and the median and the range over the seeds of random layers."""
        untrained, geometry = context.untrained, context.geometry
        if untrained is None or geometry is None or self.of_control is None:
            return {}
        found: dict[ControlKind, Reading] = {}
        if untrained.random is not None:
            found["random"] = _plain(self.of_control(untrained.random, context, geometry))
        if untrained.low and untrained.median and untrained.high:
            low, median, high = (
                self.of_control(each, context, geometry) for each in (untrained.low, untrained.median, untrained.high)
            )
            found["layers"] = replace(_plain(median), interval=(low, high))
        return found

    def explained(self, geometry: Geometry) -> str:
        """The caption, with its numbers."""
        return self.caption.format(geometry=geometry, of_same_category=_of_same_category(geometry))


def _plain(values: np.ndarray) -> Reading:
    return Reading(values=values, interval=None, chance=None, thresholds=())


def _per_word(geometry: Geometry) -> np.ndarray | None:
    ranks = geometry.effective_rank_in_templates
    return None if ranks is None else ranks / geometry.n_measured


def _range(templates: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """``(n_templates, n_depths)`` → the lowest and the highest values; None of one template."""
    return None if templates is None else (templates.min(axis=0), templates.max(axis=0))


def _of_same_category(geometry: Geometry) -> str:
    """What purity is a share of."""
    k = geometry.n_neighbours
    if k == 1:
        return "the words whose nearest neighbor shares their category"
    return f"each word’s {k} nearest neighbors that share its category"


def _where_it_differs(raw: np.ndarray, measured: CategoryMeasure | Tested) -> np.ndarray:
    """NaN but outside the interval, and at the depths beside those, so that a line can be drawn."""
    outside = (raw < measured.low) | (raw > measured.high)
    around = np.pad(outside, 1)
    return np.where(around[:-2] | around[1:-1] | around[2:], raw, np.nan)


MEASURES = (
    Measure(
        name="Category purity",
        caption="Share of {of_same_category}, by cosine in all dimensions, each scaled to the same standard deviation. Dotted: chance.",
        definition=lambda geometry: Term(
            name="Neighbors of the same category (purity)",
            meaning=f"The share of {_of_same_category(geometry)}, mean over words: by cosine in all dimensions, by Euclidean distance in the plot. In small categories "
            "fewer neighbors count. Before the cosine each dimension is scaled to the same standard deviation over the "
            "reference words (standardized): raw cosine hardly sees anything but the few largest dimensions. If words have "
            "identical states, the nearest may be ambiguous: a word whose last neighbor and next word after it "
            "have the same state has no well-defined neighbors, and is not counted, neither here nor in the share "
            "of neighbors that stay from depth to depth or from model to model. If fewer than "
            f"{100 * geometry.least_with_neighbours:.0f}\N{NO-BREAK SPACE}% of the words have well-defined neighbors, no value is "
            "given.",
            sources=(sources.TIMKEY_2021, sources.MU_2018),
        ),
        read=lambda _, geometry: geometry.purity,
        of_control=lambda control, *_: control.purity,
        raw=lambda geometry: geometry.purity_raw,
    ),
    Measure(
        name="Category purity in the plot",
        caption="The same in the plots of the first projection. If it is lower than in the first chart, the "
        "projection hides structure.",
        read=lambda _, geometry: purity_in_plot(geometry),
        between=False,
    ),
    Measure(
        name="Silhouette",
        caption="How much closer a word is to its own category than to the nearest other one, by cosine of standardized "
        "states; 0: equally close. Dotted: chance.",
        definition=lambda _: Term(
            name="Silhouette",
            meaning="(b − a) / max(a, b), mean over words: a is the mean distance to the words of its own category, "
            "b to those of the nearest other. From −1 to 1; above 0, categories hold together.",
            sources=(sources.ROUSSEEUW_1987,),
        ),
        read=lambda _, geometry: geometry.silhouette,
        of_control=lambda control, *_: control.silhouette,
        raw=lambda geometry: geometry.silhouette_raw,
        spans=(-0.2, 0.4),
    ),
    Measure(
        name="Effective rank",
        caption="In how many directions the words differ.",
        definition=lambda _: Term(
            name="Effective rank",
            meaning="The exponential of the entropy of the centered states’ singular values, normalized to sum to "
            "one: 1 if all words lie on a line, at most the number of words minus one. Papers that use the "
            "eigenvalues of the covariance (the squares of these) get lower numbers.",
            sources=(sources.ROY_2007,),
        ),
        read=lambda _, geometry: geometry.spread.effective_rank,
        templates=lambda geometry: geometry.effective_rank_in_templates,
        of_control=lambda control, *_: control.effective_rank,
        write=number,
        spans=(0.0,),
        between=False,
    ),
    Measure(
        name="Effective rank per word",
        caption="In how many directions the words differ, divided by the number of words, so that models can be "
        "compared.",
        read=lambda _, geometry: geometry.spread.effective_rank / geometry.n_measured,
        templates=lambda geometry: _per_word(geometry),
        of_control=lambda control, _, geometry: control.effective_rank / geometry.n_measured,
        within=False,
    ),
    Measure(
        name="Mean norm",
        caption="Mean length of the hidden states, log scale. Models differ in scale from the start; look for jumps.",
        definition=lambda _: Term(
            name="Mean norm, mean cosine",
            meaning="The mean Euclidean length of the states, and the mean cosine over all pairs of words. A mean "
            "cosine near 1 says that all words point the same way (anisotropy).",
        ),
        read=lambda _, geometry: geometry.spread.mean_norm,
        write=number,
        is_log=True,
        spans=(),
    ),
    Measure(
        name="Mean cosine",
        caption="Between all pairs of words. Near 1, every word points the same way, whatever it means.",
        read=lambda _, geometry: geometry.spread.mean_cosine,
    ),
    Measure(
        name="PC1’s share of the variance",
        caption="In the plots of the first projection. If it is high, the plot is nearly a line.",
        definition=lambda _: Term(
            name="Explained variance",
            meaning="The share of the variance of the reference words that a plot’s PC1 and PC2 hold, after the "
            "projection’s scaling.",
        ),
        read=lambda context, _: (
            context.projections[0].projection.explained_variance_ratio[:, 0] if context.projections else None
        ),
        write=percent,
        between=False,
    ),
    Measure(
        name="Largest activation ÷ typical",
        caption="Largest |x| of a word’s state, median over words, divided by the median |x| of typical tokens (of the words "
        "themselves, if a model has no context with typical tokens), log scale. Dotted: moderately large "
        f"({{geometry.massive.moderate_ratio:,.0f}}{NBSP}×) and massive ({{geometry.massive.massive_ratio:,.0f}}{NBSP}×), if |x| "
        "is also above {geometry.massive.large:,.0f}.",
        definition=lambda geometry: Term(
            name="Massive activations",
            meaning=f"A depth has them if the words’ largest |x| exceeds both {geometry.massive.large:,.0f} and "
            f"{geometry.massive.massive_ratio:,.0f} times the median |x|; activations are moderately large if it exceeds "
            f"both {geometry.massive.large:,.0f} and {geometry.massive.moderate_ratio:,.0f} times. “Largest |x|” is each word’s own maximum, "
            "median over words. The median |x| is that of typical tokens at the same depth: words of a context in "
            "which they are not at position 0, because many models build an attention sink there, which would "
            "inflate its own baseline (Sun et al. take the median of the one text that they look at). If there is "
            "no such context, the words’ own median is used, and the page says so. The emergence layer is the first "
            "with massive activations. They end where |x| itself falls below the threshold; if they are no longer "
            "massive only because other tokens have grown, the page says that instead. The dimensions named are "
            "those that exceed the threshold in at least half of the words.",
            sources=(sources.SUN_2024,),
        ),
        read=lambda _, geometry: geometry.massive.ratio,
        write=lambda value: f"{number(value)}{NBSP}×",
        is_log=True,
        spans=(),
        thresholds=lambda geometry: (geometry.massive.moderate_ratio, geometry.massive.massive_ratio),
    ),
    Measure(
        name="Largest share of one dimension",
        caption="How much of Σ x² (the states’ squared lengths, summed over the words) lies in the one dimension "
        "that holds most of it, whichever that is. Above the dotted line it is dominant.",
        definition=lambda geometry: Term(
            name="Dominant dimensions",
            meaning=f"A dimension is dominant at a depth if it holds more than {100 * geometry.massive.dominant_share:.0f}\N{NO-BREAK SPACE}% "
            "of Σ x², the states’ squared lengths summed over the reference words. In some models nearly all tokens "
            "are large in the same dimension: then no ratio to other tokens shows it, and a dimension may be "
            "dominant without being massive. Of position 0 only the largest values are kept, so it isn’t known "
            "which dimensions are dominant there.",
        ),
        read=lambda _, geometry: geometry.massive.top_share,
        write=whole_percent,
        thresholds=lambda geometry: (geometry.massive.dominant_share,),
    ),
    Measure(
        name="Change from the previous depth",
        caption="1 − debiased linear CKA: 0 if a layer leaves the words’ arrangement unchanged, 1 if nothing of it "
        "is left. A model with fewer layers usually changes more per layer.",
        definition=lambda geometry: Term(
            name="Change (1 − CKA)",
            meaning="Centered kernel alignment (CKA) compares the pairwise inner products of the words’ standardized "
            "states at two depths: 1 for the same arrangement up to rotation and scale, about 0 for unrelated ones. The debiased "
            "estimate is used, because with fewer words than dimensions the usual one is near 1 for unrelated "
            f"states. It needs at least {count(geometry.stage_criteria.least_words, 'word')}: for unrelated states, 95\N{NO-BREAK SPACE}% of its values are then below 0.2 in "
            "size, while for four words it may be near 1.",
            sources=(sources.KORNBLITH_2019, sources.SONG_2012),
        ),
        read=lambda _, geometry: 1 - geometry.change.cka,
    ),
)
WITHIN_A_MODEL = tuple(measure for measure in MEASURES if measure.within)
BETWEEN_MODELS = tuple(measure for measure in MEASURES if measure.between)


def added_measures(contexts: Iterable[ContextReport]) -> tuple[Measure, ...]:
    """Those that other packages add, in the order in which the contexts have them."""
    found = {each.column: each for context in contexts for each in context.added}
    return tuple(_added(each) for each in found.values())


def _added(measure: AddedMeasure) -> Measure:
    def read(context: ContextReport, _: Geometry) -> AddedMeasure | None:
        return next((each for each in context.added if each.column == measure.column), None)

    return Measure(
        name=measure.name,
        caption=_as_it_is(measure.caption),
        definition=lambda _: Term(name=measure.name, meaning=f"{measure.caption} Measured by {measure.package}."),
        read=read,
        write=number,
        spans=(),
    )


def _as_it_is(text: str) -> str:
    """A text with braces, as a format string."""
    return text.replace("{", "{{").replace("}", "}}")


def related_measures(relations: Sequence[Relation], orders: Sequence[Order]) -> tuple[Measure, ...]:
    """Of each relation how parallel its differences are, of each order how well it can be read."""
    return (
        *(_parallelism(index, each) for index, each in enumerate(relations)),
        *(_order(index, each) for index, each in enumerate(orders)),
    )


def _parallelism(index: int, relation: Relation) -> Measure:
    def read(context: ContextReport, _: Geometry) -> Tested | None:
        return _above_chance(context.relations.relations[index].parallelism) if context.relations else None

    def of_control(control: ControlCurves, context: ContextReport, _: Geometry) -> np.ndarray:
        chance = context.relations.relations[index].parallelism.null_mean if context.relations else np.nan
        return np.asarray(control.relations[index] - chance)

    return Measure(
        name=f"Parallelism above chance, {relation.label}",
        caption="Mean cosine between the differences of the pairs, minus what it is in the same layer if the same words are "
        "paired at random. Dotted: chance.",
        definition=lambda _: Term(
            name="Relations between words",
            meaning="If one vector led from every country to its capital, the differences between the words of a pair would be "
            "parallel. Parallelism is the mean cosine between the differences of all pairs. By chance it isn’t 0, since the first "
            "words differ from the second ones in their means, too: chance is the same words paired at random, no word with "
            "itself. A second word counts as found if it is the nearest by cosine, among all reference words of its category "
            "but the first word of the pair, to this first word plus the mean difference of the other pairs. Next to it stands how "
            "many second words are nearest to the first word alone: where these are as many, finding them shows only that pairs lie "
            "near each other. Such pairs are also more parallel than random ones: what remains of their differences is mostly the "
            "one between the means. So a second test asks whether the mean difference adds anything: of each pair, 1 divided by the "
            "second word’s rank among the candidates, with the difference less without it, is summed, and chance gives each pair’s "
            "gain a random sign. A relation is claimed only at depths where both hold. Of n pairs there are 2ⁿ arrangements of "
            "signs: with fewer than ten pairs, hardly any report’s level can be reached, and the page says so. All of this is "
            "measured on standardized states. Plots show these words in their own first two principal components, fitted to each "
            "layer separately; all numbers are of all dimensions. It isn’t tested how the model itself gets from one word to the "
            "other, for which Hernandez et al. use its derivatives.",
            sources=(sources.MIKOLOV_2013, sources.HERNANDEZ_2024),
        ),
        read=read,
        of_control=of_control,
        spans=(0.0, 0.5),
    )


def _above_chance(tested: Tested) -> Tested:
    """Chance differs between depths and models, and a chart has one line for it."""
    chance = tested.null_mean
    return replace(
        tested,
        value=tested.value - chance,
        low=tested.low - chance,
        high=tested.high - chance,
        templates=None if tested.templates is None else tested.templates - chance,
        null_mean=np.zeros_like(chance),
    )


def _not_below_0(r2: Tested) -> Tested:
    """What is below 0 has no bound, and says no more than 0 does; so chance is left out, and with it the intervals."""
    nothing = np.full(len(r2.value), np.nan)
    return replace(
        r2,
        value=np.maximum(r2.value, 0.0),
        low=nothing,
        high=nothing,
        null_mean=nothing,
        templates=None if r2.templates is None else np.maximum(r2.templates, 0.0),
    )


def _order(index: int, order: Order) -> Measure:
    def read(context: ContextReport, _: Geometry) -> Tested | None:
        return _not_below_0(context.relations.orders[index].r2) if context.relations else None

    def of_control(control: ControlCurves, *_: object) -> np.ndarray:
        return np.asarray(np.maximum(control.orders[index], 0.0))

    return Measure(
        name=f"Order, {order.label}",
        caption="Leave-one-out R² of each word’s place, from the first principal components of these words. At 0 it is no "
        "better than the mean place for all; values below 0 are drawn at 0.",
        definition=lambda _: Term(
            name="Orders of words",
            meaning="Whether the place of a word in an order, such as that of a month in the year, can be read from its state. The "
            "place (in a cycle of n words cos 2πk/n and sin 2πk/n) is regressed on the first principal components of these words: "
            "half as many as there are words less two, at most five. Each word is predicted by a regression on the others. R² is 1 "
            "if all are predicted exactly, and 0 if the predictions are no better than the mean of all places. The components are "
            "computed from the states of all words, but not from their places. Chance is permuted orders of the same words. An open "
            "row, such as a random walk from January to December, is read as well as a circle is. So of a cycle two more questions "
            "are asked, by squared distances between standardized states, against the same permuted orders. Far words are those half "
            "a cycle apart (5n/12 or more, the shorter way round), near ones those up to a quarter. The ends meet if near words on "
            "either side of the step from the last word to the first are nearer to each other than far ones are, by at least half as "
            "much as other near words, at a depth where the order can be read. The words are said to lie in a circle if, besides, far "
            "words are farther apart than those a quarter of the cycle apart, and R² is at least 0.7 in every direction of the "
            "circle’s plane: it isn’t where words only go from one extreme to the other and back. Plots show each word where the "
            "regression on the others puts it.",
            sources=(sources.ENGELS_2025,),
        ),
        read=read,
        of_control=of_control,
    )
