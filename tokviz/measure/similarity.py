"""How like the depths of one capture are to those of another: debiased linear CKA and mutual nearest neighbours.

Both compare how words lie among each other, so the two may differ in width, in depth and in model. They must speak of
the same words, captured the same way.

The best of many depths is above 0 for unrelated models, too, and an author's categories make models alike that share nothing else.
So the words of one model are permuted, in one way for all its depths, and the same number is taken again: over all words, and
within categories (Gröger, Wen & Brbić 2026, Revisiting the platonic representation hypothesis, arXiv 2602.14486).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from tokviz.measure import decisions
from tokviz.measure.cka import MIN_WORDS_CKA, centred_gram, cka_between, geometry_vectors, vectors_of_parts
from tokviz.measure.distances import LEAST_KNOWN, are_known, cosine_distances, nearest
from tokviz.measure.labels import permuted_within
from tokviz.measure.spaces import standardized
from tokviz.measure.tested import Z
from tokviz.records import BestMatch, Claim, HiddenStates, LayerSimilarity

MAX_COMPARED = 200
"""Every permutation costs words × words for every pair of depths: above this a sample is compared."""
MOST_PAIRS_OF_DEPTHS = 250_000
"""Of two models: more take an hour and some ten gigabytes, and no two models that are known have a tenth of them."""
N_PERMUTATIONS = 199
"""Of all words, whose mean is shown; within categories there are as many as a claim needs."""
N_NEIGHBOURS = 10
MIN_WORDS_NEIGHBOURS = 4
N_SUBSAMPLES = 50
MAX_KEPT_BYTES = 1_000_000_000
"""Of memory for what is kept of captures between comparisons."""


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


_SAME_EMBEDDING = 0.1
"""Of a word's embedding: as far apart as one and the same, trained further, is at most."""


class LayerComparer:
    """Compares captures, and keeps what each brought: with many models each takes part in many comparisons.

    Parameters
    ----------
    seed : of samples and subsamples.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, bytes, int], _Relations] = {}
        self._permutations: dict[tuple[tuple[str, ...], tuple[tuple[int, ...], ...]], Permutations] = {}

    def compare(
        self,
        a: HiddenStates,
        b: HiddenStates,
        rows: tuple[np.ndarray, np.ndarray],
        memberships: Sequence[tuple[int, ...]],
    ) -> LayerSimilarity:
        """Every depth of ``a`` against every depth of ``b``.

        Debiased linear CKA: see ``cka.geometry_vectors``. Mutual nearest neighbours: Huh et al. 2024, The platonic
        representation hypothesis; cosine, ten neighbours, or fewer below fifty words. The summaries' intervals come
        from halves of the words, drawn without replacement, whose spread is that of the whole (delete-half jackknife;
        Shao & Wu 1989, A general theory for jackknife variance estimation).

        Parameters
        ----------
        rows : the same words' rows in ``a`` and in ``b``, from ``shared_rows``.
        memberships : per word of ``a`` the indices of its categories.

        Returns
        -------
        LayerSimilarity : mutual neighbours are NaN with fewer than four words, CKA with fewer than sixteen; intervals
            need eight.

        Raises
        ------
        ValueError : these aren't the same words, or there are too many depths.
        """
        if a.n_depths * b.n_depths > MOST_PAIRS_OF_DEPTHS:
            raise ValueError(
                f"expected at most {MOST_PAIRS_OF_DEPTHS:,} pairs of depths to compare, got {a.n_depths:,} × {b.n_depths:,}"
            )
        rows_a, rows_b = rows
        if rows_a.shape != rows_b.shape:
            raise ValueError(f"rows: expected the same words, got shapes {rows_a.shape} and {rows_b.shape}")
        n_words = len(rows_a)
        kept, k = _kept(n_words, self._seed)
        n_compared = len(kept)
        one, other = self._relations(a, rows_a[kept], k), self._relations(b, rows_b[kept], k)
        words = tuple(a.tokenization.words[row].word for row in rows_a[kept])
        permutations = self._permuted(words, tuple(memberships[row] for row in rows_a[kept]))
        one_token = all((s.tokenization.n_tokens[r[kept]] == 1).all() for s, r in ((a, rows_a), (b, rows_b)))
        cka, neighbours = one.cka_with(other), one.neighbours_with(other)
        free, within = (one.permuted_with(other, each) for each in (permutations.free, permutations.within))
        summaries = [
            _best_match(matrix, halves, free[index].mean(), within[index].mean(), least)
            for index, (matrix, halves, least) in enumerate(
                ((cka, one.cka_of_halves_with(other), -1.0), (neighbours, one.neighbours_of_halves_with(other), 0.0))
            )
        ]
        shares = _shares_embedding(a.states[0][rows_a[kept]], b.states[0][rows_b[kept]])
        return LayerSimilarity(
            n_words=n_words,
            n_compared=n_compared,
            least_words=MIN_WORDS_CKA,
            cka=cka,
            neighbours=neighbours,
            n_neighbours=k,
            chance=k / (n_compared - 1) if n_compared > 1 else float("nan"),
            cka_summary=summaries[0],
            neighbours_summary=summaries[1],
            beyond_categories=_claim(summaries, within, permutations.n_within, is_eligible=one_token and not shares),
            shares_embedding=shares,
        )

    def _permuted(self, words: tuple[str, ...], memberships: tuple[tuple[int, ...], ...]) -> Permutations:
        key = (words, memberships)
        found = self._permutations.pop(key, None) or Permutations.of(words, memberships, self._seed)
        self._permutations = {key: found}
        return found

    def _relations(self, states: HiddenStates, rows: np.ndarray, k: int) -> _Relations:
        key = (states.digest, rows.tobytes(), k)
        found = self._kept.pop(key, None) or _Relations(states, rows, k, self._seed)
        self._kept[key] = found
        while len(self._kept) > 2 and sum(each.n_bytes for each in self._kept.values()) > MAX_KEPT_BYTES:
            del self._kept[next(iter(self._kept))]
        return found


def of_same_depths(
    a: HiddenStates, b: HiddenStates, rows: tuple[np.ndarray, np.ndarray], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Debiased linear CKA and mutual nearest neighbours, ``(n_depths,)`` each, of every depth with the same depth.

    They are the diagonals of what ``LayerComparer.compare`` finds; see there.
    """
    kept, k = _kept(len(rows[0]), seed)
    found = np.full((2, a.n_depths), np.nan)
    for depth in range(a.n_depths):
        both = [standardized(each.states[depth][own[kept]]) for each, own in zip((a, b), rows, strict=True)]
        if len(kept) >= MIN_WORDS_CKA:
            vectors = geometry_vectors(np.stack([centred_gram(each) for each in both]))
            found[0, depth] = cka_between(vectors[:1], vectors[1:])[0, 0]
        near = _Nearest.among(np.stack([cosine_distances(each) for each in both]), k)
        found[1, depth] = near.shared_with(near)[0, 1]
    return found[0], found[1]


