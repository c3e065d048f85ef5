"""Relations and orders against their definitions, against chance, and on planted ones."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import relations_by_hand as by_hand
from making import hidden_states
from scipy.stats import kstest

from tokviz.measure.closing import Hops
from tokviz.measure.decisions import N_SHUFFLES, claims_in, decide, with_decisions
from tokviz.measure.relations import measure
from tokviz.measure.spaces import standardized
from tokviz.measure.tested import signs
from tokviz.records import Claim, Closing, HiddenStates, OrderRows, PairRows, Relations

N_PAIRS, N_OTHERS, N_ORDERED, WIDTH = 10, 3, 12, 24
PAIRS = np.stack([np.arange(N_PAIRS), N_PAIRS + np.arange(N_PAIRS)], axis=1)
CANDIDATES = np.arange(N_PAIRS, 2 * N_PAIRS + N_OTHERS)
ORDERED = np.arange(2 * N_PAIRS + N_OTHERS, 2 * N_PAIRS + N_OTHERS + N_ORDERED)
N_WORDS = len(ORDERED) + 2 * N_PAIRS + N_OTHERS
N_SEEDS = 200


def states_of(*depths: np.ndarray) -> HiddenStates:
    return hidden_states([depth.astype(np.float32) for depth in depths])


def pairs(rows: np.ndarray = PAIRS, candidates: np.ndarray = CANDIDATES) -> PairRows:
    return PairRows(pairs=rows, candidates=candidates)


def order(*, cyclic: bool, rows: np.ndarray = ORDERED) -> OrderRows:
    return OrderRows(words=rows, places=np.arange(len(rows)), n_places=len(rows), cyclic=cyclic)


def measured(*depths: np.ndarray, seed: int = 0) -> Relations:
    return decided(measure(states_of(*depths), [pairs()], [order(cyclic=True), order(cyclic=False)], seed=seed))


def decided(found: Relations) -> Relations:
    """As if a report had this capture and no other question."""
    return with_decisions(found, decide(claims_in(found)))


def p_value(claim: Claim) -> np.ndarray:
    """``(n_depths,)``: against the best depth of each shuffle."""
    return with_decisions(claim, decide([claim])).p_value


def as_compared(states: np.ndarray) -> np.ndarray:
    """What pairs are measured in."""
    return standardized(states.astype(np.float32))


def like_a_models(random: np.random.Generator, n_words: int = N_WORDS) -> np.ndarray:
    """Rows without any structure but dimensions that are correlated, a few of them very large."""
    mixing = random.standard_normal((WIDTH, WIDTH)) * 10 ** random.uniform(-1, 1, WIDTH)
    return 5 + random.standard_normal((n_words, WIDTH)) @ mixing


# --- the definitions, word by word -----------------------------------------------------------------------------------


def test_parallelism_is_the_mean_cosine_between_differences() -> None:
    states = like_a_models(np.random.default_rng(1))
    every = as_tuples(PAIRS)
    found = measured(states).relations[0].parallelism
    compared = as_compared(states)
    assert found.value[0] == pytest.approx(by_hand.parallelism(compared, every), abs=1e-9)
    for group in range(N_PAIRS):
        without = by_hand.parallelism(compared, every[:group] + every[group + 1 :])
        assert found.without[0, group] == pytest.approx(without, abs=1e-9)


def test_intervals_of_few_pairs_are_students() -> None:
    """Of ten pairs 2.262 standard errors of the jackknife to either side."""
    found = measured(like_a_models(np.random.default_rng(1))).relations[0].parallelism
    error = np.sqrt((N_PAIRS - 1) * found.without[0].var())
    assert found.high[0] - found.value[0] == pytest.approx(2.262157 * error, rel=1e-6)
    assert found.value[0] - found.low[0] == pytest.approx(2.262157 * error, rel=1e-6)


def test_hits_are_targets_found_by_the_difference_of_the_other_pairs_and_by_the_source() -> None:
    random = np.random.default_rng(2)
    for _ in range(5):
        states = like_a_models(random)
        states[PAIRS[:, 1]] = states[PAIRS[:, 0]] + random.standard_normal((N_PAIRS, WIDTH)) * states.std(axis=0)
        found = measured(states).relations[0]
        ranks = by_hand.ranks(as_compared(states), as_tuples(PAIRS), CANDIDATES.tolist())
        assert (found.hits[0], found.hits_of_source[0]) == tuple((ranks == 1).sum(axis=1))
        assert found.hits_of_source[0] > 0
        with_it, without = 1 / ranks
        assert found.gain[0] == pytest.approx((with_it - without).mean())
        if found.gain[0]:
            flipped = signs(N_PAIRS, 0) @ (with_it - without) / N_PAIRS
            assert found.offset.score[0] == pytest.approx((found.gain[0] - flipped.mean()) / flipped.std())


def test_of_few_pairs_all_arrangements_of_signs_are_held_against_them_as_often_as_each_other() -> None:
    few = [tuple(each) for each in signs(5, 0)]
    assert len(few) == N_SHUFFLES
    assert {few.count(each) for each in set(few)} == {62, 63}
    # With the pairs as they are, which are one of 32.
    assert few.count((1.0,) * 5) == 62
    many = signs(12, 0)
    assert len({tuple(each) for each in many}) > 1500
    assert abs(many.mean()) < 0.03


@pytest.mark.parametrize("kept", [list(range(12)), [0, 1, 2, 4, 5, 6, 7, 9, 10]])
def test_far_crossing_and_other_near_words_are_those_of_the_definition(kept: list[int]) -> None:
    """Places of words that aren't measured stay empty."""
    random = np.random.default_rng(18)
    states = random.standard_normal((len(kept), 7))
    of = OrderRows(words=np.arange(len(kept)), places=np.array(kept), n_places=12, cyclic=True)
    shuffle = random.permutation(len(kept))
    crossing, quarter, near = Hops(of).contrasts(states, np.stack([np.arange(len(kept)), shuffle]))
    for index, placed in enumerate((states, states[shuffle])):
        expected = by_hand.contrasts(placed, kept, 12)
        assert (crossing[index], quarter[index]) == pytest.approx((expected["crossing"], expected["quarter"]))
    assert near == pytest.approx(by_hand.contrasts(states, kept, 12)["near"])


