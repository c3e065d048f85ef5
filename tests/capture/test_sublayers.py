"""What a layer adds is the sum of some of its modules: they are found in every family that adds without a norm behind."""

from __future__ import annotations

import families
import pytest
import torch
import transformers
from families import SIZES
from torch import nn
from updating import MORE_FAMILIES, in_memory

from tokviz.capture import find_structure, find_sublayers
from tokviz.capture.sublayers import Sublayers

WITHOUT = {
    "opt_narrow": "its layers end in a norm",
    "bert": "its layers end in a norm",
    "distilbert": "its layers end in a norm",
    "albert": "its layers end in a norm",
    "fnet": "its layers end in a norm",
    "convbert": "its layers end in a norm",
    "longformer": "its layers end in a norm, and work on more tokens than were fed",
    "led": "its layers end in a norm, and work on more tokens than were fed",
    "xlnet": "its layers end in a norm, and have the tokens first",
    "gemma3n": "its layers work on several streams",
    "deepseek_v4": "its layers work on several streams",
}


def sublayers_of(module: nn.Module) -> tuple[Sublayers, list[list[tuple[str, str | None]]]]:
    """The sublayers, and per layer the paths of each module and of its matrix within the block."""
    structure = find_structure(module, "")
    found = find_sublayers(module, structure)
    paths = []
    for block, writers in zip(structure.layers, found.writers, strict=True):
        path_of = {inner: path for path, inner in block.named_modules()}
        paths.append(
            [(path_of[writer.module], None if writer.matrix is None else path_of[writer.matrix]) for writer in writers]
        )
    return found, paths


@pytest.mark.parametrize("name", MORE_FAMILIES)
def test_found_without_names(name: str) -> None:
    found, paths = sublayers_of(in_memory(name))
    assert found.found
    assert max(found.sum_errors) < 1e-4
    assert all(len(of_layer) == len(paths[0]) for of_layer in paths)
    if name != "Mamba2":
        assert len(paths[0]) == 2


@pytest.mark.thorough
@pytest.mark.parametrize("name", families.FAMILIES)
def test_families_of_all_kinds(name: str, loaded: families.Load) -> None:
    found, _ = sublayers_of(loaded(name).module)
    assert found.found == (name not in WITHOUT)
    if not found.found:
        assert not any(found.writers)
        assert all(not error < 1e-4 for error in found.sum_errors)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen2", [("self_attn", "self_attn.o_proj"), ("mlp", "mlp.down_proj")]),
        ("GPTBigCode", [("attn", "attn.c_proj"), ("mlp", "mlp.c_proj")]),
        # What comes out of Gemma's MLP is normalised before it is added.
        (
            "Gemma2",
            [("post_attention_layernorm", "self_attn.o_proj"), ("post_feedforward_layernorm", "mlp.down_proj")],
        ),
        # Its attention is added to what its MLP returned, in place.
        ("Falcon", [("self_attention", "self_attention.dense"), ("mlp", "mlp.dense_4h_to_h")]),
        ("XGLM", [("self_attn", "self_attn.out_proj"), ("fc2", "fc2")]),
        # Fused experts have no one matrix.
        ("Mixtral", [("self_attn", "self_attn.o_proj"), ("mlp", None)]),
        ("Mamba2", [("mixer", "mixer.out_proj")]),
    ],
)
def test_modules_and_their_matrices(name: str, expected: list[tuple[str, str | None]]) -> None:
    _, paths = sublayers_of(in_memory(name))
    assert paths == [expected] * 3


def test_a_sum_that_is_off_is_not_taken() -> None:
    """Granite multiplies what its sublayers return before it is added."""
    torch.manual_seed(0)
    module = transformers.GraniteModel(transformers.GraniteConfig(**SIZES, residual_multiplier=0.5)).eval()
    found = find_sublayers(module, find_structure(module, ""))
    assert not any(found.writers)
    assert min(found.sum_errors) > 0.1
