"""A hub model whose weights aren't kept: it is downloaded into a folder of its own, and the shared cache stays as it is."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.failures import causes_of
from tokviz.models.hub import is_offline
from tokviz.models.location import is_cut_short, locate, pin_commit

_SHARE_OF_DISK = 0.9
"""Of what is free: others need some, too."""


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


def require_room(source: str, folder: Path, n_bytes: int) -> None:
    """Check that the disk has room for weights that are about to be downloaded, and then some.

    huggingface_hub would fill it, and what it has of a file stays.

    Parameters
    ----------
    folder : on that disk.

    Raises
    ------
    SourceError : it has less.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > _SHARE_OF_DISK * free:
        raise SourceError(
            f"{source}: expected {n_bytes / 1e9:.1f} GB on the disk of the cache for its weights, found {free / 1e9:.1f} GB, of which a "
            "tenth is for the rest; free some, or name another --cache, or HF_HOME for models that are kept"
        )
