"""An order is more than what its words look like: against regressions that are fitted word by word."""

from __future__ import annotations

from dataclasses import replace

import claiming
import making
import numpy as np
import pytest

from tokviz.measure.beyond import BeyondOverDepths, beyond_record, looks_of, r2_by_all
from tokviz.measure.orders import aims as aims_of
from tokviz.records import Beyond, HiddenStates, OrderRows, Tokenization

N = 16
PERMUTATIONS = np.array([np.arange(N), *(np.random.default_rng(seed).permutation(N) for seed in range(199))])


def order(categories: np.ndarray | None = None, *, cyclic: bool = False) -> OrderRows:
    return OrderRows(words=np.arange(N), places=np.arange(N), n_places=N, cyclic=cyclic, categories=categories)


def capture(states: np.ndarray, ids: np.ndarray, n_spellings: int = 7) -> HiddenStates:
    made = making.hidden_states([states.astype(np.float32)], positions=[1] * N)
    words = tuple(
        replace(each, word=f"word{row % n_spellings}", ids=(0, int(ids[row])))
        for row, each in enumerate(made.tokenization.words)
    )
    return replace(made, tokenization=replace(made.tokenization, words=words))


def rows(states: np.ndarray) -> np.ndarray:
    """Inner products of the centered states."""
    centered = states - states.mean(axis=0)
    return np.asarray(centered @ centered.T)


def left_out(columns: np.ndarray, aims: np.ndarray) -> float:
    """Squared errors of each word's place by a regression on the others."""
    errors = []
    for row in range(N):
        kept = np.arange(N) != row
        fitted = np.linalg.lstsq(columns[kept], aims[kept], rcond=None)[0]
        errors.append(((aims[row] - columns[row] @ fitted) ** 2).sum())
    return float(np.sum(errors))


