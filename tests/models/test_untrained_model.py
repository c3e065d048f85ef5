"""The untrained model: new weights in the form of a loaded one, and the loaded one stays as it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import families
import psutil
import pytest
import torch
import transformers
from falsify.stages import ARCHITECTURES
from sources import configured

from tokviz import capture
from tokviz.errors import SourceError
from tokviz.models import LoadedModel, UntrainedModel, load

OTHER_KINDS = ("gpt_oss", "mamba", "falcon_h1", "qwen3_next", "gemma3", "t5", "albert", "opt_narrow", "gemma3n")
"""Experts, recurrent, hybrids, a language part, an encoder, shared and narrow layers, streams."""


def weights(module: Any) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in module.named_parameters()}


def made(loaded: LoadedModel) -> UntrainedModel:
    return UntrainedModel(loaded, capture.find_structure(loaded.module, loaded.base_model_prefix).layers)


def embedded(module: Any) -> torch.Tensor:
    found: torch.Tensor = module.get_input_embeddings()(torch.arange(10, 20)[None]).detach()
    return found


def in_memory(module: Any, quantization: str | None = None) -> Any:
    """What the controls need of a loaded model."""
    return SimpleNamespace(module=module, card=SimpleNamespace(quantization=quantization, source="tiny"))


def llama(**values: Any) -> Any:
    return transformers.LlamaModel(transformers.LlamaConfig(**{**families.SIZES, **values})).eval()


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*ARCHITECTURES, *OTHER_KINDS])
def test_each_kind_of_model_has_one(name: str, loaded: families.Load) -> None:
    model = loaded(name)
    before, generator = weights(model.module), torch.get_rng_state()
    untrained = made(model)
    module: Any = untrained.own_embedding(3)
    own, own_embedding = weights(module), embedded(module)
    other = weights(untrained.own_embedding(4))
    random, random_embedding = weights(untrained.random(3)), embedded(module)

    assert type(module) is type(model.module)
    assert not module.training
    assert weights(untrained.random(3)).keys() == before.keys()
    assert all(torch.equal(weight, random[path]) for path, weight in weights(module).items())
    assert torch.equal(own_embedding, embedded(model.module))
    assert not torch.equal(random_embedding, own_embedding)
    # In layers the weights are those of the seed alone; outside they are the loaded model's.
    structure = capture.find_structure(model.module, "")
    layers = tuple(f"{path.split('@')[0]}." for path in structure.module_paths[1:])
    for path, weight in own.items():
        assert torch.equal(weight, (random if path.startswith(layers) else before)[path])
    drawn = [path for path, weight in own.items() if not torch.equal(weight, other[path])]
    assert sum(own[path].numel() for path in drawn) > 0.9 * sum(
        own[path].numel() for path in own if path.startswith(layers)
    )
    assert not any(torch.equal(own[path], before[path]) for path in drawn)
    assert capture.find_structure(module, "").module_paths == structure.module_paths

    assert all(torch.equal(weight, before[path]) for path, weight in weights(model.module).items())
    assert torch.equal(torch.get_rng_state(), generator)
    # It differs in nothing but its weights: with those of the loaded model it gives the same.
    module.load_state_dict(model.module.state_dict())
    ids = torch.arange(5, 25).reshape(4, 5)
    with torch.inference_mode():
        assert torch.allclose(module(ids)[0], model.module(ids)[0], atol=1e-6)


def test_the_weights_are_those_of_a_new_model_of_the_class() -> None:
    torch.manual_seed(0)
    new = llama(hidden_size=256, initializer_range=0.1)
    random = weights(UntrainedModel(in_memory(new), new.layers).random(1))
    for path, weight in weights(new).items():
        of_chance = 5 / weight.numel() ** 0.5  # of two samples of this size
        assert random[path].std() == pytest.approx(float(weight.std()), rel=max(0.05, of_chance))
        assert random[path].mean() == pytest.approx(float(weight.mean()), abs=0.005)


@pytest.mark.parametrize("given", [None, 0.3])
def test_it_is_said_that_the_class_draws_the_weights_and_with_what(given: float | None) -> None:
    """What is given counts before the config's own; GPT-2 draws some of its weights with less, so that no one number holds of all."""
    config = transformers.GPT2Config(
        n_layer=4, n_embd=128, n_head=2, vocab_size=50, n_positions=8, initializer_range=0.1
    )
    loaded: Any = transformers.GPT2Model(config)
    untrained = UntrainedModel(in_memory(loaded), loaded.h, given)
    own = 0.1 if given is None else given
    random = weights(untrained.random(1))
    assert random["h.0.attn.c_attn.weight"].std() == pytest.approx(own, rel=0.05)
    assert random["h.0.mlp.c_proj.weight"].std() == pytest.approx(own / 8**0.5, rel=0.05)
    said = f"Random weights are drawn by GPT2Model’s own initialization, with an initializer_range of {own}."
    assert untrained.notes == (said,)


