"""What a measure is: how it is called and explained, how it is read, and what its axis spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tokviz.pages.text.parts import Link, Term
from tokviz.pages.text.wording import count, score, whole_percent
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


Found = np.ndarray | CategoryMeasure | Tested | AddedMeasure | LensMeasure
"""What is read of a capture; an array is ``(n_depths,)``."""


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
    sources: tuple[Link, ...] = ()
    """The works that defined it."""
    rows: tuple[str, ...] = ()
    """Of the compare page's table: their labels, in which ``{last}`` is the last depth."""
    read: Callable[[ContextReport, Geometry], Found | None]
    drawn: Callable[[Any], Found] = lambda found: found
    """What a chart shows of what was read."""
    write: Callable[[float], str] = score
    is_log: bool = False
    spans: tuple[float, ...] = (0.0, 1.0)
    """Values that the axis includes, whatever was measured."""
    thresholds: Callable[[Geometry], tuple[float, ...]] = lambda _: ()
    """Dotted lines."""
    templates: Callable[[Geometry], np.ndarray | None] = lambda _: None
    """``(n_templates, n_depths)``, of an array; measures with chance have them."""
    holds: Callable[[ContextReport, Geometry], np.ndarray | None] = lambda *_: None
    """``(n_depths,)`` bool: what is announced."""
    template_holds: Callable[[ContextReport, Geometry], np.ndarray | None] = lambda *_: None
    """``(n_templates, n_depths)`` bool: what would be announced of each template alone."""
    raw: Callable[[Geometry], Measured] | None = None
    """The same of the states as they are, drawn thinner where it lies outside the interval."""
    of_control: Callable[[ControlCurves, Geometry], np.ndarray] | None = None
    """The same of an untrained model, ``(n_depths,)``, where it is measured."""
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
        found, thresholds = self.drawn(found), self.thresholds(geometry)
        if isinstance(found, AddedMeasure):
            return Reading(values=found.value, chance=found.chance, thresholds=thresholds)
        every = self._each_template(found, geometry)
        templates = None if every is None else (every.min(axis=0), every.max(axis=0))
        if isinstance(found, np.ndarray):
            return Reading(values=found, thresholds=thresholds, templates=templates)
        return Reading(
            values=found.value,
            interval=(found.low, found.high),
            chance=found.null_mean,
            thresholds=thresholds,
            surface=found.surface if isinstance(found, CategoryMeasure) else np.nan,
            templates=templates,
            raw=None if self.raw is None else _where_it_differs(self.raw(geometry).value, found),
        )

    def in_templates(self, context: ContextReport) -> np.ndarray | None:
        """``(n_templates, n_depths)``, as it was measured; None with one."""
        geometry = context.geometry
        found = None if geometry is None else self.read(context, geometry)
        return None if geometry is None or found is None else self._each_template(found, geometry)

    def _each_template(self, found: Found, geometry: Geometry) -> np.ndarray | None:
        return self.templates(geometry) if isinstance(found, np.ndarray | AddedMeasure) else found.templates

    def of_controls(self, context: ContextReport) -> dict[ControlKind, Reading]:
        """In untrained models: with all weights random; and the median and the range over the seeds of random layers.

        Beside them the model in the first template, where it is a median over several elsewhere, or by the logit lens.
        """
        untrained, geometry = context.untrained, context.geometry
        found = None if geometry is None else self.read(context, geometry)
        if isinstance(found, LensMeasure):
            return _by_lens(context, found)
        if untrained is None or geometry is None or self.of_control is None:
            return {}
        templates = None if found is None else self._each_template(self.drawn(found), geometry)
        read: dict[ControlKind, Reading] = {} if templates is None else {"first": Reading(values=templates[0])}
        if untrained.random is not None:
            read["random"] = Reading(values=self.of_control(untrained.random, geometry))
        if untrained.low and untrained.median and untrained.high:
            low, median, high = (
                self.of_control(each, geometry) for each in (untrained.low, untrained.median, untrained.high)
            )
            read["layers"] = Reading(values=median, interval=(low, high))
        return read

    def explained(self, geometry: Geometry) -> str:
        """The caption, with its numbers."""
        return self.caption.format_map(_numbers(geometry))

    def defined(self, geometry: Geometry) -> Term | None:
        """For the method page, with the thresholds that it was measured with."""
        if not self.term:
            return None
        return Term(name=self.term, meaning=self.meaning.format_map(_numbers(geometry)), sources=self.sources)


def terms(measures: Iterable[Measure], geometry: Geometry) -> dict[str, Term]:
    """By the measures' keys; of those that share one, the first has it."""
    found: dict[Term, str] = {}
    for measure in measures:
        if term := measure.defined(geometry):
            found.setdefault(term, measure.key)
    return {key: term for term, key in found.items()}


def _by_lens(context: ContextReport, found: LensMeasure) -> dict[ControlKind, Reading]:
    if context.rule is not None:
        return {}
    curves: dict[ControlKind, np.ndarray] = {"chance": found.null_mean, "logit": found.logit}
    lens = context.lens
    if lens is not None and found is lens.named and lens.untrained is not None:
        curves["random"] = lens.untrained
    return {kind: Reading(values=values) for kind, values in curves.items()}


def _numbers(geometry: Geometry) -> dict[str, Any]:
    """What captions and definitions state of what a report was measured with."""
    k, n = geometry.n_neighbours, geometry.MOST_SILHOUETTES
    shuffled = f" Where more than {n} words have a category, a shuffle’s value is the mean over {n} of them, each with all others."
    return {
        "massive": geometry.massive,
        "same_category": f"each word’s {k} nearest neighbors that share its category"
        if k > 1
        else "the words whose nearest neighbor shares their category",
        "long_lists": shuffled if geometry.n_measured > n else "",
        "least_neighbors": whole_percent(geometry.least_with_neighbours),
        "dominant": whole_percent(geometry.massive.dominant_share),
        "least_words": count(geometry.stage_criteria.least_words, "word"),
    }


def _where_it_differs(raw: np.ndarray, measured: CategoryMeasure | Tested | LensMeasure) -> np.ndarray:
    """NaN but outside the interval, and at the depths beside those, so that a line can be drawn."""
    outside = (raw < measured.low) | (raw > measured.high)
    around = np.pad(outside, 1)
    return np.where(around[:-2] | around[1:-1] | around[2:], raw, np.nan)
