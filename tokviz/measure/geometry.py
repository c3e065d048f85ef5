"""Hidden states of every depth → measures of their geometry and stages, with how sure each number is.

Categories, neighbours and CKA are of standardized states, as the first plots are: raw cosine sees hardly anything but the few
largest dimensions. Of lists of 12, 20 and 30 words of SmolLM2's last layer (words alone), categories are found in 0.77, 0.98
and 1.00 of them so, by raw cosine in 0.22, 0.32 and 0.43. Norms, effective rank and PC1 are of the states as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.measure import categories, category_claims, change, massive, pca, spread, stages, surface, unscaled
from tokviz.measure.categories import UNDEFINED, Score
from tokviz.measure.cka import centred_gram
from tokviz.measure.distances import LEAST_KNOWN, are_known, cosine_distances, euclidean_distances, nearest
from tokviz.measure.groups import with_near
from tokviz.measure.labels import Categories
from tokviz.measure.refits import CRITERIA, Parts
from tokviz.measure.spaces import standardized
from tokviz.records import (
    Change,
    Geometry,
    HiddenStates,
    MassiveActivations,
    PictureMeasures,
    Projection,
    Spread,
)

MAX_MEASURED = 2000
"""Silhouette, neighbours and trustworthiness are quadratic in words: above this a sample is measured."""
SEED = 0
"""Of shuffles and samples: equal input gives equal numbers."""
MAX_COMPARED = 500
"""Comparing all depths with each other holds a words × words matrix of every depth in memory."""


def measure(
    states: HiddenStates,
    projections: Sequence[Projection],
    memberships: tuple[tuple[int, ...], ...],
    ordinary: HiddenStates | None,
    further: Sequence[HiddenStates] = (),
    groups: tuple[tuple[str, ...], ...] = (),
) -> Geometry:
    """All measures of one model × context, on the reference words; one depth is read at a time.

    Purity, silhouette and effective rank are medians over the context's templates; all else is of the first one.

    Parameters
    ----------
    states : of all words.
    projections : of the same states; changes and stages speak of the first one's pictures.
    memberships : per word the indices of its categories; words without one don't count where categories do.
    ordinary : the same model in a context in which words are not at position 0, for the median that massive
        activations are measured against; may be ``states`` itself. Without one the words' own median serves, and the
        record says whether that is ordinary.
    further : the same words in the context's further templates.
    groups : words that belong together, as written; they are shuffled together.

    Raises
    ------
    ValueError : the arguments don't describe the same words or depths.
    """
    _require_same_words(states, projections, memberships)
    reference = states.tokenization.reference_beside(each.tokenization for each in further)
    rows = Rows.drawn(reference, memberships, SEED)
    at_position_0 = states.tokenization.positions == 0
    measured = categories_of(states, memberships, rows.with_category, groups)
    measured = with_near(measured, (states, *further), rows.with_category)
    parts = Parts.drawn(measured) if rows.axes_follow else Parts.none(measured)
    typical = massive.choose_typical(states, ordinary)
    words, position0 = massive.Tally(typical=typical), massive.Tally(typical=typical)
    depths: list[_Depth] = []
    grams = []
    for depth in range(states.n_depths):
        everything, median = states.states[depth], typical.at(depth)
        state = everything[rows.measured]
        scaled = standardized(state)
        words.add_states(state, median)
        position0.add_extremes(
            states.position0_values[depth, rows.measured], states.position0_dimensions[depth, rows.measured], median
        )
        singular_values, pc1 = spread.principal(state)
        rank = spread.effective_rank(singular_values)
        depths.append(
            _Depth(
                space=_full_space(everything, scaled, rows, measured, rank, depths[-1].space if depths else None),
                further=tuple(_Template.of(each.states[depth], rows, measured) for each in further),
                pictures=tuple(_picture(everything, scaled, each, depth, rows, parts) for each in projections),
                pc1_share=spread.first_share(singular_values),
                pc1_in_massive=spread.pc1_share(pc1, words.outstanding(-1)),
                pc1_position=spread.pc1_of_position(everything[rows.everyone], at_position_0[rows.everyone]),
            )
        )
        all_compared = len(rows.compared) == len(rows.measured)
        grams.append(centred_gram(scaled if all_compared else standardized(everything[rows.compared])))

    of_surface = surface.scores(states.tokenization, rows.with_category, measured)
    of_templates = [(each.space.first, *each.further) for each in depths]
    ranks = np.array([[each.effective_rank for each in templates] for templates in of_templates])
    own = words.record([states.tokenization.words[row].word for row in rows.measured])
    segmentation = stages.find(
        np.stack(grams), lambda depth: states.states[depth][rows.compared], required=_turning_points(own), seed=SEED
    )
    return Geometry(
        n_reference=int(reference.sum()),
        n_measured=len(rows.measured),
        n_compared=len(rows.compared),
        seed=SEED,
        n_permutations=measured.n_permutations,
        spread=_spread(depths, np.median(ranks, axis=1)),
        effective_rank_in_templates=ranks.T if further else None,
        massive=own,
        position0=position0.record(),
        pc1_in_massive=np.array([each.pc1_in_massive for each in depths]),
        pc1_position=np.array([each.pc1_position for each in depths]),
        silhouette=category_claims.gather_tested(
            [[each.silhouette for each in templates] for templates in of_templates],
            measured,
            of_surface[1],
            [[bool(np.isfinite(each.purity.value)) for each in templates] for templates in of_templates],
        ),
        purity=category_claims.gather_tested(
            [[each.purity for each in templates] for templates in of_templates], measured, of_surface[0]
        ),
        purity_raw=unscaled.gather_purity([[each.raw for each in templates] for templates in of_templates]),
        silhouette_raw=category_claims.gather(
            [[each.raw.silhouette for each in templates] for templates in of_templates]
        ),
        n_neighbours=measured.n_neighbours,
        with_neighbours=np.array([each.space.with_neighbours for each in depths]),
        least_with_neighbours=LEAST_KNOWN,
        pictures=tuple(
            _picture_measures(projection.name, [each.pictures[index] for each in depths], measured, of_surface[0])
            for index, projection in enumerate(projections)
        ),
        change=_change(depths, projections, rows.measured, segmentation.cka),
        cka=segmentation.cka,
        stages=segmentation.records(),
        stage_criteria=stages.CRITERIA,
        refit_criteria=CRITERIA,
    )


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


def categories_of(
    states: HiddenStates,
    memberships: tuple[tuple[int, ...], ...],
    rows: np.ndarray,
    groups: tuple[tuple[str, ...], ...] = (),
) -> Categories:
    """The categories of some words of a capture, ``(n_words,)`` int64 rows; ``groups``: words that belong together."""
    words = states.tokenization.words
    return Categories(
        memberships=tuple(memberships[row] for row in rows),
        words=tuple(words[row].word for row in rows),
        seed=SEED,
        declared=groups,
    )


def rows_with_category(states: HiddenStates, memberships: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """``(n,)`` int64, ascending: the words that purity and silhouette are measured on."""
    return Rows.drawn(states.tokenization.reference, memberships, SEED).with_category


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Which words are measured, as ascending rows of the capture: all that are meant, or a sample of them."""

    measured: np.ndarray
    """Reference words."""
    with_category: np.ndarray
    """Reference words that have a category. Of a vocabulary few have one: how well categories hold is measured among
    all of those."""
    compared: np.ndarray
    """Some of ``measured``, for what needs a words × words matrix of every depth."""
    everyone: np.ndarray
    """``measured``, and words that are no reference words."""
    axes_follow: bool
    """Whether pictures have their axes from ``with_category``, or the list that it is a sample of. A vocabulary's axes
    come from all its tokens, and hardly depend on the few with a category."""

    @classmethod
    def drawn(cls, reference: np.ndarray, memberships: tuple[tuple[int, ...], ...], seed: int) -> Rows:
        random = np.random.default_rng((seed, 0))

        def sample(rows: np.ndarray, most: int) -> np.ndarray:
            return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))

        has_category = np.array([bool(own) for own in memberships])
        measured = sample(np.flatnonzero(reference), MAX_MEASURED)
        with_category = measured
        if not has_category.all():
            with_category = sample(np.flatnonzero(reference & has_category), MAX_MEASURED)
        others = sample(np.flatnonzero(~reference), MAX_MEASURED)
        return cls(
            measured=measured,
            with_category=with_category,
            compared=sample(measured, MAX_COMPARED),
            everyone=np.sort(np.concatenate([measured, others])),
            axes_follow=bool(has_category[reference].all()),
        )


