"""Of a model only what is on its list is read, and its config is held against its weights before memory is taken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch
from families import Tiny
from hub_server import COMMIT
from safetensors.torch import load_file, save_file
from sources import configured, edit_config, refusal, zeros_of

from tokviz.models import check, describe, files, identity, is_same, load, refusals, safetensors_header, staging
from tokviz.models.files import is_own
from tokviz.models.opened import opened

ROOT = Path(__file__).parents[2]


def edit(file: Path, **values: Any) -> None:
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(before | values))


def first_weight(model: Path) -> float:
    loaded = load(configured(model.name), model.parent, "cpu")
    return float(next(loaded.module.parameters()).detach().abs().sum())


# --- weights -----------------------------------------------------------------------------------------------------


@pytest.mark.slow  # the first to load transformers
@pytest.mark.parametrize(
    "named", ["sub/w.safetensors", "../zeros/w.safetensors", "adapter_model.bin", ["w.safetensors"], "w\0.safetensors"]
)
def test_a_config_names_no_weights_elsewhere_and_no_pickle(gpt2: Path, named: Any) -> None:
    zeros_of(gpt2, gpt2 / "sub" / "w.safetensors")
    zeros_of(gpt2, gpt2.parent / "zeros" / "w.safetensors")
    torch.save({}, gpt2 / "adapter_model.bin")
    edit_config(gpt2, transformers_weights=named)
    message = refusal("gpt2", gpt2.parent)
    assert "expected *.safetensors directly in the model's folder, got " in message
    assert "which config.json names as its weights (transformers_weights); no other file is read" in message


def test_weights_of_another_name_in_the_folder_are_those_that_the_checksum_covers(gpt2: Path) -> None:
    (gpt2 / "model.safetensors").rename(gpt2 / "other.safetensors")
    edit_config(gpt2, transformers_weights="other.safetensors")
    assert first_weight(gpt2) > 0
    assert "of other.safetensors" in refusal("gpt2", gpt2.parent, sha256="a" * 64)
    edit_config(gpt2, transformers_weights="none.safetensors")
    expected = (
        "expected none.safetensors, which config.json names as its weights (transformers_weights), found none; copy"
    )
    assert expected in refusal("gpt2", gpt2.parent)


def test_weights_without_a_name_that_is_read_are_told(gpt2: Path) -> None:
    (gpt2 / "model.safetensors").rename(gpt2 / "other.safetensors")
    assert "expected model.safetensors, or several files and their model.safetensors.index.json, found only other." in (
        refusal("gpt2", gpt2.parent)
    )


def indexed(model: Path, file: str) -> None:
    weights = load_file(model / "model.safetensors")
    (model / "model.safetensors").rename(model / "part.safetensors")
    edit(model / "model.safetensors.index.json", weight_map=dict.fromkeys(weights, file))


@pytest.mark.parametrize(
    "place", ["../zeros/model.safetensors", "absolute", "sub/model.safetensors", "", "..", "x.bin"]
)
def test_an_index_maps_to_files_of_the_folder_only(gpt2: Path, place: str) -> None:
    file = zeros_of(gpt2, gpt2.parent / "zeros" / "model.safetensors")
    zeros_of(gpt2, gpt2 / "sub" / "model.safetensors")
    indexed(gpt2, str(file) if place == "absolute" else place)
    message = refusal("gpt2", gpt2.parent)
    assert "expected *.safetensors directly in the model's folder, got " in message
    assert "which model.safetensors.index.json names; no other file is read as weights" in message


def test_a_missing_file_of_several_is_told_with_what_names_it(gpt2: Path) -> None:
    indexed(gpt2, "part-2.safetensors")
    message = refusal("gpt2", gpt2.parent)
    assert "expected part-2.safetensors, which model.safetensors.index.json names, found none; copy or" in message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_link_out_of_the_folder_is_refused_and_one_within_it_is_not(gpt2: Path, file: str) -> None:
    (gpt2.parent / "elsewhere").mkdir()
    (gpt2 / file).rename(gpt2.parent / "elsewhere" / file)
    (gpt2 / file).symlink_to(gpt2.parent / "elsewhere" / file)
    assert f"got a link out of it: {file}; copy what it leads to" in refusal("gpt2", gpt2.parent)
    (gpt2 / file).unlink()
    (gpt2 / "kept").mkdir()
    (gpt2.parent / "elsewhere" / file).rename(gpt2 / "kept" / file)
    (gpt2 / file).symlink_to(Path("kept") / file)
    assert first_weight(gpt2) > 0


def _linked(model: Path, target: Path) -> None:
    """The weights of a folder are ``target``, and a link leads there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    (model / "model.safetensors").rename(target)
    (model / "model.safetensors").symlink_to(target)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