@pytest.mark.parametrize(
    ("dtype", "quantization", "expected"),
    [
        (torch.float32, None, torch.float32),
        (torch.bfloat16, None, torch.bfloat16),
        (torch.float16, None, torch.float32),
        (torch.bfloat16, "MXFP4", torch.float32),
    ],
)
def test_its_dtype_is_that_of_the_loaded_model_unless_numbers_overflow_or_are_quantised(
    dtype: torch.dtype, quantization: str | None, expected: torch.dtype
) -> None:
    loaded: Any = llama().to(dtype)
    loaded.config.quantization_config = {"quant_method": "mxfp4"}
    module = UntrainedModel(in_memory(loaded, quantization), loaded.layers).own_embedding(1)
    assert {weight.dtype for weight in module.parameters()} == {expected}
    assert torch.equal(embedded(module), embedded(loaded).to(expected))
    assert loaded.config.quantization_config
    assert torch.get_default_dtype() == torch.float32


def test_weights_that_accelerate_brings_in_are_found(checkpoints: Path, tmp_path: Path) -> None:
    from accelerate import disk_offload

    whole = load(configured("llama"), checkpoints, "cpu")
    offloaded = load(configured("llama"), checkpoints, "cpu")
    disk_offload(offloaded.module, tmp_path, torch.device("cpu"))
    assert all(weight.is_meta for weight in offloaded.module.parameters())
    one, other = (weights(made(each).own_embedding(1)) for each in (whole, offloaded))
    assert all(torch.equal(weight, other[path]) for path, weight in one.items())


class Forgetful(transformers.LlamaModel):
    """Has a weight that nothing sets."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.scale = torch.nn.Parameter(torch.empty(3))


class WithArguments(transformers.LlamaModel):
    """Isn't made from its config alone."""

    def __init__(self, config: Any, folder: Path) -> None:
        super().__init__(config)


def test_a_class_that_leaves_weights_unset_is_refused() -> None:
    forgetful: Any = Forgetful(transformers.LlamaConfig(**families.SIZES))
    with pytest.raises(SourceError, match=r"Forgetful: expected its class to draw all weights .* got none for scale$"):
        UntrainedModel(in_memory(forgetful), forgetful.layers).random(0)


def test_a_class_that_needs_more_than_its_config_is_refused(tmp_path: Path) -> None:
    odd: Any = WithArguments(transformers.LlamaConfig(**families.SIZES), tmp_path)
    with pytest.raises(
        SourceError, match=r"WithArguments: expected a class that is made from its config alone, got .*folder"
    ):
        UntrainedModel(in_memory(odd), odd.layers)


def test_a_quantised_embedding_is_refused_and_random_weights_are_not() -> None:
    loaded = llama()
    loaded.embed_tokens.weight = torch.nn.Parameter(torch.zeros(512, 32, dtype=torch.int8), requires_grad=False)
    untrained = UntrainedModel(in_memory(loaded, "int8 (torch)"), loaded.layers)
    untrained.random(0)
    with pytest.raises(
        SourceError, match=r"LlamaModel: .* not quantised, got none of the shape \(512, 32\) for embed_tokens"
    ):
        untrained.own_embedding(1)


def test_too_little_memory_is_said_before_it_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    loaded = llama()
    with pytest.raises(
        SourceError, match=r"expected 0\.0 GB of memory for an untrained model of this size, found 0\.0 GB"
    ):
        UntrainedModel(in_memory(loaded), loaded.layers)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*ARCHITECTURES, *OTHER_KINDS])
def test_permuted_layers_have_the_same_numbers_in_another_order(name: str, loaded: families.Load) -> None:
    model = loaded(name)
    before = weights(model.module)
    untrained = made(model)
    module: Any = untrained.permuted(3)
    own, again, other = weights(module), weights(untrained.permuted(3)), weights(untrained.permuted(4))
    structure = capture.find_structure(model.module, "")
    layers = tuple(f"{path.split('@')[0]}." for path in structure.module_paths[1:])
    assert not module.training
    moved = 0
    for path, weight in own.items():
        assert torch.equal(weight, again[path])
        if not path.startswith(layers):
            assert torch.equal(weight, before[path])
            continue
        assert torch.equal(weight.flatten().sort().values, before[path].flatten().sort().values)
        if weight.ndim == 2:
            # Rows and columns have moved as such: singular values stay.
            torch.testing.assert_close(torch.linalg.svdvals(weight), torch.linalg.svdvals(before[path]))
        moved += not (torch.equal(weight, before[path]) or torch.equal(weight, other[path]))
    assert moved > len(structure.layers)
    assert all(torch.equal(weight, before[path]) for path, weight in weights(model.module).items())
