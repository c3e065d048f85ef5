"""One plate turned or mirrored within its plane, so that words move least between it and another.

Orthogonal Procrustes in two dimensions (Schönemann 1966, Psychometrika 31), on the two plates' own coordinates. Never in the
full space: with as many dimensions as words, states that have nothing in common could be turned onto each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tokviz.records import Projection
from tokviz.records.axes import extents, size

LEAST_WORDS = 3
"""Two words lie on a line, and can always be turned onto two others."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """How the second of two plates is turned."""

    is_mirrored: bool
    """Whether PC2 is flipped first."""
    degrees: int
    """Counterclockwise, above −180 up to 180."""
    residual: float
    """0–1: of the words' variance in the plane, how much no turn, shift or size takes away; NaN where that isn't defined."""

    @property
    def is_none(self) -> bool:
        return not self.is_mirrored and self.degrees == 0

    @property
    def matrix(self) -> np.ndarray:
        """``(2, 2)``: coordinates, as rows, times this are turned."""
        radians = math.radians(self.degrees)
        turned = np.array([[math.cos(radians), math.sin(radians)], [-math.sin(radians), math.cos(radians)]])
        return np.diag([1, -1]) @ turned if self.is_mirrored else turned


NO_TURN = Turn(is_mirrored=False, degrees=0, residual=math.nan)


def least_turn(still: np.ndarray, moved: np.ndarray) -> Turn:
    """The turn of ``moved`` after which its words lie nearest to those of ``still``, in whole degrees.

    Parameters
    ----------
    still, moved : ``(n_words, 2)``, the same words in the same order; rows that aren't finite in both are left out.
    """
    finite = np.isfinite(still).all(axis=1) & np.isfinite(moved).all(axis=1)
    if finite.sum() < LEAST_WORDS:
        return NO_TURN
    one, other = (_unit(each[finite]) for each in (still, moved))
    if one is None or other is None:
        return NO_TURN
    found = max((_best(one, other, is_mirrored=flag) for flag in (False, True)), key=lambda each: each[1])
    (turn, overlap) = found
    return Turn(is_mirrored=turn.is_mirrored, degrees=turn.degrees, residual=min(1.0, max(0.0, 1 - overlap**2)))


def _unit(coordinates: np.ndarray) -> np.ndarray | None:
    """About their mean, with Σ x² = 1; None for words that all lie in one place."""
    about = coordinates - coordinates.mean(axis=0)
    size = float(np.linalg.norm(about))
    return about / size if size > 1e-9 * float(np.abs(coordinates).max()) else None


def _best(still: np.ndarray, moved: np.ndarray, *, is_mirrored: bool) -> tuple[Turn, float]:
    """The best turn, with a mirror or without, and Σ of products after it: 1 where both are the same."""
    flipped = moved * (1, -1) if is_mirrored else moved
    (xx, xy), (yx, yy) = flipped.T @ still
    # Σ ⟨still, turned⟩ is (xx + yy) cos + (xy − yx) sin of the angle.
    degrees = round(math.degrees(math.atan2(xy - yx, xx + yy)))
    turn = Turn(is_mirrored=is_mirrored, degrees=180 if degrees == -180 else degrees, residual=math.nan)
    return turn, float((still * (moved @ turn.matrix)).sum())


def turned_extents(projection: Projection, depth: int, turn: Turn) -> tuple[float, float, float, float]:
    """Least PC1 and its span, least PC2 and its span, of the words of a turned plate."""
    across, up = extents(projection.coordinates[depth] @ turn.matrix, projection.reference)
    return across[0], size(across), up[0], size(up)
