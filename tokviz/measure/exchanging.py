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
from tokviz.records import LEVEL

_ROUNDING = 1e-9


def exchanged(groups: np.ndarray, seed: int) -> np.ndarray:
    """``(1 + n, n_names)`` int64: each category's name, as it is and then exchanged within ``groups`` ``(n_names,)``.

    All other arrangements where these are fewer than ``N_SHUFFLES``, else as many drawn at random.
    """
    as_it_is = np.arange(len(groups))
    places = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    if np.prod([factorial(len(each)) for each in places]) <= N_SHUFFLES:
        every = []
        for arrangement in product(*(map(np.array, all_orders(each)) for each in places)):
            names = as_it_is.copy()
            names[np.concatenate(places)] = np.concatenate(arrangement)
            every.append(names)
        return np.array(every)  # the first one is as it is
    random = np.random.default_rng((seed, 9))
    drawn = permuted_within(random.random((N_SHUFFLES, len(groups))), groups)
    while (same := (drawn == as_it_is).all(axis=1)).any():
        drawn[same] = permuted_within(random.random((int(same.sum()), len(groups))), groups)
    return np.concatenate([as_it_is[None], drawn])


def beats_exchanged(shares: np.ndarray) -> np.ndarray:
    """``(n_depths,)`` bool: whether names as they are do better than exchanged ones do at any depth, at the level of a report.

    ``shares``: ``(n_depths, 1 + n)``; where names aren't exchanged, every depth does.
    """
    n_depths, n = shares.shape
    if not n:
        return np.ones(n_depths, dtype=bool)
    spread = shares.std(axis=1)
    scores = (shares - shares.mean(axis=1)[:, None]) / np.where(spread > 0, spread, np.nan)[:, None]
    highest = np.where(np.isfinite(scores[:, 1:]), scores[:, 1:], -np.inf).max(axis=0, initial=-np.inf)
    p_value = (1 + (highest >= scores[:, :1] - _ROUNDING).sum(axis=1)) / n
    return np.asarray(np.isfinite(scores[:, 0]) & (p_value <= LEVEL))
