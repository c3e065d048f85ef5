"""Stages: runs of neighbouring depths with like geometry.

Each depth's geometry is a unit vector whose inner products are debiased CKA (``cka.geometry_vectors``). Stages are the
segmentation with the least squared distance of these vectors to the mean of their stage, plus a penalty per stage: kernel
change-point detection (Harchaoui & Cappé 2007; Arlot, Celisse & Harchaoui 2019, A kernel multiple change-point algorithm
via model selection), solved exactly by dynamic programming. A boundary that doesn't recur when words are left out is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.measure.cka import MIN_WORDS_CKA, cka_between, geometry_vectors, vectors_of_parts
from tokviz.records import StageCriteria

CRITERIA = StageCriteria(
    most_stages=6, n_subsamples=40, kept_share=0.7, least_recurrence=0.9, least_words=MIN_WORDS_CKA
)
"""Subsamples are drawn without replacement, since duplicates ruin CKA. A boundary must recur in more of them than a
single word is in: none depends on one word."""
TOLERANCE = 1
"""A change that takes two layers may be cut on either side."""
NOISE_FACTOR = 5.0
"""A stage must explain this many times the change between neighbours that a quarter of them stay below: in mere noise all
of them are about equal, and one more boundary explains about one such change."""
LEAST_GAIN = 0.15
"""… and at least what one layer explains by standing alone whose CKA with a long stage is 0.925 (2 (1 − 0.925))."""


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """Where stages begin."""

    starts: tuple[int, ...]
    """Ascending depths, the first is 0."""
    recurrence: tuple[float, ...]
    """Per stage, 0–1: share of subsamples with a boundary there; NaN for the first."""
    cka: np.ndarray
    """``(n_depths, n_depths)`` float64; NaN with too few words."""

    def bounds(self) -> list[tuple[int, int]]:
        """First and last depth of each stage."""
        return list(zip(self.starts, [start - 1 for start in (*self.starts[1:], len(self.cka))], strict=True))


def find(grams: np.ndarray, *, forced: Sequence[int] = (), seed: int = 0) -> Segmentation:
    """Cut the depths into one to six stages.

    Parameters
    ----------
    grams : ``(n_depths, n_words, n_words)``, from ``cka.centred_gram``.
    forced : depths at which a stage begins whatever CKA says, such as the emergence of massive activations: CKA
        doesn't see a change of scale.
    """
    n_depths, n_words, _ = grams.shape
    required = frozenset(forced) - {0}
    if n_words < CRITERIA.least_words:
        starts = tuple(sorted({0, *required}))
        unknown = np.full((n_depths, n_depths), np.nan)
        return Segmentation(starts=starts, recurrence=(np.nan,) * len(starts), cka=unknown)

    vectors = geometry_vectors(grams)
    cka = cka_between(vectors, vectors)
    candidates = _segment(vectors @ vectors.T, required)
    found = _subsampled_starts(grams, required, seed) if len(candidates) > 1 else []
    recurrence = {
        start: float(np.mean([any(abs(start - other) <= TOLERANCE for other in starts) for starts in found]))
        for start in candidates[1:]
        if found
    }
    starts = (
        0,
        *(start for start in candidates[1:] if start in required or recurrence[start] >= CRITERIA.least_recurrence),
    )
    return Segmentation(starts=starts, recurrence=tuple(recurrence.get(start, np.nan) for start in starts), cka=cka)


def _subsampled_starts(grams: np.ndarray, required: frozenset[int], seed: int) -> list[tuple[int, ...]]:
    """The boundaries, without 0, found in each subsample of the words."""
    n_words = grams.shape[1]
    random = np.random.default_rng((seed, 2))
    n_kept = round(CRITERIA.kept_share * n_words)
    parts = np.stack([random.choice(n_words, n_kept, replace=False) for _ in range(CRITERIA.n_subsamples)])
    every = vectors_of_parts(grams, np.sort(parts, axis=1))
    return [_segment(vectors @ vectors.T, required)[1:] for vectors in every]


def _segment(kernel: np.ndarray, required: frozenset[int]) -> tuple[int, ...]:
    """Where the best penalised stages begin, the first at 0.

    Parameters
    ----------
    kernel : ``(n_depths, n_depths)`` inner products of unit vectors.
    required : depths at which a stage must begin.
    """
    n_depths = len(kernel)
    costs = _costs(kernel, required)
    best = np.full((CRITERIA.most_stages + 1, n_depths + 1), np.inf)
    best[0, 0] = 0
    last_start = np.zeros((CRITERIA.most_stages + 1, n_depths + 1), dtype=np.int64)
    for n_stages in range(1, CRITERIA.most_stages + 1):
        totals = best[n_stages - 1, :, None] + costs
        last_start[n_stages] = totals.argmin(axis=0)
        best[n_stages] = totals.min(axis=0)

    noise = float(np.quantile(1 - np.diag(kernel, 1), 0.25)) if n_depths > 1 else 0.0
    penalty = max(NOISE_FACTOR * noise, LEAST_GAIN)
    n_stages = int(np.argmin(best[1:, n_depths] + penalty * np.arange(1, CRITERIA.most_stages + 1))) + 1
    starts, end = [], n_depths
    for count in range(n_stages, 0, -1):
        end = int(last_start[count, end])
        starts.append(end)
    return tuple(reversed(starts))


def _costs(kernel: np.ndarray, required: frozenset[int]) -> np.ndarray:
    """``(n_depths + 1, n_depths + 1)``: squared distances to the mean of a stage from i up to, without, j."""
    n_depths = len(kernel)
    sums = np.zeros((n_depths + 1, n_depths + 1))
    sums[1:, 1:] = kernel.cumsum(axis=0).cumsum(axis=1)
    norms = np.concatenate([[0.0], np.diag(kernel).cumsum()])
    corners = np.diag(sums)
    start, stop = np.arange(n_depths + 1)[:, None], np.arange(n_depths + 1)[None, :]
    inside = corners[None, :] + corners[:, None] - sums - sums.T
    costs: np.ndarray = norms[None, :] - norms[:, None] - inside / np.maximum(stop - start, 1)
    costs[stop <= start] = np.inf
    for depth in required:
        costs[(start < depth) & (stop > depth)] = np.inf
    return costs
