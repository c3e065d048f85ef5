"""Purity and silhouette with groups of words left out, for all groups at once.

Leaving words out is counting them off what is known of all: their distances to each category, and who comes next among the
neighbours of a word.
"""

from __future__ import annotations

import numpy as np

from tokviz.measure import categories
from tokviz.measure.categories import N_NEIGHBOURS, Categories, purity_alone, silhouette_alone
from tokviz.measure.distances import LEAST_KNOWN

MOST_GROUPS = 30
_REACH = 64
"""How many of the nearest words are looked at for those that are left."""


def groups_of_words(found: Categories) -> np.ndarray:
    """``(n_words,)`` int64: the group of each word; each has of every category as many as any other, give or take one.

    Words are groups of their own where they are few.
    """
    n_words = len(found.first)
    places = np.empty(n_words, dtype=np.int64)
    places[np.argsort(found.first, kind="stable")] = np.arange(n_words)
    return places % min(n_words, MOST_GROUPS)


def left_out(distances: np.ndarray, found: Categories, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Purity and silhouette at one depth, with all words and without each group.

    Parameters
    ----------
    distances : ``(n_words, n_words)``, symmetric, 0 on the diagonal.
    groups : ``(n_words,)`` int64 from 0 without gaps.

    Returns
    -------
    Two ``(1 + n_groups,)`` float64: of all words, then without each group; NaN where it isn't defined.
    """
    n_groups = int(groups.max()) + 1
    purity = np.full(1 + n_groups, np.nan)
    silhouette = np.full(1 + n_groups, np.nan)
    if len(distances) >= 3 and found.are_several:
        purity[0] = purity_alone(distances, *found.kinds)
        silhouette[0] = silhouette_alone(distances, found.first, found.counts)
        purity[1:] = _purities(distances, found, groups, n_groups)
        silhouette[1:] = _silhouettes(distances, found, groups, n_groups)
    return purity, silhouette


def _purities(distances: np.ndarray, found: Categories, groups: np.ndarray, n_groups: int) -> np.ndarray:
    kinds, share = found.kinds
    n_words, k = len(distances), N_NEIGHBOURS
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    near = np.argsort(others, axis=1, kind="stable")[:, : min(n_words - 1, _REACH)]
    shared = share[kinds[:, None], kinds[near]]
    values = np.full(n_groups, np.nan)
    for group in range(n_groups):
        stays = groups != group
        there = stays[near]
        rank = np.cumsum(there, axis=1, dtype=np.int32)
        if (rank[stays, -1] <= k).any():  # too few words, or too many of the near ones are left out
            own = np.flatnonzero(stays)
            values[group] = purity_alone(distances[np.ix_(own, own)], kinds[own], share)
            continue
        scores = (shared & there & (rank <= k)).sum(axis=1) / k
        # As in ``distances.nearest``: a word whose last neighbour is one and the same state as the next has none.
        last, after = ((rank >= each).argmax(axis=1) for each in (k, k + 1))
        rows = np.arange(n_words)
        known = stays & (distances[near[rows, last], near[rows, after]] > 0)
        if known.sum() >= LEAST_KNOWN * stays.sum():
            values[group] = scores[known].mean()
    return values


def _silhouettes(distances: np.ndarray, found: Categories, groups: np.ndarray, n_groups: int) -> np.ndarray:
    labels, n_words, n_categories = found.first, len(distances), len(found.counts)
    columns = np.zeros((n_words, n_groups, n_categories))
    columns[np.arange(n_words), groups, labels] = 1
    of_group = (distances @ columns.reshape(n_words, -1)).reshape(n_words, n_groups, n_categories)
    sums = (of_group.sum(axis=1, keepdims=True) - of_group).transpose(1, 0, 2)  # (n_groups, n_words, n_categories)
    counts = found.counts - columns.sum(axis=0)
    own = np.take_along_axis(sums, labels[None, :, None], axis=2)[..., 0]
    n_own = counts[:, labels] - 1
    means = np.divide(sums, counts[:, None], out=np.full(sums.shape, np.inf), where=counts[:, None] > 0)
    np.put_along_axis(means, labels[None, :, None], np.inf, axis=2)
    # Differences of sums leave rounding where the true distance is 0.
    scores = categories.silhouette_scores(np.maximum(own, 0), n_own, np.maximum(means.min(axis=2), 0))
    stays = groups != np.arange(n_groups)[:, None]
    several = (counts > 0).sum(axis=1) > 1
    return np.where(several, np.divide((scores * stays).sum(axis=1), stays.sum(axis=1)), np.nan)
