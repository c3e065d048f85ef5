"""What is measured, as records.

Made in ``measure/geometry.py``, which calls what measures each; listed for pages in ``pages/charts/measures.py``.
Depths are numbered as everywhere: 0 is the embedding, k + 1 is after layer k. NaN stands where a measure isn't defined: too
few words, one category, states that are alike, a depth without a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from tokviz.records.claims import Claim
from tokviz.records.words import WordList

# --- one model in one context ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How the reference words lie in the full space."""

    effective_rank: np.ndarray
    """``(n_depths,)`` float64, 1 to the number of words minus one: exp of the entropy of the normalised singular values; the median
    over a context's templates."""
    pc1_share: np.ndarray
    """``(n_depths,)`` float64 in 0–1: how much of the words' variance the first principal component of the centred states
    holds; near 1 the words lie on a line."""
    mean_norm: np.ndarray
    """``(n_depths,)`` float64: mean Euclidean norm of the words' states, ≥ 0."""
    norm_spread: np.ndarray
    """``(n_depths,)`` float64: standard deviation of the norms (n − 1)."""
    mean_cosine: np.ndarray
    """``(n_depths,)`` float64 in −1–1: over all pairs of words; near 1 all words point the same way (anisotropy)."""


@dataclass(frozen=True, kw_only=True)
class MassiveActivations:
    """Where a few dimensions dwarf the rest: massive ones against other tokens, dominant ones within the words themselves.

    Of massive ones the median over words counts.
    """

    large: float
    """A massive activation has |x| above this …"""
    massive_ratio: float
    """… and above this many times an ordinary token's median |x| at that depth."""
    moderate_ratio: float
    """Moderately large: above ``large``, and above this many times the median."""
    dominant_share: float
    """A dominant dimension holds more than this part of Σ x² over the words, at least a half: there is one at most."""

    typical: np.ndarray
    """``(n_depths,)`` float64: the median |x| that ratios are taken against."""
    typical_context: str
    """Name of the context whose words these were read from."""
    typical_is_ordinary: bool
    """Whether those words were read away from position 0. If not, words that have all grown are measured
    against themselves: say so."""
    largest: np.ndarray
    """``(n_depths,)`` float64: each word's largest |x|, median over words."""
    ratio: np.ndarray
    """``(n_depths,)`` float64: ``largest`` / ``typical``."""
    massive: np.ndarray
    """``(n_depths,)`` bool."""
    moderate: np.ndarray
    """``(n_depths,)`` bool: moderately large, not massive."""
    dimensions: tuple[tuple[int, ...], ...]
    """Per depth the dimensions beyond that depth's own threshold (massive or moderate) in half of the words or more."""
    top_share: np.ndarray
    """``(n_depths,)`` float64 in 0–1: of Σ x², how much lies in the dimension that holds most of it; NaN if unknown."""
    dominant: tuple[int | None, ...]
    """Per depth the dominant dimension, if there is one and it is known."""
    energy_share: np.ndarray
    """``(n_depths,)`` float64 in 0–1: of Σ x², how much lies in ``dimensions`` and ``dominant``; 0 without any, NaN if
    unknown."""
    emergence_depth: int | None
    """The first massive depth; layer = depth − 1."""
    end_depth: int | None
    """The first depth after it that is not massive; None when that never comes."""
    step_down_depth: int | None
    """``end_depth`` where |x| itself fell there, below the mark of the depth before; None where it ends because other tokens
    have grown."""
    moderate_runs: tuple[tuple[int, int], ...]
    """First and last depth of each run of moderately large values."""
    carriers: tuple[str | None, ...] = ()
    """Per depth the word that alone has more than half of what the dominant dimension holds; empty if unknown."""

    @property
    def outgrown(self) -> np.ndarray:
        """``(n_depths,)`` bool: not massive, but above what was the mark at the last massive depth before: other tokens have grown."""
        marks = np.maximum(self.large, self.massive_ratio * self.typical)
        last = np.maximum.accumulate(np.where(self.massive, np.arange(len(marks)), -1))
        return ~self.massive & (last >= 0) & (self.largest > marks[last])


