"""What changes from one depth to the next: the pictures, and each word's neighbours."""

from __future__ import annotations

import numpy as np
from scipy.spatial import procrustes

N_NEIGHBOURS = 10
N_MOVED = 5


def n_neighbours(n_words: int) -> int:
    """Ten, or a fifth of the words where they are few: among all words nobody can leave the neighbourhood."""
    return max(1, min(N_NEIGHBOURS, n_words // 5))


def procrustes_disparity(before: np.ndarray, after: np.ndarray) -> float:
    """What is left between two pictures ``(n_words, 2)`` after shift, scale, rotation and mirroring, 0–1.

    Gower 1975, Generalized procrustes analysis, as in ``scipy.spatial.procrustes``; NaN where a picture is missing
    or a single point.
    """
    pictures = (before, after)
    if any(not np.isfinite(picture).all() or np.ptp(picture, axis=0).max() == 0 for picture in pictures):
        return float("nan")
    return float(procrustes(before, after)[2])


def lost_neighbours(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """``(n_words,)`` float64 in 0–1: share of each word's neighbours, ``(n_words, k)`` rows, that are no longer."""
    stayed = (before[:, :, None] == after[:, None, :]).any(axis=2)
    return np.asarray(1 - stayed.mean(axis=1))


def moved_most(lost: np.ndarray, before: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Up to five words that lost most neighbours, most first; of equals, those whose old neighbours are farther now.

    Parameters
    ----------
    lost : ``(n_words,)``, from ``lost_neighbours``.
    before : ``(n_words, k)``, the old neighbours.
    distances : ``(n_words, n_words)``, of now.

    Returns
    -------
    ``(≤ 5,)`` int64 rows; words that lost none are left out.
    """
    ranks = np.argsort(np.argsort(distances, axis=1, kind="stable"), axis=1)
    now_at = np.take_along_axis(ranks, before, axis=1).mean(axis=1)
    order = np.lexsort((-now_at, -lost))[:N_MOVED]
    return order[lost[order] > 0]
