"""Two models' words on the same axes: equal states lie at equal places, what moves all words moves none, and shares are each model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from making import gaussian, hidden_states

from tokviz.measure import common_axes
from tokviz.measure.common_axes import MOST_BETWEEN, changed
from tokviz.measure.similarity import LayerComparer, shared_rows
from tokviz.records import HiddenStates

N_WORDS, WIDTH, N_DEPTHS = 24, 6, 4
STATES = gaussian(N_DEPTHS, N_WORDS, WIDTH)


def capture(states: Sequence[np.ndarray] = STATES, last: int = 1) -> HiddenStates:
    """``last``: where the last word is read; others at 1."""
    return hidden_states(states, positions=[*[1] * (len(states[0]) - 1), last])


def moved(size: float, seed: int = 1) -> list[np.ndarray]:
    return [state + size * other for state, other in zip(STATES, gaussian(N_DEPTHS, N_WORDS, WIDTH, seed), strict=True)]


def test_equal_states_lie_at_equal_places() -> None:
    found = changed([capture()], [capture([each.copy() for each in STATES])])
    assert found.is_same.all()
    assert not found.is_centered.any()
    np.testing.assert_array_equal(found.before.coordinates, found.after.coordinates)
    assert np.isfinite(found.before.coordinates).all()


def test_states_are_the_same_where_they_are_in_all_templates() -> None:
    other = [STATES[0], *moved(0.1)[1:2], *STATES[2:]]
    assert changed([capture()], [capture(other)]).is_same.tolist() == [True, False, True, True]
    found = changed([capture(), capture(moved(1))], [capture(), capture(moved(1)[:3] + STATES[3:])])
    assert found.is_same.tolist() == [True, True, True, False]
    assert not changed([capture(), capture()], [capture()]).is_same.any()


def test_what_moves_all_words_alike_moves_none() -> None:
    shift = 50 * np.random.default_rng(2).normal(size=WIDTH).astype(np.float32)
    found = changed([capture()], [capture([STATES[0], *(state + shift for state in STATES[1:])])])
    assert found.is_centered.tolist() == [False, True, True, True]
    assert not found.is_same[1:].any()
    np.testing.assert_allclose(found.before.coordinates, found.after.coordinates, atol=1e-3)


@pytest.mark.parametrize("shift", [0.0, 0.3, 3.0])
def test_coordinates_keep_distances_and_shares_are_of_each_model_s_own_variance(shift: float) -> None:
    """By the eigenvectors of the covariance of both models' words together, at mean 0 and variance 1."""
    after = [state + np.float32(shift) for state in moved(0.5)]
    found = changed([capture()], [capture(after)])
    for depth in range(N_DEPTHS):
        sides = np.stack([STATES[depth], after[depth]]).astype(np.float64)
        scaled, vectors = _axes(sides)
        along = scaled @ vectors
        between = along[..., 0].mean(axis=1).var() / along[..., 0].var()
        assert found.is_centered[depth] == (between > MOST_BETWEEN)
        if found.is_centered[depth]:
            scaled, vectors = _axes(sides - sides.mean(axis=1, keepdims=True))
            along = scaled @ vectors
        for own, coordinates, side in zip(along, (found.before, found.after), range(2), strict=True):
            np.testing.assert_allclose(np.abs(coordinates.coordinates[depth]), np.abs(own), atol=1e-5)
            total = np.trace(np.cov(scaled[side].T, bias=True))
            np.testing.assert_allclose(coordinates.explained_variance_ratio[depth], own.var(axis=0) / total, rtol=1e-5)


