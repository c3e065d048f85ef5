"""Every refusal of a source: its cause and its remedy, as the message says them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import families
import pytest
import tiny_tokenizers
import torch
import transformers
from command import generate
from invoking import foreseen, run_in
from narrow import present
from safetensors.torch import load_file, save_file

from tokviz.config import ModelConfig
from tokviz.errors import ModelError
from tokviz.models import quiet_transformers
from tokviz.records import Category, Context, WordList
from tokviz.run.capturing.one_model import capture_here
from tokviz.run.plan.request import Request, Template
from tokviz.run.store.artefacts import Store
from tokviz.run.work.progress import Quiet

WORDS = WordList(categories=(Category(key="jobs", label="Jobs", words=("cat", "doctor", "firefighter")),))
ALONE = Context(name="alone", label="alone", template=" {word}")


# --- sources that are refused --------------------------------------------------------------------------------------


def nothing(_model: Path) -> None:
    """The source alone is refused."""


def without(*names: str) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        for name in names:
            (model / name).unlink()

    return make


def renamed(old: str, new: str) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        (model / old).rename(model / new)

    return make


def edited(**values: Any) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        config = transformers.AutoConfig.from_pretrained(model)
        for name, value in values.items():
            setattr(config, name, value)
        config.save_pretrained(model)

    return make


def unknown_type(model: Path) -> None:
    (model / "config.json").write_text('{"model_type": "odd"}')


def adapter(model: Path) -> None:
    renamed("model.safetensors", "adapter_model.safetensors")(model)
    (model / "config.json").unlink()
    (model / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base", "peft_type": "LORA"}')


def only_config(name: str, **values: Any) -> Callable[[Path], None]:
    """Another model's config beside weights that are never read."""

    def make(model: Path) -> None:
        getattr(transformers, f"{name}Config")(**values).save_pretrained(model)

    return make


def with_tokenizer(config: str, tokenizer: str) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        for file in model.glob("*token*"):
            file.unlink()
        only_config(config)(model)
        getattr(transformers, tokenizer)().save_pretrained(model)

    return make


def few_embeddings(model: Path) -> None:
    shutil.rmtree(model)
    with quiet_transformers():
        transformers.LlamaForCausalLM(transformers.LlamaConfig(**families.SIZES | {"vocab_size": 20})).save_pretrained(
            model
        )
    tiny_tokenizers.llama_tokenizer().save_pretrained(model)


def few_positions(model: Path) -> None:
    shutil.rmtree(model)
    config = transformers.GPT2Config(vocab_size=512, n_embd=32, n_layer=1, n_head=4, n_positions=8)
    with quiet_transformers():
        transformers.GPT2LMHeadModel(config).save_pretrained(model)
    tiny_tokenizers.byte_level().save_pretrained(model)


def one_weight_less(model: Path) -> None:
    weights = load_file(model / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})


def pickled(model: Path) -> None:
    torch.save({}, model / "pytorch_model.bin")
    (model / "model.safetensors").unlink()


def cut_off(name: str) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        path = model / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return make


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A source that can't be captured, and what the message must say of it."""

    cause: str
    remedy: str
    make: Callable[[Path], None] = nothing
    """Changes a folder with a whole Llama."""
    config: dict[str, Any] = field(default_factory=dict)
    source: str = "model"
    template: str = ALONE.template


