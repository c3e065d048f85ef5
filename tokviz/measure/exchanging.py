"""Names of categories, exchanged between them: whether those that they have do better.

The words of a category lie together, so that any name is right for many of them or for none. Words shuffled one by one scatter too
little to hold that against.
"""

from __future__ import annotations

from itertools import permutations as all_orders
from itertools import product

import numpy as np

from tokviz.measure.decisions import N_SHUFFLES
from tokviz.measure.labels import permuted_within
from tokviz.measure.tested import factorial


def exchanged(groups: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """``(1 + N_SHUFFLES, n_names)`` int64: each category's name, as it is and then exchanged within ``groups`` ``(n_names,)``.

    Others drawn at random, or all in turn where there are fewer; and how many arrangements there are.
    """
    as_it_is = np.arange(len(groups))
    places = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    n_arrangements = float(np.prod([factorial(len(each)) for each in places]))
    if n_arrangements > N_SHUFFLES:
        random = np.random.default_rng((seed, 9))
        drawn = permuted_within(random.random((N_SHUFFLES, len(groups))), groups)
        while (same := (drawn == as_it_is).all(axis=1)).any():
            drawn[same] = permuted_within(random.random((int(same.sum()), len(groups))), groups)
        return np.vstack([as_it_is, drawn]), n_arrangements
    every = []
    for arrangement in product(*(map(np.array, all_orders(each)) for each in places)):
        names = as_it_is.copy()
        names[np.concatenate(places)] = np.concatenate(arrangement)
        every.append(names)
    # The first one is as it is.
    return np.array(every)[np.arange(1 + N_SHUFFLES) % len(every)], n_arrangements
