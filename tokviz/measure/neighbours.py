"""Each word's nearest words in the full space."""

from __future__ import annotations

import numpy as np

from tokviz.measure.distances import cosine_distances, nearest
from tokviz.measure.labels import MOST_NEIGHBOURS
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates, Neighbours


def neighbours(states: HiddenStates) -> Neighbours:
    """The nearest others of every word at every depth, by cosine of standardized states.

    Those of a reference word are reference words, as category purity counts them: what is read at another position may lie nearest
    to any word, whatever it means. Where there are too few reference words, all words count.
    """
    reference = states.tokenization.reference
    k = min(MOST_NEIGHBOURS, len(reference) - 1)
    apart = np.ix_(reference, ~reference if reference.sum() > k else np.zeros_like(reference))
    found = []
    for depth in range(states.n_depths):
        distances = cosine_distances(standardized(states.states[depth], reference))
        if distances.any():  # else all are one state, and no word is nearest to any
            distances[apart] = np.inf
        found.append(nearest(distances, k))
    return Neighbours(rows=np.stack(found).astype(np.int64))