def _axes(sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(2, n_words, width)`` standardized together, and the two eigenvectors of the largest eigenvalues."""
    both = np.concatenate(sides)
    scaled = (sides - both.mean(axis=0)) / both.std(axis=0)
    return scaled, np.linalg.eigh(np.cov(np.concatenate(scaled).T))[1][:, :-3:-1]


def test_axes_point_as_at_the_depth_before() -> None:
    """Even where a depth is the one before turned over; both models have the same axes."""
    states = [STATES[0] * (-1) ** depth for depth in range(N_DEPTHS)]
    found = changed([capture(states)], [capture([each * np.float32(1.01) for each in states])])
    for side in (found.before, found.after):
        for depth in range(1, N_DEPTHS):
            here, before = side.coordinates[depth], side.coordinates[depth - 1]
            assert ((here * before).sum(axis=0) > 0).all()


def test_a_word_that_is_read_elsewhere_is_shown_but_nothing_is_fitted_to_it() -> None:
    far = [np.concatenate([state[:-1], 1000 + 0 * state[-1:]]) for state in STATES]
    nearer = [np.concatenate([state[:-1], 900 + 0 * state[-1:]]) for state in moved(0.2)]
    found = changed([capture(far, last=3)], [capture(nearer, last=3)])
    rest = changed([capture([state[:-1] for state in far])], [capture([state[:-1] for state in nearer])])
    for side, of_rest in ((found.before, rest.before), (found.after, rest.after)):
        assert side.reference.tolist() == [True] * (N_WORDS - 1) + [False]
        np.testing.assert_allclose(side.coordinates[:, :-1], of_rest.coordinates, atol=1e-9)
        np.testing.assert_allclose(side.explained_variance_ratio, of_rest.explained_variance_ratio)
        assert (np.abs(side.coordinates[:, -1]).max(axis=1) > 50).all()


def test_a_depth_at_which_a_model_s_words_are_all_alike_has_no_plot() -> None:
    alike = [*STATES[:2], np.ones_like(STATES[2]), STATES[3]]
    found = changed([capture()], [capture(alike)])
    for side in (found.before, found.after):
        assert [problem and problem.kind for problem in side.problems] == [None, None, "equal_states", None]
        assert np.isnan(side.coordinates[2]).all()
        assert np.isnan(side.explained_variance_ratio[2]).all()
        assert np.isfinite(side.coordinates[[0, 1, 3]]).all()


def test_layers_are_as_alike_as_where_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = capture(last=3), capture(moved(0.5), last=3)
    rows = shared_rows(before, after)
    for most in (200, 20):
        monkeypatch.setattr("tokviz.measure.similarity.MAX_COMPARED", most)
        every = LayerComparer().compare(before, after, rows, [()] * N_WORDS)
        found = changed([before], [after])
        np.testing.assert_allclose(found.cka, np.diag(every.cka), atol=1e-12)
        np.testing.assert_allclose(found.neighbours, np.diag(every.neighbours), atol=1e-6)
        assert ((found.neighbours > 0) & (found.neighbours < 1)).all()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(capture(STATES[:-1]), id="layers"),
        pytest.param(capture(gaussian(N_DEPTHS, N_WORDS, WIDTH + 1)), id="dimensions"),
        pytest.param(capture(gaussian(N_DEPTHS, N_WORDS - 1, WIDTH)), id="fewer words"),
        pytest.param(
            replace(
                capture(),
                tokenization=replace(capture().tokenization, words=capture().tokenization.words[::-1]),
            ),
            id="another order",
        ),
    ],
)  # fmt: skip
def test_models_of_other_forms_are_refused(other: HiddenStates) -> None:
    for sides in (([capture()], [other]), ([other], [capture()]), ([capture()] * 2, [capture(), other])):
        with pytest.raises(ValueError, match="of one form"):
            changed(*sides)


def test_of_long_lists_some_words_are_asked_whether_they_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_axes, "MOST_MOVING", 20)
    before, after = [capture()], [capture(moved(0.5))]
    found = changed(before, after)
    assert len(found.rows) == len(found.moved.lost[0]) == 20
    assert found.rows[[0, -1]].tolist() == [0, N_WORDS - 1]
    asked = np.isin(np.arange(N_WORDS), found.rows)
    assert ((found.lost >= 0).all(axis=0) == asked).all()
    monkeypatch.undo()
    assert changed(before, after).rows.tolist() == [*range(N_WORDS)]