REFUSALS = {
    # The source.
    "a path that isn't there": Refusal(
        source="./nowhere", cause="a path where there is nothing", remedy="paths are relative to the config's folder"
    ),
    "a pasted address": Refusal(
        source="https://huggingface.co/org/name/tree/main",
        cause="expected a hub id, got the address of a page",
        remedy='write the id, "org/name"',
    ),
    "a pasted address of a revision": Refusal(
        source="https://huggingface.co/org/name/tree/v2/folder",
        cause="expected a hub id, got the address of a page",
        remedy='write the id, "org/name" and revision = "v2"',
    ),
    "a pasted address of a GGUF file": Refusal(
        source="https://huggingface.co/org/name/blob/main/tiny.gguf",
        cause="expected a hub id, got the address of a page",
        remedy="download the file, hf download org/name tiny.gguf --local-dir ., and name it as the source",
    ),
    "no hub id": Refusal(source="three/part/name", cause="got none of them", remedy="check the spelling"),
    "a package that isn't installed": Refusal(
        source="package:no_such_package/model",
        cause="expected an installed package no_such_package, found none",
        remedy="correct the name, or install the package",
    ),
    # The files.
    "no config": Refusal(
        make=without("config.json"), cause="a model's folder with a config.json, found none", remedy="check the path"
    ),
    "no weights": Refusal(make=without("model.safetensors"), cause="found no weights", remedy="add them"),
    "pickled weights": Refusal(make=pickled, cause="pickled ones, which can run code", remedy="save_pretrained"),
    "a folder of GGUF files": Refusal(
        make=renamed("model.safetensors", "tiny.gguf"),
        cause="found only GGUF files",
        remedy="name one of the files as the source",
    ),
    "an adapter": Refusal(
        make=adapter,
        cause="expected a model, got an adapter (PEFT) to org/base",
        remedy="merge it into its base model, with AutoPeftModel.from_pretrained(…).merge_and_unload()",
    ),
    "another checksum": Refusal(
        config={"sha256": "a" * 64}, cause=f"expected sha256 {'a' * 64}, got", remedy="fetch the file again"
    ),
    "a damaged config": Refusal(
        make=cut_off("config.json"),
        cause="expected files that a model can be loaded of, got ",
        remedy="check that the files are whole",
    ),
    "weights that were cut off": Refusal(
        make=cut_off("model.safetensors"),
        cause="expected the whole of model.safetensors, got only ",
        remedy="copy or download it again",
    ),
    "a damaged tokenizer": Refusal(
        make=cut_off("tokenizer.json"),
        cause="expected a tokenizer that can be read, got ",
        remedy="name a tokenizer for this model",
    ),
    "weights of other shapes": Refusal(
        make=edited(intermediate_size=48),
        cause="expected weights of the shapes that config.json gives, (32, 48) for layers.0.mlp.down_proj.weight, "
        "got (32, 64) (and 8 more)",
        remedy="check that config.json and the weights belong together",
    ),
    "missing weights": Refusal(
        make=one_weight_less,
        cause="found none for norm.weight",
        remedy="check that config.json and the weights belong together",
    ),
    # The kind of model.
    "an unknown type": Refusal(
        make=unknown_type,
        cause="got 'odd'",
        remedy="a newer transformers may have it",
    ),
    "a model for a special purpose": Refusal(
        make=only_config("TrOCR"), cause="loads with AutoModel, got 'trocr'", remedy="choose another model"
    ),
    "audio": Refusal(
        make=only_config("Wav2Vec2"), cause="Wav2Vec2Model takes audio", remedy="expected a model that reads text"
    ),
    "audio into an encoder": Refusal(
        make=only_config("Whisper"), cause="WhisperModel takes audio", remedy="expected a model that reads text"
    ),
    "images": Refusal(
        make=only_config("ViT"), cause="ViTModel takes patches of images", remedy="expected a model that reads text"
    ),
    "videos": Refusal(
        make=only_config("VideoMAE"), cause="VideoMAEModel takes videos", remedy="expected a model that reads text"
    ),
    "series": Refusal(
        make=only_config("TimesFm"),
        cause="TimesFmModel takes series of numbers",
        remedy="expected a model that reads text",
    ),
    "images, as far as its arguments tell": Refusal(
        make=only_config("Cvt"), cause="CvtModel takes patches of images", remedy="choose another model"
    ),
    "audio, as a part of another model": Refusal(
        make=only_config("Gemma4Audio"), cause="Gemma4AudioModel takes audio", remedy="choose another model"
    ),
    "no text, and nothing declared": Refusal(
        make=only_config("Bark"), cause="BarkModel takes no ids of tokens", remedy="choose another model"
    ),
    "images, as a part of another model": Refusal(
        make=only_config("Qwen3VLVision"),
        cause="Qwen3VLVisionModel takes patches of images",
        remedy="choose another model",
    ),
    # The tokenizer.
    "bytes": Refusal(
        make=with_tokenizer("T5", "ByT5Tokenizer"),
        cause="this one reads bytes (ByT5Tokenizer) and has no tokens of its own",
        remedy="choose another model",
    ),
    "characters": Refusal(
        make=with_tokenizer("Canine", "CanineTokenizer"),
        cause="this one reads characters (CanineTokenizer) and has no tokens of its own",
        remedy="choose another model",
    ),
    "no tokenizer": Refusal(
        make=without("tokenizer.json", "tokenizer_config.json"),
        cause="expected tokenizer files (tokenizer.json, tokenizer.model, vocab.json, …), found none",
        remedy='add them, or name a tokenizer for this model in the config: tokenizer = "org/name", or a folder',
    ),
    "a named tokenizer that isn't there": Refusal(
        config={"tokenizer": "./nowhere"},
        cause="model: tokenizer: ./nowhere: expected a folder",
        remedy="paths are relative to the config's folder",
    ),
    "a named tokenizer's folder without one": Refusal(
        config={"tokenizer": "."},
        cause="model: tokenizer: .: expected tokenizer files (tokenizer.json, tokenizer.model, vocab.json, …), found none",
        remedy="add them",
    ),
    # The texts.
    "ids beyond the embedding": Refusal(
        make=few_embeddings,
        cause="expected ids below 20, as many as LlamaModel has embeddings, got",
        remedy="check that tokenizer and weights belong together",
    ),
    "texts beyond the positions": Refusal(
        make=few_positions,
        template="the word is the word is the word is {word}",
        cause="expected a text of at most 8 tokens, the positions that GPT2Model has, got",
        remedy="with the template 'the word is the word is the word is {word}'; shorten it or the word",
    ),
}


