"""What a measure is: how it is called and explained, how it is read, and what its axis spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tokviz.pages.text.catalogue import source
from tokviz.pages.text.parts import Term
from tokviz.pages.text.wording import count, score, whole_percent
from tokviz.records import CategoryMeasure, ContextReport, ControlCurves, Geometry, LensMeasure, Measured, Tested

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
    each_template: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64: in each of the context's templates, of which ``values`` are the medians; None with one."""
    raw: np.ndarray | None = None
    """``(n_depths,)`` float64: the measure of the states as they are, where that differs; else NaN."""
    holds: np.ndarray | None = None
    """``(n_depths,)`` bool: what is announced."""
    template_holds: np.ndarray | None = None
    """``(n_templates, n_depths)`` bool: what would be announced of each template alone."""
    measured: Tested | LensMeasure | None = None
    """As it was measured, where charts show something else of it, or controls are within it."""

    @property
    def templates(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The lowest and the highest value among the context's templates, ``(n_depths,)`` each."""
        every = self.each_template
        return None if every is None else (every.min(axis=0), every.max(axis=0))

    @property
    def is_defined(self) -> bool:
        return bool(np.isfinite(self.values).any())

    @property
    def has_raw(self) -> bool:
        return self.raw is not None and bool(np.isfinite(self.raw).any())

    @property
    def has_surface(self) -> bool:
        return bool(np.isfinite(self.surface))


def tested(found: CategoryMeasure | Tested | LensMeasure, **others: Any) -> Reading:
    """With its interval, its chance, and its values in each template."""
    reading = Reading(
        values=found.value, interval=(found.low, found.high), chance=found.null_mean, each_template=found.templates
    )
    return replace(reading, **others)


def of_categories(found: CategoryMeasure, raw: Measured) -> Reading:
    """``raw``: the same of the states as they are."""
    around = np.pad((raw.value < found.low) | (raw.value > found.high), 1)
    # Where it lies outside the interval, and at the depths beside those, so that a line can be drawn.
    differs = np.where(around[:-2] | around[1:-1] | around[2:], raw.value, np.nan)
    claim = found.above_chance
    announced = {"holds": claim.holds, "template_holds": claim.template_holds}
    return tested(found, surface=found.surface, raw=differs, **announced)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One entry of the table of measures, of any model in any context: charts, tables and the method page follow from it."""

    key: str
    """In CSV files, and in lists of some measures."""
    name: str
    """Over its chart."""
    caption: str
    """Under it; a format string of ``_numbers``, as is ``meaning``."""
    term: str = ""
    """As the method page defines it; empty where that says nothing of it. Of measures that share one, the first has it."""
    meaning: str = ""
    sources: tuple[str, ...] = ()
    """Works that it rests on, by their keys in ``catalogue/sources.toml``."""
    rows: tuple[str, ...] = ()
    """Of the compare page's table: their labels, in which ``{last}`` is the last depth."""
    read: Callable[[ContextReport, Geometry], Reading | None]
    write: Callable[[float], str] = score
    is_log: bool = False
    spans: tuple[float, ...] = (0.0, 1.0)
    """Values that the axis includes, whatever was measured."""
    of_control: Callable[[ControlCurves, Geometry], np.ndarray] | None = None
    """The same of an untrained model, ``(n_depths,)``, where it is measured."""
    within: bool = True
    """Whether it compares a model’s contexts."""
    between: bool = True
    """Whether it compares models."""

    def reading(self, context: ContextReport) -> Reading | None:
        """None where nothing was measured."""
        return None if context.geometry is None else self.read(context, context.geometry)

    def of_controls(self, context: ContextReport) -> dict[ControlKind, Reading]:
        """In untrained models: with all weights random; and the median and the range over the seeds of random layers.

        Beside them the model in the first template, where it is a median over several elsewhere, or by the logit lens.
        """
        untrained, geometry, reading = context.untrained, context.geometry, self.reading(context)
        if reading and isinstance(reading.measured, LensMeasure):
            return _lens_curves(context, reading.measured)
        if untrained is None or geometry is None or self.of_control is None:
            return {}
        templates = reading.each_template if reading else None
        read: dict[ControlKind, Reading] = {} if templates is None else {"first": Reading(values=templates[0])}
        if untrained.random is not None:
            read["random"] = Reading(values=self.of_control(untrained.random, geometry))
        if untrained.low and untrained.median and untrained.high:
            low, median, high = (
                self.of_control(each, geometry) for each in (untrained.low, untrained.median, untrained.high)
            )
            read["layers"] = Reading(values=median, interval=(low, high))
        return read

    def explained(self, geometries: Sequence[Geometry]) -> str:
        """The caption, with the numbers of all that it is shown of."""
        return self.caption.format_map(_numbers(geometries))

    def defined(self, geometries: Sequence[Geometry]) -> Term | None:
        """For the method page, with the thresholds that it was measured with."""
        if not self.term:
            return None
        meaning = self.meaning.format_map(_numbers(geometries))
        return Term(name=self.term, meaning=meaning, sources=tuple(map(source, self.sources)))


def terms(measures: Iterable[Measure], geometries: Sequence[Geometry]) -> dict[str, Term]:
    """By the measures' keys; of those that share one, the first has it."""
    found: dict[Term, str] = {}
    for measure in measures:
        if term := measure.defined(geometries):
            found.setdefault(term, measure.key)
    return {key: term for term, key in found.items()}


def _lens_curves(context: ContextReport, found: LensMeasure) -> dict[ControlKind, Reading]:
    if context.rule is not None:
        return {}
    curves: dict[ControlKind, np.ndarray] = {"chance": found.null_mean, "logit": found.logit}
    lens = context.lens
    if lens is not None and found is lens.named and lens.untrained is not None:
        curves["random"] = lens.untrained
    return {kind: Reading(values=values) for kind, values in curves.items()}


def _numbers(geometries: Sequence[Geometry]) -> dict[str, Any]:
    """What captions and definitions state of what captures were measured with; of few words fewer neighbors count."""
    geometry, n = geometries[0], Geometry.MOST_SILHOUETTES
    k, *more = sorted({each.n_neighbours for each in geometries})
    nearest = (
        f"nearest neighbors ({k} to {more[-1]}, by how many words are measured)" if more else f"{k} nearest neighbors"
    )
    shuffled = f" Where more than {n} words have a category, a shuffle’s value is the mean over {n} of them, each with all others."
    return {
        "massive": geometry.massive,
        "same_category": f"each word’s {nearest} that share its category"
        if k > 1 or more
        else "the words whose nearest neighbor shares their category",
        "long_lists": shuffled if any(each.n_measured > n for each in geometries) else "",
        "least_neighbors": whole_percent(geometry.least_with_neighbours),
        "dominant": whole_percent(geometry.massive.dominant_share),
        "least_words": count(geometry.stage_criteria.least_words, "word"),
    }