def effect_of(value: np.ndarray, chance: np.ndarray, bound: np.ndarray | float) -> np.ndarray:
    """``(n,)``: 0 at chance, 1 at the bound, so that depths and models with different chance compare; NaN where chance is the bound."""
    room = bound - chance
    return np.asarray(np.divide(value - chance, room, out=np.full(len(room), np.nan), where=room > 0))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure without chance, and how sure it is."""

    value: np.ndarray
    """``(n_depths,)`` float64: the median over a context's templates."""
    low: np.ndarray
    """``(n_depths,)`` float64: lower end of the 95 % interval for word lists of this size and these categories."""
    high: np.ndarray
    """``(n_depths,)`` float64: its upper end."""
    templates: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64: in each template; None with one."""

    @property
    def in_first_template(self) -> Self:
        """Of the context's first template alone, whose interval isn't kept; itself with one."""
        if self.templates is None:
            return self
        unknown = np.full(len(self.value), np.nan)
        return replace(self, value=self.templates[0], low=unknown, high=unknown, templates=None)


@dataclass(frozen=True, kw_only=True)
class CategoryMeasure(Measured):
    """A measure of how well categories hold, with what chance gives, how sure it is, and what is claimed of it."""

    null_mean: np.ndarray
    """``(n_depths,)`` float64: mean with the categories shuffled over the words of one case (chance)."""
    null_spread: np.ndarray
    """``(n_depths,)`` float64: the shuffles' standard deviation."""
    bound: np.ndarray
    """``(n_depths,)`` float64: the highest value that it can have with these categories; of purity, over words with distinct
    neighbours."""
    surface: float
    """The same measure of the words' surface (case, tokens, letters, how common they are), without any model;
    NaN where tokens aren't known."""
    above_chance: Claim
    """Against shuffles; its interval must lie above chance as well."""
    above_surface: Claim
    """That it is more than ``surface``."""
    first_null_mean: np.ndarray | None = None
    """``(n_depths,)`` float64: ``null_mean`` of the context's first template; None with one."""

    @property
    def effect(self) -> np.ndarray:
        """``(n_depths,)``: of each depth, see ``effect_of``."""
        return effect_of(self.value, self.null_mean, self.bound)

    @property
    def in_first_template(self) -> Self:
        """Of the context's first template alone; itself with one."""
        return replace(
            super().in_first_template,
            null_mean=self.null_mean if self.first_null_mean is None else self.first_null_mean,
            first_null_mean=None,
            above_chance=self.above_chance.in_first_template,
            above_surface=self.above_surface.in_first_template,
        )


@dataclass(frozen=True, kw_only=True)
class RawPurity(Measured):
    """Purity by cosine of the states as they are, which a few large dimensions may dominate."""

    without: np.ndarray
    """``(n_depths,)`` float64: the same without the three dimensions that hold most of the states' length; NaN where raw and
    standardized purity agree within their intervals."""
    dimensions: tuple[tuple[int, ...], ...]
    """Per depth which those are, where ``without`` is given; else none."""

    def named(self, depth: int, standardized: float) -> tuple[int, ...]:
        """The dimensions, where the difference to standardized purity is theirs: without them half of it is gone."""
        gap, left = standardized - self.value[depth], standardized - self.without[depth]
        return self.dimensions[depth] if abs(left) <= abs(gap) / 2 else ()

    @property
    def in_first_template(self) -> Self:
        """Of the context's first template alone, for which ``without`` isn't kept; itself with one."""
        if self.templates is None:
            return self
        return replace(super().in_first_template, without=np.full(len(self.value), np.nan))


@dataclass(frozen=True, kw_only=True)
class PictureMeasures:
    """How well the 2-D picture of one projection keeps categories and neighbours."""

    projection: str
    silhouette: Measured
    """In −1–1, Euclidean in the picture."""
    purity: CategoryMeasure
    """In 0–1, Euclidean in the picture."""
    trustworthiness: np.ndarray
    """``(n_depths,)`` float64 in 0–1: 1 when no two words are neighbours in the picture only, and not in the space that it projects."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Each depth against the depth before; NaN and empty at depth 0."""

    cka: np.ndarray
    """``(n_depths,)`` float64: debiased linear CKA of standardized states, 1 for the same geometry, about 0 for unrelated ones."""
    procrustes: np.ndarray
    """``(n_depths,)`` float64 in 0–1: what is left between the two pictures after shift, scale and rotation."""
    procrustes_projection: str | None
    """Whose pictures; None without any."""
    neighbour_overlap: np.ndarray
    """``(n_depths,)`` float64 in 0–1: share of each word's nearest neighbours that stay, mean over words."""
    n_neighbours: int
    """How many neighbours that counts."""
    moved: tuple[tuple[int, ...], ...]
    """Per depth the rows of the words that lost most of their neighbours, most first; only words that lost any."""


