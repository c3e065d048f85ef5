"""What tells a model's weights and settings from all others, without reading the weights."""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Callable, Iterable
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models import in_memory
from tokviz.models.files import MOST_BYTES, is_own, is_setting
from tokviz.models.location import (
    IDENTIFIED,
    Location,
    cached_commit,
    commit_in_cache,
    files_like,
    is_whole_in_cache,
    locate,
    own_cache,
    snapshot,
    weights_files,
)
from tokviz.models.opened import Signature, opened, signature

if TYPE_CHECKING:
    from tokviz.models.staging import Staged

_SETTINGS = re.compile(r" settings:[0-9a-f]{64}")


def identity(model: ModelConfig, base: Path, downloads: Path | None = None) -> str | None:
    """What distinguishes these weights from all others; None where they are not on this machine.

    ``sha256:…`` as configured (``load`` checks it) with ``settings:…`` over the content of the other listed files, which is the
    same on any machine; ``commit:…`` of a hub model; else ``files:…`` over the names, sizes and times of the files: a 60 GB
    checkpoint is not read at each start. A package's version replaces the times, which change when it is installed again.

    States captured elsewhere can be shown without the weights, so a source that is missing or can't be looked at is no error here.

    Parameters
    ----------
    downloads : the folder that a model has been downloaded into whose weights aren't kept.
    """
    try:
        weights = _identity_of_weights(model, base, downloads)
        if weights is None or model.tokenizer is None:
            return weights
        tokenizer = _identity_of_tokenizer(ModelConfig(source=model.tokenizer), base, downloads)
    except OSError:  # a disk that is gone, a folder that goes meanwhile; where it is loaded, that is said
        return None
    return tokenizer and f"{weights} tokenizer {tokenizer}"


def identity_of_listed(staged: Staged) -> str:
    """``identity`` of what was listed and read, wherever a branch or the path of a folder leads by now.

    To be asked before ``staged.require_unchanged``, which knows what was read for it.
    """
    sha256, of_tokenizer = staged.origin.model.sha256, staged.of_tokenizer
    if sha256:
        settings = (staged.files.folder / name for name in staged.files.settings)
        weights = f"sha256:{sha256}{_of_settings(settings, lambda file: _checksum(staged.held.opened(file)))}"
    else:
        kind = "commit" if staged.origin.path is None else "files"
        weights = f"{kind}:{_commit_or_digest(staged)}"
    return f"{weights} tokenizer {_commit_or_digest(of_tokenizer)}" if of_tokenizer else weights


def _commit_or_digest(staged: Staged) -> str:
    if staged.origin.path is None:
        return staged.files.folder.name
    return _digest(staged.files.signature, staged.origin.location)


def _identity_of_tokenizer(tokenizer: ModelConfig, base: Path, downloads: Path | None) -> str | None:
    """What tells a tokenizer that the configuration names from others; None where it isn't on this machine."""
    try:
        location = locate(tokenizer, base)
    except SourceError:
        return None
    if location.path is None:
        return commit_in_cache(tokenizer, own_cache(tokenizer, downloads)) or commit_in_cache(tokenizer)
    files = [location.path] if location.is_gguf else files_like(location.path, IDENTIFIED)
    return _digest(signature(files), location)


def is_same(now: str | None, stored: str) -> bool:
    """Whether states of the identity ``stored`` may be of the model that is ``now`` on this machine, None where it isn't.

    With a checksum alone states were stored before its identity had the settings, and it is all that is known without the files.
    """
    if now is None or now == stored:
        return True
    if _SETTINGS.search(now) and _SETTINGS.search(stored):
        return False
    return _SETTINGS.sub("", now) == _SETTINGS.sub("", stored)


def _identity_of_weights(model: ModelConfig, base: Path, downloads: Path | None) -> str | None:
    try:
        location = locate(model, base)
    except SourceError:
        return f"sha256:{model.sha256}" if model.sha256 else None
    if model.sha256:
        return f"sha256:{model.sha256}{_settings(model, location, downloads)}"
    if location.kind == "memory":
        return in_memory.require(model.source).identity
    if location.path is None:
        commit = cached_commit(model, own_cache(model, downloads))
        return f"commit:{commit}" if commit else None
    if not weights_files(location.path):
        return None
    files = [location.path] if location.is_gguf else files_like(location.path, IDENTIFIED)
    return f"files:{_digest(signature(files), location)}"


def _settings(model: ModelConfig, location: Location, downloads: Path | None) -> str:
    """`` settings:…`` where they are on this machine, and not in the weights file itself."""
    folder = location.path
    if folder is None:
        own = own_cache(model, downloads)
        here = snapshot(model, own)
        # Settings that came without weights may be some of several. Weights that aren't kept come with all into a cache of their own.
        if here and weights_files(here) and (model.keep_weights or own or is_whole_in_cache(model)):
            folder = here
    if folder is None or location.is_gguf:
        return ""
    try:
        files = [file for file in _setting_files(folder) if location.package or is_own(file)]  # loading refuses others
        if sum(file.stat().st_size for file in files) > MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return _of_settings(files, lambda file: _content(file, file.stat().st_mtime_ns))
    except (OSError, RuntimeError):  # as loading says; the second of links that lead to each other
        return " settings:unreadable"


def _of_settings(files: Iterable[Path], checksum: Callable[[Path], str]) -> str:
    lines = [f"{_name(file)} {checksum(file)}" for file in files]
    return f" settings:{_sha256(lines)}" if lines else ""


def _setting_files(folder: Path) -> list[Path]:
    return [file for file in files_like(folder, IDENTIFIED) if is_setting(file.name)]


@functools.cache
def _content(file: Path, _time: int) -> str:
    return _checksum(opened(file))


def _checksum(file: BufferedReader) -> str:
    with file as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _digest(files: Signature, location: Location) -> str:
    lines = [f"{location.package} {_version(location.package)}"] if location.package else []
    for file, (_, _, size, time, _) in sorted(files.items()):
        lines.append(f"{_name(file)} {size}" if location.package else f"{_name(file)} {size} {time}")
    return _sha256(lines)


def _name(file: Path) -> str:
    """In one line, so that no name is as several files are."""
    return file.name if "\n" not in file.name else json.dumps(file.name)


def _sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()  # names may be no text


def _version(package: str) -> str:
    """The version of the distribution with the package's name, which nearly always contains the package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
