"""Curves of all models over relative depth: a row of small charts per measure, one chart per context, one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.axis import path
from tokviz.pages.wording import joined
from tokviz.records import ContextReport, Geometry, ModelReport, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line, or a text, in a chart; lengths in the chart's own units."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    style: str
    """``0`` to ``7``: its colour, the same for a model throughout."""
    dash: str
    """``0`` to ``7``: its dash pattern; colour and pattern together are a model's own."""
    line: str
    """Path data; breaks where the measure isn't defined."""
    band: str | None
    """Path data of the interval."""
    end: Mark | None
    """The model's name at the curve's end."""
    leader: str | None
    """Path data from the curve's end to its name, where the name had to give way."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One measure of all models in one context, over relative depth."""

    heading: str
    alt: str
    width: str
    height: str
    left: str
    right: str
    top: str
    bottom: str
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    chance: str | None
    """Height of what the measure is by chance."""
    curves: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True)
class Measure:
    name: str
    meaning: str
    charts: tuple[Chart, ...]
    """One per context, on one scale."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A model's line in the curves' legend."""

    style: str
    dash: str
    name: str


WIDTH, HEIGHT = 400.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 270.0, 10.0, 170.0
N_STYLES = 8
NAME_DISTANCE = 13.0
"""Between two names at the curves' ends."""
LONGEST_NAME = 17
MOST_NAMES = 12
"""More models than fit at the curves' ends go by their number in the legend."""

