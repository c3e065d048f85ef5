"""Chunks of scans as short as the texts: the same states, and the model as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tiny_tokenizers import byte_level
from torch import nn

from tokviz.capture import PaddedWords, capture, find_structure, layer_without, scans
from tokviz.capture.hooks import forward, hooked
from tokviz.capture.memory import MemoryMeter
from tokviz.capture.scans import chunk_for, chunk_of, scans_of
from tokviz.models.fingerprint import fingerprint
from tokviz.records import Tokenization, TokenizedWord

SIZES: dict[str, Any] = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2}
ATTENTION: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 32}
SCAN: dict[str, Any] = {
    "mamba_n_heads": 8,
    "mamba_d_head": 8,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "mamba_chunk_size": 64,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Bamba": {**SIZES, **ATTENTION, **SCAN, "attn_layer_indices": [1]},
    "FalconH1": {**SIZES, **ATTENTION, **SCAN, "mamba_d_ssm": 64},
    "GraniteMoeHybrid": {
        **SIZES,
        **ATTENTION,
        **SCAN,
        "layer_types": ["mamba", "attention"],
        "num_local_experts": 0,
        "shared_intermediate_size": 32,
    },
    "Mamba2": {**SIZES, "num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1, "chunk_size": 64},
    "NemotronH": {
        "vocab_size": 64,
        "hidden_size": 32,
        **ATTENTION,
        "layers_block_type": ["mamba", "attention"],
        "head_dim": 8,
        "mamba_num_heads": 8,
        "mamba_head_dim": 8,
        "ssm_state_size": 8,
        "n_groups": 1,
        "chunk_size": 64,
    },
    "Zamba2": {
        **SIZES,
        **ATTENTION,
        "layers_block_type": ["mamba", "hybrid"],
        "hybrid_layer_ids": [1],
        "n_mamba_heads": 8,
        "mamba_headdim": 8,
        "mamba_d_state": 8,
        "mamba_ngroups": 1,
        "chunk_size": 64,
        "num_mem_blocks": 1,
        "attention_head_dim": 16,
        "adapter_rank": 4,
    },
}
LINEAR: dict[str, dict[str, Any]] = {
    "Qwen3Next": {
        **SIZES,
        **ATTENTION,
        "layer_types": ["linear_attention", "full_attention"],
        "head_dim": 8,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
    "Qwen3_5Text": {
        **SIZES,
        **ATTENTION,
        "layer_types": ["linear_attention", "full_attention"],
        "head_dim": 8,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
}
"""Linear attention, whose chunks are an argument of a function beside its class."""
N_TOKENS = 20
IDS = torch.arange(3 * N_TOKENS).reshape(3, N_TOKENS) % 60 + 2
MASK = (torch.arange(N_TOKENS) < torch.tensor([[5], [12], [N_TOKENS]])).long()
"""Texts of 5, 12 and 20 tokens."""
WORDS = Tokenization(
    words=tuple(
        TokenizedWord(word="a", text="a", ids=tuple(ids), pieces=("a",) * N_TOKENS, start=0, stop=N_TOKENS)
        for ids in IDS.tolist()
    ),
    read="last",
)


def model(name: str, **more: Any) -> nn.Module:
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**(FAMILIES | LINEAR)[name] | more)
    module: nn.Module = transformers.AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return module


@pytest.fixture
def falcon() -> nn.Module:
    return model("FalconH1")


class Chunks:
    """Notes, whenever a scan runs, the length of its chunk and how many texts it gets; optionally fails."""

    def __init__(self, module: nn.Module, fails: type[BaseException] | None = None) -> None:
        self.seen: list[tuple[int, int]] = []
        self._fails = fails
        self._scan_of = {scan.in_proj: scan for scan in scans_of(module)}

    def note(self, projection: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        self.seen.append((self._scan_of[projection].chunk_size, len(output)))  # type: ignore[arg-type]
        if self._fails is not None:
            raise self._fails

    def run(self, module: nn.Module) -> torch.Tensor:
        with hooked(dict.fromkeys(self._scan_of, self.note)):  # type: ignore[arg-type]
            states: torch.Tensor = forward(module, IDS, MASK).last_hidden_state
        return states


@pytest.fixture(params=FAMILIES)
def of_each_family(request: pytest.FixtureRequest) -> nn.Module:
    return model(request.param)


def test_states_are_those_of_the_models_own_chunk(of_each_family: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    module = of_each_family.double()
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # transformers scans in float32
    scans, chunks = scans_of(module), Chunks(module)
    assert scans
    with torch.inference_mode():
        expected = module(input_ids=IDS, attention_mask=MASK).last_hidden_state
    found = chunks.run(module)
    # Hooks see one run per scan, of all texts: not the check.
    assert chunks.seen == [(32, 3)] * len(scans)
    assert [scan.chunk_size for scan in scans] == [64] * len(scans)
    scale = expected[MASK.bool()].abs().max()
    assert (found - expected)[MASK.bool()].abs().max() / scale < 1e-10


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_models_own_chunk_is_back_after_an_error(falcon: nn.Module, error: type[BaseException]) -> None:
    with pytest.raises(error):
        Chunks(falcon, error).run(falcon)
    assert [scan.chunk_size for scan in scans_of(falcon)] == [64, 64]
    assert not any(scan._forward_pre_hooks for scan in scans_of(falcon))


def test_the_model_is_the_same_afterwards(falcon: nn.Module) -> None:
    tokenizer = byte_level()
    before = fingerprint(falcon, tokenizer)
    Chunks(falcon).run(falcon)
    assert fingerprint(falcon, tokenizer) == before


@pytest.mark.parametrize("own", [8, 16, 32])
def test_a_chunk_that_is_as_short_already_stays(own: int) -> None:
    module = model("FalconH1", mamba_chunk_size=own)
    chunks = Chunks(module)
    chunks.run(module)
    assert chunks.seen == [(own, 3)] * 2


@pytest.mark.parametrize("fails", [False, True])
def test_a_scan_that_a_shorter_chunk_changes_keeps_its_own(
    falcon: nn.Module, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    scan, other = scans_of(falcon)
    computed = scan.forward

    def depends(*arguments: Any, **named: Any) -> torch.Tensor:
        if fails and scan.chunk_size != 64:
            raise AssertionError
        result: torch.Tensor = computed(*arguments, **named)
        return result * scan.chunk_size  # type: ignore[operator]

    monkeypatch.setattr(scan, "forward", depends)
    with torch.inference_mode():
        expected = falcon(input_ids=IDS, attention_mask=MASK).last_hidden_state
    chunks = Chunks(falcon)
    for _ in range(2):
        torch.testing.assert_close(chunks.run(falcon)[MASK.bool()], expected[MASK.bool()])
    assert chunks.seen == [(64, 3), (32, 3)] * 2
    assert [scan.chunk_size, other.chunk_size] == [64, 64]


class Runs:
    """Notes of each run of a scan, the check's too, the length of its chunk and how many texts it gets."""

    def __init__(self, scan: nn.Module) -> None:
        self.seen: list[tuple[Any, int]] = []
        self._scan, self._forward = scan, scan.forward

    def forward(self, *arguments: Any, **named: Any) -> torch.Tensor:
        self.seen.append((self._scan.chunk_size, len(named["hidden_states"])))
        result: torch.Tensor = self._forward(*arguments, **named)
        return result


