"""The break of the sample report's decoder: who writes it, and what is without them (figures worked out independently)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import smollm2

from tokviz.measure import pca
from tokviz.measure.geometry import measure
from tokviz.records import HiddenStates, Loss, SublayerUpdate, Updates
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.kinds.losses import LossText
from tokviz.run.plan.tree import ContextPlan

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.thorough]

LAYER, NEURONS = smollm2.BREAKING.layer, smollm2.BREAKING.neurons


@pytest.fixture(scope="module")
def planned(smollm2_cache: Path) -> ContextPlan:
    """The words alone, with all that follows from them."""
    context = smollm2.planned_by_hand(smollm2_cache).models[0].contexts[0]
    assert context.all_due is None
    return context


@pytest.fixture(scope="module")
def intact(planned: ContextPlan) -> HiddenStates:
    assert planned.captured is not None
    return planned.captured.states


@pytest.fixture(scope="module")
def updates(intact: HiddenStates) -> Updates:
    assert intact.updates is not None
    return intact.updates


def mlp_of(updates: Updates, layer: int) -> SublayerUpdate:
    return updates.layers[layer].sublayers[1]


def shares(updates: Updates, layer: int) -> dict[int, float]:
    """The neurons' shares of what an MLP adds to dimension 507."""
    mlp = mlp_of(updates, layer)
    assert mlp.neurons is not None
    place = updates.layers[layer].dimensions.index(507)
    values = np.array(mlp.neurons.contributions[place]) / mlp.parts[place]
    return dict(zip(mlp.neurons.indices[place], values.tolist(), strict=True))


def test_the_marked_layers(updates: Updates) -> None:
    assert [index for index, each in enumerate(updates.layers) if each.marked] == [1, 2, 9, 10, 11, 28, 29]
    assert max(each.sum_error for each in updates.layers) < 1e-4


def test_what_attention_and_the_mlp_add(updates: Updates) -> None:
    attention, mlp = updates.layers[LAYER].sublayers
    assert (attention.kind, mlp.kind) == ("attention", "mlp")
    assert attention.norm == pytest.approx(62, abs=0.5)
    assert mlp.norm == pytest.approx(24_583, rel=1e-3)
    assert updates.layers[LAYER].stream_norm == pytest.approx(156, abs=0.5)
    assert mlp.parts[0] == pytest.approx(24_407, rel=1e-3)


def test_two_of_1536_neurons_write_the_break(updates: Updates) -> None:
    breaking = updates.breaking
    assert breaking is not None
    assert (breaking.layer, breaking.dimension, breaking.neurons) == (LAYER, 507, NEURONS)
    found = shares(updates, LAYER)
    assert (found[1229], found[1487]) == pytest.approx((0.73, 0.27), abs=0.005)
    assert breaking.activations == pytest.approx((3028, 1079), rel=1e-3)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(1, {83: 0.64}), (2, {90: 0.65, 430: 0.34}), (9, {200: 0.82}), (28, {678: 0.96})],
)
def test_the_moderately_large_values_and_what_takes_the_values_back(
    updates: Updates, layer: int, expected: dict[int, float]
) -> None:
    found = shares(updates, layer)
    for neuron, share in expected.items():
        assert found[neuron] == pytest.approx(share, abs=0.006)


def measured(states: HiddenStates) -> tuple[float, float, float, float]:
    """Mean norm and PC1's share (centered) after the layer; purity there and after the last."""
    depths = [LAYER + 1, states.n_depths - 1]
    states = dataclasses.replace(
        states,
        module_paths=tuple(states.module_paths[depth] for depth in depths),
        states=[states.states[depth] for depth in depths],
        position0_values=states.position0_values[depths],
        position0_dimensions=states.position0_dimensions[depths],
    )
    geometry = measure(states, [], smollm2.words().memberships, None)
    centered = pca.project(states.states, states.tokenization.reference, "centered")
    return (
        float(geometry.spread.mean_norm[0]),
        float(centered.explained_variance_ratio[0, 0]),
        float(geometry.purity.value[0]),
        float(geometry.purity.value[1]),
    )


def changed(planned: ContextPlan, rule: str) -> HiddenStates:
    (found,) = (each.states for each in planned.of(Interventions) if each.what.rule == rule)
    assert found is not None
    return found