@dataclass(frozen=True, kw_only=True)
class AddedMeasure:
    """A measure that another package adds, at every depth."""

    column: str
    """In CSV files."""
    name: str
    """For readers, as is the caption."""
    caption: str
    package: str
    """Such as ``my-package 1.2``."""
    value: np.ndarray
    """``(n_depths,)`` float64; NaN where it isn't defined."""
    chance: np.ndarray | None
    """``(n_depths,)`` float64; None of a measure that has no such value."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A run of neighbouring depths with like geometry."""

    first_depth: int
    last_depth: int
    """Inclusive."""
    recurrence: float
    """0–1: in how many subsamples of the words CKA shows that this stage begins here, give or take one layer; NaN for the first, and
    where it begins by rule only: where massive activations emerge or end."""
    cka_within: float
    """Mean debiased CKA over its pairs of depths; NaN for a single depth."""
    cka_before: float
    """Mean debiased CKA between its depths and those of the stage before; NaN for the first."""


@dataclass(frozen=True, kw_only=True)
class StageCriteria:
    """What a boundary between stages must pass."""

    least_change: float
    """In 1 − CKA of standardized states, from one depth to the next."""
    least_ratio: float
    """It must be this many times the smallest of the ``n_around`` changes before it, and of those after it."""
    n_around: int
    """Fewer near the first and the last change, which are never boundaries."""
    tolerance: int
    """How many depths away it may be found in a subsample."""
    n_subsamples: int
    kept_share: float
    """Of the words, in each subsample."""
    least_recurrence: float
    """Share of the subsamples in which a boundary must be found."""
    least_words: int
    """With fewer, CKA says nothing: it is NaN, and stages begin only where massive activations come and go."""


@dataclass(frozen=True, kw_only=True)
class RefitCriteria:
    """How often the axes of a picture are fitted again on a part of its words, for the intervals of its measures."""

    n_parts: int
    kept_share: float
    """Of the words of each category, in each part."""
    most_kept: int
    """Words in each part; of long lists less than ``kept_share`` is kept."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Geometry:
    """All measures of one model × context, on its reference words."""

    MOST_SILHOUETTES: ClassVar[int] = 300
    """Over how many words a shuffle's silhouette is a mean, each with all others: 1,999 shuffles are quadratic in words, times
    categories."""

    n_reference: int
    n_measured: int
    """Fewer than ``n_reference`` when a sample was drawn, with ``seed``."""
    n_compared: int
    """How many of those the comparison of all depths with each other (``cka``, ``stages``) was made on."""
    seed: int
    n_permutations: int
    spread: Spread
    massive: MassiveActivations
    """Of the words' own hidden states."""
    position0: MassiveActivations
    """Of the hidden states at position 0 of the same texts: of the special token, where a model's texts begin with one. What
    is dominant there isn't known."""
    pc1_in_massive: np.ndarray
    """``(n_depths,)`` float64 in 0–1: PC1's squared loadings (plain PCA) on ``massive.dimensions`` and
    ``massive.dominant``, summed."""
    pc1_position: np.ndarray
    """``(n_depths,)`` float64 in 0–1: how much of PC1's variance over *all* words is whether they are read at position
    0 (correlation ratio η²); NaN when all are or none is."""
    silhouette: CategoryMeasure
    """In −1–1, full space, cosine of standardized states."""
    purity: CategoryMeasure
    """In 0–1, full space, cosine of standardized states: share of a word's nearest neighbours that share a category with it."""
    purity_raw: RawPurity
    """The same of the states as they are."""
    silhouette_raw: Measured
    n_neighbours: int
    """Of ``purity``, here and in the pictures."""
    with_neighbours: np.ndarray
    """``(n_depths,)`` float64 in 0–1: share of the words that have distinct nearest neighbours. A word has none if the
    last of them and the next word after it are one and the same state; measures of neighbours are of the others."""
    least_with_neighbours: float
    """Where fewer words than this share have any, measures of neighbours are NaN."""
    pictures: tuple[PictureMeasures, ...]
    """In the order of the projections."""
    change: Change
    cka: np.ndarray
    """``(n_depths, n_depths)`` float64: debiased linear CKA of standardized states, every depth with every other."""
    stages: tuple[Stage, ...]
    stage_criteria: StageCriteria
    refit_criteria: RefitCriteria
    effective_rank_in_templates: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64; None with one template."""

    @property
    def in_first_template(self) -> Geometry:
        """With what are medians over a context's templates replaced by the first one's; itself with one."""
        ranks = self.effective_rank_in_templates
        if ranks is None:
            return self
        return replace(
            self,
            spread=replace(self.spread, effective_rank=ranks[0]),
            silhouette=self.silhouette.in_first_template,
            purity=self.purity.in_first_template,
            purity_raw=self.purity_raw.in_first_template,
            silhouette_raw=self.silhouette_raw.in_first_template,
            effective_rank_in_templates=None,
        )

    def __repr__(self) -> str:
        starts = ", ".join(str(stage.first_depth) for stage in self.stages)
        n_depths = len(self.purity.value)
        return f"Geometry({n_depths} depths, {self.n_reference} reference words, stages from depths {starts})"


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The words nearest to each word in the full space, for readers to look up."""

    rows: np.ndarray
    """``(n_depths, n_words, k)`` int64: rows of the nearest others by cosine of standardized states, nearest first; of a reference word
    reference words, of another word any. −1 throughout for a word that has none to speak of, since other words have the very
    same states."""

    MOST_WORDS: ClassVar[int] = 3_000
    """Distances are quadratic in words, and the list of them is long: with more words there is no such record."""