@pytest.fixture
def runs(falcon: nn.Module, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Of the first scan."""
    scan = scans_of(falcon)[0]
    noted = Runs(scan)
    monkeypatch.setattr(scan, "forward", noted.forward)
    return noted


def test_a_length_is_checked_once(falcon: nn.Module, runs: Runs) -> None:
    # A pass without a mask may have a cache: it isn't checked, but gains by what is known.
    for mask in (None, MASK, MASK, None):
        forward(falcon, IDS, mask)
    assert runs.seen == [(64, 3), (64, 1), (32, 1), (32, 3), (32, 3), (32, 3)]


def test_the_memory_of_passes_is_measured_without_the_check(
    falcon: nn.Module, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    metered = []

    def run(_: MemoryMeter, work: Callable[[], object]) -> None:
        before = len(runs.seen)
        work()
        metered.append(runs.seen[before:])

    monkeypatch.setattr(MemoryMeter, "peak_of", run)
    capture(falcon, find_structure(falcon, ""), WORDS, 65_536)
    assert metered == [[(32, 1)], [(32, 2)]]
    assert (64, 1) in runs.seen


def test_a_layer_that_is_run_alone_has_a_short_chunk(falcon: nn.Module) -> None:
    batch = PaddedWords.of(WORDS, np.arange(3))
    structure, chunks = find_structure(falcon, ""), Chunks(falcon)
    matrix = structure.layers[1].get_submodule("feed_forward.down_proj")
    with hooked({scans_of(structure.layers[1])[0].in_proj: chunks.note}):  # type: ignore[dict-item]
        [states] = layer_without(falcon, structure, 1, matrix, [()], [batch])
    assert chunks.seen == [(32, 3)]
    with torch.inference_mode():
        expected = falcon(input_ids=batch.ids, output_hidden_states=True).last_hidden_state
    found = falcon.final_layernorm(torch.from_numpy(states))  # type: ignore[operator]
    torch.testing.assert_close(found, expected[:, -1])


def test_gradients_are_those_of_the_models_own_chunk(falcon: nn.Module) -> None:
    weight: torch.Tensor = scans_of(falcon)[0].in_proj.weight  # type: ignore[union-attr, assignment]
    with torch.enable_grad():
        own = falcon(input_ids=IDS, attention_mask=MASK).last_hidden_state[MASK.bool()].sum()
        short = forward(falcon, IDS, MASK, with_gradients=True).last_hidden_state[MASK.bool()].sum()
    [expected], [found] = torch.autograd.grad(own, weight), torch.autograd.grad(short, weight)
    assert (found - expected).norm() / expected.norm() < 1e-4


@pytest.mark.parametrize(("n_tokens", "chunk"), [(1, 16), (16, 16), (17, 32), (64, 64), (65, 128)])
def test_the_shortest_power_of_two(n_tokens: int, chunk: int) -> None:
    assert chunk_for(n_tokens) == chunk


@pytest.fixture(params=LINEAR)
def of_linear_attention(request: pytest.FixtureRequest) -> nn.Module:
    return model(request.param)


def _functions(module: nn.Module) -> dict[str, Any]:
    """Those beside the class of the model's scan."""
    [scan] = scans_of(module)
    return {name: each for name, each in vars(sys.modules[type(scan).__module__]).items() if callable(each)}


def test_linear_attention_gives_the_states_of_its_own_chunk(of_linear_attention: nn.Module) -> None:
    [scan], before = scans_of(of_linear_attention), _functions(of_linear_attention)
    projection: nn.Module = scan.out_proj  # type: ignore[assignment]
    seen = []

    def note(_: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        seen.append((chunk_of(scan), len(output)))

    with torch.inference_mode():
        expected = of_linear_attention(input_ids=IDS, attention_mask=MASK).last_hidden_state
    with hooked({projection: note}):
        found = forward(of_linear_attention, IDS, MASK).last_hidden_state
    assert seen == [(32, 3)]
    assert chunk_of(scan) == 64
    assert _functions(of_linear_attention) == before
    torch.testing.assert_close(found[MASK.bool()], expected[MASK.bool()])


def test_functions_of_linear_attention_are_back_after_an_error(of_linear_attention: nn.Module) -> None:
    [scan], before = scans_of(of_linear_attention), _functions(of_linear_attention)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with hooked({scan.out_proj: fail}), pytest.raises(KeyboardInterrupt):  # type: ignore[dict-item]
        forward(of_linear_attention, IDS, MASK)
    assert _functions(of_linear_attention) == before
    assert not scan._forward_pre_hooks


def test_linear_attention_that_a_shorter_chunk_changes_keeps_its_own(
    of_linear_attention: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    [scan] = scans_of(of_linear_attention)
    computed = scan.forward

    def depends(*arguments: Any, **named: Any) -> torch.Tensor:
        result: torch.Tensor = computed(*arguments, **named)
        return result * chunk_of(scan)  # type: ignore[operator]

    monkeypatch.setattr(scan, "forward", depends)
    with torch.inference_mode():
        expected = of_linear_attention(input_ids=IDS, attention_mask=MASK).last_hidden_state
    for _ in range(2):
        found = forward(of_linear_attention, IDS, MASK).last_hidden_state
        torch.testing.assert_close(found[MASK.bool()], expected[MASK.bool()])


def _delta_rule(n_tokens: int = 5) -> tuple[Any, list[torch.Tensor], dict[str, Any]]:
    """The rule of Qwen3-Next, with two heads of keys for four of values; and what it gets of three texts."""
    from transformers.models.qwen3_next import modeling_qwen3_next

    torch.manual_seed(0)
    query, key = torch.randn(2, 3, n_tokens, 2, 8)
    value, beta, g = torch.randn(3, n_tokens, 4, 8), torch.rand(3, n_tokens, 4), -torch.rand(3, n_tokens, 4)
    return modeling_qwen3_next.torch_chunk_gated_delta_rule, [query, key, value], {"g": g, "beta": beta}


@pytest.mark.parametrize("normalized", [False, True])
def test_a_gated_delta_rule_within_one_chunk_needs_no_states(*, normalized: bool) -> None:
    rule, texts, named = _delta_rule()
    named["use_qk_l2norm_in_kernel"] = normalized
    expected, _ = rule(*texts, **named)

    def whole(*_: Any, **__: Any) -> Any:
        pytest.fail("the model's own was computed")

    whole.__signature__ = scans._signature(rule)  # type: ignore[attr-defined]
    found, state = scans._of_one_chunk(whole)(*texts, **named)
    assert state is None
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("n_tokens", "more"),
    [(5, {"output_final_state": True}), (5, {"initial_state": torch.ones(3, 4, 8, 8)}), (20, {})],
)
def test_a_gated_delta_rule_that_goes_on_is_the_models_own(n_tokens: int, more: dict[str, Any]) -> None:
    rule, texts, named = _delta_rule(n_tokens)
    expected = rule(*texts, **named, chunk_size=16, **more)
    found = scans._of_one_chunk(rule)(*texts, **named, chunk_size=16, **more)
    for one, other in zip(found, expected, strict=True):
        assert one is other is None or torch.equal(one, other)
