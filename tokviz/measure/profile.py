"""How far a model is above chance in each measure that has one, how sure that is, and whether two models differ in it.

A measure is taken at the depth where it is furthest above chance. Intervals leave out groups of words in turn (delete-a-group
jackknife; Tukey 1958; Shao & Wu 1989, A general theory for jackknife variance estimation), at most 30, each with words of all
categories; of a relation pairs are left out. Each time the best depth is looked for again among all, since a depth chosen once
would flatter the model with more of them. Chance isn't measured again without the words: it hardly depends on them.

Two models are compared on the words that both share, and the same groups are left out in both: what a list of words does to
both alike cancels out. Quantiles are Student's, with as many degrees of freedom as there are groups less one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from tokviz.measure import relations as related
from tokviz.measure.categories import Categories, shuffled_silhouette
from tokviz.measure.distances import cosine_distances
from tokviz.measure.geometry import rows_with_category
from tokviz.measure.left_out import groups_of_words, left_out
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

Memberships = tuple[tuple[int, ...], ...]


def profile(states: HiddenStates, memberships: Memberships, geometry: Geometry, relations: Relations | None) -> Profile:
    """Of one model × context.

    Parameters
    ----------
    memberships : per word the indices of its categories.
    geometry, relations : measured of the same states.
    """
    rows = rows_with_category(states, memberships, geometry.seed)
    purity, silhouette = (each[:, 1:] for each in _over_depths(states, rows, memberships))
    of_words, of_silhouette = geometry.purity, geometry.silhouette
    return Profile(
        purity=_peak(of_words.value, of_words.null_mean, purity, of_words.p_value, (0.0, 1.0)),
        silhouette=_peak(of_silhouette.value, of_silhouette.null_mean, silhouette, of_silhouette.p_value, (-1.0, 1.0)),
        relations=tuple(
            _of_tested(each.parallelism, each.parallelism.null_mean, (-1.0, 1.0))
            for each in (relations.relations if relations else ())
        ),
        orders=tuple(
            _of_tested(each.r2, np.zeros(len(each.r2.value)), (-np.inf, 1.0))
            for each in (relations.orders if relations else ())
        ),
    )


def _of_tested(tested: Tested, chance: np.ndarray, bounds: tuple[float, float]) -> Peak:
    return _peak(tested.value, chance, tested.without, tested.p_value, bounds)


def _peak(
    value: np.ndarray, chance: np.ndarray, without: np.ndarray, p_value: np.ndarray, bounds: tuple[float, float]
) -> Peak:
    """``value``, ``chance``, ``p_value``: ``(n_depths,)``; ``without``: ``(n_depths, n_groups)``."""
    above = value - chance
    known = np.isfinite(above)
    if not known.any():
        nothing = float("nan")
        return Peak(depth=None, value=nothing, chance=nothing, low=nothing, high=nothing, p_value=nothing)
    depth = int(np.nanargmax(above))
    half = _half_width(_highest((without - chance[:, None])[known]))
    least, most = (bound - chance[depth] for bound in bounds)
    return Peak(
        depth=depth,
        value=float(value[depth]),
        chance=float(chance[depth]),
        low=max(float(above[depth]) - half, float(least)) if np.isfinite(half) else float("nan"),
        high=min(float(above[depth]) + half, float(most)) if np.isfinite(half) else float("nan"),
        p_value=float(np.nanmin(p_value[known])) if np.isfinite(p_value[known]).any() else float("nan"),
    )


def _highest(above: np.ndarray) -> np.ndarray:
    """``(n_depths, n)`` → ``(n,)``: each column at its own best depth; NaN where it has none."""
    best = np.where(np.isfinite(above), above, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(np.isfinite(best), best, np.nan)


def _error(without: np.ndarray) -> float:
    """Jackknife's standard error, from the values without each group ``(n_groups,)``."""
    n = len(without)
    return float(np.sqrt((n - 1) * without.var())) if n > 1 else float("nan")