# --- one depth ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Template:
    """What is measured in each template of a context."""

    purity: Score
    silhouette: Score
    raw: unscaled.Unscaled
    effective_rank: float

    @classmethod
    def of(cls, everything: np.ndarray, rows: Rows, measured: Categories) -> _Template:
        """``everything``: ``(n_words, width)``; ``measured``: the categories of ``rows.with_category``."""
        state = everything[rows.with_category]
        distances = cosine_distances(standardized(state))
        purity = categories.purity(distances, measured)
        return cls(
            purity=purity,
            silhouette=categories.silhouette(distances, measured),
            raw=unscaled.measure(state, cosine_distances(state), measured, purity),
            effective_rank=spread.effective_rank(spread.singular_values(everything[rows.measured])),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _FullSpace:
    """What of the first template needs nothing but the states of a depth, and the neighbours of the depth before."""

    mean_norm: float
    norm_spread: float
    mean_cosine: float
    first: _Template
    neighbours: np.ndarray
    """``(n_measured, k)`` int64."""
    with_neighbours: float
    neighbour_overlap: float
    moved: tuple[int, ...]
    """Indices among the measured words."""


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """The measures of one depth's picture."""

    silhouette: Score
    purity: Score
    trustworthiness: float


@dataclass(frozen=True, kw_only=True)
class _Depth:
    """The measures of one depth."""

    space: _FullSpace
    further: tuple[_Template, ...]
    pictures: tuple[_Picture, ...]
    pc1_share: float
    pc1_in_massive: float
    pc1_position: float


def _full_space(
    everything: np.ndarray,
    scaled: np.ndarray,
    rows: Rows,
    measured: Categories,
    effective_rank: float,
    before: _FullSpace | None,
) -> _FullSpace:
    """Of one depth.

    Parameters
    ----------
    everything : ``(n_words, width)``.
    scaled : ``(n_measured, ≤ width)``, ``rows.measured`` of it, standardized.
    measured : the categories of ``rows.with_category``.
    """
    state, with_category = everything[rows.measured], everything[rows.with_category]
    norms = np.linalg.norm(state.astype(np.float64), axis=1)
    distances, raw = cosine_distances(scaled), cosine_distances(state)
    same = np.array_equal(rows.measured, rows.with_category)
    of_categories = distances if same else cosine_distances(standardized(with_category))
    k, n_counted = change.n_neighbours(len(state)), min(measured.n_neighbours, len(state) - 1)
    neighbours = nearest(distances, k)
    counted = neighbours if n_counted == k else nearest(distances, n_counted)
    purity = categories.purity(of_categories, measured, neighbours=counted if same else None)
    overlap, moved = float("nan"), np.array([], dtype=np.int64)
    if before is not None and k > 0:
        lost = change.lost_neighbours(before.neighbours, neighbours)
        overlap, moved = change.neighbour_overlap(lost), change.moved_most(lost, before.neighbours, distances)
    return _FullSpace(
        mean_norm=float(norms.mean()),
        norm_spread=float(norms.std(ddof=1)) if len(norms) > 1 else float("nan"),
        mean_cosine=spread.mean_cosine(raw),
        first=_Template(
            silhouette=categories.silhouette(of_categories, measured),
            purity=purity,
            raw=unscaled.measure(with_category, raw if same else cosine_distances(with_category), measured, purity),
            effective_rank=effective_rank,
        ),
        neighbours=neighbours,
        with_neighbours=float(are_known(counted).mean()),
        neighbour_overlap=overlap,
        moved=tuple(moved.tolist()),
    )


def _picture(
    everything: np.ndarray, scaled: np.ndarray, projection: Projection, depth: int, rows: Rows, parts: Parts
) -> _Picture:
    """``everything``, ``scaled``: as in ``_full_space``, at that depth; ``parts``: of the words of ``rows.with_category``."""
    coordinates = projection.coordinates[depth]
    shown = coordinates[rows.measured]
    if not np.isfinite(shown).all():
        return _Picture(silhouette=UNDEFINED, purity=UNDEFINED, trustworthiness=float("nan"))
    space = scaled
    if projection.name != pca.STANDARDIZED:
        space = pca.prepared(everything[rows.measured], projection.name, projection.left_out[depth])
    errors = parts.errors(pca.scores_of(projection, depth, everything[rows.with_category]))
    distances = euclidean_distances(coordinates[rows.with_category])
    return _Picture(
        silhouette=categories.silhouette(distances, parts.categories, errors.silhouette, with_chance=False),
        purity=categories.purity(distances, parts.categories, errors.purity),
        trustworthiness=categories.trustworthiness(space, shown),
    )


# --- all depths --------------------------------------------------------------------------------------------------


def _spread(depths: Sequence[_Depth], effective_rank: np.ndarray) -> Spread:
    return Spread(
        effective_rank=effective_rank,
        pc1_share=np.array([each.pc1_share for each in depths]),
        mean_norm=np.array([each.space.mean_norm for each in depths]),
        norm_spread=np.array([each.space.norm_spread for each in depths]),
        mean_cosine=np.array([each.space.mean_cosine for each in depths]),
    )


def _picture_measures(
    name: str, pictures: Sequence[_Picture], measured: Categories, of_surface: Score
) -> PictureMeasures:
    return PictureMeasures(
        projection=name,
        silhouette=category_claims.gather([[picture.silhouette] for picture in pictures]),
        purity=category_claims.gather_tested([[picture.purity] for picture in pictures], measured, of_surface),
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
        neighbour_overlap=np.array([each.space.neighbour_overlap for each in depths]),
        n_neighbours=change.n_neighbours(len(rows)),
        moved=tuple(tuple(rows[list(each.space.moved)].tolist()) for each in depths),
    )


def _turning_points(words: MassiveActivations) -> list[int]:
    """Where massive activations emerge and step down, a stage begins: CKA doesn't see a change of scale."""
    return [depth for depth in (words.emergence_depth, words.step_down_depth) if depth is not None]
