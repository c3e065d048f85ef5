"""Which captures are held against each other word by word, over which words, and at which depths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import making
import numpy as np
import pytest
from falsify.reports import named

from tokviz.measure import paired, paired_captures
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.distances import cosine_distances
from tokviz.measure.held import held
from tokviz.measure.labels import Categories
from tokviz.measure.left_out import Space
from tokviz.measure.paired_captures import PairedComparer, of_capture, of_intervention
from tokviz.measure.profile import Side
from tokviz.measure.spaces import standardized
from tokviz.records import CategoriesHeld, HiddenStates, PairedCapture, PairedMeasures, Untrained

N_CATEGORIES, N_EACH, WIDTH, N_DEPTHS = 4, 12, 24, 4
LABELS = np.repeat(np.arange(N_CATEGORIES), N_EACH)
WORDS = [f"{row:02d}word" for row in range(len(LABELS))]


def capture(strengths: Sequence[float], seed: int = 0) -> HiddenStates:
    """Words whose categories are so far apart at each depth; what words have of their own differs between seeds."""
    random = np.random.default_rng(seed)
    means = np.random.default_rng(99).normal(size=(N_CATEGORIES, WIDTH))
    states = [strength * means[LABELS] + random.normal(size=(len(LABELS), WIDTH)) for strength in strengths]
    made = making.hidden_states([each.astype(np.float32) for each in states], positions=[1] * len(LABELS))
    return named(made, WORDS)


def side(*templates: HiddenStates) -> Side:
    return Side(templates=templates, memberships=tuple((int(each),) for each in LABELS), pairs=(), orders=())


def decided(found: PairedCapture) -> PairedCapture:
    return with_decisions(found, decide(claims_in(found)))


def known(found: PairedMeasures | None) -> PairedMeasures:
    assert found is not None
    return found


def depths_of(compared: PairedMeasures | None) -> list[int]:
    """At which depths purity is announced to differ."""
    found = known(compared)
    return [int(depth) for depth in found.depths[found.purity.overall.holds[0], 0]]


FAR, NEAR = 1.5, 0.0


def test_layers_are_held_against_the_embedding_and_differ_where_categories_are_lost() -> None:
    found = decided(of_capture(side(capture([FAR, FAR, NEAR, NEAR])), (), ()))
    assert depths_of(found.embedding) == [2, 3]
    assert (known(found.embedding).purity.overall.value[0, 1:] < -0.3).all()
    assert known(found.embedding).depths.tolist() == [[1, 0], [2, 0], [3, 0]]
    assert found.first_context is found.untrained is found.unchanged is None


def test_a_context_is_held_against_the_first_one_which_stands_for_all_of_its_templates() -> None:
    templates = [capture([FAR] * N_DEPTHS, seed) for seed in (1, 2, 3)]
    found = decided(of_capture(side(*templates), [capture([FAR, FAR, NEAR, NEAR], 4)], ()))
    assert depths_of(found.first_context) == [2, 3]
    assert known(found.first_context).purity.overall.differences.shape == (3, 1, N_DEPTHS)
    turned = decided(of_capture(side(capture([FAR, FAR, NEAR, NEAR], 4)), templates, ()))
    assert known(turned.first_context).purity.overall.value == pytest.approx(
        -known(found.first_context).purity.overall.value
    )


def test_of_a_first_context_with_another_number_of_templates_the_first_one_counts() -> None:
    own, others = ([capture([FAR] * N_DEPTHS, seed) for seed in seeds] for seeds in ((1, 2, 3), (4, 5)))
    found, by_first = (of_capture(side(*own), some, ()).first_context for some in (others, others[:1]))
    assert np.array_equal(known(found).purity.overall.differences, known(by_first).purity.overall.differences)


def known_held(found: PairedCapture) -> CategoriesHeld:
    assert found.held is not None
    return found.held


def held_at(*templates: HiddenStates) -> list[list[bool]]:
    """Of each category whether it is announced at each depth."""
    found = known_held(decided(of_capture(side(*templates), (), ())))
    assert found.categories == tuple(range(N_CATEGORIES))
    return found.holds.tolist()  # type: ignore[no-any-return]


def test_categories_are_held_where_their_words_are_near_each_other() -> None:
    states = capture([NEAR, FAR, FAR, NEAR])
    assert held_at(states) == [[False, True, True, False]] * N_CATEGORIES
    assert held_at(*(capture([NEAR, FAR, FAR, NEAR], seed) for seed in (1, 2, 3))) == held_at(states)
    # Where only one category is there, the others aren't held.
    one = np.where(LABELS[:, None] == 1, states.states[1], states.states[0])
    alone = replace(states, states=[states.states[0], one, one, one])
    assert np.array(held_at(alone)).any(axis=1).tolist() == [False, True, False, False]


def test_words_of_no_category_are_not_held_as_a_tight_one_leaves_them_to_each_other() -> None:
    labels = np.repeat(np.arange(4), [40, 8, 8, 8])
    words, above = [f"{row:02d}word" for row in range(len(labels))], np.zeros(4, dtype=bool)
    for seed in range(4):
        random = np.random.default_rng(seed)
        means = 1.5 * random.normal(size=WIDTH) * (labels == 0)[:, None]
        states = [(means + random.normal(size=(len(labels), WIDTH))).astype(np.float32) for _ in range(8)]
        made = named(making.hidden_states(states, positions=[1] * len(labels)), words)
        memberships = tuple((int(each),) for each in labels)
        found = known_held(decided(of_capture(replace(side(made), memberships=memberships), (), ())))
        above |= found.claim.holds.reshape(found.purity.shape).any(axis=1)
        assert found.holds.any(axis=1).tolist() == [True, False, False, False]
    assert above[1:].any(), "of all words' shuffles one alone makes others above chance"


@pytest.mark.parametrize(("n_each", "are_held"), [(5, False), (CategoriesHeld.LEAST_WORDS, True)])
def test_of_few_words_the_best_arrangement_is_not_rare(n_each: int, are_held: bool) -> None:
    labels = np.repeat(np.arange(6), n_each)
    random = np.random.default_rng(0)
    means = 3 * random.normal(size=(6, WIDTH))
    states = [(means[labels] + random.normal(size=(len(labels), WIDTH))).astype(np.float32) for _ in range(3)]
    made = named(
        making.hidden_states(states, positions=[1] * len(labels)), [f"{row:02d}word" for row in range(len(labels))]
    )
    memberships = tuple((int(each),) for each in labels)
    found = known_held(decided(of_capture(replace(side(made), memberships=memberships), (), ())))
    assert found.claim.holds.all()
    assert found.holds.all() == found.holds.any() == found.is_tested.all() == found.is_tested.any() == are_held


def test_a_category_is_also_told_from_a_nearer_one_whose_words_have_capitals() -> None:
    """The first, of small letters, and the second, of capitals, are of one cloud; the others are tight."""
    labels, above = np.repeat(np.arange(5), 12), 0
    words = [f"{'X' if label == 1 else 'x'}{row:02d}word" for row, label in enumerate(labels)]
    memberships = tuple((int(each),) for each in labels)
    for seed in range(4):
        random = np.random.default_rng(seed)
        means = 1.5 * random.normal(size=(5, WIDTH)) * (np.arange(5) > 1)[:, None]
        states = [(means[labels] + random.normal(size=(len(labels), WIDTH))).astype(np.float32) for _ in range(8)]
        made = named(making.hidden_states(states, positions=[1] * len(labels)), words)
        found = known_held(decided(of_capture(replace(side(made), memberships=memberships), (), ())))
        above += int(found.claim.holds.reshape(found.purity.shape)[0].sum())
        assert found.holds.any(axis=1).tolist() == [False, False, True, True, True]
        assert (found.mixed[0] > 0.01).any()
    assert above, "of all words' shuffles alone, or beside the tight ones alone, the first would be above chance"


def test_the_purity_of_categories_is_that_of_their_words_and_chance_a_mean_over_shuffles() -> None:
    states = capture([FAR, NEAR, NEAR, NEAR])
    found = known_held(of_capture(side(states), (), ()))
    far = [cosine_distances(standardized(each)) + 9 * np.eye(len(LABELS)) for each in states.states]
    near = [np.argsort(each, axis=1)[:, :5] for each in far]
    own = [[(LABELS[rows] == LABELS[:, None])[of == LABELS].mean() for rows in near] for of in range(N_CATEGORIES)]
    assert found.purity == pytest.approx(np.array(own))
    assert found.chance == pytest.approx(np.full(found.chance.shape, (N_EACH - 1) / (len(LABELS) - 1)), abs=0.01)


@pytest.mark.slow
def test_controls_count_only_where_every_seed_is_there_and_each_must_differ() -> None:
    model = side(capture([NEAR, FAR, FAR, FAR]))
    controls = [capture([NEAR] * N_DEPTHS, seed) for seed in range(10, 10 + 2 * Untrained.N_SEEDS)]
    assert depths_of(decided(of_capture(model, (), controls)).untrained) == [1, 2, 3]
    assert of_capture(model, (), controls[1:]).untrained is None
    one_like_it = [*controls[1:], capture([NEAR, FAR, NEAR, NEAR], 30)]
    assert depths_of(decided(of_capture(model, (), one_like_it)).untrained) == [2, 3]


def test_neurons_that_hide_categories_are_found_and_others_are_not() -> None:
    unchanged = capture([FAR, FAR, 0.2, 0.2])
    found = decided(of_intervention(side(capture([FAR, FAR, FAR, FAR])), unchanged))
    assert depths_of(found.unchanged) == [2, 3]
    assert found.embedding is None
    same = decided(of_intervention(side(unchanged), unchanged))
    assert depths_of(same.unchanged) == []
    assert (known(same.unchanged).purity.overall.value == 0).all()


def test_words_that_were_declared_to_belong_together_count_as_one() -> None:
    states = side(capture([FAR] * N_DEPTHS))
    found = PairedComparer().compare(replace(states, groups=(tuple(WORDS[:3]), tuple(WORDS[20:22]))), states)
    assert (found.n_words, found.n_groups) == (len(WORDS), len(WORDS) - 3)
    assert found.groups == (tuple(WORDS[:3]), tuple(WORDS[20:22]))


def test_models_of_another_number_of_layers_are_held_against_each_other_at_equal_relative_depth() -> None:
    found = PairedComparer().compare(side(capture([FAR] * 5)), side(capture([FAR] * 3, 1)))
    assert found.depths.tolist() == [[0, 0], [1, 1], [2, 1], [3, 2], [4, 2]]
    assert np.isnan(found.kept.overall.value).all()


@pytest.mark.parametrize("n_words", [0, 1, 2, 7])
def test_few_words_have_no_answer_and_raise_nothing(n_words: int) -> None:
    whole = side(capture([FAR] * N_DEPTHS))
    few = replace(whole, memberships=tuple(own if row < n_words else () for row, own in enumerate(whole.memberships)))
    found = decided(of_capture(few, (), ()))
    assert known(found.embedding).n_words == n_words
    assert known(found.embedding).purity.overall.is_too_few.all()
    assert depths_of(found.embedding) == []


def test_what_captures_have_in_common_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Space] = []

    def counted(*arguments: Any) -> Space:
        made.append(Space(*arguments))
        return made[-1]

    monkeypatch.setattr(paired, "Space", counted)
    unchanged, other = capture([FAR] * N_DEPTHS), capture([NEAR] * N_DEPTHS, 1)
    changed = replace(unchanged, states=[*unchanged.states[:2], *other.states[2:]], digest="2 depths in common")
    comparer = PairedComparer()
    found = comparer.compare(side(changed), side(unchanged))
    # Of the changed one the last depth in common, from which neighbors are kept, and those after it.
    assert len(made) == N_DEPTHS + 1 + (N_DEPTHS - 2)
    comparer.compare(side(changed), side(unchanged), with_kept=False)
    comparer.compare(side(unchanged), side(unchanged))
    assert len(made) == 2 * N_DEPTHS - 1
    monkeypatch.setattr(paired_captures, "_n_alike", lambda *_: 0)
    apart = PairedComparer().compare(side(changed), side(unchanged))
    assert len(made) == 4 * N_DEPTHS - 1
    for name in PairedMeasures.MEASURES:
        for which in ("overall", "by_category"):
            one, alone = (getattr(getattr(each, name), which) for each in (found, apart))
            assert np.array_equal(one.t, alone.t, equal_nan=True)
            assert np.array_equal(one.least_left, alone.least_left, equal_nan=True)
            assert np.array_equal(one.claim.highest, alone.claim.highest)
    # Over other words, or in other categories, nothing is in common.
    fewer = replace(side(unchanged), memberships=((0,), *side(unchanged).memberships[1:-1], ()))
    assert comparer.compare(fewer, fewer).n_words == len(WORDS) - 1
    assert len(made) == 5 * N_DEPTHS - 1


def test_what_is_kept_for_other_comparisons_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    comparer, first = PairedComparer(), side(capture([FAR] * N_DEPTHS))
    comparer.compare(first, side(capture([FAR] * N_DEPTHS, 1)))
    assert len(comparer._kept) == 2
    monkeypatch.setattr(paired_captures, "_MOST_KEPT", 1)
    others = [comparer.compare(first, side(capture([FAR] * N_DEPTHS, seed))) for seed in (2, 1)]
    assert len(comparer._kept) == 1
    again = PairedComparer().compare(first, side(capture([FAR] * N_DEPTHS, 1)))
    assert np.array_equal(others[1].purity.overall.value, again.purity.overall.value)


def test_a_category_that_is_alone_in_its_case_is_not_tested() -> None:
    words = [f"{'W' if label == 2 else 'w'}{word}" for label, word in zip(LABELS, WORDS, strict=True)]
    states = named(capture([FAR, FAR, FAR, FAR]), words)
    categories = Categories(memberships=tuple((int(each),) for each in LABELS), words=tuple(words))
    found = held([states], np.arange(len(words)), categories)
    assert found.is_tested.tolist() == [True, True, False, True]
    assert found.purity[2].min() > 0.9
    of_any_case = Categories(memberships=categories.memberships, words=tuple(WORDS))
    assert held([states], np.arange(len(words)), of_any_case).is_tested.all()


def test_a_category_of_one_word_or_two_is_not_tested() -> None:
    of_few = [0 if row < 2 else 1 if row < 3 else 2 + row % 2 for row in range(len(WORDS))]
    categories = Categories(memberships=tuple((each,) for each in of_few), words=tuple(WORDS))
    found = held([capture([FAR] * N_DEPTHS)], np.arange(len(WORDS)), categories)
    assert found.n_words[:2] == (2, 1)
    assert found.is_tested.tolist() == [False, False, True, True]


def test_words_that_lose_their_neighbors_are_compared_neither_before_nor_after() -> None:
    """Half of the categories, whose words are far apart from all others, become one state each: what is left of the words stays as it is."""
    before = capture([0.3])
    states = before.states[0].astype(np.float64)
    far = np.flatnonzero(LABELS < 2)
    states[far] += 4 * np.random.default_rng(7).normal(size=(2, WIDTH))[LABELS[far]]
    after = states.copy()
    for category in (0, 1):
        rows = np.flatnonzero(LABELS == category)  # noqa: SIM300 - the labels are an array
        after[rows] = states[rows].mean(axis=0)

    def of(one: np.ndarray) -> Side:
        return side(named(making.hidden_states([one.astype(np.float32)], positions=[1] * len(LABELS)), WORDS))

    def purity(one: np.ndarray, rows: np.ndarray) -> float:
        distances = cosine_distances(standardized(one))
        np.fill_diagonal(distances, np.inf)
        near = np.argsort(distances, axis=1)[rows, :5]
        return float((LABELS[near] == LABELS[rows, None]).mean())

    rest = np.flatnonzero(LABELS >= 2)
    found = PairedComparer().compare(of(after), of(states))
    value = found.purity.overall.value[0, 0]
    assert value == pytest.approx(purity(after, rest) - purity(states, rest), abs=1e-6)
    everyone = np.arange(len(LABELS))
    assert abs(value - (purity(after, rest) - purity(states, everyone))) > 0.2, "the words that are gone had others"
    assert np.isnan(found.purity.by_category.value[:2]).all()
    assert found.purity.overall.value == pytest.approx(
        -PairedComparer().compare(of(states), of(after)).purity.overall.value
    )
