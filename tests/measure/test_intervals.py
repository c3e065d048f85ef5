"""Intervals in the picture hold what they say when every list of words gives the picture axes of its own.

Each list is drawn by itself, each gets its own axes, and the interval of each must cover the mean over all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import smollm2
from making import gaussian, hidden_states
from repeating import times
from threadpoolctl import threadpool_limits

from tokviz.measure import pca, refits
from tokviz.measure.categories import Score, purity, silhouette
from tokviz.measure.distances import euclidean_distances
from tokviz.measure.geometry import measure
from tokviz.measure.labels import Categories
from tokviz.measure.refits import CRITERIA, Parts
from tokviz.records import HiddenStates

N_LISTS = times(50)
"""Of 200, intervals of which 95 % cover are seen to cover 92 to 98 %, and those with axes held fixed, of which 80 % do, less."""
N_HEAVY = times(160)
"""With heavy tails a few lists make much of the spread: of 200 it is known to a sixth only."""
LEAST_COVERED = 0.92
WIDEST = 1.5
"""Mean width of the interval over that which the spread of fresh lists gives."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where lists come from."""

    memberships: tuple[tuple[int, ...], ...]
    states: Callable[[np.random.Generator], np.ndarray]
    """``(n_words, width)`` of a fresh list, with these memberships."""
    standardize: bool


def scores(source: Source, seed: int, *, refits: bool = True) -> tuple[Score, Score]:
    """Purity and silhouette in the picture of a fresh list, without a permutation test."""
    states = source.states(np.random.default_rng(seed))
    categories = Categories(memberships=source.memberships, seed=seed, n_permutations=0)
    distances = euclidean_distances(pca.scores(states, standardize=source.standardize))
    parts = Parts.drawn(categories) if refits else Parts.none(categories)
    errors = parts.errors(lambda rows: pca.scores(states[rows], standardize=source.standardize))
    return purity(distances, categories, errors.purity), silhouette(distances, categories, errors.silhouette)


def coverage(source: Source, n_lists: int = N_LISTS, *, refits: bool = True) -> list[tuple[float, float]]:
    """Of purity and of silhouette the share of the intervals that cover the mean, and their width over the true one."""
    # On small matrices several threads only wait for each other.
    with threadpool_limits(1, "blas"):
        found = [scores(source, seed, refits=refits) for seed in range(n_lists)]
    told = []
    for measured in zip(*found, strict=True):
        value, low, high = np.array([(score.value, score.low, score.high) for score in measured]).T
        covered = (low <= value.mean()) & (value.mean() <= high)
        told.append((float(covered.mean()), float((high - low).mean() / (2 * 1.96 * value.std(ddof=1)))))
    return told


def require_honest_intervals(source: Source, n_lists: int = N_LISTS) -> None:
    for covered, width in coverage(source, n_lists):
        assert covered >= LEAST_COVERED
        assert width <= WIDEST


# --- a model's own states ------------------------------------------------------------------------------------------


def like(states: np.ndarray, memberships: tuple[tuple[int, ...], ...], *, standardize: bool) -> Source:
    """Lists with the class means of ``states`` and their pooled covariance."""
    first = np.array([own[0] for own in memberships])
    exact = states.astype(np.float64)
    means = np.stack([exact[first == category].mean(axis=0) for category in range(first.max() + 1)])[first]
    factor = (exact - means) / np.sqrt(len(exact) - len(set(first)))
    return Source(
        memberships=memberships,
        states=lambda random: means + random.normal(size=(len(first), len(first))) @ factor,
        standardize=standardize,
    )


@pytest.fixture
def of_smollm2(smollm2_states: dict[str, HiddenStates]) -> Callable[[str, int], Source]:
    """By context and layer, the sample's words as it has them there, in the picture that is shown first."""

    def source(context: str, layer: int) -> Source:
        states = smollm2_states[context]
        rows = np.flatnonzero(states.tokenization.reference)
        memberships = tuple(smollm2.words().memberships[row] for row in rows)
        return like(states.states[layer + 1][rows], memberships, standardize=True)

    return source


@pytest.mark.thorough
@pytest.mark.repeats
@pytest.mark.parametrize(("context", "layer"), [("alone", 5), ("sentence", 20)])
def test_of_words_as_smollm2_has_them(of_smollm2: Callable[[str, int], Source], context: str, layer: int) -> None:
    require_honest_intervals(of_smollm2(context, layer))


@pytest.mark.thorough
@pytest.mark.repeats
def test_with_axes_held_fixed_they_would_not_cover(of_smollm2: Callable[[str, int], Source]) -> None:
    for covered, _ in coverage(of_smollm2("sentence", 20), refits=False):
        assert covered < LEAST_COVERED


# --- made-up states ------------------------------------------------------------------------------------------------