def test_a_circle_is_as_close_at_its_ends_as_elsewhere_and_is_read_in_every_direction() -> None:
    angles = 2 * np.pi * np.arange(N_WORDS) / N_ORDERED
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ np.linalg.qr(np.eye(WIDTH)[:, :2] + 1)[0].T
    closing = measured(circle, circle * [1, *np.zeros(WIDTH - 1)]).orders[0].closing
    assert closing is not None
    far, crossing, near = (_mean_square(hops) for hops in ({5: 12, 6: 6}, {1: 1, 2: 2, 3: 3}, {1: 11, 2: 10, 3: 9}))
    # Of the nearly even circle that standardizing leaves.
    assert closing.closeness[0] == pytest.approx((far - crossing) / (far - near), abs=0.1)
    assert closing.least_r2[0] > 0.99
    assert closing.least_r2[1] < 0.7


def _mean_square(counts: dict[int, int]) -> float:
    """Of the distances between words on a circle, so many of each number of hops."""
    return float(sum(n * (2 - 2 * np.cos(np.pi * hop / 6)) for hop, n in counts.items()) / sum(counts.values()))


@pytest.mark.parametrize("cyclic", [True, False])
def test_r2_is_that_of_regressions_that_leave_one_word_out(*, cyclic: bool) -> None:
    states = like_a_models(np.random.default_rng(3)).astype(np.float32).astype(float)
    aims = by_hand.on_a_circle(N_ORDERED) if cyclic else np.arange(N_ORDERED)[:, None].astype(float)
    predicted = by_hand.held_out(states, ORDERED.tolist(), aims)
    found = measured(states).orders[0 if cyclic else 1]
    assert found.n_components == 5
    assert found.r2.value[0] == pytest.approx(by_hand.r2(aims, predicted), abs=1e-6)
    np.testing.assert_allclose(found.held_out[0, :, : aims.shape[1]], predicted, atol=1e-4)
    for left_out in range(N_ORDERED):
        kept = np.delete(np.arange(N_ORDERED), left_out)
        predicted = by_hand.held_out(states, ORDERED[kept].tolist(), aims[kept], found.n_components)
        without = by_hand.r2(aims[kept], predicted)
        assert found.r2.without[0, left_out] == pytest.approx(without, abs=1e-6)
    if not cyclic:
        np.testing.assert_array_equal(found.held_out[0, :, 1], np.arange(N_ORDERED))


