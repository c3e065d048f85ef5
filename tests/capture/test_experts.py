"""What the experts of a mixture add is what their module returns, and one that was planted is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from families import EXPERTS, SIZES, Tiny
from planting import LAYER, MIXTURES, N_EXPERTS, PLANTED, words
from torch import nn
from updating import DIMENSIONS, measured, measured_everywhere

from tokviz.measure.writers import breaking_expert, breaking_neurons
from tokviz.models import quiet_transformers
from tokviz.records import BreakingExpert, Experts, Tokenization, Updates

ROUTED = {"n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "first_k_dense_replace": 1}
GROUPED = ROUTED | {"n_shared_experts": 1, "n_group": 2, "topk_group": 1}
MORE_FAMILIES: dict[str, dict[str, Any]] = {
    "DeepseekV3": SIZES
    | GROUPED
    | {"num_key_value_heads": 4, "head_dim": 4, "v_head_dim": 8}
    | {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4},
    "Ernie4_5_Moe": SIZES | {"moe_num_experts": 4, "moe_k": 2, "moe_intermediate_size": 32, "moe_layer_start_index": 1},
    "Glm4Moe": SIZES | GROUPED,
    "Lfm2Moe": SIZES | EXPERTS | {"num_dense_layers": 1, "layer_types": ["full_attention"] * 3},
    "Mixtral": SIZES | {"num_local_experts": 4},
    "Olmoe": SIZES | EXPERTS,
    "Phimoe": SIZES | {"num_local_experts": 4},
    "Qwen2Moe": SIZES | EXPERTS | {"shared_expert_intermediate_size": 32},
}
BEGIN_DENSE = ("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers")
"""What says that the first layer has an MLP."""


SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(2, 4))]


def in_memory(name: str) -> nn.Module:
    torch.manual_seed(0)
    with quiet_transformers():
        config = getattr(transformers, f"{name}Config")(**MORE_FAMILIES[name])
        module: nn.Module = transformers.AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return module


def experts_of(updates: Updates) -> list[Experts]:
    return [each.experts for layer in updates.layers for each in layer.sublayers if each.experts is not None]


def outputs_of(module: nn.Module, path: str, tokenization: Tokenization) -> np.ndarray:
    """``(n_dimensions,)``: what the module that holds the experts returns, mean over the reference words, one by one."""
    seen: list[torch.Tensor] = []
    of_words = [word for word, counts in zip(tokenization.words, tokenization.reference, strict=True) if counts]
    holder = module.get_submodule(path)
    with holder.register_forward_hook(lambda _, _arguments, output: seen.append(output)), torch.inference_mode():
        for word in of_words:
            module(input_ids=torch.tensor([word.ids]))
    found = []
    for output, word in zip(seen, of_words, strict=True):
        tokens = output.view(len(word.ids), -1)[:, list(DIMENSIONS)]
        span = tokens[word.start : word.stop] if tokenization.read == "mean" else tokens[word.stop - 1 : word.stop]
        found.append(span.mean(0).double().numpy())
    return np.asarray(np.mean(found, axis=0))


def check_sums(module: nn.Module, tokenization: Tokenization, n_experts: int, n_mixtures: int) -> None:
    updates, _ = measured_everywhere(module, tokenization)
    found = experts_of(updates)
    assert len(found) == n_mixtures
    for experts in found:
        assert experts.n_experts == n_experts
        expected = outputs_of(module, experts.path, tokenization)
        assert np.abs(expected).max() > 1e-4
        sums = [sum(each) for each in experts.contributions]
        np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
        for row, indices in zip(experts.contributions, experts.indices, strict=True):
            assert list(np.abs(row)) == sorted(np.abs(row), reverse=True)
            assert len(set(indices)) == len(indices)
            assert set(indices) <= set(range(n_experts))


@pytest.mark.parametrize("name", ["qwen3_moe", "gpt_oss", "qwen3_next"])
def test_experts_sum_to_what_their_module_returns(name: str, tiny: Tiny) -> None:
    with torch.no_grad():
        module = tiny.load(name).module
        for path, parameter in module.named_parameters():
            if "experts" in path:
                parameter.normal_(std=0.3)
    check_sums(module, words(), n_experts=4, n_mixtures=3)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MORE_FAMILIES)
def test_so_they_do_in_other_families(name: str) -> None:
    begins_dense = any(key in MORE_FAMILIES[name] for key in BEGIN_DENSE)
    n_experts = MORE_FAMILIES[name].get("n_routed_experts", 4)
    check_sums(in_memory(name), words(), n_experts, n_mixtures=2 if begins_dense else 3)


def test_the_mean_over_a_words_tokens_is_read_as_states_are() -> None:
    tokenization = words()
    longer = tuple(replace(word, start=0) for word in tokenization.words)
    check_sums(in_memory("Olmoe"), replace(tokenization, words=longer, read="mean"), n_experts=4, n_mixtures=3)


def test_a_mixture_that_scales_what_its_experts_give_tells_nothing() -> None:
    class Scaled(transformers.models.mixtral.modeling_mixtral.MixtralSparseMoeBlock):
        def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
            returned: torch.Tensor = super().forward(hidden_states)
            return returned * 2

    module: Any = in_memory("Mixtral")
    module.layers[1].mlp.__class__ = Scaled
    updates, _ = measured_everywhere(module, words())
    assert [each.path for each in experts_of(updates)] == ["layers.0.mlp.experts", "layers.2.mlp.experts"]


def test_experts_that_add_up_to_something_else_tell_nothing() -> None:
    """Here each one's part depends on which others run."""

    class Averaged(transformers.models.mixtral.modeling_mixtral.MixtralExperts):
        def forward(
            self, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
        ) -> torch.Tensor:
            shares = top_k_weights / top_k_weights.sum(-1, keepdim=True)
            returned: torch.Tensor = super().forward(hidden_states, top_k_index, shares)
            return returned

    module: Any = in_memory("Mixtral")
    module.layers[1].mlp.experts.__class__ = Averaged
    updates, _ = measured_everywhere(module, words())
    assert [each.path for each in experts_of(updates)] == ["layers.0.mlp.experts", "layers.2.mlp.experts"]


