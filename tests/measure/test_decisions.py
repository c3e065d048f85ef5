"""What is announced: one level for a whole report, whatever its values are and however many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tokviz.measure.decisions import claim, claims_in, decide, with_decisions
from tokviz.records import LEVEL, Claim

N_SHUFFLES = 1999


def drawn(random: np.random.Generator, family: str, values: np.ndarray, n_shuffles: int = N_SHUFFLES) -> Claim:
    shuffled = random.normal(size=(len(values), n_shuffles))
    return claim(family, values, shuffled, np.ones(len(values), dtype=bool))


def test_a_p_value_counts_the_shuffles_whose_best_of_all_values_does_as_well() -> None:
    random = np.random.default_rng(0)
    shuffled = [random.normal(size=(n, 99)) * scale for n, scale in ((3, 1.0), (2, 50.0))]
    values = [np.array([0.0, 2.6, np.nan]), np.array([-10.0, 160.0])]
    found = [claim("one", *each, np.ones(len(each[0]), bool)) for each in zip(values, shuffled, strict=True)]
    family = decide(found)["one"]

    on_scale = np.concatenate([(each - each.mean(1, keepdims=True)) / each.std(1, keepdims=True) for each in shuffled])
    own = np.concatenate([(v - s.mean(1)) / s.std(1) for v, s in zip(values, shuffled, strict=True)])
    best = on_scale[np.isfinite(own)].max(axis=0)
    expected = [(1 + sum(best >= each)) / 100 if np.isfinite(each) else np.nan for each in own]
    np.testing.assert_allclose(np.concatenate([each.decided(family).p_value for each in found]), expected)
    assert family.p_value == np.nanmin(expected)
    assert family.n_values == 4


def test_captures_that_are_alike_count_once() -> None:
    random = np.random.default_rng(1)
    once = drawn(random, "one", np.array([2.0, 3.9]))
    families = [decide([once] * n)["one"] for n in (1, 5)]
    np.testing.assert_array_equal(once.decided(families[0]).p_value, once.decided(families[1]).p_value)


def test_the_level_is_shared_by_the_families_that_can_be_tested() -> None:
    """Five pairs of words can be paired in 120 ways: no p-value of theirs is below 1/120."""
    random = np.random.default_rng(2)
    high = np.array([9.0])
    testable = [drawn(random, f"order {index}", high) for index in range(4)]
    few = claim("relation 0", high, random.normal(size=(1, N_SHUFFLES)), np.ones(1, bool), n_arrangements=120)
    families = decide([*testable, few])
    assert families["relation 0"].can_be_tested is False
    assert not few.decided(families["relation 0"]).holds.any()
    assert [families[f"order {index}"].level for index in range(4)] == [LEVEL / 4] * 4
    assert all(each.decided(families[each.family]).holds.all() for each in testable)


def test_of_more_questions_than_shuffles_can_tell_apart_the_last_are_left_out() -> None:
    """1,999 shuffles tell twenty questions apart: all together stay at the level."""
    random = np.random.default_rng(7)
    families = decide([drawn(random, f"question {index}", np.array([9.0])) for index in range(25)])
    testable = [each for each in families.values() if each.can_be_tested]
    assert [each.key for each in testable] == [f"question {index}" for index in range(20)]
    assert sum(each.level for each in testable) == pytest.approx(LEVEL)


def test_of_so_many_relations_and_orders_all_are_one_question() -> None:
    random = np.random.default_rng(8)
    kinds = [f"{kind} {index}" for kind in ("relation", "order") for index in range(20)]
    claims = [drawn(random, each, np.array([9.0, 1.0])) for each in kinds]
    further = [drawn(random, f"order {index}, ends meet", np.array([9.0])) for index in range(20)]
    other = drawn(random, "categories", np.array([9.0]))
    families = decide([*claims, *further, other])
    assert {each.level for each in families.values()} == {LEVEL / 2}
    for each in (*claims, *further, other):
        assert each.decided(families[each.family]).holds[0]
    np.testing.assert_array_equal(
        families["order 3"].highest, np.sort(np.max([each.highest for each in claims], axis=0))
    )
    np.testing.assert_array_equal(
        families["order 3, ends meet"].highest, np.sort(np.max([each.highest for each in further], axis=0))
    )
    few = decide([*claims[:5], other])
    np.testing.assert_array_equal(few["relation 3"].highest, np.sort(claims[3].highest))


@pytest.mark.slow
@pytest.mark.parametrize("n_true", [0, 20])
@pytest.mark.parametrize("n_orders", [1, 8, 40])
def test_of_questions_that_are_partly_true_a_report_in_a_hundred_says_anything_false(
    n_orders: int, n_true: int
) -> None:
    """With the categories' question, which is true or not, too; each order has eight values that depend on each other."""
    random, n_false, n_reports = np.random.default_rng((9, n_orders, n_true)), 0, 400
    for _ in range(n_reports):
        claims, false = [], []
        for index in range(n_orders + 1):
            every = 0.8 * random.normal(size=(1, 2000)) + 0.6 * random.normal(size=(8, 2000))
            is_true = index < n_true * n_orders // 40
            every[:, 0] += 9 * is_true
            name = "categories" if index == n_orders else f"order {index}"
            claims.append(claim(name, every[:, 0], every[:, 1:], np.ones(8, bool)))
            false += [] if is_true else [name]
        families = decide(claims)
        assert all(each.level > 0 for each in families.values())
        n_false += any(each.decided(families[each.family]).holds.any() for each in claims if each.family in false)
    assert n_false <= n_reports * LEVEL + 3 * np.sqrt(n_reports * LEVEL)


