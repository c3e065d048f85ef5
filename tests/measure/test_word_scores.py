"""How many of a word's nearest words share its category."""

from __future__ import annotations

import numpy as np
import pytest
from making import gaussian, hidden_states

from tokviz.measure.geometry import measure
from tokviz.measure.neighbours import neighbours
from tokviz.measure.word_scores import same_category
from tokviz.records import Category, HiddenStates, Neighbours, WordList, WordScores

N_WORDS = 60
THIRDS = tuple((row % 3,) for row in range(N_WORDS))


def planted(n_depths: int = 3) -> HiddenStates:
    """Words of a category lie nearer to each other."""
    states = gaussian(n_depths)
    centres = np.random.default_rng(4).normal(size=(3, states[0].shape[1]))
    return hidden_states([(state + 0.5 * centres[[own[0] for own in THIRDS]]).astype(np.float32) for state in states])


def test_counts_are_those_of_a_list_of_neighbours() -> None:
    """Six words of two categories; each has two nearest words, as its category has no more others."""
    rows = np.array([[[1, 2], [0, 3], [3, 4], [4, 5], [0, 5], [-1, -1]]])
    memberships = ((0,), (0,), (0,), (1,), (1,), (0, 1))
    states = hidden_states([np.zeros((6, 4), dtype=np.float32)])
    scores = same_category(states, memberships, Neighbours(rows=rows))
    assert scores.most == 2
    assert scores.values.tolist() == [[2, 1, 0, 2, 1, WordScores.UNKNOWN]]


@pytest.mark.parametrize("is_listed", [True, False])
def test_purity_is_the_mean_of_the_counts(*, is_listed: bool) -> None:
    states = planted()
    scores = same_category(states, THIRDS, neighbours(states) if is_listed else None)
    purity = measure(states, (), THIRDS, None).purity.value
    assert purity.min() > 0.4
    assert purity.max() < 1
    assert scores.values.mean(axis=1) / scores.most == pytest.approx(purity, abs=1e-12)


def test_words_without_a_category_have_no_count_and_are_not_among_those_of_a_long_list() -> None:
    memberships = (*THIRDS[:-10], *((),) * 10)
    states = planted()
    for found in (neighbours(states), None):
        scores = same_category(states, memberships, found)
        assert (scores.values[:, -10:] == WordScores.UNKNOWN).all()
        assert (scores.values[:, :-10] >= 0).all()
    purity = measure(states, (), memberships, None).purity.value
    assert scores.values[:, :-10].mean(axis=1) / scores.most == pytest.approx(purity, abs=1e-12)


def elsewhere(n_elsewhere: int, states: HiddenStates) -> HiddenStates:
    """The same, as many of the last words being read at another position."""
    there = [0] * (N_WORDS - n_elsewhere) + [1] * n_elsewhere
    return hidden_states(list(states.states), positions=there, n_tokens=[1 + at for at in there])


def test_a_word_that_is_read_at_another_position_is_none_of_those_nearest_to_reference_words() -> None:
    """In a model, words at another position may lie nearest to any word, whatever they mean."""
    states = elsewhere(10, planted())
    found = neighbours(states).rows
    assert found[:, : N_WORDS - 10].max() < N_WORDS - 10
    assert found[:, N_WORDS - 10 :].max() >= N_WORDS - 10
    scores = same_category(states, THIRDS, neighbours(states))
    purity = measure(states, (), THIRDS, None).purity.value
    assert scores.values[:, : N_WORDS - 10].mean(axis=1) / scores.most == pytest.approx(purity, abs=1e-12)


def test_where_reference_words_are_too_few_all_words_count() -> None:
    states = planted()
    few = hidden_states([state[:10] for state in states.states], positions=[0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert few.tokenization.reference.sum() == 4
    assert neighbours(few).rows[:, :4].max() >= 4


def test_words_of_one_category_have_no_counts() -> None:
    scores = same_category(planted(), ((0,),) * N_WORDS, None)
    assert (scores.values == WordScores.UNKNOWN).all()


def test_a_category_has_the_mean_of_those_of_its_words_that_have_a_count() -> None:
    words = WordList(
        categories=tuple(Category(key=key, label=key, words=own) for key, own in (("a", ("x", "y")), ("b", ("y", "z"))))
    )
    scores = WordScores(values=np.array([[5, 2, -1], [-1, -1, -1]], dtype=np.int16), most=5)
    means = scores.category_means(words)
    assert means[:, 0].tolist() == [3.5, 2.0]
    assert np.isnan(means[:, 1]).all()


def test_scores_beyond_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="expected -1 to 5, got 0 to 6"):
        WordScores(values=np.array([[6]], dtype=np.int16), most=5)
