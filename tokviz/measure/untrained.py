"""A model's controls: what its measures are without training, and whether it exceeds that.

The curves have neither shuffles nor intervals: chance is that of the model's own measures, which are of the same words in
the same spaces. What is announced is the difference between the model and a control, each at its best depth, with
the error that ``profile`` has for two models.

What layers do must exceed the controls of all seeds. Each of these differences is a test of its own, and what passes all passes
the least of them: so that one is announced, at the level of one test (intersection–union test; Berger 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tokviz.measure import categories, geometry, orders, spread
from tokviz.measure import relations as related
from tokviz.measure.distances import cosine_distances
from tokviz.measure.profile import N_FOR_CHANCE, ProfileComparer, Side
from tokviz.measure.spaces import standardized
from tokviz.measure.tested import permutations
from tokviz.records import (
    ControlCurves,
    Difference,
    HiddenStates,
    OrderMeasures,
    RelationMeasures,
    Untrained,
)

_MOST_IN_MEMORY = 2**25
"""Bytes of one control's states."""


def measure(
    model: Side,
    random: HiddenStates | None,
    own_embedding: Sequence[HiddenStates],
    permuted: Sequence[HiddenStates] = (),
    *,
    seed: int = 0,
) -> Untrained:
    """The curves of the controls of one model × context, and how the model differs from them.

    Parameters
    ----------
    model : the model as it is; the controls have the same words in its first template.
    random : with all weights random; None where there is none.
    own_embedding : with random layers after the model's own embedding, one of each seed.
    permuted : with its own layers' weights in another order, one of each seed.
    seed : of samples and shuffles.
    """
    comparer = ProfileComparer(seed)
    permuted = [_in_memory(each) for each in permuted]
    random, own_embedding = None if random is None else _in_memory(random), [_in_memory(each) for each in own_embedding]
    # Of the words that are measured in the model: the reference words in all of its templates.
    further = model.templates[1:]
    layers = replace(model, templates=model.templates[:1], first_depth=1)
    controls = [replace(layers, templates=(each,)) for each in (*own_embedding, *permuted)]
    return Untrained(
        random=None if random is None else curves(replace(model, templates=(random, *further)), seed),
        own_embedding=tuple(curves(replace(model, templates=(each, *further)), seed) for each in own_embedding),
        layers=_least([(*comparer.relations(layers, each), *comparer.orders(layers, each)) for each in controls]),
    )


def _in_memory(states: HiddenStates) -> HiddenStates:
    """The same, read once instead of once for each measure; those of long lists stay where they are."""
    first = states.states[0]
    return replace(states, states=list(states.states)) if first.nbytes * states.n_depths <= _MOST_IN_MEMORY else states


def _least(seeds: Sequence[tuple[Difference, ...]]) -> tuple[Difference, ...] | None:
    """Measure by measure the difference that is least above 0 for its error; None where a seed is missing."""
    if len(seeds) < 2 * Untrained.N_SEEDS:
        return None
    by_measure = zip(*seeds, strict=True)
    return tuple(_if_above(min(of_seeds, key=_signed_score)) for of_seeds in by_measure)


def _signed_score(difference: Difference) -> float:
    """−inf where there is none: then nothing is announced."""
    score = float(difference.claim.score[0])
    return float(np.copysign(score, difference.value)) if np.isfinite(score) else float("-inf")


def _if_above(difference: Difference) -> Difference:
    """That the least of several is below 0 is no finding."""
    claim = difference.claim
    return replace(difference, claim=replace(claim, is_eligible=claim.is_eligible & (difference.value > 0)))


def curves(side: Side, seed: int = 0) -> ControlCurves:
    """The values of ``geometry.measure`` and ``relations.measure`` alone, in the first template."""
    purity, silhouette, effective_rank = _of_categories(side, seed)
    return ControlCurves(
        purity=purity,
        silhouette=silhouette,
        effective_rank=effective_rank,
        relations=_of_relations(side, seed),
        orders=_of_orders(side),
    )


def _of_categories(side: Side, seed: int) -> np.ndarray:
    """``(3, n_depths)``: purity, silhouette and effective rank."""
    states = side.states
    rows = geometry.Rows.drawn(side.is_reference, side.memberships, seed)
    found = geometry.categories_of(states, side.memberships, rows.with_category)
    is_defined = found.are_several and len(rows.with_category) > 2
    curves = _empty(3, states.n_depths)
    for depth in range(states.n_depths):
        everything = states.states[depth]
        if is_defined:
            distances = cosine_distances(standardized(everything[rows.with_category]))
            kinds, share = found.kinds
            curves[0, depth] = categories.purity_alone(distances[None], kinds[None], share, found.n_neighbours)[0]
            curves[1, depth] = categories.silhouette_alone(distances[None], found.first, found.counts)[0]
        curves[2, depth] = spread.effective_rank(spread.singular_values(everything[rows.measured]))
    return curves


def _of_relations(side: Side, seed: int) -> np.ndarray:
    """``(n_relations, n_depths)``: parallelism less that of the same words paired at random."""
    states, pairs = side.states, side.pairs
    curves = _empty(len(pairs), states.n_depths)
    measured = [index for index, each in enumerate(pairs) if len(each.pairs) >= RelationMeasures.LEAST_PAIRS]
    rows = [pairs[index].pairs.ravel() for index in measured]
    pairings = {index: _pairings(pairs[index].pairs, seed) for index in measured}
    by = np.flatnonzero(side.is_reference)
    for depth, spaces in related.standardized_rows(states, by, rows, seed) if rows else ():
        for index, space in zip(measured, spaces, strict=True):
            own = pairs[index].pairs
            found = related.parallel(space.reshape(*own.shape, -1), related.is_one_word(own), pairings[index], [])
            if found is not None:
                curves[index, depth] = found[0][0] - found[0][1:].mean()
    return curves


def _pairings(pairs: np.ndarray, seed: int) -> np.ndarray:
    """``(1 + n, n_pairs)``: each source's target, as it is and at random."""
    return permutations(len(pairs), seed, related.is_one_word(pairs), N_FOR_CHANCE)


def _of_orders(side: Side) -> np.ndarray:
    """``(n_orders, n_depths)``."""
    curves = _empty(len(side.orders), side.states.n_depths)
    for index, order in enumerate(side.orders):
        units = orders.units_of(order, side.states.tokenization, side.groups)
        if len(units) < OrderMeasures.LEAST_WORDS:
            continue
        aims = orders.aims(order)
        for depth in range(side.states.n_depths):
            curves[index, depth] = orders.r2(side.states.states[depth][order.words], aims, [], units)[0]
    return curves


def _empty(*shape: int) -> np.ndarray:
    return np.full(shape, np.nan)
