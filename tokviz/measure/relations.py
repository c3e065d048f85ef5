"""Whether pairs of words differ by one and the same vector, and whether a category's order can be read from its states.

Analogies by a mean difference: Mikolov, Yih & Zweig 2013, Linguistic regularities in continuous space word representations. A
target may be nearest to its source without any difference, so that hits alone show no relation: beside them stand those of
the source, and the cosine between the differences. Orders: Engels et al. 2025, Not all language model features are
one-dimensionally linear.

Chance is a permutation test: pairings are shuffled, orders permuted, the same ones at every depth. Corrected for the number of
depths, a value is held against the best depth of each permutation (Westfall & Young 1993, Resampling-based multiple testing);
the cosines, whose chance differs between depths, are first put on one scale. Intervals are a jackknife over pairs or words
(Tukey 1958), or over 30 groups of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.records import HiddenStates, OrderMeasures, OrderRows, PairRows, RelationMeasures, Relations, Tested

N_PERMUTATIONS = 999
MOST_COMPONENTS = 5
MOST_GROUPS = 30
_Z = 1.959964
_ALIKE = 1e-9
"""Cosines and R² that differ by less are alike: sums in another order differ by so much."""
_NO_SPREAD = 1e-7
"""Of the largest singular value: smaller ones are rounding of float32 states."""


def measure(states: HiddenStates, pairs: Sequence[PairRows], orders: Sequence[OrderRows], seed: int = 0) -> Relations:
    """All relations and orders of one model × context; one depth is read at a time.

    Parameters
    ----------
    seed : of the permutations; equal input and seed give equal numbers.
    """
    of_pairs = [_PairsOverDepths(each, states.n_depths, seed) for each in pairs]
    of_orders = [_OrderOverDepths(each, states.n_depths, seed) for each in orders]
    reference = np.flatnonzero(states.tokenization.reference)
    for depth in range(states.n_depths):
        everything = states.states[depth]
        if not np.isfinite(everything).all():
            continue
        centre = everything[reference].mean(axis=0, dtype=np.float64)
        for relation in of_pairs:
            relation.add(depth, everything, centre)
        for order in of_orders:
            order.add(depth, everything)
    return Relations(
        n_permutations=N_PERMUTATIONS,
        relations=tuple(each.record() for each in of_pairs),
        orders=tuple(each.record() for each in of_orders),
    )


# --- relations ---------------------------------------------------------------------------------------------------


class _PairsOverDepths:
    """Gathers the measures of one relation."""

    def __init__(self, pairs: PairRows, n_depths: int, seed: int) -> None:
        self.pairs = pairs
        n_pairs = len(pairs.pairs)
        self.is_measured = n_pairs >= RelationMeasures.LEAST_PAIRS
        self.is_one_word = is_one_word(pairs.pairs)
        self.shuffles = permutations(n_pairs, seed, self.is_one_word if self.is_measured else None)
        self.groups = groups_of(n_pairs)
        self.parallelism = _empty(n_depths, 1 + N_PERMUTATIONS)
        self.without = _empty(n_depths, len(self.groups))
        self.hits = _empty(n_depths, 1 + N_PERMUTATIONS)
        self.hits_of_source = _empty(n_depths)
        self.coordinates = np.full((n_depths, n_pairs, 2, 2), np.nan, dtype=np.float32)

    def add(self, depth: int, everything: np.ndarray, centre: np.ndarray) -> None:
        """``everything``: ``(n_words, width)``; ``centre``: ``(width,)``."""
        if not self.is_measured:
            return
        rows, candidates = self.pairs.pairs, self.pairs.candidates
        both = _in_their_span(everything[np.concatenate([rows.ravel(), candidates])] - centre)
        source, target = both[0 : 2 * len(rows) : 2], both[1 : 2 * len(rows) : 2]
        found = _parallel(source, target, self.is_one_word, self.shuffles, self.groups)
        if found is not None:
            self.parallelism[depth], self.without[depth] = found
        hit, self.hits_of_source[depth] = _hits(source, target, both[2 * len(rows) :], rows, candidates)
        self.hits[depth] = hit[np.arange(len(rows)), self.shuffles].sum(axis=1)
        self.coordinates[depth] = _plane(both[: 2 * len(rows)]).reshape(-1, 2, 2)

    def record(self) -> RelationMeasures:
        hits = _against_chance(self.hits)
        return RelationMeasures(
            rows=self.pairs.pairs,
            n_candidates=len(self.pairs.candidates),
            parallelism=_tested(self.parallelism, self.without, on_one_scale(self.parallelism), least=-1.0),
            hits=self.hits[:, 0],
            hits_of_source=self.hits_of_source,
            hits_null_mean=self.hits[:, 1:].mean(axis=1),
            hits_p_value_uncorrected=hits,
            coordinates=self.coordinates,
        )


def is_one_word(pairs: np.ndarray) -> np.ndarray:
    """``(n_pairs, 2)`` rows → ``(n_pairs, n_pairs)`` bool: where a source is the same word as a target."""
    return np.asarray(pairs[:, :1] == pairs[:, 1])


def parallel(
    states: np.ndarray, same: np.ndarray, pairings: np.ndarray, groups: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Parallelism of pairs at one depth.

    Parameters
    ----------
    states : ``(n_pairs, 2, width)``: of sources and targets.
    same : from ``is_one_word``.
    pairings : ``(n_pairings, n_pairs)`` int64: each source's target.
    groups : of pairs, to be left out in turn.

    Returns
    -------
    ``(n_pairings,)``, and of the pairs as they are ``(n_groups,)`` without each group; None where two different words have one
    and the same state.
    """
    both = _in_their_span(states.reshape(-1, states.shape[-1]).astype(np.float64))
    return _parallel(both[::2], both[1::2], same, pairings, groups)