def test_without_them_the_break_is_gone(planned: ContextPlan, intact: HiddenStates) -> None:
    norm, pc1, there, last = measured(intact)
    assert norm == pytest.approx(24_621, rel=0.01)
    assert pc1 == pytest.approx(0.997, abs=5e-4)
    assert (there, last) == pytest.approx((0.67, 0.66), abs=0.005)
    zero_norm, zero_pc1, zero_there, zero_last = measured(changed(planned, "off"))
    assert zero_norm == pytest.approx(236, rel=0.01)
    assert zero_pc1 == pytest.approx(0.188, abs=5e-4)
    assert (zero_there, zero_last) == pytest.approx((0.85, 0.78), abs=0.005)
    mean_norm, mean_pc1, mean_there, mean_last = measured(changed(planned, "mean"))
    assert mean_norm == pytest.approx(24_621, rel=0.01)
    assert mean_pc1 == pytest.approx(0.188, abs=5e-4)
    assert (mean_there, mean_last) == pytest.approx((0.85, 0.82), abs=0.005)
    control = measured(changed(planned, "control"))
    assert control[0] == pytest.approx(norm, rel=1e-3)
    assert control[1] == pytest.approx(pc1, abs=1e-3)
    assert (control[2], control[3]) == pytest.approx((there, last), abs=0.02)


def test_the_control_is_the_next_two_and_far_from_as_large(updates: Updates) -> None:
    breaking = updates.breaking
    assert breaking is not None
    assert sorted(breaking.control) == [88, 926]
    assert max(breaking.control_strengths) < min(breaking.strengths) / 100
    contributions = shares(updates, LAYER)
    assert all(abs(contributions.get(neuron, 0)) < 0.01 for neuron in breaking.control)


def test_pairs_drawn_at_random_change_next_to_nothing(
    planned: ContextPlan, updates: Updates, intact: HiddenStates
) -> None:
    random = updates.random
    assert random is not None
    assert random.n_draws == 20
    assert random.norm_change < 1e-3
    assert random.pc1_change < 1e-3
    # To the last layer, one of them: what the report says of all is measured in the layer alone.
    norm, pc1, there, last = measured(intact)
    pair = planned.of(Interventions)[-2].states
    assert pair is not None
    found = measured(pair)
    assert found[0] == pytest.approx(norm, rel=1e-3)
    assert found[1] == pytest.approx(pc1, abs=1e-3)
    assert found[2:] == pytest.approx((there, last), abs=0.02)


def test_a_mean_asked_for_by_hand_is_that_of_the_break(planned: ContextPlan) -> None:
    by_hand = planned.of(Interventions)[-1].states
    assert by_hand is not None
    for own, of_break in zip(by_hand.states, changed(planned, "mean").states, strict=True):
        np.testing.assert_allclose(own, of_break, rtol=1e-3, atol=1e-2 * np.abs(of_break).max())


def test_attention_to_position_0_follows_the_massive_values_and_becomes_weaker_without_them(
    planned: ContextPlan, smollm2_states: dict[str, HiddenStates]
) -> None:
    (off,), (sentence,) = changed(planned, "off").attention, smollm2_states["sentence"].attention
    assert off.template == sentence.template == "The word is {word}"
    assert off.mean[:12] == pytest.approx(sentence.mean[:12], abs=1e-6)
    assert off.mean[12] == pytest.approx(0.64, abs=0.03)
    assert 0.07 < min(off.mean[16:]) <= max(off.mean[16:]) < 0.52


def test_the_mean_and_the_control_leave_predictions_as_they_are_and_zero_does_not(smollm2_cache: Path) -> None:
    """Passages of another text gave: intact 4.26 nats, mean −0.0015, control −0.0008, zero +1.0; transformers itself, these."""
    plan = smollm2.planned(smollm2_cache)
    context = plan.models[0].contexts[0]
    assert context.of(LossText)
    loss = plan.store.find(context.of(LossText)[0].key, Loss)
    assert loss is not None
    changes = {each.rule: each for each in loss.changes}
    assert loss.n_passages == smollm2.N_PASSAGES
    assert loss.intact == pytest.approx(3.892, abs=0.01)
    for change in (changes["mean"], changes["control"], changes["random"]):
        assert abs(change.difference) <= 0.02
        assert change.standard_error < 0.002
    for change in (changes["off"], changes["off_at_0"]):
        assert change.neurons == NEURONS
        assert change.difference >= 0.5
        assert 0 < change.standard_error < 0.3
    assert changes["off"].difference == pytest.approx(1.218, abs=0.02)