@pytest.mark.parametrize(
    ("folder", "target", "is_cache"),
    [
        (f"models--org--name/snapshots/{COMMIT}", "models--org--name/blobs/1234", True),
        (f"models--org--name/snapshots/{COMMIT}/part", "models--org--name/blobs/1234", True),
        (f"models--org--name/snapshots/{COMMIT}", f"blobs/ab/{'ab' * 32}", True),
        (f"models--org--name/snapshots/{COMMIT}", f"blobs/cd/{'ab' * 32}", False),
        (f"models--org--name/snapshots/{COMMIT}", "blobs/private", False),
        (f"models--org--name/snapshots/{COMMIT}", "models--org--name/blobs/more/1234", False),
        (f"models--org--name/snapshots/{COMMIT}", "models--org--other/blobs/1234", False),
        ("models--org--name/snapshots/main", "models--org--name/blobs/1234", False),
        (f"org--name/snapshots/{COMMIT}", "org--name/blobs/1234", False),
        (f"models--org--name/other/{COMMIT}", "models--org--name/blobs/1234", False),
    ],
)
def test_links_lead_out_of_the_snapshots_of_a_cache_only(
    gpt2: Path, tmp_path: Path, folder: str, target: str, is_cache: bool
) -> None:
    model = tmp_path / "hub" / folder
    model.parent.mkdir(parents=True)
    gpt2.rename(model)
    _linked(model, tmp_path / "hub" / target)
    (tmp_path / "hub" / "blobs").mkdir(exist_ok=True)
    (tmp_path / "hub" / "blobs" / ".huggingface-shared-blobs").touch()
    assert is_own(model / "model.safetensors") is is_cache
    if not is_cache:
        assert "got a link out of it: model.safetensors" in refusal(f"hub/{folder}", tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
def test_blobs_beside_repositories_that_share_none_are_anybodys(gpt2: Path, tmp_path: Path) -> None:
    model = tmp_path / "hub" / "models--org--name" / "snapshots" / COMMIT
    model.parent.mkdir(parents=True)
    gpt2.rename(model)
    _linked(model, tmp_path / "hub" / "blobs" / "ab" / ("ab" * 32))
    assert not is_own(model / "model.safetensors")


def test_an_adapter_beside_the_weights_is_not_read(gpt2: Path) -> None:
    before = first_weight(gpt2)
    edit(gpt2 / "adapter_config.json", base_model_name_or_path="/nowhere", peft_type="LORA")
    zeros_of(gpt2, gpt2 / "adapter_model.safetensors")
    assert first_weight(gpt2) == before


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"attn_implementation": "someone/evil"},
        {"_attn_implementation": "kernels-community/flash-attn2@v1"},
        {"experts_implementation": "sonicmoe"},
        {"attn_implementation": {"": "sdpa", "text_config": "someone/evil"}},
        {"attn_implementation": "flash_attention_2"},
        {"attn_implementation": "flex_attention"},
    ],
    ids=str,
)
def test_no_kernel_is_asked_of_the_hub(gpt2: Path, values: dict[str, Any]) -> None:
    edit_config(gpt2, **values)
    message = refusal("gpt2", gpt2.parent)
    assert "config.json asks for a kernel that isn't one of eager, sdpa, " in message
    assert "remove that from the file" in message