def _parallel(
    source: np.ndarray, target: np.ndarray, same: np.ndarray, pairings: np.ndarray, groups: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """``source``, ``target``: ``(n_pairs, k)``."""
    distances = cdist(source, target)
    if not distances[~same].all():
        return None
    own = _unit(target - source)
    without = np.array([_mean_cosine(np.delete(own, group, axis=0)) for group in groups])
    return _parallelism(source, target, distances, pairings), without


def _parallelism(source: np.ndarray, target: np.ndarray, distances: np.ndarray, pairings: np.ndarray) -> np.ndarray:
    """Mean cosine between the differences of each pairing.

    Parameters
    ----------
    source, target : ``(n_pairs, k)``
    distances : ``(n_pairs, n_pairs)``, from each source to each target.
    pairings : ``(n_pairings, n_pairs)`` int64: each source's target.
    """
    n = len(source)
    of_source = 1 / distances[np.arange(n), pairings]
    of_target = np.empty_like(of_source)
    np.put_along_axis(of_target, pairings, of_source, axis=1)
    # Without all n² differences in memory: of 200 pairs they are 180 MB in a small model.
    total = of_target @ target - of_source @ source
    return np.asarray(((total**2).sum(axis=1) - n) / (n * (n - 1)))


def _mean_cosine(unit: np.ndarray) -> float:
    """Over all pairs of the rows ``(n, k)``, unit vectors."""
    n, total = len(unit), unit.sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))


def _hits(
    source: np.ndarray, target: np.ndarray, among: np.ndarray, rows: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, float]:
    """Who leads to whom.

    Returns
    -------
    ``(n_pairs, n_pairs)`` bool: whether a source, if it were paired with a target, would lead to it, by the mean difference
    of all others, which doesn't depend on how these are paired; and how many sources are themselves nearest to their target.
    """
    n = len(source)
    # What is predicted is a sum of two parts, the second one of the targets but one.
    of_source = source - (source.sum(axis=0) - source) / (n - 1)
    of_target = (target.sum(axis=0) - target) / (n - 1)
    # A word isn't its own target, even where sources and targets are of one category.
    is_source = rows[:, 0, None] == candidates[None]
    is_target = rows[:, 1, None] == candidates[None]
    unit = _unit(among)
    along_source, along_target = of_source @ unit.T, of_target @ unit.T
    lengths = cdist(of_source, -of_target)[..., None]
    hit = np.empty((n, n), dtype=bool)
    for each in range(n):
        along = along_source[each] + along_target
        cosines = np.divide(along, lengths[each], out=np.zeros_like(along), where=lengths[each] > 0)
        hit[each] = _is_nearest(cosines, is_source[each], is_target)
    return hit, float(_is_nearest(_unit(source) @ unit.T, is_source, is_target).sum())


def _is_nearest(cosines: np.ndarray, left_out: np.ndarray, is_target: np.ndarray) -> np.ndarray:
    """``(…)`` bool: whether the target's cosine is above all others, in ``(…, n_candidates)``; a tie is none."""
    own = np.where(is_target, cosines, -np.inf).max(axis=-1)
    others = np.where(left_out | is_target, -np.inf, cosines).max(axis=-1)
    return np.asarray(own > others + _ALIKE)


