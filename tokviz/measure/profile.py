"""How far a model is above chance in each measure that has one, how sure that is, and whether two models differ in it.

A measure is taken at the depth where it is furthest above chance. Intervals come from resamples of the words, the same ones at
every depth, and each resample takes the depth that is best in it: a depth chosen once would flatter the model with more of
them. Of relations and orders each resample leaves out a pair or a word, or one of 30 groups (jackknife; Tukey 1958). Of purity
and silhouette it weights all words at random, by how much the value follows the weight of each (see ``categories``; Gaussian
multipliers: van der Vaart & Wellner 1996, Weak convergence and empirical processes, ch. 2.9): leaving words out overestimates the
standard error of purity by a half, since neighbours change in jumps.

Two models are compared on the words that both share, in the same resamples: what a list of words does to both alike cancels
out. Chance isn't resampled: it hardly depends on single words. Quantiles are Student's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from tokviz.measure import categories
from tokviz.measure import relations as related
from tokviz.measure.distances import cosine_distances
from tokviz.measure.geometry import rows_with_category
from tokviz.measure.labels import Categories
from tokviz.measure.similarity import shared_rows
from tokviz.records import (
    Difference,
    Differences,
    Geometry,
    HiddenStates,
    OrderMeasures,
    OrderRows,
    PairRows,
    Peak,
    Profile,
    RelationMeasures,
    Relations,
    Tested,
)

MAX_COMPARED = 500
"""Two models are compared on a sample of their shared words above this."""
N_SHUFFLES = 99
"""For what is chance on shared words; how far they scatter isn't asked here."""
N_RESAMPLES = 999

Memberships = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Best:
    """A measure above chance: at its best depth, then in each resample at the depth that is best in that."""

    values: np.ndarray
    """``(1 + n_resamples,)`` float64; NaN if undefined."""
    scale: float
    """How many times the resamples' standard deviation the standard error is."""
    freedom: int
    """Degrees of freedom of that."""


def _weighted(above: np.ndarray, parts: np.ndarray, freedom: int, seed: int) -> _Best:
    """Resamples that weight the words at random.

    Parameters
    ----------
    above : ``(n_depths,)``, NaN where it isn't defined.
    parts : ``(n_depths, n_words)``, each word's part of the standard error.
    """
    known = np.isfinite(above)
    weights = np.random.default_rng((seed, 6)).normal(size=(parts.shape[1], N_RESAMPLES))
    moved = above[known, None] + parts[known] @ weights
    return _Best(values=_highest(np.hstack([above[known, None], moved])), scale=1.0, freedom=freedom)


def _left_out(above: np.ndarray, without: np.ndarray) -> _Best:
    """Resamples that leave out a pair, a word, or a group of them.

    Parameters
    ----------
    above : ``(n_depths,)``, NaN where it isn't defined.
    without : ``(n_depths, n_groups)``.
    """
    known, n_groups = np.isfinite(above), without.shape[1]
    values = _highest(np.hstack([above[known, None], without[known]]))
    return _Best(values=values, scale=float(np.sqrt(max(n_groups - 1, 0))), freedom=n_groups - 1)


