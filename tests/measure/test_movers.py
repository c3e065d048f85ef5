"""Which words moved: those that lost their neighbors for others, beyond noise; not those around them, nor those that went along."""

from __future__ import annotations

import numpy as np
import pytest
from making import hidden_states
from repeating import times

from tokviz.measure import decisions, movers
from tokviz.records import Moved

N_CATEGORIES, N_WORDS, WIDTH = 8, 80, 64
CATEGORY = np.arange(N_WORDS) % N_CATEGORIES
TEN = np.array([0, 9, 18, 27, 36, 45, 54, 63, 64, 73])
"""Words of all categories; the next one on is of another category."""


@pytest.fixture(autouse=True)
def _few_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokviz.measure.movers.N_COPIES", 100)


def model(seed: int = 0, n_depths: int = 2) -> list[np.ndarray]:
    """Words around the centers of their categories."""
    random = np.random.default_rng(seed)
    return [
        (1.5 * random.normal(size=(N_CATEGORIES, WIDTH))[CATEGORY] + random.normal(size=(N_WORDS, WIDTH))).astype(
            np.float32
        )
        for _ in range(n_depths)
    ]


def noisy(states: list[np.ndarray], size: float, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [state + size * random.normal(size=state.shape).astype(np.float32) for state in states]


def exchanged(states: list[np.ndarray], start: int) -> list[np.ndarray]:
    """From a depth on, each of the ten has the state of the next one."""
    found = [state.copy() for state in states]
    for state in found[start:]:
        state[TEN] = state[np.roll(TEN, -1)]
    return found


def moved(before: list[np.ndarray], after: list[np.ndarray], *, seed: int = 0) -> Moved:
    return decided(movers.moved(hidden_states(before), hidden_states(after), np.arange(len(before[0])), seed))


def decided(found: Moved) -> Moved:
    return decisions.with_decisions(found, decisions.decide([found.claim]))


def announced(found: Moved) -> set[int]:
    return set(np.flatnonzero(found.holds.any(axis=0)))


@pytest.mark.parametrize("size", [0.0, 0.3])
def test_ten_exchanged_words_are_found_from_their_depth_on(size: float) -> None:
    """Whether nothing else has changed, or all other words have noise of their own."""
    states = model()
    found = moved(noisy(states, size, 1), noisy(exchanged(states, 1), size, 2))
    assert announced(found) == set(TEN)
    assert not found.holds[0].any()
    assert (found.lost[1:, TEN] >= 3).all()
    assert np.nanmin(found.score[1:, TEN]) > np.nanmax(np.delete(found.score, TEN, axis=1))


@pytest.mark.parametrize("size", [1e-6, 0.3, 1.0])
def test_of_two_noisy_copies_nobody_moved(size: float) -> None:
    states = model()
    found = moved(noisy(states, size, 1), noisy(states, size, 2))
    assert not announced(found)
    assert np.isfinite(found.score).all()


def test_words_that_move_along_with_their_neighbors_have_not_moved() -> None:
    """A category goes to another place as a whole."""
    states = model()
    after = [state.copy() for state in states]
    for state in after:
        state[CATEGORY == 3] += np.random.default_rng(5).normal(size=WIDTH).astype(np.float32)
    assert not announced(moved(noisy(states, 0.3, 1), noisy(after, 0.3, 2)))


def test_words_among_which_others_come_have_not_moved() -> None:
    """They lose neighbors, but stay near them."""
    states = model()
    after = [state.copy() for state in states]
    arrived = np.flatnonzero(CATEGORY == 0)
    for state in after:
        center = [state[category == CATEGORY].mean(axis=0) for category in (0, 1)]
        state[arrived[:4]] += center[1] - center[0]
    found = moved(noisy(states, 0.1, 1), noisy(after, 0.1, 2))
    assert found.lost[:, CATEGORY == 1].mean() >= 2
    assert announced(found) >= set(arrived[:4])
    assert not announced(found) & set(np.flatnonzero(CATEGORY == 1))


def test_words_that_their_neighbors_leave_have_not_moved() -> None:
    """Of two categories every second word is exchanged: the others stay where they are, among words of both."""
    states = model()
    found = moved(states, exchanged_halves(states))
    is_of_two = np.isin(CATEGORY, (0, 1))
    changed = is_of_two & (np.arange(N_WORDS) // N_CATEGORIES % 2 == 0)
    assert announced(found) <= set(np.flatnonzero(changed))
    assert len(announced(found)) >= 5
    assert (found.lost[1, is_of_two & ~changed] >= 3).sum() >= 4, "they have lost as many"


def exchanged_halves(states: list[np.ndarray]) -> list[np.ndarray]:
    found = [state.copy() for state in states]
    rows = [np.flatnonzero(each == CATEGORY)[::2] for each in (0, 1)]
    found[1][np.concatenate(rows)] = states[1][np.concatenate(rows[::-1])]
    return found


def test_words_whose_category_becomes_less_dense_have_not_moved() -> None:
    """They are less similar to their neighbors than before, and these are still their nearest."""
    states = model()
    after = noisy(states, 0.3, 2)
    own = np.flatnonzero(CATEGORY == 2)
    for state in after:
        center = state[own].mean(axis=0)
        state[own] -= 0.3 * center
    found = moved(noisy(states, 0.3, 1), after)
    assert found.score[:, own].max() > found.claim.threshold
    assert not announced(found)


def test_a_change_of_scale_in_any_dimension_moves_nobody() -> None:
    states = model()
    scales = 10 ** np.random.default_rng(1).uniform(-3, 3, WIDTH)
    found = moved(states, [(state * scales + 7).astype(np.float32) for state in states])
    assert not announced(found)
    assert not found.lost.any()


def test_the_neighbors_lost_are_counted() -> None:
    """In a group of its own each word's nearest are the others of it; a word of each of two groups exchange their places."""
    state = np.repeat(5 * np.eye(6), 6, axis=0) + np.random.default_rng(0).normal(size=(36, 6))
    after = state.copy()
    after[[0, 6]] = state[[6, 0]]
    found = moved([np.tile(state, 2)], [np.tile(after, 2)])
    assert found.k == 5
    np.testing.assert_array_equal(found.lost, [[5, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1] + [0] * 24])


def test_identical_states_ask_nothing() -> None:
    states = model()
    found = moved(states, states)
    assert (found.lost == 0).all()
    assert np.isnan(found.score).all()
    assert not announced(found)


def test_a_depth_that_has_not_changed_asks_nothing() -> None:
    states = model()
    found = moved(states, [states[0], *noisy(states, 0.5, 1)[1:]])
    assert np.isnan(found.score[0]).all()
    assert np.isfinite(found.score[1:]).all()


@pytest.mark.filterwarnings("error")
def test_what_is_undefined_is_not_announced() -> None:
    """Words that are one and the same state have no neighbors to speak of."""
    states = model(n_depths=3)
    after = exchanged(states, 0)
    states[0][:] = states[0][0]
    states[1][:10] = states[1][0]
    found = moved(states, after)
    assert (found.lost[0] == -1).all()
    assert (found.lost[1, :10] == -1).all()
    assert (found.lost[2] >= 0).all()
    assert np.isnan(found.score[found.lost == -1]).all()
    assert not found.holds[found.lost == -1].any()
    assert found.holds[2].any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_words", [0, 1, 2, 5, 6, 15])
def test_few_words_have_no_movers(n_words: int) -> None:
    before, after = ([state[:n_words] for state in model(seed)] for seed in (0, 1))
    found = moved(before, after)
    assert found.lost.shape == found.holds.shape == (2, n_words)
    assert not found.holds.any()
    assert np.isnan(found.claim.score).all()


def test_dimensions_may_be_constant_on_one_side() -> None:
    states = model()
    after = exchanged(states, 0)
    for state in after:
        state[:, :3] = 1.0
    assert announced(moved(states, after)) >= set(TEN)


def test_other_numbers_of_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many depths, got 2 and 1"):
        movers.moved(hidden_states(model()), hidden_states(model()[:1]), np.arange(N_WORDS))


def test_equal_seeds_give_equal_scores() -> None:
    states = model(n_depths=1)
    one, two, other = (moved(states, exchanged(states, 0), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.score, two.score)
    assert (one.score != other.score).any()


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.repeats
@pytest.mark.parametrize("shape", ["one size", "by dimension", "growing"])
def test_of_two_noisy_copies_somebody_moved_no_more_often_than_the_level_says(shape: str) -> None:
    n_copies, wrong = times(40), 0
    for seed in range(n_copies):
        random = np.random.default_rng((9, seed))
        states = model(seed)
        size = {"one size": np.ones(WIDTH), "by dimension": random.uniform(0.1, 2, WIDTH), "growing": np.ones(WIDTH)}[
            shape
        ]
        copies = [
            [
                (state + (depth if shape == "growing" else 0.5) * size * random.normal(size=state.shape)).astype(
                    np.float32
                )
                for depth, state in enumerate(states)
            ]
            for _ in range(2)
        ]
        wrong += bool(announced(moved(*copies, seed=seed)))
    assert wrong <= 1 + 0.02 * n_copies
