"""How like the depths of one capture are to those of another: debiased linear CKA and mutual nearest neighbours.

Both compare how words lie among each other, so the two may differ in width, in depth and in model. They must speak of
the same words, captured the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tokviz.measure.cka import MIN_WORDS_CKA, centred_gram, cka_between, geometry_vectors, vectors_of_parts
from tokviz.measure.distances import LEAST_KNOWN, are_known, cosine_distances, nearest
from tokviz.records import Estimate, HiddenStates, LayerSimilarity

MAX_COMPARED = 500
"""A words × words matrix of every depth is held in memory: above this a sample is compared."""
N_NEIGHBOURS = 10
MIN_WORDS_NEIGHBOURS = 4
N_SUBSAMPLES = 50
MAX_KEPT_BYTES = 1_000_000_000
"""Of memory for what is kept of captures between comparisons."""
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


class LayerComparer:
    """Compares captures, and keeps what each brought: with many models each takes part in many comparisons.

    Parameters
    ----------
    seed : of samples and subsamples.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, bytes, int], _Relations] = {}

    def compare(self, a: HiddenStates, b: HiddenStates, rows: tuple[np.ndarray, np.ndarray]) -> LayerSimilarity:
        """Every depth of ``a`` against every depth of ``b``.

        Debiased linear CKA: see ``cka.geometry_vectors``. Mutual nearest neighbours: Huh et al. 2024, The platonic
        representation hypothesis; cosine, ten neighbours, or fewer below fifty words. The summaries' intervals come
        from halves of the words, drawn without replacement, whose spread is that of the whole (delete-half jackknife;
        Shao & Wu 1989, A general theory for jackknife variance estimation).

        Parameters
        ----------
        rows : the same words' rows in ``a`` and in ``b``, from ``shared_rows``.

        Returns
        -------
        LayerSimilarity : mutual neighbours are NaN with fewer than four words, CKA with fewer than sixteen; intervals
            need eight.
        """
        rows_a, rows_b = rows
        if rows_a.shape != rows_b.shape:
            raise ValueError(f"rows: expected the same words, got shapes {rows_a.shape} and {rows_b.shape}")
        random = np.random.default_rng((self._seed, 3))
        n_words = len(rows_a)
        kept = np.arange(n_words)
        if n_words > MAX_COMPARED:
            kept = np.sort(random.choice(n_words, MAX_COMPARED, replace=False))
        n_compared = len(kept)
        k = max(1, min(N_NEIGHBOURS, n_compared // 5))
        one, other = self._relations(a, rows_a[kept], k), self._relations(b, rows_b[kept], k)
        cka, neighbours = one.cka_with(other), one.neighbours_with(other)
        return LayerSimilarity(
            n_words=n_words,
            n_compared=n_compared,
            least_words=MIN_WORDS_CKA,
            cka=cka,
            neighbours=neighbours,
            n_neighbours=k,
            chance=k / (n_compared - 1) if n_compared > 1 else float("nan"),
            cka_summary=_estimate(cka, one.cka_of_halves_with(other)),
            neighbours_summary=_estimate(neighbours, one.neighbours_of_halves_with(other)),
        )

    def _relations(self, states: HiddenStates, rows: np.ndarray, k: int) -> _Relations:
        key = (states.digest, rows.tobytes(), k)
        found = self._kept.pop(key, None) or _Relations(states, rows, k, self._seed)
        self._kept[key] = found
        while len(self._kept) > 2 and sum(each.n_bytes for each in self._kept.values()) > MAX_KEPT_BYTES:
            del self._kept[next(iter(self._kept))]
        return found


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


# --- one capture's share of a comparison --------------------------------------------------------------------------


class _Relations:
    """How the words of each depth lie among each other: what one capture brings to a comparison with any other."""

    def __init__(self, states: HiddenStates, rows: np.ndarray, k: int, seed: int) -> None:
        n_words, self.k = len(rows), k
        depths = [states.states[depth][rows] for depth in range(states.n_depths)]
        grams = np.stack([centred_gram(depth) for depth in depths])
        distances = np.stack([cosine_distances(depth) for depth in depths])
        self.vectors = geometry_vectors(grams) if n_words >= MIN_WORDS_CKA else np.zeros((len(grams), 0))
        self.near = _Nearest.among(distances, k)
        random = np.random.default_rng((seed, 4))
        n_halves = N_SUBSAMPLES if n_words >= 2 * MIN_WORDS_NEIGHBOURS else 0
        drawn = [random.choice(n_words, n_words // 2, replace=False) for _ in range(n_halves)]
        halves = np.sort(np.array(drawn, dtype=np.int64).reshape(n_halves, n_words // 2), axis=1)
        # They only tell how far the summaries may be off: single precision will do.
        self.halves = [vectors.astype(np.float32) for vectors in vectors_of_parts(grams, halves)]
        # Half as many neighbours among half the words reach as far as all of them do.
        self.near_halves = [_Nearest.among(_part(distances, half), max(1, k // 2)) for half in halves]
        flags = [near.flags for near in (self.near, *self.near_halves)]
        self.n_bytes = sum(array.nbytes for array in (self.vectors, *self.halves, *flags))

    def cka_with(self, other: _Relations) -> np.ndarray:
        return cka_between(self.vectors, other.vectors)

    def neighbours_with(self, other: _Relations) -> np.ndarray:
        return self.near.shared_with(other.near)

    def cka_of_halves_with(self, other: _Relations) -> list[np.ndarray]:
        return [cka_between(*pair) for pair in zip(self.halves, other.halves, strict=True)]

    def neighbours_of_halves_with(self, other: _Relations) -> list[np.ndarray]:
        return [one.shared_with(two) for one, two in zip(self.near_halves, other.near_halves, strict=True)]


def _part(relations: np.ndarray, words: np.ndarray) -> np.ndarray:
    return relations[:, words[:, None], words[None, :]]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Nearest:
    """Whose nearest neighbours are whose, at every depth."""

    flags: np.ndarray
    """``(n_depths, n_words²)`` float32: 1 where the column is one of the row's nearest; without columns where words are
    too few."""
    known: np.ndarray
    """``(n_depths, n_words)`` float32: 1 for words that have distinct neighbours."""
    k: int

    @classmethod
    def among(cls, distances: np.ndarray, k: int) -> _Nearest:
        """``distances``: ``(n_depths, n_words, n_words)``."""
        n_depths, n_words, _ = distances.shape
        known = np.zeros((n_depths, n_words), dtype=np.float32)
        if n_words < MIN_WORDS_NEIGHBOURS:
            return cls(flags=np.zeros((n_depths, 0), dtype=np.float32), known=known, k=k)
        neighbours = nearest(distances, k)
        known[are_known(neighbours)] = 1
        flags = np.zeros(distances.shape, dtype=np.float32)
        np.put_along_axis(flags, neighbours, known[:, :, None], axis=2)
        return cls(flags=flags.reshape(n_depths, -1), known=known, k=k)

    def shared_with(self, other: _Nearest) -> np.ndarray:
        """``(n_depths_a, n_depths_b)``: share of each word's nearest neighbours that both have.

        Mean over the words that have distinct neighbours in both; NaN where these are too few.
        """
        n_known = self.known @ other.known.T
        enough = (n_known > 0) & (n_known >= LEAST_KNOWN * self.known.shape[1])
        shared = self.flags @ other.flags.T
        return np.asarray(np.divide(shared, self.k * n_known, out=np.full(shared.shape, np.nan), where=enough))