def test_experts_that_fail_when_they_run_again_cost_their_own_numbers_only() -> None:
    class Once(transformers.models.mixtral.modeling_mixtral.MixtralExperts):
        def forward(
            self, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
        ) -> torch.Tensor:
            if top_k_index.shape[1] == 1:
                raise ValueError("expected two experts for each token")
            returned: torch.Tensor = super().forward(hidden_states, top_k_index, top_k_weights)
            return returned

    module: Any = in_memory("Mixtral")
    module.layers[1].mlp.experts.__class__ = Once
    updates, _ = measured_everywhere(module, words())
    assert [each.path for each in experts_of(updates)] == ["layers.0.mlp.experts", "layers.2.mlp.experts"]
    assert all(len(layer.sublayers) == 2 for layer in updates.layers)


def test_experts_that_run_in_another_way_tell_nothing() -> None:
    """Llama 4's get the tokens of all experts one after the other, already weighted."""
    torch.manual_seed(0)
    config = transformers.Llama4TextConfig(
        **SIZES, num_local_experts=4, intermediate_size_mlp=64, moe_layers=[0, 1, 2], attention_chunk_size=16
    )
    with quiet_transformers():
        module = transformers.Llama4TextModel(config).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.1)
    updates, _ = measured_everywhere(module, words())
    assert not experts_of(updates)


@pytest.mark.parametrize("kind", MIXTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_expert_is_found(kind: str, seed: int) -> None:
    make, plant = MIXTURES[kind]
    module = make(seed)
    random = np.random.default_rng(seed)
    expert, dimension = int(random.integers(N_EXPERTS)), int(random.integers(32))
    plant(module, expert, dimension, 700.0)
    updates, states, _ = measured(module, words())
    of_words = [state[words().reference] for state in states]
    found = breaking_expert(updates, of_words)
    assert found is not None
    path = f"model.layers.{LAYER}.mlp.experts"
    assert replace(found, share=1.0) == BreakingExpert(
        layer=LAYER, dimension=dimension, expert=expert, n_experts=N_EXPERTS, path=path, share=1.0
    )
    assert found.share == pytest.approx(1, abs=0.02)
    assert breaking_neurons(updates, of_words) is None


@pytest.mark.parametrize("kind", MIXTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_none_is_found_where_none_was_planted(kind: str, seed: int) -> None:
    make, _ = MIXTURES[kind]
    updates, states, _ = measured(make(seed), words())
    assert breaking_expert(updates, [state[words().reference] for state in states]) is None


@pytest.mark.parametrize("kind", PLANTED)
def test_an_mlp_has_no_experts(kind: str) -> None:
    make, plant = PLANTED[kind]
    module = make(0)
    plant(module, [3, 5], 7, [700.0, 250.0])
    updates, states, _ = measured(module, words())
    assert not experts_of(updates)
    assert breaking_expert(updates, [state[words().reference] for state in states]) is None
