"""Neurons are switched off while a model runs, and only then."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planting import LAYER, PLANTED, words
from torch import nn
from updating import measured, neurons_of

from tokviz.capture import capture, find_structure, neurons_set


def states_of(module: nn.Module) -> list[np.ndarray]:
    """Per depth, rows in the words' order."""
    batches = list(capture(module, find_structure(module, "model"), words(n_before=0), token_budget=4096))
    order = np.argsort(np.concatenate([batch.rows for batch in batches]))
    return [np.concatenate(each)[order] for each in zip(*(batch.states for batch in batches), strict=True)]


def matrix_of(module: nn.Module, path: str) -> nn.Module:
    return module.get_submodule(path.removeprefix("model."))


@pytest.mark.parametrize("kind", PLANTED)
def test_without_the_planted_neurons_the_values_are_gone_and_the_model_is_as_it_was(kind: str) -> None:
    make, plant = PLANTED[kind]
    module = make(0)
    plant(module, [3, 5], 7, [700.0, 250.0])
    updates, _, _ = measured(module, words(n_before=0))
    found = neurons_of(updates, LAYER)
    before = states_of(module)
    with neurons_set(matrix_of(module, found.path), (3, 5)):
        without = states_of(module)
    after = states_of(module)
    for depth in range(len(before)):
        np.testing.assert_array_equal(before[depth], after[depth])
        if depth <= LAYER:
            np.testing.assert_array_equal(before[depth], without[depth])
    # Behind a norm what is left is made as large as it was.
    if kind != "post-norm scale":
        assert np.abs(without[LAYER + 1]).max() < 0.01 * np.abs(before[LAYER + 1]).max()
    with neurons_set(matrix_of(module, found.path), (20, 21)):
        others = states_of(module)
    np.testing.assert_allclose(
        others[LAYER + 1], before[LAYER + 1], rtol=1e-2, atol=np.abs(before[LAYER + 1]).max() * 1e-3
    )


def test_set_to_their_mean_at_position_0_they_write_the_same_for_every_word_there_and_are_left_alone_elsewhere() -> (
    None
):
    make, plant = PLANTED["pre-norm"]
    module = make(0)
    plant(module, [3, 5], 7, [700.0, 250.0])
    path = neurons_of(measured(module, words(n_before=0))[0], LAYER).path
    seen: list[torch.Tensor] = []
    matrix = matrix_of(module, path)
    with neurons_set(matrix, (3, 5), at_position_0=(8.0, 9.0)):
        handle = matrix.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
        module(input_ids=torch.tensor([[10, 11, 12]]))
        handle.remove()
    with torch.inference_mode():
        untouched: list[torch.Tensor] = []
        handle = matrix.register_forward_pre_hook(lambda _, arguments: untouched.append(arguments[0]))
        module(input_ids=torch.tensor([[10, 11, 12]]))
        handle.remove()
    assert seen[0][0, 0, [3, 5]].tolist() == [8.0, 9.0]
    torch.testing.assert_close(seen[0][0, 1:], untouched[0][0, 1:])
