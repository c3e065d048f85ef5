"""Hidden states of every depth → measures of their geometry and stages, with how sure each number is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokviz.measure import categories, change, massive, spread, stages
from tokviz.measure.categories import UNDEFINED, Categories, Score
from tokviz.measure.cka import centred_gram
from tokviz.measure.distances import cosine_distances, nearest
from tokviz.measure.massive import dimensions as massive_dimensions
from tokviz.measure.neighbours import neighbours
from tokviz.records import (
    Change,
    Geometry,
    HiddenStates,
    MassiveActivations,
    PictureMeasures,
    Projection,
    Spread,
    Stage,
)

__all__ = ["MAX_COMPARED", "MAX_MEASURED", "massive_dimensions", "measure", "neighbours"]

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
    projections : of the same states; changes and stages speak of the first one's pictures.
    memberships : per word the indices of its categories; words without one don't count where categories do.
    ordinary : the same model in a context in which words are not at position 0, for the median that massive
        activations are measured against; may be ``states`` itself. Without one the words' own median serves, and the
        record says whether that is ordinary.
    seed : of shuffles and samples; equal input and seed give equal numbers.

    Raises
    ------
    ValueError : the arguments don't describe the same words or depths.
    """
    _require_same_words(states, projections, memberships)
    random = np.random.default_rng((seed, 0))
    is_reference = states.tokenization.reference
    rows = _sample(np.flatnonzero(is_reference), MAX_MEASURED, random)
    # Of a vocabulary few words have a category: how well categories hold is measured among all of those.
    is_held = np.array([bool(own) for own in memberships])
    held = rows if is_held.all() else _sample(np.flatnonzero(is_reference & is_held), MAX_MEASURED, random)
    others = _sample(np.flatnonzero(~is_reference), MAX_MEASURED, random)
    compared = _sample(rows, MAX_COMPARED, random)
    everyone = np.sort(np.concatenate([rows, others]))
    at_position_0 = states.tokenization.positions == 0

    measured = Categories(memberships=tuple(memberships[row] for row in held), seed=seed)
    yardstick = massive.choose_yardstick(states, ordinary)
    words, position0 = massive.Tally(yardstick=yardstick), massive.Tally(yardstick=yardstick)
    depths: list[_Depth] = []
    grams = []
    for depth in range(states.n_depths):
        everything = states.states[depth]
        state, median = everything[rows], yardstick.at(depth)
        singular_values, pc1 = spread.principal(state)
        words.add_states(state, median)
        position0.add_extremes(states.position0_values[depth, rows], states.position0_dimensions[depth, rows], median)
        pictures = [projection.coordinates[depth] for projection in projections]
        depths.append(
            _Depth(
                **_full_space(state, everything[held], measured, depths[-1] if depths else None),
                pictures=tuple(_picture(state, picture[rows], picture[held], measured) for picture in pictures),
                effective_rank=spread.effective_rank(singular_values),
                pc1_in_massive=spread.pc1_share(pc1, words.dimensions[-1]),
                pc1_position=spread.pc1_of_position(everything[everyone], at_position_0[everyone]),
            )
        )
        grams.append(centred_gram(everything[compared]))

    own, at_start = words.record(), position0.record()
    segmentation = stages.find(np.stack(grams), forced=_turning_points(own), seed=seed)
    purity = categories.gather([entry.purity for entry in depths])
    measured_pictures = tuple(
        _picture_measures(projection.name, [entry.pictures[index] for entry in depths])
        for index, projection in enumerate(projections)
    )
    return Geometry(
        n_reference=int(is_reference.sum()),
        n_measured=len(rows),
        n_compared=len(compared),
        seed=seed,
        n_permutations=measured.n_permutations,
        spread=Spread(
            effective_rank=np.array([entry.effective_rank for entry in depths]),
            mean_norm=np.array([entry.mean_norm for entry in depths]),
            norm_spread=np.array([entry.norm_spread for entry in depths]),
            mean_cosine=np.array([entry.mean_cosine for entry in depths]),
        ),
        massive=own,
        position0=at_start,
        pc1_in_massive=np.array([entry.pc1_in_massive for entry in depths]),
        pc1_position=np.array([entry.pc1_position for entry in depths]),
        silhouette=categories.gather([entry.silhouette for entry in depths]),
        purity=purity,
        n_neighbours=categories.N_NEIGHBOURS,
        pictures=measured_pictures,
        change=_change(depths, projections, rows, segmentation.cka),
        cka=segmentation.cka,
        stages=_stages(segmentation),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Depth:
    """The measures of one depth."""

    effective_rank: float
    mean_norm: float
    norm_spread: float
    mean_cosine: float
    silhouette: Score
    purity: Score
    neighbours: np.ndarray
    """``(n_measured, k)`` int64."""
    neighbour_overlap: float
    moved: tuple[int, ...]
    """Indices among the measured words."""
    pictures: tuple[_Picture, ...]
    pc1_in_massive: float
    pc1_position: float


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """The measures of one depth's picture."""

    silhouette: Score
    purity: Score
    trustworthiness: float


def _require_same_words(
    states: HiddenStates, projections: Sequence[Projection], memberships: tuple[tuple[int, ...], ...]
) -> None:
    n_words = len(states.tokenization.words)
    if len(memberships) != n_words:
        raise ValueError(f"memberships: expected {n_words} words, as in states, got {len(memberships)}")
    for projection in projections:
        got = projection.coordinates.shape[:2]
        if got != (states.n_depths, n_words):
            raise ValueError(f"projection {projection.name}: expected {(states.n_depths, n_words)}, got {got}")


def _sample(rows: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """All rows, or that many of them, ascending."""
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))


