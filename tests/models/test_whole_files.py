"""A model's files that are too large, that may not be read, or whose names are odd: each is refused in one line or tells the model apart."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sources import configured, edit_config, refusal
from tiny_gguf import as_gguf, qwen2
from tiny_tokenizers import whole_words

from tokviz.capture.tokens import _refuse_long, _something_before, tokenize, tokenize_vocabulary
from tokviz.config import ModelConfig
from tokviz.errors import ModelError, SourceError
from tokviz.models import check, files, identity, is_same, load, refuse_too_many, safetensors_header
from tokviz.models.failures import _is_too_nested
from tokviz.models.weights import quantization_of
from tokviz.records import Context

ALONE = Context(name="a", label="a", template="{word}")
MORE = 50 * 2**30
"""Bytes that no disk need have: a file has them, and they are zero."""


def pinned(model: Path) -> ModelConfig:
    digest = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    return ModelConfig(source=model.name, sha256=digest)


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


# --- identities --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_name_of_two_lines_is_not_two_files(llama: Path, is_pinned: bool) -> None:
    model = pinned(llama) if is_pinned else configured("llama")
    zz = llama / "zz.json"
    zz.write_text("{}")
    os.utime(zz, ns=(5, 5))
    one = identity(model, llama.parent)
    config = llama / "tokenizer_config.json"
    status = config.stat()
    line = hashlib.sha256(config.read_bytes()).hexdigest() if is_pinned else f"{status.st_size} {status.st_mtime_ns}"
    zz.rename(llama / f"tokenizer_config.json {line}\nzz.json")
    config.unlink()
    assert identity(model, llama.parent) != one


def test_settings_that_cannot_be_read_are_refused_and_are_no_settings_that_were_stored(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = pinned(llama)
    stored = identity(model, llama.parent)
    assert stored is not None
    closed = llama / "zz.txt"
    closed.write_text("x")
    opened, access = os.open, os.access

    def refused(path: Any, *arguments: Any, **options: Any) -> int:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    # The tests may run as root, who reads everything.
    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed and access(path, mode))
    now = identity(model, llama.parent)
    for other in (stored, stored.partition(" ")[0]):
        assert not is_same(now, other)
    with pytest.raises(SourceError, match=r"expected files that may be read, got a closed one: zz\.txt"):
        check(model, llama.parent)


def test_settings_larger_than_any_are_told_and_not_read(llama: Path) -> None:
    model = pinned(llama)
    stored = identity(model, llama.parent)
    os.truncate(shutil.copy(llama / "config.json", llama / "zz.txt"), MORE)
    assert identity(model, llama.parent) not in (stored, None)
    said = refusal("llama", llama.parent)
    assert "expected settings of at most 1,000,000,000 bytes in all, got " in said


def test_a_folder_of_more_files_than_any_model_has_is_refused_before_they_are_looked_at(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 20)
    load(configured("llama"), llama.parent, "cpu")
    for number in range(20):
        (llama / f"{number}.txt").touch()
    monkeypatch.setattr(files, "signature", lambda _: pytest.fail("they were looked at"))
    assert "expected at most 20 files of a model (*.safetensors, *.json, " in refusal("llama", llama.parent)


# --- weights -----------------------------------------------------------------------------------------------------


def test_a_file_most_of_which_was_never_written_is_refused_before_it_is_read(llama: Path) -> None:
    os.truncate(llama / "model.safetensors", MORE)
    said = refusal("llama", llama.parent)
    assert "expected a file that is on the disk as a whole, got model.safetensors with " in said
    assert f" of its {MORE:,} bytes there; " in said


def test_a_gguf_file_most_of_which_was_never_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    os.truncate(tmp_path / "tiny.gguf", MORE)
    assert "got tiny.gguf with " in refusal("tiny.gguf", tmp_path)


def test_settings_of_a_million_tables_are_not_read(llama: Path) -> None:
    edit_config(llama, extra=[{}] * 1_000_001)
    assert "config.json is no valid JSON: more than 1,000,000 times “{”" in refusal("llama", llama.parent)


def test_a_header_of_a_million_tables_is_not_read(llama: Path) -> None:
    """Of the bytes that a header may have, they would take a gigabyte."""
    header = json.dumps({"a": [{}] * 1_000_001}).encode()
    (llama / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert (
        "expected the whole of model.safetensors, got a header with more than 1,000,000 times “{”, more than of any model; "
        "download it again" in refusal("llama", llama.parent)
    )
    assert safetensors_header.tensors(llama / "model.safetensors") == {}


def test_weights_with_more_behind_them_are_refused_before_they_are_hashed(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LEAST_WRITTEN", 0)
    model = pinned(llama)
    os.truncate(llama / "model.safetensors", MORE)
    with pytest.raises(SourceError, match=f"got {MORE:,} bytes, more than its header says"):
        load(model, llama.parent, "cpu")


@pytest.mark.slow
def test_a_gguf_file_with_more_behind_its_tensors_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LEAST_WRITTEN", 0)
    as_gguf(qwen2(tmp_path / "tiny"), tmp_path / "tiny.gguf", "Q8_0")
    load(configured("tiny.gguf"), tmp_path, "cpu")
    os.truncate(tmp_path / "tiny.gguf", MORE)
    assert f"got {MORE:,} bytes, more than its tensors take" in refusal("tiny.gguf", tmp_path)


def test_layers_that_a_key_calls_further_ones_must_have_what_predicts_further(llama: Path) -> None:
    """In DeepSeek's and GLM's checkpoints each has a projection and norms that no layer of the stack has."""
    edit_config(llama, num_hidden_layers=2, num_nextn_predict_layers=1)
    assert "expected as many layers as follow from config.json, 2, found weights of 3" in refusal("llama", llama.parent)


def test_files_and_headers_have_a_number_that_is_read_at_once(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any capture, in the process that all models share."""
    weights = {f"weight.{index}": f"{index}.safetensors" for index in range(2_001)}
    (llama / "model.safetensors").rename(llama / "other.safetensors")
    (llama / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    assert "expected weights in at most 2,000 files, got 2,001" in refusal("llama", llama.parent)
    weights = {f"weight.{index}": f"{index}.safetensors" for index in range(3)}
    (llama / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    for name in weights.values():
        (llama / name).symlink_to("other.safetensors")
    monkeypatch.setattr("tokviz.models.refusals._MOST_OF_HEADERS", 5_000)
    assert "expected headers of at most 5,000 bytes in all, got more up to 1.safetensors" in refusal(
        "llama", llama.parent
    )


def test_brackets_within_brackets_are_looked_for_in_small_files_alone(llama: Path) -> None:
    (llama / "config.json").write_text("[" * 100_000)
    (llama / "a.json").write_text("[" + "[]," * 5_000_000 + "[]]")
    assert "got more in config.json" in refusal("llama", llama.parent)
    assert not _is_too_nested(llama / "a.json")
    (llama / "b.json").write_text("[" * 20_000_000)
    assert not _is_too_nested(llama / "b.json"), "it was read"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"quant_method": "gptq", "bits": 4}, "GPTQ 4-bit"),
        ({"quant_method": "bitnet", "bits": 1.58}, "BITNET 1.58-bit"),
        ({"quant_method": "gptq", "bits": "9" * 5_000_000}, "GPTQ"),
        ({"quant_method": "gptq", "bits": 10**9}, "GPTQ"),
        ({"quant_method": "x" * 5_000_000}, "X" * 40),
        ({"quant_method": "\u202egnab"}, "⟨U+202E⟩GNAB"),
    ],
)
def test_a_quantization_has_a_short_name_and_a_number(values: dict[str, Any], shown: str) -> None:
    assert quantization_of(SimpleNamespace(quantization_config=values)) == shown