def named(states: HiddenStates, words: list[str]) -> HiddenStates:
    """The words that are in order, with these names."""
    every = list(states.tokenization.words)
    for row, word in zip(ORDERED, words, strict=True):
        every[row] = replace(every[row], word=word)
    return replace(states, tokenization=replace(states.tokenization, words=tuple(every)))


NOUNS = ("cloud", "bridge", "apple", "tiger", "sugar", "stone", "lamp", "horse", "river", "chair")


def test_forms_of_a_word_and_declared_words_are_left_out_together() -> None:
    words = [*NOUNS, "Cloud", "seat"]
    states = like_a_models(np.random.default_rng(3)).astype(np.float32)
    aims = np.arange(N_ORDERED)[:, None].astype(float)
    found = measure(named(states_of(states), words), [], [order(cyclic=False)], groups=[("chair", "seat")]).orders[0]
    together = [[0, 10], [9, 11]]
    predicted = by_hand.held_out(states.astype(float), ORDERED.tolist(), aims, 4, together)
    assert (found.n_units, found.n_components) == (10, 4)
    assert found.r2.value[0] == pytest.approx(by_hand.r2(aims, predicted), abs=1e-6)
    np.testing.assert_allclose(found.held_out[0, :, :1], predicted, atol=1e-4)
    assert found.r2.without.shape[1] == 10
    for left_out, unit in enumerate([[0, 10], *([row] for row in range(1, 9)), [9, 11]]):
        kept = np.delete(np.arange(N_ORDERED), unit)
        pairs = [[kept.tolist().index(row) for row in each] for each in together if each != unit]
        predicted = by_hand.held_out(states.astype(float), ORDERED[kept].tolist(), aims[kept], 4, pairs)
        assert found.r2.without[0, left_out] == pytest.approx(by_hand.r2(aims[kept], predicted), abs=1e-6)


@pytest.mark.parametrize("declared", [False, True])
def test_an_order_of_two_forms_each_is_no_order(*, declared: bool) -> None:
    """Each word tells where its other form stands: word by word R² is 0.9 of an order at random."""
    p_values = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        states = like_a_models(random)
        rows = np.arange(2 * len(NOUNS)) + 10
        states[rows[1::2]] = states[rows[::2]]
        words = [*NOUNS, *(map(str.upper, NOUNS) if not declared else (f"{each[::-1]}" for each in NOUNS))]
        words = [word for both in zip(words[: len(NOUNS)], words[len(NOUNS) :], strict=True) for word in both]
        made = states_of(states)
        every = list(made.tokenization.words)
        for row, word in zip(rows, words, strict=True):
            every[row] = replace(every[row], word=word)
        made = replace(made, tokenization=replace(made.tokenization, words=tuple(every)))
        groups = [tuple(words[at : at + 2]) for at in range(0, len(words), 2)] if declared else []
        found = measure(made, [], [order(cyclic=False, rows=rows)], groups=groups).orders[0]
        assert found.n_units == len(NOUNS)
        p_values.append(p_value(found.r2.claim)[0])
    assert min(p_values) > 0.001
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_too_few_words_but_for_their_forms_are_not_measured() -> None:
    words = [*NOUNS[:6], *map(str.title, NOUNS[:6])]
    found = measure(named(states_of(like_a_models(np.random.default_rng(1))), words), [], [order(cyclic=False)]).orders[
        0
    ]
    assert not found.is_measured
    assert np.isnan(found.r2.value).all()


@pytest.mark.parametrize("n", range(11, 18))
def test_pairs_as_they_are_count_once(n: int) -> None:
    for seed in range(20):
        assert not (signs(n, seed) > 0).all(axis=1).any()


@pytest.mark.parametrize("width", [WIDTH, 4 * N_WORDS])
def test_words_of_one_state_leave_parallelism_undefined_in_any_width(width: int) -> None:
    """Where there are more dimensions than words these are turned into their span, which leaves rounding between equal states."""
    states = np.random.default_rng(1).standard_normal((N_WORDS, width))
    states[PAIRS[2, 0]] = states[PAIRS[3, 1]] = 0.0
    found = measured(states).relations[0].parallelism
    assert np.isnan(found.value).all()
    assert np.isnan(found.null_mean).all()


def as_tuples(rows: np.ndarray) -> by_hand.Pairs:
    return [(int(source), int(target)) for source, target in rows]


# --- chance ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without_structure() -> list[Relations]:
    """Of two depths each."""
    random = np.random.default_rng(4)
    return [measured(like_a_models(random), like_a_models(random), seed=seed) for seed in range(N_SEEDS)]


