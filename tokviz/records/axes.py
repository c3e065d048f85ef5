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


def axis_limits(
    coordinates: np.ndarray, reference: np.ndarray, margins: tuple[float, float] = PLATE_MARGINS
) -> tuple[Limits, Limits]:
    """Lower and upper limits of PC1 and of PC2.

    Parameters
    ----------
    coordinates : ``(n_words, 2)``, finite.
    reference : ``(n_words,)`` bool, the words that set the limits; all do where there are none.
    margins : of the span of PC1 and of PC2, added at either end.
    """
    rows = coordinates[reference] if reference.any() else coordinates
    across, up = (_within(axis) for axis in rows.T) if len(coordinates) > MANY_WORDS else rows.T
    return _limits(across, margins[0]), _limits(up, margins[1])


def _within(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [OUTLYING, 1 - OUTLYING])
    return np.asarray(values[(values >= low) & (values <= high)])


def _limits(values: np.ndarray, margin: float) -> Limits:
    low, high = float(values.min()), float(values.max())
    span = high - low
    # Points that are all equal, but for rounding, get an axis as wide as their size lets it be told apart.
    if span <= 1e-9 * max(abs(low), abs(high)):
        span = max(abs(low), abs(high), 1.0)
        low, high = (low + high - span) / 2, (low + high + span) / 2
    return low - margin * span, high + margin * span
