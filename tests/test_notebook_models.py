"""Models as notebooks have them: touched, patched, wrapped, quantized. Each is captured as it is and left as it was."""

from __future__ import annotations

import copy
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import cpu_offload, disk_offload
from loaded_bench import Bench, by_hand, everything, made, states
from torch import nn
from torch.nn.utils import parametrizations, prune

from tokviz.errors import TokvizError
from tokviz.notebook import Capture


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("notebook"))


@pytest.fixture(scope="module")
def plain(whole: Bench) -> Capture:
    """Of the model that nobody has touched."""
    return whole.study(whole.model)


@pytest.fixture
def bench(whole: Bench, tmp_path: Path) -> Bench:
    return Bench(model=whole.model, tokenizer=whole.tokenizer, cache=whole.cache, folder=tmp_path)


# --- what is the same model -------------------------------------------------------------------------------------------


def shown_hidden_states(bench: Bench, model: Any) -> None:
    bench.call(model, output_hidden_states=True)


def shown_attentions(bench: Bench, model: Any) -> None:
    bench.call(model, output_attentions=True)


def checkpointing(_: Bench, model: Any) -> None:
    model.gradient_checkpointing_enable()


def inputs_with_gradients(_: Bench, model: Any) -> None:
    model.enable_input_require_grads()


def both_of_them(bench: Bench, model: Any) -> None:
    for touch in (shown_hidden_states, checkpointing, inputs_with_gradients):
        touch(bench, model)


def in_training(_: Bench, model: Any) -> None:
    model.train()


def partly_in_training(_: Bench, model: Any) -> None:
    model.model.layers[1].train()


def after_a_step(bench: Bench, model: Any) -> None:
    model.train()
    bench.call(model, labels=bench.tokenizer("a text", return_tensors="pt")["input_ids"]).loss.backward()


def frozen(_: Bench, model: Any) -> None:
    model.requires_grad_(requires_grad=False)


def after_generating(bench: Bench, model: Any) -> None:
    model.generate(**bench.tokenizer("a text", return_tensors="pt"), max_new_tokens=2, do_sample=False)


def compiled_in_place(_: Bench, model: Any) -> None:
    model.compile(backend="eager")


def compiled_layer(_: Bench, model: Any) -> None:
    model.model.layers[0].compile(backend="eager")


def backward_hook(_: Bench, model: Any) -> None:
    model.model.layers[0].register_full_backward_hook(lambda *_: None)


def parameter_replaced(_: Bench, model: Any) -> None:
    projection = model.model.layers[1].mlp.gate_proj
    projection.weight = nn.Parameter(projection.weight.detach().clone())


def saved(bench: Bench, model: Any) -> None:
    model.save_pretrained(bench.folder / "saved")


SAME = [
    shown_hidden_states,
    shown_attentions,
    checkpointing,
    inputs_with_gradients,
    both_of_them,
    in_training,
    partly_in_training,
    after_a_step,
    frozen,
    after_generating,
    compiled_in_place,
    compiled_layer,
    backward_hook,
    parameter_replaced,
    saved,
]


@pytest.mark.parametrize("touch", SAME, ids=lambda touch: touch.__name__)
def test_it_is_still_the_same_model(bench: Bench, plain: Capture, touch: Callable[[Bench, Any], None]) -> None:
    model = bench.copy()
    touch(bench, model)
    before = everything(model)
    captured = bench.study(model)
    assert captured.states.digest == plain.states.digest, "the cache has it"
    assert captured.states.card.source == plain.states.card.source
    assert everything(model) == before


@pytest.mark.parametrize(
    ("name", "wrapped"),
    [
        ("compiled", lambda model: torch.compile(model, backend="eager")),
        ("in parallel", nn.DataParallel),
        ("as PEFT has it", lambda model: types.SimpleNamespace(get_base_model=lambda: model)),
        ("a copy", copy.deepcopy),
    ],
)
def test_a_wrapper_is_looked_through(bench: Bench, plain: Capture, name: str, wrapped: Callable[[Any], Any]) -> None:
    model = bench.copy()
    whole = wrapped(model)
    before = everything(model)
    found = bench.study(whole)
    assert found.states.digest == plain.states.digest, name
    assert everything(model) == before


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("autocast", lambda: torch.autocast("cpu", dtype=torch.bfloat16)),
        ("no gradients", torch.no_grad),
        ("inference", torch.inference_mode),
        ("gradients", torch.enable_grad),
    ],
)
def test_what_is_around_a_study_changes_nothing(
    bench: Bench, plain: Capture, name: str, around: Callable[[], Any]
) -> None:
    model = bench.copy()
    before = everything(model)
    elsewhere = Bench(model=model, tokenizer=bench.tokenizer, cache=bench.folder / "cache", folder=bench.folder)
    with around():
        captured = elsewhere.study(model)
        assert name != "autocast" or torch.is_autocast_enabled("cpu")
    np.testing.assert_allclose(states(captured), states(plain), atol=1e-6)
    assert captured.states.card.source == plain.states.card.source
    assert everything(model) == before


