"""What a lens names, against the same counted word by word; what may be announced of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from reading import directions_of, same, states_of

from tokviz.measure.decisions import N_SHUFFLES, claims_in, decide, with_decisions
from tokviz.measure.exchanging import exchanged
from tokviz.measure.lens import Read, _over_depths, _Question, agreement, measure, scores, unread
from tokviz.records import Directions, HiddenStates, Lens, LensMeasure, PairRows

N_WORDS, WIDTH, N_DEPTHS, N_CATEGORIES = 40, 16, 3, 5
MEMBERSHIPS = tuple((row % N_CATEGORIES,) for row in range(N_WORDS))
NAMES = [f"word{row}" for row in range(N_WORDS)]
NAME_IDS = [1, 2, 3, 4, 5]
OWN_IDS = [10 + row for row in range(N_WORDS)]
PAIRS = PairRows(pairs=np.array([[row, row + 1] for row in range(0, 24, 4)]), candidates=np.arange(1, 32, 2))


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng((30, seed))


def case(strength: float, seed: int = 0) -> tuple[HiddenStates, Directions, Directions]:
    """States that hold their category's direction and their own token's as far as ``strength`` says, from depth 1 on."""
    random = drawn(seed)
    of_names = [random.normal(size=(N_CATEGORIES, WIDTH)) for _ in range(N_DEPTHS)]
    of_words = [random.normal(size=(N_WORDS, WIDTH)) for _ in range(N_DEPTHS)]
    depths = []
    for depth in range(N_DEPTHS):
        own = random.normal(size=(N_WORDS, WIDTH))
        held = of_names[depth][np.array(MEMBERSHIPS)[:, 0]] + of_words[depth]
        depths.append(own + (strength * held if depth else 0))
    tokens = [[each] for each in OWN_IDS]
    return (
        states_of(depths, tokens, NAMES),
        directions_of(NAME_IDS, same(of_names)),
        directions_of(OWN_IDS, same(of_words)),
    )


def read_of(*templates: HiddenStates, **changes: Any) -> Read:
    return Read(**{"templates": templates, "memberships": MEMBERSHIPS, "pairs": (PAIRS,)} | changes)


def decided(found: Lens) -> Lens:
    return with_decisions(found, decide(claims_in(found)))


def one(found: Any) -> Any:
    """What is there, and not None."""
    assert found is not None
    return found


def scored(states: np.ndarray, directions: np.ndarray) -> np.ndarray:
    products = states.astype(float) @ directions.astype(float).T
    return np.asarray((products - products.mean(0)) / products.std(0))


def test_each_number_is_that_of_a_count_word_by_word() -> None:
    states, names, words = case(0.4)
    found = measure(read_of(states), names, words)
    for depth in range(N_DEPTHS):
        own = scored(states.states[depth], names.halves(depth)[0])
        last = scored(states.states[depth], names.halves(N_DEPTHS - 1)[0])
        named = [int(own[row].argmax()) == row % N_CATEGORIES for row in range(N_WORDS)]
        assert one(found.named).value[depth] == pytest.approx(np.mean(named))
        by_end = [int(last[row].argmax()) == row % N_CATEGORIES for row in range(N_WORDS)]
        assert one(found.named).logit[depth] == pytest.approx(np.mean(by_end))
        interval = scipy.stats.binomtest(sum(named), N_WORDS).proportion_ci(method="wilson")
        assert (one(found.named).low[depth], one(found.named).high[depth]) == pytest.approx(
            (interval.low, interval.high)
        )
        of_words = scored(states.states[depth], words.halves(depth)[0])
        assert one(found.own).value[depth] == np.mean(of_words.argmax(1) == np.arange(N_WORDS))
        higher = [(of_words[row] > of_words[row, row]).sum() for row in range(N_WORDS)]
        assert one(found.own_rank)[depth] == np.median(higher)
        hits = 0
        for source, target in PAIRS.pairs:
            candidates = [each for each in PAIRS.candidates if each != source]
            hits += max(candidates, key=lambda each: of_words[source, each]) == target
        assert one(found.relations[0]).value[depth] == pytest.approx(hits / len(PAIRS.pairs))
        top = one(found.top_names)[depth]
        assert (top == np.argsort(-own, axis=1)[:, : Lens.N_TOP]).all()
        assert (one(found.top_words)[depth] == np.argsort(-of_words, axis=1)[:, : Lens.N_TOP]).all()


def test_what_is_planted_is_announced_where_it_is_and_nothing_else() -> None:
    states, names, words = case(1.5)
    found = decided(measure(read_of(states), names, words))
    for each in (one(found.named), one(found.own)):
        assert each.claim.holds.tolist() == [False, True, True]
        assert each.null_mean == pytest.approx(1 / (N_CATEGORIES if each is found.named else N_WORDS), abs=0.06)


def test_where_the_lens_was_not_fitted_nothing_is_announced_of_the_same_numbers() -> None:
    states, names, words = case(1.5)
    at_start = [
        replace(each, ids=each.ids[each.start :], pieces=each.pieces[each.start :], start=0, stop=each.n_tokens)
        for each in states.tokenization.words
    ]
    first = replace(states, tokenization=replace(states.tokenization, words=tuple(at_start)))
    elsewhere, found = (decided(measure(read_of(each), names, words)) for each in (states, first))
    for own, other in ((found.named, elsewhere.named), (found.own, elsewhere.own)):
        assert one(own).value == pytest.approx(one(other).value)
        assert one(other).claim.holds.any()
        assert not one(own).claim.holds.any()


def test_where_the_halves_of_the_text_differ_nothing_is_announced() -> None:
    states, names, words = case(1.5)
    noise = drawn(7).normal(size=(2, N_CATEGORIES, WIDTH))
    noise -= noise.mean(axis=0)
    halves = [
        (names.halves(depth)[0] + 2 * noise[0], names.halves(depth)[0] + 2 * noise[1]) for depth in range(N_DEPTHS)
    ]
    apart = directions_of(NAME_IDS, halves)
    found = decided(measure(read_of(states), apart, words))
    named = one(found.named)
    # The mean of both halves is what it was; but that isn't known from one text.
    assert named.value == pytest.approx(one(measure(read_of(states), names, words).named).value)
    assert (named.agreement < 0.9).all()
    assert not named.is_firm.any()
    assert not named.holds.any()
    of_each = [
        scipy.stats.spearmanr(*(scored(states.states[0], half)[:, column] for half in halves[0])).statistic
        for column in range(N_CATEGORIES)
    ]
    assert named.agreement[0] == pytest.approx(min(of_each))


def by_six(means: np.ndarray, names: np.ndarray, random: np.random.Generator) -> LensMeasure:
    """Words of six categories around ``means``, read by ``names``; of one capture, and not decided."""
    memberships = tuple((row % 6,) for row in range(N_WORDS))
    depths = [means[np.array(memberships)[:, 0]] + 0.3 * random.normal(size=(N_WORDS, WIDTH)) for _ in range(2)]
    states = states_of(depths, [[each] for each in OWN_IDS], NAMES)
    directions = directions_of(range(1, 7), same([names, names]))
    named: LensMeasure = one(measure(read_of(states, pairs=(), memberships=memberships), directions, None).named)
    return named


def test_names_that_mean_nothing_are_not_announced_though_categories_lie_together() -> None:
    """Each is right for all words of a category or for none: shuffled one by one, words would scatter too little."""
    random, announced, by_words = drawn(9), 0, 0
    for _ in range(20):
        named = by_six(random.normal(size=(6, WIDTH)), random.normal(size=(6, WIDTH)), random)
        named = with_decisions(named, decide(claims_in(named)))
        by_words += bool(named.claim.holds.any())
        announced += bool(named.holds.any())
        assert np.array_equal(named.p_value, np.maximum(named.claim.p_value, one(named.exchanged).p_value))
    assert by_words >= 2
    assert announced == 0


def test_names_are_held_against_exchanged_ones_in_all_captures_of_a_report() -> None:
    """Of forty captures with names that mean nothing the best one isn't announced; beside them one whose names are right is."""
    random = drawn(10)
    wrong = tuple(by_six(random.normal(size=(6, WIDTH)), random.normal(size=(6, WIDTH)), random) for _ in range(40))
    means = random.normal(size=(6, WIDTH))
    right = by_six(means, means, random)
    families = decide(claims_in((*wrong, right)))
    assert any(with_decisions(each, families).claim.holds.any() for each in wrong)
    assert not any(with_decisions(each, families).holds.any() for each in wrong)
    assert with_decisions(right, families).holds.all()