@dataclass(frozen=True, kw_only=True)
class WordScores:
    """A whole number for each word at each depth, as a heat map of words and layers shows it."""

    values: np.ndarray
    """``(n_depths, n_words)`` int16, 0 to ``most``; ``UNKNOWN`` where there is none."""
    most: int

    UNKNOWN: ClassVar[int] = -1
    MOST_ROWS: ClassVar[int] = 400
    """With more words only categories have rows in a heat map."""

    def __post_init__(self) -> None:
        low, high = self.values.min(initial=0), self.values.max(initial=0)
        if low < self.UNKNOWN or high > self.most:
            raise ValueError(f"values: expected {self.UNKNOWN} to {self.most}, got {low} to {high}")

    def means(self, rows: np.ndarray) -> np.ndarray:
        """``(n_depths,)`` float64: mean over the words of these rows that have a score; NaN without any."""
        own = self.values[:, rows]
        known = own != self.UNKNOWN
        sums, counts = np.where(known, own, 0).sum(axis=1), known.sum(axis=1)
        return np.asarray(np.divide(sums, counts, out=np.full(len(own), np.nan), where=counts > 0))

    def category_means(self, words: WordList) -> np.ndarray:
        """``(n_categories, n_depths)`` float64: of the words of each category."""
        n_depths = len(self.values)
        rows = [
            [row for row, own in enumerate(words.memberships) if category in own]
            for category in range(len(words.categories))
        ]
        return np.array([self.means(np.array(own, dtype=np.int64)) for own in rows]).reshape(len(rows), n_depths)


# --- two models --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BestMatch:
    """The mean over the depths of either model, each model counting half, of the best match in the other."""

    value: float
    low: float
    """Lower end of the 95 % interval."""
    high: float
    chance: float
    """What it is on average where the words of one model are permuted: the best of many is above 0 between unrelated models."""
    within_categories: float
    """The same where they are permuted within categories: what the categories alone make alike."""


@dataclass(frozen=True, kw_only=True)
class LayerSimilarity:
    """How like the depths of one capture are to those of another, over the same words."""

    n_words: int
    n_compared: int
    """Fewer than ``n_words`` when a sample was drawn."""
    least_words: int
    """With fewer than these, ``cka`` says nothing, and is NaN."""
    cka: np.ndarray
    """``(n_depths_a, n_depths_b)`` float64: debiased linear CKA of standardized states."""
    neighbours: np.ndarray
    """``(n_depths_a, n_depths_b)`` float64 in 0–1: share of nearest neighbours (cosine of standardized states) that both have in
    common."""
    n_neighbours: int
    chance: float
    """What ``neighbours`` is between unrelated states: k / (n − 1)."""
    cka_summary: BestMatch
    neighbours_summary: BestMatch
    beyond_categories: Claim
    """Whether the best matches, of ``cka`` and of ``neighbours``, are better than with words permuted within categories."""
    shares_embedding: bool = False
    """Whether the words' embeddings are the same, or nearly: that layers are alike beyond categories then follows from it."""
