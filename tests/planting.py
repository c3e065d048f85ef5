"""Tiny models with neurons that write a huge value, and the words that they are planted for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from families import SIZES
from torch import nn

from tokviz.models import quiet_transformers
from tokviz.records import Tokenization, TokenizedWord

N_WORDS = 12
LAYER = 1


def words(n_before: int = 1) -> Tokenization:
    """Words of one token after as many others, and one that is read one position later."""
    made = [
        TokenizedWord(
            word=str(index),
            text=str(index),
            ids=(*(1,) * n_before, 10 + index),
            pieces=("",) * (n_before + 1),
            start=n_before,
            stop=n_before + 1,
        )
        for index in range(N_WORDS)
    ]
    odd = TokenizedWord(
        word="odd",
        text="odd",
        ids=(1,) * n_before + (90, 91),
        pieces=("",) * (n_before + 2),
        start=n_before,
        stop=n_before + 2,
    )
    return Tokenization(words=(*made, odd), read="last")


def tiny(name: str, seed: int, **values: Any) -> nn.Module:
    torch.manual_seed(seed)
    with quiet_transformers():
        module: nn.Module = transformers.AutoModel.from_config(getattr(transformers, f"{name}Config")(**values))
    return module.eval()


def mlp_inputs(module: nn.Module, mlp: nn.Module, tokenization: Tokenization) -> torch.Tensor:
    """``(n_words, width)``: what enters an MLP at each word."""
    seen: list[torch.Tensor] = []
    with mlp.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0])), torch.inference_mode():
        for word in tokenization.words:
            module(input_ids=torch.tensor([word.ids]))
    return torch.stack([states[0, word.stop - 1] for states, word in zip(seen, tokenization.words, strict=True)])


def answering(inputs: torch.Tensor) -> torch.Tensor:
    """The smallest vector whose product with each input is 3."""
    solution: torch.Tensor = (
        torch.linalg.pinv(inputs.double()) @ torch.full((len(inputs), 1), 3.0, dtype=torch.float64)
    ).float()
    return solution.T


def plant_gated(module: Any, neurons: list[int], dimension: int, sizes: list[float]) -> None:
    """Into an MLP whose neurons are act(gate(x)) · up(x)."""
    mlp = module.layers[LAYER].mlp
    rows = answering(mlp_inputs(module, mlp, words()))
    with torch.no_grad():
        for matrix in (mlp.gate_proj, mlp.up_proj):
            matrix.weight[neurons] = rows
        for neuron, size in zip(neurons, sizes, strict=True):
            mlp.down_proj.weight[dimension, neuron] = size


def plant_before_a_norm(module: Any, neurons: list[int], dimension: int, sizes: list[float]) -> None:
    """The same where the MLP's output is normalised: its norm makes one dimension huge."""
    plant_gated(module, neurons, dimension, sizes)
    with torch.no_grad():
        module.layers[LAYER].post_feedforward_layernorm.weight[dimension] = 300.0


def plant_conv1d(module: Any, neurons: list[int], dimension: int, sizes: list[float]) -> None:
    """Into GPT-2's, whose ``Conv1D`` has a neuron's weights in a row."""
    mlp = module.h[LAYER].mlp
    with torch.no_grad():
        mlp.c_fc.bias[neurons] = 9.0
        for neuron, size in zip(neurons, sizes, strict=True):
            mlp.c_proj.weight[neuron, dimension] = size


PLANTED: dict[str, tuple[Callable[[int], nn.Module], Callable[[Any, list[int], int, list[float]], None]]] = {
    "pre-norm": (lambda seed: tiny("Llama", seed, **SIZES), plant_gated),
    "post-norm scale": (lambda seed: tiny("Gemma2", seed, **SIZES | {"sliding_window": 4}), plant_before_a_norm),
    "Conv1D": (
        lambda seed: tiny("GPT2", seed, vocab_size=512, n_embd=32, n_layer=3, n_head=4, n_positions=64),
        plant_conv1d,
    ),
}


# --- mixtures of experts -----------------------------------------------------------------------------------------

N_EXPERTS = 6
_MIXTURE = SIZES | {"num_experts": N_EXPERTS, "num_experts_per_tok": 2, "moe_intermediate_size": 32}


def plant_expert(module: Any, expert: int, dimension: int, size: float) -> None:
    """Into a mixture: one neuron of an expert that all words are routed to."""
    mixture = module.layers[LAYER].mlp
    row = answering(mlp_inputs(module, mixture, words()))[0]
    experts, n_neurons = mixture.experts, _MIXTURE["moe_intermediate_size"]
    with torch.no_grad():
        mixture.gate.weight[expert] = row
        experts.gate_up_proj[expert, [0, n_neurons]] = row
        experts.down_proj[expert, dimension, 0] = size


def plant_expert_of_gpt_oss(module: Any, expert: int, dimension: int, size: float) -> None:
    """The same where matrices lie the other way, and a neuron's two rows beside each other."""
    mixture = module.layers[LAYER].mlp
    row = answering(mlp_inputs(module, mixture, words()))[0]
    experts = mixture.experts
    with torch.no_grad():
        mixture.router.weight[expert] = row
        experts.gate_up_proj[expert, :, [0, 1]] = row[:, None]
        experts.down_proj[expert, 0, dimension] = size


MIXTURES: dict[str, tuple[Callable[[int], nn.Module], Callable[[Any, int, int, float], None]]] = {
    "experts alone": (lambda seed: tiny("Qwen3Moe", seed, **_MIXTURE), plant_expert),
    "beside a shared expert": (
        lambda seed: tiny("Qwen2Moe", seed, **_MIXTURE, shared_expert_intermediate_size=32),
        plant_expert,
    ),
    "transposed": (
        lambda seed: tiny("GptOss", seed, **SIZES, num_local_experts=N_EXPERTS, num_experts_per_tok=2),
        plant_expert_of_gpt_oss,
    ),
}
