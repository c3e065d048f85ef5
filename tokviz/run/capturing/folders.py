"""The folders in the cache that a model needs for as long as it is captured."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import BusyError, StoreError, TokvizError
from tokviz.run.store import entries, keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path
from tokviz.run.store.locks import Locks


@contextmanager
def folders_for(
    model: ModelConfig, base: Path, captured_from: str | None, store: Store, locks: Locks
) -> Iterator[models.Folders]:
    """Beside what is stored, since they may be as large as the model; gone afterwards.

    Parameters
    ----------
    captured_from : the identity that the model had when states were captured that stay.

    Raises
    ------
    BusyError : another run has downloaded the same model, and this one doesn't wait.
    TokvizError : they can't be made.
    """
    offload = store.root / f".offload-{entries.new_key()}"
    _make(offload, store)
    try:
        if not models.is_downloaded_apart(model, base):
            yield models.Folders(offload=offload)
            return
        with _download_folder(model, captured_from, store, locks) as downloads:
            yield models.Folders(offload=offload, downloads=downloads)
    finally:
        shutil.rmtree(offload, ignore_errors=True)


@contextmanager
def _download_folder(model: ModelConfig, captured_from: str | None, store: Store, locks: Locks) -> Iterator[Path]:
    """After a kill or an interruption it stays: the next run goes on with what is there, and removes it."""
    key = keys.download_key(model)
    with locks.on_download(store.root, key):
        folder = store.root / "downloads" / key
        _make(folder, store)
        if captured_from is not None:
            models.pin(model, folder, captured_from)
        try:
            yield folder
        except BaseException as error:
            if not models.is_kept_after(error, model, folder):
                _remove_download(key, store)
            raise
        _remove_download(key, store)


def remove_left_over(model: ModelConfig, store: Store) -> None:
    """Remove the download of a run that was killed when all had been captured, unless another run uses it."""
    key = keys.download_key(model)
    if model.keep_weights or entries.download(store.root, key) is None:
        return
    with suppress(BusyError), Locks(waits=False).on_download(store.root, key):
        _remove_download(key, store)


def _make(folder: Path, store: Store) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TokvizError(f"{shown_path(store.root)}: can't write to the cache: {error.strerror or error}") from error


def _remove_download(key: str, store: Store) -> None:
    """What huggingface_hub has put into the folder, and the folder if nothing else is in it."""
    gc.collect()  # Windows removes no file that a model is read from
    found = entries.download(store.root, key)
    if found is not None:
        with suppress(StoreError):  # the next run tries again
            found.remove()
    with suppress(OSError):  # others are in it
        (store.root / "downloads").rmdir()
