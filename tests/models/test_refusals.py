"""Sources that are refused or fail to load, and how the message says what to do."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from families import Tiny
from hub_server import COMMIT
from narrow import present
from safetensors.torch import load_file, save_file
from sources import configured, edit_config, refusal

from tokviz.errors import SourceError
from tokviz.models import check, identity, load, quiet_transformers


def test_pickled_weights_are_refused_with_the_remedy(llama: Path) -> None:
    torch.save({}, llama / "pytorch_model.bin")
    (llama / "model.safetensors").unlink()
    message = refusal("llama", llama.parent)
    assert "pytorch_model.bin" in message
    assert "save_pretrained" in message
    assert "safetensors/convert" in message


def test_a_folder_of_gguf_files_asks_for_one_of_them(llama: Path) -> None:
    (llama / "model.safetensors").rename(llama / "tiny.gguf")
    assert "(tiny.gguf); name one of the files as the source" in refusal("llama", llama.parent)


def test_a_folder_without_weights_or_config_is_refused(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    assert "found no weights" in refusal("llama", llama.parent)
    (llama / "config.json").unlink()
    assert "config.json, found none" in refusal("llama", llama.parent)


def test_a_wrong_sha256_names_both(llama: Path) -> None:
    found = hashlib.sha256((llama / "model.safetensors").read_bytes()).hexdigest()
    message = refusal("llama", llama.parent, sha256="a" * 64)
    assert "a" * 64 in message
    assert found in message
    card = load(configured("llama", sha256=found), llama.parent, "cpu").card
    assert card.identity.startswith(f"sha256:{found} settings:")


def test_a_sha256_of_several_files_is_refused(llama: Path) -> None:
    shutil.copy(llama / "model.safetensors", llama / "more.safetensors")
    assert "expected one weights file, as sha256 is of one, found 2" in refusal("llama", llama.parent, sha256="a" * 64)


def test_missing_weights_are_refused(llama: Path) -> None:
    weights = load_file(llama / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    assert "found none for layers.1.mlp.up_proj.weight" in refusal("llama", llama.parent)


def test_missing_embeddings_that_two_stacks_share_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    weights_file = tiny.copy("t5", tmp_path / "t5") / "model.safetensors"
    weights = load_file(weights_file)
    del weights["shared.weight"]
    save_file(weights, weights_file, metadata={"format": "pt"})
    assert "found none for encoder.embed_tokens.weight" in refusal("t5", tmp_path)


def test_a_model_that_does_not_tell_its_embedding_is_refused(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import LlamaModel

    def not_told(_model: object) -> NoReturn:
        raise NotImplementedError("please override in the subclass")

    monkeypatch.setattr(LlamaModel, "get_input_embeddings", not_told)
    assert "expected a token embedding from get_input_embeddings() of LlamaModel, got none" in refusal(
        "llama", llama.parent
    )


def test_a_missing_pooler_is_accepted(checkpoints: Path) -> None:
    names = load_file(checkpoints / "bert" / "model.safetensors").keys()
    assert not any("pooler" in name for name in names)
    assert load(configured("bert"), checkpoints, "cpu").card.architecture == "BertModel"


DEEP = f'{{"x": {"[" * 100_000}{"]" * 100_000}}}'


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_brackets_within_brackets_are_told_with_their_file(llama: Path, file: str) -> None:
    (llama / file).write_text(DEEP)
    assert f"expected at most some hundred brackets within each other, got more in {file};" in refusal(
        "llama", llama.parent
    )


def test_what_is_not_read_of_a_model_may_be_anything(llama: Path) -> None:
    for file in ("generation_config.json", "model.safetensors.index.json"):
        (llama / file).write_text(DEEP)
    assert load(configured("llama"), llama.parent, "cpu").card.n_layers == 3


def test_an_adapters_config_may_be_anything(llama: Path) -> None:
    (llama / "model.safetensors").rename(llama / "adapter_model.safetensors")
    (llama / "adapter_config.json").write_text(DEEP)
    assert "got an adapter (PEFT); merge it" in refusal("llama", llama.parent)


def test_an_index_of_weights_that_is_damaged_is_told(llama: Path) -> None:
    (llama / "model.safetensors").rename(llama / "model-00001-of-00001.safetensors")
    (llama / "model.safetensors.index.json").write_text(DEEP)
    assert "got more in model.safetensors.index.json;" in refusal("llama", llama.parent)


@pytest.mark.parametrize("n_bytes", [-1, -4000, 9, 0])
def test_weights_that_were_cut_off_are_known_before_a_library_reads_them(llama: Path, n_bytes: int) -> None:
    weights = llama / "model.safetensors"
    whole = weights.read_bytes()
    check(configured("llama"), llama.parent)
    weights.write_bytes(whole[:n_bytes])
    left = len(whole[:n_bytes])
    with pytest.raises(SourceError) as caught:
        check(configured("llama"), llama.parent)
    told = f"llama: expected the whole of model.safetensors, got only {left:,} bytes of it; copy or download it again"
    assert str(caught.value) == refusal("llama", llama.parent) == told


def test_a_pointer_of_git_lfs_is_told(llama: Path) -> None:
    (llama / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "got a pointer of Git LFS to it; run: git lfs pull" in refusal("llama", llama.parent)


@pytest.mark.parametrize("length", [2**63, 10**9])
def test_weights_whose_header_claims_another_length_are_told(llama: Path, length: int) -> None:
    (llama / "model.safetensors").write_bytes(struct.pack("<Q", length) + b"{}")
    assert "expected files that a model can be loaded of, got SafetensorError: " in refusal("llama", llama.parent)


def test_more_layers_than_any_model_has_are_not_made(llama: Path) -> None:
    for n_layers, said in (
        (20_000, "expected at most 1,000 layers, got 20,000 in its config"),
        (10**9, "expected num_hidden_layers of a model, at most 1,000,000, got 1000000000"),
    ):
        edit_config(llama, num_hidden_layers=n_layers)
        assert said in refusal("llama", llama.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"])
def test_a_pipe_or_a_device_among_a_models_files_is_never_opened(llama: Path, file: str) -> None:
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (llama / file).unlink(missing_ok=True)
        make(llama / file)
        assert f"expected files, got a pipe, a device or the like: {file}; remove it" in refusal("llama", llama.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
def test_a_pipe_among_the_files_of_a_tokenizer_of_its_own_is_never_opened(llama: Path) -> None:
    (llama.parent / "other").mkdir()
    os.mkfifo(llama.parent / "other" / "tokenizer.json")
    message = refusal("llama", llama.parent, tokenizer="./other")
    assert message.startswith("llama: tokenizer: ./other: expected files, got a pipe, a device or the like")


@pytest.mark.skipif(sys.platform != "linux", reason="Other systems refuse such names")
def test_a_folder_whose_name_is_no_text_is_told_before_a_library_fails(llama: Path) -> None:
    base = llama.parent / os.fsdecode(b"\xff")
    base.mkdir()
    shutil.copytree(llama, base / "llama")
    assert refusal("llama", base).startswith(
        "llama: expected a path of utf-8 text, as the library of tokenizers takes no"
    )
    (llama / os.fsdecode(b"\xff.safetensors")).touch()
    assert present(identity(configured("llama"), llama.parent)).startswith("files:")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", "expected files that a model can be loaded of, got "),
        ("tokenizer.json", "expected a tokenizer that can be read, got "),
    ],
)
def test_a_damaged_file_is_one_line_with_its_cause(llama: Path, file: str, said: str) -> None:
    path = llama / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError) as caught:
        load(configured("llama"), llama.parent, "cpu")
    assert str(caught.value).startswith(f"llama: {said}")
    assert "\n" not in str(caught.value)
    assert str(llama.parent) not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_failure_names_no_folders_with_spaces(checkpoints: Path, tmp_path: Path) -> None:
    base = tmp_path / "of a person" / "with secrets"
    shutil.copytree(checkpoints / "llama", base / "llama")
    (base / "llama" / "config.json").write_text("{")
    message = refusal("llama", base)
    assert "person" not in message
    assert "secrets" not in message


def test_a_path_from_the_current_folder_leaves_the_rest_of_a_message_alone(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (llama / "config.json").write_text("{")
    for folder, source in ((llama.parent, "llama"), (llama, ".")):
        monkeypatch.chdir(folder)
        with pytest.raises(SourceError, match=r"config\.json"):
            load(configured(source), Path(), "cpu")


def test_code_from_a_checkpoint_is_never_run(llama: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    (llama / "modeling_odd.py").write_text(f"open({str(mark)!r}, 'w')\nclass OddModel: pass\nclass OddConfig: pass\n")
    auto_map = {"AutoModel": "modeling_odd.OddModel", "AutoConfig": "modeling_odd.OddConfig"}

    edit_config(llama, auto_map=auto_map)
    model = load(configured("llama"), llama.parent, "cpu")
    assert model.card.architecture == "LlamaModel"
    assert any("code of its own; it was not run" in note for note in model.card.notes)

    edit_config(llama, auto_map=auto_map, model_type="odd")
    assert "which tokviz never runs" in refusal("llama", llama.parent)
    assert not mark.exists()


def test_an_unknown_model_type_names_it(llama: Path) -> None:
    edit_config(llama, model_type="odd")
    assert "got 'odd'; a newer transformers may have it" in refusal("llama", llama.parent)


def test_a_device_that_is_not_there_is_one_line(checkpoints: Path) -> None:
    with pytest.raises(SourceError, match=r"^llama: expected files that a model can be loaded of, got "):
        load(configured("llama"), checkpoints, "no-such-device")


def raised(name: str) -> Exception:
    """As transformers raises it: its own ``OSError`` over the Hub's."""
    from huggingface_hub import errors

    kind = getattr(errors, name)
    error = OSError("We couldn't load it.\nSee the documentation.")
    error.__cause__ = kind.__new__(kind)
    return error


