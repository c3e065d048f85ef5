"""Each word's nearest words in the full space."""

from __future__ import annotations

import numpy as np

from tokviz.measure.categories import N_NEIGHBOURS
from tokviz.measure.distances import cosine_distances, nearest
from tokviz.records import HiddenStates, Neighbours


def neighbours(states: HiddenStates) -> Neighbours:
    """The nearest others of every word at every depth, by cosine, as category purity has them."""
    k = min(N_NEIGHBOURS, len(states.tokenization.words) - 1)
    found = [nearest(cosine_distances(states.states[depth]), k) for depth in range(states.n_depths)]
    return Neighbours(rows=np.stack(found).astype(np.int64))
