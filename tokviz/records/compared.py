"""Two models in one context: how like their layers are, and what they differ in.

Gathered in ``run/plan/pairs.py``; shown by ``pages/compare/``.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.records.changed import Changed
from tokviz.records.measures import LayerSimilarity
from tokviz.records.paired import PairedMeasures
from tokviz.records.profile import Differences


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelSimilarity:
    """How like the layers of two models are to each other, in one context."""

    model_a: str
    """Slug; the rows of the matrices are its depths."""
    model_b: str
    """Slug; the columns."""
    context: str
    """Name."""
    shared: LayerSimilarity
    """Over the reference words of both."""
    single_token: LayerSimilarity | None
    """Over those of them that are one token in both: tokenisers differ, and so does what a token stands for. None for a
    pair that is summarised only."""

    def __repr__(self) -> str:
        rows, columns = self.shared.neighbours.shape
        return (
            f"ModelSimilarity({self.model_a} × {self.model_b}, {self.context}: {rows} × {columns} depths, "
            f"{self.shared.n_compared} words; .shared has cka and neighbours)"
        )


@dataclass(frozen=True, kw_only=True)
class ModelPair:
    """What differs between two models on the words that both have, in one context."""

    model_a: str
    """Slug."""
    model_b: str
    """Slug."""
    context: str
    """Name."""
    paired: PairedMeasures | None = None
    """The first less the second, word by word, at equal relative depth; None without categories to tell apart."""
    changed: Changed | None = None
    """What changed from the first to the second; None where they are not before and after."""


@dataclass(frozen=True, kw_only=True)
class ModelDifferences(ModelPair):
    """And how much further above chance the first is; in categories, whether that holds for other categories, too."""

    differences: Differences
    """Above 0 where the first model is further above chance."""

    @property
    def shown(self) -> tuple[bool, ...]:
        """By measure, in the order of ``Profile.peaks``, whether it is announced that they differ.

        Of categories only where the same is shown word by word: one word that ruins the scaling of a model makes it differ in all
        categories alike.
        """
        return tuple(
            each.is_shown and (index >= Differences.N_OF_CATEGORIES or self._is_shown_by_word(index, each.value))
            for index, each in enumerate(self.differences.all)
        )

    def _is_shown_by_word(self, index: int, value: float) -> bool:
        """Of purity or silhouette, in the direction of ``value``."""
        if self.paired is None:
            return False
        overall = (self.paired.purity, self.paired.silhouette)[index].overall
        return bool((overall.holds & (overall.value * value > 0)).any())


@dataclass(frozen=True, kw_only=True)
class NotCompared:
    """Two models that were to be compared in one context, and why they aren't."""

    model_a: str
    """Slug."""
    model_b: str
    """Slug."""
    context: str
    """Name."""
    failure: str
