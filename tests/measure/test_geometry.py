"""Measures per depth: agree with independent ones, find what was planted, and give NaN where there is nothing to measure."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from making import gaussian, hidden_states
from scipy.spatial import procrustes
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from tokviz.measure.cka import centred_gram, cka_between, geometry_vectors
from tokviz.measure.geometry import measure
from tokviz.measure.pca import project
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.stage_facts import stage_facts
from tokviz.records import Geometry, HiddenStates

N_WORDS, WIDTH = 60, 32


def thirds(n_words: int = N_WORDS) -> tuple[tuple[int, ...], ...]:
    return tuple((row % 3,) for row in range(n_words))


def measured(
    states: HiddenStates,
    ordinary: HiddenStates | None = None,
    memberships: tuple[tuple[int, ...], ...] | None = None,
    **options: Any,
) -> Geometry:
    reference = states.tokenization.reference
    projections = [project(states.states, reference, name) for name in ("standardized", "centered")]
    return measure(states, projections, memberships or thirds(len(reference)), ordinary, **options)


# --- massive activations -----------------------------------------------------------------------------------------


@pytest.fixture
def planted() -> list[np.ndarray]:
    """Ten depths of unit Gaussians; dimensions 5 and 17 are huge at depths 4–7, dimension 9 is large at 2 and 9."""
    states = gaussian(10)
    median = float(np.median(np.abs(states[0])))
    for depth in range(4, 8):
        states[depth][:, [5, 17]] = [4000 * median, -2000 * median]
    for depth in (2, 9):
        states[depth][:, 9] = 500 * median
    return states


def test_planted_massive_activations_are_found_exactly(planted: list[np.ndarray]) -> None:
    elsewhere = hidden_states(gaussian(10, seed=1), context="sentence", positions=[3] * N_WORDS)
    massive = measured(hidden_states(planted), elsewhere).massive
    assert massive.emergence_depth == 4
    assert massive.step_down_depth == 8
    assert massive.moderate_runs == ((2, 2), (9, 9))
    assert massive.dimensions == ((), (), (9,), (), *[(5, 17)] * 4, (), (9,))
    np.testing.assert_allclose(massive.ratio[4:8], 4000, rtol=0.05)
    assert (massive.energy_share[4:8] > 0.99).all()
    assert (massive.energy_share[[0, 1, 3, 8]] == 0).all()
    assert massive.dominant == (None, None, 9, None, 5, 5, 5, 5, None, 9)
    np.testing.assert_allclose(massive.top_share[4:8], 4**2 / (4**2 + 2**2), rtol=0.01)
    assert (massive.typical_context, massive.typical_is_ordinary) == ("sentence", True)


def test_a_sink_that_is_compared_with_itself_is_called_so(planted: list[np.ndarray]) -> None:
    """All dimensions rise with the largest, as they do at position 0: only ordinary words show how far."""
    risen = [state.copy() for state in planted]
    for depth in range(4, 8):
        risen[depth] *= np.where(np.isin(np.arange(WIDTH), [5, 17]), 1, 30).astype(np.float32)
    alone = measured(hidden_states(risen)).massive
    assert (alone.typical_context, alone.typical_is_ordinary) == ("alone", False)
    assert alone.emergence_depth is None
    ordinary = hidden_states(gaussian(10, seed=1), context="sentence", positions=[3] * N_WORDS)
    assert measured(hidden_states(risen), ordinary).massive.emergence_depth == 4


def test_a_sink_in_a_token_before_the_word_is_told_at_position_0_only(planted: list[np.ndarray]) -> None:
    geometry = measured(hidden_states(gaussian(10), positions=[1] * N_WORDS, position0=planted))
    assert geometry.massive.emergence_depth is None
    assert geometry.massive.typical_is_ordinary
    assert geometry.position0.emergence_depth == 4
    assert geometry.position0.dimensions[4] == (5, 17)
    said = [sentence(stage_facts(geometry, stage, None, at_position_0=False)) for stage in geometry.stages]
    assert any("at position 0" in each for each in said)


def test_massive_activations_begin_and_end_a_stage(planted: list[np.ndarray]) -> None:
    ordinary = hidden_states(gaussian(10, seed=1), context="sentence", positions=[3] * N_WORDS)
    geometry = measured(hidden_states(planted), ordinary)
    assert {4, 8} <= {stage.first_depth for stage in geometry.stages}
    stage = next(stage for stage in geometry.stages if stage.first_depth == 4)
    told = sentence(stage_facts(geometry, stage, None, at_position_0=True))
    assert told.replace("\N{NO-BREAK SPACE}", " ").startswith("Dimensions 5 and 17 are massive (median largest |x| 2,7")


def test_pc1_is_told_apart_from_massive_dimensions_and_from_position() -> None:
    states = gaussian(2)
    positions = [0] * 50 + [1] * 10
    random = np.random.default_rng(3)
    states[1][:, 5] = 2000 + 100 * random.normal(size=N_WORDS)
    states[1][50:, 5] = 0
    ordinary = hidden_states(gaussian(2, seed=1), context="sentence", positions=[3] * N_WORDS)
    geometry = measured(hidden_states(states, positions=positions), ordinary)
    assert geometry.pc1_in_massive[1] > 0.99
    assert geometry.pc1_position[0] < 0.3
    assert geometry.pc1_position[1] > 0.97
    assert np.isnan(measured(hidden_states(states)).pc1_position).all(), "all words share the position"


@pytest.fixture
def all_large() -> list[np.ndarray]:
    """Eight depths: from 3 on dimension 9 of every word is large; at 3 other dimensions are small, later they grow with it."""
    states = gaussian(8)
    for depth in range(3, 8):
        states[depth] *= np.float32(0.5 if depth == 3 else 100 * depth)
        states[depth][:, 9] = 900 if depth == 3 else 3000 * depth
    return states


@pytest.mark.parametrize("n_large", [0, 1, 2])
def test_a_dimension_that_one_word_makes_dominant_is_known_with_it(n_large: int) -> None:
    state = gaussian(1)[0].copy()
    state[:n_large, 9] = 22_000
    captured = hidden_states([state], positions=[1] * N_WORDS)
    found = measured(captured, captured).massive
    assert found.dominant == ((9,) if n_large else (None,))
    assert found.carriers == ((captured.tokenization.words[0].word,) if n_large == 1 else (None,))


@pytest.mark.parametrize("position", [0, 1])
def test_where_all_tokens_are_large_a_dimension_is_dominant_and_nothing_steps_down(
    all_large: list[np.ndarray], position: int
) -> None:
    """Alone or behind a first token: the typical is as large as what is measured against it."""
    massive = measured(hidden_states(all_large, positions=[position] * N_WORDS)).massive
    assert massive.massive.tolist() == [False] * 3 + [True] + [False] * 4
    assert massive.dominant == (None,) * 3 + (9,) * 5
    assert (massive.top_share[3:] > 0.9).all()
    assert (massive.energy_share[3:] == massive.top_share[3:]).all()
    assert (massive.emergence_depth, massive.end_depth, massive.step_down_depth) == (3, 4, None)
    assert massive.largest[4] > massive.largest[3]


def test_massive_activations_step_down_where_they_fall_below_the_mark_that_was(planted: list[np.ndarray]) -> None:
    ordinary = gaussian(10, seed=1)
    planted[8][:, 5] = planted[7][:, 5] / 2
    half = measured(
        hidden_states(planted), hidden_states(ordinary, context="sentence", positions=[3] * N_WORDS)
    ).massive
    assert (half.end_depth, half.step_down_depth) == (9, 9), "half of 4000 times is still massive"
    ordinary[8] *= 3
    risen = measured(
        hidden_states(planted), hidden_states(ordinary, context="sentence", positions=[3] * N_WORDS)
    ).massive
    assert (risen.end_depth, risen.step_down_depth) == (8, None), "the median rose, and |x| alone hasn't fallen enough"


def test_no_states_are_dominant_by_nothing() -> None:
    massive = measured(hidden_states([np.zeros((N_WORDS, WIDTH), np.float32), *gaussian(1)])).massive
    assert massive.dominant == (None, None)
    assert np.isnan(massive.top_share[0])


# --- spread and change -------------------------------------------------------------------------------------------


def test_spread_of_clouds_with_a_known_shape() -> None:
    random = np.random.default_rng(0)
    line = np.outer(random.normal(size=N_WORDS), np.eye(WIDTH)[0]).astype(np.float32)
    ball = np.linalg.qr(random.normal(size=(N_WORDS, 12)))[0]
    ball = np.linalg.qr(ball - ball.mean(axis=0))[0].astype(np.float32)
    bundle = (np.eye(WIDTH)[1] * 3 + 1e-4 * random.normal(size=(N_WORDS, WIDTH))).astype(np.float32)
    wide = np.pad(ball, ((0, 0), (0, WIDTH - 12)))
    spread = measured(hidden_states([line, wide, bundle])).spread
    assert spread.effective_rank[0] == pytest.approx(1, abs=1e-4)
    assert spread.effective_rank[1] == pytest.approx(12, rel=1e-4)
    assert spread.mean_cosine[2] == pytest.approx(1, abs=1e-6)
    assert spread.mean_norm[2] == pytest.approx(3, rel=1e-3)
    assert spread.norm_spread[0] == pytest.approx(np.abs(line[:, 0]).std(ddof=1), rel=1e-5)
    pairs = [a @ b / np.sqrt(a @ a * (b @ b)) for a, b in itertools.combinations(wide.astype(float), 2)]
    assert spread.mean_cosine[1] == pytest.approx(np.mean(pairs), abs=1e-6)


def test_procrustes_agrees_with_scipy() -> None:
    states = hidden_states(gaussian(3))
    first = project(states.states, states.tokenization.reference, "standardized")
    change = measured(states).change
    assert change.procrustes_projection == "standardized"
    for depth in (1, 2):
        expected = procrustes(first.coordinates[depth - 1], first.coordinates[depth])[2]
        assert change.procrustes[depth] == pytest.approx(expected)
    assert np.isnan(change.procrustes[0])


def test_the_words_that_changed_places_are_those_that_moved() -> None:
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(3, WIDTH) * 8, 20, axis=0)
    before = (centres + random.normal(size=(N_WORDS, WIDTH))).astype(np.float32)
    after = before.copy()
    after[[4, 50]] = before[[50, 4]]
    change = measured(hidden_states([before, before, after])).change
    assert change.moved[:2] == ((), ())
    assert change.neighbour_overlap[1] == 1
    assert set(change.moved[2][:2]) == {4, 50}
    assert 0.8 < change.neighbour_overlap[2] < 1


# --- identical states --------------------------------------------------------------------------------------------


def with_identical(n_identical: int) -> list[np.ndarray]:
    """Three depths of which the second has that many words of one and the same state, the others far apart."""
    states = gaussian(3)
    states[1][:n_identical] = states[1][0]
    return states


@pytest.mark.filterwarnings("error")
def test_ninety_identical_states_have_no_neighbours_to_speak_of() -> None:
    states = [np.tile(np.arange(1, WIDTH + 1, dtype=np.float32) / 7, (90, 1))]
    memberships = tuple((row // 10,) for row in range(90))
    geometry = measured(hidden_states(states), memberships=memberships)
    for measure_of_it in (geometry.purity, geometry.silhouette, geometry.pictures[0].purity):
        for values in (measure_of_it.value, measure_of_it.low, measure_of_it.null_mean, measure_of_it.effect):
            assert np.isnan(values).all()
        assert not measure_of_it.above_chance.holds.any()
    assert geometry.with_neighbours[0] == 0


@pytest.mark.filterwarnings("error")
def test_where_most_states_are_identical_no_measure_of_neighbours_is_given() -> None:
    geometry = measured(hidden_states(with_identical(40)))
    picture = geometry.pictures[1]
    for values in (geometry.purity.value, picture.purity.value):
        assert np.isnan(values).tolist() == [False, True, False]
    # From the depth before and to the depth after, what stays of neighbours isn't known.
    assert np.isnan(geometry.change.neighbour_overlap).all()
    assert set(geometry.change.moved[1]).isdisjoint(range(40))
    assert geometry.with_neighbours[[0, 2]].tolist() == [1, 1]
    assert 0 < geometry.with_neighbours[1] <= 1 / 3
    assert np.isfinite(geometry.silhouette.value).all(), "distances to other categories are known"


def test_a_few_identical_states_leave_the_other_words_as_they_are() -> None:
    geometry = measured(hidden_states(with_identical(12)))
    assert geometry.with_neighbours[1] < 1
    assert np.isfinite(geometry.purity.value).all()
    assert np.isfinite(geometry.change.neighbour_overlap[1:]).all()
    assert set(geometry.change.moved[1]).isdisjoint(range(12))


def test_identical_states_count_once_for_trustworthiness() -> None:
    states = with_identical(20)
    once = states[1][19:]
    projections = [project([states[1]], np.ones(N_WORDS, dtype=bool), "centered")]
    geometry = measure(hidden_states([states[1]]), projections, thirds(), None)
    kept = projections[0].coordinates[0][19:]
    assert geometry.pictures[0].trustworthiness[0] == pytest.approx(sklearn_trustworthiness(once, kept, n_neighbors=5))


# --- debiased CKA ------------------------------------------------------------------------------------------------


def cka(a: np.ndarray, b: np.ndarray) -> float:
    vectors = geometry_vectors(np.stack([centred_gram(a), centred_gram(b)]))
    return float(cka_between(vectors, vectors)[0, 1])


def hsic(a: np.ndarray, b: np.ndarray) -> float:
    """Song et al. 2012, summed over distinct indices: the kernel is compared on all ordered quadruples."""
    k, m = a @ a.T, b @ b.T
    total = 0.0
    quadruples = list(itertools.permutations(range(len(a)), 4))
    for i, j, q, r in quadruples:
        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
    return total / len(quadruples)


def test_debiased_cka_agrees_with_its_definition() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(7, 3)), random.normal(size=(7, 5))
    b[:, :3] += a
    assert cka(a, b) == pytest.approx(hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b)))


def test_debiased_cka_is_one_for_a_rotated_copy_and_zero_for_unrelated_states() -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(100, 600)) * np.geomspace(1, 1e4, 600)
    turn = np.linalg.qr(random.normal(size=(600, 600)))[0]
    assert cka(states, 7 * states @ turn + 3) == pytest.approx(1, abs=1e-9)
    unrelated = [cka(random.normal(size=(100, 600)), random.normal(size=(100, 600))) for _ in range(20)]
    assert abs(np.mean(unrelated)) < 0.01
    assert np.abs(unrelated).max() < 0.05


def test_cka_is_given_from_the_number_of_words_on_where_unrelated_states_are_told_from_like_ones() -> None:
    sixteen, fifteen = (measured(hidden_states(gaussian(4, n_words=n_words))) for n_words in (16, 15))
    assert np.isfinite(sixteen.cka).all()
    assert np.isnan(fifteen.cka).all()
    assert np.isnan(fifteen.change.cka).all()
    assert fifteen.stage_criteria.least_words == 16
    assert [(stage.first_depth, stage.last_depth) for stage in fifteen.stages] == [(0, 3)]
    random = np.random.default_rng(0)
    unrelated = [abs(cka(random.normal(size=(16, 300)), random.normal(size=(16, 300)))) for _ in range(400)]
    assert np.quantile(unrelated, 0.95) < 0.2
    of_four = [abs(cka(random.normal(size=(4, 300)), random.normal(size=(4, 300)))) for _ in range(400)]
    assert max(of_four) > 0.99


# --- what can't be measured --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_words", [1, 2, 3, 4, 6])
def test_few_words_give_no_number_rather_than_a_wrong_one(n_words: int) -> None:
    geometry = measured(hidden_states(gaussian(3, n_words=n_words)))
    assert geometry.stages[-1].last_depth == 2
    assert np.isnan(geometry.purity.value).all() == (n_words < 4)
    assert np.isnan(geometry.pictures[0].trustworthiness).all()


@pytest.mark.filterwarnings("error")
def test_one_category_equal_states_and_differing_widths_are_nan_not_a_crash() -> None:
    states = [*gaussian(1, width=8), *gaussian(3)]
    states[2] = np.zeros_like(states[2])
    one_category = measured(hidden_states(states), memberships=((0,),) * N_WORDS)
    assert np.isnan(one_category.purity.value).all()
    assert np.isnan(one_category.silhouette.null_mean).all()
    geometry = measured(hidden_states(states))
    assert np.isnan(geometry.pictures[0].purity.value[2])
    assert np.isnan(geometry.spread.effective_rank[2])
    assert np.isnan(geometry.change.cka[2:]).all()
    assert np.isfinite(geometry.change.cka[1])
    assert np.isfinite(geometry.purity.value[[0, 1, 3]]).all()


def test_a_word_read_elsewhere_changes_no_measure() -> None:
    states = gaussian(3)
    positions = [0] * (N_WORDS - 1) + [1]
    odd = [state.copy() for state in states]
    for state in odd:
        state[-1] = 1e6
    calm, spoilt = (measured(hidden_states(each, positions=positions)) for each in (states, odd))
    assert calm.n_reference == N_WORDS - 1
    np.testing.assert_array_equal(calm.purity.value, spoilt.purity.value)
    np.testing.assert_array_equal(calm.spread.mean_norm, spoilt.spread.mean_norm)
    assert repr(calm.stages) == repr(spoilt.stages)  # NaN is not equal to itself


def test_long_lists_are_sampled_and_the_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokviz.measure.geometry.MAX_MEASURED", 40)
    monkeypatch.setattr("tokviz.measure.geometry.MAX_COMPARED", 20)
    geometry = measured(hidden_states(gaussian(3)))
    assert (geometry.n_reference, geometry.n_measured, geometry.n_compared) == (60, 40, 20)


def _numbers(**options: Any) -> list[bytes]:
    geometry = measured(hidden_states(gaussian(3)), **options)
    records = (geometry.purity, geometry.silhouette, geometry.pictures[0].silhouette, geometry.change)
    fields = [value for record in records for value in dataclasses.asdict(record).values()]
    return [value.tobytes() for value in fields if isinstance(value, np.ndarray)]


def test_equal_input_gives_equal_bytes() -> None:
    assert _numbers() == _numbers()


def test_words_that_were_declared_to_belong_together_or_nearly_are_the_same_are_shuffled_together() -> None:
    """Each beside the other, and pairs dealt to categories at random: that is what chance makes of pairs."""
    random = np.random.default_rng(0)
    centers = np.repeat(random.normal(size=(N_WORDS // 2, 8)), 2, axis=0)
    near, *others = (centers + 0.1 * random.normal(size=centers.shape), *gaussian(1))
    # At the embedding alone no one could tell.
    states, everywhere = hidden_states([near, *others]), hidden_states([near, near])
    words = [word.word for word in states.tokenization.words]
    pairs = tuple(zip(words[::2], words[1::2], strict=True))
    memberships = tuple((int(own),) for own in np.repeat(random.permutation(np.arange(N_WORDS // 2) % 3), 2))
    apart, together = (measured(states, memberships=memberships, groups=groups).purity for groups in ((), pairs))
    found = measured(everywhere, memberships=memberships).purity
    assert apart.value[0] == together.value[0] == found.value[0]
    # One of five neighbors is the other word of the pair.
    assert abs(apart.null_mean[0] - 1 / 3) < 0.02
    assert max(abs(each.null_mean[0] - (1 + 4 / 3) / 5) for each in (together, found)) < 0.02


def test_other_words_are_refused_with_both_sizes() -> None:
    states = hidden_states(gaussian(3))
    with pytest.raises(ValueError, match="expected 60 words, as in states, got 59"):
        measure(states, [], thirds(59), None)
    with pytest.raises(ValueError, match="expected 3 depths, as in states, got 4"):
        measure(states, [], thirds(), hidden_states(gaussian(4), positions=[3] * N_WORDS))


def test_in_a_vocabulary_categories_are_measured_among_the_words_that_have_one() -> None:
    states = gaussian(3, 200)
    for state in states:
        state[:20, 0] += 50
        state[20:40, 0] -= 50
    memberships = tuple((0,) if row < 20 else (1,) if row < 40 else () for row in range(200))
    all_words = measured(hidden_states(states), memberships=memberships)
    assert all_words.n_measured == 200
    landmarks = measured(hidden_states([state[:40] for state in states]), memberships=memberships[:40])
    np.testing.assert_array_equal(all_words.purity.value, landmarks.purity.value)
    np.testing.assert_array_equal(all_words.silhouette.value, landmarks.silhouette.value)
    assert np.isfinite(all_words.pictures[0].purity.value).all()
    assert not np.allclose(all_words.spread.effective_rank, landmarks.spread.effective_rank)

    nothing = measured(hidden_states(states), memberships=((),) * 200)
    assert np.isnan(nothing.purity.value).all()
    assert np.isfinite(nothing.pictures[0].trustworthiness).all()
