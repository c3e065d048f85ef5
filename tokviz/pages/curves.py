"""Small multiples: one measure over depth each, all contexts of a model overlaid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tokviz.pages.axis import Band, log_range, logarithms, path
from tokviz.pages.wording import NBSP, joined, percent, rounded, score
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport, depth_name


@dataclass(frozen=True, kw_only=True)
class Line:
    """A context on a curve; coordinates are units of the drawing."""

    style: str
    """``1`` to ``4``: dashes and colour."""
    line: str
    interval: str | None
    """A closed path."""
    label: str
    label_y: str


@dataclass(frozen=True, kw_only=True)
class Level:
    """A horizontal line of a curve: a value of the axis, chance, or a threshold."""

    label: str
    y: str
    text_y: str
    dotted: bool


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One measure over depth, all contexts."""

    title: str
    caption: str
    alt: str
    """What the lines say, in words."""
    bands: tuple[Band, ...]
    mark_x: str | None
    """Where massive activations emerge in the first context that has them."""
    levels: tuple[Level, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    note: str
    first: str
    """What the left end of every axis is called, and the right one."""
    last: str
    figures: tuple[Curve, ...]


LEFT, RIGHT, TOP, BOTTOM = 36.0, 256.0, 10.0, 122.0
"""The plot inside a drawing of 340 × 146; labels stand to its right."""
N_STYLES = 4
LABEL_HEIGHT = 13.0
LONGEST_LABEL = 14


@dataclass(frozen=True, kw_only=True)
class _Measure:
    title: str
    caption: str
    pick: Callable[[ContextReport, Geometry], np.ndarray | CategoryMeasure | None]
    write: Callable[[float], str] = score
    limits: tuple[float, float] | None = (0.0, 1.0)
    """None: from 0 to what is reached."""
    is_log: bool = False
    thresholds: tuple[float, ...] = ()


MEASURES = (
    _Measure(
        title="Neighbours of the same category, all dimensions",
        caption="Share of each word’s five nearest, by cosine; dotted: chance.",
        pick=lambda _, geometry: geometry.purity,
    ),
    _Measure(
        title="Neighbours of the same category, in the picture",
        caption="Where this is lower than beside it, the plate hides an order that is there.",
        pick=lambda _, geometry: geometry.pictures[0].purity if geometry.pictures else None,
    ),
    _Measure(
        title="Silhouette",
        caption="Above 0 words are nearer to their own category than to the next.",
        pick=lambda _, geometry: geometry.silhouette,
        limits=(-0.3, 0.3),
    ),
    _Measure(
        title="Effective rank",
        caption="How many directions the words really use.",
        pick=lambda _, geometry: geometry.spread.effective_rank,
        write=rounded,
        limits=None,
    ),
    _Measure(
        title="Mean norm",
        caption="The length of the words’ states; each step up the axis multiplies.",
        pick=lambda _, geometry: geometry.spread.mean_norm,
        write=rounded,
        is_log=True,
    ),
    _Measure(
        title="Mean cosine",
        caption="Near 1, all words point the same way.",
        pick=lambda _, geometry: geometry.spread.mean_cosine,
    ),
    _Measure(
        title="PC1’s share of the variance",
        caption="In the plates of the first projection. High, and the picture is nearly a line.",
        pick=lambda context, _: (
            context.projections[0].projection.explained_variance_ratio[:, 0] if context.projections else None
        ),
        write=percent,
    ),
    _Measure(
        title="Largest value against the ordinary",
        caption="Largest |x| over an ordinary token’s median; dotted: lesser (300 ×), massive (1,000 ×).",
        pick=lambda _, geometry: geometry.massive.ratio,
        write=lambda value: f"{rounded(value)}{NBSP}×",
        is_log=True,
        thresholds=(300.0, 1000.0),
    ),
    _Measure(
        title="Change from the depth before",
        caption="1 − CKA: 0 where the words keep their arrangement, 1 where nothing is left of it.",
        pick=lambda _, geometry: 1 - geometry.change.cka,
    ),
)


def curves(model: ModelReport) -> Curves | None:
    """Of the contexts that have been measured; None when none has."""
    measured = [(context, context.geometry) for context in model.contexts if context.geometry is not None]
    if not measured:
        return None
    named = [(context.states.context.label, geometry) for context, geometry in measured]
    figures = [
        _curve(measure, named, [measure.pick(context, geometry) for context, geometry in measured])
        for measure in MEASURES
    ]
    shading = f"Shaded: the stages of the words {named[0][0]}. " if len(named) > 1 else "Shaded: the stages. "
    return Curves(
        note=f"{shading}The upright line marks where massive activations emerge; soft bands are 95{NBSP}% intervals.",
        first=depth_name(0),
        last=depth_name(len(named[0][1].purity.value) - 1),
        figures=tuple(figure for figure in figures if figure is not None),
    )


def _curve(
    measure: _Measure,
    named: Sequence[tuple[str, Geometry]],
    picked: Sequence[np.ndarray | CategoryMeasure | None],
) -> Curve | None:
    several = len(named) > 1
    shown = [(label, values) for (label, _), values in zip(named, picked, strict=True) if values is not None]
    values = [each.value if isinstance(each, CategoryMeasure) else each for _, each in shown]
    if not values or not any(np.isfinite(each).any() for each in values):
        return None
    low, high = _limits(measure, values, picked)
    last = len(values[0]) - 1

    def y(value: np.ndarray | float) -> np.ndarray:
        scaled = logarithms(np.asarray(value)) if measure.is_log else np.asarray(value)
        return np.asarray(BOTTOM - (BOTTOM - TOP) * (np.clip(scaled, low, high) - low) / (high - low))

    x = [_x(depth, last) for depth in range(last + 1)]
    ends = _spread_out([_last_finite(y(each)) for each in values])
    lines = tuple(
        Line(
            style=f"{index % N_STYLES + 1}",
            line=path(x, y(each).tolist()),
            interval=_interval(x, y(own.low), y(own.high)) if isinstance(own, CategoryMeasure) else None,
            label=_short(label) if several else "",
            label_y=f"{end + 4:.1f}",
        )
        for index, ((label, own), each, end) in enumerate(zip(shown, values, ends, strict=True))
    )
    first = named[0][1]
    emerged = next((g.massive.emergence_depth for _, g in named if g.massive.emergence_depth is not None), None)
    return Curve(
        title=measure.title,
        caption=measure.caption,
        alt=f"{measure.title}. "
        + " ".join(_finding(measure, label, each) for (label, _), each in zip(shown, values, strict=True)),
        bands=_bands(first, last),
        mark_x=None if emerged is None else f"{_x(emerged, last):.1f}",
        levels=_levels(measure, low, high, y, [each for _, each in shown]),
        lines=lines,
    )


def _x(depth: float, last: int) -> float:
    return LEFT + (RIGHT - LEFT) * depth / last


def _limits(
    measure: _Measure, values: Sequence[np.ndarray], picked: Sequence[np.ndarray | CategoryMeasure | None]
) -> tuple[float, float]:
    if measure.is_log:
        return log_range([*values, *(np.array([threshold]) for threshold in measure.thresholds)])
    finite = np.concatenate(values)
    finite = finite[np.isfinite(finite)]
    if measure.limits is None:
        return 0.0, float(finite.max()) * 1.05 or 1.0
    bounds = [finite, *(each for own in picked if isinstance(own, CategoryMeasure) for each in (own.low, own.high))]
    reached = np.concatenate(bounds)
    reached = reached[np.isfinite(reached)]
    return min(measure.limits[0], float(reached.min())), max(measure.limits[1], float(reached.max()))


def _levels(
    measure: _Measure,
    low: float,
    high: float,
    y: Callable[[np.ndarray | float], np.ndarray],
    shown: Sequence[np.ndarray | CategoryMeasure | None],
) -> tuple[Level, ...]:
    def level(value: float, label: str, *, dotted: bool) -> Level:
        at = float(y(value))
        return Level(label=label, y=f"{at:.1f}", text_y=f"{at + 4:.1f}", dotted=dotted)

    if measure.is_log:
        step = max(1, round((high - low) / 3))
        exponents = range(int(np.ceil(low)), int(np.floor(high)) + 1, step)
        levels = [level(10.0**exponent, _power(exponent), dotted=False) for exponent in exponents]
    else:
        middle = 0.0 if low < 0 else (low + high) / 2
        levels = [level(value, _tidy(value), dotted=False) for value in (low, middle, high)]
    levels += [level(threshold, "", dotted=True) for threshold in measure.thresholds]
    first = shown[0]
    if isinstance(first, CategoryMeasure) and np.isfinite(first.null_mean).any():
        levels.append(level(float(np.nanmean(first.null_mean)), "", dotted=True))
    return tuple(levels)


def _power(exponent: int) -> str:
    return (
        f"{10**exponent:,}"
        if 0 <= exponent <= 4
        else f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(d)] if d.isdigit() else '⁻' for d in str(exponent))}"
    )