def test_names_are_exchanged_between_categories_of_one_case() -> None:
    groups = np.array([True, False, True, False, True])
    every, n_arrangements = exchanged(groups, 0)
    assert n_arrangements == 6 * 2
    assert every.shape == (1 + N_SHUFFLES, 5)
    assert every[0].tolist() == [0, 1, 2, 3, 4]
    assert len(np.unique(every, axis=0)) == 12
    assert all(sorted(each[groups]) == [0, 2, 4] for each in every)
    many, n_arrangements = exchanged(np.zeros(9, dtype=bool), 0)
    assert n_arrangements == 362_880
    assert many.shape == (1 + N_SHUFFLES, 9)
    assert not (many[1:] == many[0]).all(axis=1).any()
    assert many[1:].mean(axis=0) == pytest.approx([4.0] * 9, abs=0.3)


def test_with_few_categories_nothing_can_be_tested() -> None:
    states, names, words = case(3.0)
    few = directions_of(NAME_IDS[:3], same([names.halves(depth)[0][:3] for depth in range(N_DEPTHS)]))
    found = decided(measure(read_of(states, memberships=tuple((row % 3,) for row in range(N_WORDS))), few, words))
    assert one(one(found.named).exchanged).least_p_value == 1 / 6
    assert not one(found.named).can_be_tested
    assert not one(found.named).holds.any()


