"""Hidden states of every depth → measures of their geometry, stages, and how sure each number is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.geometry import categories, change, massive, spread, stages
from tokviz.geometry.sentences import sentence
from tokviz.measures import (
    CategoryMeasure,
    Change,
    Geometry,
    MassiveActivations,
    PictureMeasures,
    Spread,
    Stage,
    centred_gram,
    cosine_distances,
    nearest,
)
from tokviz.records import HiddenStates, Projection

__all__ = ["MAX_COMPARED", "MAX_MEASURED", "measure"]

MAX_MEASURED = 2000
"""Silhouette, neighbours and trustworthiness are quadratic in words: above this a sample is measured."""
MAX_COMPARED = 500
"""Comparing all depths with each other holds a words × words matrix of every depth in memory."""


def measure(
    states: HiddenStates,
    projections: Sequence[Projection],
    memberships: tuple[tuple[int, ...], ...],
    ordinary: HiddenStates | None,
    seed: int = 0,
) -> Geometry:
    """All measures of one model × context, on the reference words; one depth is read at a time.

    Parameters
    ----------
    states : of all words.
    projections : of the same states; the first one's pictures are those that changes and stages speak of.
    memberships : per word the indices of its categories.
    ordinary : the same model in a context in which words are not at position 0, for the median that massive activations are measured
        against; may be ``states`` itself. None when there is no such context: the record says whether its yardstick is ordinary.
    seed : of the shuffles and samples; equal input and seed give equal bytes.

    Raises
    ------
    ValueError : the arguments don't describe the same words or depths.
    """
    n_words = len(states.tokenization.words)
    if len(memberships) != n_words:
        raise ValueError(f"memberships: expected {n_words} words, as in states, got {len(memberships)}")
    for projection in projections:
        if projection.coordinates.shape[:2] != (states.n_depths, n_words):
            raise ValueError(
                f"projection {projection.name}: expected {states.n_depths} depths × {n_words} words, as in states, "
                f"got {projection.coordinates.shape[:2]}"
            )
    random = np.random.default_rng((seed, 0))
    reference = np.flatnonzero(states.tokenization.reference)
    rows = _sample(reference, MAX_MEASURED, random)
    compared = _sample(np.arange(len(rows)), MAX_COMPARED, random)
    walk = _Walk(states, rows, tuple(memberships[row] for row in rows), projections, seed)
    elsewhere = _sample(np.flatnonzero(~states.tokenization.reference), MAX_MEASURED, random)
    everyone = np.sort(np.concatenate([rows, elsewhere]))
    at_position_0 = states.tokenization.positions[everyone] == 0

    yardstick = massive.choose_yardstick(states, ordinary)
    words, position0 = massive.Tally(yardstick=yardstick), massive.Tally(yardstick=yardstick)
    grams, pc1_in_massive, pc1_position = [], [], []
    for depth in range(states.n_depths):
        everything = states.states[depth]
        state = everything[rows]
        median = yardstick.at(depth)
        words.add_states(state, median)
        position0.add_extremes(
            states.position0_values[depth, rows], states.position0_dimensions[depth, rows], median
        )
        pc1_in_massive.append(spread.pc1_share(spread.pc1_loadings(state), words.dimensions[depth]))
        pc1_position.append(spread.pc1_of_position(everything[everyone], at_position_0))
        grams.append(centred_gram(state[compared]))
        walk.step(depth, state)

    segmentation = stages.find(np.stack(grams), forced=_forced(words.record()), seed=seed)
    pictures = walk.pictures()
    full_purity = categories.gather(walk.purities)
    return Geometry(
        n_reference=len(reference),
        n_measured=len(rows),
        n_compared=len(compared),
        seed=seed,
        n_permutations=walk.categories.n_permutations,
        spread=Spread(**{name: np.array(values) for name, values in walk.spread.items()}),
        massive=words.record(),
        position0=position0.record(),
        pc1_in_massive=np.array(pc1_in_massive),
        pc1_position=np.array(pc1_position),
        silhouette=categories.gather(walk.silhouettes),
        purity=full_purity,
        n_neighbours=categories.N_NEIGHBOURS,
        pictures=pictures,
        change=walk.change(segmentation.cka),
        cka=segmentation.cka,
        stages=_stages(
            segmentation,
            words.record(),
            None if (states.tokenization.positions[rows] == 0).all() else position0.record(),
            projections[0] if projections else None,
            pictures[0].purity if pictures else full_purity,
        ),
    )
