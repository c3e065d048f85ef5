"""What changes from one depth to the next: the pictures, and each word's neighbours."""

from __future__ import annotations

import numpy as np

from tokviz.measure.distances import LEAST_KNOWN, are_known

N_NEIGHBOURS = 10
N_MOVED = 5


def n_neighbours(n_words: int) -> int:
    """Ten, or fewer where words are few: of a handful, most are always neighbours. 0 below three words."""
    return min(N_NEIGHBOURS, max(n_words // 5, 1)) if n_words > 2 else 0


def procrustes_disparity(before: np.ndarray, after: np.ndarray) -> float:
    """What is left between two pictures ``(n_words, 2)`` after shift, scale, rotation and mirroring, 0–1.

    Gower 1975, Generalized procrustes analysis; NaN where a picture is missing or a single point.
    """
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return float("nan")
    standard = []
    for picture in (before, after):
        centred = picture - picture.mean(axis=0)
        size = np.linalg.norm(centred)
        if size == 0:
            return float("nan")
        standard.append(centred / size)
    fit = np.linalg.svd(standard[0].T @ standard[1], compute_uv=False).sum()
    return float(max(1 - fit**2, 0.0))


def lost_neighbours(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """``(n_words,)`` float64 in 0–1: share of each word's neighbours that are no longer.

    NaN for a word that has no distinct neighbours at one of the depths.

    Parameters
    ----------
    before, after : ``(n_words, k)``, from ``distances.nearest``.
    """
    stayed = (before[:, :, None] == after[:, None, :]).any(axis=2)
    return np.where(are_known(before) & are_known(after), 1 - stayed.mean(axis=1), np.nan)


def neighbour_overlap(lost: np.ndarray) -> float:
    """Share of each word's neighbours that stay, mean over the words that have any; NaN where most have none.

    Parameters
    ----------
    lost : ``(n_words,)``, from ``lost_neighbours``.
    """
    known = lost[np.isfinite(lost)]
    return float(1 - known.mean()) if len(known) and len(known) >= LEAST_KNOWN * len(lost) else float("nan")


def moved_most(lost: np.ndarray, before: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Up to five words that lost most neighbours, most first; of equals, those whose old neighbours are farther now.

    Parameters
    ----------
    lost : ``(n_words,)``, from ``lost_neighbours``.
    before : ``(n_words, k)``, the old neighbours.
    distances : ``(n_words, n_words)``, of now.

    Returns
    -------
    ``(≤ 5,)`` int64 rows; words that lost none, or of which that isn't known, are left out.
    """
    some = np.flatnonzero(lost > 0)
    now, n_nearer = distances[some], np.zeros(len(some))
    for old in before[some].T:
        n_nearer += (now < distances[some, old][:, None]).sum(axis=1)
    return np.asarray(some[np.lexsort((-n_nearer, -lost[some]))[:N_MOVED]])
