"""The space in which words are compared: every dimension counts alike.

In hidden states a few dimensions are far larger than the rest, and raw cosine hardly sees anything else (Timkey & van Schijndel
2021, All bark and no bite; Mu & Viswanath 2018, All-but-the-top). The power to find categories shows it: see ``geometry``.
"""

from __future__ import annotations

import numpy as np


def standardized(states: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Each dimension at mean 0 and variance 1 over the reference words; those that are constant but for rounding are dropped.

    Parameters
    ----------
    states : ``(n_words, width)``.
    reference : which rows the mean and the variance are of; all without one.

    Returns
    -------
    ``(n_words, ≤ width)`` float64; zeros of one dimension where all are constant or there are no words.
    """
    exact = states.astype(np.float64)
    own = exact if reference is None else exact[reference]
    if not len(own):
        return np.zeros((len(states), 1))
    mean = own.mean(axis=0)
    deviation = own.std(axis=0)
    varies = deviation > _ROUNDING * np.abs(own).max(axis=0)
    if not varies.any():
        return np.zeros((len(states), 1))
    found = exact[:, varies]
    found -= mean[varies]
    found /= deviation[varies]
    return np.asarray(found)


_ROUNDING = 1e-7
"""Of a dimension's largest value: what rounding makes of a constant in float32 states."""
