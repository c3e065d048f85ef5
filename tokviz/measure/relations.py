"""Whether pairs of words differ by one and the same vector, and whether a category's order can be read from its states.

Analogies by a mean difference: Mikolov, Yih & Zweig 2013, Linguistic regularities in continuous space word representations. A
target may be nearest to its source without any difference, so that hits alone show no relation: beside them stand those of
the source, what the difference adds to them, and the cosine between the differences. Orders: Engels et al. 2025, Not all
language model features are one-dimensionally linear.

Pairs are compared in standardized states. An order is read from states as they are, whose first components leave out the many
dimensions in which its words differ by little; whether it closes is told from distances, which are standardized (``closing``).

Chance: pairings are shuffled, orders permuted, and the signs of what the difference adds for each pair flipped, the same ones
at every depth and in all captures with so many pairs or words. What is claimed is decided over the whole report
(``decisions``). Intervals are a jackknife over pairs or words (Tukey 1958), or over 30 groups of them, with Student's quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import stdtrit

from tokviz.measure.closing import ClosingOverDepths
from tokviz.measure.decisions import N_SHUFFLES, claim
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates, OrderMeasures, OrderRows, PairRows, RelationMeasures, Relations, Tested

MOST_COMPONENTS = 5
MOST_GROUPS = 30
MOST_STANDARDIZED_BY = 2000
"""Reference words that the dimensions' means and variances are of; of more, a sample."""
_ALIKE = 1e-9
"""Cosines and R² that differ by less are alike: sums in another order differ by so much."""
_LEAST_LEFT = 1e-9
"""Of the variance: less is rounding."""
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
    rows = [
        *(np.concatenate([each.pairs.ravel(), each.candidates]) for each in pairs),
        *(each.words for each in orders),
    ]
    for depth, spaces in standardized_rows(states, np.flatnonzero(states.tokenization.reference), rows, seed):
        for relation, space in zip(of_pairs, spaces, strict=False):
            relation.add(depth, space)
        for order, space in zip(of_orders, spaces[len(of_pairs) :], strict=True):
            order.add(depth, states.states[depth][order.order.words], space)
    return Relations(
        n_permutations=N_SHUFFLES,
        relations=tuple(each.record(f"relation {index}") for index, each in enumerate(of_pairs)),
        orders=tuple(each.record(f"order {index}") for index, each in enumerate(of_orders)),
    )