@pytest.mark.parametrize("values", [{"attn_implementation": "eager"}, {"_attn_implementation": "sdpa"}], ids=str)
def test_what_transformers_itself_runs_attention_by_may_be_named(gpt2: Path, values: dict[str, Any]) -> None:
    edit_config(gpt2, **values)
    assert first_weight(gpt2) > 0


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("config.json", "configuration_files"),
        ("config.json", "fusion_config"),
        ("tokenizer_config.json", "fast_tokenizer_files"),
        ("tokenizer_config.json", "init_inputs"),
    ],
)
def test_settings_that_another_file_or_other_code_would_take_the_place_of_are_refused(
    gpt2: Path, file: str, key: str
) -> None:
    edit(gpt2 / file, **{key: ["tokenizer.4.0.json"]})
    assert f"{file} asks for other files or code than are listed, {key} = ['tokenizer.4.0.json']" in refusal(
        "gpt2", gpt2.parent
    )


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize("form", ["absolute", "relative", "nested"])
def test_any_key_that_leads_to_files_elsewhere_is_refused(gpt2: Path, file: str, form: str) -> None:
    other = gpt2.parent / "other" / "words.json"
    other.parent.mkdir()
    other.write_text("{}")
    place: Any = "../other/words.json" if form == "relative" else str(other)
    edit(gpt2 / file, unheard_of={"deep": [place]} if form == "nested" else place)
    message = refusal("gpt2", gpt2.parent)
    assert f"gpt2: {file} asks for files that aren't the model's own, " in message
    assert "…/other/words.json" in message


@pytest.mark.parametrize("key", ["gguf_file", "tokenizer_file", "vocab_file", "name_or_path"])
@pytest.mark.parametrize("file", ["tokenizer_config.json", "special_tokens_map.json"])
def test_names_of_files_in_a_tokenizers_settings_are_not_followed(gpt2: Path, tiny: Tiny, file: str, key: str) -> None:
    before = load(configured("gpt2"), gpt2.parent, "cpu").tokenizer("the word")["input_ids"]
    edit(gpt2 / file, **{key: str(tiny("bert") / "tokenizer.json")})
    assert load(configured("gpt2"), gpt2.parent, "cpu").tokenizer("the word")["input_ids"] == before


def test_of_a_tokenizers_folder_the_weights_are_not_looked_at(gpt2: Path) -> None:
    other = Path(shutil.copytree(gpt2, gpt2.parent / "other"))
    indexed(other, "../none.safetensors")
    assert load(configured("gpt2", tokenizer="./other"), gpt2.parent, "cpu").card.n_layers == 3
    edit(other / "special_tokens_map.json", deep=str(gpt2 / "config.json"))
    message = refusal("gpt2", gpt2.parent, tokenizer="./other")
    assert message.startswith(
        "gpt2: tokenizer: ./other: special_tokens_map.json asks for files that aren't the model's own"
    )


def test_with_a_checksum_other_settings_are_other_states(gpt2: Path) -> None:
    model = configured("gpt2", sha256="a" * 64)
    before = str(identity(model, gpt2.parent))
    os.utime(gpt2 / "config.json", (1, 1))
    assert identity(model, gpt2.parent) == before, "the content counts, which is the same on another machine"
    edit_config(gpt2, layer_norm_epsilon=0.5)
    after = str(identity(model, gpt2.parent))
    assert not is_same(after, before)
    assert is_same(after, f"sha256:{'a' * 64}"), "what was stored before settings counted isn't captured again"
    shutil.rmtree(gpt2)
    assert is_same(identity(model, gpt2.parent), before), "a cache is shown without the weights"
    assert not is_same(identity(configured("gpt2", sha256="b" * 64), gpt2.parent), before)


@pytest.mark.parametrize(
    "file",
    ["Config.json", "TOKENIZER_CONFIG.json", "Special_Tokens_Map.json", "Adapter_Config.json", "Model.safetensors"],
)
def test_a_name_that_some_disks_take_for_another_is_refused(gpt2: Path, file: str) -> None:
    (gpt2 / file).write_text("{}")
    assert f"expected {file.lower()}, got {file}; rename or remove it" in refusal("gpt2", gpt2.parent)


@pytest.mark.parametrize("place", ["//host/share/x", r"\\host\share\x", " hf-hub:org/name"])
def test_another_machine_is_not_even_looked_for(gpt2: Path, place: str) -> None:
    edit_config(gpt2, anything=place)
    assert "config.json asks for files of another place, anything = " in refusal("gpt2", gpt2.parent)


