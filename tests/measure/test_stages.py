"""Stages: a planted change is found where it is, and none where there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pytest
from falsify.stages import planted_states, untrained_states

from tokviz.measure import stages
from tokviz.measure.cka import centred_gram, geometry_vectors, vectors_of_parts
from tokviz.measure.spaces import standardized


def grams(states: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([centred_gram(standardized(state)) for state in states])


def found(states: Sequence[np.ndarray], required: Collection[int] = (), seed: int = 0) -> stages.Segmentation:
    return stages.find(grams(states), states.__getitem__, required=required, seed=seed)


def found_in(states: Sequence[np.ndarray], seed: int = 0) -> tuple[int, ...]:
    return found(states, seed=seed).starts


def test_planted_states_change_as_much_as_they_claim() -> None:
    cka = found(planted_states(0, 12, (5,), change=0.16, drift=0.01)).cka
    changes = 1 - np.diag(cka, 1)
    assert changes[4] == pytest.approx(0.16, abs=0.02)
    np.testing.assert_allclose(np.delete(changes, 4), 0.01, atol=0.003)


@pytest.mark.slow
@pytest.mark.parametrize(("n_depths", "start"), [(12, 5), (7, 3), (13, 2), (31, 28), (5, 2)])
def test_a_planted_change_is_found_where_it_is(n_depths: int, start: int) -> None:
    found = [found_in(planted_states(seed, n_depths, (start,), change=0.16, drift=0.02), seed) for seed in range(12)]
    assert found == [(0, start)] * 12


@pytest.mark.parametrize("n_depths", [1, 2, 3, 4, 12, 31])
def test_a_drift_is_one_stage(n_depths: int) -> None:
    for drift in (0.01, 0.1):
        assert [found_in(planted_states(seed, n_depths, (), drift=drift), seed) for seed in range(6)] == [(0,)] * 6


def test_several_changes_are_found() -> None:
    assert found_in(planted_states(0, 30, (4, 9, 20), change=0.3, drift=0.02)) == (0, 4, 9, 20)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([0.01, 0.01, 0.01, 0.06, 0.01, 0.01, 0.01], [4]),
        ([0.01, 0.01, 0.01, 0.04, 0.01, 0.01, 0.01], []),  # small
        ([0.03, 0.03, 0.03, 0.06, 0.03, 0.03, 0.03], []),  # no more than twice what is around it
        ([0.03, 0.03, 0.03, 0.09, 0.01, 0.01, 0.01], [4]),
        ([0.04, 0.04, 0.04, 0.09, 0.01, 0.01, 0.01], []),  # where a beginning that changes much ends
        ([0.01, 0.09, 0.01, 0.01], [2]),
        ([0.09, 0.01, 0.01, 0.01], []),  # the first
        ([0.01, 0.01, 0.01, 0.09], []),  # the last
        ([0.01, 0.01, 0.08, 0.09, 0.08, 0.01, 0.01], [4]),  # spread over several layers
        ([0.01, 0.01, 0.09, 0.09, 0.01, 0.01], [3]),
        ([0.01, 0.01, 0.01, 0.08, 0.01, 0.08, 0.01, 0.01], [4, 6]),
        ([0.01, 0.01, np.nan, 0.09, 0.01, 0.01], []),
        ([0.01], []),
        ([], []),
    ],
)
def test_a_boundary_is_a_change_far_above_those_around_it(changes: list[float], found: list[int]) -> None:
    assert stages.boundaries(np.array(changes)) == found


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 2.0, 5.0])
def test_models_of_random_weights_are_one_stage(scale: float) -> None:
    n_found = [
        len(found_in(untrained_states("llama", seed, n_layers=n_layers, scale=scale, before=before), seed)) - 1
        for n_layers in (3, 12)
        for before in (0, 3)
        for seed in range(3)
    ]
    assert n_found == [0] * 12


@pytest.mark.parametrize("seed", range(5))
def test_a_boundary_that_hangs_on_one_word_is_dropped(seed: int) -> None:
    """One word of a hundred goes far away at depth 6: without it nothing changes, with it all dimensions are scaled otherwise."""
    random = np.random.default_rng(seed)
    calm = random.normal(size=(100, 64))
    depths = [calm + 0.1 * random.normal(size=calm.shape) for _ in range(12)]
    for state in depths[6:]:
        state[0] *= 15
    vectors = geometry_vectors(grams(depths))
    assert stages.boundaries(1 - np.einsum("dp,dp->d", vectors[:-1], vectors[1:])) == [6]
    assert found_in(depths, seed) == (0,)


def test_a_required_boundary_stands_whatever_the_geometry_and_has_no_recurrence() -> None:
    calm = found(planted_states(0, 12, ()), required=(7,))
    assert calm.starts == (0, 7)
    assert calm.bounds() == [(0, 6), (7, 11)]
    assert np.isnan(calm.recurrence).all()
    several = found(planted_states(0, 12, (4,), change=0.3), required=(8,))
    assert several.starts == (0, 4, 8)
    assert several.recurrence[1] >= 0.9
    assert np.isnan(several.recurrence[2])


@pytest.mark.parametrize("required", [3, 4, 5])
def test_a_required_boundary_that_cka_shows_as_well_recurs_as_without_being_required(required: int) -> None:
    changing = planted_states(0, 12, (4,), change=0.3)
    both, alone = found(changing, required=(required,)), found(changing)
    assert both.starts == (0, required)
    assert alone.starts == (0, 4)
    assert both.recurrence[1] == alone.recurrence[1]


def test_few_words_and_single_depths_are_one_stage() -> None:
    few = found([np.ones((3, 2))] * 5, required=(2,))
    assert few.starts == (0, 2)
    assert np.isnan(few.recurrence).all()
    assert np.isnan(few.cka).all()


def test_depths_at_which_all_words_are_alike_are_no_change() -> None:
    states = planted_states(0, 9, ())
    states[4] = np.ones_like(states[4])
    one = found(states)
    assert one.starts == (0,)
    assert np.isnan(one.cka[4]).all()


def test_the_same_seed_finds_the_same() -> None:
    states = planted_states(0, 12, (5,), change=0.3)
    first, second = found(states, seed=3), found(states, seed=3)
    assert (first.starts, first.recurrence[1]) == (second.starts, second.recurrence[1])


def test_vectors_of_parts_are_those_of_their_words_alone() -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(4, 40, 30)) + 3
    states[2, 2:] = 7  # but for two words, all alike
    states[3, 0] *= 1e4
    every = np.stack([centred_gram(state) for state in states])
    parts = np.stack([np.arange(2, 27), *(random.choice(40, 25, replace=False) for _ in range(5))])
    for part, found in zip(parts, vectors_of_parts(every, parts), strict=True):
        alone = geometry_vectors(every[:, part[:, None], part[None, :]])
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-9)
        assert found[2].any() == (0 in part and 1 in part)