# --- orders ------------------------------------------------------------------------------------------------------


class _OrderOverDepths:
    """Gathers the measures of one order."""

    def __init__(self, order: OrderRows, n_depths: int, seed: int) -> None:
        self.order = order
        n_words = len(order.words)
        self.is_measured = n_words >= OrderMeasures.LEAST_WORDS
        self.n_components = n_components(n_words)
        self.aims = aims(order)
        self.permutations = permutations(n_words, seed)
        self.groups = groups_of(n_words)
        self.r2 = _empty(n_depths, 1 + N_PERMUTATIONS)
        self.without = _empty(n_depths, len(self.groups))
        self.held_out = np.full((n_depths, n_words, 2), np.nan, dtype=np.float32)

    def add(self, depth: int, everything: np.ndarray) -> None:
        """``everything``: ``(n_words, width)``."""
        if not self.is_measured:
            return
        gram = _gram(everything[self.order.words])
        found = _leave_one_out(gram, self.n_components)
        if np.isnan(found).any():
            return
        aims = self.aims[self.permutations].transpose(1, 0, 2)  # (n_words, 1 + N, n_aims)
        residuals = np.tensordot(found, aims, axes=1)
        total = ((self.aims - self.aims.mean(axis=0)) ** 2).sum()
        self.r2[depth] = 1 - (residuals**2).sum(axis=(0, 2)) / total
        predicted = self.aims - residuals[:, 0]
        self.held_out[depth] = predicted if self.order.cyclic else np.hstack([predicted, self.aims])
        self.without[depth] = _r2_without(self.groups, gram, self.aims)

    def record(self) -> OrderMeasures:
        return OrderMeasures(
            rows=self.order.words,
            places=self.order.places,
            n_places=self.order.n_places,
            n_components=self.n_components,
            r2=_tested(self.r2, self.without, self.r2, least=-np.inf),
            held_out=self.held_out,
        )


def r2(states: np.ndarray, order_aims: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Leave-one-out R² of an order at one depth, and without each group of its words: ``(1 + n_groups,)``.

    Parameters
    ----------
    states : ``(n_words, width)``.
    order_aims : ``(n_words, n_aims)``, from ``aims``.
    """
    return _r2_without([np.array([], dtype=np.int64), *groups], _gram(states), order_aims)


def _gram(states: np.ndarray) -> np.ndarray:
    """``(n, width)`` → ``(n, n)`` float64: inner products of the centred states."""
    centred = _centred(states.astype(np.float64))
    return np.asarray(centred @ centred.T)


def _r2_without(groups: list[np.ndarray], gram: np.ndarray, order_aims: np.ndarray) -> np.ndarray:
    """``(n_groups,)``: R² without each group of words, from as many components as with them; NaN where the others don't differ.

    Parameters
    ----------
    gram : ``(n, n)``, of states less any vector.
    """
    sizes = np.array([len(group) for group in groups])
    found = _empty(len(groups))
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        kept = np.stack([np.delete(np.arange(len(gram)), groups[each]) for each in alike])
        of_kept = order_aims[kept]
        spread = ((of_kept - of_kept.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))
        grams = gram[kept[:, :, None], kept[:, None, :]]
        for axis in (1, 2):
            grams -= grams.mean(axis=axis, keepdims=True)
        residuals = _leave_one_out(grams, n_components(len(gram))) @ of_kept
        found[alike] = 1 - (residuals**2).sum(axis=(1, 2)) / spread
    return found


def aims(order: OrderRows) -> np.ndarray:
    """What the regression aims at, ``(n_words, n_aims)``: cosine and sin of the place on the circle, or the place itself."""
    if not order.cyclic:
        return order.places[:, None].astype(np.float64)
    angles = 2 * np.pi * order.places / order.n_places
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def n_components(n_words: int) -> int:
    """How many principal components the regression has: few enough that it can fail."""
    return min(MOST_COMPONENTS, max((n_words - 2) // 2, 0))


def _leave_one_out(grams: np.ndarray, n_components: int) -> np.ndarray:
    """Aims → residuals of each word from the regression on the others, with the components of all words.

    Parameters
    ----------
    grams : ``(…, n, n)``, of centred states.

    Returns
    -------
    ``(…, n, n)``, NaN where the states don't differ, or a word alone decides on a coefficient.
    """
    n = grams.shape[-1]
    values, vectors = np.linalg.eigh(grams)
    largest = values[..., -1:]
    differ = values[..., -n_components:] > largest * _NO_SPREAD**2
    components = vectors[..., -n_components:] * differ[..., None, :]
    hat = components @ np.swapaxes(components, -1, -2) + 1 / n
    free = 1 - np.diagonal(hat, axis1=-2, axis2=-1)
    is_defined = (largest > 0) & (free.min(axis=-1, keepdims=True) >= _ALIKE)
    return np.asarray((np.eye(n) - hat) / np.where(is_defined, free, np.nan)[..., None])


# --- both --------------------------------------------------------------------------------------------------------


def _tested(values: np.ndarray, without: np.ndarray, compared: np.ndarray, *, least: float) -> Tested:
    """``values``, ``compared``: ``(n_depths, 1 + N)``, the observed one first, then each permutation's."""
    value, shuffled = values[:, 0], values[:, 1:]
    n_groups = without.shape[1]
    error = without.std(axis=1) * np.sqrt(n_groups - 1) if n_groups else np.full(len(value), np.nan)
    middle = np.median if least == -np.inf else np.mean
    return Tested(
        value=value,
        low=np.maximum(value - _Z * error, least),
        high=np.minimum(value + _Z * error, 1.0),
        without=without,
        null_mean=middle(shuffled, axis=1),
        null_high=np.quantile(shuffled, 0.95, axis=1),
        p_value_uncorrected=_against_chance(values),
        p_value=_against_best_depth(compared),
    )


def on_one_scale(values: np.ndarray) -> np.ndarray:
    """``(n_depths, 1 + N)``: how many standard deviations above the mean of its depth; the observed one counts as one of them."""
    spread = values.std(axis=1, keepdims=True)
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(values), where=~(spread <= 0)))


