"""A configured source → its kind and its place, and what of it the local Hugging Face cache has."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokviz.config import ModelConfig, expanded, kind_of_place
from tokviz.config.files import FILE, FOLDER, NOTHING
from tokviz.errors import SourceError
from tokviz.models import in_memory, plugins
from tokviz.models.opened import opened
from tokviz.text import one_line, shown

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
COMMIT = re.compile(r"[0-9a-f]{40}")
# Everything that changes the hidden states: weights, configs, and the files of every kind of tokenizer.
IDENTIFIED = ("*.safetensors", "*.json", "*.model", "*.txt", "*.tiktoken")
_NEEDED = ("config.json", "tokenizer.json", "tokenizer_config.json")
_EXPECTED = "expected a folder, a .gguf file, package:NAME/PATH or a hub id such as org/name"
_HUB_ADDRESS = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/(?P<path>[^?#]+).*")
MOST_OF_INDEX = 30_000_000
"""Bytes of the file that says which weights are where, if it is read at all."""
_MOST_OF_BRANCH = 1_000
"""Bytes: a commit has 40, and a line may end with two more."""
GIVEN = "arrays:"
"""What the source of states begins with that were given as numbers: there is no model."""
_BEFORE_REVISION = ("tree", "blob", "resolve", "commit")
"""What stands between a model's id and a revision in an address of the Hub."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a source is. ``path`` is None for a hub id, which transformers finds or downloads, and for a model in memory."""

    kind: Literal["hub", "folder", "gguf", "package", "memory"]
    path: Path | None
    package: str | None = None

    @property
    def is_gguf(self) -> bool:
        """Every other source is a folder, whatever its name ends with."""
        return self.path is not None and self.path.is_file()


def locate(model: ModelConfig, base: Path) -> Location:
    """Find ``model.source``; relative paths are relative to ``base``, the config's folder.

    Raises
    ------
    SourceError : it looks like a path or a package's file but isn't there, or has no known form; or a revision is named of
        files on this machine, or these are not to be kept.
    """
    location = _located(model.source, base)
    if location.path is not None:
        _refuse_hub_keys(model)
    return location


def _refuse_hub_keys(model: ModelConfig) -> None:
    if model.revision is not None:
        raise SourceError(
            f"{model.source}: expected no revision, as only models of the Hub have one, got {shown(model.revision)} for files on "
            "this machine; leave it out"
        )
    if not model.keep_weights:
        raise SourceError(
            f"{model.source}: expected no keep_weights, as only models of the Hub are downloaded, got false for files on this "
            "machine, which are never removed; leave it out"
        )


def _located(source: str, base: Path) -> Location:
    if source.startswith(in_memory.PREFIX):
        in_memory.require(source)
        return Location(kind="memory", path=None)
    if source.startswith("package:"):
        return _in_package(source)
    if source.startswith(GIVEN):
        raise SourceError(
            f"{source}: the states were given as numbers, and are not stored here; pass them to tokviz.from_arrays again"
        )
    added = plugins.place_of(source, base)
    if added is not None:
        return Location(kind="gguf" if added.is_file() else "folder", path=added)
    address = _HUB_ADDRESS.fullmatch(source)
    if address:
        raise SourceError(f"{source}: expected a hub id, got the address of a page; {_id_to_write(address['path'])}")
    path = base / expanded(source)
    found = kind_of_place(path)
    if source.endswith(".gguf") and found == FILE:
        return Location(kind="gguf", path=path)
    if found == FOLDER:
        return Location(kind="folder", path=path)
    if source.startswith((".", "/", "~")) or "\\" in source or source.endswith(".gguf") or found != NOTHING:
        what = {FILE: "a file that is no .gguf", NOTHING: "a path where there is nothing"}.get(found, found)
        raise SourceError(f"{source}: {_EXPECTED}, got {what}; paths are relative to the config's folder")
    if len(source) > 96 or not _HUB_ID.fullmatch(source):
        raise SourceError(f"{source}: {_EXPECTED}, got none of them; check the spelling")
    return Location(kind="hub", path=None)


def _id_to_write(path: str) -> str:
    """What to write instead of the address ``https://huggingface.co/PATH``."""
    parts = path.strip("/").split("/")
    ends = [index for index, part in enumerate(parts) if part in _BEFORE_REVISION]
    end = ends[0] if ends else min(len(parts), 2)
    name, revision, file = "/".join(parts[:end]), parts[end + 1 : end + 2], parts[end + 2 :]
    if file and file[-1].endswith(".gguf"):
        return f"download the file, hf download {name} {'/'.join(file)} --local-dir ., and name it as the source"
    pinned = f' and revision = "{revision[0]}"' if revision and revision[0] != "main" else ""
    return f'write the id, "{name}"{pinned}'


def _in_package(source: str) -> Location:
    name, _, inner = source.removeprefix("package:").partition("/")
    if not name.isidentifier() or not inner or ".." in Path(inner).parts or Path(inner).is_absolute():
        raise SourceError(f"{source}: expected package:NAME/PATH with a path inside the package; correct the source")
    # For a top-level name this searches the import path only and runs none of the package's code.
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        spec = None
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        raise SourceError(
            f"{source}: expected an installed package {name}, found none; correct the name, or install the package that has the model"
        )
    for folder in folders:
        path = Path(folder) / inner
        if path.is_dir() or (path.suffix == ".gguf" and path.is_file()):
            return Location(kind="package", path=path, package=name)
    raise SourceError(
        f"{source}: expected a folder or a .gguf file {inner!r} in the installed package {name}, found none; "
        "check the path or install another version"
    )


