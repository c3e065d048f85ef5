"""How many of each word's nearest words share a category with it."""

from __future__ import annotations

import numpy as np

from tokviz.measure.distances import are_known, cosine_distances, nearest
from tokviz.measure.geometry import categories_of, rows_with_category
from tokviz.measure.labels import Categories
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates, Neighbours, WordScores


def same_category(
    states: HiddenStates, memberships: tuple[tuple[int, ...], ...], found: Neighbours | None
) -> WordScores:
    """The count for every word that has a category, of as many nearest words as category purity counts.

    Where all words are reference words with a category, purity is the mean of these counts divided by their number.

    Parameters
    ----------
    memberships : per word the indices of its categories.
    found : the nearest words, all others being looked at. Without them, in a long list, those are counted that purity is
        measured on, among themselves, so that purity is again the mean.
    """
    rows = rows_with_category(states, memberships)
    measured = categories_of(states, memberships, rows)
    k = measured.n_neighbours
    values = np.full((states.n_depths, len(memberships)), WordScores.UNKNOWN, dtype=np.int16)
    if not measured.are_several:
        return WordScores(values=values, most=k)
    if found is None:
        for depth in range(states.n_depths):
            distances = cosine_distances(standardized(states.states[depth][rows]))
            values[depth, rows] = _counts(nearest(distances, k), measured)
        return WordScores(values=values, most=k)
    has_category = np.array([bool(own) for own in memberships])
    every = Categories(memberships=memberships)
    for depth, neighbours in enumerate(found.rows):
        values[depth] = np.where(has_category, _counts(neighbours[:, :k], every), WordScores.UNKNOWN)
    return WordScores(values=values, most=k)


def _counts(neighbours: np.ndarray, categories: Categories) -> np.ndarray:
    """Of ``(n_words, k)`` rows, from ``nearest``: ``(n_words,)``."""
    kinds, share = categories.kinds
    counts = share[kinds[:, None], kinds[neighbours]].sum(axis=1)
    return np.where(are_known(neighbours), counts, WordScores.UNKNOWN)
