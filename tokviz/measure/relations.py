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

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.measure.decisions import N_SHUFFLES, claim, claim_on_median
from tokviz.measure.orders import OrderOverDepths, order_record
from tokviz.measure.spaces import standardized
from tokviz.measure.tested import (
    empty,
    factorial,
    groups_of,
    median,
    over_templates,
    permutations,
    signs,
    with_interval,
)
from tokviz.records import HiddenStates, OrderRows, PairRows, RelationMeasures, Relations, Tested

MOST_STANDARDIZED_BY = 2000
"""Reference words that the dimensions' means and variances are of; of more, a sample."""
_ALIKE = 1e-9
"""Cosines that differ by less are alike: sums in another order differ by so much."""
_SAME_STATE = 1e-12
"""Of the largest distance."""
_NO_SPREAD = 1e-7
"""Of the largest singular value: smaller ones are rounding of float32 states."""


def measure(
    states: HiddenStates,
    pairs: Sequence[PairRows],
    orders: Sequence[OrderRows],
    further: Sequence[HiddenStates] = (),
    groups: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> Relations:
    """All relations and orders of one model × context; one depth is read at a time.

    Parameters
    ----------
    further : the same words in the context's further templates; values are medians over all templates.
    groups : words that belong together, as written; orders count them as one.
    seed : of the permutations; equal input and seed give equal numbers.
    """
    by = np.flatnonzero(states.tokenization.reference_beside(each.tokenization for each in further))
    of_pairs, of_orders = zip(
        *(_over_depths(each, by, pairs, orders, groups, seed) for each in (states, *further)), strict=True
    )
    return Relations(
        n_permutations=N_SHUFFLES,
        relations=tuple(_relation(f"relation {n}", each) for n, each in enumerate(zip(*of_pairs, strict=True))),
        orders=tuple(order_record(f"order {n}", each) for n, each in enumerate(zip(*of_orders, strict=True))),
    )


def _over_depths(
    states: HiddenStates,
    by: np.ndarray,
    pairs: Sequence[PairRows],
    orders: Sequence[OrderRows],
    groups: Sequence[Sequence[str]],
    seed: int,
) -> tuple[list[_PairsOverDepths], list[OrderOverDepths]]:
    """What is gathered in one template; ``by``: the rows that means and variances are of."""
    of_pairs = [_PairsOverDepths(each, states.n_depths, seed) for each in pairs]
    of_orders = [OrderOverDepths(each, states.tokenization, states.n_depths, seed, groups) for each in orders]
    rows = [
        *(np.concatenate([each.pairs.ravel(), each.candidates]) for each in pairs),
        *(each.words for each in orders),
    ]
    for depth, spaces in standardized_rows(states, by, rows, seed):
        for relation, space in zip(of_pairs, spaces, strict=False):
            relation.add(depth, space)
        for order, space in zip(of_orders, spaces[len(of_pairs) :], strict=True):
            order.add(depth, states.states[depth][order.order.words], space)
    return of_pairs, of_orders


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
        self.parallelism = empty(n_depths, 1 + N_SHUFFLES)
        self.without = empty(n_depths, len(self.groups))
        self.ranks = empty(n_depths, 2, n_pairs)
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

    @property
    def gains(self) -> np.ndarray:
        """``(n_depths, 1 + N_SHUFFLES)``: what the difference adds, then the same with signs flipped."""
        with_it, without = np.moveaxis(1 / self.ranks, 1, 0)
        signs_of_all = np.vstack([np.ones(len(self.pairs.pairs)), self.signs])
        return np.asarray((with_it - without) @ signs_of_all.T / max(len(self.pairs.pairs), 1))

    @property
    def hits(self) -> np.ndarray:
        """``(n_depths, 2)``: of how many pairs the target is nearest, to source and difference and to the source."""
        return np.where(np.isnan(self.ranks).any(axis=2), np.nan, (self.ranks == 1).sum(axis=2))


def _relation(family: str, templates: Sequence[_PairsOverDepths]) -> RelationMeasures:
    """Of what was gathered in each template."""
    first = templates[0]
    n_pairs = len(first.pairs.pairs)
    hits = median([each.hits for each in templates])
    gains = [each.gains for each in templates]
    gain = median(gains)[:, 0]
    return RelationMeasures(
        rows=first.pairs.pairs,
        n_candidates=len(first.pairs.candidates),
        parallelism=over_templates(
            partial(_parallelism_tested, family, n_pairs),
            [each.parallelism for each in templates],
            [each.without for each in templates],
        ),
        hits=hits[:, 0],
        hits_of_source=hits[:, 1],
        gain=gain,
        offset=claim_on_median(f"{family}, offset", gains, [each[:, 0] > 0 for each in gains], gain > 0, 2.0**n_pairs),
        coordinates=first.coordinates,
    )


def _parallelism_tested(family: str, n_pairs: int, found: np.ndarray, without: np.ndarray) -> Tested:
    """``found``: ``(n_depths, 1 + N_SHUFFLES)``; ``without``: ``(n_depths, n_groups)``."""
    value, low, high = with_interval(found[:, 0], without, least=-1.0)
    shuffled = found[:, 1:]
    null_mean = shuffled.mean(axis=1)
    return Tested(
        value=value,
        low=low,
        high=high,
        without=without,
        null_mean=null_mean,
        claim=claim(family, value, shuffled, low > null_mean, factorial(n_pairs)),
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
    # Of equal states rounding leaves a distance where they were turned into their span.
    if distances[~same].min(initial=np.inf) <= _SAME_STATE * distances.max():
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


def _in_their_span(states: np.ndarray) -> np.ndarray:
    """``(n, width)`` → ``(n, ≤ n)`` float64 with the same inner products."""
    if states.shape[1] <= len(states):
        return states
    return np.asarray(np.linalg.qr(states.T).R.T)


def _plane(states: np.ndarray) -> np.ndarray:
    """``(n, k)`` → ``(n, 2)``: their first two principal components; NaN where they have none."""
    left, values, _ = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
    if len(values) < 2 or values[1] <= values[0] * _NO_SPREAD:
        return np.full((len(states), 2), np.nan)
    # As PCA's pictures have it: the largest coordinate of each axis is positive.
    scores = left[:, :2] * values[:2]
    return np.asarray(scores * np.sign(scores[np.abs(scores).argmax(axis=0), [0, 1]]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1 along the last axis; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