def attempt(base: Path, model: ModelConfig, template: str = ALONE.template) -> Store:
    context = Context(name="alone", label="alone", template=template)
    request = Request(
        model=model,
        base=base,
        device="cpu",
        contexts=((Template(key="key", context=context),),),
        due=frozenset({"key"}),
        words=WORDS,
        read="last",
        token_budget=65_536,
    )
    store = Store(base / "cache")
    capture_here(request, store, Quiet())
    return store


# Its tokenizer makes a table of all of Unicode.
SLOW = {"characters": pytest.mark.slow}


@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW.get(name, ())) for name in REFUSALS])
def test_a_refusal_says_its_cause_and_its_remedy_in_one_line(llama: Path, name: str) -> None:
    refusal = REFUSALS[name]
    model = llama.rename(llama.parent / "model")
    refusal.make(model)
    with pytest.raises(ModelError) as caught:
        attempt(model.parent, ModelConfig(source=refusal.source, **refusal.config), refusal.template)
    message = str(caught.value)
    assert refusal.cause in message
    assert refusal.remedy in message
    assert "\n" not in message
    assert str(model.parent) not in message, "failures are shown on the published page"


def test_the_whole_model_is_captured(llama: Path) -> None:
    stored = present(attempt(llama.parent, ModelConfig(source="llama")).find_states("key"))
    assert stored.card.notes == ()


def test_the_card_says_which_of_several_streams_is_shown(tiny: families.Tiny, tmp_path: Path) -> None:
    tiny.copy("gemma3n", tmp_path / "gemma3n")
    stored = present(attempt(tmp_path, ModelConfig(source="gemma3n")).find_states("key"))
    (note,) = stored.card.notes
    assert note == (
        "Each layer returns 4 streams of hidden states side by side; stream 0 is shown, the one that the next layer works on."
    )


# --- when a refusal comes -------------------------------------------------------------------------------------------------


CONFIG = """
[words]
colors = ["red", "green"]
[[models]]
source = "./nowhere"
"""


@pytest.mark.process
def test_a_path_that_is_not_there_is_told_before_any_library_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text(CONFIG)
    # A library that can't be imported would be named instead.
    (tmp_path / "torch.py").write_text("raise ImportError('imported')")
    made = generate(tmp_path, PYTHONPATH=str(tmp_path))
    assert made.returncode == 1
    assert "nowhere: ./nowhere: expected a folder" in made.stderr


def test_a_dry_run_that_foresees_a_failure_exits_with_1(llama: Path) -> None:
    config = llama.parent / "report.toml"
    config.write_text(CONFIG.replace("./nowhere", "llama"))
    assert "it will fail" not in foreseen(llama.parent)
    config.write_text(config.read_text() + '[[models]]\nsource = "./nowhere"\n')
    planned = run_in(llama.parent, "--dry-run")
    assert planned.exit_code == 1
    assert "it will fail: ./nowhere: expected a folder" in planned.stdout
    adapter(llama)
    planned = run_in(llama.parent, "--dry-run")
    assert planned.stdout.count("it will fail") == 2
    assert "got an adapter (PEFT) to org/base" in planned.stdout
