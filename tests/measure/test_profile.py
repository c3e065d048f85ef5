"""How far models are above chance at their best depth, and whether two differ: known answers, and how often it errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import making
import numpy as np
import pytest

from tokviz.measure import geometry as measured
from tokviz.measure import relations as related
from tokviz.measure.profile import ProfileComparer, Side, profile
from tokviz.records import Differences, HiddenStates, OrderRows, PairRows, Profile
from tokviz.run.measuring.deciding import decide_alone

N_CATEGORIES, N_EACH, WIDTH = 6, 12, 40
N_WORDS = N_CATEGORIES * N_EACH
MEMBERSHIPS = tuple((row // N_EACH,) for row in range(N_WORDS))
CATEGORY = np.arange(N_WORDS) // N_EACH
_ROWS = np.stack([np.arange(10), N_EACH + np.arange(10)], axis=1)
PAIRS = (PairRows(pairs=_ROWS, candidates=_ROWS[:, 1]),)
"""Of the first two categories."""
ORDERS = (OrderRows(words=np.arange(2 * N_EACH, 3 * N_EACH), places=np.arange(N_EACH), n_places=N_EACH, cyclic=True),)
"""The third."""
_FIXED = np.random.default_rng(2026)
MEANS = _FIXED.normal(size=(N_CATEGORIES, WIDTH))
STEP, PLANE = _FIXED.normal(size=WIDTH), _FIXED.normal(size=(2, WIDTH))


def model(
    words: np.ndarray, random: np.random.Generator, n_depths: int = 5, *, noise: float = 1.0, related: float = 1.0
) -> HiddenStates:
    """A model of ``words``, ``(N_WORDS, WIDTH)``, which it sees with noise of its own; depths resemble those before.

    Parameters
    ----------
    related : how much of the relation and the order it has.
    """
    states, own = [], random.normal(size=words.shape)
    for _ in range(n_depths):
        own = 0.8 * own + 0.6 * random.normal(size=words.shape)
        state = 0.4 * MEANS[CATEGORY] + 0.7 * words + noise * own
        state[_ROWS[:, 1]] += related * (state[_ROWS[:, 0]] + 2 * STEP)
        angles = 2 * np.pi * np.arange(N_EACH) / N_EACH
        state[ORDERS[0].words] += 3 * related * np.stack([np.cos(angles), np.sin(angles)], axis=1) @ PLANE
        states.append(state.astype(np.float32))
    return making.hidden_states(states, positions=[1] * N_WORDS)


def side(states: HiddenStates) -> Side:
    return Side(states=states, memberships=MEMBERSHIPS, pairs=PAIRS, orders=ORDERS)


def compared(a: HiddenStates, b: HiddenStates) -> Differences:
    return ProfileComparer().compare(side(a), side(b))


def profiled(states: HiddenStates) -> Profile:
    return profile(
        states,
        MEMBERSHIPS,
        measured.measure(states, [], MEMBERSHIPS, None),
        related.measure(states, PAIRS, ORDERS),
    )


# --- two models ------------------------------------------------------------------------------------------------------


def p_values(n_runs: int, n_depths: Sequence[int] = (5, 5), **second: float) -> np.ndarray:
    """``(n_runs, 4)``: of purity, silhouette, relation and order, for two models that see the same words."""
    found = []
    for run in range(n_runs):
        random = np.random.default_rng((7, run))
        words = random.normal(size=(N_WORDS, WIDTH))
        a, b = model(words, random, n_depths[0]), model(words, random, n_depths[1], **second)
        found.append([each.p_value_uncorrected for each in compared(a, b).all])
    return np.array(found)


@pytest.mark.slow
def test_models_that_do_not_differ_are_seldom_said_to() -> None:
    assert ((p_values(200) < 0.05).mean(axis=0) <= 0.07).all()


@pytest.mark.slow
def test_a_deeper_model_is_not_said_to_differ_because_of_its_depth() -> None:
    assert ((p_values(50, (15, 5)) < 0.05).mean(axis=0) <= 0.1).all()


@pytest.mark.slow
def test_a_planted_difference_is_found() -> None:
    purity, silhouette, _, _ = (p_values(20, noise=3.0) < 0.05).mean(axis=0)
    assert min(purity, silhouette) == 1
    _, _, relation, _ = (p_values(20, related=0.0) < 0.05).mean(axis=0)
    assert relation >= 0.9  # twelve words in an order are too few to be sure


def test_a_model_does_not_differ_from_itself_however_often_a_layer_is_there() -> None:
    random = np.random.default_rng(1)
    states = model(random.normal(size=(N_WORDS, WIDTH)), random)
    often = making.hidden_states([each for each in states.states for _ in range(4)], positions=[1] * N_WORDS)
    for difference in compared(states, often).all:
        assert difference.value == pytest.approx(0, abs=1e-9)
        assert difference.p_value == 1


def test_swapping_two_models_turns_the_sign() -> None:
    random = np.random.default_rng(2)
    words = random.normal(size=(N_WORDS, WIDTH))
    a, b = model(words, random), model(words, random, 3, noise=2.0)
    for one, other in zip(compared(a, b).all, compared(b, a).all, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
        assert one.p_value == pytest.approx(other.p_value)


def test_only_words_count_that_both_share() -> None:
    """Words that one model reads elsewhere may be anywhere in the other."""
    random = np.random.default_rng(3)
    a, b = (model(random.normal(size=(N_WORDS, WIDTH)), random) for _ in range(2))
    elsewhere = [2 if row in (0, 5, 30, 50) else 1 for row in range(N_WORDS)]
    b = making.hidden_states(list(b.states), positions=elsewhere)
    reference = b.tokenization.reference
    pairs = (replace(PAIRS[0], pairs=_ROWS[reference[_ROWS].all(axis=1)]),)
    kept = np.isin(ORDERS[0].words, np.flatnonzero(reference))
    orders = (replace(ORDERS[0], words=ORDERS[0].words[kept], places=ORDERS[0].places[kept]),)

    def differences(states: HiddenStates) -> Differences:
        other = Side(states=b, memberships=MEMBERSHIPS, pairs=pairs, orders=orders)
        return ProfileComparer().compare(side(states), other)

    moved = [np.where(reference[:, None], state, 100 * state[::-1]) for state in a.states]
    found = differences(a)
    assert [each.n for each in found.all] == [N_WORDS - 4, N_WORDS - 4, 8, 11]
    again = differences(making.hidden_states(moved, positions=[1] * N_WORDS))
    assert [each.value for each in found.all] == pytest.approx([each.value for each in again.all])
    assert [each.p_value for each in found.all] == pytest.approx([each.p_value for each in again.all])


def test_too_few_shared_pairs_and_words_are_not_compared() -> None:
    random = np.random.default_rng(4)
    states = model(random.normal(size=(N_WORDS, WIDTH)), random)
    few = Side(
        states=states,
        memberships=tuple((0,) for _ in MEMBERSHIPS),
        pairs=(replace(PAIRS[0], pairs=_ROWS[:4]),),
        orders=(replace(ORDERS[0], words=ORDERS[0].words[:7], places=ORDERS[0].places[:7]),),
    )
    found = ProfileComparer().compare(few, few)
    assert np.isnan([each.value for each in found.all]).all()
    assert [each.n for each in found.all] == [N_WORDS, N_WORDS, 4, 7]


# --- one model -------------------------------------------------------------------------------------------------------


def test_a_peak_is_the_best_depth_of_what_was_measured() -> None:
    random = np.random.default_rng(5)
    states = model(random.normal(size=(N_WORDS, WIDTH)), random)
    geometry, found = measured.measure(states, [], MEMBERSHIPS, None), profiled(states)
    relations = related.measure(states, PAIRS, ORDERS)
    zero = np.zeros(states.n_depths)
    for peak, tested, chance in (
        (found.purity, geometry.purity, geometry.purity.null_mean),
        (found.silhouette, geometry.silhouette, geometry.silhouette.null_mean),
        (found.relations[0], relations.relations[0].parallelism, relations.relations[0].parallelism.null_mean),
        (found.orders[0], relations.orders[0].r2, zero),
    ):
        above = tested.value - chance
        assert peak.depth == above.argmax()
        assert peak.value == tested.value[peak.depth]
        assert peak.above == pytest.approx(float(above.max()))
        assert peak.low < peak.above < peak.high


@pytest.mark.slow
def test_intervals_cover_what_other_lists_of_words_give() -> None:
    """Of one depth, and of several, the interval holds the mean over all lists."""
    for n_depths in (1, 6):
        peaks = []
        for run in range(50):
            random = np.random.default_rng((8, run))
            found = profiled(model(random.normal(size=(N_WORDS, WIDTH)), random, n_depths))
            peaks.append([(each.low, each.above, each.high) for each in (found.purity, found.silhouette)])
        low, above, high = np.array(peaks).transpose(2, 0, 1)
        means = above.mean(axis=0)
        assert (((low <= means) & (means <= high)).mean(axis=0) >= 0.9).all()


@pytest.mark.slow
def test_without_categories_that_hold_nothing_is_above_chance_by_accident() -> None:
    """The best of many depths is held against the best of many depths: 5 % of lists are below 0.05."""
    found = []
    for run in range(50):
        states = making.hidden_states(making.gaussian(8, N_WORDS, 16, seed=run), positions=[1] * N_WORDS)
        geometry = decide_alone(measured.measure(states, [], MEMBERSHIPS, None))
        own = profile(states, MEMBERSHIPS, geometry, None)
        found.append([own.purity.p_value, own.silhouette.p_value])
    below = (np.array(found) < 0.05).mean(axis=0)
    assert (below <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 50)).all()


def test_one_category_has_no_profile() -> None:
    states = making.hidden_states(making.gaussian(3, 20), positions=[1] * 20)
    memberships = ((0,),) * 20
    found = profile(states, memberships, measured.measure(states, [], memberships, None), None)
    assert (found.purity.depth, found.silhouette.depth) == (None, None)
    assert np.isnan([found.purity.above, found.purity.low, found.purity.p_value]).all()
    assert (found.relations, found.orders) == ((), ())