def _against_chance(values: np.ndarray) -> np.ndarray:
    """``(n_depths, 1 + N)`` → ``(n_depths,)``: share of all that do as well as the observed one, which is one of them."""
    share = (values >= values[:, :1] - _ALIKE).mean(axis=1)
    return np.where(np.isfinite(values).all(axis=1), share, np.nan)


def _against_best_depth(values: np.ndarray) -> np.ndarray:
    """The same, where each permutation is taken at its best depth."""
    known = np.isfinite(values).all(axis=1)
    if not known.any():
        return np.full(len(values), np.nan)
    best = values[known].max(axis=0)
    share = (best[None] >= values[:, :1] - _ALIKE).mean(axis=1)
    return np.where(known, share, np.nan)


def permutations(
    n: int, seed: int, refused: np.ndarray | None = None, n_permutations: int = N_PERMUTATIONS
) -> np.ndarray:
    """``(1 + n_permutations, n)`` int64: the order as it is, then shuffled ones.

    Parameters
    ----------
    refused : ``(n, n)`` bool, at most one per row and column: what may not stand where; the order as it is has none of it.
    """
    random = np.random.default_rng((seed, 2))
    shuffled = random.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
    if refused is not None:
        # Drawn again until they fit: of those that do, each is as likely as any other.
        while (unfit := refused[np.arange(n), shuffled].any(axis=1)).any():
            shuffled[unfit] = random.permuted(shuffled[unfit], axis=1)
    return np.concatenate([np.arange(n)[None], shuffled])


def groups_of(n: int) -> list[np.ndarray]:
    """What is left out in turn: each of ``n``, or each of ``MOST_GROUPS`` groups."""
    return [np.arange(first, n, MOST_GROUPS) for first in range(min(n, MOST_GROUPS))]


def _in_their_span(states: np.ndarray) -> np.ndarray:
    """``(n, width)`` → ``(n, ≤ n)`` float64 with the same inner products."""
    if states.shape[1] <= len(states):
        return states
    return np.asarray(np.linalg.qr(states.T).R.T)


def _plane(states: np.ndarray) -> np.ndarray:
    """``(n, k)`` → ``(n, 2)``: their first two principal components; NaN where they have none."""
    left, values, _ = np.linalg.svd(_centred(states), full_matrices=False)
    if len(values) < 2 or values[1] <= values[0] * _NO_SPREAD:
        return np.full((len(states), 2), np.nan)
    # As PCA's pictures have it: the largest coordinate of each axis is positive.
    scores = left[:, :2] * values[:2]
    return np.asarray(scores * np.sign(scores[np.abs(scores).argmax(axis=0), [0, 1]]))


def _centred(states: np.ndarray) -> np.ndarray:
    return np.asarray(states - states.mean(axis=0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1 along the last axis; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))


def _empty(*shape: int) -> np.ndarray:
    return np.full(shape, np.nan)
