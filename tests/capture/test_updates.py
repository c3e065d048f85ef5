"""Neurons that were planted are found; what a layer adds is the sum of what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
import transformers
from families import SIZES
from planting import LAYER, PLANTED, tiny, words
from torch import nn
from updating import measured, neurons_of

from tokviz.capture.sublayers import weight_of


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("seed", range(6))
def test_planted_neurons_are_found(kind: str, seed: int) -> None:
    make, plant = PLANTED[kind]
    module = make(seed)
    random = np.random.default_rng(seed)
    first, second = map(int, random.choice(64, 2, replace=False))
    dimension = int(random.integers(32))
    plant(module, [first, second], dimension, [700.0, 250.0])
    updates, _states, _ = measured(module, words())
    layer = updates.layers[LAYER]
    assert layer.marked
    assert layer.dimensions[0] == dimension
    found = neurons_of(updates, LAYER)
    assert found.indices[0][:2] == (first, second)
    assert min(found.activations[0][:2]) > 8  # what was planted, not what a norm makes of it
    attention, mlp = layer.sublayers
    assert (attention.kind, mlp.kind) == ("attention", "mlp")
    share = sum(found.contributions[0][:2]) / mlp.parts[0]
    assert share == pytest.approx(1, abs=0.02)
    assert found.contributions[0][0] / found.contributions[0][1] == pytest.approx(700 / 250, rel=0.05)


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_said_adds_up(kind: str) -> None:
    """What the sublayers add along a dimension is what the states change there; all neurons together are the MLP's part."""
    make, plant = PLANTED[kind]
    module = make(0)
    plant(module, [3, 5], 7, [700.0, 250.0])
    tokenization = words()
    updates, states, _structure = measured(module, tokenization)
    reference = tokenization.reference
    for index, layer in enumerate(updates.layers):
        change = (states[index + 1] - states[index])[reference].mean(axis=0)
        # GPT-2's first layer begins from the embedding with its position.
        if index or kind != "Conv1D":
            parts = np.sum([each.parts for each in layer.sublayers], axis=0)
            rounded = float(np.abs(states[index + 1]).max()) * 1e-6
            np.testing.assert_allclose(parts, change[list(layer.dimensions)], rtol=1e-4, atol=1e-5 + rounded)
            assert len(layer.sublayers) == 2
            norms = np.linalg.norm(states[index][reference], axis=1)
            assert layer.stream_norm == pytest.approx(float(norms.mean()), rel=1e-5)
    mlp = updates.layers[LAYER].sublayers[1]
    found = neurons_of(updates, LAYER)
    assert found.n_neurons == (128 if kind == "Conv1D" else 64)
    assert found.path == f"model.{'h.1.mlp.c_proj' if kind == 'Conv1D' else 'layers.1.mlp.down_proj'}"
    if kind != "Conv1D":  # which has a bias, and more neurons than are kept
        np.testing.assert_allclose([sum(each) for each in found.contributions], mlp.parts, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_marked_where_nothing_was_planted(kind: str, seed: int) -> None:
    make, _ = PLANTED[kind]
    updates, _, _ = measured(make(seed), words())
    assert not any(layer.marked for layer in updates.layers[1:] if kind != "post-norm scale")
    assert all(each.neurons is None for layer in updates.layers for each in layer.sublayers if not layer.marked)


def test_experts_are_not_told_apart() -> None:
    """The sum holds for a mixture of experts, whose neurons are in no one matrix."""
    updates, _, _ = measured(tiny("Mixtral", 0, **SIZES, num_local_experts=4), words())
    assert [[each.kind for each in layer.sublayers] for layer in updates.layers] == [["attention", "mlp"]] * 3
    assert all(each.neurons is None for layer in updates.layers for each in layer.sublayers)


def test_position_0_is_measured_beside_the_token_that_is_read() -> None:
    updates, _, _ = measured(tiny("Llama", 0, **SIZES), words(n_before=0))
    for layer in updates.layers:
        assert layer.stream_norm == layer.stream_norm_at_0
        assert all((each.norm, each.parts) == (each.norm_at_0, each.parts_at_0) for each in layer.sublayers)
    updates, _, _ = measured(tiny("Llama", 0, **SIZES), words(n_before=2))
    assert all(layer.stream_norm != layer.stream_norm_at_0 for layer in updates.layers)


def test_a_neuron_is_a_column_of_a_linear_map_and_a_row_of_conv1d() -> None:
    linear = nn.Linear(3, 2)
    assert weight_of(linear).shape == (2, 3)
    conv = transformers.pytorch_utils.Conv1D(2, 3)
    assert weight_of(conv).shape == (2, 3)
