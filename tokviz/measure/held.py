"""Which categories keep together by themselves: purity of each category's words, against the same with categories shuffled.

Where one category is tight, its words are no neighbors of other words, so that any other category is above chance. So each category is
also held against its nearest one: the category that most of its words' neighbors are of, for its size. Where these two can't be
exchanged as one has capitals alone, they are exchanged all the same, and it is held against the nearest of the others, too.

It is a further question of that on all categories together, and answered only where that one is (``ContextReport.holds_categories``). In
one family with it these would be shown at fewer depths, as chance reaches far among values of few words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

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
    mixed = np.full((n_depths, n), np.nan)
    # Of one category, or of too few words, nothing is asked.
    if categories.are_several and len(categories.memberships) >= LEAST_WORDS:
        by_shuffle, pairs = _by_shuffle(categories), _Pairs(categories)
        for depth in range(n_depths):
            near = [_nearest(each.states[depth][rows], categories) for each in templates]
            found = [_purity(each, categories, by_shuffle) for each in near]
            known = [each for each in near if each is not None]
            mixed[depth] = pairs.mixed(known) if known else np.nan
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
        mixed=mixed.T,
    )


def _by_shuffle(categories: Categories) -> np.ndarray:
    """``(n_words, n_permutations)`` int64: in which of ``n_categories · n_permutations`` sums a word counts."""
    labels = categories.shuffled_first.T.astype(np.int64)
    return np.asarray(labels * categories.n_permutations + np.arange(categories.n_permutations))


def _nearest(state: np.ndarray, categories: Categories) -> tuple[np.ndarray, np.ndarray] | None:
    """The words whose neighbors are known, ``(n,)`` rows, and these, ``(n, k)``; None where too few are."""
    if not np.isfinite(state).all():
        return None
    near = nearest(cosine_distances(standardized(state)), categories.n_neighbours)
    words = np.flatnonzero(are_known(near))
    return None if len(words) < LEAST_KNOWN * len(near) else (words, near[words])


def _purity(
    found: tuple[np.ndarray, np.ndarray] | None, categories: Categories, by_shuffle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``(n_categories,)`` and ``(n_categories, n_permutations)``: as it is and shuffled; NaN where undefined."""
    n, n_permutations = len(categories.counts), categories.n_permutations
    if found is None:
        return np.full(n, np.nan), np.full((n, n_permutations), np.nan)
    words, near = found
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


class _Pairs:
    """Each category beside the one that is most often among its words' neighbors, for its size."""

    def __init__(self, categories: Categories) -> None:
        self._categories = categories
        self._shuffled = cache(self._shuffle)

    def mixed(self, templates: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """``(n_categories,)``: the p-value of the words of both being exchanged, by how many neighbors of a category's words are its own.

        All templates' neighbors are counted together. NaN where there is no other category that is known.
        """
        first, counts = self._categories.first, self._categories.counts
        near_by, found = np.zeros((len(counts), len(counts))), np.full(len(counts), np.nan)
        for words, near in templates:
            np.add.at(near_by, (first[words][:, None], first[near]), 1)
        for index, of_others in enumerate(near_by / counts):
            for other in np.argsort(-of_others, kind="stable").tolist():
                both = self._shuffled(index, other) if other != index else None
                if both is None:
                    continue
                rows, is_own, within_case = both
                n_own = np.sum([_n_own(each, rows, is_own, len(first)) for each in templates], axis=0)
                found[index] = np.fmax(found[index], np.mean(n_own >= n_own[0]))
                if within_case:
                    break
        return found

    def _shuffle(self, index: int, other: int) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """Rows of both categories' words; which are of ``index``, ``(n, 1 + n_permutations)`` bool; whether case was kept.

        First as they are, then shuffled: words of one case among themselves, wherever that changes anything. None where one of the two
        has no words that the other hasn't.
        """
        of = self._categories
        labels = set(np.unique([own[0] for own in of.memberships])[[index, other]].tolist())
        rows = [row for row, own in enumerate(of.memberships) if own[0] in labels and not labels <= set(own)]
        pair = replace(
            of.of(np.array(rows, dtype=np.int64)), memberships=tuple(of.memberships[row][:1] for row in rows)
        )
        if len(pair.counts) < 2:
            return None
        within_case = pair.n_arrangements > 1
        if not within_case:
            pair = replace(pair, words=tuple(word.casefold() for word in pair.words))
        labeled = np.concatenate([pair.first[None], pair.shuffled_first]).T
        return np.array(rows), np.asarray(labeled == int(index > other)), within_case


def _n_own(found: tuple[np.ndarray, np.ndarray], rows: np.ndarray, is_own: np.ndarray, n_words: int) -> np.ndarray:
    """``(n_shuffles,)`` int64: of all words of one category, how many neighbors are of it."""
    words, near = found
    every = np.zeros((n_words, is_own.shape[1]), dtype=bool)
    every[rows] = is_own
    known = np.isin(words, rows)
    of_words = every[words[known]]
    return np.asarray(np.sum([(of_words & every[those]).sum(axis=0) for those in near[known].T], axis=0))
