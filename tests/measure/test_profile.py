"""How far models are above chance at their best depth, and whether two differ: known answers, and how often it errs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import get_args

import making
import numpy as np
import pytest
from falsify import differences as made
from falsify.differences import N_EACH, N_WORDS, ORDERS, PAIRS, World, side
from repeating import times
from scipy.special import ndtr, stdtrit

from tokviz.measure import geometry as measured
from tokviz.measure import relations as related
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.profile import FAMILIES, ProfileComparer, Side, expected_best
from tokviz.records import Differences, HiddenStates, profile_of, student
from tokviz.records.fields import FamilyKey


def compared(a: HiddenStates, b: HiddenStates) -> Differences:
    return ProfileComparer().compare(side(a), side(b))


def drawn(seed: int) -> tuple[World, np.random.Generator]:
    random = np.random.default_rng(seed)
    return World.drawn(random), random


# --- two models ------------------------------------------------------------------------------------------------------


def p_values(made_up: Callable[[int], tuple[Side, Side]], n_runs: int) -> np.ndarray:
    """``(n_runs, 4)``: of purity, silhouette, relation and order, each by itself."""
    scores = [
        [float(each.claim.score[0]) for each in ProfileComparer().compare(*made_up(run)).all] for run in range(n_runs)
    ]
    return np.asarray(2 * ndtr(-np.array(scores)))


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.repeats
@pytest.mark.parametrize("course", ["even", "early"])
def test_models_that_differ_in_nothing_but_depth_are_seldom_said_to(course: made.Course) -> None:
    """Of 1,000 pairs of 6 and 30 depths at most 5 % have p < 0.05, and 1 % p < 0.01: here of few."""
    found = p_values(lambda run: made.alike(run, (6, 30), course), times(10))
    assert ((found < 0.05).mean(axis=0) <= 0.16).all()
    assert ((found < 0.001).sum(axis=0) == 0).all()


@pytest.mark.slow
def test_a_planted_difference_is_found() -> None:
    purity, _, relation, _ = p_values(lambda run: made.different(run, (6, 8)), 10).T
    assert (np.maximum(purity, relation) < 0.01).all()

    def without_relations(run: int) -> tuple[Side, Side]:
        world, random = drawn(run)
        return side(world.model(random, 5)), side(world.model(random, 8, related=0.0))

    _, _, relation, order = p_values(without_relations, 10).T
    assert (relation < 0.001).all()
    assert (order < 0.001).mean() >= 0.8


def test_a_model_does_not_differ_from_itself_however_often_a_layer_is_there() -> None:
    world, random = drawn(1)
    states = world.model(random, 3)
    often = making.hidden_states([each for each in states.states for _ in range(4)], positions=[1] * N_WORDS)
    for difference in compared(states, often).all:
        assert difference.value == pytest.approx(0, abs=1e-9)
        assert difference.claim.score == pytest.approx(0)


def test_swapping_two_models_turns_the_sign_and_counts_once() -> None:
    world, random = drawn(2)
    a, b = world.model(random, 4), world.model(random, 3, noise=2.0)
    for one, other in zip(compared(a, b).all, compared(b, a).all, strict=True):
        assert (one.value, one.error) == pytest.approx((-other.value, other.error))
        assert one.claim.score == pytest.approx(other.claim.score)
        assert (one.claim.highest == other.claim.highest).all()
    purity, silhouette, *_ = compared(a, b).all
    assert (purity.claim.highest != silhouette.claim.highest).any()


def test_an_interval_excludes_0_where_a_difference_is_announced() -> None:
    world, random = drawn(3)
    found = compared(world.model(random, 3), world.model(random, 3, noise=3.0, related=0.0))
    families = decide(claims_in(found))
    shown = [each.is_shown for each in with_decisions(found, families).all]
    assert any(shown)
    assert not all(shown)
    for each in with_decisions(found, families).all:
        assert (each.low > 0 or each.high < 0) == each.is_shown
        wide = replace(each, error=5.0)
        assert (wide.low, wide.high) == (-1, 1)
    assert np.isnan([each.low for each in found.all]).all()


def test_only_words_count_that_both_share() -> None:
    """Words that one model reads elsewhere may be anywhere in the other."""
    world, random = drawn(4)
    a, b = world.model(random, 2), world.model(random, 2)
    elsewhere = [2 if row in (0, 5, 30, 50) else 1 for row in range(N_WORDS)]
    b = making.hidden_states(list(b.states), positions=elsewhere)
    reference = b.tokenization.reference
    rows = PAIRS[0].pairs
    pairs = (replace(PAIRS[0], pairs=rows[reference[rows].all(axis=1)]),)
    kept = np.isin(ORDERS[0].words, np.flatnonzero(reference))
    orders = (replace(ORDERS[0], words=ORDERS[0].words[kept], places=ORDERS[0].places[kept]),)

    def differences(states: HiddenStates) -> Differences:
        other = Side(templates=(b,), memberships=made.MEMBERSHIPS, pairs=pairs, orders=orders)
        return ProfileComparer().compare(side(states), other)

    moved = [np.where(reference[:, None], state, 100 * state[::-1]) for state in a.states]
    found = differences(a)
    assert [each.n for each in found.all] == [N_WORDS - 4, N_WORDS - 4, 8, 11]
    again = differences(making.hidden_states(moved, positions=[1] * N_WORDS))
    assert [each.value for each in found.all] == pytest.approx([each.value for each in again.all])
    assert [each.error for each in found.all] == pytest.approx([each.error for each in again.all])


def test_the_same_words_as_a_cycle_and_as_a_row_are_two_orders() -> None:
    world, random = drawn(6)
    asked = (ORDERS[0], replace(ORDERS[0], cyclic=False))
    sides = [replace(side(world.model(random, 2, related=related)), orders=asked) for related in (1.0, 0.0)]
    cycle, row = ProfileComparer().compare(*sides).orders
    alone = ProfileComparer().compare(*(replace(each, orders=asked[1:]) for each in sides)).orders[0]
    assert row.value == alone.value
    assert row.value != cycle.value


def test_too_few_shared_pairs_and_words_are_not_compared() -> None:
    world, random = drawn(5)
    few = Side(
        templates=(world.model(random, 2),),
        memberships=((0,),) * N_WORDS,
        pairs=(replace(PAIRS[0], pairs=PAIRS[0].pairs[:4]),),
        orders=(replace(ORDERS[0], words=ORDERS[0].words[:7], places=ORDERS[0].places[:7]),),
    )
    found = ProfileComparer().compare(few, few)
    assert np.isnan([each.value for each in found.all]).all()
    assert [each.n for each in found.all] == [N_WORDS, N_WORDS, 4, 7]
    assert decide(claims_in(found)) == {}


def test_few_categories_say_nothing_of_others() -> None:
    world, random = drawn(6)
    several = side(world.model(random, 2)), side(world.model(random, 2))
    few = [replace(each, memberships=tuple((row * 4 // N_WORDS,) for row in range(N_WORDS))) for each in several]
    found = ProfileComparer().compare(*several)
    assert [each.unit for each in found.all] == ["category", "category", "pair", "word"]
    assert found.purity.freedom == N_WORDS // N_EACH - 1
    of_few = ProfileComparer().compare(*few)
    assert np.isfinite([each.value for each in of_few.all]).tolist() == [False, False, True, True]


def test_a_category_of_one_word_counts_for_nothing() -> None:
    """It has nothing to keep together: as one that doesn't, it made differences of what is by chance alone."""
    world, random = drawn(6)
    several = side(world.model(random, 2)), side(world.model(random, 2))
    n = N_WORDS - 12
    single = [*(row * 5 // n for row in range(n)), *range(5, 17)]
    with_single = [replace(each, memberships=tuple((of,) for of in single)) for each in several]
    without = [replace(each, memberships=(*((of,) for of in single[:n]), *((),) * 12)) for each in several]
    found = ProfileComparer().compare(*with_single)
    assert (found.purity.n, found.purity.freedom) == (n, 4)
    assert found.purity.value == ProfileComparer().compare(*without).purity.value
    assert found.silhouette.error == ProfileComparer().compare(*without).silhouette.error
    alone = [replace(each, memberships=tuple((row,) for row in range(N_WORDS))) for each in several]
    assert not np.isfinite(ProfileComparer().compare(*alone).purity.value)


def test_words_that_were_declared_to_belong_together_are_one_unit() -> None:
    """Those of an order."""
    world, random = drawn(6)
    sides = [side(states := world.model(random, 2)) for _ in range(2)]
    words = [word.word for word in states.tokenization.words]
    first = ORDERS[0].words[0]
    groups = (tuple(words[first : first + 3]),)
    (apart,), (together,) = (
        ProfileComparer().compare(*(replace(each, groups=own) for each in sides)).orders for own in ((), groups)
    )
    assert (apart.n, together.n) == (N_EACH, N_EACH - 2)
    assert together.error != apart.error


@pytest.mark.parametrize("n", [1, 3, 4, 7])
def test_the_best_of_some_depths_is_expected_as_by_drawing_all(n: int) -> None:
    values = np.random.default_rng(n).normal(size=7)
    runs = np.array_split(values, n)
    if n == 4:  # the first runs of an array split are the longer ones; here they are spread
        runs = [values[:2], values[2:4], values[4:6], values[6:]]
    if n == 3:
        runs = [values[:3], values[3:5], values[5:]]
    every = [max(each) for each in product(*runs)]
    weights = expected_best(values, n)
    assert weights.sum() == pytest.approx(1)
    assert weights @ values == pytest.approx(np.mean(every))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 8, 29, 107, 500])