# --- one depth ---------------------------------------------------------------------------------------------------


def _full_space(
    state: np.ndarray, held_state: np.ndarray, measured: Categories, before: _Depth | None
) -> dict[str, Any]:
    """The fields of ``_Depth`` that need nothing but the states, and the neighbours of the depth before.

    ``held_state`` is of the words that ``measured`` speaks of.
    """
    norms = np.linalg.norm(state.astype(np.float64), axis=1)
    distances = cosine_distances(state)
    held_distances = distances if np.array_equal(held_state, state) else cosine_distances(held_state)
    k = change.n_neighbours(len(state))
    neighbours = nearest(distances, k)
    overlap, moved = float("nan"), np.array([], dtype=np.int64)
    if before is not None and k > 0:
        lost = change.lost_neighbours(before.neighbours, neighbours)
        overlap, moved = float(1 - lost.mean()), change.moved_most(lost, before.neighbours, distances)
    return {
        "mean_norm": float(norms.mean()),
        "norm_spread": float(norms.std(ddof=1)) if len(norms) > 1 else float("nan"),
        "mean_cosine": spread.mean_cosine(distances),
        "silhouette": categories.silhouette(held_distances, measured),
        "purity": categories.purity(held_distances, measured),
        "neighbours": neighbours,
        "neighbour_overlap": overlap,
        "moved": tuple(moved.tolist()),
    }


def _picture(state: np.ndarray, coordinates: np.ndarray, held: np.ndarray, measured: Categories) -> _Picture:
    if not np.isfinite(coordinates).all():
        return _Picture(silhouette=UNDEFINED, purity=UNDEFINED, trustworthiness=float("nan"))
    x, y = (np.subtract.outer(axis, axis) for axis in held.T)
    distances = np.hypot(x, y)
    return _Picture(
        silhouette=categories.silhouette(distances, measured),
        purity=categories.purity(distances, measured),
        trustworthiness=categories.trustworthiness(state, coordinates),
    )


# --- all depths --------------------------------------------------------------------------------------------------


def _picture_measures(name: str, pictures: Sequence[_Picture]) -> PictureMeasures:
    return PictureMeasures(
        projection=name,
        silhouette=categories.gather([picture.silhouette for picture in pictures]),
        purity=categories.gather([picture.purity for picture in pictures]),
        trustworthiness=np.array([picture.trustworthiness for picture in pictures]),
    )


def _change(depths: Sequence[_Depth], projections: Sequence[Projection], rows: np.ndarray, cka: np.ndarray) -> Change:
    first = projections[0] if projections else None
    disparities = [float("nan")] * len(depths)
    if first is not None:
        for depth in range(1, len(depths)):
            before, after = first.coordinates[depth - 1 : depth + 1, rows]
            disparities[depth] = change.procrustes_disparity(before, after)
    return Change(
        cka=np.concatenate([[np.nan], np.diag(cka, 1)]),
        procrustes=np.array(disparities),
        procrustes_projection=None if first is None else first.name,
        neighbour_overlap=np.array([entry.neighbour_overlap for entry in depths]),
        n_neighbours=change.n_neighbours(len(rows)),
        moved=tuple(tuple(rows[list(entry.moved)].tolist()) for entry in depths),
    )


def _turning_points(words: MassiveActivations) -> list[int]:
    """Where massive activations come and go, a stage begins: CKA doesn't see a change of scale."""
    return [depth for depth in (words.emergence_depth, words.step_down_depth) if depth is not None]


def _stages(segmentation: stages.Segmentation) -> tuple[Stage, ...]:
    made: list[Stage] = []
    for (first, last), recurrence in zip(segmentation.bounds(), segmentation.recurrence, strict=True):
        inside = segmentation.cka[first : last + 1, first : last + 1][np.triu_indices(last - first + 1, k=1)]
        across = segmentation.cka[first : last + 1, made[-1].first_depth : first] if made else np.array([])
        cka_within, cka_before = (
            float(np.nanmean(pairs)) if np.isfinite(pairs).any() else float("nan") for pairs in (inside, across)
        )
        made.append(
            Stage(
                first_depth=first,
                last_depth=last,
                recurrence=recurrence,
                cka_within=cka_within,
                cka_before=cka_before,
            )
        )
    return tuple(made)
