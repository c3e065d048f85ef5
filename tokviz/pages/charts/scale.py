"""Where values, and the names at the ends of curves, stand in a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.pages.charts.axis import logarithms
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.text.wording import power_of_ten

MOST_STEPS = 5
"""Between the labelled values of an axis."""
ROUNDING = 1e-9
"""In steps: a value this far beyond a labelled one is that one."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A vertical axis from one labelled value to another; on a logarithmic one, all three numbers are decades."""

    low: float
    high: float
    step: float
    is_log: bool

    @classmethod
    def of(cls, measure: Measure, readings: Sequence[Reading]) -> Scale:
        """As long as the values, their intervals, chance and what the measure spans require."""
        arrays = [np.array(measure.spans)]
        for reading in readings:
            arrays += [reading.values, np.array([*reading.thresholds, reading.surface])]
            arrays += [*(reading.interval or ()), *(reading.templates or ())]
            arrays += [each for each in (reading.chance, reading.raw) if each is not None]
        known = np.concatenate([logarithms(each) if measure.is_log else each for each in arrays])
        known = known[np.isfinite(known)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        unit = 1.0 if measure.is_log else _step(high - low)
        low = math.floor(low / unit + ROUNDING) * unit
        high = max(math.ceil(high / unit - ROUNDING) * unit, low + unit)
        step = float(max(math.ceil((high - low) / MOST_STEPS), 1)) if measure.is_log else unit
        return cls(low=low, high=high, step=step, is_log=measure.is_log)

    def shares(self, values: np.ndarray) -> np.ndarray:
        """How far up the axis values stand, 0 to 1; NaN where they aren't defined."""
        placed = logarithms(values) if self.is_log else values
        return np.asarray((placed - self.low) / (self.high - self.low))

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """The labelled values: how far up the axis each stands, and its text."""
        n_steps = math.floor((self.high - self.low) / self.step + ROUNDING)
        values = [self.low + index * self.step for index in range(n_steps + 1)]
        return tuple(
            ((value - self.low) / (self.high - self.low), _power(round(value)) if self.is_log else self._decimal(value))
            for value in values
        )

    def _decimal(self, value: float) -> str:
        digits = max(-math.floor(math.log10(self.step) + ROUNDING), 0)
        # Adding 0 makes a negative zero a plain one.
        return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def _step(span: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that divides a span into few enough steps; 1 without a span."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / MOST_STEPS))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= MOST_STEPS + ROUNDING)


def _power(exponent: int) -> str:
    """``0.01``, ``1``, ``10,000``, ``10⁵``."""
    if -2 <= exponent <= 4:
        return f"{10.0**exponent:,g}" if exponent < 0 else f"{10**exponent:,}"
    return power_of_ten(exponent)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things stand in the charts of a page."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    name_at: float
    """Distance of a name from the end of its curve."""
    has_leaders: bool
    longest_name: int
    n_styles: int

    def with_room_for(self, n_names: int) -> Layout:
        """As much taller as that many names under each other need."""
        missing = max(self.top + NAME_GAP * (n_names - 1) - self.bottom, 0.0)
        return replace(self, bottom=self.bottom + missing, height=self.height + missing)

    def x(self, share: float) -> float:
        return self.left + (self.right - self.left) * share

    def y(self, shares: np.ndarray) -> np.ndarray:
        return np.asarray(self.bottom - (self.bottom - self.top) * shares)

    def style(self, index: int) -> tuple[str, str]:
        """Colour and dash pattern: no two alike among as many as the number of styles squared."""
        return str(index % self.n_styles), str((index + index // self.n_styles) % self.n_styles)

    def short(self, name: str) -> str:
        if len(name) <= self.longest_name:
            return name
        return f"{name[: self.longest_name - 1].rstrip('-_ ')}…"


NAME_GAP = 13.0
"""Between the baselines of two names."""
OF_A_MODEL = Layout(
    width=340, height=146, left=36, right=256, top=10, bottom=122,
    name_at=6, has_leaders=False, longest_name=14, n_styles=4,
)  # fmt: skip
OF_ALL_MODELS = Layout(
    width=400, height=200, left=40, right=270, top=10, bottom=170,
    name_at=16, has_leaders=True, longest_name=17, n_styles=8,
)  # fmt: skip


def spread_out(wanted: Sequence[float], *, gap: float, top: float, bottom: float) -> list[float]:
    """Heights for labels that must not touch: the wanted ones, where they leave space.

    Labels in each other's way move as little as possible (least sum of squares, by pooling adjacent violators); the
    others stay exactly where they are. The order stays too. Where the labels don't fit between ``top`` and ``bottom``,
    the gap is as much smaller as it must be.
    """
    if not wanted:
        return []
    gap = min(gap, (bottom - top) / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    pools: list[tuple[float, int]] = []
    for index in order:
        pools.append((wanted[index], 1))
        while len(pools) > 1 and pools[-1][0] < pools[-2][0] + gap * pools[-2][1]:
            (first, n_first), (second, n_second) = pools[-2:]
            # The height of the joint pool's first label; the second pool's labels stand n_first gaps below.
            pools[-2:] = [
                ((first * n_first + (second - gap * n_first) * n_second) / (n_first + n_second), n_first + n_second)
            ]
    heights = [first + gap * rank for first, n_labels in pools for rank in range(n_labels)]
    placed = [0.0] * len(wanted)
    for rank, (index, height) in enumerate(zip(order, heights, strict=True)):
        lowest = bottom - gap * (len(wanted) - 1 - rank)
        placed[index] = min(max(height, top + gap * rank), lowest)
    return placed