# --- what is another one ----------------------------------------------------------------------------------------------


def doubled(_module: Any, _inputs: Any, output: Any) -> Any:
    return output * 2 if isinstance(output, torch.Tensor) else (output[0] * 2, *output[1:])


def steered(_: Bench, model: Any) -> None:
    model.model.layers[0].register_forward_hook(doubled)


def steered_before(_: Bench, model: Any) -> None:
    model.model.layers[1].register_forward_pre_hook(lambda _module, inputs: (inputs[0] * 2, *inputs[1:]))


def recorded(_: Bench, model: Any) -> None:
    model.model.layers[0].register_forward_hook(lambda *_: None)


def patched_model(_: Bench, model: Any) -> None:
    original = model.model.norm.forward
    model.model.layers[0].mlp.forward = lambda states: original(states)


def patched_layer(_: Bench, model: Any) -> None:
    layer = model.model.layers[0]
    original = layer.forward
    layer.forward = types.MethodType(
        lambda _self, *given, **named: doubled(None, None, original(*given, **named)), layer
    )


def other_eps(_: Bench, model: Any) -> None:
    model.model.layers[1].input_layernorm.variance_epsilon = 5


def other_activation(_: Bench, model: Any) -> None:
    model.model.layers[0].mlp.act_fn = nn.ReLU()


def other_activation_function(_: Bench, model: Any) -> None:
    del model.model.layers[0].mlp.act_fn
    model.model.layers[0].mlp.act_fn = torch.tanh


def other_rotation(_: Bench, model: Any) -> None:
    model.model.rotary_emb.inv_freq.mul_(3)


def other_scaling(_: Bench, model: Any) -> None:
    model.model.layers[1].self_attn.scaling = 2.0


def other_weights(_: Bench, model: Any) -> None:
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight.mul_(2)


def in_bfloat16(_: Bench, model: Any) -> None:
    model.to(torch.bfloat16)


def in_float64(_: Bench, model: Any) -> None:
    model.double()