def _kept(n_words: int, seed: int) -> tuple[np.ndarray, int]:
    """Which of the words are compared, and how many neighbours of each."""
    kept = np.arange(n_words)
    if n_words > MAX_COMPARED:
        kept = np.sort(np.random.default_rng((seed, 3)).choice(n_words, MAX_COMPARED, replace=False))
    return kept, max(1, min(N_NEIGHBOURS, len(kept) // 5))


def _shares_embedding(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether most words' embeddings, ``(n_words, width)`` each, differ by little, as those of fine-tuned models do."""
    if one.shape != other.shape or not len(one):
        return False
    one, other = (each.astype(np.float64) for each in (one, other))
    apart, length = (np.linalg.norm(each, axis=1) for each in (one - other, one))
    return bool(np.median(apart - _SAME_EMBEDDING * length) <= 0)


def best_match(similarity: np.ndarray) -> float:
    """One number of a depth × depth similarity: the mean over depths of the best match in the other model.

    Each model counts half, so that the number is the same from either side; depths without any match are left out.
    """
    return float(best_matches(similarity[None])[0])


def best_matches(similarities: np.ndarray) -> np.ndarray:
    """``(n, n_depths_a, n_depths_b)`` → ``(n,)`` float64: the ``best_match`` of each."""
    if not similarities.size:
        return np.full(len(similarities), np.nan)
    sides = [np.fmax.reduce(similarities, axis=axis).astype(np.float64) for axis in (1, 2)]
    with np.errstate(invalid="ignore"):
        means = [np.nansum(side, axis=1) / np.isfinite(side).sum(axis=1) for side in sides]
    return np.asarray(sum(means) / 2)


def _best_match(
    similarity: np.ndarray, of_halves: list[np.ndarray], chance: float, within: float, least: float
) -> BestMatch:
    """``least``: what such values can't be below."""
    value = best_match(similarity)
    error = float(np.std([best_match(half) for half in of_halves], ddof=1)) if of_halves else float("nan")
    return BestMatch(
        value=value,
        low=max(value - Z * error, least),
        high=min(value + Z * error, 1.0),
        chance=float(chance),
        within_categories=float(within),
    )


def _claim(summaries: Sequence[BestMatch], within: np.ndarray, n_within: float, *, is_eligible: bool) -> Claim:
    """Of words of one token only: words that share a token are alike in any two models, whatever these know. Others aren't tested."""
    values = np.array([each.value if is_eligible else np.nan for each in summaries])
    above = np.array([each.low > each.within_categories for each in summaries])
    return decisions.claim("similarity", values, within, above, n_within)


# --- permutations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Permutations:
    """The same for all pairs of models: each word draws its own numbers, and words are permuted by the order of these."""

    free: np.ndarray
    """``(N_PERMUTATIONS, n_words)`` int64: of all words."""
    within: np.ndarray
    """``(N_SHUFFLES, n_words)`` int64: of words that have the same categories."""
    n_within: float
    """How many different ones there are of these."""

    @classmethod
    def of(cls, words: Sequence[str], memberships: Sequence[tuple[int, ...]], seed: int) -> Permutations:
        """``memberships``: per word the indices of its categories."""
        n_drawn = N_PERMUTATIONS + decisions.N_SHUFFLES
        drawn = [np.random.default_rng((seed, 5, *word.encode())).random(n_drawn) for word in words]
        keys = np.array(drawn).reshape(len(words), n_drawn).T
        sizes = Counter(memberships)
        kinds = np.array([list(sizes).index(own) for own in memberships], dtype=np.int64)
        within = permuted_within(keys[N_PERMUTATIONS:], kinds)
        n_within = math.prod(math.factorial(size) for size in sizes.values())
        return cls(free=keys[:N_PERMUTATIONS].argsort(axis=1), within=within, n_within=float(min(n_within, _MANY)))


_MANY = 10**15


# --- one capture's share of a comparison --------------------------------------------------------------------------


class _Relations:
    """How the words of each depth lie among each other: what one capture brings to a comparison with any other."""

    def __init__(self, states: HiddenStates, rows: np.ndarray, k: int, seed: int) -> None:
        n_words, self.k = len(rows), k
        grams, distances = np.empty((2, states.n_depths, n_words, n_words))
        for depth in range(states.n_depths):  # one in memory at a time: of a wide model all would be gigabytes
            state = standardized(states.states[depth][rows])
            grams[depth], distances[depth] = centred_gram(state), cosine_distances(state)
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

    def permuted_with(self, other: _Relations, permutations: np.ndarray) -> np.ndarray:
        """``(2, n_permutations)``: the best matches by CKA and by neighbours where the words of one of the two are permuted.

        They are those of the one with fewer depths, as permuting costs about as much as comparing.
        """
        if len(self.near.known) > len(other.near.known):
            return other.permuted_with(self, np.argsort(permutations, axis=1))
        n_words = self.near.known.shape[1]
        one, two = np.triu_indices(n_words, 1) if self.vectors.size else np.zeros((2, 0), dtype=np.int64)
        place = np.zeros((n_words, n_words), dtype=np.int64)
        place[one, two] = place[two, one] = np.arange(len(one))
        of_self, of_other = np.ascontiguousarray(self.vectors.T, np.float32), other.vectors.astype(np.float32)
        unknown = np.logical_not(np.logical_and.outer(of_other.any(axis=1), of_self.any(axis=0)))
        found = np.empty((2, len(permutations), len(other.near.known), len(self.near.known)), dtype=np.float32)
        shares = self.near.shares_permuted_with(other.near, permutations)
        for index, (order, shared) in enumerate(zip(permutations, shares, strict=True)):
            pairs = place.take(order.take(one) * n_words + order.take(two))
            found[0, index] = of_other @ of_self.take(pairs, axis=0)
            found[1, index] = shared.T
        found[0][:, unknown] = np.nan
        return np.stack([best_matches(each) for each in found])

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
        return self._shares(self.flags @ other.flags.T, self.known @ other.known.T)

    def shares_permuted_with(self, other: _Nearest, permutations: np.ndarray) -> Iterator[np.ndarray]:
        """The same for each of ``(n_permutations, n_words)`` permutations of the words of this one."""
        n_words = self.known.shape[1]
        moved, others = sparse.csr_matrix(self.flags), np.ascontiguousarray(other.flags.T)
        columns = moved.indices.copy()
        for order in permutations:
            place = np.argsort(order)
            places = (place[:, None] * n_words + place).ravel() if others.size else place
            # In place: to make another matrix takes longer than to multiply a small one.
            moved.indices[:] = places[columns]
            yield self._shares(moved @ others, self.known[:, order] @ other.known.T)

    def _shares(self, shared: np.ndarray, n_known: np.ndarray) -> np.ndarray:
        enough = (n_known > 0) & (n_known >= LEAST_KNOWN * self.known.shape[1])
        return np.asarray(np.divide(shared, self.k * n_known, out=np.full(shared.shape, np.nan), where=enough))