def standardized_rows(
    states: HiddenStates, by: np.ndarray, rows: Sequence[np.ndarray], seed: int
) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Of each depth without infinite states its number, and groups of rows, standardized.

    Parameters
    ----------
    by : ``(n,)`` int64: the rows that means and variances are of; of many a sample.
    rows : ``(n,)`` int64 each.
    seed : of the sample.
    """
    if len(by) > MOST_STANDARDIZED_BY:
        by = np.sort(np.random.default_rng((seed, 7)).choice(by, MOST_STANDARDIZED_BY, replace=False))
    kept = np.concatenate([by, *rows])
    ends = np.cumsum([len(by), *map(len, rows)])
    for depth in range(states.n_depths):
        everything = states.states[depth]
        if np.isfinite(everything).all():
            space = standardized(everything[kept], np.arange(len(kept)) < len(by))
            yield depth, np.split(space, ends[:-1])[1:]


# --- relations ---------------------------------------------------------------------------------------------------


class _PairsOverDepths:
    """Gathers the measures of one relation."""

    def __init__(self, pairs: PairRows, n_depths: int, seed: int) -> None:
        self.pairs = pairs
        n_pairs = len(pairs.pairs)
        self.is_measured = n_pairs >= RelationMeasures.LEAST_PAIRS
        self.is_one_word = is_one_word(pairs.pairs)
        self.shuffles = permutations(n_pairs, seed, self.is_one_word if self.is_measured else None)
        self.signs = signs(n_pairs, seed)
        self.groups = groups_of(n_pairs)
        self.parallelism = _empty(n_depths, 1 + N_SHUFFLES)
        self.without = _empty(n_depths, len(self.groups))
        self.ranks = _empty(n_depths, 2, n_pairs)
        self.coordinates = np.full((n_depths, n_pairs, 2, 2), np.nan, dtype=np.float32)

    def add(self, depth: int, states: np.ndarray) -> None:
        """``states``: ``(2 * n_pairs + n_candidates, width)``, sources and targets in turn, then candidates."""
        if not self.is_measured:
            return
        rows = self.pairs.pairs
        both = _in_their_span(states)
        source, target = both[0 : 2 * len(rows) : 2], both[1 : 2 * len(rows) : 2]
        found = _parallel(source, target, self.is_one_word, self.shuffles, self.groups)
        if found is not None:
            self.parallelism[depth], self.without[depth] = found
        self.ranks[depth] = _ranks(source, target, both[2 * len(rows) :], self.pairs)
        self.coordinates[depth] = _plane(both[: 2 * len(rows)]).reshape(-1, 2, 2)

    def record(self, family: str) -> RelationMeasures:
        n_pairs = len(self.pairs.pairs)
        with_it, without = np.moveaxis(1 / self.ranks, 1, 0)
        gains = with_it - without
        gain = gains.sum(axis=1) / max(n_pairs, 1)
        flipped = gains @ self.signs.T / max(n_pairs, 1)
        hits, of_source = (
            np.where(np.isnan(each).any(axis=1), np.nan, (each == 1).sum(axis=1)) for each in (with_it, without)
        )
        value, low, high = _with_interval(self.parallelism[:, 0], self.without, least=-1.0)
        shuffled = self.parallelism[:, 1:]
        null_mean = shuffled.mean(axis=1)
        return RelationMeasures(
            rows=self.pairs.pairs,
            n_candidates=len(self.pairs.candidates),
            parallelism=Tested(
                value=value,
                low=low,
                high=high,
                without=self.without,
                null_mean=null_mean,
                claim=claim(family, value, shuffled, low > null_mean, _factorial(n_pairs)),
            ),
            hits=hits,
            hits_of_source=of_source,
            gain=gain,
            offset=claim(f"{family}, offset", gain, flipped, gain > 0, 2.0**n_pairs),
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


def _ranks(source: np.ndarray, target: np.ndarray, among: np.ndarray, pairs: PairRows) -> np.ndarray:
    """Which of the candidates the target is, from the nearest one by cosine on; a tie counts as nearer.

    Returns
    -------
    ``(2, n_pairs)``: to the source and the mean difference of all other pairs; to the source.
    """
    n = len(source)
    differences = target - source
    guesses = np.stack([source + (differences.sum(axis=0) - differences) / (n - 1), source])
    cosines = _unit(guesses) @ _unit(among).T
    # A word isn't its own target, even where sources and targets are of one category.
    is_source = pairs.pairs[:, 0, None] == pairs.candidates[None]
    is_target = pairs.pairs[:, 1, None] == pairs.candidates[None]
    own = np.where(is_target, cosines, -np.inf).max(axis=-1, keepdims=True)
    others = np.where(is_source | is_target, -np.inf, cosines)
    return np.asarray(1 + (others >= own - _ALIKE).sum(axis=-1))


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
        self.closing = ClosingOverDepths(order, n_depths, self.permutations) if order.cyclic else None
        self.left = _empty(n_depths, 1 + N_SHUFFLES)
        self.without = _empty(n_depths, len(self.groups))
        self.held_out = np.full((n_depths, n_words, 2), np.nan, dtype=np.float32)

    def add(self, depth: int, states: np.ndarray, space: np.ndarray) -> None:
        """``states``: ``(n_words, width)``; ``space``: the same words, standardized."""
        if not self.is_measured:
            return
        gram = _gram(states)
        found = _leave_one_out(gram, self.n_components)
        if np.isnan(found).any():
            return
        aims = self.aims[self.permutations].transpose(1, 0, 2)  # (n_words, 1 + N, n_aims)
        residuals = np.tensordot(found, aims, axes=1)
        total = ((self.aims - self.aims.mean(axis=0)) ** 2).sum()
        self.left[depth] = (residuals**2).sum(axis=(0, 2)) / total
        predicted = self.aims - residuals[:, 0]
        self.held_out[depth] = predicted if self.order.cyclic else np.hstack([predicted, self.aims])
        self.without[depth] = _r2_without(self.groups, gram, self.aims)
        if self.closing:
            self.closing.add(depth, space, self.aims, residuals[:, 0])

    def record(self, family: str) -> OrderMeasures:
        n_words = len(self.order.words)
        value, low, high = _with_interval(1 - self.left[:, 0], self.without, least=-np.inf)
        # An order and what it is in a mirror, and in a cycle with any word first, are one arrangement.
        n_arrangements = _factorial(n_words) / (2 * n_words if self.order.cyclic else 2) if n_words else 1.0
        # R² of permuted orders has no lower bound, which leaves no scale.
        scores = -np.log(np.maximum(self.left, _LEAST_LEFT))
        readable = claim(family, scores[:, 0], scores[:, 1:], value > 0, n_arrangements)
        return OrderMeasures(
            rows=self.order.words,
            places=self.order.places,
            n_places=self.order.n_places,
            n_components=self.n_components,
            r2=Tested(
                value=value,
                low=low,
                high=high,
                without=self.without,
                null_mean=np.median(1 - self.left[:, 1:], axis=1),
                claim=readable,
            ),
            held_out=self.held_out,
            closing=self.closing.record(family, n_arrangements) if self.closing else None,
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


def _with_interval(
    value: np.ndarray, without: np.ndarray, *, least: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(n_depths,)`` values, ``(n_depths, n_groups)`` those without each group → values, lower and upper ends."""
    freedom = without.shape[1] - 1
    half = np.full(len(value), np.nan)
    if freedom > 0:
        half = stdtrit(freedom, 0.975) * without.std(axis=1) * np.sqrt(freedom)
    return value, np.maximum(value - half, least), np.minimum(value + half, 1.0)


def _factorial(n: int) -> float:
    """Of numbers above 20, that of 20: more than are ever drawn."""
    return float(math.factorial(min(n, 20)))


def signs(n: int, seed: int) -> np.ndarray:
    """``(N_SHUFFLES, n)``: −1 or 1. Of few pairs all arrangements as often as each other, that of the pairs as they are included."""
    if 2**n > N_SHUFFLES:
        return np.random.default_rng((seed, 3)).choice([-1.0, 1.0], size=(N_SHUFFLES, n))
    # The pairs as they are count as one already.
    arrangements = np.arange(1, 1 + N_SHUFFLES) % 2**n
    return np.asarray(1.0 - 2 * (arrangements[:, None] >> np.arange(n) & 1))


def permutations(n: int, seed: int, refused: np.ndarray | None = None, n_permutations: int = N_SHUFFLES) -> np.ndarray:
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