def test_numbers_of_loops_and_an_adapters_config_are_bounded(llama: Path, tmp_path: Path) -> None:
    edit_config(llama, pretraining_tp=10**12)
    assert "expected pretraining_tp of a model, at most 1,000, got 1000000000000" in refusal("llama", llama.parent)
    edit_config(llama, pretraining_tp=1)
    for loops in ("hc_sinkhorn_iters", "block_repeats", "n_cycles"):
        edit_config(llama, **{loops: [1, 1001]})
        assert f"expected {loops} of a model, at most 1,000" in refusal("llama", llama.parent)
        edit_config(llama, **{loops: 1})
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").touch()
    os.truncate(adapter / "adapter_config.json", MORE)
    assert "expected a model, got an adapter (PEFT); merge it" in refusal("adapter", tmp_path)


def test_a_kind_of_model_is_named_in_short(llama: Path) -> None:
    edit_config(llama, model_type="x" * 5_000_000)
    assert len(refusal("llama", llama.parent)) < 400


# --- tokenizers --------------------------------------------------------------------------------------------------


def test_what_a_truncation_would_hide_is_seen_in_the_trial(gpt2: Path) -> None:
    edit(
        gpt2 / "tokenizer.json",
        truncation={"direction": "Right", "max_length": 900, "strategy": "LongestFirst", "stride": 0},
        normalizer={"type": "Replace", "pattern": {"Regex": r"\A.(?=.{0,12}\z)"}, "content": "q" * 300_000},
    )
    assert "made 300,0" in refusal("gpt2", gpt2.parent)


def test_tokens_of_any_kind_of_tokenizer_are_counted() -> None:
    refuse_too_many("org/m", [("word", 5), ("日本", 1048)])
    with pytest.raises(
        SourceError, match="org/m: expected at most 8 tokens of a byte of text, got 1,049 of 2 characters"
    ):
        refuse_too_many("org/m", [("日本", 1049)])


def test_a_token_whose_name_is_a_book_is_refused_and_one_that_turns_text_around_turns_itself() -> None:
    assert "puts \u2068\u202e[BOS]\u2069 before the text" in _something_before(("\u202e[BOS]",))
    assert "puts [CLS] before the text" in _something_before(("[CLS]",))
    tokenizer = whole_words(["u" * 1_001])
    assert tokenize(tokenizer, ("a",), ALONE, "last").words[0].pieces
    with pytest.raises(ModelError, match="expected names and texts of tokens of at most 1,000 characters, got 1,001"):
        tokenize(tokenizer, ("u" * 1_001,), ALONE, "last")


def test_many_long_names_around_a_word_and_many_long_texts_are_no_vocabulary() -> None:
    _refuse_long("", ["x" * 900] * 22, 0)
    for texts, n_expected in ((["x" * 900] * 23, 0), (["x" * 900] * 30, 30)):
        with pytest.raises(
            ModelError, match=r"expected names and texts of tokens of at most 2\d,\d00 characters, got 2\d,\d00"
        ):
            _refuse_long("", texts, n_expected)


def test_a_token_that_decodes_to_a_book_is_refused(llama: Path) -> None:
    doubled = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}
    edit(llama / "tokenizer.json", decoder={"type": "Sequence", "decoders": [{"type": "Fuse"}, *[doubled] * 15]})
    tokenizer = load(configured("llama"), llama.parent, "cpu").tokenizer
    with pytest.raises(ModelError, match="expected tokens that decode to at most 1,000 characters"):
        tokenize_vocabulary(tokenizer, ALONE, "last")
