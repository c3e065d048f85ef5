"""Where a depth stands on a strip, a ruler or a curve, and lines over depth as SVG paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np

from tokviz.pages.text.findings import norm_jump
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.wording import NBSP, number
from tokviz.records import Geometry, depth_name


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
    tight: bool
    """Whether its number would touch the names of the ends on a phone."""


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
    area: str | None = None
    """From the line to the bottom."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The layer at which something breaks."""

    text: str
    """``massive from layer 11``."""
    numbers: str
    """What the mean norm is before and at it, ``156 → 24,621``; empty where that isn't known."""
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
    """The depth axis, under the strip of all depths; it is also the carousel's slider."""

    strip: Picture | None
    last: int
    """The slider's greatest value."""
    ticks: tuple[Tick, ...] = ()
    measured: Measured | None = None
    slides: str | None = None
    """Of a ruler without ticks, to which a script adds them and a link per depth: a slide's address, up to the depth."""

    @property
    def start(self) -> str:
        """Where the axis begins, in percent of the width."""
        return length(place(0, 1))

    @property
    def end(self) -> str:
        """Where it ends."""
        return length(place(1, 1))

    @property
    def last_name(self) -> str:
        """``layer 29``."""
        return depth_name(self.last)


@dataclass(frozen=True, kw_only=True)
class RulerGeometry:
    """Where things stand on every ruler, in percent of its width; styles and scripts read it from the page."""

    axis_start: float = 4.4
    """Where the embedding's panel of a strip has its centre."""
    axis_length: float = 91.2
    """How far the last layer's centre is from it."""
    labels_from: float = 18.0
    labels_to: float = 84.0
    """Between these a number on the axis doesn't touch ``embedding`` or ``layer 29``."""
    loose_from: float = 26.0
    loose_to: float = 76.0
    """Between these it doesn't touch them on a phone, either."""
    most_labels: int = 7
    """Of numbers on the axis; a count."""
    narrowest_band: float = 2.0
    """A narrower band has no space for its numeral on a phone."""
    mark_flip: float = 72.0
    """From here on the mark's text stands left of it."""
    mark_gap: float = 0.8
    """Between the mark and its text."""
    mark_from: float = 14.0
    """Left of this its text would touch the name of a curve on a phone."""

    def style(self) -> str:
        """The geometry as CSS variables of the root element."""
        units = {"most_labels": ""}
        variables = [
            f"--{field.name.replace('_', '-')}:{getattr(self, field.name):g}{units.get(field.name, '%')}"
            for field in fields(self)
        ]
        return f":root{{{';'.join(variables)}}}"


RULER = RulerGeometry()
SPARK_WIDTH, SPARK_HEIGHT = 1000.0, 100.0
LABEL_STEPS = (1, 2, 5, 10, 20, 50, 100)
WIDEST_LABEL_STEP = 1000


def place(depth: float, last: int) -> float:
    """In percent of the ruler's width; a single depth, ``last`` 0, stands where the embedding does."""
    return RULER.axis_start + RULER.axis_length * relative_depth(depth, last)


def relative_depth(depth: float, last: int) -> float:
    """A depth from 0 to 1, the last one; 0 for a single depth."""
    return depth / max(last, 1)


def ticks(hrefs: Sequence[str]) -> tuple[Tick, ...]:
    """One per depth, whose slides the addresses lead to; both ends are named, and between them as many depths as fit."""
    last = len(hrefs) - 1
    return tuple(_tick(depth, last, href) for depth, href in enumerate(hrefs))


def _tick(depth: int, last: int, href: str) -> Tick:
    name, x, width = depth_name(depth), place(depth, last), RULER.axis_length / max(last, 1)
    left, right = max(x - width / 2, 0.0), min(x + width / 2, 100.0)
    label, label_x, anchor = str(depth - 1) if has_number(depth, last) else None, x, "middle"
    if depth == 0:
        label, label_x, anchor = name, 0.0, "start"
    elif depth == last:
        label, label_x, anchor = name, 100.0, "end"
    return Tick(
        name=name,
        href=href,
        x=length(x),
        left=length(left),
        width=length(right - left),
        label=label,
        label_x=length(label_x),
        anchor=anchor,
        tight=anchor == "middle" and not RULER.loose_from <= x <= RULER.loose_to,
    )


def ends(last: int) -> tuple[tuple[float, str], ...]:
    """What a model's charts name: the relative depth and the name of the first depth and of the last."""
    return tuple((relative_depth(depth, last), depth_name(depth)) for depth in sorted({0, last}))


def relative_depths(end: str) -> tuple[tuple[float, str], ...]:
    """What charts of models of any depth name; ``end``: the last depth."""
    return ((0.0, depth_name(0)), (0.5, f"50{NBSP}%"), (1.0, end))


def has_number(depth: int, last: int) -> bool:
    """Whether a depth between the two ends has its number on the axis."""
    step = next((step for step in LABEL_STEPS if last / step <= RULER.most_labels), WIDEST_LABEL_STEP)
    return (depth - 1) % step == 0 and RULER.labels_from <= place(depth, last) <= RULER.labels_to


def length(percentage: float) -> str:
    """A CSS percentage."""
    return f"{percentage:.3f}%"