def test_labels_and_notes_of_where_a_model_was_trained_are_no_places(gpt2: Path) -> None:
    edit_config(gpt2, id2label={"0": "/tmp", "1": "/"}, base_model_name_or_path=str(gpt2), _name_or_path=str(gpt2))
    assert first_weight(gpt2) > 0


# --- a config against its weights --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_layers", [2, 0])
def test_layers_that_would_go_unused_are_an_error(gpt2: Path, n_layers: int) -> None:
    edit_config(gpt2, n_layer=n_layers)
    message = refusal("gpt2", gpt2.parent)
    assert (
        f"expected as many layers as follow from config.json, {n_layers}, found weights of 3 (h.{n_layers} and on)"
        in message
    )
    assert str(describe(configured("gpt2"), gpt2.parent).problem) == message


@pytest.mark.parametrize("family", ["t5", "gemma3", "bert", "xlnet", "opt", "led"])
def test_unused_layers_are_found_in_any_family(tiny: Tiny, tmp_path: Path, family: str) -> None:
    model = tiny.copy(family, tmp_path / family)
    edit_config(model, **_with_fewer_layers(json.loads((model / "config.json").read_text())))
    assert "found weights of 3 " in refusal(family, tmp_path)


def _with_fewer_layers(values: dict[str, Any]) -> dict[str, Any]:
    if "text_config" in values:
        return {"text_config": values["text_config"] | _with_fewer_layers(values["text_config"])}
    keys = {"num_hidden_layers", "num_layers", "n_layer", "encoder_layers"} & values.keys()
    lists = {key: value[:2] for key, value in values.items() if isinstance(value, list) and len(value) == 3}
    return {key: 2 for key in keys} | lists


@pytest.mark.parametrize(
    "named", [{"num_nextn_predict_layers": 1}, {}, {"num_nextn_predict_layers": 99}, {"smtp_port": 1}], ids=str
)
def test_layers_that_predict_further_tokens_are_said(gpt2: Path, named: dict[str, int]) -> None:
    edit_config(gpt2, n_layer=2, **named)
    weights = load_file(gpt2 / "model.safetensors")
    weights["transformer.h.2.eh_proj.weight"] = weights["transformer.h.2.mlp.c_fc.weight"].clone()
    save_file(weights, gpt2 / "model.safetensors", metadata={"format": "pt"})
    if named != {"num_nextn_predict_layers": 1}:
        assert "found weights of 3" in refusal("gpt2", gpt2.parent)
        return
    card = load(configured("gpt2"), gpt2.parent, "cpu").card
    assert card.n_layers == 2
    assert "1 layer after the last one predicts further tokens, and did not run." in card.notes


@pytest.mark.parametrize("kind", [torch.int8, torch.bool, torch.uint8, torch.int64, torch.float8_e4m3fn])
def test_integers_without_a_known_quantization_are_no_weights(gpt2: Path, kind: torch.dtype) -> None:
    weights = load_file(gpt2 / "model.safetensors")
    name = "transformer.h.1.mlp.c_fc.weight"
    save_file(weights | {name: weights[name].to(kind)}, gpt2 / "model.safetensors", metadata={"format": "pt"})
    message = refusal("gpt2", gpt2.parent)
    assert (
        "expected weights of floating-point numbers (F64, F32, F16, BF16), or a config with the quantization_config"
        in message
    )
    assert f" for {name}; fetch the files again" in message


@pytest.mark.parametrize("method", [None, "foo"])
def test_integers_under_any_name_are_no_weights(gpt2: Path, method: str | None) -> None:
    weights = load_file(gpt2 / "model.safetensors")
    name = "transformer.h.1.ln_1.bias"
    save_file(weights | {name: weights[name].to(torch.int8)}, gpt2 / "model.safetensors", metadata={"format": "pt"})
    edit_config(gpt2, **({"quantization_config": {"quant_method": method}} if method else {}))
    assert f"got I8 for {name}" in refusal("gpt2", gpt2.parent)


