"""How a picture's axes lie: plates, strips and the explorer have the same ones.

Both axes of a plot have one scale, so that distances in it are distances in its plane. Where the words' span along one axis
is very short, the plot is divided: the true plot as a band, and the same words with the short axis magnified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

MANY_WORDS = 3000
"""Above so many words a picture shows their density, and the outermost don't set its axes."""
OUTLYING = 0.001
"""Share of many words, at either end of an axis, that don't set its limits: among thousands some lie far off."""
MARGINS = (0.06, 0.05)
"""Of the words' span, kept free at either end of PC1 and of PC2."""
DIVIDED_BELOW = 0.25
"""A plot is divided where its shorter span is less than this share of the longer one."""
BAND = 0.25
"""Share of a divided plot's height that its band takes, with the gap below it; of its width where PC1 is the short axis."""
LEAST_FACTOR = 1.05
"""An axis that is drawn less magnified than that is called so nowhere: its factor would be ×1.0."""
ROUNDING = 1e-9
"""A span of less than this share of the largest value is none."""
ON_A_LINE = 1e-6
"""A span of less than this share of the other axis's is none: of states on a line, in float32, so much is left by rounding."""

Limits = tuple[float, float]
Aspect = Literal["equal", "fill"]
"""Both axes on one scale, or each fitted to the plot."""


def extents(coordinates: np.ndarray, reference: np.ndarray) -> tuple[Limits, Limits]:
    """Least and greatest PC1 and PC2 of the words that set the axes.

    Parameters
    ----------
    coordinates : ``(n_words, 2)``, finite.
    reference : ``(n_words,)`` bool, those words; all where there are none.
    """
    rows = coordinates[reference] if reference.any() else coordinates
    across, up = (_within(axis) for axis in rows.T) if len(coordinates) > MANY_WORDS else rows.T
    limits = [(float(axis.min()), float(axis.max())) for axis in (across, up)]
    longest = max(map(span, limits))
    across, up = (
        (low, high) if high - low >= ON_A_LINE * longest else ((low + high) / 2, (low + high) / 2)
        for low, high in limits
    )
    return across, up


def _within(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [OUTLYING, 1 - OUTLYING])
    return np.asarray(values[(values >= low) & (values <= high)])


def span(limits: Limits) -> float:
    """From the least to the greatest value; 0 where they are equal, but for rounding."""
    low, high = limits
    return high - low if high - low > ROUNDING * max(abs(low), abs(high)) else 0.0


def size(limits: Limits) -> float:
    """The span, or, where there is none, how large the values are."""
    return span(limits) or max(abs(limits[0]), abs(limits[1]), 1.0)


def ratio(limits: tuple[Limits, Limits]) -> float:
    """The shorter span as a share of the longer one; 0 where either is none."""
    short, long = sorted(map(span, limits))
    return short / long if long else 0.0


def factor_text(factor: float) -> str:
    """``×43``, ``×2.7``: how many times as large an axis is drawn."""
    return f"×{factor:,.0f}" if factor >= 9.95 else f"×{factor:.1f}"


class Box(NamedTuple):
    """A rectangle in pixels, ``top`` < ``bottom``: x runs right and y down."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, kw_only=True)
class Pane:
    """A part of a plot with axes of its own, and the words' extents in its middle."""

    area: Box
    middle: tuple[float, float]
    """PC1 and PC2 there."""
    units: tuple[float, float]
    """Pixels for one of PC1, and for one of PC2."""

    def places(self, coordinates: np.ndarray) -> np.ndarray:
        """``(n, 2)`` in pixels, of coordinates ``(n, 2)``."""
        left, top, right, bottom = self.area
        offsets = (coordinates - np.array(self.middle)) * np.array(self.units)
        return np.stack([(left + right) / 2 + offsets[:, 0], (top + bottom) / 2 - offsets[:, 1]], axis=1)

    @property
    def limits(self) -> tuple[Limits, Limits]:
        """PC1 and PC2 at its edges."""
        left, top, right, bottom = self.area
        half = ((right - left) / self.units[0] / 2, (bottom - top) / self.units[1] / 2)
        (x, y), (across, up) = self.middle, half
        return (x - across, x + across), (y - up, y + up)


@dataclass(frozen=True, kw_only=True)
class Framing:
    """A plot's panes."""

    main: Pane
    """Where words are named."""
    band: Pane | None
    """The true plot, above the main pane or, where PC1 is the short axis, left of it; None where the main pane is true."""
    magnified: int | None
    """The axis that the main pane magnifies, 0 or 1; None where both have one scale."""

    @property
    def factor(self) -> float:
        """How many times as large the magnified axis is drawn as the other one; at least 1."""
        if self.magnified is None:
            return 1.0
        return self.main.units[self.magnified] / self.main.units[1 - self.magnified]


def true_pane(limits: tuple[Limits, Limits], area: Box, margins: tuple[float, float] = MARGINS) -> Pane:
    """A pane with both axes on one scale, as large as fits between the margins."""
    fitted = _fitted(limits, area, margins)
    finite = [unit for unit in fitted if unit is not None]
    # Of a single point, how large it is sets the scale.
    unit = min(finite) if finite else min(_inner(area, margins)) / max(map(size, limits))
    return _pane(limits, area, (unit, unit))


def framing(limits: tuple[Limits, Limits], area: Box, gap: float, aspect: Aspect = "equal") -> Framing:
    """The panes of a plot.

    Parameters
    ----------
    limits : as of :func:`extents`.
    gap : pixels between the two panes of a divided plot.
    """
    spans = [span(each) for each in limits]
    short = int(spans[1] <= spans[0])
    whole = true_pane(limits, area)
    if min(spans) == 0:
        return Framing(main=whole, band=None, magnified=None)
    if aspect == "fill":
        return _filled(limits, area)
    if spans[short] >= DIVIDED_BELOW * spans[1 - short]:
        return Framing(main=whole, band=None, magnified=None)
    left, top, right, bottom = area
    if short == 1:
        middle = top + BAND * (bottom - top)
        parts = Box(left, top, right, middle - gap), Box(left, middle, right, bottom)
    else:
        middle = left + BAND * (right - left)
        parts = Box(left, top, middle - gap, bottom), Box(middle, top, right, bottom)
    band = true_pane(limits, parts[0])
    units = list(band.units)
    units[short] = _inner(parts[1], MARGINS)[short] / spans[short]
    return Framing(main=_pane(limits, parts[1], (units[0], units[1])), band=band, magnified=short)


def _filled(limits: tuple[Limits, Limits], area: Box) -> Framing:
    across, up = (inner / span(each) for inner, each in zip(_inner(area, MARGINS), limits, strict=True))
    return Framing(main=_pane(limits, area, (across, up)), band=None, magnified=int(up >= across))


def _inner(area: Box, margins: tuple[float, float]) -> tuple[float, float]:
    """Width and height without the margins."""
    left, top, right, bottom = area
    return (right - left) / (1 + 2 * margins[0]), (bottom - top) / (1 + 2 * margins[1])


def _fitted(limits: tuple[Limits, Limits], area: Box, margins: tuple[float, float]) -> list[float | None]:
    """Pixels for one of each axis with which it alone fits; None for an axis without a span."""
    inner = _inner(area, margins)
    return [length / span(each) if span(each) else None for length, each in zip(inner, limits, strict=True)]


def _pane(limits: tuple[Limits, Limits], area: Box, units: tuple[float, float]) -> Pane:
    (left, right), (low, high) = limits
    return Pane(area=area, middle=((left + right) / 2, (low + high) / 2), units=units)