@pytest.mark.parametrize(
    ("error", "offline", "expected"),
    [
        (
            lambda: raised("GatedRepoError"),
            "",
            "accept its terms at https://huggingface.co/org/name, then log in with hf auth login, or set HF_TOKEN",
        ),
        (lambda: raised("RepositoryNotFoundError"), "", "or set HF_TOKEN, if the model is private"),
        (lambda: raised("RevisionNotFoundError"), "", "got revision 'v9', which the Hub doesn't know"),
        (lambda: raised("LocalEntryNotFoundError"), "", "can't reach the Hub"),
        (lambda: raised("LocalEntryNotFoundError"), "1", "HF_HUB_OFFLINE forbids downloads"),
        (
            lambda: ValueError("something\nelse"),
            "",
            "expected files that a model can be loaded of, got ValueError: something else",
        ),
        (
            lambda: AttributeError("no such thing"),
            "",
            "can't make the model from its config.json (AttributeError: no such",
        ),
        (
            lambda: AttributeError("no such thing"),
            "1",
            "can't make the model from its config.json (AttributeError: no such",
        ),
        (
            lambda: ImportError("requires the timm library"),
            "",
            "a package that isn't installed here: ImportError: requires",
        ),
    ],
)
def test_failures_of_the_hub_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], offline: str, expected: str
) -> None:
    def fail(*_args: object, **_options: object) -> NoReturn:
        raise error()

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    assert expected in refusal("org/name", tmp_path, revision="v9")


