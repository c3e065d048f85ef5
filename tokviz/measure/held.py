"""Which categories keep together by themselves: purity of each category's words, against the same with categories shuffled.

It is a further question of that on all categories together, and answered only where that one is (``ContextReport.holds_categories``). In
one family with it these would be shown at fewer depths, as chance reaches far among values of few words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.measure.categories import LEAST_WORDS, shared_when_shuffled
from tokviz.measure.decisions import claim
from tokviz.measure.distances import LEAST_KNOWN, are_known, cosine_distances, nearest
from tokviz.measure.labels import Categories
from tokviz.measure.spaces import standardized
from tokviz.records import CategoriesHeld, HiddenStates

FAMILY = "categories, each"


def held(templates: Sequence[HiddenStates], rows: np.ndarray, categories: Categories) -> CategoriesHeld:
    """The median over templates at each depth.

    Parameters
    ----------
    templates : of one capture.
    rows : ``(n_words,)`` int64, the words that ``categories`` are of.
    """
    n_depths, n = templates[0].n_depths, len(categories.counts)
    values, shuffled = np.full((n_depths, n), np.nan), np.full((n_depths, n, categories.n_permutations), np.nan)
    # Of one category, or of too few words, nothing is asked.
    if categories.are_several and len(categories.memberships) >= LEAST_WORDS:
        by_shuffle = _by_shuffle(categories)
        for depth in range(n_depths):
            found = [_purity(each.states[depth][rows], categories, by_shuffle) for each in templates]
            values[depth] = np.median([each for each, _ in found], axis=0)
            shuffled[depth] = np.median([each for _, each in found], axis=0)
    chance = shuffled.mean(axis=2)
    return CategoriesHeld(
        categories=tuple(sorted({own[0] for own in categories.memberships})),
        n_words=tuple(categories.counts.tolist()),
        purity=values.T,
        chance=chance.T,
        claim=claim(
            FAMILY,
            values.T.ravel(),
            shuffled.swapaxes(0, 1).reshape(n * n_depths, categories.n_permutations),
            (values > chance).T.ravel(),
            categories.n_arrangements,
        ),
    )


def _by_shuffle(categories: Categories) -> np.ndarray:
    """``(n_words, n_permutations)`` int64: in which of ``n_categories · n_permutations`` sums a word counts."""
    labels = categories.shuffled_first.T.astype(np.int64)
    return np.asarray(labels * categories.n_permutations + np.arange(categories.n_permutations))


def _purity(state: np.ndarray, categories: Categories, by_shuffle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(n_categories,)`` and ``(n_categories, n_permutations)``: as it is and shuffled; NaN where undefined."""
    n, n_permutations = len(categories.counts), categories.n_permutations
    nothing = np.full(n, np.nan), np.full((n, n_permutations), np.nan)
    if not np.isfinite(state).all():
        return nothing
    near = nearest(cosine_distances(standardized(state)), categories.n_neighbours)
    words = np.flatnonzero(are_known(near))
    if len(words) < LEAST_KNOWN * len(near):
        return nothing
    near = near[words]
    kinds, share = categories.kinds
    own = share[kinds[words][:, None], kinds[near]].mean(axis=1)
    with np.errstate(invalid="ignore"):
        first = categories.first[words]
        value = np.bincount(first, weights=own, minlength=n) / np.bincount(first, minlength=n)
        shuffled = shared_when_shuffled(words, near, categories)
        into = by_shuffle[words].ravel()
        sums = np.bincount(into, weights=shuffled.ravel() / near.shape[1], minlength=n * n_permutations)
        # Shuffled, categories keep their sizes, as far as all words count.
        counts = np.repeat(categories.counts, n_permutations)
        if len(words) < len(by_shuffle):
            counts = np.bincount(into, minlength=n * n_permutations)
        return value, (sums / counts).reshape(n, n_permutations)
