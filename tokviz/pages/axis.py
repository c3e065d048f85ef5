"""Where a depth stands on a strip, a ruler or a curve, and lines over depth as SVG paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.parts import Picture
from tokviz.records import Geometry


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A depth on the ruler. Lengths are percentages of the ruler's width, as a strip's panels have them."""

    name: str
    """``layer 11``."""
    href: str
    x: str
    left: str
    width: str
    label: str | None
    """None on small ticks."""
    label_x: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stage: on a ruler in percent of its width, on a curve in units of its drawing."""

    name: str
    """``2``; empty where the band is too narrow for it."""
    left: str
    width: str
    shaded: bool
    """Every other one."""


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A hairline over the ruler, as SVG paths in a drawing of 1000 × 100."""

    name: str
    line: str
    chance: str | None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The layer at which massive activations emerge."""

    text: str
    x: str
    label_x: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What stands between a ruler's strip and its axis once a context has been measured."""

    bands: tuple[Band, ...]
    sparks: tuple[Spark, ...]
    mark: Mark | None


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """The depth axis; it is also the carousel's slider."""

    label: str
    ticks: tuple[Tick, ...]
    strip: Picture | None
    start: str
    end: str
    """Where the axis begins and ends, in percent of the width."""
    last: int
    """The slider's greatest value."""
    measured: Measured | None = None


AXIS_START, AXIS_LENGTH = 4.4, 91.2
"""In percent of a strip's width: where the embedding's panel has its centre, and how far the last layer's is from it."""

SPARK_WIDTH, SPARK_HEIGHT = 1000.0, 100.0
NARROWEST_NAMED = 2.0
"""In percent: a narrower band has no space for its numeral on a phone."""
MARK_FLIPS = 72.0
"""From here on, in percent, the mark's text stands left of it."""


def place(depth: float, last: int) -> float:
    """In percent of the ruler's width."""
    return AXIS_START + AXIS_LENGTH * depth / last


def length(percentage: float) -> str:
    """A CSS percentage."""
    return f"{percentage:.3f}%"


def path(x: Sequence[float], y: Sequence[float]) -> str:
    """A line through the points; NaN breaks it. A point between two gaps is a dot."""
    parts, pen_down = [], False
    for left, top in zip(x, y, strict=True):
        if not np.isfinite(top):
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{left:.1f} {top:.1f}")
        if not pen_down:
            parts.append("h.1")
        pen_down = True
    return "".join(parts)


def logarithms(values: np.ndarray) -> np.ndarray:
    """log10, NaN where that isn't defined."""
    positive = np.where(values > 0, values, np.nan)
    return np.asarray(np.log10(positive))


def log_range(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    """Of positive values, as powers of ten; a decade at least, so that a wiggle looks like one."""
    values = np.concatenate([logarithms(array) for array in arrays])
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    missing = max(1.0 - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


def measured(geometry: Geometry, everywhere: Sequence[Geometry]) -> Measured:
    """Bands, sparklines and mark of one context's ruler.

    Parameters
    ----------
    everywhere : of all the model's contexts: norms have one scale, so that their rulers compare.
    """
    last = len(geometry.purity.value) - 1
    scale = log_range([each.spread.mean_norm for each in everywhere])
    sparks = (
        Spark(
            name="purity",
            line=_spark(geometry.purity.value, 0.0, 1.0),
            chance=_spark(geometry.purity.null_mean, 0.0, 1.0),
        ),
        Spark(name="norm", line=_spark(logarithms(geometry.spread.mean_norm), *scale), chance=None),
    )
    return Measured(bands=_bands(geometry, last), sparks=sparks, mark=_mark(geometry, last))


def _spark(values: np.ndarray, low: float, high: float) -> str:
    last = len(values) - 1
    x = [SPARK_WIDTH * place(depth, last) / 100 for depth in range(last + 1)]
    return path(x, [SPARK_HEIGHT * (1 - (value - low) / (high - low)) for value in values])


def _bands(geometry: Geometry, last: int) -> tuple[Band, ...]:
    bands = []
    for index, stage in enumerate(geometry.stages):
        # A depth's band reaches half-way to its neighbours; at the ends as far as the strip's panels do.
        left = max(place(stage.first_depth - 0.5, last), 0.0)
        right = min(place(stage.last_depth + 0.5, last), 100.0)
        name = f"{index + 1}" if right - left >= NARROWEST_NAMED or len(geometry.stages) <= 1 else ""
        bands.append(Band(name=name, left=length(left), width=length(right - left), shaded=index % 2 == 0))
    return tuple(bands)


def _mark(geometry: Geometry, last: int) -> Mark | None:
    depth = geometry.massive.emergence_depth
    if depth is None:
        return None
    x = place(depth, last)
    flips = x > MARK_FLIPS
    return Mark(
        text=f"massive from layer {depth - 1}" if depth else "massive from the embedding",
        x=length(x),
        label_x=length(x - 0.8 if flips else x + 0.8),
        anchor="end" if flips else "start",
    )
