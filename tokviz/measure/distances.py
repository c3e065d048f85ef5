"""Distances between words, and each word’s nearest."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

UNKNOWN = -1
"""In place of the neighbours of a word that has none to speak of."""
LEAST_KNOWN = 0.5
"""A measure of neighbours is given where this share of the words have distinct neighbours, or more."""
_SAME_DIRECTION = 1e-14
"""Cosine distances that rounding alone makes, of float32 states."""
_SAME_POINT = 1e-12
"""Of the largest distance in a picture: what rounding makes of one and the same state."""
_SAME_DISTANCE = 1e-12
"""Of a distance: what rounding makes of two that are equal. Of cosines, ``_SAME_DIRECTION`` comes on top."""
_MOST_AT_ONCE = 250_000
"""Among how many distances neighbours are looked for at a time: many short lists together, or one long one."""


def cosine_distances(states: np.ndarray) -> np.ndarray:
    """``(n_words, width)`` → ``(n_words, n_words)`` float64: 1 − cosine, 0 on the diagonal and between identical states."""
    exact = states.astype(np.float64, copy=False)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    unit = np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0)
    distances = unit @ unit.T
    np.subtract(1, distances, out=distances)
    distances[distances < _SAME_DIRECTION] = 0
    # The cosine with a state of zeros isn't defined; that of two of them is taken for 1.
    zero = np.flatnonzero(norms[:, 0] == 0)
    distances[np.ix_(zero, zero)] = 0
    np.fill_diagonal(distances, 0)
    return np.asarray(distances)


def euclidean_distances(coordinates: np.ndarray) -> np.ndarray:
    """``(…, n_words, 2)`` → ``(…, n_words, n_words)`` float64, 0 on the diagonal and between identical states."""
    lists = coordinates.reshape(math.prod(coordinates.shape[:-2]), *coordinates.shape[-2:])
    distances = np.array([cdist(own, own) for own in lists]).reshape(*coordinates.shape[:-1], coordinates.shape[-2])
    distances[distances < _SAME_POINT * distances.max(axis=(-2, -1), keepdims=True, initial=0.0)] = 0
    return distances


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """Each word's nearest others.

    Parameters
    ----------
    distances : ``(…, n_words, n_words)``, 0 between identical states.

    Returns
    -------
    ``(…, n_words, k)`` int64 rows, nearest first. ``UNKNOWN`` throughout for a word whose k-th neighbour is as far as the one
    after it: which of them is among the nearest, only rounding or their order in the list could tell. So it is for all words
    when there is but one state.
    """
    n_words = distances.shape[-1]
    lists = distances.reshape(math.prod(distances.shape[:-2]), n_words, n_words)
    found = np.empty((*lists.shape[:2], k), dtype=np.int64)
    at_once = max(1, _MOST_AT_ONCE // max(n_words, 1) ** 2)
    for start in range(0, len(lists), at_once):
        found[start : start + at_once] = _nearest(lists[start : start + at_once], k)
    return found.reshape(*distances.shape[:-1], k)


def _nearest(lists: np.ndarray, k: int) -> np.ndarray:
    """``(n_lists, n_words, n_words)`` → ``(n_lists, n_words, k)``."""
    found, far = smallest(lists, k + 1)
    if 0 < k < found.shape[-1]:
        found[~are_apart(far[..., k - 1], far[..., k])] = UNKNOWN
    found = found[..., :k]
    found[~lists.any(axis=(1, 2))] = UNKNOWN
    return found


def smallest(distances: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Each word's nearest others, one minimum after another: for a few of them many times as fast as ``argpartition``.

    Parameters
    ----------
    distances : ``(…, n_words, n_words)``.

    Returns
    -------
    ``(…, n_words, ≤ n)`` int64, nearest first, of equally near ones the first in the list; and how far they are, of the same shape.
    """
    others = distances.copy()
    n_words = others.shape[-1]
    others[..., np.arange(n_words), np.arange(n_words)] = np.inf
    shape = (*others.shape[:-1], min(n, max(n_words - 1, 0)))
    rows, far = np.empty(shape, dtype=np.int64), np.empty(shape)
    for at in range(shape[-1]):
        next_one = others.argmin(axis=-1, keepdims=True)
        rows[..., at : at + 1], far[..., at : at + 1] = next_one, np.take_along_axis(others, next_one, axis=-1)
        np.put_along_axis(others, next_one, np.inf, axis=-1)
    return rows, far


def are_apart(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Which distances differ from others that are as large or larger, and not by rounding alone; both of one shape."""
    return np.asarray(far - near > _SAME_DISTANCE * near + _SAME_DIRECTION)


def are_known(neighbours: np.ndarray) -> np.ndarray:
    """``(…, n_words, k)``, from ``nearest`` → ``(…, n_words)`` bool: which words have distinct neighbours."""
    return np.asarray((neighbours != UNKNOWN).all(axis=-1))


def distinct(states: np.ndarray) -> np.ndarray:
    """``(n_words, width)`` → rows, ascending int64: the first of each of the different states."""
    first: dict[bytes, int] = {}
    for row, state in enumerate(states):
        first.setdefault(state.tobytes(), row)
    return np.array(list(first.values()), dtype=np.int64)
