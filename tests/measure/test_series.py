"""Series of checkpoints: planted faults are found and nothing else, and common axes add no arrangement of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from making import gaussian, hidden_states
from repeating import times

from tokviz.measure import pca
from tokviz.measure.series import drift, exchanged, faults, step_axes
from tokviz.records import Fault, HiddenStates

N_SERIES = times(20)
DEPTHS, WORDS, WIDTH = 3, 20, 12
SHAPE = (DEPTHS, WORDS, WIDTH)
LIKE_ALL = hidden_states(gaussian(DEPTHS, WORDS, WIDTH))
Random = np.random.Generator


# --- checkpoints that aren't what they are called ------------------------------------------------------------------


def _along(places: np.ndarray, random: Random) -> np.ndarray:
    """``(n,)``, from 0 on → ``(n, *SHAPE)``: a bent way, as far at each checkpoint as ``places`` says."""
    share = (places / places.max())[:, None, None, None]
    return np.asarray(1.5 * (share * random.normal(size=SHAPE) + share**2 * random.normal(size=SHAPE) / 2))


def _walk(sizes: np.ndarray, random: Random) -> np.ndarray:
    steps = 0.4 * sizes[:, None, None, None] * random.normal(size=(len(sizes), *SHAPE))
    return np.concatenate([np.zeros((1, *SHAPE)), steps.cumsum(axis=0)])


WAYS: dict[str, Callable[[int, Random], np.ndarray]] = {
    "steady": lambda n, random: _along(np.arange(n), random),
    "steps that differ in size": lambda n, random: _along(np.r_[0, random.uniform(0.2, 3, n - 1).cumsum()], random),
    "log-spaced": lambda n, random: _along(np.log1p(np.r_[0, 2.0 ** np.arange(n - 1)]), random),
    "ever larger steps": lambda n, random: _along(1.7 ** np.arange(n) - 1, random),
    "a rate that decays": lambda n, random: _along(1 - np.exp(-np.linspace(0, 6, n)), random),
    "a random walk": lambda n, random: _walk(np.ones(n - 1), random),
}
HARDLY_TOLD: dict[str, Callable[[int, Random], np.ndarray]] = {
    "a walk of uneven steps": lambda n, random: _walk(10 ** random.uniform(-0.5, 0.5, n - 1), random),
    "a start that hardly differs": lambda n, random: _along(
        np.r_[0, 0.001, 0.002, 0.005, np.linspace(0.1, 1, n - 4)], random
    ),
}
"""An exchange of neighbors that hardly differ makes no way longer, so that none is looked for."""


def _series(way: Callable[[int, Random], np.ndarray], seed: int) -> list[HiddenStates]:
    random = np.random.default_rng(seed)
    start = random.normal(size=SHAPE)
    return [_checkpoint((start + each).astype(np.float32)) for each in way(8 + seed % 5, random)]


def _checkpoint(states: np.ndarray) -> HiddenStates:
    """``(DEPTHS, WORDS, WIDTH)``, of the same words as all."""
    return replace(LIKE_ALL, states=tuple(states), digest=hashlib.sha256(states.tobytes()).hexdigest())


def _found(series: Sequence[HiddenStates]) -> tuple[Fault, ...]:
    return faults([drift(series)], [(each.digest,) for each in series])


def _pair(n: int, seed: int) -> tuple[int, int]:
    one, other = sorted(np.random.default_rng([seed, 1]).choice(n, 2, replace=False))
    return int(one), int(other)


@pytest.mark.repeats
@pytest.mark.parametrize("way", WAYS | HARDLY_TOLD)
def test_a_series_that_is_in_order_has_no_fault(way: str) -> None:
    assert [_found(_series((WAYS | HARDLY_TOLD)[way], seed)) for seed in range(N_SERIES)] == [()] * N_SERIES


@pytest.mark.repeats
@pytest.mark.parametrize("way", WAYS)
def test_massive_values_that_come_move_and_go_make_no_fault(way: str) -> None:
    """One dimension would otherwise be most of every distance."""
    for seed in range(N_SERIES):
        n, random = 8 + seed % 5, np.random.default_rng([seed, 2])
        wide = np.concatenate([random.normal(size=SHAPE) + WAYS[way](n, random) for _ in range(8)], axis=-1)
        massive = []
        for index, states in enumerate(wide.astype(np.float32)):
            if 2 <= index < n - 1:
                depth = 1 if index < 5 else 2
                states[depth:, :, int(index > 3)] += random.uniform(3e3, 3e4)
            massive.append(_checkpoint(states))
        assert _found(massive) == (), seed


@pytest.mark.repeats
@pytest.mark.parametrize("way", WAYS)
def test_exchanged_checkpoints_are_found(way: str) -> None:
    missed = []
    for seed in range(N_SERIES):
        series = _series(WAYS[way], seed)
        one, other = _pair(len(series), seed)
        series[one], series[other] = series[other], series[one]
        missed += [seed] if _found(series) != (Fault(kind="exchanged", checkpoints=(one, other)),) else []
    assert len(missed) <= N_SERIES // 50, missed


@pytest.mark.repeats
def test_checkpoints_that_differ_by_chance_have_no_order_to_be_exchanged_in() -> None:
    """In ten dimensions only, as where little changes any more: some order is then always shorter."""
    n_told = 0
    for seed in range(N_SERIES):
        random = np.random.default_rng(seed)
        directions = np.linalg.qr(random.normal(size=(DEPTHS * WORDS * WIDTH, 10)))[0]
        start = random.normal(size=SHAPE)
        states = start + (random.normal(size=(10, 10)) @ directions.T).reshape(10, *SHAPE)
        n_told += _found([_checkpoint(each.astype(np.float32)) for each in states]) != ()
    assert n_told <= N_SERIES // 20


@pytest.mark.parametrize(
    "way", [(0, 0.3, 0.6, 1, 0.6, 0.3, 0.15), (0, 0.4, 0.8, 1, 0.7, 0.35, 0.1), (0, 0.5, 1, 0.6, 0.1)]
)
def test_a_training_that_returns_to_where_it_began_has_nothing_exchanged(way: tuple[float, ...]) -> None:
    """With two of them exchanged the way is shorter, but its steps aren't steadier."""
    told = []
    for seed in range(20):
        random = np.random.default_rng([seed, 3])
        start, step = random.normal(size=(2, *SHAPE))
        states = [start + share * step + 0.02 * random.normal(size=SHAPE) for share in way]
        told += [seed] if _found([_checkpoint(each.astype(np.float32)) for each in states]) else []
    assert told == []