def test_masks_and_positions_that_old_checkpoints_hold_as_integers_are_no_weights(gpt2: Path) -> None:
    weights = load_file(gpt2 / "model.safetensors")
    masks = {f"transformer.h.{layer}.attn.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool) for layer in range(3)}
    save_file(weights | masks, gpt2 / "model.safetensors", metadata={"format": "pt"})
    assert first_weight(gpt2) > 0


LARGER: dict[str, tuple[dict[str, Any], str]] = {
    "layers": ({"n_layer": 999}, "tensors in its weights files, got 999 layers"),
    "fewer layers": ({"n_layer": 190}, "got one of far more, perhaps by its number of layers"),
    "positions": (
        {"n_positions": 12_000_000},
        "expected weights of the shapes that config.json gives, (12000000, 32) for wpe",
    ),
    "width": ({"n_embd": 32_768}, "expected weights of the shapes that config.json gives"),
    "labels": ({"num_labels": 1_000_000_000}, "expected num_labels of a model, at most 1,000,000, got 1000000000"),
    "vocabulary": (
        {"vocab_size": 2_000_000_000},
        "expected weights of the shapes that config.json gives, (2000000000, 32)",
    ),
    "unknown": (
        {"n_positions": 12_000_000, "quantization_config": {"quant_method": "foo"}},
        "expected weights of the shapes that config.json gives, (12000000, 32) for wpe",
    ),
    "quantized": (
        {"vocab_size": 200_000_000, "quantization_config": {"quant_method": "gptq", "bits": 4}},
        "numbers that the config asks for, found ",
    ),
}
"""Of a config that asks for more than its weights have: what it says, and what is said of it."""


def refuse_larger(folder: Path) -> None:
    """With less than half a GB beyond what a whole model takes."""
    import resource

    load(configured("whole"), folder, "cpu")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, (_, expected) in LARGER.items():
        assert expected in refusal(name, folder)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000, "KiB"


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere the largest memory has another unit")
def test_a_config_of_a_larger_model_is_refused_before_it_takes_memory(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("gpt2", tmp_path / "whole")
    for name, (values, _) in LARGER.items():
        edit_config(tiny.copy("gpt2", tmp_path / name), **values)
    # With the libraries of this process, and a peak of its own.
    run = get_context("fork").Process(target=refuse_larger, args=(tmp_path,))
    run.start()
    run.join(120)
    assert run.exitcode == 0, "on standard error it says why"


def with_header(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    changed = json.dumps(header).encode()
    file.write_bytes(len(changed).to_bytes(8, "little") + changed + content[8 + length :])


@pytest.mark.parametrize("key", ["data_offsets", "shape"])
def test_a_header_with_impossible_numbers_is_one_line(gpt2: Path, key: str) -> None:
    def change(header: dict[str, Any]) -> None:
        header["transformer.wte.weight"][key] = [0, float("inf")]

    with_header(gpt2 / "model.safetensors", change)
    assert "\n" not in refusal("gpt2", gpt2.parent)
    assert describe(configured("gpt2"), gpt2.parent).problem


def test_settings_that_are_larger_than_any_are_not_read(gpt2: Path) -> None:
    (gpt2 / "config.json").write_text('{"a": [' + "[]," * 4_000_000 + "[]]}")
    assert "config.json has more than 10 MB" in refusal("gpt2", gpt2.parent)


def test_a_tokenizers_settings_that_are_larger_than_any_are_not_read(gpt2: Path) -> None:
    """Read as JSON they take forty times as much memory."""
    (gpt2 / "tokenizer_config.json").write_text('{"a": "' + 30_000_000 * "a" + '"}')
    assert "tokenizer_config.json has more than 30 MB" in refusal("gpt2", gpt2.parent)


# --- what ends a process -----------------------------------------------------------------------------------------


def explode(tokenizer: dict[str, Any]) -> None:
    """Each character becomes ten thousand, three times over."""
    replace = {"type": "Replace", "pattern": {"Regex": "."}, "content": "a" * 10_000}
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [replace] * 3}


def lengthen(tokenizer: dict[str, Any]) -> None:
    """Ten thousand tokens of every word."""
    replace = {"type": "Replace", "pattern": {"Regex": "."}, "content": "a " * 10}
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [replace] * 4}


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.parametrize(("change", "said"), [(explode, "was ended by signal "), (lengthen, "tokens of one of them")])
def test_a_tokenizer_that_would_end_the_process_is_refused_like_any_other(
    gpt2: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    file = gpt2 / "tokenizer.json"
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    message = refusal("gpt2", gpt2.parent)
    assert (
        "expected a tokenizer.json that reads the words in seconds, in less than 2 GB, but the process that tried"
        in message
    )
    assert said in message
    assert str(describe(configured("gpt2"), gpt2.parent).problem) == message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize("is_whole", [True, False])
def test_limits_end_with_the_settings_that_they_are_for(gpt2: Path, is_whole: bool) -> None:
    import resource

    def limits() -> tuple[object, ...]:
        return (
            resource.getrlimit(resource.RLIMIT_DATA),
            signal.getsignal(signal.SIGPROF),
            signal.getitimer(signal.ITIMER_PROF),
        )

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    before = limits()
    if is_whole:
        load(configured("gpt2"), gpt2.parent, "cpu")
    else:
        edit_config(gpt2, n_layer=2)
        refusal("gpt2", gpt2.parent)
    assert limits() == before


@pytest.mark.skipif(sys.platform != "linux", reason="The limit is one of Linux")
def test_settings_that_take_too_long_end_with_a_line(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    def endless(*_: object, **__: object) -> None:
        while True:
            pass

    monkeypatch.setattr("tokviz.models.limits.SECONDS", 0.05)
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", endless)
    assert "expected settings of which a model is made in seconds, got some that take more than" in refusal(
        "gpt2", gpt2.parent
    )


@pytest.mark.skipif(sys.platform != "linux", reason="The limit is one of Linux")
def test_settings_that_take_too_much_memory_end_with_a_line(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    def boundless(*_: object, **__: object) -> object:
        return bytearray(1 << 43)

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", boundless)
    assert (
        "expected a model that can be made in the memory that is free, got one that takes more; check config"
        in refusal("gpt2", gpt2.parent)
    )


@pytest.mark.parametrize(
    "values",
    [
        {"added_tokens_decoder": {"2": {"content": "x" * 20_000}}},
        {"extra_special_tokens": [f"<{index}>" for index in range(200_000)]},
        {"pad_token": "x" * 20_000},
        {"added_tokens_decoder": {str(index): {"content": f"{index}" * 1000} for index in range(3000)}},
    ],
    ids=["long", "many", "pad", "all"],
)
@pytest.mark.parametrize("file", ["tokenizer_config.json", "special_tokens_map.json"])
def test_tokens_beside_the_vocabulary_are_bounded(gpt2: Path, file: str, values: dict[str, Any]) -> None:
    edit(gpt2 / file, **values)
    assert f"{file}: expected at most 100,000 tokens of at most 10,000 characters in {next(iter(values))}" in refusal(
        "gpt2", gpt2.parent
    )


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("added_tokens.json", {f"{index}" * 1000: index for index in range(3000)}, "5,000,000 in all, got more"),
        ("tekken.json", {"config": {"default_num_special_tokens": 8_000_000}}, "at most 100,000, got 8000000"),
    ],
)
def test_files_of_further_tokens_are_bounded(gpt2: Path, file: str, values: dict[str, Any], said: str) -> None:
    edit(gpt2 / file, **values)
    message = refusal("gpt2", gpt2.parent)
    assert f"{file}: expected " in message
    assert said in message


def test_what_is_counted_of_a_training_is_no_part_of_a_model(gpt2: Path) -> None:
    edit_config(gpt2, n_params=124_000_000, num_train_steps=10**9, task_specific_params={"n_tokens_seen": 10**12})
    assert first_weight(gpt2) > 0


def test_layers_that_share_weights_are_bounded(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny.copy("albert", tmp_path / "albert")
    edit_config(folder, num_hidden_layers=999)
    assert "tensors in its weights files, got 999 layers" in refusal("albert", tmp_path)
    weights = load_file(folder / "model.safetensors")
    others = {f"other.{index}": torch.zeros(1) for index in range(1000)}
    save_file({**weights, **others}, folder / "model.safetensors", metadata={"format": "pt"})
    assert "of the 23 tensors" in refusal("albert", tmp_path), "those of the model itself"


def test_a_timer_of_the_callers_goes_on(gpt2: Path) -> None:
    if not hasattr(signal, "setitimer"):
        pytest.skip("Windows has none")
    began = time.process_time()
    before = signal.setitimer(signal.ITIMER_PROF, 1000, 5)
    try:
        load(configured("gpt2"), gpt2.parent, "cpu")
        left, interval = signal.getitimer(signal.ITIMER_PROF)
    finally:
        signal.setitimer(signal.ITIMER_PROF, *before)
    assert left == pytest.approx(1000 - (time.process_time() - began), abs=0.1), (
        "the system rounds each time that it is set"
    )
    assert interval == 5


def test_several_threads_load_one_after_the_other(tiny: Tiny) -> None:
    names = ["gpt2", "t5"] * 3
    for name in names:
        tiny(name)
    with ThreadPoolExecutor(3) as threads:
        loaded = threads.map(lambda name: load(configured(name), tiny.folder, "cpu").card.n_layers, names)
        assert list(loaded) == [3] * 6


def test_a_run_knows_before_it_loads_a_library(gpt2: Path) -> None:
    indexed(gpt2, "../other.safetensors")
    with pytest.raises(Exception, match="no other file is read as weights"):
        check(configured("gpt2"), gpt2.parent)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("by_link", [False, True])
def test_a_file_that_is_exchanged_while_it_is_read_is_noticed(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, by_link: bool
) -> None:
    """After its checksum, or that it is the folder's own, was seen; also where the first one is back at the end."""
    other = tmp_path / "elsewhere"
    shutil.copy(gpt2 / file, other)
    check = refusals.check_sha256

    def exchanged(*arguments: Any) -> None:
        check(*arguments)
        if by_link:
            (gpt2 / file).rename(tmp_path / "first")
            (gpt2 / file).symlink_to(other)
            (gpt2 / file).unlink()
            (tmp_path / "first").rename(gpt2 / file)
        else:
            shutil.copy(other, gpt2 / file)

    monkeypatch.setattr(staging, "check_sha256", exchanged)
    assert f"got another {file} meanwhile; run again" in refusal("gpt2", gpt2.parent)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="links lead to open files where a system names them")
def test_weights_are_those_that_were_linked_even_if_the_folder_is_exchanged_and_back(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, other, away = first_weight(gpt2), tmp_path / "other", tmp_path / "away"
    shutil.copytree(gpt2, other)
    zeros_of(gpt2, other / "model.safetensors")
    link, unchanged = staging.stage_weights, staging.Staged.require_unchanged

    def linked(*arguments: Any) -> None:
        link(*arguments)
        if not away.exists():
            gpt2.rename(away)
            other.rename(gpt2)

    def put_back(staged: staging.Staged) -> None:
        if away.exists():
            gpt2.rename(other)
            away.rename(gpt2)
        unchanged(staged)

    monkeypatch.setattr(staging, "stage_weights", linked)
    monkeypatch.setattr(staging.Staged, "require_unchanged", put_back)
    assert first_weight(gpt2) == true > 0


def test_a_tokenizer_that_was_trained_with_dropout_cuts_words_in_one_way(gpt2: Path) -> None:
    tokenizer = json.loads((gpt2 / "tokenizer.json").read_text())
    loaded = load(configured(gpt2.name), gpt2.parent, "cpu").tokenizer
    words = ["January", "firefighter", " doctor"] * 20
    expected = loaded(words)["input_ids"]
    tokenizer["model"]["dropout"] = 0.9
    (gpt2 / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert load(configured(gpt2.name), gpt2.parent, "cpu").tokenizer(words)["input_ids"] == expected


def test_a_file_that_is_gone_since_it_was_listed_is_no_closed_one(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its permissions can't be changed."""
    monkeypatch.setattr(files, "files_like", lambda *_: [gpt2 / "config.json", gpt2 / "gone.json"])
    assert "while they are read, found no gone.json any more; run again" in refusal("gpt2", gpt2.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
def test_a_pipe_that_takes_a_files_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    assert safetensors_header.tensors(tmp_path / "model.safetensors") == {}
    assert safetensors_header.length(tmp_path / "model.safetensors") == 0
    with opened(tmp_path / "model.safetensors") as file:
        assert file.read() == b""
