"""A hub model whose weights aren't kept: it is downloaded into a folder of its own, and the shared cache stays as it is."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.failures import causes_of
from tokviz.models.hub import is_offline
from tokviz.models.location import is_cut_short, locate, pin_commit
from tokviz.models.origin import Origin


def is_downloaded_apart(model: ModelConfig, base: Path) -> bool:
    """Whether a model is downloaded into a folder of its own; not where nothing may be downloaded."""
    if model.keep_weights or is_offline():
        return False
    try:
        return locate(model, base).kind == "hub"
    except SourceError:
        return False


def pin(model: ModelConfig, downloads: Path, identity: str) -> None:
    """Have the commit downloaded that states were captured from, even if the branch has moved on since.

    Parameters
    ----------
    identity : of the model that they were captured from.
    """
    kind, _, commit = identity.split(" ", 1)[0].partition(":")
    if kind == "commit":
        pin_commit(model, downloads, commit)


def is_kept_after(error: BaseException, model: ModelConfig, downloads: Path) -> bool:
    """Whether what has been downloaded serves the next run, which goes on: after an interruption, or some weights files of several.

    Where the disk is full, nothing is kept on it.
    """
    if not isinstance(error, Exception):
        return True
    is_full = any(isinstance(each, OSError) and each.errno == errno.ENOSPC for each in causes_of(error))
    return not is_full and is_cut_short(model, downloads)


@contextmanager
def nothing_shared() -> Iterator[None]:
    """Meanwhile huggingface_hub downloads by HTTP alone: its other way, Xet, keeps files of its own in the shared folders."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def require_room(origin: Origin, commit: str, names: Sequence[str]) -> None:
    """Check that the disk has room for weights that are about to be downloaded into a folder of their own.

    Parameters
    ----------
    names : of the weights' files.

    Raises
    ------
    SourceError : it has less.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    cache = origin.own_cache
    if cache is None:
        return
    source = origin.model.source
    try:
        files = [hf_hub_download(source, name, revision=commit, cache_dir=cache, dry_run=True) for name in names]
    except EntryNotFoundError:
        return  # downloading them says so
    needed = sum(each.file_size or 0 for each in files if each.will_download)
    free = shutil.disk_usage(cache).free
    if needed > free:
        raise SourceError(
            f"{source}: expected {needed / 1e9:.1f} GB on the disk of the cache for its weights, found {free / 1e9:.1f} GB; free "
            "some, or name another --cache"
        )