class LowRank(nn.Module):
    """An adapter as PEFT has it."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base, self.merged = base, False
        self.a = nn.Linear(base.in_features, 2, bias=False)
        self.b = nn.Linear(2, base.out_features, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        base: torch.Tensor = self.base(inputs)
        return base if self.merged else base + self.b(self.a(inputs))

    def merge(self) -> None:
        with torch.no_grad():
            self.base.weight += self.b.weight @ self.a.weight
        self.merged = True


def adapted(_: Bench, model: Any) -> None:
    torch.manual_seed(1)
    model.model.layers[0].mlp.up_proj = LowRank(model.model.layers[0].mlp.up_proj)


def adapted_and_merged(bench: Bench, model: Any) -> None:
    adapted(bench, model)
    model.model.layers[0].mlp.up_proj.merge()


def pruned(_: Bench, model: Any) -> None:
    prune.l1_unstructured(model.model.layers[0].mlp.up_proj, "weight", amount=0.5)


def parametrized(_: Bench, model: Any) -> None:
    parametrizations.weight_norm(model.model.layers[0].mlp.up_proj)
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.parametrizations.weight.original0.mul_(2)


def in_other_memory(bench: Bench, model: Any) -> None:
    other_weights(bench, model)
    cpu_offload(model, execution_device=torch.device("cpu"))


def on_disk(bench: Bench, model: Any) -> None:
    other_weights(bench, model)
    disk_offload(model, str(bench.folder / "weights"), execution_device=torch.device("cpu"))


OTHER: list[tuple[Callable[[Bench, Any], None], float]] = [
    (steered, 1e-5),
    (steered_before, 1e-5),
    (patched_model, 1e-5),
    (patched_layer, 1e-5),
    (other_eps, 1e-5),
    (other_activation, 1e-5),
    (other_activation_function, 1e-5),
    (other_rotation, 1e-5),
    (other_scaling, 1e-5),
    (other_weights, 1e-5),
    (in_bfloat16, 0.02),
    (in_float64, 1e-5),
    (adapted, 1e-5),
    (adapted_and_merged, 1e-5),
    (pruned, 1e-5),
    (parametrized, 1e-5),
    (in_other_memory, 1e-5),
    (on_disk, 1e-5),
]
OF_THE_CALLER = {steered, steered_before, patched_model, patched_layer, adapted, adapted_and_merged, pruned}
"""What leaves code in a model that may do something else next time."""


@pytest.mark.parametrize(("touch", "tolerance"), OTHER, ids=lambda value: getattr(value, "__name__", ""))
def test_another_model_has_states_of_its_own(
    bench: Bench, plain: Capture, touch: Callable[[Bench, Any], None], tolerance: float
) -> None:
    model = bench.copy()
    touch(bench, model)
    before = everything(model)
    captured = bench.study(model)
    np.testing.assert_allclose(states(captured), by_hand(model, captured), atol=tolerance)
    assert captured.states.card.source != plain.states.card.source
    again = bench.study(model)
    assert again.states.digest == captured.states.digest
    assert (again.states.card.source != captured.states.card.source) == (touch in OF_THE_CALLER), "captured anew"
    assert everything(model) == before
    # The first one's are still there.
    assert bench.study(bench.model).states.digest == plain.states.digest


def test_hooks_are_named_beside_the_states(bench: Bench) -> None:
    model = bench.copy()
    steered(bench, model)
    assert any(
        "ran while it was captured: doubled at model.layers.0." in note for note in bench.study(model).states.card.notes
    )


def test_quantized_weights_are_named(bench: Bench) -> None:
    with pytest.warns(DeprecationWarning, match="torchao"):
        model = torch.ao.quantization.quantize_dynamic(bench.copy(), {nn.Linear}, dtype=torch.qint8)
    captured = bench.study(model)
    np.testing.assert_allclose(states(captured), by_hand(model, captured), atol=1e-5)
    assert captured.states.card.quantization == "int8 (torch)"
    assert bench.study(model).states.digest == captured.states.digest


def on_no_device(_: Bench, model: Any) -> None:
    model.to("meta")


def with_dropout(_: Bench, model: Any) -> None:
    model.model.layers[0].mlp.forward = lambda states: nn.functional.dropout(states, 0.5, training=True)


def failing_hook(_: Bench, model: Any) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("not here")

    model.model.layers[1].register_forward_hook(fail)


def not_finite(_: Bench, model: Any) -> None:
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight.fill_(float("nan"))


def failing_patch(_: Bench, model: Any) -> None:
    def patched(*_: Any, **__: Any) -> None:
        nn.functional.linear(torch.ones(2), torch.ones(3))

    model.model.layers[1].mlp.forward = patched


def without_output(_: Bench, model: Any) -> None:
    model.model.layers[0].register_forward_hook(lambda *_: "nothing")


@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (on_no_device, "is on torch’s meta device; load it with from_pretrained"),
        (with_dropout, "expected the same hidden states each time, got some that differ by"),
        (
            failing_hook,
            r"got RuntimeError: not here; it ran with code of the caller’s own \(failing_hook\S+fail at model\.layers\.1\): try",
        ),
        (
            failing_patch,
            r"got RuntimeError: .* of the caller’s own \(failing_patch\S+patched at model\.layers\.1\.mlp\): try",
        ),
        (not_finite, "expected finite hidden states, got NaN or infinity in float32"),
        (
            without_output,
            r"code of the caller’s own \(without_output\.<locals>\.<lambda> at model\.layers\.0\): try without",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_captured_is_told_in_one_line(
    bench: Bench, touch: Callable[[Bench, Any], None], said: str
) -> None:
    model = bench.copy().train()
    touch(bench, model)
    before = everything(model)
    with pytest.raises(TokvizError) as caught:
        bench.study(model)
    assert re.search(said, str(caught.value))
    assert "this kind of model" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert everything(model) == before


@pytest.mark.parametrize("touch", [steered, patched_layer, other_weights, other_eps], ids=lambda touch: touch.__name__)
def test_a_model_that_changed_since_must_be_passed_again(bench: Bench, touch: Callable[[Bench, Any], None]) -> None:
    model = bench.copy()
    captured = bench.study(model)
    touch(bench, model)
    before = everything(model)
    with pytest.raises(TokvizError, match=r"have changed since; pass the model to tokviz\.study again"):
        captured.without([5], layer=1, value=3)
    assert everything(model) == before


def test_neurons_of_a_model_that_transformers_has_touched_can_be_set(bench: Bench) -> None:
    model = bench.copy()
    both_of_them(bench, model)
    before = everything(model)
    captured = bench.study(model)
    assert not np.allclose(states(captured.without([3], layer=1, value=2))[-1], states(captured)[-1])
    assert everything(model) == before
    assert bench.call(model, output_hidden_states=True).hidden_states is not None
