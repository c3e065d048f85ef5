"""The measures that charts show over depth: what each is called, what it means, how it is read, and what its axis spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    LensMeasure,
    Measured,
    Tested,
)

ControlKind = Literal["first", "random", "layers", "logit", "chance"]
"""The model itself in the first template, which is what controls have; all weights random; random layers after the model's own
embedding; the model itself by the logit lens; what shuffles give, where that differs from depth to depth."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A measure of one model in one context."""

    values: np.ndarray
    """``(n_depths,)`` float64; NaN where the measure isn't defined."""
    interval: tuple[np.ndarray, np.ndarray] | None = None
    """Lower and upper ends, ``(n_depths,)`` float64 each."""
    chance: np.ndarray | None = None
    """``(n_depths,)`` float64."""
    thresholds: tuple[float, ...] = ()
    """Those that the measure was judged by."""
    surface: float = np.nan
    """What the words' surface gives, without any model."""
    templates: tuple[np.ndarray, np.ndarray] | None = None
    """The lowest and the highest value among the context's templates, ``(n_depths,)`` each, of which ``values`` are the medians."""
    raw: np.ndarray | None = None
    """``(n_depths,)`` float64: the measure of the states as they are, where that differs; else NaN."""

    @property
    def is_defined(self) -> bool:
        return bool(np.isfinite(self.values).any())

    @property
    def has_raw(self) -> bool:
        return self.raw is not None and bool(np.isfinite(self.raw).any())

    @property
    def has_surface(self) -> bool:
        return bool(np.isfinite(self.surface))


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a chart shows, of any model in any context."""

    name: str
    caption: str
    """A format string; its one field is the ``geometry`` that the numbers in it are read from."""
    read: Callable[[ContextReport, Geometry], np.ndarray | CategoryMeasure | Tested | AddedMeasure | LensMeasure | None]
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
    of_lens: Callable[[ContextReport], Mapping[ControlKind, np.ndarray]] | None = None
    """What stands beside a reading by the Jacobian lens, ``(n_depths,)`` each."""
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
        if isinstance(found, LensMeasure):
            return Reading(
                values=found.value,
                interval=(np.where(found.is_firm, found.low, np.nan), np.where(found.is_firm, found.high, np.nan)),
                chance=found.null_mean,
                thresholds=thresholds,
                templates=_range(found.templates),
            )
        if isinstance(found, CategoryMeasure | Tested):
            return Reading(
                values=found.value,
                interval=(found.low, found.high),
                chance=found.null_mean,
                thresholds=thresholds,
                surface=found.surface if isinstance(found, CategoryMeasure) else np.nan,
                templates=_range(found.templates),
                raw=None if self.raw is None else _where_it_differs(self.raw(geometry).value, found),
            )
        templates = _range(self.templates(geometry))
        return Reading(values=found, interval=None, chance=None, thresholds=thresholds, templates=templates)

    def of_controls(self, context: ContextReport) -> dict[ControlKind, Reading]:
        """In untrained models: with all weights random; and the median and the range over the seeds of random layers.

        Beside them the model in the first template, where it is a median over several elsewhere, or by the logit lens.
        """
        if self.of_lens is not None:
            return (
                {kind: _plain(values) for kind, values in self.of_lens(context).items()} if context.rule is None else {}
            )
        untrained, geometry = context.untrained, context.geometry
        if untrained is None or geometry is None or self.of_control is None:
            return {}
        found: dict[ControlKind, Reading] = {}
        templates = self._in_templates(context, geometry)
        if templates is not None:
            found["first"] = _plain(templates[0])
        if untrained.random is not None:
            found["random"] = _plain(self.of_control(untrained.random, context, geometry))
        if untrained.low and untrained.median and untrained.high:
            low, median, high = (
                self.of_control(each, context, geometry) for each in (untrained.low, untrained.median, untrained.high)
            )
            found["layers"] = replace(_plain(median), interval=(low, high))
        return found

    def _in_templates(self, context: ContextReport, geometry: Geometry) -> np.ndarray | None:
        """``(n_templates, n_depths)``; None with one."""
        found = self.read(context, geometry)
        return found.templates if isinstance(found, CategoryMeasure | Tested) else self.templates(geometry)

    def explained(self, geometry: Geometry) -> str:
        """The caption, with its numbers."""
        return self.caption.format(geometry=geometry, of_same_category=_of_same_category(geometry))


def _of_long_lists(geometry: Geometry) -> str:
    """Of which words a shuffle's silhouettes are."""
    n = geometry.MOST_SILHOUETTES
    if geometry.n_measured <= n:
        return ""
    return f" Where more than {n} words have a category, a shuffle’s value is the mean over {n} of them, each with all others."


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
        definition=lambda geometry: Term(
            name="Silhouette",
            meaning="(b − a) / max(a, b), mean over words: a is the mean distance to the words of its own category, "
            f"b to those of the nearest other. From −1 to 1; above 0, categories hold together.{_of_long_lists(geometry)}",
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
