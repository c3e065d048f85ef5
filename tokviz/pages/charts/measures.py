"""The measures that charts show over depth: what each is called, what it means, how it is read, and what its axis spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.pages.text.parts import Term
from tokviz.pages.text.sources import ROY_2007
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import NBSP, number, percent, score, whole_percent
from tokviz.records import AddedMeasure, CategoryMeasure, ContextReport, Geometry, Order, Relation, Tested


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
    definition: Term | None = None
    """For the method page, where ``definitions.py`` doesn't cover the measure."""
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
            interval = found.low, found.high
            return Reading(values=found.value, interval=interval, chance=found.null_mean, thresholds=thresholds)
        return Reading(values=found, interval=None, chance=None, thresholds=thresholds)

    def explained(self, geometry: Geometry) -> str:
        """The caption, with its numbers."""
        return self.caption.format(geometry=geometry)


MEASURES = (
    Measure(
        name="Category purity",
        caption="Share of each word’s {geometry.n_neighbours} nearest neighbors that share its category, by cosine in "
        "all dimensions. Dotted: chance.",
        read=lambda _, geometry: geometry.purity,
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
        caption="How much closer a word is to its own category than to the nearest other one, by cosine; 0: equally "
        "close. Dotted: chance.",
        read=lambda _, geometry: geometry.silhouette,
        spans=(-0.2, 0.4),
    ),
    Measure(
        name="Effective rank",
        caption="In how many directions the words differ.",
        definition=Term(
            name="Effective rank",
            meaning="The exponential of the entropy of the centered states’ singular values, normalized to sum to "
            "one: 1 if all words lie on a line, at most the number of words minus one. Papers that use the "
            "eigenvalues of the covariance (the squares of these) get lower numbers.",
            sources=(ROY_2007,),
        ),
        read=lambda _, geometry: geometry.spread.effective_rank,
        write=number,
        spans=(0.0,),
        between=False,
    ),
    Measure(
        name="Effective rank per word",
        caption="In how many directions the words differ, divided by the number of words, so that models can be "
        "compared.",
        read=lambda _, geometry: geometry.spread.effective_rank / geometry.n_measured,
        within=False,
    ),
    Measure(
        name="Mean norm",
        caption="Mean length of the hidden states, log scale. Models differ in scale from the start; look for jumps.",
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
        f"({{geometry.massive.lesser_ratio:,.0f}}{NBSP}×) and massive ({{geometry.massive.massive_ratio:,.0f}}{NBSP}×), if |x| "
        "is also above {geometry.massive.large:,.0f}.",
        read=lambda _, geometry: geometry.massive.ratio,
        write=lambda value: f"{number(value)}{NBSP}×",
        is_log=True,
        spans=(),
        thresholds=lambda geometry: (geometry.massive.lesser_ratio, geometry.massive.massive_ratio),
    ),
    Measure(
        name="Largest share of one dimension",
        caption="How much of Σ x² (the states’ squared lengths, summed over the words) lies in the one dimension "
        "that holds most of it, whichever that is. Above the dotted line it is dominant.",
        read=lambda _, geometry: geometry.massive.top_share,
        write=whole_percent,
        thresholds=lambda geometry: (geometry.massive.dominant_share,),
    ),
    Measure(
        name="Change from the previous depth",
        caption="1 − debiased linear CKA: 0 if a layer leaves the words’ arrangement unchanged, 1 if nothing of it "
        "is left. A model with fewer layers usually changes more per layer.",
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

    return Measure(name=measure.name, caption=_as_it_is(measure.caption), read=read, write=number, spans=())


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

    return Measure(
        name=f"Parallelism above chance, {relation.label}",
        caption="Mean cosine between the differences of the pairs, minus what it is in the same layer if the same words are "
        "paired at random. Dotted: chance.",
        read=read,
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
        null_mean=np.zeros_like(chance),
    )


def _order(index: int, order: Order) -> Measure:
    def read(context: ContextReport, _: Geometry) -> np.ndarray | None:
        # What is below 0 has no bound, and says no more than 0 does.
        return np.maximum(context.relations.orders[index].r2.value, 0.0) if context.relations else None

    return Measure(
        name=f"Order, {order.label}",
        caption="Leave-one-out R² of each word’s place, from the first principal components of these words. At 0 it is no "
        "better than the mean place for all; values below 0 are drawn at 0.",
        read=read,
    )