def _closing(found: Relations) -> Closing:
    closing = found.orders[0].closing
    assert closing is not None
    return closing


Read = Callable[[Relations], Claim]


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda found: found.relations[0].parallelism.claim, id="parallelism"),
        pytest.param(lambda found: found.orders[0].r2.claim, id="cycle"),
        pytest.param(lambda found: found.orders[1].r2.claim, id="line"),
        pytest.param(lambda found: _closing(found).ends_meet, id="ends meet"),
        pytest.param(lambda found: _closing(found).circle, id="circle"),
    ],
)
def test_p_values_of_what_has_no_structure_are_uniform(without_structure: list[Relations], read: Read) -> None:
    """The best of two depths, too, once it is corrected."""
    values = np.array([p_value(read(each)).min() for each in without_structure])
    # Permutations give steps of 1 / (1 + N): a uniform number below each is uniform.
    smooth = values - np.random.default_rng(5).uniform(0, 1 / (1 + N_SHUFFLES), N_SEEDS)
    assert kstest(smooth, "uniform").pvalue > 0.01


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("level", [0.01, 0.05, 0.1, 0.2, 0.5])
def test_what_a_difference_adds_by_chance_is_rarely_significant(
    without_structure: list[Relations], level: float
) -> None:
    values = np.array([np.fmin.reduce(p_value(each.relations[0].offset)) for each in without_structure])
    assert (values <= level).mean() <= level + 2 * np.sqrt(level * (1 - level) / N_SEEDS)


@pytest.mark.slow
def test_hardly_anything_is_claimed_of_what_has_no_structure(without_structure: list[Relations]) -> None:
    for claimed in (
        [each.relations[0].holds.any() for each in without_structure],
        [each.orders[0].holds.any() for each in without_structure],
        [each.orders[1].holds.any() for each in without_structure],
    ):
        assert np.mean(claimed) <= 0.01 + 2 * np.sqrt(0.01 * 0.99 / N_SEEDS)


# --- what is there is found ------------------------------------------------------------------------------------------


def planted(random: np.random.Generator) -> np.ndarray:
    """A difference that all pairs share, and words on a circle in one plane, each in noise."""
    states = random.standard_normal((N_WORDS, WIDTH)) * random.uniform(0.3, 2, (N_WORDS, 1))
    states[PAIRS[:, 1]] = states[PAIRS[:, 0]] + 15 * _unit(random) + 0.3 * random.standard_normal((N_PAIRS, WIDTH))
    angles = 2 * np.pi * np.arange(N_ORDERED) / N_ORDERED
    states[ORDERED] = 4 * (np.outer(np.cos(angles), _unit(random)) + np.outer(np.sin(angles), _unit(random)))
    states[ORDERED] += 0.5 * random.standard_normal((N_ORDERED, WIDTH))
    return states


def _unit(random: np.random.Generator) -> np.ndarray:
    vector = random.standard_normal(WIDTH)
    return np.asarray(vector / np.linalg.norm(vector))


def test_planted_differences_and_circles_are_found_every_time() -> None:
    random = np.random.default_rng(6)
    for seed in range(20):
        noise = random.standard_normal((N_WORDS, WIDTH))
        found = measured(noise, planted(random), seed=seed)
        assert found.relations[0].parallelism.claim.holds[1]
        assert found.orders[0].holds[1]
        # The interval doesn't exclude what it is of.
        for tested in (found.relations[0].parallelism, found.orders[0].r2):
            assert tested.low[1] < tested.value[1] < tested.high[1] <= 1


def test_a_pair_that_lies_near_each_other_is_no_relation() -> None:
    """Each target is its source but for a step of its own: the sources find all, the mean difference adds nothing."""
    random = np.random.default_rng(7)
    states = random.standard_normal((N_WORDS, WIDTH))
    states[PAIRS[:, 1]] = states[PAIRS[:, 0]] + 0.2 * random.standard_normal((N_PAIRS, WIDTH))
    found = measured(states).relations[0]
    assert found.hits_of_source[0] == N_PAIRS
    assert not found.holds.any()


# --- odd input -------------------------------------------------------------------------------------------------------


def test_fewer_pairs_and_words_are_not_measured() -> None:
    states = states_of(like_a_models(np.random.default_rng(8)))
    found = measure(states, [pairs(PAIRS[:4])], [order(cyclic=True, rows=ORDERED[:7])])
    assert not found.relations[0].is_measured
    assert not found.orders[0].is_measured
    assert np.isnan(found.relations[0].parallelism.value).all()
    assert np.isnan(p_value(found.orders[0].r2.claim)).all()
    assert not found.relations[0].holds.any()
    assert not found.orders[0].holds.any()


