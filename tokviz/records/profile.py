"""What stands out of a model: each measure that has a value by chance, at its best depth; and what differs between two.

Made in ``measure/profile.py``; shown by ``pages/model/profile.py`` and ``pages/compare/differing.py``.
NaN stands where something isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tokviz.records import student
from tokviz.records.claims import Claim
from tokviz.records.measures import CategoryMeasure, Geometry, effect_of
from tokviz.records.relations import Relations

# --- one model -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Peak:
    """A measure at the depth where its effect is largest."""

    depth: int | None
    """None where the measure isn't defined at any depth."""
    value: float
    chance: float
    """At that depth; 0 of an order's R², which permuted orders push down without bound."""
    effect: float
    """0 at chance, 1 at the highest value that is possible."""
    is_above_chance: bool
    """Whether that is announced at any depth."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One model × context, on its reference words."""

    purity: Peak
    """In all dimensions."""
    silhouette: Peak
    """In all dimensions."""
    relations: tuple[Peak, ...]
    """Parallelism, in the order of the configuration."""
    orders: tuple[Peak, ...]
    """R², in the order of the configuration."""

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """All, in the order of the fields."""
        return (self.purity, self.silhouette, *self.relations, *self.orders)


def profile_of(geometry: Geometry, relations: Relations | None) -> Profile:
    """The best depths of what was measured, and what was decided on it."""
    found = relations.relations if relations else ()
    orders = relations.orders if relations else ()
    return Profile(
        purity=_of_categories(geometry.purity),
        silhouette=_of_categories(geometry.silhouette),
        relations=tuple(
            _peak(each.parallelism.value, each.parallelism.null_mean, 1.0, each.parallelism.claim.holds)
            for each in found
        ),
        orders=tuple(_peak(each.r2.value, np.zeros(len(each.r2.value)), 1.0, each.holds) for each in orders),
    )


def _of_categories(measure: CategoryMeasure) -> Peak:
    return _peak(measure.value, measure.null_mean, measure.bound, measure.above_chance.holds)


def _peak(value: np.ndarray, chance: np.ndarray, bound: np.ndarray | float, holds: np.ndarray) -> Peak:
    """``value``, ``chance``, ``holds``: ``(n_depths,)``."""
    effect = effect_of(value, chance, bound)
    if not np.isfinite(effect).any():
        nothing = float("nan")
        return Peak(depth=None, value=nothing, chance=nothing, effect=nothing, is_above_chance=False)
    depth = int(np.nanargmax(effect))
    return Peak(
        depth=depth,
        value=float(value[depth]),
        chance=float(chance[depth]),
        effect=float(effect[depth]),
        is_above_chance=bool(holds.any()),
    )


# --- two models ----------------------------------------------------------------------------------------------------

Unit = Literal["category", "word", "pair"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much larger the effect of a measure is in one model than in another, over the same words."""

    n: int
    """Words, or pairs of them, that both share: what is measured here."""
    unit: Unit
    """What the error is taken over."""
    value: float
    """The first model's less the second's, each at its best of as many depths as both have."""
    error: float
    """Its standard error."""
    freedom: int
    """Degrees of freedom of the error."""
    claim: Claim
    """Of the one value, whatever its sign."""

    @property
    def is_shown(self) -> bool:
        """Whether it is announced that the models differ."""
        return bool(self.claim.holds[0])

    @property
    def low(self) -> float:
        """Lower end of its interval, which holds together with those of all other differences of its family.

        Effects at their best depths lie between 0 and 1, so that no difference is beyond −1 or 1.
        """
        low = self.value - self._half
        return max(low, min(self.value, -1.0)) if np.isfinite(low) else low

    @property
    def high(self) -> float:
        """Its upper end."""
        high = self.value + self._half
        return min(high, max(self.value, 1.0)) if np.isfinite(high) else high

    @property
    def _half(self) -> float:
        """NaN until the claim is decided, infinite where it can't be."""
        return student.quantile(self.claim.threshold, self.freedom) * self.error if self.error > 0 else 0 * self.error


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Two models in one context, by each measure of ``Profile``."""

    purity: Difference
    silhouette: Difference
    relations: tuple[Difference, ...]
    orders: tuple[Difference, ...]

    N_OF_CATEGORIES: ClassVar[int] = 2
    """How many of them are of categories: the first."""

    @property
    def all(self) -> tuple[Difference, ...]:
        """In the order of ``Profile.peaks``."""
        return (self.purity, self.silhouette, *self.relations, *self.orders)