def coordinate(value: float) -> str:
    """In a drawing: to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def path(x: Sequence[float], y: Sequence[float]) -> str:
    """A line through the points; NaN breaks it. A point between two gaps is a dot."""
    parts, pieces = [], [list[tuple[float, float]]()]
    for left, top in zip(x, y, strict=True):
        if np.isfinite(top):
            pieces[-1].append((left, top))
        else:
            pieces.append([])
    for piece in filter(None, pieces):
        (left, top), *others = piece
        parts.append(line([(left, top), (left + 0.1, top), *others]))
    return "".join(parts)


def strokes(x: Sequence[float], low: np.ndarray, high: np.ndarray) -> str:
    """A vertical stroke at each place, from one height to another; none where they are alike."""
    both = zip(x, low.tolist(), high.tolist(), strict=True)
    known = ((left, top, bottom) for left, top, bottom in both if abs(top - bottom) >= 0.1)
    return "".join(
        f"M{_tenths(round(10 * left))} {_tenths(round(10 * top))}V{_tenths(round(10 * bottom))}"
        for left, top, bottom in known
    )


def line(points: Sequence[tuple[float, float]]) -> str:
    """Path data in tenths of a pixel, from point to point: half as long as with their places, and there are many."""
    (x, y), *others = [(round(10 * left), round(10 * top)) for left, top in points]
    parts = [f"M{_tenths(x)} {_tenths(y)}"]
    for left, top in others:
        across, down = _tenths(left - x), _tenths(top - y)
        parts.append(f"h{across}" if top == y else f"l{across}{'' if top < y else ' '}{down}")
        x, y = left, top
    return "".join(parts)


def _tenths(value: int) -> str:
    """``12``, ``.5``, ``-1.5``."""
    whole, tenth = divmod(abs(value), 10)
    return f"{'-' if value < 0 else ''}{whole or ('' if tenth else 0)}{f'.{tenth}' if tenth else ''}"


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
    everywhere : of all the model's captures: norms have one scale, so that their rulers compare.
    """
    last = len(geometry.purity.value) - 1
    scale = log_range([each.spread.mean_norm for each in everywhere])
    sparks = (
        Spark(
            name="purity" if np.isfinite(geometry.purity.value).any() else "purity not defined",
            line=_spark(geometry.purity.value, 0.0, 1.0),
            chance=_spark(geometry.purity.null_mean, 0.0, 1.0),
        ),
        Spark(
            name=norm_name(geometry),
            line=_spark(logarithms(geometry.spread.mean_norm), *scale),
            chance=None,
            area=_area(logarithms(geometry.spread.mean_norm), *scale),
        ),
    )
    return Measured(bands=_bands(geometry, last), sparks=sparks, mark=_mark(geometry, last))


def _spark(values: np.ndarray, low: float, high: float) -> str:
    return path(*_points(values, low, high))


def _area(values: np.ndarray, low: float, high: float) -> str:
    """Of each run of defined values a polygon of its own."""
    x, y = _points(values, low, high)
    known = np.isfinite(values).tolist()
    parts = []
    for is_known, run in groupby(range(len(x)), key=lambda depth: known[depth]):
        if is_known:
            depths = list(run)
            ends = ((x[depths[0]], SPARK_HEIGHT), (x[depths[-1]], SPARK_HEIGHT))
            parts.append(line([ends[0], *((x[depth], y[depth]) for depth in depths), ends[1]]) + "Z")
    return "".join(parts)


def _points(values: np.ndarray, low: float, high: float) -> tuple[list[float], list[float]]:
    last = len(values) - 1
    x = [SPARK_WIDTH * place(depth, last) / 100 for depth in range(last + 1)]
    return x, [SPARK_HEIGHT * (1 - float(value - low) / (high - low)) for value in values]


def norm_name(geometry: Geometry) -> str:
    """``norm``; where nothing is marked, with its first and its last value: ``norm 3.1 → 41``."""
    norms = geometry.spread.mean_norm
    return "norm" if mark_of(geometry) else f"norm {_from_to(norms[0], norms[-1])}".rstrip()


def mark_of(geometry: Geometry) -> tuple[int, str, str] | None:
    """What is marked on a ruler: its depth, what it is, and the mean norm before and at it.

    Where massive activations emerge, else where the mean norm jumps.
    """
    depth, norms = geometry.massive.emergence_depth, geometry.spread.mean_norm
    if depth is not None:
        text = f"massive from layer {depth - 1}" if depth else "massive from the embedding"
        return depth, text, _from_to(norms[depth - 1], norms[depth]) if depth else ""
    jump = norm_jump(geometry)
    return None if jump is None else (jump, f"norm jumps at layer {jump - 1}", _from_to(norms[jump - 1], norms[jump]))


def _from_to(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}" if math.isfinite(before) and math.isfinite(after) else ""


def _bands(geometry: Geometry, last: int) -> tuple[Band, ...]:
    bands = []
    for index, stage in enumerate(geometry.stages):
        # A depth's band reaches half-way to its neighbours; at the ends as far as the strip's panels do.
        left = max(place(stage.first_depth - 0.5, last), 0.0)
        right = min(place(stage.last_depth + 0.5, last), 100.0)
        name = f"{index + 1}" if right - left >= RULER.narrowest_band or len(geometry.stages) <= 1 else ""
        bands.append(Band(name=name, left=length(left), width=length(right - left), shaded=index % 2 == 0))
    return tuple(bands)


def _mark(geometry: Geometry, last: int) -> Mark | None:
    found = mark_of(geometry)
    if found is None:
        return None
    depth, text, numbers = found
    x = place(depth, last)
    flips = x > RULER.mark_flip
    return Mark(
        text=text,
        numbers=numbers,
        x=length(x),
        label_x=length(x - RULER.mark_gap if flips else max(x + RULER.mark_gap, RULER.mark_from)),
        anchor="end" if flips else "start",
    )