def clusters(
    sizes: tuple[int, ...], centres: np.ndarray, noise: Callable[[np.random.Generator, int], np.ndarray]
) -> Source:
    """Categories of these sizes around ``(n_categories, width)`` centres; ``noise``: ``(n_words, width)`` about them."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return Source(
        memberships=tuple((int(label),) for label in labels),
        states=lambda random: centres[labels] + noise(random, len(labels)),
        standardize=False,
    )


@pytest.mark.thorough
@pytest.mark.repeats
@pytest.mark.slow
def test_of_nine_categories_that_overlap_in_many_dimensions() -> None:
    centres = 0.5 * np.random.default_rng(0).normal(size=(9, 60))
    require_honest_intervals(clusters((13,) * 9, centres, lambda random, n: random.normal(size=(n, 60))))


@pytest.mark.thorough
@pytest.mark.repeats
@pytest.mark.slow
def test_of_categories_of_unequal_size_with_heavy_tails() -> None:
    centres = 0.8 * np.random.default_rng(1).normal(size=(6, 100))
    sizes = (36, 20, 12, 8, 6, 4)
    source = clusters(sizes, centres, lambda random, n: random.standard_t(5, size=(n, 100)))
    require_honest_intervals(source, N_HEAVY)


@pytest.mark.repeats
@pytest.mark.slow
def test_of_axes_that_hold_about_as_much_as_the_next_ones() -> None:
    """Four directions of equal variance within categories, and a long tail: which two are shown is a matter of luck."""
    deviations = np.concatenate([np.full(4, 3.0), np.full(76, 0.7)])
    centres = np.random.default_rng(2).normal(size=(5, 80)) * np.concatenate([np.full(4, 2.5), np.zeros(76)])
    require_honest_intervals(clusters((14,) * 5, centres, lambda random, n: deviations * random.normal(size=(n, 80))))


# --- parts ---------------------------------------------------------------------------------------------------------


def test_parts_hold_half_of_every_category_and_no_word_twice() -> None:
    first = [0] * 20 + [1] * 7 + [2] + [0] * 4
    parts = Parts.drawn(Categories(memberships=tuple((category,) for category in first)))
    for words in parts.words:
        assert len(set(words.tolist())) == len(words) == 12 + 4 + 1
        assert np.bincount(np.array(first)[words]).tolist() == parts.n_kept.tolist() == [12, 4, 1]
    assert len({tuple(sorted(words.tolist())) for words in parts.words}) > 20


@pytest.mark.thorough
@pytest.mark.slow
def test_parts_of_a_long_list_give_an_error_as_large_as_half_of_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """On parts of 200 of these words it is a sixth smaller, and of 95 % intervals 90 % cover."""
    centres = 0.5 * np.random.default_rng(0).normal(size=(9, 60))
    source = clusters((130,) * 9, centres, lambda random, n: random.normal(size=(n, 60)))
    found = {}
    for most_kept in (CRITERIA.most_kept, 10_000):
        monkeypatch.setattr(refits, "CRITERIA", replace(CRITERIA, most_kept=most_kept))
        with threadpool_limits(1, "blas"):
            errors = [[score.error for score in scores(source, seed)] for seed in range(times(8))]
        found[most_kept] = np.mean(errors, axis=0)
    np.testing.assert_allclose(found[CRITERIA.most_kept], found[10_000], rtol=0.15)


def test_parts_of_a_long_list_are_no_longer_than_those_of_a_shorter_one() -> None:
    for n_words in (1000, 2000):
        parts = Parts.drawn(Categories(memberships=tuple((row % 4,) for row in range(n_words))))
        assert parts.words.shape[1] == pytest.approx(500, abs=4)


def test_parts_of_a_long_list_have_neighbors_in_every_category_that_has_three_words() -> None:
    labels = (*np.repeat(np.arange(500), 4).tolist(), 500, 500, 500, 501, 501, 502)
    assert set(Parts.drawn(Categories(memberships=tuple((each,) for each in labels))).n_kept[:501]) == {2}


def test_equal_seeds_draw_equal_parts() -> None:
    first, second, other = (
        Parts.drawn(Categories(memberships=tuple((row % 3,) for row in range(30)), seed=seed)) for seed in (1, 1, 2)
    )
    assert (first.words == second.words).all()
    assert (first.words != other.words).any()


def test_the_axes_of_a_vocabulary_do_not_follow_the_few_words_with_a_category() -> None:
    """Five categories lie apart in four directions alike: which two a picture shows is a matter of its words."""
    (cloud,) = gaussian(1, 300)
    cloud[np.arange(300), np.arange(300) % 5] += 4
    states = hidden_states([cloud])
    projection = pca.project(states.states, states.tokenization.reference, "centered")

    def widths(n_with_category: int) -> tuple[float, float]:
        """Of the interval as it is measured, and of one with the axes held fixed."""
        memberships = tuple((row % 5,) if row < n_with_category else () for row in range(300))
        told = measure(states, [projection], memberships, None).pictures[0].purity
        distances = euclidean_distances(projection.coordinates[0][:n_with_category])
        fixed = purity(distances, Categories(memberships=memberships[:n_with_category], n_permutations=0))
        return float(told.high[0] - told.low[0]), fixed.high - fixed.low

    of_few, fixed = widths(60)
    assert of_few == pytest.approx(fixed)
    of_all, fixed = widths(300)
    assert of_all > 1.2 * fixed
