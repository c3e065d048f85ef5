"""A folder that is exchanged for another and back, while a model is read of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sources import configured, edit_config, refusal, zeros_of

from tokviz.models import identity, loading, staging, weights
from tokviz.models.origin import Origin


def exchange(monkeypatch: pytest.MonkeyPatch, model: Path, other: Path, file: str, step: str) -> None:
    """Another folder is in a model's place whenever a step of ``staging`` opens one of its files, and at no other time."""
    real, act, away, is_due = os.open, getattr(staging, step), other.parent / "away", False

    def exchanged(path: Any, *rest: Any, **options: Any) -> int:
        if not is_due or Path(path) != model / file:
            return real(path, *rest, **options)
        model.rename(away)
        other.rename(model)
        try:
            return real(path, *rest, **options)
        finally:
            model.rename(other)
            away.rename(model)

    def acted(*arguments: Any) -> None:
        nonlocal is_due
        is_due = True
        act(*arguments)
        is_due = False

    monkeypatch.setattr(os, "open", exchanged)
    monkeypatch.setattr(staging, step, acted)


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]
)
def test_settings_that_are_read_of_an_exchanged_folder_are_noticed(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    for name in ("special_tokens_map.json", "added_tokens.json"):
        (gpt2 / name).write_text("{}")
    shutil.copytree(gpt2, tmp_path / "other")
    exchange(monkeypatch, gpt2, tmp_path / "other", file, "stage_settings")
    assert f"got another {file} meanwhile; run again" in refusal("gpt2", gpt2.parent)


def test_a_checksum_of_an_exchanged_folder_is_none_of_the_weights(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(gpt2, tmp_path / "other")
    sha256 = hashlib.sha256((gpt2 / "model.safetensors").read_bytes()).hexdigest()
    zeros_of(gpt2, gpt2 / "model.safetensors")
    assert f"expected sha256 {sha256}, got " in refusal("gpt2", gpt2.parent, sha256=sha256)
    exchange(monkeypatch, gpt2, tmp_path / "other", "model.safetensors", "check_sha256")
    assert "got another model.safetensors meanwhile; run again" in refusal("gpt2", gpt2.parent, sha256=sha256)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="links lead to open files where a system names them")
def test_every_file_of_a_tokenizer_is_held_and_room_is_left_for_weights(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging.Held, "_MOST_OTHERS", 20)
    monkeypatch.setattr(staging.Held, "_MOST", 30)

    def held() -> set[str]:
        origin = Origin.of(configured("gpt2"), gpt2.parent)
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "staged"
        staged = staging.Staged.of(origin, folder).linked()
        assert {link.name for link in folder.iterdir()} >= {"merges.txt", *staged.files.settings}
        return {link.name for link in folder.iterdir() if link.is_symlink() and link.readlink().is_relative_to("/proc")}

    (gpt2 / "merges.txt").touch()
    (gpt2 / "spiece.model").touch()
    (gpt2 / "tokenizer.4.0.0.json").touch()
    assert held() == {"tokenizer.json", "merges.txt", "spiece.model", "model.safetensors"}
    for index in range(40):
        (gpt2 / f"{index}.txt").touch()
    assert held() >= {"tokenizer.json", "model.safetensors"}


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Something is done after a model's settings were read, before its weights are."""
    real = weights.load_weights

    def acted(*given: Any, **named: Any) -> Any:
        act()
        return real(*given, **named)

    monkeypatch.setattr(loading, "load_weights", acted)


@pytest.mark.parametrize("has_checksum", [False, True])
def test_a_file_that_comes_while_a_model_is_loaded_is_noticed(
    gpt2: Path, monkeypatch: pytest.MonkeyPatch, has_checksum: bool
) -> None:
    """It was not read, and would be part of the identity."""
    sha256 = {"sha256": hashlib.sha256((gpt2 / "model.safetensors").read_bytes()).hexdigest()} if has_checksum else {}
    with monkeypatch.context() as patched:
        meanwhile(patched, lambda: (gpt2 / "added_tokens.json").write_text("{}"))
        assert "got another added_tokens.json meanwhile; run again" in refusal("gpt2", gpt2.parent, **sha256)
    assert loading.load(configured("gpt2", **sha256), gpt2.parent, "cpu").card.n_layers == 3


def test_what_is_no_part_of_a_model_may_come_meanwhile(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: (gpt2 / "README.md").touch())
    assert loading.load(configured("gpt2"), gpt2.parent, "cpu").card.n_layers == 3


@pytest.mark.parametrize("file", ["tokenizer.json", "added_tokens.json"])
def test_a_tokenizer_from_elsewhere_that_changes_while_weights_are_loaded_is_noticed(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(gpt2 / "tokenizer.json", own)
    other = tmp_path / "other"
    other.write_text((gpt2 / "tokenizer.json").read_text() + " ")
    with monkeypatch.context() as patched:
        meanwhile(patched, lambda: other.rename(own / file))
        message = refusal("gpt2", tmp_path, tokenizer="./own")
    assert f"expected files that stay as they are while they are read, got another {file} meanwhile" in message


def cached(hub: Path, model: Path, commit: str, repository: str = "name") -> None:
    """Put a model into a Hugging Face cache, to which its branch leads from now on."""
    branch = hub / f"models--org--{repository}" / "refs" / "main"
    branch.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(model, branch.parents[1] / "snapshots" / commit)
    branch.write_text(commit)


@pytest.mark.parametrize("has_checksum", [False, True])
def test_states_are_of_the_commit_that_was_listed_even_if_the_branch_moves_while_it_is_loaded(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_checksum: bool
) -> None:
    """As a download of a newer one, by another program, has it; of a tokenizer from elsewhere, too."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sha256 = {"sha256": hashlib.sha256((gpt2 / "model.safetensors").read_bytes()).hexdigest()} if has_checksum else {}
    model = configured("org/name", tokenizer="org/words", **sha256)
    for repository in ("name", "words"):
        cached(tmp_path / "hub", gpt2, "a" * 40, repository)
    listed = identity(model, tmp_path)
    edit_config(gpt2, layer_norm_epsilon=0.5)

    def move() -> None:
        for repository in ("name", "words"):
            cached(tmp_path / "hub", gpt2, "b" * 40, repository)

    meanwhile(monkeypatch, move)
    assert loading.load(model, tmp_path, "cpu").card.identity == listed
    assert identity(model, tmp_path) != listed


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="links lead to open files where a system names them")
@pytest.mark.parametrize("has_checksum", [False, True])
def test_states_are_of_the_folder_that_was_listed_wherever_its_path_leads_after_that(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_checksum: bool
) -> None:
    """It leads back for the last look at what has changed."""
    sha256 = {"sha256": hashlib.sha256((gpt2 / "model.safetensors").read_bytes()).hexdigest()} if has_checksum else {}
    other, link, unchanged = tmp_path / "other", tmp_path / "link", staging.Staged.require_unchanged
    shutil.copytree(gpt2, other)
    edit_config(other, layer_norm_epsilon=0.5)
    link.symlink_to(gpt2)
    model = configured("./link", **sha256)
    listed = identity(model, tmp_path)

    def lead(to: Path) -> None:
        link.unlink()
        link.symlink_to(to)

    def back(staged: staging.Staged) -> None:
        lead(gpt2)
        unchanged(staged)

    meanwhile(monkeypatch, lambda: lead(other))
    monkeypatch.setattr(staging.Staged, "require_unchanged", back)
    if has_checksum:  # settings are read again for it
        assert "expected files that stay as they are while they are read, got another " in refusal(
            "./link", tmp_path, **sha256
        )
    else:
        assert loading.load(model, tmp_path, "cpu").card.identity == listed
    lead(other)
    assert identity(model, tmp_path) != listed