@pytest.mark.filterwarnings("error")
def test_none_at_all_are_not_measured() -> None:
    states = states_of(like_a_models(np.random.default_rng(8)))
    nothing = np.empty((0, 2), dtype=np.int64)
    found = measure(states, [pairs(nothing, nothing[:, 0])], [order(cyclic=False, rows=nothing[:, 0])])
    assert not found.relations[0].is_measured
    assert not found.orders[0].is_measured


def test_a_source_and_a_target_with_one_state_have_no_parallelism() -> None:
    states = like_a_models(np.random.default_rng(9))
    states[PAIRS[0, 1]] = states[PAIRS[3, 0]]
    found = measured(states, like_a_models(np.random.default_rng(10))).relations[0]
    assert np.isnan(found.parallelism.value).tolist() == [True, False]
    assert np.isnan(found.parallelism.claim.p_value).tolist() == [True, False]


def test_words_that_do_not_differ_have_no_order_and_no_hits() -> None:
    found = measured(np.ones((N_WORDS, WIDTH)))
    assert np.isnan(found.orders[0].r2.value).all()
    assert found.relations[0].hits[0] == found.relations[0].hits_of_source[0] == 0
    assert np.isnan(found.relations[0].coordinates).all()


def test_a_tie_between_candidates_is_no_hit() -> None:
    states = planted(np.random.default_rng(11))
    before = measured(states).relations[0].hits[0]
    states[CANDIDATES[-1]] = states[PAIRS[0, 1]]
    assert measured(states).relations[0].hits[0] == before - 1


def test_infinite_states_are_left_out() -> None:
    broken = like_a_models(np.random.default_rng(12))
    broken[0, 0] = np.inf
    found = measured(broken, like_a_models(np.random.default_rng(13)))
    assert np.isnan(found.orders[0].r2.value).tolist() == [True, False]
    assert np.isfinite(found.relations[0].parallelism.claim.p_value[1])


def test_a_word_is_not_found_as_its_own_target() -> None:
    """Sources among the candidates, as of pairs within one category."""
    random = np.random.default_rng(14)
    states = random.standard_normal((N_WORDS, WIDTH))
    states[PAIRS[:, 1]] = states[PAIRS[:, 0]] + 0.1 * random.standard_normal((N_PAIRS, WIDTH))
    found = measure(states_of(states), [pairs(candidates=np.arange(2 * N_PAIRS))], []).relations[0]
    assert found.hits_of_source[0] == N_PAIRS


def test_the_same_seed_gives_the_same_numbers_and_long_orders_leave_groups_out() -> None:
    random = np.random.default_rng(15)
    long = states_of(like_a_models(random, 70))
    rows = np.arange(70)
    one, other = (measure(long, [], [order(cyclic=False, rows=rows)], seed=3).orders[0].r2 for _ in range(2))
    np.testing.assert_array_equal(one.claim.highest, other.claim.highest)
    assert one.without.shape == (1, 30)


def test_a_word_that_is_the_first_of_one_pair_and_the_second_of_another_is_never_paired_with_itself() -> None:
    """As of a chain: every word is followed by the next one."""
    random = np.random.default_rng(16)
    chain = np.stack([np.arange(N_PAIRS), np.arange(1, N_PAIRS + 1)], axis=1)
    states = np.outer(np.arange(N_WORDS), _unit(random) * 5) + random.standard_normal((N_WORDS, WIDTH))
    found = measure(states_of(states), [pairs(chain, np.arange(N_PAIRS + 3))], []).relations[0]
    expected = by_hand.parallelism(as_compared(states), as_tuples(chain))
    assert found.parallelism.value[0] == pytest.approx(expected, abs=1e-6)
    assert p_value(found.parallelism.claim)[0] < 0.01


def test_two_hundred_pairs_are_measured_in_little_memory() -> None:
    """As many as a report may ask for: not all differences between all words at once."""
    random = np.random.default_rng(17)
    states = states_of(random.standard_normal((450, 576)))
    rows = np.stack([np.arange(200), 200 + np.arange(200)], axis=1)
    tracemalloc.start()
    try:
        measure(states, [pairs(rows, np.arange(200, 450))], [])
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()
