"""What the heads add is what attention adds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planting import LAYER, PLANTED, words
from torch import nn
from updating import DIMENSIONS, in_memory, measured_everywhere

from tokviz.capture import Changes, find_structure, find_sublayers, measure_updates
from tokviz.capture.heads import n_heads_of
from tokviz.capture.sublayers import weight_of


def with_biases_and_scales(module: nn.Module) -> nn.Module:
    """In a model with random weights biases are zero, and norms scale by one."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) / 2)
    return module


@pytest.mark.parametrize(
    "name", ["Arcee", "Falcon", "Gemma2", "GPTBigCode", "GPTNeo", "Lfm2", "Mpt", "Olmo2", "Starcoder2", "StableLm"]
)
def test_heads_and_bias_sum_to_what_attention_adds(name: str) -> None:
    module = with_biases_and_scales(in_memory(name))
    updates, sublayers = measured_everywhere(module, words())
    for layer, writers in zip(updates.layers, sublayers.writers, strict=True):
        (found,) = [
            (each, writer) for each, writer in zip(layer.sublayers, writers, strict=True) if each.heads is not None
        ]
        attention, writer = found
        assert attention.heads is not None
        assert writer.matrix is not None
        assert attention.kind == "attention"
        assert (attention.heads.n_heads, len(attention.heads.contributions[0])) == (4, 4)
        assert attention.heads.path == next(path for path, each in module.named_modules() if each is writer.matrix)
        bias = getattr(writer.matrix, "bias", None)
        added = np.zeros(3) if bias is None else bias.detach().numpy()[list(DIMENSIONS)]
        sums = np.sum(attention.heads.contributions, axis=1) + added
        np.testing.assert_allclose(sums, attention.parts, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["Qwen2", "Gemma2"])
def test_a_head_whose_slice_is_zero_adds_nothing_and_the_others_what_they_did(name: str) -> None:
    module = in_memory(name)
    before, sublayers = measured_everywhere(module, words())
    writer = sublayers.writers[0][0]
    assert writer.matrix is not None
    with torch.no_grad():
        weight_of(writer.matrix)[:, 8:16] = 0
    after, _ = measured_everywhere(module, words())
    had, have = before.layers[0].sublayers[0].heads, after.layers[0].sublayers[0].heads
    assert had is not None
    assert have is not None
    assert all(abs(each[1]) > 1e-4 for each in had.contributions)
    assert all(each[1] == 0 for each in have.contributions)
    if writer.norm is None:
        others = [0, 2, 3]
        np.testing.assert_allclose(
            np.array(have.contributions)[:, others], np.array(had.contributions)[:, others], rtol=1e-4
        )


def test_only_marked_layers_tell_their_heads() -> None:
    make, plant = PLANTED["pre-norm"]
    module = make(0)
    plant(module, [3, 5], 7, [700.0, 250.0])
    structure = find_structure(module, "")
    sublayers = find_sublayers(module, structure)
    marked = tuple(layer == LAYER for layer in range(structure.n_layers))
    changes = Changes(dimensions=(DIMENSIONS,) * structure.n_layers, marked=marked)
    rows = [np.flatnonzero(words().reference)]
    updates = measure_updates(module, structure, sublayers, words(), changes, rows)
    told = [any(each.heads is not None for each in layer.sublayers) for layer in updates.layers]
    assert told == list(marked)


class Attention(nn.Module):
    def __init__(self, **numbers: int) -> None:
        super().__init__()
        self.config = type("Config", (), {"num_attention_heads": 4})()
        for name, number in numbers.items():
            setattr(self, name, number)


@pytest.mark.parametrize(
    ("numbers", "n_inputs", "expected"),
    [
        ({"num_heads": 8}, 64, 8),
        ({"num_heads": 8, "head_dim": 8}, 64, 8),
        ({"num_heads": 8}, 60, None),
        ({"num_heads": 8, "head_dim": 16}, 64, None),
        ({"head_dim": 16}, 64, 4),
        ({"v_head_dim": 8, "head_dim": 16}, 32, 4),
        ({"head_dim": 8}, 64, None),
        ({}, 64, None),
        ({"num_v_heads": 2, "head_v_dim": 32}, 64, 2),
    ],
)
def test_the_number_of_heads_is_told_only_where_nothing_contradicts_it(
    numbers: dict[str, int], n_inputs: int, expected: int | None
) -> None:
    assert n_heads_of(Attention(**numbers), n_inputs) == expected