@pytest.mark.parametrize("progress", [0.2, 0.3])
@pytest.mark.parametrize("n", [6, 9])
def test_a_training_that_begins_again_and_again_has_nothing_exchanged(n: int, progress: float) -> None:
    """As with learning rates that restart: to go a part backwards would be a shorter way."""
    told = []
    for seed in range(20):
        random = np.random.default_rng([seed, 4])
        start, there, on = random.normal(size=(3, *SHAPE))
        states = [start + index % 3 / 3 * there + progress * (index // 3) * on for index in range(n)]
        told += [seed] if _found([_checkpoint(each.astype(np.float32)) for each in states]) else []
    assert told == []


@pytest.mark.repeats
@pytest.mark.parametrize("way", WAYS | HARDLY_TOLD)
def test_duplicates_are_found_and_nothing_else(way: str) -> None:
    for seed in range(N_SERIES):
        series = _series((WAYS | HARDLY_TOLD)[way], seed)
        one, other = _pair(len(series), seed)
        series[one] = series[other]
        assert _found(series) == (Fault(kind="same", checkpoints=(one, other)),), seed


def test_duplicates_and_an_exchange_are_told_beside_each_other() -> None:
    series = _series(WAYS["steady"], 3)
    series[0] = series[4] = series[-1]
    series[2], series[6] = series[6], series[2]
    same = Fault(kind="same", checkpoints=(0, 4, len(series) - 1))
    assert _found(series) == (same, Fault(kind="exchanged", checkpoints=(2, 6)))


def test_states_must_be_the_same_in_every_context() -> None:
    series = _series(WAYS["steady"], 0)
    digests = [(each.digest, str(index)) for index, each in enumerate([*series[:-1], series[0]])]
    assert [each.kind for each in faults([], digests)] == []
    assert faults([], [(first, "") for first, _ in digests]) == (Fault(kind="same", checkpoints=(0, len(series) - 1)),)


def test_of_few_checkpoints_no_order_is_told() -> None:
    series = _series(WAYS["steady"], 0)
    three = [series[0], series[-1], series[1]]
    assert exchanged(drift(three).distance) == (1, 2)
    assert _found(three) == ()


def test_other_widths_are_no_fault() -> None:
    series = _series(WAYS["steady"], 0)
    other = hidden_states(gaussian(DEPTHS, WORDS, WIDTH + 1))
    assert np.isnan(drift([*series, other]).distance).all()
    assert _found([*series, other]) == ()


def test_distances_are_zero_only_between_the_same_states() -> None:
    one, other = _series(WAYS["steady"], 0)[:2]
    found = drift([one, other, one]).distance
    assert found[0, 2] == pytest.approx(0, abs=1e-7)
    assert found[0, 1] == found[1, 2] > 0.01
    nothing = hidden_states([np.zeros((WORDS, WIDTH), dtype=np.float32)] * DEPTHS)
    assert np.isfinite(drift([one, nothing]).distance).all()
    twice = [2 * np.asarray(state) for state in one.states]
    # ‖A − 2A‖ / √(‖A‖·‖2A‖), whatever each dimension is divided by
    assert drift([one, hidden_states(twice)]).distance[0, 1] == pytest.approx(1 / np.sqrt(2))


# --- common axes ---------------------------------------------------------------------------------------------------

NAMES = ("standardized", "centered", "unit_norm")


@pytest.mark.slow  # loads scikit-learn
@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_where_a_report_has_it(name: str) -> None:
    states = hidden_states(gaussian(4, 30, 16))
    usual = pca.project(states.states, states.tokenization.reference, name)
    # The same states, as another record: nothing may go by which object it is.
    for found in (step_axes(states, states, name), step_axes(replace(states), states, name)):
        np.testing.assert_allclose(found.reference.coordinates, usual.coordinates, atol=1e-12)
        np.testing.assert_allclose(found.own.coordinates, usual.coordinates, atol=1e-12)
        for each in (found.reference, found.own):
            np.testing.assert_allclose(each.explained_variance_ratio, usual.explained_variance_ratio)
        np.testing.assert_allclose(found.residual, 0, atol=1e-12)
        assert (found.reference.name, found.own.name) == ("reference", "own")


def _flat(first: float, second: float, turn: float = 0.0) -> HiddenStates:
    """Words spread in one plane and little beyond: by ``first`` and ``second`` in it, then turned in it by an angle."""
    random = np.random.default_rng(4)
    plane, _ = np.linalg.qr(random.normal(size=(16, 16)))
    spread = random.normal(size=(40, 2))
    spread -= spread.mean(axis=0)
    spread = np.linalg.svd(spread, full_matrices=False)[0] * [first, second]
    turned = spread @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return hidden_states([(turned @ plane[:2]).astype(np.float32)] * 2)


def test_a_turn_within_the_plane_leaves_no_residual_and_shows_on_the_references_axes() -> None:
    reference, turned = _flat(9, 5), _flat(9, 5, np.pi / 2)
    aim = pca.project(reference.states, reference.tokenization.reference, "centered").coordinates
    found = step_axes(turned, reference, "centered")
    np.testing.assert_allclose(found.residual, 0, atol=1e-10)
    np.testing.assert_allclose(found.own.coordinates, aim, atol=1e-5)
    across = [np.corrcoef(found.reference.coordinates[0, :, axis], aim[0, :, 1 - axis])[0, 1] ** 2 for axis in (0, 1)]
    assert across == pytest.approx([1, 1])


def test_components_that_change_places_are_turned_back_within_their_plane() -> None:
    reference, other = _flat(6, 5), _flat(5, 6)
    aim = pca.project(reference.states, reference.tokenization.reference, "centered").coordinates
    unturned = pca.project(other.states, other.tokenization.reference, "centered").coordinates
    found = step_axes(other, reference, "centered")
    own = found.own.coordinates
    assert abs(np.corrcoef(unturned[0, :, 0], aim[0, :, 0])[0, 1]) < 0.1
    assert np.corrcoef(own[0, :, 0], aim[0, :, 0])[0, 1] > 0.99
    # Nothing but turned: all distances are those of the checkpoint itself.
    np.testing.assert_allclose(_distances(own[0]), _distances(unturned[0]), atol=1e-9)
    shares = found.own.explained_variance_ratio[0]
    assert shares.sum() == pytest.approx(1)
    assert shares[0] < shares[1]


def test_a_depth_without_a_plot_has_none_on_any_axes() -> None:
    states = gaussian(3, 30, 16)
    flat = [states[0], np.ones_like(states[1]), states[2]]
    for own, reference in ((flat, states), (states, flat)):
        found = step_axes(hidden_states(own), hidden_states(reference), "centered")
        assert np.isnan(found.residual).tolist() == [False, True, False]
        assert [each and each.kind for each in found.reference.problems] == [None, "equal_states", None]
        assert np.isnan(found.reference.coordinates[1]).all()


def test_too_few_words_have_no_axes() -> None:
    two = hidden_states(gaussian(2, 2, 16))
    found = step_axes(two, two, "centered")
    assert np.isnan(found.residual).all()
    assert {each.kind for each in found.reference.problems if each} == {"few_words"}


def test_another_width_has_its_own_axes_only() -> None:
    found = step_axes(hidden_states(gaussian(2, 30, 8)), hidden_states(gaussian(2, 30, 16)), "centered")
    assert {each.kind for each in found.reference.problems if each} == {"other_width"}
    assert np.isfinite(found.own.coordinates).all()


# --- noise stays at chance -----------------------------------------------------------------------------------------


def _distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=2))


