"""Tiny models in memory, and what is measured of what their layers add."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import transformers
from families import ENCODER, SIZES
from torch import nn

from tokviz.capture import Changes, Structure, capture, find_structure, find_sublayers, measure_updates, words_to_run
from tokviz.capture.sublayers import Sublayers
from tokviz.measure.writers import changing_dimensions, marked_layers
from tokviz.models import quiet_transformers
from tokviz.records import Neurons, Tokenization, Updates

DIMENSIONS = (0, 5, 7)
"""Of which ``measured_everywhere`` tells what is added."""
GPT = {"vocab_size": 512, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}
MORE_FAMILIES: dict[str, dict[str, Any]] = {
    "Arcee": SIZES,
    "BioGpt": ENCODER,
    "CodeGen": GPT | {"rotary_dim": 8},
    "Cohere": SIZES,
    "Cohere2": SIZES,
    "Ernie4_5": SIZES,
    "Exaone4": SIZES | {"sliding_window": 4, "layer_types": ["full_attention"] * 3},
    "Falcon": {"vocab_size": 512, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4},
    "Gemma": SIZES,
    "Gemma2": SIZES | {"sliding_window": 4},
    "Glm": SIZES,
    "Glm4": SIZES,
    "GPTBigCode": GPT,
    "GPTJ": GPT | {"rotary_dim": 8},
    "GPTNeo": {
        "vocab_size": 512,
        "hidden_size": 32,
        "num_layers": 3,
        "attention_types": [[["global", "local", "global"], 1]],
        "num_heads": 4,
        "max_position_embeddings": 64,
    },
    "Helium": SIZES,
    "Lfm2": SIZES,
    "Mamba2": {
        "vocab_size": 512,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_heads": 8,
        "head_dim": 8,
        "state_size": 8,
        "n_groups": 1,
    },
    "Mixtral": SIZES | {"num_local_experts": 4},
    "Mpt": {"vocab_size": 512, "d_model": 32, "n_layers": 3, "n_heads": 4, "max_seq_len": 64},
    "Nemotron": SIZES,
    "Olmo": SIZES,
    "Olmo2": SIZES,
    "Persimmon": SIZES,
    "Phi": SIZES,
    "Qwen2": SIZES,
    "SeedOss": SIZES,
    "SmolLM3": SIZES | {"no_rope_layers": [1, 1, 0]},
    "StableLm": SIZES,
    "Starcoder2": SIZES,
    "XGLM": {"vocab_size": 512, "d_model": 32, "num_layers": 3, "attention_heads": 4, "ffn_dim": 64},
}
"""Which are all found."""


def in_memory(name: str) -> nn.Module:
    """A tiny model with random weights, large enough that every sublayer counts."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**MORE_FAMILIES[name])
    with quiet_transformers():
        module: nn.Module = transformers.AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    return module


def measured(module: nn.Module, tokenization: Tokenization) -> tuple[Updates, list[np.ndarray], Structure]:
    """What is measured of a capture, and its states per depth."""
    structure = find_structure(module, "model")
    captured = capture(module, structure, tokenization, token_budget=4096)
    states = [
        np.zeros((len(tokenization.words), SIZES["hidden_size"]), np.float32) for _ in range(structure.n_layers + 1)
    ]
    for batch in captured:
        for depth, some in enumerate(batch.states):
            states[depth][batch.rows] = some
    reference = tokenization.reference
    of_words = [state[reference] for state in states]
    changes = Changes(dimensions=changing_dimensions(of_words), marked=marked_layers(of_words))
    rows = words_to_run(module, structure, tokenization, captured.check.batching, 4096)
    sublayers = find_sublayers(module, structure)
    return measure_updates(module, structure, sublayers, tokenization, changes, rows), states, structure


def neurons_of(updates: Updates, layer: int) -> Neurons:
    (found,) = [each.neurons for each in updates.layers[layer].sublayers if each.neurons is not None]
    return found


def measured_everywhere(module: nn.Module, tokenization: Tokenization) -> tuple[Updates, Sublayers]:
    """As if every layer were marked, in two passes."""
    structure = find_structure(module, "")
    sublayers = find_sublayers(module, structure)
    changes = Changes(dimensions=(DIMENSIONS,) * structure.n_layers, marked=(True,) * structure.n_layers)
    rows = np.array_split(np.flatnonzero(tokenization.reference), 2)
    return measure_updates(module, structure, sublayers, tokenization, changes, rows), sublayers