def _tidy(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}".replace("-", "−")


def _interval(x: Sequence[float], low: np.ndarray, high: np.ndarray) -> str | None:
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return None
    rows = np.flatnonzero(known).tolist()
    outline = [(x[row], high[row]) for row in rows] + [(x[row], low[row]) for row in reversed(rows)]
    return "M" + "L".join(f"{left:.1f} {top:.1f}" for left, top in outline) + "Z"


def _bands(geometry: Geometry, last: int) -> tuple[Band, ...]:
    bands = []
    for index, stage in enumerate(geometry.stages):
        left = max(_x(stage.first_depth - 0.5, last), LEFT)
        right = min(_x(stage.last_depth + 0.5, last), RIGHT)
        bands.append(Band(name="", left=f"{left:.1f}", width=f"{right - left:.1f}", shaded=index % 2 == 0))
    return tuple(bands)


def _last_finite(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else BOTTOM


def _spread_out(wanted: Sequence[float]) -> list[float]:
    """The same heights, moved apart until labels don't touch."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + LABEL_HEIGHT)
    surplus = max((placed[order[-1]] - BOTTOM) if order else 0.0, 0.0)
    return [max(each - surplus, TOP) if len(order) == 1 else each - surplus for each in placed]


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _finding(measure: _Measure, label: str, values: np.ndarray) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return f"{_capital(label)}: not defined."
    lowest, highest = (int(pick(values)) for pick in (np.nanargmin, np.nanargmax))
    parts = [
        f"{measure.write(values[depth])} at {_the(depth)}" for depth in dict.fromkeys((int(known[0]), int(known[-1])))
    ]
    extremes = [
        f"{name} {measure.write(values[depth])} at {_the(depth)}"
        for name, depth in (("lowest", lowest), ("highest", highest))
        if depth not in (known[0], known[-1])
    ]
    return f"{_capital(label)}: {joined([*parts, *extremes])}."


def _the(depth: int) -> str:
    return "the embedding" if depth == 0 else depth_name(depth)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
