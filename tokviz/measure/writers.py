"""Which layers change the largest values of hidden states, and in which dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.records import MOST_DIMENSIONS

MARKED_FACTOR = 2.0
"""By which the largest |x| must change from one depth to the next, either way, for a layer to be marked."""


def marked_layers(states: Sequence[np.ndarray]) -> tuple[bool, ...]:
    """Per layer whether the largest |x|, median over words, changes by a factor of two or more.

    Layer 0 is not: it is the first to write at all.

    Parameters
    ----------
    states : of reference words, per depth ``(n_words, width)``.
    """
    largest = np.array([float(np.median(np.abs(state).max(axis=1))) for state in states])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = largest[1:] / largest[:-1]
    marked = (ratios >= MARKED_FACTOR) | (ratios <= 1 / MARKED_FACTOR)
    return (False, *map(bool, marked[1:]))


def changing_dimensions(states: Sequence[np.ndarray]) -> tuple[tuple[int, ...], ...]:
    """Per layer the dimensions with the largest median |change| over words, the largest first.

    None where the width changes, as from some embeddings to the first layer.
    """
    found: list[tuple[int, ...]] = []
    before = states[0]
    for after in states[1:]:
        if after.shape != before.shape:
            found.append(())
        else:
            sizes = np.median(np.abs(after - before), axis=0)
            found.append(tuple(map(int, np.argsort(-sizes, kind="stable")[:MOST_DIMENSIONS])))
        before = after
    return tuple(found)