def test_t_is_as_rare_as_the_score_that_it_stands_for(freedom: int) -> None:
    for score in (0.0, 0.5, 1.96, 3.0, 4.2):
        assert student.quantile(score, freedom) == pytest.approx(-stdtrit(freedom, ndtr(-score)), rel=1e-6, abs=1e-9)
    assert student.quantile(float("inf"), freedom) == float("inf")


# --- one model -------------------------------------------------------------------------------------------------------


def test_a_peak_is_the_best_depth_of_what_was_measured() -> None:
    world, random = drawn(7)
    states = world.model(random, 4)
    geometry = measured.measure(states, [], made.MEMBERSHIPS, None)
    relations = related.measure(states, PAIRS, ORDERS)
    geometry = with_decisions(geometry, decide(claims_in(geometry)))
    found = profile_of(geometry, relations)
    parallelism = relations.relations[0].parallelism
    for peak, effect, value, holds in (
        (found.purity, geometry.purity.effect, geometry.purity.value, geometry.purity.above_chance.holds),
        (
            found.silhouette,
            geometry.silhouette.effect,
            geometry.silhouette.value,
            geometry.silhouette.above_chance.holds,
        ),
        (
            found.relations[0],
            (parallelism.value - parallelism.null_mean) / (1 - parallelism.null_mean),
            parallelism.value,
            relations.relations[0].holds,
        ),
        (found.orders[0], relations.orders[0].r2.value, relations.orders[0].r2.value, relations.orders[0].holds),
    ):
        assert peak.depth == effect.argmax()
        assert peak.value == value[peak.depth]
        assert peak.effect == pytest.approx(float(effect.max()))
        assert peak.is_above_chance == holds.any()
    assert found.purity.is_above_chance


def test_one_category_has_no_profile() -> None:
    states = making.hidden_states(making.gaussian(3, 20), positions=[1] * 20)
    found = profile_of(measured.measure(states, [], ((0,),) * 20, None), None)
    assert (found.purity.depth, found.silhouette.depth) == (None, None)
    assert np.isnan([found.purity.effect, found.purity.value]).all()
    assert (found.relations, found.orders) == ((), ())


@pytest.mark.parametrize("family", sorted(set(FAMILIES.values())))
def test_what_is_stored_of_a_family_can_be_read_again(family: str) -> None:
    _, is_family = get_args(FamilyKey)
    assert is_family(family)
