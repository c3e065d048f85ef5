"""Two measures for tokviz: the median norm of the words' states, and how far apart the categories' means are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Memberships = Sequence[tuple[int, ...]]
"""Per word the numbers of its categories."""


class MedianNorm:
    """Without a value by chance: categories play no part in it."""

    name = "Median norm"
    caption = "Median Euclidean length of the words’ hidden states."

    def value(self, states: np.ndarray, memberships: Memberships) -> float:
        return float(np.median(np.linalg.norm(states, axis=1)))


class BetweenCategories:
    """Of the words' variance, how much lies between the means of their categories; by chance, with shuffled words."""

    name = "Variance between categories"
    caption = "Share of the words’ variance that lies between the means of their first categories (dotted: by chance)."
    n_shuffles = 20

    def value(self, states: np.ndarray, memberships: Memberships) -> float:
        return self._share(states, np.array([own[0] if own else -1 for own in memberships]))

    def chance(self, states: np.ndarray, memberships: Memberships) -> float:
        first = np.array([own[0] if own else -1 for own in memberships])
        random = np.random.default_rng(0)
        return float(np.mean([self._share(states, random.permutation(first)) for _ in range(self.n_shuffles)]))

    def _share(self, states: np.ndarray, categories: np.ndarray) -> float:
        centered = states - states.mean(axis=0)
        means = [centered[categories == each].mean(axis=0) for each in np.unique(categories)]
        sizes = [(categories == each).sum() for each in np.unique(categories)]
        between = sum(size * float(mean @ mean) for size, mean in zip(sizes, means, strict=True))
        return between / float((centered**2).sum())


MEDIAN_NORM = MedianNorm()
BETWEEN_CATEGORIES = BetweenCategories()
