"""What may be claimed: every value that is held against chance belongs to a family of tests, in which one rule decides.

Decided in ``measure/decisions.py``; the whole report's in ``run/publishing/deciding.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokviz.records.fields import FamilyKey

LEVEL = 0.01
"""How often a report may claim anything that is false."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim:
    """Values of one capture or one pair of models on the scale of their own chance, and what is decided on each.

    All claims of a family are held against the same shuffles or resamples, of which each is taken where it does best in any of
    them (Westfall & Young 1993, Resampling-based multiple testing: max-T).
    """

    family: FamilyKey
    """``categories``, ``surface``, ``relation 0``, ``order 1``, ``differences``, ``differences of relations``, ``similarity``,
    ``paired``, ``paired by category``; after a comma a further question about the same, which is answered only where the first one is:
    ``categories, each``, ``relation 0, offset``, ``order 1, ends meet``."""
    score: np.ndarray
    """``(n,)`` float64: how many standard deviations of its shuffles each value is above their mean; NaN where there is none."""
    highest: np.ndarray
    """``(n_shuffles,)`` float32: the highest score of each shuffle among the n values; −inf where there is none."""
    is_eligible: np.ndarray
    """``(n,)`` bool: what a claim needs besides its p-value, such as an interval above chance."""
    least_p_value: float
    """What no p-value can be below: there are so many shuffles, and so many different ones."""
    p_value: np.ndarray
    """``(n,)`` float64: corrected for all values of the family; NaN until that is decided."""
    holds: np.ndarray
    """``(n,)`` bool: what is announced; nothing until that is decided."""
    can_be_tested: bool = True
    """Whether its shuffles are enough for the level of its family; true until that is decided."""
    threshold: float = float("nan")
    """The score from which a value is announced; infinite where none can be, NaN until that is decided."""
    template_score: np.ndarray | None = None
    """``(n_templates, n)`` float64: where the values are medians over a context's templates, the score of each template; they
    belong to the family, too."""
    template_is_eligible: np.ndarray | None = None
    """``(n_templates, n)`` bool."""
    template_holds: np.ndarray | None = None
    """``(n_templates, n)`` bool: what would be announced of each template; None with one template, and until that is decided."""

    def decided(self, family: Family) -> Claim:
        """With p-values among all values of the family, and what its level announces."""
        p_value = family.p_values(self.score)
        can_be_tested = self.least_p_value <= family.level * _ROUNDING
        holds = self.is_eligible & (p_value <= family.level * _ROUNDING) & can_be_tested
        in_templates = None
        if self.template_score is not None and self.template_is_eligible is not None:
            of_templates = family.p_values(self.template_score) <= family.level * _ROUNDING
            in_templates = np.asarray(self.template_is_eligible & of_templates & can_be_tested)
        return replace(
            self,
            p_value=p_value,
            holds=holds,
            can_be_tested=can_be_tested,
            threshold=family.threshold,
            template_holds=in_templates,
        )

    @property
    def untold(self) -> Claim:
        """That of values which no page says anything on: it has no part in its family."""
        unknown = np.full_like(self.score, np.nan)
        highest = np.full_like(self.highest, -np.inf)
        return replace(self, score=unknown, highest=highest, p_value=unknown, holds=np.zeros_like(self.holds))

    @property
    def in_first_template(self) -> Claim:
        """What is announced of the context's first template alone, whose p-values aren't kept; itself with one."""
        if self.template_score is None or self.template_is_eligible is None or self.template_holds is None:
            return self
        return replace(
            self,
            score=self.template_score[0],
            is_eligible=self.template_is_eligible[0],
            p_value=np.full(len(self.p_value), np.nan),
            holds=self.template_holds[0],
            template_score=None,
            template_is_eligible=None,
            template_holds=None,
        )

    @property
    def all_scores(self) -> np.ndarray:
        """``(n_values,)``: of all that its family holds of it."""
        own = () if self.template_score is None else (self.template_score.ravel(),)
        return np.concatenate([self.score, *own])


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """What chance reaches in families that share a level, on a scale on which their tails are alike."""

    heights: np.ndarray
    """``(n_all,)`` float64, ascending: the highest scores of all shuffles of all of them."""
    beyond: np.ndarray
    """``(n_all + 1,)`` float64: which share of a family's shuffles reach that height, summed over families; of none 0."""

    @classmethod
    def of(cls, families: Iterable[Family]) -> Pool:
        """Of at least one."""
        found = [(each.on_scale(each.highest), len(each.highest) + 1) for each in families]
        heights = np.concatenate([own for own, _ in found])
        weights = np.concatenate([np.full(len(own), 1 / n) for own, n in found])
        order = np.argsort(heights, kind="stable")
        beyond = np.cumsum(weights[order][::-1])[::-1].round(12)
        return cls(heights=heights[order], beyond=np.append(beyond, 0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """All values of a report that one question is asked of."""

    key: str
    share: str
    """Of the level, which families have together."""
    highest: np.ndarray
    """``(n_shuffles,)`` float64, ascending: the highest score of each shuffle among all values of the family."""
    n_values: int
    best: float
    """The highest score."""
    least_p_value: float
    level: float
    """Of its share: values are announced from this corrected p-value down; 0 where it can't be tested."""
    pool: Pool | None = None
    """Of all families of its share that can be tested; None for itself alone."""
    is_one_of_many: bool = False
    """Whether there are so many in its share that the shape of each one's tail isn't told apart."""

    MOST_SHAPED: ClassVar[int] = 40
    """With more, the errors of so many fitted shapes would add up: in simulations with 160 families to four times the level."""

    @property
    def p_value(self) -> float:
        """The smallest of its corrected p-values."""
        return float(self.p_values(np.array([self.best]))[0])

    @property
    def can_be_tested(self) -> bool:
        """Whether its shuffles are enough for the level."""
        return self.least_p_value <= self.level * _ROUNDING

    @cached_property
    def threshold(self) -> float:
        """The score from which a value is announced; infinite where none can be."""
        pool = self._pool
        enough = pool.beyond[1:] + self._own_part <= self.level * _ROUNDING
        return self._tail.score(float(pool.heights[enough.argmax()])) + 2 * _ALIKE if enough.any() else float("inf")

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """``(…)`` scores → ``(…)`` p-values, corrected for all values of the share; NaN where there is no score."""
        pool = self._pool
        found = pool.beyond[np.searchsorted(pool.heights, self.on_scale(scores - _ALIKE), side="left")] + self._own_part
        return np.where(np.isfinite(scores), np.minimum(found, 1.0), np.nan)

    def shows(self, claim: Claim) -> bool:
        """Whether the p-values of all values of one of its claims are at most the level."""
        scores = claim.all_scores
        shown = self.p_values(scores[np.isfinite(scores)]) <= self.level * _ROUNDING
        return bool(shown.all()) and claim.least_p_value <= self.level * _ROUNDING

    def on_scale(self, scores: np.ndarray) -> np.ndarray:
        """As heights of a pool."""
        return self._tail.heights(scores)

    @cached_property
    def _tail(self) -> _Tail:
        return _Tail.of(self.highest[np.isfinite(self.highest)], is_shaped=not self.is_one_of_many)

    @cached_property
    def _pool(self) -> Pool:
        return self.pool or Pool.of([self])

    @property
    def _own_part(self) -> float:
        """What is there counts as one of the shuffles."""
        return 1 / (len(self.highest) + 1)


@dataclass(frozen=True, kw_only=True)
class _Tail:
    """A generalized Pareto distribution of what lies beyond the 95 % quantile, by its mean and variance.

    Knijnenburg et al. 2009, Fewer permutations, more accurate P-values. Here it decides only how families divide their level: how often
    chance reaches a height is counted.
    """

    far: float
    unit: float
    shape: float
    """Below 0 where scores have a bound."""

    BOUND: ClassVar[float] = 1.1
    """How far beyond the quantile a bound is at least, as a multiple of what chance reached."""

    @classmethod
    def of(cls, highest: np.ndarray, *, is_shaped: bool) -> _Tail:
        far = float(np.quantile(highest, 0.95)) if len(highest) else 0.0
        beyond = highest[highest > far] - far
        if not len(beyond):
            return cls(far=far, unit=1.0, shape=0.0)
        mean, variance = float(beyond.mean()), float(beyond.var())
        if variance <= _ALIKE**2 or not is_shaped:
            return cls(far=far, unit=mean, shape=0.0)
        unit = mean * (1 + mean**2 / variance) / 2
        shape = max((1 - mean**2 / variance) / 2, -unit / (cls.BOUND * float(beyond.max())))
        return cls(far=far, unit=unit, shape=shape if abs(shape) > _ALIKE else 0.0)

    def heights(self, scores: np.ndarray) -> np.ndarray:
        """−ln of how often that is exceeded of what is beyond the quantile; infinite beyond the bound."""
        found = (scores - self.far) / self.unit
        if self.shape:
            with np.errstate(divide="ignore"):
                beyond = np.log(np.maximum(1 + self.shape * np.maximum(found, 0), 0)) / self.shape
            found = np.where(found > 0, beyond, found)
        return np.asarray(found)

    def score(self, height: float) -> float:
        """Which has that height, one beyond the quantile or not."""
        found = np.expm1(self.shape * height) / self.shape if self.shape and height > 0 else height
        return self.far + self.unit * float(found)


_ROUNDING = 1 + 1e-9
_ALIKE = 1e-6
"""Scores that differ by less are alike: those of shuffles are sums in single precision, in another order."""
