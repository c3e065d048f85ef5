"""What stands out of a model: each measure that has a value by chance, at the depth where it is furthest above it.

That depth is chosen again whenever words are left out, as intervals and differences between models must account for it:
chosen once, it would flatter the model with more layers. NaN stands where something isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Peak:
    """A measure at the depth where it is furthest above chance."""

    depth: int | None
    """None where the measure isn't defined at any depth."""
    value: float
    chance: float
    """At that depth; 0 of an order's R², which permuted orders push down without bound."""
    low: float
    """Lower end of the 95 % interval of ``above``."""
    high: float
    """Its upper end."""
    p_value: float
    """Against what shuffled words reach at their own best depth, so that there being many depths is accounted for."""

    LEVEL: ClassVar[float] = 0.05

    @property
    def above(self) -> float:
        """How far above chance."""
        return self.value - self.chance

    @property
    def is_above_chance(self) -> bool:
        """Whether it is shown to be."""
        return self.p_value < self.LEVEL and self.above > 0


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


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much further above chance one model is than another, over the same words."""

    n: int
    """Words, or pairs of them, that both share: what is measured here."""
    value: float
    """The first model's less the second's, each at its own best depth."""
    low: float
    """Lower end of its 95 % interval, from leaving the same words out in both."""
    high: float
    """Its upper end."""
    p_value_uncorrected: float
    """Two-sided, of this comparison by itself."""
    p_value: float
    """Corrected for the number of comparisons with the same measure (Holm)."""

    LEVEL: ClassVar[float] = 0.05

    @property
    def is_shown(self) -> bool:
        """Whether the models differ, as far as this can tell."""
        return self.p_value < self.LEVEL


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Two models in one context, by each measure of ``Profile``."""

    purity: Difference
    silhouette: Difference
    relations: tuple[Difference, ...]
    orders: tuple[Difference, ...]

    @property
    def all(self) -> tuple[Difference, ...]:
        """In the order of ``Profile.peaks``."""
        return (self.purity, self.silhouette, *self.relations, *self.orders)