def _purity(points: np.ndarray, labels: np.ndarray) -> float:
    near = np.argsort(_distances(points) + np.diag(np.full(len(points), np.inf)), axis=1)[:, :5]
    return float((labels[near] == labels[:, None]).mean())


@pytest.mark.repeats
def test_noise_stays_at_chance_on_the_axes_of_a_reference_with_categories() -> None:
    labels = np.repeat(np.arange(4), 15)
    chance = 14 / 59
    found: dict[str, list[float]] = {"reference": [], "own": [], "turned in all dimensions": []}
    for seed in range(times(12)):
        random = np.random.default_rng(seed)
        reference = random.normal(size=(60, 64)) + 3 * random.normal(size=(4, 64))[labels]
        noise = random.normal(size=(60, 64))
        axes = step_axes(
            hidden_states([noise.astype(np.float32)]), hidden_states([reference.astype(np.float32)]), "centered"
        )
        found["reference"].append(_purity(axes.reference.coordinates[0], labels))
        found["own"].append(_purity(axes.own.coordinates[0], labels))
        # What is never done, so that it is seen what would come of it.
        left, _, right = np.linalg.svd((noise - noise.mean(0)).T @ (reference - reference.mean(0)))
        basis = pca.fit(reference, standardize=False)
        found["turned in all dimensions"].append(_purity(basis.project(noise @ left @ right), labels))
    assert np.mean(found["reference"]) == pytest.approx(chance, abs=0.02)
    assert np.mean(found["own"]) == pytest.approx(chance, abs=0.02)
    assert np.mean(found["turned in all dimensions"]) > 2 * chance