def weights_files(path: Path) -> list[Path]:
    """The safetensors files of a folder, sorted; a GGUF file itself."""
    return [path] if path.is_file() else files_like(path, ("*.safetensors",))


def files_like(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """The files directly in ``folder`` that match one of ``patterns``, sorted."""
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if kind_of_place(path) == FILE)


def own_cache(model: ModelConfig, downloads: Path | None) -> Path | None:
    """Where a hub model is looked for and downloaded to: ``downloads``, or None for the shared Hugging Face cache.

    What the shared cache has, it isn't downloaded again.
    """
    return None if downloads is None or is_whole_in_cache(model) else downloads


def cached_commit(model: ModelConfig, own: Path | None = None) -> str | None:
    """The commit of a hub model's revision, as the files of the local Hugging Face cache have it; None if not cached.

    ``own``: a cache of the model's own, in which its commit is looked for first.
    """
    revision = model.revision or "main"
    # A commit is its own identity, so states captured from it can be used without the weights.
    if COMMIT.fullmatch(revision):
        return revision
    if own is not None and (commit := commit_in_cache(model, own)):
        return commit
    commit = commit_in_cache(model)
    folder = _snapshots(model) / commit if commit else None
    return commit if folder and is_real_snapshot(folder) and weights_files(folder) else None


def snapshot(model: ModelConfig, own: Path | None = None) -> Path | None:
    """The folder of a hub model's files in the local Hugging Face cache; None if its revision was never looked for, or if that is a link.

    ``own``: a cache in place of that one.
    """
    commit = cached_commit(model, own) or commit_in_cache(model)
    folder = _snapshots(model, own) / commit if commit else None
    return folder if folder and is_real_snapshot(folder) else None


def is_real_snapshot(folder: Path) -> bool:
    """Whether a folder is, or would be, that of a commit in a repository of the cache, and no link to another one.

    The repository itself may be on another disk.
    """
    repository = os.path.realpath(folder.parent.parent)  # which of links that lead to each other raises nothing
    true = Path(repository, "snapshots", folder.name)
    return COMMIT.fullmatch(folder.name) is not None and Path(os.path.realpath(folder)) == true


def pin_commit(model: ModelConfig, own: Path, commit: str) -> None:
    """Note, as huggingface_hub does, what a hub model's branch or tag is, in a cache of its own that doesn't have it yet.

    Raises ``SourceError`` where that would be written to another folder.
    """
    if commit_in_cache(model, own) is None:
        file = _branch(model, own)
        if Path(os.path.realpath(file)) != _branch(model, Path(os.path.realpath(own))):
            raise SourceError(
                f"{model.source}: expected refs/{one_line(model.revision or 'main')} of the model in its folder of the cache, got a link "
                "or a path to another place; remove it"
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(commit, encoding="utf-8")


def is_whole_in_cache(model: ModelConfig, own: Path | None = None) -> bool:
    """Whether the local Hugging Face cache has all that is loaded of a hub model whose weights are safetensors.

    ``own``: a cache in place of that one.
    """
    folder = snapshot(model, own)
    return folder is not None and all((folder / name).is_file() for name in _NEEDED) and _has_all_weights(folder)


def is_cut_short(model: ModelConfig, downloads: Path) -> bool:
    """Whether some of a model's weights files have been downloaded, and not all."""
    folder = snapshot(model, downloads)
    return folder is not None and bool(weights_files(folder)) and not _has_all_weights(folder)


def _has_all_weights(folder: Path) -> bool:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    try:
        if index.stat().st_size > MOST_OF_INDEX:
            return False
        files = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return all(kind_of_place(folder / str(name)) == FILE for name in files)


def commit_in_cache(model: ModelConfig, own: Path | None = None) -> str | None:
    """What a hub model's branch or tag was when it was looked for last; None if it never was, or if that is no commit."""
    noted = _noted(model, own)
    return noted if noted and COMMIT.fullmatch(noted) else None


def refuse_other_branch(model: ModelConfig, own: Path | None = None) -> None:
    """Raise ``SourceError`` where the cache has something else for a branch than a commit: huggingface_hub takes it for a folder's name."""
    noted = _noted(model, own)
    if noted and not COMMIT.fullmatch(noted):
        raise SourceError(  # not what it is: the file may be a link to any, and this is published
            f"{model.source}: expected a commit in refs/{one_line(model.revision or 'main')} of the model in the Hugging Face cache, got "
            "something else; remove that file"
        )


def _noted(model: ModelConfig, own: Path | None) -> str | None:
    """The beginning of what the cache has for a branch."""
    file = _branch(model, own)
    try:
        if kind_of_place(file) != FILE:
            return None
        with opened(file) as content:
            return content.read(_MOST_OF_BRANCH).decode(errors="replace").strip()
    except OSError:
        return None


def _branch(model: ModelConfig, own: Path | None) -> Path:
    return _repository(model, own) / "refs" / (model.revision or "main")


def _snapshots(model: ModelConfig, own: Path | None = None) -> Path:
    return _repository(model, own) / "snapshots"


def _repository(model: ModelConfig, own: Path | None = None) -> Path:
    """A hub model's folder in the local Hugging Face cache, or in ``own``."""
    return (own or _hub_cache()) / f"models--{model.source.replace('/', '--')}"


def _hub_cache() -> Path:
    """The folder that huggingface_hub uses, found without the cost of importing it."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()