def test_a_word_that_holds_a_name_isnt_asked_and_pairs_leave_the_sources_token_out() -> None:
    states, names, words = case(1.5)
    tokens = [[each] for each in OWN_IDS]
    held = directions_of(
        [*NAME_IDS[:2], OWN_IDS[2], *NAME_IDS[3:]], same([names.halves(depth)[0] for depth in range(N_DEPTHS)])
    )
    tokens[4] = [OWN_IDS[5]]  # a source that begins as its target does
    depths = [np.array(each) for each in states.states]
    for depth in range(1, N_DEPTHS):
        depths[depth][PAIRS.pairs[:, 0]] += 9 * words.halves(depth)[0][PAIRS.pairs[:, 1]]
    found = measure(read_of(states_of(depths, tokens, NAMES)), held, words)
    assert one(found.named).n == N_WORDS - 1
    whole = decided(measure(read_of(states_of(depths, [[each] for each in OWN_IDS], NAMES)), names, words))
    assert one(whole.relations[0]).value[1:].tolist() == [1, 1]
    assert one(whole.relations[0]).claim.holds.tolist() == [False, True, True]
    n_pairs = len(PAIRS.pairs)
    assert one(found.relations[0]).value[1:] == pytest.approx(1 - 1 / n_pairs)  # that target can't be found


def test_of_several_sentences_the_median_counts() -> None:
    parts = [case(strength, seed=1)[0] for strength in (0.0, 0.5, 2.0)]
    _, names, words = case(0.5, seed=1)
    whole = one(measure(read_of(*parts), names, words).named)
    alone = [one(measure(read_of(each), names, words).named).value for each in parts]
    assert one(whole.templates) == pytest.approx(np.array(alone))
    assert whole.value == pytest.approx(np.median(alone, axis=0))


def test_the_untrained_model_is_read_with_its_own_directions() -> None:
    states, names, words = case(1.5)
    other, own, _ = case(1.5, seed=5)
    found = measure(read_of(states), names, words, (other, own))
    assert one(found.untrained) == pytest.approx(one(measure(read_of(other), own, None).named).value)


def test_what_cannot_be_read_is_left_out() -> None:
    states, names, words = case(1.0)
    depths = [np.array(each) for each in states.states]
    depths[1][3, 2] = np.inf
    broken = measure(read_of(states_of(depths, [[each] for each in OWN_IDS], NAMES)), names, words)
    assert np.isnan(one(broken.named).value).tolist() == [False, True, False]
    assert (one(broken.top_names)[1] == -1).all()
    few = measure(read_of(states), names, None)
    assert (few.own, few.top_words, few.relations) == (None, None, (None,))
    alike = directions_of([1, 1, 1, 1, 1], [names.halves(depth) for depth in range(N_DEPTHS)])  # type: ignore[misc]
    assert measure(read_of(states), alike, words).named is None
    none = unread(states, "the model is not a decoder")
    assert none.reason == "the model is not a decoder"
    assert not none.read.any()


def test_a_token_that_scores_alike_with_all_words_never_scores_highest() -> None:
    states = np.arange(12.0).reshape(4, 3)
    directions = np.array([[1.0, 0, 0], [0, 0, 0]])
    found = scores(states, directions)
    assert (found[:, 1] == -np.inf).all()
    assert agreement(found, found) == pytest.approx(1)
    assert np.isnan(scores(np.full((4, 3), np.nan), directions)).all()


class Few(_Question):
    """Two tokens of many words; none is asked for."""

    columns = np.arange(2)

    def __init__(self, shown: list[int]) -> None:
        self.shown = np.array(shown)
        self.n, self.n_arrangements = 1, 1.0

    def right(self, own: np.ndarray, n: int | None = None) -> np.ndarray:
        return np.zeros(n or 1 + N_SHUFFLES)


def test_the_rows_of_a_long_list_are_told() -> None:
    n = 33_000  # more than two bytes hold
    tokens = [[OWN_IDS[row >= n - 4]] for row in range(n)]  # few tokens begin many words
    words = directions_of(OWN_IDS[:2], same([drawn(1).normal(size=(2, 4))]))
    states = states_of([drawn(0).normal(size=(n, 4))], tokens, [f"{row}" for row in range(n)])
    read = Read(templates=(states,), memberships=((0,),) * n, pairs=())
    (found,) = _over_depths(read, words, [Few([0, n - 4])])
    assert set(np.unique(found.tops)) == {-1, 0, n - 4}