Values = Callable[[Geometry], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    name: str
    meaning: str
    values: Values
    interval: Callable[[Geometry], tuple[np.ndarray, np.ndarray]] | None = None
    chance: Values | None = None
    logarithmic: bool = False
    limits: tuple[float, float] | None = None
    digits: int = 2


KINDS = (
    _Kind(
        name="Category purity",
        meaning="How many of a word’s nearest neighbours in the full space share its category. The band is the 95 % "
        "interval; the dotted line is chance.",
        values=lambda geometry: geometry.purity.value,
        interval=lambda geometry: (geometry.purity.low, geometry.purity.high),
        chance=lambda geometry: geometry.purity.null_mean,
        limits=(0.0, 1.0),
    ),
    _Kind(
        name="Silhouette",
        meaning="How much nearer a word lies to its own category than to the next one, by cosine; 0 where neither is "
        "nearer. Band and dotted line as above.",
        values=lambda geometry: geometry.silhouette.value,
        interval=lambda geometry: (geometry.silhouette.low, geometry.silhouette.high),
        chance=lambda geometry: geometry.silhouette.null_mean,
    ),
    _Kind(
        name="Effective rank",
        meaning="In how many directions the words differ, divided by the number of words, so that models can be "
        "compared.",
        values=lambda geometry: geometry.spread.effective_rank / geometry.n_measured,
        limits=(0.0, 1.0),
    ),
    _Kind(
        name="Mean norm",
        meaning="How long the hidden states are, on a logarithmic scale. Models differ in scale from the start; look for "
        "jumps.",
        values=lambda geometry: geometry.spread.mean_norm,
        logarithmic=True,
        digits=0,
    ),
    _Kind(
        name="Mean cosine",
        meaning="Between all pairs of words. Near 1 every word points the same way, whatever it means.",
        values=lambda geometry: geometry.spread.mean_cosine,
    ),
    _Kind(
        name="Largest value",
        meaning="The largest |x| of a word’s state against the median of ordinary tokens, logarithmic. Above 1,000 × it "
        "counts as massive, if it is above 100 itself.",
        values=lambda geometry: geometry.massive.ratio,
        logarithmic=True,
        digits=0,
    ),
    _Kind(
        name="Change from the depth before",
        meaning="1 − debiased linear CKA: 0 where a layer leaves the words’ arrangement as it was. A model with fewer layers "
        "changes more in each.",
        values=lambda geometry: 1 - geometry.change.cka,
    ),
)


def keys(report: Report) -> tuple[Key, ...]:
    """The legend: every model with measures, as its curves are drawn."""
    models = _measured_models(report)
    return tuple(
        Key(style=_style(index)[0], dash=_style(index)[1], name=_legend_name(index, model, len(models)))
        for index, model in enumerate(models)
    )


def measures(report: Report) -> tuple[Measure, ...]:
    """A row of charts per measure; empty where nothing was measured."""
    return tuple(_measure(report, kind) for kind in KINDS) if _measured_models(report) else ()


def without_measures(report: Report) -> str | None:
    """Which captures the curves leave out."""
    missing = [
        f"{model.display_name} ({context.states.context.label})"
        for model in report.models
        for context in model.contexts
        if context.geometry is None
    ]
    return f"Not measured, and so without curves: {joined(missing)}." if missing else None


def _measured_models(report: Report) -> list[ModelReport]:
    return [model for model in report.models if any(context.geometry for context in model.contexts)]


def _style(index: int) -> tuple[str, str]:
    """Colour and dash pattern of a model: no two alike among 64."""
    return str(index % N_STYLES), str((index + index // N_STYLES) % N_STYLES)


def _legend_name(index: int, model: ModelReport, n_models: int) -> str:
    return f"{index + 1} {model.display_name}" if n_models > MOST_NAMES else model.display_name


# --- one measure ---------------------------------------------------------------------------------------------------


def _measure(report: Report, kind: _Kind) -> Measure:
    models = _measured_models(report)
    geometries = [context.geometry for model in models for context in model.contexts if context.geometry]
    scale = _Scale.of(kind, geometries, len(models))
    return Measure(
        name=kind.name,
        meaning=kind.meaning,
        charts=tuple(
            chart for context in report.contexts if (chart := _chart(kind, scale, models, context.name, context.label))
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """From values to heights in a chart."""

    low: float
    high: float
    logarithmic: bool
    bottom: float

    @classmethod
    def of(cls, kind: _Kind, geometries: Sequence[Geometry], n_models: int) -> _Scale:
        bottom = max(BOTTOM, TOP + NAME_DISTANCE * n_models)
        if kind.limits:
            return cls(low=kind.limits[0], high=kind.limits[1], logarithmic=kind.logarithmic, bottom=bottom)
        arrays = [kind.values(geometry) for geometry in geometries]
        for pick in (kind.interval, kind.chance):
            for geometry in geometries:
                found = pick(geometry) if pick else ()
                arrays.extend(found if isinstance(found, tuple) else (found,))
        known = np.concatenate(arrays)
        known = known[np.isfinite(known) & ((known > 0) | (not kind.logarithmic))]
        if not len(known):
            return cls(low=1.0, high=10.0, logarithmic=kind.logarithmic, bottom=bottom)
        low, high = float(known.min()), float(known.max())
        if kind.logarithmic:
            low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
            return cls(low=low, high=high if high > low else 10 * low, logarithmic=True, bottom=bottom)
        step = 0.2 if high - min(low, 0) > 0.4 else 0.1
        low = min(math.floor(low / step) * step, 0.0)
        high = math.ceil(high / step) * step
        return cls(low=low, high=high if high > low else low + step, logarithmic=False, bottom=bottom)

    def heights(self, values: np.ndarray) -> np.ndarray:
        exact = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        if self.logarithmic:
            exact = np.log10(np.where(exact > 0, exact, np.nan))
            low, high = math.log10(low), math.log10(high)
        share = (np.clip(exact, low, high) - low) / (high - low)
        return np.asarray(self.bottom - share * (self.bottom - TOP))

    def marks(self) -> tuple[Mark, ...]:
        if self.logarithmic:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            step = max(1, math.ceil((last - first) / 4))
            values = [10.0**power for power in range(first, last + 1, step)]
            texts = [f"{value:,.0f}" if value >= 1 else f"{value:g}" for value in values]
        else:
            span = self.high - self.low
            step_size = next(size for size in (0.1, 0.2, 0.5, 1.0, 2.0) if span / size <= 5.001)
            first, last = math.ceil(self.low / step_size - 1e-9), math.floor(self.high / step_size + 1e-9)
            values = [index * step_size for index in range(first, last + 1)]
            texts = [f"{value:.1f}".replace("-", "−") for value in values]
        return tuple(
            Mark(x=_number(LEFT - 6), y=_number(y), text=text)
            for y, text in zip(self.heights(np.array(values)), texts, strict=True)
        )


def _chart(kind: _Kind, scale: _Scale, models: list[ModelReport], name: str, label: str) -> Chart | None:
    drawn = [
        (index, model, context, context.geometry)
        for index, model in enumerate(models)
        for context in model.contexts
        if context.states.context.name == name and context.geometry
    ]
    if not drawn:
        return None
    ends = [_end(scale.heights(kind.values(geometry))) for _, _, _, geometry in drawn]
    places = _spread(ends, TOP, scale.bottom)
    curves = tuple(
        _curve(kind, scale, index, _short(index, model, len(models)), geometry, end, at)
        for (index, model, _, geometry), end, at in zip(drawn, ends, places, strict=True)
    )
    chance = None
    if kind.chance:
        known = np.concatenate([kind.chance(geometry) for *_, geometry in drawn])
        known = known[np.isfinite(known)]
        chance = _number(float(scale.heights(np.array([known.mean()]))[0])) if len(known) else None
    told = "; ".join(_told(kind, model, context, kind.values(geometry)) for _, model, context, geometry in drawn)
    ticks = ((0.0, "embedding"), (0.5, "50 %"), (1.0, "last layer"))
    return Chart(
        heading=label,
        alt=f"{kind.name} over relative depth, words {label}. {told}.",
        width=_number(WIDTH),
        height=_number(scale.bottom + HEIGHT - BOTTOM),
        left=_number(LEFT),
        right=_number(RIGHT),
        top=_number(TOP),
        bottom=_number(scale.bottom),
        x_marks=tuple(
            Mark(x=_number(LEFT + share * (RIGHT - LEFT)), y=_number(scale.bottom), text=text) for share, text in ticks
        ),
        y_marks=scale.marks(),
        chance=chance,
        curves=curves,
    )


def _curve(
    kind: _Kind, scale: _Scale, index: int, name: str, geometry: Geometry, end: float | None, at: float | None
) -> Curve:
    values = kind.values(geometry)
    x = [LEFT + (RIGHT - LEFT) * share for share in np.linspace(0, 1, len(values))]
    band = None
    if kind.interval:
        low, high = (scale.heights(bound) for bound in kind.interval(geometry))
        known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        if len(known) > 1:
            there = [f"{x[depth]:.1f} {high[depth]:.1f}" for depth in known]
            back = [f"{x[depth]:.1f} {low[depth]:.1f}" for depth in known[::-1]]
            band = f"M{'L'.join(there + back)}Z"
    mark = leader = None
    if end is not None and at is not None:
        mark = Mark(x=_number(RIGHT + 16), y=_number(at + 4), text=name)
        leader = f"M{RIGHT + 2:.1f} {end:.1f}L{RIGHT + 13:.1f} {at:.1f}"
    return Curve(
        style=_style(index)[0],
        dash=_style(index)[1],
        line=path(x, list(scale.heights(values))),
        band=band,
        end=mark,
        leader=leader,
    )


def _end(heights: np.ndarray) -> float | None:
    known = heights[np.isfinite(heights)]
    return float(known[-1]) if len(known) else None


def _spread(ends: list[float | None], top: float, bottom: float) -> list[float | None]:
    """Where the names stand: at their curves' ends, moved apart as little as keeps them legible."""
    order = sorted((end, index) for index, end in enumerate(ends) if end is not None)
    places: list[float | None] = [None] * len(ends)
    at = top - NAME_DISTANCE
    laid = []
    for end, _ in order:
        at = max(end, at + NAME_DISTANCE)
        laid.append(at)
    limit = bottom
    for position in range(len(laid) - 1, -1, -1):
        laid[position] = min(laid[position], limit)
        limit = laid[position] - NAME_DISTANCE
    for (_, index), place in zip(order, laid, strict=True):
        places[index] = place
    return places


def _short(index: int, model: ModelReport, n_models: int) -> str:
    if n_models > MOST_NAMES:
        return str(index + 1)
    return model.name if len(model.name) <= LONGEST_NAME else f"{model.name[: LONGEST_NAME - 1].rstrip('-_ ')}…"


def _told(kind: _Kind, model: ModelReport, context: ContextReport, values: np.ndarray) -> str:
    """A curve in words: where it begins and ends, its least and greatest."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return f"{model.display_name}: not defined"

    def at(depth: int) -> str:
        return f"{values[depth]:,.{kind.digits}f} at {depth_name(int(depth))}"

    first, last = known[0], known[-1]
    least, most = known[np.argmin(values[known])], known[np.argmax(values[known])]
    return f"{model.display_name}: {at(first)}, {at(last)}; least {at(least)}, most {at(most)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