def _highest(above: np.ndarray) -> np.ndarray:
    """``(n_depths, n)`` → ``(n,)``: each column at its own best depth; NaN where it has none."""
    best = np.where(np.isfinite(above), above, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(np.isfinite(best), best, np.nan)


def _error(resampled: np.ndarray, scale: float) -> float:
    return scale * float(resampled.std()) if len(resampled) else float("nan")


# --- one model -----------------------------------------------------------------------------------------------------


def profile(
    states: HiddenStates, memberships: Memberships, geometry: Geometry, relations: Relations | None, seed: int = 0
) -> Profile:
    """Of one model × context.

    Parameters
    ----------
    memberships : per word the indices of its categories.
    geometry, relations : measured of the same states.
    seed : of resamples; equal input and seed give equal numbers.
    """
    rows = rows_with_category(states, memberships, geometry.seed)
    _, parts, freedom = _of_words(states, rows, memberships)
    measured = ((geometry.purity, 0.0), (geometry.silhouette, -1.0))
    purity, silhouette = (
        _peak(
            (each.value, each.null_mean, each.above_chance.p_value),
            _weighted(each.value - each.null_mean, of_measure, freedom, seed),
            (least, 1.0),
        )
        for (each, least), of_measure in zip(measured, parts, strict=True)
    )
    pairs = [each.parallelism for each in relations.relations] if relations else []
    orders = [each.r2 for each in relations.orders] if relations else []
    return Profile(
        purity=purity,
        silhouette=silhouette,
        relations=tuple(_of_tested(each, each.null_mean, -1.0) for each in pairs),
        orders=tuple(_of_tested(each, np.zeros(len(each.value)), -np.inf) for each in orders),
    )


def _of_tested(tested: Tested, chance: np.ndarray, least: float) -> Peak:
    best = _left_out(tested.value - chance, tested.without - chance[:, None])
    return _peak((tested.value, chance, tested.claim.p_value), best, (least, 1.0))


def _peak(of_depths: tuple[np.ndarray, np.ndarray, np.ndarray], best: _Best, bounds: tuple[float, float]) -> Peak:
    """``of_depths``: value, chance and p-value, ``(n_depths,)`` each; ``bounds``: of the value."""
    value, chance, p_value = of_depths
    above = value - chance
    known = np.isfinite(above)
    if not known.any():
        nothing = float("nan")
        return Peak(depth=None, value=nothing, chance=nothing, low=nothing, high=nothing, p_value=nothing)
    depth = int(np.nanargmax(above))
    half = _quantile(best.freedom) * _error(best.values[1:], best.scale)
    least, most = (bound - float(chance[depth]) for bound in bounds)
    is_sure = np.isfinite(half)
    return Peak(
        depth=depth,
        value=float(value[depth]),
        chance=float(chance[depth]),
        low=max(float(above[depth]) - half, least) if is_sure else float("nan"),
        high=min(float(above[depth]) + half, most) if is_sure else float("nan"),
        p_value=float(np.fmin.reduce(p_value[known])),
    )


def _quantile(freedom: int) -> float:
    """Of Student's t, for intervals that hold 95 %; NaN without degrees of freedom."""
    return float(stdtrit(freedom, 0.975)) if freedom > 0 else float("nan")


# --- two models ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One of the two captures."""

    states: HiddenStates
    memberships: Memberships
    pairs: tuple[PairRows, ...]
    orders: tuple[OrderRows, ...]
    """As are ``pairs``: in the order of the configuration."""


class ProfileComparer:
    """Compares captures, and keeps what was measured of each: with many models most share the same words.

    Parameters
    ----------
    seed : of samples, shuffles and resamples.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, str, bytes], tuple[_Best, ...]] = {}

    def compare(self, a: Side, b: Side) -> Differences:
        """By each measure of ``Profile``; undefined where too few words or pairs are shared."""
        rows = self._shared_words(a, b)
        of_words = zip(self._of_words(a, rows[0]), self._of_words(b, rows[1]), strict=True)
        purity, silhouette = (_difference(len(rows[0]), *both) for both in of_words)
        return Differences(
            purity=purity,
            silhouette=silhouette,
            relations=tuple(self._relation(a, b, *both) for both in zip(a.pairs, b.pairs, strict=True)),
            orders=tuple(self._order(a, b, *both) for both in zip(a.orders, b.orders, strict=True)),
        )

    # --- words ---------------------------------------------------------------------------------------------------

    def _shared_words(self, a: Side, b: Side) -> tuple[np.ndarray, np.ndarray]:
        """The words with a category that both captured the same way, as rows of either."""
        rows_a, rows_b = shared_rows(a.states, b.states)
        kept = np.flatnonzero([bool(a.memberships[row]) for row in rows_a])
        if len(kept) > MAX_COMPARED:
            random = np.random.default_rng((self._seed, 5))
            kept = np.sort(random.choice(kept, MAX_COMPARED, replace=False))
        return rows_a[kept], rows_b[kept]

    def _of_words(self, side: Side, rows: np.ndarray) -> tuple[_Best, ...]:
        """Purity and silhouette."""
        key = (side.states.digest, "words", rows.tobytes())
        if key not in self._kept:
            above, parts, freedom = _of_words(side.states, rows, side.memberships, N_SHUFFLES, self._seed)
            both = zip(above, parts, strict=True)
            self._kept[key] = tuple(_weighted(*each, freedom, self._seed) for each in both)
        return self._kept[key]

    # --- relations and orders --------------------------------------------------------------------------------------

    def _relation(self, a: Side, b: Side, pairs_a: PairRows, pairs_b: PairRows) -> Difference:
        named = [
            {tuple(side.states.tokenization.words[row].word for row in pair): index for index, pair in enumerate(pairs)}
            for side, pairs in ((a, pairs_a.pairs.tolist()), (b, pairs_b.pairs.tolist()))
        ]
        shared = [pair for pair in named[0] if pair in named[1]]
        if len(shared) < RelationMeasures.LEAST_PAIRS:
            return _unknown(len(shared))
        rows = [
            pairs.pairs[[own[pair] for pair in shared]] for pairs, own in zip((pairs_a, pairs_b), named, strict=True)
        ]
        by = shared_rows(a.states, b.states)
        return _difference(len(shared), self._of_pairs(a, rows[0], by[0]), self._of_pairs(b, rows[1], by[1]))

    def _of_pairs(self, side: Side, rows: np.ndarray, by: np.ndarray) -> _Best:
        """``rows``: ``(n_pairs, 2)``; ``by``: the words that states are standardized over."""
        key = (side.states.digest, "pairs", rows.tobytes() + by.tobytes())
        if key not in self._kept:
            same = related.is_one_word(rows)
            pairings = related.permutations(len(rows), self._seed, same, N_SHUFFLES)
            groups = related.groups_of(len(rows))
            above, without = [], []
            for _, (space,) in related.standardized_rows(side.states, by, [rows.ravel()], self._seed):
                found = related.parallel(space.reshape(*rows.shape, -1), same, pairings, groups)
                if found is not None:
                    chance = found[0][1:].mean()
                    above.append(found[0][0] - chance)
                    without.append(found[1] - chance)
            self._kept[key] = (_left_out(np.array(above), np.array(without).reshape(-1, len(groups))),)
        return self._kept[key][0]

    def _order(self, a: Side, b: Side, order_a: OrderRows, order_b: OrderRows) -> Difference:
        shared, of_a, of_b = np.intersect1d(order_a.places, order_b.places, return_indices=True)
        if len(shared) < OrderMeasures.LEAST_WORDS:
            return _unknown(len(shared))
        return _difference(len(shared), self._of_order(a, order_a, of_a), self._of_order(b, order_b, of_b))

    def _of_order(self, side: Side, order: OrderRows, own: np.ndarray) -> _Best:
        """``own``: ``(n_words,)``, which of the order's words."""
        kept = OrderRows(words=order.words[own], places=order.places[own], n_places=order.n_places, cyclic=order.cyclic)
        key = (side.states.digest, "order", kept.words.tobytes() + kept.places.tobytes())
        if key not in self._kept:
            aims, groups = related.aims(kept), related.groups_of(len(kept.words))
            found = np.array([related.r2(state[kept.words], aims, groups) for state in _finite(side.states)])
            found = found.reshape(-1, 1 + len(groups))
            self._kept[key] = (_left_out(found[:, 0], found[:, 1:]),)
        return self._kept[key][0]


def _difference(n: int, a: _Best, b: _Best) -> Difference:
    apart, freedom = a.values - b.values, min(a.freedom, b.freedom)
    value, error = float(apart[0]), _error(apart[1:], a.scale)
    half = error * _quantile(freedom)
    if not np.isfinite(value) or not np.isfinite(half):
        return _unknown(n)
    # Where the words make no difference, nothing tells how much others would.
    p_value = float(2 * stdtr(freedom, -abs(value) / error)) if error > 0 else 1.0
    return Difference(
        n=n, value=value, low=value - half, high=value + half, p_value_uncorrected=p_value, p_value=p_value
    )


def _unknown(n: int) -> Difference:
    nothing = float("nan")
    return Difference(n=n, value=nothing, low=nothing, high=nothing, p_value_uncorrected=nothing, p_value=nothing)


# --- all depths ----------------------------------------------------------------------------------------------------


def _of_words(
    states: HiddenStates, rows: np.ndarray, memberships: Memberships, n_shuffles: int = 0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, int]:
    """Purity and silhouette of some words.

    Parameters
    ----------
    n_shuffles : what chance is measured with, to be taken off; 0 leaves the values as they are.

    Returns
    -------
    ``(2, n_depths)`` values, ``(2, n_depths, n_words)`` each word's part of their standard errors, degrees of freedom.
    """
    found = Categories(memberships=tuple(memberships[row] for row in rows), seed=seed, n_permutations=n_shuffles)
    values, parts = np.full((2, states.n_depths), np.nan), np.full((2, states.n_depths, len(rows)), np.nan)
    for depth in range(states.n_depths if len(rows) else 0):
        state = states.states[depth][rows]
        if not np.isfinite(state).all():
            continue
        distances = cosine_distances(state)
        for index, (value, influence) in enumerate(categories.with_influence(distances, found)):
            values[index, depth] = value
            if np.isfinite(value):
                parts[index, depth] = categories.by_word(influence, found)
        if n_shuffles and np.isfinite(values[1, depth]):
            values[1, depth] -= categories.shuffled_silhouette(distances, found).mean()
    if n_shuffles and len(rows):
        values[0] -= _expected_purity(found)
    return values, parts, len(rows) - len(found.counts) if len(rows) else 0


def _expected_purity(found: Categories) -> float:
    """Mean over all shuffles: how many of all pairs of words share a category."""
    kinds, share = found.kinds
    n_of_kind, n_words = np.bincount(kinds), len(kinds)
    pairs = float(n_of_kind @ share @ n_of_kind) - n_words
    return pairs / (n_words * (n_words - 1)) if n_words > 1 else float("nan")


def _finite(states: HiddenStates) -> Iterator[np.ndarray]:
    """Those of the depths that can be measured, one after the other."""
    every = (states.states[depth] for depth in range(states.n_depths))
    return (state for state in every if np.isfinite(state).all())
