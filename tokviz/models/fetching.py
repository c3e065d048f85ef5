"""The listed files of a hub model, downloaded where they aren't here: first its settings, its weights when they are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from tokviz.errors import SourceError
from tokviz.models.downloads import require_room
from tokviz.models.failures import is_out_of_reach
from tokviz.models.files import (
    ADAPTER,
    CONFIG,
    INDEX,
    OTHER_WEIGHTS,
    WEIGHTS,
    ModelFiles,
    is_setting,
    list_files,
    read_config,
    refuse_large,
)
from tokviz.models.location import (
    IDENTIFIED,
    files_like,
    is_real_snapshot,
    is_whole_in_cache,
    refuse_other_branch,
    snapshot,
)
from tokviz.models.origin import Origin
from tokviz.models.refusals import CONVERT, adapter_refusal
from tokviz.text import one_line


def listed(origin: Origin, *, is_tokenizer: bool = False) -> ModelFiles:
    """The list of a source's files; what it has of settings is on this machine afterwards.

    To be called within ``explained``: the Hub's own errors say why it gives nothing.

    Parameters
    ----------
    is_tokenizer : whether the list is without weights.

    Raises
    ------
    SourceError : see ``list_files``; or the Hub has an adapter only, or no safetensors weights.
    """
    source = origin.model.source
    if origin.path is not None:
        return list_files(source, origin.location, is_tokenizer=is_tokenizer)
    folder, names = snapshot(origin.model, origin.own_cache), None
    if folder is None or not is_whole_in_cache(origin.model, origin.own_cache):
        folder, names = _fetched_settings(origin)
    if not (folder / CONFIG).is_file() and (folder / ADAPTER).is_file():
        raise SourceError(adapter_refusal(source, folder / ADAPTER))
    return list_files(source, origin.location, folder, names, is_tokenizer=is_tokenizer)


def _fetched_settings(origin: Origin) -> tuple[Path, Collection[str] | None]:
    """Download them; returns the folder of their commit, and the names of all files of it, None where the Hub can't be asked."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    source, revision, folder = origin.model.source, origin.revision, None
    refuse_other_branch(origin.model, origin.own_cache)
    try:
        refuse_large(source, {CONFIG: _n_bytes(origin, CONFIG, revision)})
        folder = _download(origin, CONFIG, revision).parent
        revision = folder.name  # the others come from the same commit, even if the branch moves on meanwhile
    except LocalEntryNotFoundError:
        found = snapshot(origin.model, origin.own_cache)
        if found is None or not found.is_dir():
            raise
        return found, None
    except EntryNotFoundError:
        pass  # a tokenizer's repository has none, nor has an adapter's
    names = _sizes(origin, revision)
    if names is None and folder is not None:
        return folder, None
    wanted = {name: size for name, size in (names or {}).items() if is_setting(name) or name in (INDEX, ADAPTER)}
    refuse_large(source, wanted)
    for name in sorted(wanted):
        folder = _download(origin, name, revision).parent
    if folder is None:
        raise SourceError(f"{source}: expected a model's repository with a {CONFIG}, found none in it; check the id")
    named = read_config(folder).get(OTHER_WEIGHTS) if CONFIG in (names or ()) else None
    if isinstance(named, str) and named in (names or ()) and named.endswith(".index.json"):
        refuse_large(source, {named: (names or {}).get(named, 0)})
        _download(origin, named, revision)
    return folder, names


def _sizes(origin: Origin, revision: str) -> Mapping[str, int] | None:
    """The bytes of each file at the top of a repository; None where the Hub can't be reached."""
    from huggingface_hub import HfApi

    try:
        listed = HfApi().list_repo_tree(origin.model.source, revision=revision)
        return {entry.path: getattr(entry, "size", 0) for entry in listed}
    except Exception as error:
        if not is_out_of_reach(error):
            raise
        return None


def _n_bytes(origin: Origin, name: str, revision: str) -> int:
    """Of one file, which isn't downloaded."""
    from huggingface_hub import hf_hub_download

    found = hf_hub_download(origin.model.source, name, revision=revision, cache_dir=origin.own_cache, dry_run=True)
    _refuse_link(origin, Path(found.local_path))
    return found.file_size or 0


def _download(origin: Origin, name: str, revision: str) -> Path:
    from huggingface_hub import hf_hub_download

    file = Path(hf_hub_download(origin.model.source, name, revision=revision, cache_dir=origin.own_cache))
    _refuse_link(origin, file)
    return file


def _refuse_link(origin: Origin, file: Path) -> None:
    """Refuse a file of a snapshot that leads to another folder."""
    if not is_real_snapshot(file.parent):
        raise SourceError(
            f"{origin.model.source}: expected a snapshot that is a folder of the Hugging Face cache, got a link: "
            f"{one_line(file.parent.name)}; remove it there, or name the folder that it leads to"
        )


def fetch_weights(origin: Origin, files: ModelFiles) -> ModelFiles:
    """Download the weights that are listed, where they aren't here; returns the list with them.

    Raises
    ------
    SourceError : the disk has no room, or the Hub has no safetensors weights.
    """
    if origin.path is not None or (files.weights and all(path.is_file() for path in files.weights_paths)):
        return files
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    source, folder = origin.model.source, files.folder
    names = files.weights or (WEIGHTS,)
    try:
        sizes = _sizes(origin, folder.name) or {}
        require_room(source, folder, sum(sizes.get(name, 0) for name in names if not (folder / name).is_file()))
        if len(names) == 1:
            _download(origin, names[0], folder.name)
        else:
            snapshot_download(source, revision=folder.name, cache_dir=origin.own_cache, allow_patterns=list(names))
    except LocalEntryNotFoundError:
        raise
    except EntryNotFoundError as error:
        raise SourceError(
            f"{source}: expected safetensors weights on the Hub, found none; only safetensors and local .gguf files are read: "
            f"{CONVERT}, or name a .gguf file"
        ) from error
    here = [file.name for file in files_like(folder, IDENTIFIED)]
    return list_files(source, origin.location, folder, here)
