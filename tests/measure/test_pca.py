"""Coordinates: faithful to PCA, to the reference words, and from layer to layer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from making import hidden_states
from narrow import present

from tokviz.measure.massive import outstanding
from tokviz.measure.pca import fit, project, scores, scores_of
from tokviz.pages.text.problems import grid_problems, problems
from tokviz.records import Problem

N_WORDS, WIDTH = 40, 24


@pytest.fixture
def states() -> list[np.ndarray]:
    """Four depths: the same cloud, rotated a little more each time, with one constant dimension."""
    random = np.random.default_rng(0)
    cloud = random.normal(size=(N_WORDS, WIDTH)) * np.linspace(5, 0.5, WIDTH)
    turn = np.linalg.qr(np.eye(WIDTH) + 0.1 * random.normal(size=(WIDTH, WIDTH)))[0]
    depths = []
    for _ in range(4):
        depth = cloud.astype(np.float32).copy()
        depth[:, 3] = 7.0
        depths.append(depth)
        cloud = cloud @ turn
    return depths


EVERYONE = np.ones(N_WORDS, dtype=bool)


def total_variance(states: np.ndarray) -> float:
    return float(states.astype(np.float64).var(axis=0, ddof=1).sum())


def test_centered_coordinates_hold_the_variance_that_is_claimed(states: list[np.ndarray]) -> None:
    projection = project(states, EVERYONE, "centered")
    for depth, state in enumerate(states):
        held = projection.coordinates[depth].var(axis=0, ddof=1) / total_variance(state)
        np.testing.assert_allclose(held, projection.explained_variance_ratio[depth], rtol=1e-9)
        # No line through the cloud holds more than PC1: the largest eigenvalue of the covariance says how much.
        largest = np.linalg.eigvalsh(np.cov(state.astype(np.float64), rowvar=False))[-1]
        assert held[0] == pytest.approx(largest / total_variance(state), rel=1e-9)


def test_standardized_coordinates_do_not_depend_on_the_scale_of_a_dimension(states: list[np.ndarray]) -> None:
    stretched = [state * np.geomspace(1, 1000, WIDTH, dtype=np.float32) for state in states]
    before, after = project(states, EVERYONE, "standardized"), project(stretched, EVERYONE, "standardized")
    np.testing.assert_allclose(before.coordinates, after.coordinates, atol=1e-3)
    centered = project(stretched, EVERYONE, "centered")
    assert not np.allclose(centered.coordinates, project(states, EVERYONE, "centered").coordinates, atol=1)


def test_a_constant_dimension_changes_nothing(states: list[np.ndarray]) -> None:
    without = [np.delete(state, 3, axis=1) for state in states]
    np.testing.assert_allclose(
        project(states, EVERYONE, "standardized").coordinates,
        project(without, EVERYONE, "standardized").coordinates,
        atol=1e-9,
    )


@pytest.mark.parametrize("name", ["standardized", "centered"])
def test_one_odd_word_outside_the_reference_words_moves_no_other(states: list[np.ndarray], name: str) -> None:
    reference = EVERYONE.copy()
    reference[5] = False
    odd = [state.copy() for state in states]
    for state in odd:
        state[5] += 10_000
    calm, spoilt = project(states, reference, name), project(odd, reference, name)
    np.testing.assert_array_equal(calm.coordinates[:, reference], spoilt.coordinates[:, reference])
    np.testing.assert_array_equal(calm.explained_variance_ratio, spoilt.explained_variance_ratio)
    assert np.abs(spoilt.coordinates[:, 5]).max() > np.abs(calm.coordinates[:, 5]).max()


def test_axes_keep_their_direction_from_layer_to_layer(states: list[np.ndarray]) -> None:
    mirrored = [state if depth % 2 else -state for depth, state in enumerate(states)]
    coordinates = project(mirrored, EVERYONE, "centered").coordinates
    for before, after in itertools.pairwise(coordinates):
        for axis in range(2):
            assert np.corrcoef(before[:, axis], after[:, axis])[0, 1] > 0


def test_the_grid_puts_every_depth_in_the_basis_of_the_embedding(states: list[np.ndarray]) -> None:
    huge = [states[0], states[0] * 100]
    projection = project(huge, EVERYONE, "centered")
    np.testing.assert_allclose(projection.grid_coordinates[0], projection.coordinates[0], atol=1e-9)
    spread = np.ptp(projection.grid_coordinates[1], axis=0) / np.ptp(projection.grid_coordinates[0], axis=0)
    np.testing.assert_allclose(spread, 100, rtol=1e-6)


@pytest.mark.parametrize(("n", "kept", "standardize"), [(30, 30, True), (45, 22, False)])
def test_states_that_differ_alike_in_all_dimensions_have_coordinates(n: int, kept: int, standardize: bool) -> None:
    """Of many equal eigenvalues the solver for a few may find none: a report on one-hot states failed."""
    found = scores(np.eye(n)[:kept], standardize=standardize)
    assert found.shape == (kept, 2)
    assert (np.linalg.norm(found, axis=0) > 0).all()


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("n_words", [10, N_WORDS])
def test_scores_are_the_coordinates_of_the_words_that_are_fitted_on(
    states: list[np.ndarray], n_words: int, standardize: bool
) -> None:
    """With fewer words than dimensions, and with more."""
    some = states[0][:n_words]
    expected = fit(some, standardize=standardize).project(some)
    found = scores(some, standardize=standardize)
    np.testing.assert_allclose(found * np.sign((found * expected).sum(axis=0)), expected, atol=1e-9)


@pytest.mark.parametrize("name", ["standardized", "centered", "unit_norm", "without_massive"])
def test_a_projection_is_fitted_again_as_it_was_made(states: list[np.ndarray], name: str) -> None:
    stretched = [state * np.geomspace(1, 50, WIDTH, dtype=np.float32) for state in states]
    rows = np.arange(0, N_WORDS, 2)
    whole = project(stretched, EVERYONE, name, ((), (), (23,), (22, 23)))
    part = project([state[rows] for state in stretched], EVERYONE[rows], name, ((), (), (23,), (22, 23)))
    for depth, state in enumerate(stretched):
        found = scores_of(whole, depth, state)(rows)
        signs = np.sign((found * part.coordinates[depth]).sum(axis=0))
        np.testing.assert_allclose(found * signs, part.coordinates[depth], atol=1e-9 * np.abs(found).max())


def test_equal_states_give_equal_bytes(states: list[np.ndarray]) -> None:
    first, second = (project(states, EVERYONE, "standardized") for _ in range(2))
    assert first.coordinates.tobytes() == second.coordinates.tobytes()
    assert first.grid_coordinates.tobytes() == second.grid_coordinates.tobytes()


def test_fewer_than_three_words_are_said_and_not_drawn() -> None:
    projection = project([np.eye(2, 8, dtype=np.float32)] * 2, np.array([True, True]), "standardized")
    assert np.isnan(projection.coordinates).all()
    assert set(projection.problems) == {Problem(kind="few_words", expected=3, got=2)}
    assert set(projection.grid_problems) == {Problem(kind="no_basis")}
    assert all(
        "at least 3 words" in present(problem) for problem in (*problems(projection), *grid_problems(projection))
    )


def test_words_that_are_all_alike_are_said_and_the_other_depths_go_on(states: list[np.ndarray]) -> None:
    projection = project([states[0], np.ones((N_WORDS, WIDTH), np.float32), states[1]], EVERYONE, "standardized")
    assert projection.problems[0] is None
    assert projection.problems[2] is None
    assert projection.problems[1] == Problem(kind="equal_states")
    assert "same hidden state" in present(problems(projection)[1])
    assert np.isfinite(projection.coordinates[2]).all()


def test_a_layer_wider_than_the_embedding_has_a_picture_but_no_place_in_the_grid(states: list[np.ndarray]) -> None:
    wider = np.concatenate([states[1], states[2]], axis=1)
    projection = project([states[0], wider], EVERYONE, "centered")
    assert projection.problems == (None, None)
    assert "48 dimensions and the embedding 24" in present(grid_problems(projection)[1])
    assert np.isnan(projection.grid_coordinates[1]).all()


def test_unit_norm_sees_directions_only(states: list[np.ndarray]) -> None:
    longer = [state * np.linspace(1, 50, N_WORDS, dtype=np.float32)[:, None] for state in states]
    before, after = project(states, EVERYONE, "unit_norm"), project(longer, EVERYONE, "unit_norm")
    np.testing.assert_allclose(before.coordinates, after.coordinates, atol=1e-6)
    np.testing.assert_allclose(before.grid_coordinates, after.grid_coordinates, atol=1e-6)


def test_without_massive_dimensions_the_rest_comes_back(states: list[np.ndarray]) -> None:
    sink = [state.copy() for state in states]
    for state in sink[2:]:
        state[:, 7] += np.linspace(10_000, 20_000, N_WORDS, dtype=np.float32)
    plain = project(sink, EVERYONE, "centered")
    assert plain.explained_variance_ratio[2, 0] > 0.999
    found = project(sink, EVERYONE, "without_massive", [(), (), (7,), (7,)])
    expected = project([np.delete(state, 7, axis=1) for state in states], EVERYONE, "centered")
    np.testing.assert_allclose(found.coordinates[2:], expected.coordinates[2:], atol=1e-6)
    np.testing.assert_array_equal(found.coordinates[:2], plain.coordinates[:2])
    assert np.ptp(found.grid_coordinates[2], axis=0).max() < 100


def test_without_dominant_dimensions_the_rest_comes_back(states: list[np.ndarray]) -> None:
    large = [100 * state for state in states]
    for state in large[2:]:
        state[:, 7] = np.linspace(4_000, 8_000, N_WORDS, dtype=np.float32)
    capture = hidden_states(large)
    left_out = outstanding(capture, None)
    assert left_out == ((), (), (7,), (7,)), "dominant, and not massive against states that are all large"
    found = project(large, EVERYONE, "without_massive", left_out)
    expected = project([np.delete(100 * state, 7, axis=1) for state in states], EVERYONE, "centered")
    np.testing.assert_allclose(found.coordinates[2:], expected.coordinates[2:], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("without_massive", "Apart from the dimensions that are left out, all words have the same hidden state here"),
        ("unit_norm", "With the same length, the states of all words are the same here"),
    ],
)
def test_states_that_a_projection_makes_alike_are_not_said_to_be_the_same(name: str, why: str) -> None:
    sizes = np.linspace(1, 2, N_WORDS, dtype=np.float32)
    state = np.outer(sizes, np.eye(WIDTH)[7]).astype(np.float32)
    projection = project([state], EVERYONE, name, [(7,)])
    assert present(problems(projection)[0]).startswith(why)


@pytest.mark.parametrize("name", ["standardized", "centered"])
def test_a_long_list_has_the_coordinates_that_the_exact_solver_gives(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    random = np.random.default_rng(1)
    state = (random.normal(size=(5000, WIDTH)) * np.geomspace(1, 500, WIDTH) + 40).astype(np.float32)
    state[:, 3] = 7.0
    everyone = np.ones(len(state), dtype=bool)
    many = project([state, state], everyone, name)
    monkeypatch.setattr("tokviz.measure.pca.MANY_WORDS", 10**6)
    exact = project([state, state], everyone, name)
    np.testing.assert_allclose(many.explained_variance_ratio, exact.explained_variance_ratio, rtol=1e-9)
    signs = np.sign((many.coordinates * exact.coordinates).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(many.coordinates * signs, exact.coordinates, atol=1e-7 * np.abs(exact.coordinates).max())
