"""How far a picture's axes reach: plates and the explorer have the same ones."""

from __future__ import annotations

import numpy as np

MANY_WORDS = 3000
"""Above so many words a picture shows their density, and the outermost don't set its axes."""
OUTLYING = 0.001
"""Share of many words, at either end of an axis, that don't set its limits: among thousands some lie far off."""
PLATE_MARGINS = (0.06, 0.05)
"""Of the span, at either end of PC1 and of PC2."""

Limits = tuple[float, float]


def extents(coordinates: np.ndarray, reference: np.ndarray) -> tuple[Limits, Limits]:
    """Least and greatest PC1 and PC2 of the words that set the axes.

    Parameters
    ----------
    coordinates : ``(n_words, 2)``, finite.
    reference : ``(n_words,)`` bool, those words; all where there are none.
    """
    rows = coordinates[reference] if reference.any() else coordinates
    across, up = (_within(axis) for axis in rows.T) if len(coordinates) > MANY_WORDS else rows.T
    return (float(across.min()), float(across.max())), (float(up.min()), float(up.max()))


def axis_limits(
    coordinates: np.ndarray, reference: np.ndarray, margins: tuple[float, float] = PLATE_MARGINS
) -> tuple[Limits, Limits]:
    """Lower and upper limits of PC1 and of PC2; ``margins`` of each span are added at either end."""
    across, up = extents(coordinates, reference)
    return _widened(*across, margins[0]), _widened(*up, margins[1])


def _within(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [OUTLYING, 1 - OUTLYING])
    return np.asarray(values[(values >= low) & (values <= high)])


def _widened(low: float, high: float, margin: float) -> Limits:
    span = high - low
    # Points that are all equal, but for rounding, get an axis as wide as they are large.
    if span <= 1e-9 * max(abs(low), abs(high)):
        span = max(abs(low), abs(high), 1.0)
        low, high = (low + high - span) / 2, (low + high + span) / 2
    return low - margin * span, high + margin * span
