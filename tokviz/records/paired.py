"""How much larger a measure is in one capture than in another, word by word, at each depth.

Made in ``measure/paired.py``, of one capture in ``measure/paired_captures.py``; shown by ``pages/text/paired_facts.py``.
NaN stands where something isn't defined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokviz.records import student
from tokviz.records.claims import LEVEL, Claim


@dataclass(frozen=True, kw_only=True, eq=False)
class Paired:
    """Differences A − B of one measure, each the mean over the same words, at ``n`` pairs of depths.

    ``n_of`` of them stand side by side: one for all words together, or one for the words of each category. What pages ask for again
    and again is computed once: a claim is decided in a new record.
    """

    differences: np.ndarray
    """``(n_templates, n_of, n)`` float64, in the measure's unit."""
    errors: np.ndarray
    """``(n_templates, n_of, n)`` float64: their standard errors, at least what one group of words weighs."""
    n_groups: np.ndarray
    """``(n_of,)`` int64: groups of words that each is a mean of; what the error is taken over."""
    freedom: np.ndarray
    """``(n_of,)`` int64: degrees of freedom of the errors; 0 where there are too few words, which have no score."""
    least_left: np.ndarray
    """``(n_of, n)`` float64: the least that is left of a difference without any one group, scaling refitted, as a share of it;
    below 0 where its sign changes."""
    claim: Claim
    """That a difference isn't 0; its values are ``(n_of · n,)``, row by row."""
    most: float = math.inf
    """How far from 0 a difference can be: 1 of shares. Bands end there."""

    @cached_property
    def value(self) -> np.ndarray:
        """``(n_of, n)``: the median over templates."""
        return np.asarray(np.median(self.differences, axis=0))

    @property
    def error(self) -> np.ndarray:
        """``(n_of, n)``: the median over templates."""
        return np.asarray(np.median(self.errors, axis=0))

    @property
    def t(self) -> np.ndarray:
        """``(n_of, n)``: the median over templates of difference / error."""
        return np.asarray(np.median(self.differences / self.errors, axis=0))

    @cached_property
    def low(self) -> np.ndarray:
        """``(n_of, n)``: lower ends of the bands, which hold together with those of all other differences of the family.

        NaN until the claim is decided; as far from 0 as ``most`` where it can't be.
        """
        return self._ends(-1)

    @cached_property
    def high(self) -> np.ndarray:
        """``(n_of, n)``: their upper ends."""
        return self._ends(1)

    def _ends(self, sign: int) -> np.ndarray:
        found = np.median(self.differences + sign * self._reach * self.errors, axis=0)
        return np.asarray(np.clip(found, -self.most, self.most))

    @property
    def _reach(self) -> np.ndarray:
        """``(n_of, 1)``: how many errors to either side."""
        reach = [
            student.quantile(self.claim.threshold, int(each)) if each > 0 else float("nan") for each in self.freedom
        ]
        return np.array(reach)[:, None]

    @property
    def p_value(self) -> np.ndarray:
        """``(n_of, n)``: corrected for all values of the family; NaN until that is decided."""
        return np.asarray(self.claim.p_value.reshape(self.least_left.shape))

    @property
    def holds(self) -> np.ndarray:
        """``(n_of, n)`` bool: what is announced."""
        return np.asarray(self.claim.holds.reshape(self.least_left.shape))

    @property
    def is_too_few(self) -> np.ndarray:
        """``(n_of,)`` bool: whether there are too few words for an answer."""
        return np.asarray(self.freedom == 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedMeasure:
    """One measure, over all words and by category."""

    overall: Paired
    """One row."""
    by_category: Paired
    """A row for each of ``PairedMeasures.categories``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedMeasures:
    """Two captures of the same words."""

    n_words: int
    n_groups: int
    """Words that belong together are one group."""
    groups: tuple[tuple[str, ...], ...]
    """The groups of several words."""
    too_large: tuple[str, ...]
    """The largest group that is none, as it would be too large."""
    categories: tuple[int, ...]
    """Indices of the categories of these words."""
    depths: np.ndarray
    """``(n, 2)`` int64: the depth of A and the depth of B that each difference is between."""
    purity: PairedMeasure
    silhouette: PairedMeasure
    """Less what it is with categories shuffled over the words, which follows from how these lie."""
    kept: PairedMeasure
    """Neighbors kept from the depth before; no value at the embedding, nor between captures of another number of depths."""

    MEASURES: ClassVar[tuple[str, ...]] = ("purity", "silhouette", "kept")
    """The names of the fields that are measures."""
    LEAST_GROUPS: ClassVar[int] = 24
    """Of words, for an answer on all of them."""
    LEAST_IN_EACH: ClassVar[int] = 4
    """Of each category's, for the same."""
    LEAST_IN_ONE: ClassVar[int] = 10
    """Of a category's, for an answer on it alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoriesHeld:
    """Purity of each category's words by themselves, a row for each of ``n`` categories; the median over templates."""

    categories: tuple[int, ...]
    """Their indices."""
    n_words: tuple[int, ...]
    """Of each."""
    purity: np.ndarray
    """``(n, n_depths)`` float64, in 0–1."""
    chance: np.ndarray
    """``(n, n_depths)`` float64: the mean with categories shuffled among words of one case."""
    claim: Claim
    """That it is above chance; its values are ``(n · n_depths,)``, row by row."""
    mixed: np.ndarray
    """``(n, n_depths)`` float64: the p-value of its words being exchanged with those of the category that is most often among their
    neighbors, for its size; NaN where there is none."""
    LEAST_WORDS: ClassVar[int] = 8
    """Of two categories of so many words the best of all arrangements is rare enough to show anything; with fewer in one of them it takes
    more in the other."""
    MOST_CORRECTED: ClassVar[int] = 20
    """Categories that ``mixed`` is corrected for, as many as there are shuffles to show it."""

    @property
    def holds(self) -> np.ndarray:
        """``(n, n_depths)`` bool: what is announced where all categories together are above chance."""
        level = LEVEL / min(len(self.categories), self.MOST_CORRECTED)
        return np.asarray(self.claim.holds.reshape(self.purity.shape) & ~(self.mixed > level))

    @property
    def is_tested(self) -> np.ndarray:
        """``(n,)`` bool: what shuffles change at all, as other categories have words of its case, and of words enough to show it."""
        varies = np.isfinite(self.claim.score.reshape(self.purity.shape)).any(axis=1)
        return np.asarray(varies & (~self.are_few | self.holds.any(axis=1)))

    @property
    def are_few(self) -> np.ndarray:
        """``(n,)`` bool: whose words are too few to be told from those of another category of as many."""
        return np.asarray(self.n_words) < self.LEAST_WORDS


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedCapture:
    """What one capture is held against, word by word; each is the capture less the other."""

    embedding: PairedMeasures | None = None
    """Each layer less the embedding; None of an intervention."""
    unchanged: PairedMeasures | None = None
    """Less the model as it is; of an intervention alone."""
    first_context: PairedMeasures | None = None
    """Less the same words in the model's first context; None of that one itself, and where it wasn't captured."""
    untrained: PairedMeasures | None = None
    """Less random or permuted layers after the model's own embedding: of all seeds the one that is surest least. None where any is
    missing."""
    held: CategoriesHeld | None = None
    """Of the model as it is; None of an intervention."""