def _half_width(without: np.ndarray) -> float:
    """Half of the 95 % interval."""
    return _error(without) * float(stdtrit(max(len(without) - 1, 1), 0.975))


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
    seed : of samples and shuffles.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, str, bytes], tuple[np.ndarray, ...]] = {}

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

    def _of_words(self, side: Side, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of purity and silhouette, above chance at the best depth: ``(1 + n_groups,)`` each."""

        def measured() -> tuple[np.ndarray, ...]:
            found = _over_depths(side.states, rows, side.memberships, N_SHUFFLES, self._seed)
            return tuple(_highest(each[np.isfinite(each[:, 0])]) for each in found)

        key = (side.states.digest, "words", rows.tobytes())
        if key not in self._kept:
            self._kept[key] = measured()
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
        return _difference(len(shared), self._of_pairs(a, rows[0]), self._of_pairs(b, rows[1]))

    def _of_pairs(self, side: Side, rows: np.ndarray) -> np.ndarray:
        """``rows``: ``(n_pairs, 2)``."""

        def measured() -> np.ndarray:
            pairings = related.permutations(len(rows), self._seed, N_SHUFFLES)
            groups = related.groups_of(len(rows))
            found = []
            for state in _finite(side.states):
                of_depth = related.parallel(state[rows], pairings, groups)
                if of_depth is not None:
                    values, without = of_depth
                    found.append(np.concatenate([values[:1], without]) - values[1:].mean())
            return _highest(np.array(found).reshape(-1, 1 + len(groups)))

        key = (side.states.digest, "pairs", rows.tobytes())
        if key not in self._kept:
            self._kept[key] = (measured(),)
        return self._kept[key][0]

    def _order(self, a: Side, b: Side, order_a: OrderRows, order_b: OrderRows) -> Difference:
        shared, of_a, of_b = np.intersect1d(order_a.places, order_b.places, return_indices=True)
        if len(shared) < OrderMeasures.LEAST_WORDS:
            return _unknown(len(shared))
        tops = [self._of_order(side, order, own) for side, order, own in ((a, order_a, of_a), (b, order_b, of_b))]
        return _difference(len(shared), *tops)

    def _of_order(self, side: Side, order: OrderRows, own: np.ndarray) -> np.ndarray:
        """``own``: ``(n_words,)``, which of the order's words."""
        kept = OrderRows(words=order.words[own], places=order.places[own], n_places=order.n_places, cyclic=order.cyclic)

        def measured() -> np.ndarray:
            aims, groups = related.aims(kept), related.groups_of(len(kept.words))
            found = np.array([related.r2(state[kept.words], aims, groups) for state in _finite(side.states)])
            found = found.reshape(-1, 1 + len(groups))
            return _highest(found[np.isfinite(found[:, 0])])

        key = (side.states.digest, "order", kept.words.tobytes() + kept.places.tobytes())
        if key not in self._kept:
            self._kept[key] = (measured(),)
        return self._kept[key][0]


def _difference(n: int, tops_a: np.ndarray, tops_b: np.ndarray) -> Difference:
    """``tops``: ``(1 + n_groups,)``, with all words and without each group."""
    apart = tops_a - tops_b
    value, error, free = float(apart[0]), _error(apart[1:]), max(len(apart) - 2, 1)
    if not np.isfinite(value) or not np.isfinite(error):
        return _unknown(n)
    # Where leaving words out changes nothing, nothing tells how much other words would.
    p_value = float(2 * stdtr(free, -abs(value) / error)) if error > 0 else 1.0
    half = error * float(stdtrit(free, 0.975))
    return Difference(
        n=n, value=value, low=value - half, high=value + half, p_value_uncorrected=p_value, p_value=p_value
    )


def _unknown(n: int) -> Difference:
    nothing = float("nan")
    return Difference(n=n, value=nothing, low=nothing, high=nothing, p_value_uncorrected=nothing, p_value=nothing)


# --- all depths ----------------------------------------------------------------------------------------------------


def _over_depths(
    states: HiddenStates, rows: np.ndarray, memberships: Memberships, n_shuffles: int = 0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Purity and silhouette, with all words and without each group of them: ``(n_depths, 1 + n_groups)`` each.

    Parameters
    ----------
    n_shuffles : what chance is measured with, and taken off; 0 leaves the values as they are.
    """
    found = Categories(memberships=tuple(memberships[row] for row in rows), seed=seed, n_permutations=n_shuffles)
    if not len(rows):
        nothing = np.full((states.n_depths, 1), np.nan)
        return nothing, nothing
    groups = groups_of_words(found)
    chance_of_purity = _expected_purity(found) if n_shuffles else 0.0
    purities, silhouettes = np.full((2, states.n_depths, 2 + int(groups.max())), np.nan)
    for depth in range(states.n_depths):
        state = states.states[depth][rows]
        if not np.isfinite(state).all():
            continue
        distances = cosine_distances(state)
        purities[depth], silhouettes[depth] = left_out(distances, found, groups)
        purities[depth] -= chance_of_purity
        if n_shuffles and found.are_several:
            silhouettes[depth] -= shuffled_silhouette(distances, found).mean()
    return purities, silhouettes


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
