"""The lens's directions are derivatives: finite differences in float64 give the same, and the last depth is the output matrix."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import smollm2
import torch
import transformers
from torch import nn

from tokviz.capture import directions, find_structure, output_rows, require_plain_head
from tokviz.errors import CaptureError
from tokviz.records import Directions

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
EXPERTS: dict[str, Any] = {"num_local_experts": 4, "num_experts_per_tok": 2, "experts_implementation": "eager"}
MODELS: dict[str, Any] = {
    "gated, untied": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**SIZES, tie_word_embeddings=False)
    ),
    "gated, tied": lambda: transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(**SIZES, tie_word_embeddings=True, head_dim=8)
    ),
    "norms of 1 + weight": lambda: transformers.Gemma2ForCausalLM(
        transformers.Gemma2Config(**SIZES, head_dim=8, query_pre_attn_scalar=8, final_logit_softcapping=None)
    ),
    "norms after sublayers": lambda: transformers.Olmo2ForCausalLM(transformers.Olmo2Config(**SIZES)),
    "LayerNorm": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    ),
    "recurrent": lambda: transformers.MambaForCausalLM(
        transformers.MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2, state_size=4)
    ),
    "mixture of experts": lambda: transformers.MixtralForCausalLM(transformers.MixtralConfig(**SIZES, **EXPERTS)),
}
IDS = (5, 17, 200)
pytestmark = pytest.mark.slow


def made(kind: str) -> Any:
    torch.manual_seed(0)
    head: Any = MODELS[kind]().eval().double()
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(2 if kind == "recurrent" else 8)
            elif "norm" in name.lower() or "ln_" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return head


def passages() -> np.ndarray:
    return np.random.default_rng(0).integers(3, 300, (5, 12))


def fitted(head: Any) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The rows, and per depth the directions of either half."""
    structure = find_structure(head.base_model, "model")
    rows = output_rows(head.base_model, structure, head.get_output_embeddings().weight, IDS)
    done: list[int] = []
    [(some, found)] = directions(head.base_model, structure, rows, passages(), done.append)
    assert some.tolist() == [0, 1, 2]
    assert sum(done) == len(IDS) * -(-len(passages()) // Directions.N_AT_ONCE)
    return rows, found


def last_states(head: Any, block: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """``(batch, tokens, width)`` after the last block, and the logits ``(batch, tokens, vocabulary)``."""
    given: list[Any] = []
    handle = block.register_forward_hook(lambda _m, _i, output: given.append(output))
    with torch.no_grad():
        logits = head(input_ids=torch.from_numpy(passages()), use_cache=False).logits
    handle.remove()
    return given[0] if isinstance(given[0], torch.Tensor) else given[0][0], logits


@pytest.mark.parametrize("kind", MODELS)
def test_rows_times_the_last_state_are_its_logits_but_for_the_length(kind: str) -> None:
    head = made(kind)
    rows, found = fitted(head)
    states, logits = (each.numpy() for each in last_states(head, find_structure(head.base_model, "model").layers[-1]))
    products = states @ rows.T
    # Of a LayerNorm's bias each token has a constant; the length is one number per position.
    differences = logits[..., list(IDS)] - logits[0, :1, list(IDS)].reshape(-1)
    lengths = states.std(-1) if kind == "LayerNorm" else np.sqrt((states**2).mean(-1))
    scaled = products / lengths[..., None]
    np.testing.assert_allclose(differences, scaled - scaled[0, 0], rtol=1e-4, atol=1e-4 * np.abs(scaled).max())
    np.testing.assert_allclose(found[-1], [rows, rows], atol=1e-6 * np.abs(rows).max())


def test_threads_side_by_side_give_the_same_in_lower_precision_too() -> None:
    head = made("gated, tied").float()
    structure = find_structure(head.base_model, "model")
    rows = np.random.default_rng(1).normal(size=(15, SIZES["hidden_size"]))
    before, found, done = torch.get_num_threads(), [], list[list[int]]()
    try:
        for n_threads in (1, 2, 9):
            torch.set_num_threads(n_threads)
            done.append([])
            [(_, of_all)] = directions(head.base_model, structure, rows, passages(), done[-1].append)
            assert torch.get_num_threads() == n_threads
            found.append(of_all)
    finally:
        torch.set_num_threads(before)
    assert [len(each) for each in done] == [6, 8, 8]
    assert {sum(each) for each in done} == {30}
    for of_many in found[1:]:
        for one, other in zip(found[0], of_many, strict=True):
            # Products of matrices of other shapes are summed in another order.
            np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-4 * np.abs(one).max())


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("kind", MODELS)
def test_finite_differences_give_the_same(kind: str, half: int) -> None:
    head = made(kind)
    rows, found = fitted(head)
    structure = find_structure(head.base_model, "model")
    ids = torch.from_numpy(passages())
    is_of_half = torch.arange(len(ids))[:, None, None] % 2 == half
    is_source = (torch.arange(ids.shape[1])[:, None] >= Directions.N_LEFT_OUT) & is_of_half
    n_sources = int(is_source.sum())
    modules: list[nn.Module] = [structure.embedding, *structure.layers]
    for depth, module in enumerate(modules[:-1]):
        way = torch.randn(found[depth].shape[2], dtype=torch.float64, generator=torch.Generator().manual_seed(depth))
        ends = []
        for step in (1e-3, -1e-3):

            def moved(_module: Any, _inputs: Any, output: Any, by: torch.Tensor = step * is_source * way) -> Any:
                return output + by if isinstance(output, torch.Tensor) else (output[0] + by, *output[1:])

            handle = module.register_forward_hook(moved)
            ends.append(last_states(head, modules[-1])[0].sum((0, 1)).numpy())
            handle.remove()
        along = rows @ (ends[0] - ends[1]) / 2e-3 / n_sources
        own = found[depth][half] @ way.numpy()
        np.testing.assert_allclose(own, along, rtol=1e-3, atol=1e-3 * np.abs(along).max())


def test_the_model_is_as_it_was() -> None:
    head = made("gated, tied")
    head.base_model.norm.weight.requires_grad_(False)
    before = [parameter.requires_grad for parameter in head.parameters()]
    fitted(head)
    assert [parameter.requires_grad for parameter in head.parameters()] == before
    assert all(parameter.grad is None for parameter in head.parameters())
    assert not any(module._forward_hooks for module in head.modules())


def test_many_tokens_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    head = made("gated, untied")
    rows, whole = fitted(head)
    monkeypatch.setattr("tokviz.capture.lens._MOST_BYTES", 2 * 8 * 32 * 3)
    structure = find_structure(head.base_model, "model")
    parts = list(directions(head.base_model, structure, rows, passages()))
    assert [some.tolist() for some, _ in parts] == [[0, 1], [2]]
    for depth, of_depth in enumerate(whole):
        np.testing.assert_allclose(
            np.concatenate([found[depth] for _, found in parts], axis=1), of_depth, rtol=1e-5, atol=1e-7
        )


def test_the_samples_model_has_a_lens(smollm2_cache: Path) -> None:
    """Its matrix, which is that of its embedding, comes from a GGUF file."""
    with np.load(smollm2_cache / smollm2.LENS) as lens:
        rows, found = lens["rows"], lens["directions"]
        multiplied = lens["matrix"] * lens["norm"]
    np.testing.assert_allclose(rows, multiplied, rtol=1e-5, atol=1e-6 * np.abs(rows).max())
    np.testing.assert_allclose(found[-1], [rows, rows], atol=1e-6 * np.abs(rows).max())
    assert all(np.isfinite(each).all() and np.abs(each).max() > 0 for each in found)


class TwoNorms(nn.Module):
    """What isn't one norm: two of them, one after the other."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm, self.other = norm, nn.Tanh()

    def forward(self, states: torch.Tensor) -> Any:
        return self.other(self.norm(states))


def test_what_is_not_one_norm_is_refused() -> None:
    head = made("gated, untied")
    base = head.base_model
    structure = find_structure(base, "model")
    with pytest.raises(CaptureError, match="quantized, or not of the width"):
        output_rows(base, structure, torch.zeros((300, 16)), IDS)
    base.norm = TwoNorms(base.norm)
    with pytest.raises(CaptureError, match="something else than one norm"):
        output_rows(base, structure, head.get_output_embeddings().weight, IDS)


def test_states_that_are_all_zero_are_told() -> None:
    head = made("gated, untied")
    nn.init.zeros_(head.base_model.norm.weight)
    said = "its hidden states at its end are all zero"
    with pytest.raises(CaptureError, match=said):
        require_plain_head(head, head.base_model, IDS)
    with pytest.raises(CaptureError, match=said):
        fitted(head)


@pytest.mark.parametrize(
    ("factor", "said"), [(math.nan, "output matrix holds infinity or NaN"), (1e38, "too large for float32, or NaN")]
)
def test_an_output_matrix_that_gives_no_numbers_is_told(factor: float, said: str) -> None:
    head = made("gated, untied")
    with torch.no_grad():
        head.get_output_embeddings().weight.mul_(factor)
    with pytest.raises(CaptureError, match=said):
        fitted(head)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_caller_may_have_turned_gradients_off(mode: Any) -> None:
    head = made("gated, untied")
    _, found = fitted(head)
    with mode():
        _, own = fitted(head)
        assert not torch.is_grad_enabled()
    for one, other in zip(found, own, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", MODELS)
def test_the_output_matrix_gets_what_the_base_model_gives(kind: str) -> None:
    head = made(kind)
    require_plain_head(head, head.base_model, IDS)


def test_a_transform_before_the_output_matrix_is_refused() -> None:
    sizes = {each: SIZES[each] for each in SIZES if each != "num_key_value_heads"}
    head: Any = transformers.BertLMHeadModel(transformers.BertConfig(**sizes, is_decoder=True)).eval()
    with pytest.raises(CaptureError, match="something else than one norm"):
        require_plain_head(head, head.base_model, IDS)


@pytest.mark.parametrize("kind", ["gated, untied", "norms after sublayers", "LayerNorm"])
def test_lower_precision_changes_hardly_any_direction(kind: str) -> None:
    head = made(kind)
    exact = fitted(head)[1]
    quick = fitted(head.float())[1]
    for one, other in zip(exact, quick, strict=True):
        cosines = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
        assert cosines.min() > 0.999
    np.testing.assert_allclose(quick[-1], exact[-1], atol=1e-6 * np.abs(exact[-1]).max())