def test_a_hub_id_is_not_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere" / "gpt2").mkdir(parents=True)
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "the current folder holds something of that name" in refusal("gpt2", tmp_path / "config")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty Hugging Face cache, without the Hub."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # It has read both variables when it was imported.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def put_into_cache(checkpoint: Path, cache: Path) -> Path:
    repository = cache / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(checkpoint, repository / "snapshots" / COMMIT))


def test_a_cached_hub_model_loads_at_its_commit_without_the_hub(
    checkpoints: Path, tmp_path: Path, offline: Path
) -> None:
    put_into_cache(checkpoints / "llama", offline)
    card = load(configured("org/name"), tmp_path, "cpu").card
    assert (card.source, card.identity, card.n_layers) == ("org/name", f"commit:{COMMIT}", 3)


def test_what_a_checkpoint_says_acts_on_no_terminal(llama: Path) -> None:
    (llama / "model.safetensors").rename(llama / "adapter_model.safetensors")
    adapter = {"base_model_name_or_path": "org/\x1b[31m\nbase"}
    (llama / "adapter_config.json").write_text(json.dumps(adapter))
    assert "to org/⟨U+001B⟩[31m base; merge it" in refusal("llama", llama.parent)


def test_an_adapter_on_the_hub_is_told_from_a_model(checkpoints: Path, tmp_path: Path, offline: Path) -> None:
    snapshot = put_into_cache(checkpoints / "llama", offline)
    (snapshot / "config.json").unlink()
    (snapshot / "adapter_config.json").write_text('{"base_model_name_or_path": "/of/a/person/secrets/base"}')
    message = refusal("org/name", tmp_path)
    assert "got an adapter (PEFT) to base; merge it" in message
    assert "secrets" not in message


@pytest.mark.parametrize("sha256", [None, "a" * 64])
def test_a_hub_model_that_is_not_cached_needs_the_hub(tmp_path: Path, offline: Path, sha256: str | None) -> None:
    message = refusal("org/name", tmp_path, sha256=sha256)
    assert "found it missing or incomplete, and HF_HUB_OFFLINE forbids downloads" in message
    assert "name a folder" in message
    # A plan says so before the run does.
    with pytest.raises(SourceError) as caught:
        check(configured("org/name", sha256=sha256), tmp_path)
    assert str(caught.value) == message


def test_a_failure_to_load_does_not_name_the_cache_folder(
    checkpoints: Path, tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    config = put_into_cache(checkpoints / "llama", offline) / "config.json"
    config.write_text("{")
    message = refusal("org/name", tmp_path)
    assert "config.json" in message
    assert str(tmp_path) not in message


def test_what_a_models_files_say_is_not_printed_by_libraries(capfd: pytest.CaptureFixture[str]) -> None:
    """Their errors hold values as they are, with whatever a terminal would obey."""
    from transformers.utils import logging

    with quiet_transformers():
        logging.get_logger("transformers.configuration_utils").error("\x1b]0;other\x07")
    assert capfd.readouterr().err == ""