def test_the_threshold_is_the_lowest_score_that_is_announced() -> None:
    family = decide([drawn(np.random.default_rng(3), "one", np.array([1.0, 2.0]))])["one"]
    at = family.threshold
    just = claim("one", np.array([at, at - 1e-4]), np.zeros((2, N_SHUFFLES)), np.ones(2, bool))
    assert np.isnan(just.score).all()  # shuffles that are all alike leave nothing to be held against
    p_values = family.p_values(np.array([at, at - 1e-4]))
    assert p_values[0] <= LEVEL < p_values[1]


def test_what_a_claim_needs_besides_is_needed() -> None:
    values = np.array([8.0, 8.0])
    shuffled = np.random.default_rng(4).normal(size=(2, N_SHUFFLES))
    found = claim("one", values, shuffled, np.array([True, False]))
    np.testing.assert_array_equal(found.decided(decide([found])["one"]).holds, [True, False])


def test_claims_are_decided_wherever_they_stand_in_a_record() -> None:
    @dataclass(frozen=True)
    class Part:
        claims: tuple[Claim, ...]

    @dataclass(frozen=True)
    class Whole:
        parts: tuple[Part, ...]
        name: str

    random = np.random.default_rng(5)
    whole = Whole(parts=(Part((drawn(random, "a", np.array([9.0])), drawn(random, "b", np.array([0.0])))),), name="x")
    made = with_decisions(whole, decide(claims_in(whole)))
    assert [each.holds.tolist() for each in claims_in(made)] == [[True], [False]]
    assert made.name == "x"


@pytest.mark.slow
def test_reports_in_which_nothing_is_true_announce_something_once_in_a_hundred() -> None:
    """Three families of values that depend on each other, in 2,000 reports."""
    random = np.random.default_rng(6)
    n_false = 0
    for _ in range(2000):
        shared = random.normal(size=(1, 400))
        claims = []
        for family in "abc":
            every = 0.8 * shared + 0.6 * random.normal(size=(12, 400))
            claims.append(claim(family, every[:, 0], every[:, 1:], np.ones(12, bool)))
        families = decide(claims)
        n_false += any(each.decided(families[each.family]).holds.any() for each in claims)
    assert n_false <= 2000 * LEVEL + 3 * np.sqrt(2000 * LEVEL)


def test_a_further_question_has_its_own_family_and_takes_nothing_from_the_level() -> None:
    """Scores of the first question have a longer tail: in one family they would hide what the second one's are."""
    random = np.random.default_rng(4)
    first = claim("order 0", np.array([60.0]), random.standard_cauchy(size=(1, N_SHUFFLES)), np.ones(1, bool))
    second = drawn(random, "order 0, ends meet", np.array([4.2]))
    families = decide([first, second, drawn(random, "categories", np.array([1.0]))])
    assert {key: each.level for key, each in families.items()} == dict.fromkeys(families, LEVEL / 2)
    assert second.decided(families["order 0, ends meet"]).holds.all()


def test_a_claim_says_whether_it_can_be_tested() -> None:
    """Of one family, as of two captures with different numbers of pairs."""
    random = np.random.default_rng(5)
    few = claim("relation 0", np.array([9.0]), random.normal(size=(1, N_SHUFFLES)), np.ones(1, bool), n_arrangements=32)
    many = drawn(random, "relation 0", np.array([9.0]))
    family = decide([few, many])["relation 0"]
    assert [few.decided(family).can_be_tested, many.decided(family).can_be_tested] == [False, True]
    assert [few.decided(family).holds.any(), many.decided(family).holds.any()] == [False, True]
