"""Similarity between depths and models: blind to width and rotation, near chance for strangers, honest about noise."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from falsify.similar import sharing_categories
from making import gaussian, hidden_states
from repeating import times

from tokviz.measure import decisions, similarity
from tokviz.measure.similarity import LayerComparer, Permutations
from tokviz.records import Claim, HiddenStates, LayerSimilarity

N_CATEGORIES = 5


@pytest.fixture(autouse=True)
def _few_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokviz.measure.decisions.N_SHUFFLES", 99)
    monkeypatch.setattr("tokviz.measure.similarity.N_PERMUTATIONS", 19)


def compared(
    a: HiddenStates, b: HiddenStates, rows: tuple[np.ndarray, np.ndarray], *, seed: int = 0
) -> LayerSimilarity:
    return LayerComparer(seed=seed).compare(a, b, rows, memberships(len(a.tokenization.words)))


def memberships(n_words: int) -> list[tuple[int, ...]]:
    return [(row % N_CATEGORIES,) for row in range(n_words)]


def everyone(n_words: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(n_words), np.arange(n_words)


def related(seed: int, n_words: int = 100, noise: float = 0.7) -> tuple[HiddenStates, HiddenStates]:
    """Two models that see the same eight hidden traits, each in its own width and with its own noise."""
    random = np.random.default_rng(seed)
    traits = random.normal(size=(n_words, 8))
    made = []
    for width, n_depths in ((40, 4), (90, 3)):
        maps = [random.normal(size=(8, width)) / np.sqrt(8) for _ in range(n_depths)]
        made.append(hidden_states([traits @ each + noise * random.normal(size=(n_words, width)) for each in maps]))
    first, second = made
    return first, second


def test_a_copy_with_other_dimensions_and_scales_matches_depth_by_depth() -> None:
    """Each dimension counts alike: one that is a thousand times larger changes nothing."""
    random = np.random.default_rng(0)
    states = gaussian(4, n_words=80)
    copy = [(state * 10 ** random.uniform(-3, 3, 32) + 5)[:, random.permutation(32)] for state in states]
    found = compared(hidden_states(states), hidden_states(copy), everyone(80))
    np.testing.assert_allclose(np.diag(found.cka), 1, atol=1e-6)
    np.testing.assert_array_equal(np.diag(found.neighbours), 1)
    assert np.abs(found.cka[~np.eye(4, dtype=bool)]).max() < 0.2
    assert found.cka_summary.value == pytest.approx(1, abs=1e-6)
    assert found.neighbours_summary.value == 1


def test_strangers_are_at_chance() -> None:
    a, b = hidden_states(gaussian(5, n_words=100, width=600)), hidden_states(gaussian(3, n_words=100, seed=1))
    found = compared(a, b, everyone(100))
    assert found.cka.shape == found.neighbours.shape == (5, 3)
    assert np.abs(found.cka).max() < 0.1
    assert found.chance == pytest.approx(10 / 99)
    assert found.neighbours.mean() == pytest.approx(found.chance, abs=0.02)


def test_the_summary_is_the_same_from_either_side() -> None:
    a, b = related(0)
    there, back = compared(a, b, everyone(100)), compared(b, a, everyone(100))
    np.testing.assert_allclose(there.cka, back.cka.T)
    assert there.cka_summary.value == pytest.approx(back.cka_summary.value)
    assert 0.3 < there.cka_summary.value < 1
    assert there.cka_summary.low < there.cka_summary.value < there.cka_summary.high


def test_the_best_match_is_looked_for_at_every_depth() -> None:
    matrix = np.array([[0.9, 0.1, np.nan], [0.2, 0.5, np.nan]])
    assert similarity.best_match(matrix) == pytest.approx((0.7 + 0.7) / 2)
    assert similarity.best_match(np.array([[0.9, 0.1, 0.3], [0.2, 0.5, 0.1]])) == pytest.approx((0.7 + 1.7 / 3) / 2)
    assert np.isnan(similarity.best_match(np.full((2, 2), np.nan)))


@pytest.mark.slow
@pytest.mark.repeats
def test_intervals_cover_what_other_words_give() -> None:
    n_lists = times(16)
    found = [compared(*related(seed), everyone(100)) for seed in range(n_lists)]
    for name in ("cka_summary", "neighbours_summary"):
        estimates = [getattr(each, name) for each in found]
        true = np.mean([estimate.value for estimate in estimates])
        covered = sum(estimate.low <= true <= estimate.high for estimate in estimates)
        assert covered >= 0.85 * n_lists


def test_only_words_captured_the_same_way_are_compared() -> None:
    positions = [0, 0, 0, 0, 1, 0]
    a = hidden_states(gaussian(2, n_words=6), positions=positions)
    b = hidden_states(gaussian(2, n_words=6), positions=[3] * 6, n_tokens=[1, 2, 1, 1, 1, 1])
    for rows in similarity.shared_rows(a, b):
        assert rows.tolist() == [0, 1, 2, 3, 5]
    for rows in similarity.shared_rows(a, b, single_token=True):
        assert rows.tolist() == [0, 2, 3, 5]


@pytest.mark.filterwarnings("error")
def test_long_lists_are_sampled_and_short_ones_give_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    a = hidden_states(gaussian(2))
    monkeypatch.setattr("tokviz.measure.similarity.MAX_COMPARED", 30)
    found = compared(a, a, everyone(60))
    assert (found.n_words, found.n_compared, found.n_neighbours) == (60, 30, 6)
    for n_words in (0, 1, 3):
        short = compared(a, a, everyone(n_words))
        assert np.isnan(short.cka).all()
        assert np.isnan(short.neighbours).all()
        assert np.isnan(short.cka_summary.value)
    few = compared(a, a, everyone(5))
    assert np.isfinite(few.neighbours).all()
    assert np.isnan(few.neighbours_summary.low)


@pytest.mark.filterwarnings("error")
def test_cka_is_not_given_for_fewer_than_sixteen_words() -> None:
    a = hidden_states(gaussian(2))
    fifteen, sixteen = (compared(a, a, everyone(n_words)) for n_words in (15, 16))
    assert fifteen.least_words == 16
    assert np.isnan(fifteen.cka).all()
    assert np.isnan([fifteen.cka_summary.value, fifteen.cka_summary.low, fifteen.cka_summary.high]).all()
    assert np.isfinite(fifteen.neighbours_summary.low)
    assert np.isfinite(sixteen.cka).all()
    assert np.isfinite(sixteen.cka_summary.low)


@pytest.mark.filterwarnings("error")
def test_mutual_neighbours_are_of_the_words_that_have_any() -> None:
    """Of one model some words are one and the same state at depth 1, and most at depth 2."""
    states, others = gaussian(3, n_words=100), gaussian(2, n_words=100, seed=1)
    states[1][:30], states[2][:60] = states[1][0], states[2][0]
    found = compared(hidden_states(states), hidden_states(others), everyone(100))
    assert np.isfinite(found.neighbours[:2]).all()
    assert np.isnan(found.neighbours[2]).all()
    same = compared(hidden_states(states), hidden_states(states), everyone(100))
    np.testing.assert_array_equal(np.diag(same.neighbours)[:2], 1)


def test_equal_seeds_give_equal_intervals() -> None:
    a, b = related(0)
    first, second = (compared(a, b, everyone(100), seed=4) for _ in range(2))
    assert first.cka_summary == second.cka_summary


# --- permuted words ------------------------------------------------------------------------------------------------


def decided(found: LayerSimilarity) -> Claim:
    claim = found.beyond_categories
    return claim.decided(decisions.decide([claim])["similarity"])


def test_words_are_permuted_within_their_categories_only_and_in_every_way() -> None:
    words, own = [f"word{row}" for row in range(7)], [(0,), (0,), (0,), (1,), (1,), (0, 1), ()]
    found = Permutations.of(words, own, seed=0)
    assert found.n_within == 6 * 2
    assert found.within.shape == (99, 7)
    np.testing.assert_array_equal(np.sort(found.within, axis=1), np.broadcast_to(np.arange(7), (99, 7)))
    assert {tuple(order[:3]) for order in found.within.tolist()} == set(itertools.permutations(range(3)))
    assert {tuple(order[3:]) for order in found.within.tolist()} == {(3, 4, 5, 6), (4, 3, 5, 6)}
    assert len({tuple(order) for order in found.free.tolist()}) == 19


def test_a_words_permutations_are_the_same_whatever_is_captured_beside_it() -> None:
    """So that all pairs of models of a report are held against the same shuffles."""
    words, own = [f"word{row}" for row in range(9)], [(row % 2,) for row in range(9)]
    every, part = Permutations.of(words, own, seed=0), Permutations.of(words[::2], own[::2], seed=0)
    np.testing.assert_array_equal(every.within[:, ::2], 2 * part.within)


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("deeper_first", [True, False])
def test_what_is_found_with_words_permuted_is_what_permuted_states_give(deeper_first: bool) -> None:
    a, b = related(0, 40) if deeper_first else related(0, 40)[::-1]
    found = compared(a, b, everyone(40))
    orders = Permutations.of([word.word for word in a.tokenization.words], memberships(40), seed=0)
    for name in ("cka", "neighbours"):
        values = [
            similarity.best_match(getattr(compared(a, b, (order, np.arange(40))), name)) for order in orders.free[:19]
        ]
        assert getattr(found, f"{name}_summary").chance == pytest.approx(np.mean(values), abs=1e-6)


@pytest.mark.slow
@pytest.mark.repeats
def test_models_that_share_only_categories_are_not_alike_beyond_them() -> None:
    n_pairs = times(8)
    claims = [
        decided(compared(*sharing_categories(seed, 100, N_CATEGORIES), everyone(100), seed=seed))
        for seed in range(n_pairs)
    ]
    assert np.mean([(claim.p_value <= 0.05).any() for claim in claims]) <= 0.15
    found = compared(*sharing_categories(0, 100, N_CATEGORIES), everyone(100))
    assert found.cka_summary.value > 0.15
    assert found.cka_summary.within_categories == pytest.approx(found.cka_summary.value, abs=0.03)
    assert abs(found.cka_summary.chance) < 0.1


def test_models_that_share_more_are_alike_beyond_categories() -> None:
    claims = [decided(compared(*related(seed), everyone(100))) for seed in range(5)]
    assert all((claim.p_value == 0.01).all() for claim in claims)
    assert all(claim.is_eligible.all() for claim in claims)


def test_models_of_one_embedding_are_not_asked_whether_they_share_more() -> None:
    """That of one trained further, too."""
    a, b = related(0)
    noise = 0.01 * np.random.default_rng(0).normal(size=a.states[0].shape).astype(np.float32)
    for embedding, shares in ((a.states[0], True), (a.states[0] * 1.02 + noise, True), (a.states[0][::-1], False)):
        other = replace(a, states=[embedding, *a.states[1:]])
        found = compared(a, other, everyone(100))
        assert found.shares_embedding == shares
        assert np.isfinite(found.beyond_categories.score).any() != shares, "it would count among what the report tests"
        assert shares or decided(found).holds.any()
    assert not compared(a, b, everyone(100)).shares_embedding


@pytest.mark.filterwarnings("error")
def test_words_of_categories_of_their_own_ask_nothing() -> None:
    a, b = related(0, 40)
    found = LayerComparer().compare(a, b, everyone(40), [(row,) for row in range(40)])
    assert np.isnan(found.beyond_categories.score).all()
    assert found.cka_summary.within_categories == pytest.approx(found.cka_summary.value, abs=1e-6)


def test_more_pairs_of_depths_than_any_two_models_have_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "MOST_PAIRS_OF_DEPTHS", 11)
    a, b = hidden_states(gaussian(4, 40)), hidden_states(gaussian(3, 40))
    rows = similarity.shared_rows(a, b)
    with pytest.raises(ValueError, match="expected at most 11 pairs of depths to compare, got 4 × 3"):
        LayerComparer().compare(a, b, rows, [(0,)] * 40)
    monkeypatch.setattr(similarity, "MOST_PAIRS_OF_DEPTHS", 12)
    assert LayerComparer().compare(a, b, rows, [(0,)] * 40).cka.shape == (4, 3)
