"""Each word's nearest words in the full space."""

from __future__ import annotations

import numpy as np

from tokviz.measure.distances import cosine_distances, nearest
from tokviz.measure.labels import MOST_NEIGHBOURS
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates, Neighbours


def neighbours(states: HiddenStates) -> Neighbours:
    """The nearest others of every word at every depth, by cosine of standardized states; category purity ranks reference words only."""
    k = min(MOST_NEIGHBOURS, len(states.tokenization.words) - 1)
    reference = states.tokenization.reference
    every = (standardized(states.states[depth], reference) for depth in range(states.n_depths))
    found = [nearest(cosine_distances(each), k) for each in every]
    return Neighbours(rows=np.stack(found).astype(np.int64))
