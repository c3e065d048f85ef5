"""Relations between words and orders of words: what is asked for, and what is measured of it.

Depths are numbered as in ``measures``; NaN stands where a measure isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Pairs of words with one relation between them, such as country → capital."""

    name: str
    label: str
    pairs: tuple[tuple[str, str], ...]
    """Source and target."""
    candidates: tuple[str, ...]
    """The words that a target is looked for among, all targets included."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Words that follow each other, such as the months."""

    name: str
    label: str
    words: tuple[str, ...]
    cyclic: bool
    """Whether the first word follows the last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairRows:
    """A relation in one capture: its reference words."""

    pairs: np.ndarray
    """``(n_pairs, 2)`` int64: source and target, two rows; each row is the source of one pair at most, and the target of one."""
    candidates: np.ndarray
    """``(n_candidates,)`` int64"""


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderRows:
    """An order in one capture: its reference words."""

    words: np.ndarray
    """``(n_words,)`` int64, in their order."""
    places: np.ndarray
    """``(n_words,)`` int64: their places in the whole order, from 0."""
    n_places: int
    cyclic: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """A measure, its 95 % interval, and what it is by chance."""

    value: np.ndarray
    """``(n_depths,)`` float64."""
    low: np.ndarray
    """``(n_depths,)`` float64: lower end of the jackknife's 95 % interval."""
    high: np.ndarray
    """``(n_depths,)`` float64: its upper end."""
    without: np.ndarray
    """``(n_depths, n_groups)`` float64: the value with one group of pairs or words left out."""
    null_mean: np.ndarray
    """``(n_depths,)`` float64: mean over permutations; of R², which has no lower bound, the median."""
    null_high: np.ndarray
    """``(n_depths,)`` float64: their 95 % quantile."""
    p_value_uncorrected: np.ndarray
    """``(n_depths,)`` float64: (1 + permutations that do at least as well) / (1 + all), of each depth by itself."""
    p_value: np.ndarray
    """``(n_depths,)`` float64: the same against the best depth of each permutation, so that there being many depths is
    accounted for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RelationMeasures:
    """How far the differences between the words of pairs are one and the same vector, in one model × context."""

    rows: np.ndarray
    """``(n_pairs, 2)`` int64: the pairs of reference words; fewer than ``LEAST_PAIRS`` aren't measured."""
    n_candidates: int
    """How many words a hit is found among."""
    parallelism: Tested
    """In −1–1: mean cosine between the pairs' differences."""
    hits: np.ndarray
    """``(n_depths,)`` float64: for how many pairs source + mean difference of the other pairs is nearest to the target."""
    hits_of_source: np.ndarray
    """``(n_depths,)`` float64: for how many the source itself is, without any difference."""
    hits_null_mean: np.ndarray
    """``(n_depths,)`` float64: mean of ``hits`` over shuffled pairings."""
    hits_p_value_uncorrected: np.ndarray
    """``(n_depths,)`` float64."""
    coordinates: np.ndarray
    """``(n_depths, n_pairs, 2, 2)`` float32: source and target in the plane of the first two principal components of these
    words; NaN where there is none."""

    LEAST_PAIRS: ClassVar[int] = 5
    LEVEL: ClassVar[float] = 0.05

    @property
    def is_measured(self) -> bool:
        """Whether there are enough pairs."""
        return len(self.rows) >= self.LEAST_PAIRS

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths,)`` bool: parallel against chance, and the difference finds more targets than the sources alone do."""
        return (self.parallelism.p_value < self.LEVEL) & (self.hits > self.hits_of_source)


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderMeasures:
    """How well the order of some words can be read from their states, in one model × context."""

    rows: np.ndarray
    """``(n_words,)`` int64: its reference words, in their order; fewer than ``LEAST_WORDS`` aren't measured."""
    places: np.ndarray
    """``(n_words,)`` int64: the place of each in the whole order, from 0."""
    n_places: int
    """How many words the whole order has."""
    n_components: int
    """How many principal components of these words the regression has."""
    r2: Tested
    """At most 1: leave-one-out R² of the place; below 0 it does worse than the mean of all."""
    held_out: np.ndarray
    """``(n_depths, n_words, 2)`` float32: where a regression on the other words puts each word. Of a cycle that is on the
    circle's plane (cosine and sine); else its rank, and beside it the true one."""

    LEAST_WORDS: ClassVar[int] = 8
    LEVEL: ClassVar[float] = 0.05

    @property
    def is_measured(self) -> bool:
        """Whether there are enough words."""
        return len(self.rows) >= self.LEAST_WORDS

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths,)`` bool: where R² is above 0, and above what permuted orders give at any depth."""
        return (self.r2.value > 0) & (self.r2.p_value < self.LEVEL)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relations:
    """All of one model × context, in the order of the configuration; their labels are the report's."""

    n_permutations: int
    relations: tuple[RelationMeasures, ...]
    orders: tuple[OrderMeasures, ...]
