"""Layers of other weights are made to add as much as those of a model."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from families import SIZES
from planting import PLANTED, tiny, words
from torch import nn

from tokviz.capture import (
    PaddedWords,
    Structure,
    capture,
    find_structure,
    gains_to,
    layers_scaled,
    update_norms,
)
from tokviz.errors import CaptureError

WORDS = words(n_before=0)
KINDS: dict[str, Callable[[int], nn.Module]] = {
    **{kind: make for kind, (make, _) in PLANTED.items()},
    "one block": lambda seed: tiny("Albert", seed, **SIZES),
}


def batch() -> PaddedWords:
    return PaddedWords.of(WORDS, np.flatnonzero([len(each.ids) == 1 for each in WORDS.words]))


def states_of(module: nn.Module, structure: Structure) -> list[np.ndarray]:
    """Per depth, rows in the words' order."""
    batches = list(capture(module, structure, WORDS, token_budget=4096))
    order = np.argsort(np.concatenate([each.rows for each in batches]))
    return [np.concatenate(each)[order] for each in zip(*(each.states for each in batches), strict=True)]


def found(module: nn.Module) -> Structure:
    return find_structure(module, "model")


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_another_scale_add_as_much_and_the_model_is_as_it_was(kind: str) -> None:
    model, other = KINDS[kind](0), KINDS[kind](1)
    structure = found(other)
    with torch.no_grad():
        for block in dict.fromkeys(structure.layers):
            for weight in block.parameters():
                weight.mul_(3)
    norms = update_norms(model, found(model), batch())
    assert norms.shape == (structure.n_layers,)
    before = states_of(other, structure)
    gains = gains_to(other, structure, batch(), norms)
    assert not np.allclose(gains, 1, rtol=0.1)
    with layers_scaled(structure, gains):
        np.testing.assert_allclose(update_norms(other, structure, batch()), norms, rtol=1e-4)
        scaled = states_of(other, structure)
    np.testing.assert_array_equal(scaled[0], before[0])
    for layer in range(1, structure.n_layers):  # to the first, positions may have been added
        added = np.linalg.norm((scaled[layer + 1] - scaled[layer])[batch().rows], axis=1)
        assert np.median(added) == pytest.approx(norms[layer], rel=1e-3)
    for one, again in zip(before, states_of(other, structure), strict=True):
        np.testing.assert_array_equal(one, again)


def test_norms_of_a_model_are_those_of_its_states() -> None:
    model = KINDS["pre-norm"](0)
    states = states_of(model, found(model))
    rows = batch().rows
    of_states = [np.median(np.linalg.norm((b - a)[rows], axis=1)) for a, b in itertools.pairwise(states)]
    np.testing.assert_allclose(update_norms(model, found(model), batch()), of_states, rtol=1e-5)


def test_a_layer_that_adds_nothing_and_one_that_is_given_no_states_are_refused() -> None:
    model = tiny("Llama", 0, **SIZES)
    structure = found(model)
    with torch.no_grad():
        for weight in structure.layers[1].parameters():
            weight.zero_()
    with pytest.raises(CaptureError, match=r"model.layers.1.* expected a layer that adds something, got 0.0"):
        gains_to(model, structure, batch(), np.ones(structure.n_layers))
    odd = replace(structure, layers=(structure.embedding,), module_paths=structure.module_paths[:2])
    with pytest.raises(CaptureError, match="expected a layer that adds to the states it is given"):
        update_norms(model, odd, batch())
