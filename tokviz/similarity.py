"""How like the depths of one capture are to those of another: debiased linear CKA and mutual nearest neighbours.

Both compare how words lie among each other, so the two may differ in width, in depth and in model. They must speak of
the same words, captured the same way.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokviz.measures import (
    MIN_WORDS_CKA,
    Estimate,
    LayerSimilarity,
    centred_gram,
    cka_between,
    cosine_distances,
    geometry_vectors,
    nearest,
)
from tokviz.records import HiddenStates

MAX_COMPARED = 500
"""A words × words matrix of every depth is held in memory: above this a sample is compared."""
N_NEIGHBOURS = 10
N_SUBSAMPLES = 50
_Z = 1.959964


def shared_rows(a: HiddenStates, b: HiddenStates, *, single_token: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The words that both captured the same way: reference words in both, or those that are one token in both as well.

    Returns
    -------
    Two ``(n_words,)`` int64: the words' rows in ``a``, and in ``b``, in the order of ``a``.
    """

    def eligible(states: HiddenStates) -> dict[str, int]:
        tokenization = states.tokenization
        good = tokenization.reference & (tokenization.n_tokens == 1) if single_token else tokenization.reference
        return {tokenization.words[row].word: int(row) for row in np.flatnonzero(good)}

    in_a, in_b = eligible(a), eligible(b)
    words = [word for word in in_a if word in in_b]
    return (
        np.array([in_a[word] for word in words], dtype=np.int64),
        np.array([in_b[word] for word in words], dtype=np.int64),
    )


def layers(
    a: HiddenStates, b: HiddenStates, rows_a: np.ndarray, rows_b: np.ndarray, *, seed: int = 0
) -> LayerSimilarity:
    """Every depth of ``a`` against every depth of ``b``.

    Debiased linear CKA: see ``measures.geometry_vectors``. Mutual nearest neighbours: Huh et al. 2024, The platonic
    representation hypothesis; cosine, ten neighbours, or fewer below fifty words. The summaries' intervals come from
    halves of the words, drawn without replacement, whose spread is that of the whole (delete-half jackknife; Shao &
    Wu 1989, A general theory for jackknife variance estimation).

    Parameters
    ----------
    rows_a, rows_b : ``(n_words,)`` rows of the same words, from ``shared_rows``.
    seed : of samples and subsamples.

    Returns
    -------
    LayerSimilarity : NaN with fewer than four words; the intervals need eight.
    """
    if rows_a.shape != rows_b.shape:
        raise ValueError(f"rows_a and rows_b: expected the same words, got shapes {rows_a.shape} and {rows_b.shape}")
    random = np.random.default_rng((seed, 3))
    n_words = len(rows_a)
    kept = np.arange(n_words)
    if n_words > MAX_COMPARED:
        kept = np.sort(random.choice(n_words, MAX_COMPARED, replace=False))
    n_compared = len(kept)
    grams = [_per_depth(states, rows[kept], centred_gram) for states, rows in ((a, rows_a), (b, rows_b))]
    distances = [_per_depth(states, rows[kept], cosine_distances) for states, rows in ((a, rows_a), (b, rows_b))]
    enough = n_compared >= 2 * MIN_WORDS_CKA
    halves = [
        np.sort(random.choice(n_compared, n_compared // 2, replace=False)) for _ in range(N_SUBSAMPLES if enough else 0)
    ]
    k = max(1, min(N_NEIGHBOURS, n_compared // 5))
    cka, neighbours = _cka(*grams), _mutual_neighbours(k, *distances)
    return LayerSimilarity(
        n_words=n_words,
        n_compared=n_compared,
        cka=cka,
        neighbours=neighbours,
        n_neighbours=k,
        chance=k / (n_compared - 1) if n_compared > 1 else float("nan"),
        cka_summary=_estimate(cka, [_cka(*_part(grams, half)) for half in halves]),
        # Half as many neighbours among half the words reach as far as all of them do.
        neighbours_summary=_estimate(
            neighbours, [_mutual_neighbours(max(1, k // 2), *_part(distances, half)) for half in halves]
        ),
    )


def best_match(similarity: np.ndarray) -> float:
    """One number of a depth × depth similarity: the mean over depths of the best match in the other model.

    Each model counts half, so that the number is the same from either side; depths without any match are left out.
    """
    sides = []
    for matrix in (similarity, similarity.T):
        best = [row[np.isfinite(row)].max() for row in matrix if np.isfinite(row).any()]
        if not best:
            return float("nan")
        sides.append(float(np.mean(best)))
    return sum(sides) / 2


def _estimate(similarity: np.ndarray, of_halves: list[np.ndarray]) -> Estimate:
    value = best_match(similarity)
    error = float(np.std([best_match(half) for half in of_halves], ddof=1)) if of_halves else float("nan")
    return Estimate(value=value, low=value - _Z * error, high=min(value + _Z * error, 1.0))


def _per_depth(states: HiddenStates, rows: np.ndarray, relate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """``(n_depths, n_words, n_words)``: how the words of each depth relate, computed once."""
    return np.stack([relate(states.states[depth][rows]) for depth in range(states.n_depths)])


def _part(relations: list[np.ndarray], words: np.ndarray) -> list[np.ndarray]:
    return [relation[:, words[:, None], words[None, :]] for relation in relations]


def _cka(grams_a: np.ndarray, grams_b: np.ndarray) -> np.ndarray:
    return cka_between(geometry_vectors(grams_a), geometry_vectors(grams_b))


def _mutual_neighbours(k: int, distances_a: np.ndarray, distances_b: np.ndarray) -> np.ndarray:
    """``(n_depths_a, n_depths_b)``: share of each word's nearest neighbours that both have, mean over words."""
    n_words = distances_a.shape[1]
    if n_words < MIN_WORDS_CKA:
        return np.full((len(distances_a), len(distances_b)), np.nan)
    near_a, near_b = (
        np.stack([_is_nearest(matrix, k).ravel() for matrix in distances]) for distances in (distances_a, distances_b)
    )
    return np.asarray(near_a @ near_b.T / (n_words * k))


def _is_nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """``(n_words, n_words)`` float32: 1 where the column is one of the row's nearest others."""
    flags = np.zeros(distances.shape, dtype=np.float32)
    np.put_along_axis(flags, nearest(distances, k), 1, axis=1)
    return flags
