"""Stages: runs of neighbouring depths, divided where the geometry changes far more than around it.

The change from one depth to the next is 1 − debiased CKA (``cka.geometry_vectors``). A stage begins where a change is larger than
those beside it, not small, and several times larger than the calmest of the few before it and of the few after it, so that neither
a gradual drift nor a beginning or an end in which everything changes is cut. The first and the last change have nothing on one
side. A boundary that doesn't recur when words are left out is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from tokviz.measure.cka import MIN_WORDS_CKA, centred_gram, cka_between, geometry_vectors
from tokviz.measure.spaces import standardized
from tokviz.records import Stage, StageCriteria

CRITERIA = StageCriteria(
    least_change=0.05,
    least_ratio=3.0,
    n_around=3,
    tolerance=1,
    n_subsamples=40,
    kept_share=0.7,
    least_recurrence=0.9,
    least_words=MIN_WORDS_CKA,
)
"""Subsamples are drawn without replacement, since duplicates ruin CKA. A boundary must recur in more of them than a
single word is in: none depends on one word."""


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """Where stages begin."""

    starts: tuple[int, ...]
    """Ascending depths, the first is 0."""
    recurrence: tuple[float, ...]
    """Per stage, 0–1: share of subsamples with a boundary there or one depth away; NaN for the first and where CKA shows none."""
    cka: np.ndarray
    """``(n_depths, n_depths)`` float64; NaN with too few words."""

    def bounds(self) -> list[tuple[int, int]]:
        """First and last depth of each stage."""
        return list(zip(self.starts, [start - 1 for start in (*self.starts[1:], len(self.cka))], strict=True))

    def records(self) -> tuple[Stage, ...]:
        """The stages, with how like their depths are to each other and to those of the stage before."""
        made: list[Stage] = []
        for (first, last), recurrence in zip(self.bounds(), self.recurrence, strict=True):
            inside = self.cka[first : last + 1, first : last + 1][np.triu_indices(last - first + 1, k=1)]
            across = self.cka[first : last + 1, made[-1].first_depth : first] if made else np.array([])
            cka_within, cka_before = (
                float(np.nanmean(pairs)) if np.isfinite(pairs).any() else float("nan") for pairs in (inside, across)
            )
            made.append(
                Stage(
                    first_depth=first,
                    last_depth=last,
                    recurrence=recurrence,
                    cka_within=cka_within,
                    cka_before=cka_before,
                )
            )
        return tuple(made)


def find(
    grams: np.ndarray, state_at: Callable[[int], np.ndarray], *, required: Collection[int] = (), seed: int = 0
) -> Segmentation:
    """Cut the depths into stages.

    Parameters
    ----------
    grams : ``(n_depths, n_words, n_words)``, from ``cka.centred_gram`` of the standardized states.
    state_at : depth → the states of the same words, ``(n_words, width)``: each subsample is standardized by itself, as one word
        can decide how a dimension is scaled.
    required : depths at which a stage begins whatever CKA says, such as the emergence of massive activations: CKA
        doesn't see a change of scale. A boundary that CKA shows at a depth beside one of them is taken for the same.
    """
    n_depths, n_words, _ = grams.shape
    if n_words < CRITERIA.least_words:
        cka, found = np.full((n_depths, n_depths), np.nan), {}
    else:
        vectors = geometry_vectors(grams)
        cka, found = cka_between(vectors, vectors), _recurring(vectors, state_at, n_words, seed)
    recurrence = dict.fromkeys(sorted({0, *required}), np.nan)
    for start, share in found.items():
        same = min(set(required), key=lambda depth: abs(depth - start), default=start)
        recurrence[same if abs(same - start) <= CRITERIA.tolerance else start] = share
    starts = tuple(sorted(recurrence))
    return Segmentation(starts=starts, recurrence=tuple(recurrence[start] for start in starts), cka=cka)


def _recurring(vectors: np.ndarray, state_at: Callable[[int], np.ndarray], n_words: int, seed: int) -> dict[int, float]:
    """The boundaries that most subsamples of the words have as well, and in what share of them they are."""
    candidates = boundaries(_changes(vectors))
    if not candidates:
        return {}
    random = np.random.default_rng((seed, 2))
    n_kept = round(CRITERIA.kept_share * n_words)
    parts = [np.sort(random.choice(n_words, n_kept, replace=False)) for _ in range(CRITERIA.n_subsamples)]
    near = _depths_near(candidates, len(vectors))
    states = [state_at(each) for each in near]
    n_found = dict.fromkeys(candidates, 0)
    for part in parts:
        of_part = np.zeros((len(vectors), n_kept * (n_kept - 1) // 2))
        of_part[near] = geometry_vectors(np.stack([centred_gram(standardized(each[part])) for each in states]))
        starts = boundaries(_changes(of_part))
        for start in candidates:
            n_found[start] += any(abs(start - other) <= CRITERIA.tolerance for other in starts)
    shares = {start: count / len(parts) for start, count in n_found.items()}
    return {start: share for start, share in shares.items() if share >= CRITERIA.least_recurrence}


def _depths_near(starts: Collection[int], n_depths: int) -> list[int]:
    """All that say whether a stage begins at one of these depths, or almost."""
    reach = CRITERIA.tolerance + CRITERIA.n_around
    return sorted(
        {depth for start in starts for depth in range(start - 1 - reach, start + reach + 1)} & {*range(n_depths)}
    )


def _changes(vectors: np.ndarray) -> np.ndarray:
    """``(n_depths - 1,)``: from each depth to the next; NaN beside a depth at which words are all alike."""
    defined = np.asarray(vectors.any(axis=1))
    similarity = np.einsum("dp,dp->d", vectors[:-1], vectors[1:])
    return np.where(defined[:-1] & defined[1:], 1 - similarity, np.nan)


def boundaries(changes: np.ndarray) -> list[int]:
    """The depths after the changes that stand out.

    Parameters
    ----------
    changes : ``(n_depths - 1,)``, each from a depth to the next; none stands out beside a NaN.
    """
    found = []
    for index in range(1, len(changes) - 1):
        change = changes[index]
        before = changes[max(index - CRITERIA.n_around, 0) : index]
        after = changes[index + 1 : index + 1 + CRITERIA.n_around]
        is_peak = change >= CRITERIA.least_change and before[-1] < change >= after[0]
        if is_peak and change >= CRITERIA.least_ratio * max(before.min(), after.min()):
            found.append(index + 1)
    return found
