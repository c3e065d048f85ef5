"""Loaded models and their cards."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import families
import pytest
import tiny_tokenizers
from safetensors.torch import load_file, save_file
from sources import configured, edit_config

from tokviz.models import load
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


@pytest.mark.parametrize(
    ("name", "architecture", "expected"),
    [
        ("t5", "T5Model", "Only the encoder of this encoder-decoder model runs"),
        ("gemma3", "Gemma3Model", "Only the language part of this model runs"),
        ("qwen3_moe", "Qwen3MoeModel", "The experts ran with the kernel"),
    ],
)
def test_the_card_has_notes_on_special_models(tmp_path: Path, name: str, architecture: str, expected: str) -> None:
    families.build(name, tmp_path / name)
    card = load(configured(name), tmp_path, "cpu").card
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
