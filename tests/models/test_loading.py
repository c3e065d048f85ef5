"""Loaded models and their cards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny_tokenizers
import torch
import transformers
from families import Tiny
from safetensors.torch import load_file, save_file
from sources import configured, edit_config

from tokviz.errors import SourceError
from tokviz.models import Use, load, quiet_transformers
from tokviz.models.weights import quantization_of


def test_the_card_describes_what_ran(checkpoints: Path) -> None:
    model = load(configured("llama"), checkpoints, "cpu")
    card = model.card
    assert (card.source, card.model_type, card.architecture) == ("llama", "llama", "LlamaModel")
    assert (card.n_layers, card.width, card.embedding_width, card.vocabulary_size) == (3, 32, 32, 512)
    assert (card.dtype, card.checkpoint_dtype, card.quantization, card.notes) == ("float32", "float32", None, ())
    # The head isn't counted: it isn't run.
    weights = load_file(checkpoints / "llama" / "model.safetensors")
    assert card.n_parameters == sum(tensor.numel() for name, tensor in weights.items() if "lm_head" not in name)
    assert {"torch", "transformers", "tokenizers"} == {package for package, _ in card.versions}
    assert not model.module.training
    assert model.base_model_prefix == "model"


@pytest.mark.parametrize("tied", [True, False])
def test_the_output_matrix_is_loaded_where_it_is_asked_for_and_changes_nothing_else(llama: Path, tied: bool) -> None:
    torch.manual_seed(0)
    config = transformers.AutoConfig.from_pretrained(llama)
    config.tie_word_embeddings = tied
    whole = transformers.LlamaForCausalLM(config)
    with quiet_transformers():
        whole.save_pretrained(llama)
    plain, loaded = (load(configured("llama"), llama.parent, "cpu", use=Use(with_head=each)) for each in (False, True))
    assert plain.head is None
    assert (loaded.card, loaded.base_model_prefix) == (plain.card, plain.base_model_prefix)
    assert loaded.head.base_model is loaded.module
    assert not loaded.head.training
    theirs, ours = (dict(each.state_dict()) for each in (whole.model, loaded.module))
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
    assert torch.equal(loaded.head.get_output_embeddings().weight, whole.lm_head.weight)


def test_a_checkpoint_without_its_output_matrix_has_no_head(llama: Path) -> None:
    weights = {name: each for name, each in load_file(llama / "model.safetensors").items() if "lm_head" not in name}
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    edit_config(llama, tie_word_embeddings=False)
    assert load(configured("llama"), llama.parent, "cpu", use=Use(with_head=True)).head is None


def test_what_is_refused_is_named_as_without_the_output_matrix(llama: Path) -> None:
    weights = load_file(llama / "model.safetensors")
    for changed, said in (
        ({name: each for name, each in weights.items() if "layers.1.mlp" not in name}, "found none for layers.1.mlp"),
        (weights | {"model.norm.weight": torch.ones(16)}, r"\(32,\) for norm.weight, got \(16,\)"),
    ):
        save_file(changed, llama / "model.safetensors", metadata={"format": "pt"})
        for with_head in (False, True):
            with pytest.raises(SourceError, match=said):
                load(configured("llama"), llama.parent, "cpu", use=Use(with_head=with_head))


@pytest.mark.parametrize("kind", ["base", "encoder", "other"])
def test_only_a_class_that_the_config_names_is_a_head(checkpoints: Path, llama: Path, kind: str) -> None:
    if kind == "encoder":
        assert load(configured("bert"), checkpoints, "cpu", use=Use(with_head=True)).head is None
        return
    edit_config(llama, architectures=["LlamaModel" if kind == "base" else "LlamaForSequenceClassification"])
    assert load(configured("llama"), llama.parent, "cpu", use=Use(with_head=True)).head is None


@pytest.mark.parametrize("in_config", [True, False])
def test_float16_weights_run_in_float32_and_say_so(llama: Path, in_config: bool) -> None:
    weights = {name: tensor.half() for name, tensor in load_file(llama / "model.safetensors").items()}
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    edit_config(llama, dtype="float16" if in_config else None, torch_dtype=None)
    card = load(configured("llama"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype) == ("float32", "float16")
    assert any("float16 weights were run in float32" in note for note in card.notes)


def test_bfloat16_weights_run_as_they_are_unless_float32_is_configured(llama: Path) -> None:
    weights = {name: tensor.bfloat16() for name, tensor in load_file(llama / "model.safetensors").items()}
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    edit_config(llama, dtype="bfloat16")
    card = load(configured("llama"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype, card.notes) == ("bfloat16", "bfloat16", ())
    card = load(configured("llama", dtype="float32"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype) == ("float32", "bfloat16")


def test_what_the_weights_are_on_disk_is_not_told_by_what_is_configured(llama: Path) -> None:
    edit_config(llama, dtype=None, torch_dtype=None)
    card = load(configured("llama", dtype="bfloat16"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype) == ("bfloat16", None)
    assert load(configured("llama"), llama.parent, "cpu").card.checkpoint_dtype == "float32"


@pytest.mark.parametrize(
    ("name", "architecture", "expected"),
    [
        ("t5", "T5Model", "Only the encoder of this encoder-decoder model runs"),
        ("gemma3", "Gemma3Model", "Only the language part of this model runs"),
        ("qwen3_moe", "Qwen3MoeModel", "The experts ran with the kernel"),
    ],
)
def test_the_card_has_notes_on_special_models(tiny: Tiny, name: str, architecture: str, expected: str) -> None:
    card = tiny.load(name).card
    assert card.architecture == architecture
    assert any(note.startswith(expected) for note in card.notes)


def test_a_device_map_goes_to_transformers(checkpoints: Path) -> None:
    model = load(configured("llama", device_map="cpu"), checkpoints, "no-such-device")
    assert {parameter.device.type for parameter in model.module.parameters()} == {"cpu"}


@pytest.mark.parametrize("has_config", [False, True])
def test_a_tokenizer_may_come_from_elsewhere(llama: Path, checkpoints: Path, has_config: bool) -> None:
    for file in llama.glob("tokenizer*"):
        file.unlink()
    elsewhere = llama.parent / "elsewhere"
    elsewhere.mkdir()
    for file in (checkpoints / "bert").glob("*.json"):
        if "token" in file.name or has_config:
            shutil.copy(file, elsewhere)
    model = load(configured("llama", tokenizer="elsewhere"), llama.parent, "cpu")
    assert model.tokenizer("cat")["input_ids"] == tiny_tokenizers.uncased()("cat")["input_ids"]
    assert model.card.architecture == "LlamaModel"
    assert any("not the model's own but that of elsewhere" in note for note in model.card.notes)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, None),
        ({"quant_method": "mxfp4"}, "MXFP4"),
        ({"quant_method": "gptq", "bits": 4}, "GPTQ 4-bit"),
        ({"quant_method": "awq", "bits": 4}, "AWQ 4-bit"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes 8-bit"),
        ({"quant_method": "fp8"}, "FP8"),
        ({"bits": 4}, "quantized 4-bit"),
    ],
)
def test_quantised_checkpoints_are_named_as_such(values: dict[str, object] | None, expected: str | None) -> None:
    assert quantization_of(SimpleNamespace(quantization_config=values)) == expected


def test_loading_is_silent_and_leaves_transformers_settings_alone(
    checkpoints: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(configured("bert"), checkpoints, "cpu")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", ["special_tokens_map.json", "tokenizer_config.json"])
def test_what_stands_in_a_models_files_is_not_printed_as_it_is(
    llama: Path, capfd: pytest.CaptureFixture[str], file: str
) -> None:
    """The library that reads tokenizers names options that it doesn't know, past Python's own output."""
    path = llama / file
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    token = {"__type": "AddedToken", "content": "</s>", "\x1b[2J\nerror: a line of its own": True}
    path.write_text(json.dumps({**settings, "eos_token": token}), encoding="utf-8")
    load(configured("llama"), llama.parent, "cpu")
    print("after")
    assert capfd.readouterr().out == "after\n"