@pytest.mark.parametrize("cyclic", [False, True])
def test_it_is_how_much_better_left_out_words_are_predicted_with_states_than_by_looks_alone(cyclic: bool) -> None:
    random = np.random.default_rng(3)
    asked = order(np.arange(N) // 6, cyclic=cyclic)
    aims = aims_of(asked)
    states, ids = (
        np.outer(np.arange(N), random.normal(size=9)) + random.normal(size=(N, 9)),
        random.integers(50, 9_000, N),
    )
    looks, *_ = looks_of(asked, capture(states, ids).tokenization, aims)
    assert looks.n == (4 if cyclic else 2)  # of two aims there are two mean places
    found = BeyondOverDepths(aims, looks, 1, PERMUTATIONS, 3)
    found.add(0, rows(states))
    base = np.linalg.eigh(looks.hat)[1][:, -1 - looks.n :]
    residual = (np.eye(N) - looks.hat) @ states
    components = np.linalg.svd(residual, full_matrices=False)[0][:, :3]
    with_states = left_out(np.hstack([base, components]), aims)
    assert found.left[0, 0] == pytest.approx(with_states / left_out(base, aims))
    assert found.left[0, 0] > 0
    assert cyclic or found.left[0, 0] < 0.5  # a line is none of a circle
    record = beyond_record("order 0", [[found]], np.inf, 0.5)
    assert record.r2 == pytest.approx(1 - found.left[:, 0])
    assert record.claim.family == "order 0, beyond"


def test_what_tells_most_of_the_places_is_taken_out_first() -> None:
    random = np.random.default_rng(1)
    states = random.normal(size=(N, 9))
    by_frequency = capture(states, np.exp(np.linspace(4, 10, N)).astype(int))
    aims = aims_of(order())
    looks, *_ = looks_of(order(), by_frequency.tokenization, aims)
    assert looks.names == ("frequency",)
    of_any = capture(states, random.permutation(np.exp(np.linspace(4, 10, N)).astype(int)))
    blocks, *_ = looks_of(order(np.arange(N) // 8), of_any.tokenization, aims)
    assert blocks.names[0] == "categories"
    alike = capture(states, np.full(N, 7), 1)
    assert looks_of(order(np.zeros(N, dtype=np.int64)), alike.tokenization, aims) == ()


@pytest.mark.parametrize("words", [[chr(97 + row) for row in range(N)], ["a" * (1 + row) for row in range(N)]])
def test_orders_by_the_alphabet_and_by_length_are_spelling(words: list[str]) -> None:
    random = np.random.default_rng(7)
    any_ = capture(random.normal(size=(N, 9)), random.permutation(N) + 100)
    named = tuple(replace(each, word=word) for each, word in zip(any_.tokenization.words, words, strict=True))
    aims = aims_of(order())
    looks, *_ = looks_of(order(), replace(any_.tokenization, words=named), aims)
    assert "spelling" in looks.names
    np.testing.assert_allclose(looks.hat @ aims, aims, atol=1e-9)


def test_an_order_is_more_than_each_of_its_looks() -> None:
    """Of twelve words one number is taken out: states that tell another one, which tells less of the places, tell nothing beyond."""
    rows_of = np.arange(12)
    asked = OrderRows(words=rows_of, places=rows_of, n_places=12, cyclic=False)
    random, aims = np.random.default_rng(8), aims_of(asked)
    rare = 200 + 300 * (rows_of + 1.5 * random.normal(size=12)).argsort().argsort()
    whole = capture(random.normal(size=(N, 9)), np.concatenate([rare, rare[:4]]))
    names = ["a" * (2 + (row + row % 2 * 2) // 2) for row in range(N)]
    words = tuple(replace(each, word=name) for each, name in zip(whole.tokenization.words, names, strict=True))
    looks = looks_of(asked, replace(whole.tokenization, words=words), aims)
    assert {each.names for each in looks} == {("spelling",), ("frequency",)}
    permutations = np.array([rows_of, *(np.random.default_rng(seed).permutation(12) for seed in range(199))])
    states = np.outer(rare, random.normal(size=9)) + 5 * random.normal(size=(12, 9))
    every = [BeyondOverDepths(aims, each, 1, permutations, 3) for each in looks]
    for each in every:
        each.add(0, rows(states))
    alone = [beyond_record("order 0", [[each]], np.inf, 0.0).claim.score[0] for each in every]
    record = beyond_record("order 0", [every], np.inf, 0.0)
    assert set(record.looks) == {"spelling", "frequency"}
    assert record.claim.score[0] == min(alone) < 2 < max(alone)


def alone() -> list[np.ndarray]:
    return [np.array([row]) for row in range(N)]


def of_tokens(ids: np.ndarray, n_spellings: int = 7) -> Tokenization:
    """``ids``: ``(N, n_tokens)``."""
    made = capture(np.zeros((N, 4)), ids[:, 0], n_spellings).tokenization
    words = (
        replace(word, ids=(0, *map(int, own)), pieces=("", *map(str, own)), start=1, stop=1 + len(own))
        for word, own in zip(made.words, ids, strict=True)
    )
    return replace(made, words=tuple(words))


COUNTED = 10 + np.indices((2, 2, 2, 2)).reshape(4, -1).T


def test_what_all_tokens_tell_together_is_all_of_an_order_that_counts() -> None:
    """As binary numbers do: of four tokens there is room to take out three."""
    asked = order()
    looks = looks_of(asked, of_tokens(COUNTED), aims_of(asked))
    assert max(each.n for each in looks) == 3
    told = r2_by_all(asked, of_tokens(COUNTED), aims_of(asked), alone())
    assert told > 0.999
    record = Beyond(looks=("tokens",), r2=np.array([0.9]), claim=claiming.decided(np.array([True])), by_all=told)
    assert not record.is_exceeded_by(np.array([0.99]))[0]


@pytest.mark.parametrize("cyclic", [False, True])
def test_it_is_what_regressions_on_the_other_words_predict(cyclic: bool) -> None:
    random = np.random.default_rng(5)
    asked = order(cyclic=cyclic)
    aims, ids = aims_of(asked), np.stack([10 + np.arange(N) // 4, random.integers(0, 3, N)], axis=1)
    spread = ((aims - aims.mean(axis=0)) ** 2).sum()
    alike = np.mean([ids[:, None, place] == ids[None, :, place] for place in (0, 1)], axis=0)
    found = []
    for kernel in (alike, alike**2):
        centered = kernel - kernel.mean(axis=0) - kernel.mean(axis=1, keepdims=True) + kernel.mean()
        for share in (1e-6, 1e-2, 1e-1):
            ridge, errors = share * np.trace(centered) / N, []
            for row in range(N):
                kept = np.arange(N) != row
                # Its weights and the free mean, as the conditions for the least penalized error have them.
                system = np.block(
                    [[kernel[np.ix_(kept, kept)] + ridge * np.eye(N - 1), np.ones((N - 1, 1))], [np.ones((1, N))]]
                )
                system[-1, -1] = 0
                weights = np.linalg.solve(system, np.vstack([aims[kept], np.zeros((1, aims.shape[1]))]))
                errors.append(aims[row] - kernel[row, kept] @ weights[:-1] - weights[-1])
            found.append(1 - np.square(errors).sum() / spread)
    told = r2_by_all(asked, of_tokens(ids, n_spellings=1), aims, alone())
    assert told == pytest.approx(max(found), abs=1e-6)
    assert told > 0.3


def test_tokens_that_words_do_not_share_tell_nothing() -> None:
    asked = order()
    ids = np.random.default_rng(2).permutation(N)[:, None]
    told = r2_by_all(asked, of_tokens(ids, n_spellings=1), aims_of(asked), alone())
    assert told < 0
    record = Beyond(looks=("tokens",), r2=np.zeros(1), claim=claiming.decided(np.array([True])), by_all=told)
    assert record.is_exceeded_by(np.array([0.01]))[0]


@pytest.mark.parametrize(("by_looks", "r2", "exceeds"), [(0.5, 0.74, False), (0.5, 0.76, True), (np.nan, 0.1, True)])
def test_states_must_leave_less_than_all_looks_would_taken_out_twice(by_looks: float, r2: float, exceeds: bool) -> None:
    record = Beyond(looks=("tokens",), r2=np.zeros(1), claim=claiming.decided(np.array([True])), by_all=by_looks)
    assert record.is_exceeded_by(np.array([r2])).tolist() == [exceeds]


def test_categories_in_a_row_are_taken_out_however_many_they_are() -> None:
    """Six, of which the last has one word, where two numbers are: states that tell them apart tell nothing beyond."""
    random = np.random.default_rng(4)
    blocks = np.arange(N) // 3
    states = random.normal(size=(6, 40))[blocks] + 0.2 * random.normal(size=(N, 40))
    of_any = capture(states, random.permutation(np.exp(np.linspace(4, 10, N)).astype(int)))
    aims = aims_of(order())
    lefts = []
    for asked in (order(blocks), order()):
        looks, *_ = looks_of(asked, of_any.tokenization, aims)
        found = BeyondOverDepths(aims, looks, 1, PERMUTATIONS, 5)
        found.add(0, rows(states))
        lefts.append(found.left[0])
    assert not lefts[0][0] < np.quantile(lefts[0][1:], 0.05)
    assert (lefts[1][0] < lefts[1][1:]).all()


def test_words_that_have_nothing_in_common_are_one_group() -> None:
    """Else each would tell its own place."""
    aims = aims_of(order())
    states = np.random.default_rng(5).normal(size=(N, 9))
    found = looks_of(order(np.arange(N)), capture(states, np.full(N, 7), 1).tokenization, aims)
    assert found == ()


def test_tokens_that_words_have_in_common_are_taken_out_the_first_and_the_last() -> None:
    """As in twenty one, twenty two and so on: both tell all places, as one of them doesn't."""
    states, aims = np.random.default_rng(6).normal(size=(N, 9)), aims_of(order())
    whole = capture(states, np.arange(N))
    ids = [(0, 10 + row // 4, 20 + row % 4) for row in range(N)]
    words = [
        replace(each, ids=own, pieces=("",) * 3, start=1, stop=3)
        for each, own in zip(whole.tokenization.words, ids, strict=True)
    ]
    looks, *_ = looks_of(order(), replace(whole.tokenization, words=tuple(words)), aims)
    assert looks.names == ("tokens", "spelling")  # the letters of word0, word1 and so on
    np.testing.assert_allclose(looks.hat @ aims, aims, atol=1e-9)


@pytest.mark.parametrize("shared", [(), (9,), (7, 8, 9)])
def test_so_are_those_in_between_behind_what_all_have(shared: tuple[int, ...]) -> None:
    """As in *on 1 January 1990*, *on 15 January 1990* and so on."""
    whole, aims = capture(np.zeros((N, 9)), np.arange(N)).tokenization, aims_of(order())
    own = [(*shared, 20 + row % 4, 30 + row // 4, 50) for row in range(N)]
    words = [
        replace(each, ids=ids, pieces=("",) * len(ids), start=0, stop=len(ids))
        for each, ids in zip(whole.words, own, strict=True)
    ]
    every = looks_of(order(), replace(whole, words=tuple(words)), aims)
    told = [np.linalg.norm(each.hat @ aims) / np.linalg.norm(aims) for each in every]
    assert told == sorted(told, reverse=True)
    np.testing.assert_allclose(every[0].hat @ aims, aims, atol=1e-9)


def test_how_long_words_are_is_taken_out_along_any_curve() -> None:
    """Each of another length, a few far longer than the others."""
    whole, aims = capture(np.zeros((N, 9)), np.full(N, 7)).tokenization, aims_of(order())
    lengths = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 30, 45, 70]
    letters = ["".join(np.random.default_rng(length).choice(list("bcdfg"), length)) for length in lengths]
    words = [replace(each, word=word) for each, word in zip(whole.words, letters, strict=True)]
    looks, *_ = looks_of(order(), replace(whole, words=tuple(words)), aims)
    assert looks.names == ("spelling",)
    np.testing.assert_allclose(looks.hat @ aims, aims, atol=1e-9)


def test_what_tells_one_word_from_all_others_is_not_taken_out() -> None:
    """It would decide of that word alone, and nothing could be said of the order."""
    asked, aims = order(np.zeros(N, dtype=np.int64)), aims_of(order())
    whole = capture(np.zeros((N, 9)), np.full(N, 7)).tokenization
    words = [replace(each, word="z" if row == 3 else "a") for row, each in enumerate(whole.words)]
    assert looks_of(asked, replace(whole, words=tuple(words)), aims) == ()


def test_how_common_words_are_is_taken_out_along_any_curve() -> None:
    states, aims = np.random.default_rng(7).normal(size=(N, 9)), aims_of(order())
    ids = [*range(100, 100 + N // 2), *range(40_000, 40_000 + N // 2)]
    looks, *_ = looks_of(order(), capture(states, np.array(ids)).tokenization, aims)
    assert looks.names == ("frequency",)
    np.testing.assert_allclose(looks.hat @ aims, aims, atol=1e-9)


def test_an_order_that_looks_tell_altogether_has_no_value() -> None:
    asked = order(np.arange(N) // 8)
    aims = np.repeat([[0.0], [1.0]], 8, axis=0)
    states = np.random.default_rng(2).normal(size=(N, 9))
    looks, *_ = looks_of(asked, capture(states, np.full(N, 7), 1).tokenization, aims)
    found = BeyondOverDepths(aims, looks, 1, PERMUTATIONS, 3)
    found.add(0, rows(states))
    assert np.isnan(found.left).all()
    assert not beyond_record("order 0", [[found]], np.inf, 0.0).claim.is_eligible.any()
