"""How far the measures of a picture would differ with other words, which would also give it other axes.

A picture's axes are fitted on the words that it shows. Held fixed, they make 95 % intervals that cover about 80 %: so the
axes are fitted again on parts of the words, drawn without replacement (duplicates would be each other's neighbours), and
the spread over the parts, times √(kept / left out), is the standard error of the whole (delete-d jackknife; Shao & Wu 1989,
A general theory for jackknife variance estimation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tokviz.measure.categories import purity_alone, silhouette_alone
from tokviz.measure.distances import euclidean_distances
from tokviz.measure.labels import Categories
from tokviz.measure.pca import MIN_WORDS
from tokviz.records import RefitCriteria

CRITERIA = RefitCriteria(n_parts=30, kept_share=0.5, most_kept=500)
_MOST_DISTANCES = 500_000
"""How many distances are held at a time: many short lists at once, or one long one."""


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Standard errors of a picture's measures; NaN where they aren't known."""

    purity: float
    silhouette: float


UNKNOWN = Errors(purity=float("nan"), silhouette=float("nan"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """Parts of the words that are measured, the same ones at every depth and in every picture."""

    categories: Categories
    words: np.ndarray
    """``(n_parts, n_kept)`` int64: which words, category by category."""
    n_kept: np.ndarray
    """How many words of each category."""

    @classmethod
    def drawn(cls, categories: Categories) -> Parts:
        """Of each category the same share of its words; at least two where half of it is more than one, as one word has no neighbors.

        Parameters
        ----------
        categories : of words that the axes are fitted on.
        """
        share = min(CRITERIA.kept_share, CRITERIA.most_kept / len(categories.first))
        n_kept = np.ceil(share * categories.counts).astype(np.int64)
        n_kept = np.maximum(n_kept, np.minimum(2, np.ceil(CRITERIA.kept_share * categories.counts)).astype(np.int64))
        if not categories.are_several or n_kept.sum() < MIN_WORDS:
            return cls.none(categories)
        random = np.random.default_rng((categories.seed, 5))
        drawn = []
        for category, kept in enumerate(n_kept):
            members = np.tile(np.flatnonzero(categories.first == category), (CRITERIA.n_parts, 1))
            drawn.append(random.permuted(members, axis=1)[:, :kept])
        return cls(categories=categories, words=np.concatenate(drawn, axis=1), n_kept=n_kept)

    @classmethod
    def none(cls, categories: Categories) -> Parts:
        """Where the axes are fitted on many other words, and don't depend on these."""
        return cls(categories=categories, words=np.empty((0, 0), dtype=np.int64), n_kept=np.zeros(0, dtype=np.int64))

    def errors(self, scores: Callable[[np.ndarray], np.ndarray]) -> Errors:
        """Of the measures of one picture.

        Parameters
        ----------
        scores : some of the words, ``(n_kept,)`` int64 → their coordinates with axes of their own, ``(n_kept, 2)``.
        """
        if not len(self.words):
            return UNKNOWN
        kinds, share = self.categories.kinds
        labels = np.repeat(np.arange(len(self.n_kept)), self.n_kept)
        n_words, n_kept = len(self.categories.first), self.words.shape[1]
        values = np.empty((len(self.words), 2))
        at_once = max(1, _MOST_DISTANCES // n_kept**2)
        for start in range(0, len(self.words), at_once):
            some = slice(start, start + at_once)
            distances = euclidean_distances(np.stack([scores(words) for words in self.words[some]]))
            values[some, 0] = purity_alone(distances, kinds[self.words[some]], share, self.categories.n_neighbours)
            values[some, 1] = silhouette_alone(distances, labels, self.n_kept)
        known = values[np.isfinite(values).all(axis=1)]
        if len(known) < len(values) / 2:
            return UNKNOWN
        purity, silhouette = np.sqrt(n_kept / (n_words - n_kept)) * known.std(axis=0, ddof=1)
        return Errors(purity=float(purity), silhouette=float(silhouette))
