"""Models with code of the caller's own, or what can't be read: nobody knows whether they are as before, so they are captured anew."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch
from loaded_bench import Bench, by_hand, made, states
from torch.overrides import TorchFunctionMode
from transformers import masking_utils
from transformers.integrations import sdpa_attention
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama import modeling_llama

from tokviz.errors import TokvizError
from tokviz.models.callers_code import callers_code


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("notebook"))


def test_states_of_a_hook_that_may_do_something_else_are_captured_anew(bench: Bench) -> None:
    model, factor = bench.copy(), [2.0]
    model.model.layers[0].register_forward_hook(lambda _module, _inputs, output: output * factor[0])
    captured = bench.study(model)
    captured.without([3], layer=1, value=2)
    factor[0] = 3.0
    with pytest.raises(TokvizError, match=r"have changed since; pass the model to tokviz\.study again"):
        captured.without([5], layer=1, value=2)
    other = bench.study(model)
    np.testing.assert_allclose(states(other), by_hand(model, other), atol=1e-5)
    assert not np.allclose(states(other), states(captured))


def of_a_class(patch: pytest.MonkeyPatch, _: Any) -> None:
    def twice(*given: Any) -> Any:
        return 2 * original(*given)  # type: ignore[no-untyped-call]

    original = modeling_llama.LlamaMLP.forward
    patch.setattr(modeling_llama.LlamaMLP, "forward", torch.no_grad()(twice))


def of_a_file(patch: pytest.MonkeyPatch, _: Any) -> None:
    patch.setattr(modeling_llama, "apply_rotary_pos_emb", lambda query, key, *_, **__: (query, key))


def of_attention(patch: pytest.MonkeyPatch, model: Any) -> None:
    def attention(*given: Any, **named: Any) -> Any:
        output, weights = original(*given, **named)
        return 2 * output, weights

    original = ALL_ATTENTION_FUNCTIONS["sdpa"]
    patch.setitem(ALL_ATTENTION_FUNCTIONS._global_mapping, "twice", attention)
    patch.setitem(masking_utils.ALL_MASK_ATTENTION_FUNCTIONS._global_mapping, "twice", masking_utils.sdpa_mask)
    model.set_attn_implementation("twice")


@pytest.mark.parametrize("replace", [of_a_class, of_a_file, of_attention], ids=lambda replace: replace.__name__)
def test_code_that_was_put_in_place_of_a_librarys_makes_another_model(
    bench: Bench, replace: Callable[[pytest.MonkeyPatch, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bench.copy()
    plain = bench.study(model)
    replace(monkeypatch, model)
    captured = bench.study(model)
    np.testing.assert_allclose(states(captured), by_hand(model, captured), atol=1e-5)
    assert not np.allclose(states(captured), states(plain))
    assert any(
        f"ran while it was captured: {replace.__name__}.<locals>." in note for note in captured.states.card.notes
    )


def without_turning(query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> Any:
    return query * 0, key


class Without:
    def __call__(self, query: torch.Tensor, key: torch.Tensor, *_: Any, **__: Any) -> Any:
        return query * 0, key


def halved(self: Any, states: torch.Tensor, share: float = 1.0) -> torch.Tensor:
    return self.down_proj(self.act_fn(self.gate_proj(states)) * self.up_proj(states)) * share  # type: ignore[no-any-return]


class Halving(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        return found * 0.5 if getattr(func, "__name__", "") == "silu" else found


ODD_CODE: dict[str, Callable[[pytest.MonkeyPatch], Any]] = {
    "an object": lambda patch: patch.setattr(modeling_llama, "apply_rotary_pos_emb", Without()),
    "a cached function": lambda patch: patch.setattr(
        modeling_llama, "apply_rotary_pos_emb", functools.cache(without_turning)
    ),
    "a compiled one": lambda patch: patch.setattr(
        modeling_llama, "apply_rotary_pos_emb", torch.jit.script(without_turning)
    ),
    "a partial method": lambda patch: patch.setattr(
        modeling_llama.LlamaMLP, "forward", functools.partialmethod(halved, share=0.5)
    ),
    "of an integration": lambda patch: patch.setattr(
        sdpa_attention, "repeat_kv", lambda states, n: 0 * repeat_kv(states, n)
    ),
    "of torch": lambda patch: patch.setattr(torch, "rsqrt", lambda states, rsqrt=torch.rsqrt: 3 * rsqrt(states)),
}


@pytest.mark.parametrize("odd", ODD_CODE)
def test_code_of_any_kind_in_place_of_a_librarys_is_told(
    bench: Bench, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callers_code(bench.model, bench.tokenizer) == ()
    ODD_CODE[odd](monkeypatch)
    assert len(callers_code(bench.model, bench.tokenizer)) == 1


def test_code_of_the_hub_in_place_of_a_function_is_told(bench: Bench) -> None:
    """As transformers exchanges functions of models on GPUs, by default, where the package ``kernels`` is installed."""
    model = bench.copy()
    exchanged, module = torch.nn.Identity(), model.model.layers[0].self_attn
    module._kernel_funcs = {"rotary_pos_emb": exchanged}
    assert callers_code(model, bench.tokenizer) == ()
    exchanged.forward = MethodType(without_turning, exchanged)  # type: ignore[method-assign]
    assert callers_code(model, bench.tokenizer) == ("without_turning at model.layers.0.self_attn",)


def test_a_mode_around_torch_is_told(bench: Bench) -> None:
    with Halving():
        assert callers_code(bench.model, bench.tokenizer) == ("Halving around torch",)
    with torch.device("cpu"):
        assert callers_code(bench.model, bench.tokenizer) == ()


def test_a_value_of_any_name_makes_another_model(bench: Bench) -> None:
    model = bench.copy()
    model.model.layers[0].mlp._disable_adapters = True  # as PEFT has it
    sources = {bench.study(each).states.card.source for each in (model, bench.model, model)}
    assert len(sources) == 2


def test_what_cannot_be_read_is_captured_anew(bench: Bench) -> None:
    model = bench.copy()
    model.model.layers[0].history = object()
    sources = {bench.study(model).states.card.source for _ in range(2)}
    assert len(sources) == 2
