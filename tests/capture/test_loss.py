"""The next-token loss is transformers' own, in each setting of neurons, whether or not earlier layers are run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_tokenizers
import torch
import transformers
from families import Tiny
from torch import nn

from tokviz.bundled import LOSS_TEXT
from tokviz.capture import Passages, Setting, find_structure, is_streamed, losses, passages, sees_ahead
from tokviz.capture import loss as measuring
from tokviz.config import ModelConfig
from tokviz.errors import CaptureError
from tokviz.models import Folders, Use, load

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
HEADS: dict[str, Any] = {
    "untied": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, tie_word_embeddings=False)),
    "tied": lambda: transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(**SIZES, tie_word_embeddings=True, head_dim=8)
    ),
    "logits within a range": lambda: transformers.Gemma2ForCausalLM(
        transformers.Gemma2Config(**SIZES, head_dim=8, final_logit_softcapping=0.5, query_pre_attn_scalar=8)
    ),
    "logits divided": lambda: transformers.GraniteForCausalLM(transformers.GraniteConfig(**SIZES, logits_scaling=6.0)),
}
LAYER, NEURONS, AT_0 = 1, (3, 5), (0.5, -2.0)


def made(kind: str) -> nn.Module:
    torch.manual_seed(0)
    head: nn.Module = HEADS[kind]().eval()
    with torch.no_grad():
        for parameter in head.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
    return head


def text(n_before: int = 1) -> Passages:
    ids = np.random.default_rng(0).integers(3, 300, (8, 128))
    return Passages(ids=ids, n_before=n_before)


def own_losses(head: nn.Module, of: Passages) -> np.ndarray:
    """What the class itself gives for each passage."""
    found = []
    for row in torch.from_numpy(of.ids):
        labels = row.clone()
        labels[: of.n_before] = -100
        with torch.no_grad():
            found.append(head(input_ids=row[None], labels=labels[None]).loss.item())
    return np.array(found)


class SetAt0(nn.Module):
    """A matrix that adds what other values of some inputs at position 0 would."""

    def __init__(self, matrix: Any) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, inputs: torch.Tensor) -> Any:
        by = torch.tensor(AT_0) - inputs[:, 0, list(NEURONS)]
        added = torch.zeros_like(inputs[..., :1]).expand(-1, -1, self.matrix.weight.shape[0]).clone()
        added[:, 0] = by @ self.matrix.weight[:, list(NEURONS)].T
        return self.matrix(inputs) + added


@pytest.mark.slow
@pytest.mark.parametrize("n_before", [1, 3])
@pytest.mark.parametrize("kind", HEADS)
def test_the_loss_is_that_of_the_class_itself_in_every_setting(kind: str, n_before: int) -> None:
    head, of = made(kind), text(n_before)
    base: Any = head.base_model
    structure = find_structure(base, "model")
    mlp = base.layers[LAYER].mlp
    settings = [Setting(neurons=NEURONS), Setting(neurons=NEURONS, at_position_0=AT_0)]
    intact, (zero, at_0) = losses(head, structure, LAYER, mlp.down_proj, settings, of)
    np.testing.assert_allclose(intact, own_losses(head, of), atol=1e-5)
    matrix = mlp.down_proj
    mlp.down_proj = SetAt0(matrix)
    np.testing.assert_allclose(at_0, own_losses(head, of), atol=1e-5)
    mlp.down_proj = matrix
    with torch.no_grad():
        matrix.weight[:, list(NEURONS)] = 0
    np.testing.assert_allclose(zero, own_losses(head, of), atol=1e-5)
    assert np.abs(zero - intact).max() > 1e-4
    assert np.abs(at_0 - intact).max() > 1e-4


def test_the_layers_before_run_once_and_the_model_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    head, of = made("tied"), text()
    base: Any = head.base_model
    structure, matrix = find_structure(base, "model"), base.layers[LAYER].mlp.down_proj
    runs = [0] * 3
    for index, block in enumerate(base.layers):
        block.self_attn.register_forward_hook(lambda *_, index=index: runs.__setitem__(index, runs[index] + 1))
    settings = [Setting(neurons=NEURONS)] * 3
    once = losses(head, structure, LAYER, matrix, settings, of)
    tried = [1, 2, 2]  # whether the model can go on from the first layer
    assert [n - m for n, m in zip(runs, tried, strict=True)] == [1, 4, 4]
    assert not any("forward" in block.__dict__ for block in base.layers)
    monkeypatch.setattr(measuring, "_goes_on", lambda *_: False)
    runs[:] = [0] * 3
    again = losses(head, structure, LAYER, matrix, settings, of)
    assert runs == [4, 4, 4]
    for one, other in zip((once[0], *once[1]), (again[0], *again[1]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_logits_that_take_much_memory_are_made_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    head, of = made("untied"), text()
    base: Any = head.base_model
    arguments = (
        head,
        find_structure(base, "model"),
        LAYER,
        base.layers[LAYER].mlp.down_proj,
        [Setting(neurons=NEURONS)],
    )
    together = losses(*arguments, of)
    monkeypatch.setattr(measuring, "LOGIT_BYTES", 3 * 4 * 300 * 128)
    done: list[int] = []
    apart = losses(*arguments, replace(of, on_progress=done.append))
    assert len(done) > 1
    assert sum(done) == len(of.ids)
    for one, other in zip((together[0], *together[1]), (apart[0], *apart[1]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_loss_that_is_no_number_is_refused() -> None:
    head = made("untied")
    base: Any = head.base_model
    with torch.no_grad():
        base.norm.weight.fill_(float("nan"))
    with pytest.raises(CaptureError, match="finite"):
        losses(head, find_structure(base, "model"), 0, base.layers[0].mlp.down_proj, [], text())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "ahead"),
    [
        ("llama", False),
        ("mamba", False),
        ("gpt_oss", False),
        ("bert", True),
        ("gemma_both_ways", True),
        ("xlnet", True),
    ],
)
def test_models_that_see_later_tokens_are_told_from_those_that_predict_them(
    tiny: Tiny, family: str, ahead: bool
) -> None:
    of, module = text(), tiny.load(family).module
    of.ids[1] = of.ids[0]
    assert sees_ahead(module, of) is ahead


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gpt2", "falcon_h1", "gemma3n", "opt_narrow", "gemma3"])
def test_other_kinds_of_models(tiny: Tiny, family: str) -> None:
    loaded = tiny.load(family, use=Use(with_head=True))
    structure = find_structure(loaded.module, loaded.base_model_prefix)
    unused = nn.Linear(2, 2)
    intact, _ = losses(loaded.head, structure, 2, unused, [], text())
    np.testing.assert_allclose(intact, own_losses(loaded.head, text()), atol=1e-5)


@pytest.mark.slow
def test_weights_on_disk_give_the_same_loss(tiny: Tiny, tmp_path: Path) -> None:
    (file,) = tiny("qwen3").glob("*.safetensors")
    configured = ModelConfig(source="qwen3", max_memory={"cpu": f"{file.stat().st_size // 2000}KB"})
    streamed = load(configured, tiny.folder, "cpu", Folders(offload=tmp_path / "offload"), use=Use(with_head=True))
    assert is_streamed(streamed.module)
    found = []
    for loaded in (tiny.load("qwen3", use=Use(with_head=True)), streamed):
        module: Any = loaded.module
        structure, matrix = find_structure(module, "model"), module.layers[LAYER].mlp.down_proj
        found.append(losses(loaded.head, structure, LAYER, matrix, [Setting(neurons=NEURONS)], text()))
    for one, other in zip((found[0][0], *found[0][1]), (found[1][0], *found[1][1]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


# --- passages -----------------------------------------------------------------------------------------------------------


def test_a_text_is_cut_into_passages_that_are_spread_over_it() -> None:
    tokenizer = tiny_tokenizers.byte_level()
    whole = LOSS_TEXT.read_text(encoding="utf-8")
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
    found = passages(tokenizer, whole, 8)
    assert (found.ids.shape, found.n_before, found.n_predicted) == ((8, 128), 1, 8 * 127)
    assert found.ids[0].tolist() == ids[:128]
    last = (len(ids) // 128 - 1) * 128
    assert found.ids[-1].tolist() == ids[last : last + 128]


def test_each_begins_with_the_token_that_the_tokenizer_puts_before_a_text() -> None:
    tokenizer = tiny_tokenizers.byte_level_bos()
    whole = LOSS_TEXT.read_text(encoding="utf-8")
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
    found = passages(tokenizer, whole, 1_000)
    first = tokenizer("a")["input_ids"][0]
    assert (found.ids[:, 0] == first).all()
    assert found.n_before == 1
    assert found.ids[1, 1:].tolist() == ids[127 : 2 * 127]
    assert len(found.ids) == len(ids) // 127


def test_a_text_of_few_tokens_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"at least 1,024 tokens, got 5"):
        passages(tiny_tokenizers.byte_level(), "zzzzz", 8)


def test_a_text_that_repeats_itself_is_refused() -> None:
    """Of the same passage again and again the standard error would be 0."""
    with pytest.raises(CaptureError, match=r"at least 8 passages of 128 tokens that differ, got 1; take one that"):
        passages(tiny_tokenizers.byte_level(), "a" * 10_000, 8)


def test_the_text_is_long_enough_and_on_ten_subjects() -> None:
    whole = LOSS_TEXT.read_text(encoding="utf-8")
    assert len(whole.strip().split("\n\n")) == 10
    assert len(whole.split()) > 3_600  # a usual tokenizer needs more than one token a word
