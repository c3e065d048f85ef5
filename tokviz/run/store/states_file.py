"""The files of a capture: its description, and hidden states that are read depth by depth and written batch by batch.

Each tensor has a digest in the description and the description has one of its own, compared whenever one is read: numbers
that a damaged disk has changed look like any others.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open

from tokviz.errors import DamagedStatesError, DiskFullError, StoreError
from tokviz.records import (
    N_EXTREMES,
    AttentionToFirst,
    BatchCheck,
    CapturedBatch,
    Context,
    HiddenStates,
    Intervention,
    ModelCard,
    Tokenization,
    Updates,
)
from tokviz.records.fields import FileName
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.run.store.entries import DESCRIPTION, STATES, json_digest, new_key
from tokviz.run.store.plain import to_plain
from tokviz.text import shown

FORMAT = 5
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHARE_OF_DISK = 0.9
"""Of what is free, for the states of one capture: a model chooses how large they are, and others need some, too."""
POSITION0 = ("position0.values", "position0.dimensions")


class StoredDepths(Sequence[np.ndarray]):
    """The depths of a capture, each read from its file when it is asked for."""

    def __init__(self, file: Path, digests: Sequence[str]) -> None:
        self._file = file
        self._digests = tuple(digests)

    def __len__(self) -> int:
        return len(self._digests)

    def __getitem__(self, depth: int | slice) -> Any:
        n_depths = len(self)
        if isinstance(depth, slice):
            return [self[index] for index in range(*depth.indices(n_depths))]
        if not -n_depths <= depth < n_depths:
            raise IndexError(f"depth {depth} of {n_depths}")
        depth %= n_depths
        return read_tensor(self._file, depth_tensor(depth), self._digests[depth])


def read_tensor(file: Path, name: str, digest: str) -> np.ndarray:
    """One tensor of a capture.

    Raises
    ------
    DamagedStatesError : it isn't the tensor that was written, or can't be read.
    """
    try:
        if not file.is_file():  # a pipe would be waited for
            raise FileNotFoundError(file)
        with safe_open(file, framework="numpy") as tensors:
            tensor: np.ndarray = tensors.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise DamagedStatesError(file.parent, name) from error
    if tensor_digest(tensor) != digest:
        raise DamagedStatesError(file.parent, name)
    return tensor


def tensor_digest(tensor: np.ndarray) -> str:
    """SHA-256 of a tensor's type, shape and values."""
    digest = hashlib.sha256(f"{tensor.dtype.str}{tensor.shape}".encode())
    digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


def read_description(folder: Path) -> dict[str, Any]:
    """What is stored beside a capture's states.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError, RecursionError : it can't be read, or isn't what was written.
    """
    stored = json.loads(disk.read_regular(folder / DESCRIPTION))
    description: dict[str, Any] = stored["description"]
    if stored["sha256"] != json_digest(description) or description["format"] != FORMAT:
        raise ValueError(f"{folder / DESCRIPTION}: not as it was written")
    return description


def require_fit(states: HiddenStates) -> None:
    """Raise where names of files and facts of pages can't be made of a description, as a cache may come from somebody else."""
    n_layers = states.n_depths - 1
    counted = [len(each.mean) for each in states.attention]
    if states.updates is not None:
        counted.append(len(states.updates.layers))
    # Of a vocabulary some of a model's layers may be captured.
    if states.card.n_layers < n_layers or set(counted) - {n_layers}:
        raise ValueError(f"expected what is known of {n_layers} layers, got {[states.card.n_layers, *counted]}")
    moment, _ = datetime.fromisoformat(states.captured_at), states.tokenization.index  # either raises where it is none
    if moment.tzinfo is None:
        raise ValueError(f"expected a time in UTC, got {shown(states.captured_at)}")


def write_description(folder: Path, description: Mapping[str, Any]) -> None:
    """Put a folder in place that holds a description only; raises ``StoreError`` where the disk is full or read-only."""
    with made_beside(folder) as partial:
        _write_description(partial, description)


def _write_description(folder: Path, description: Mapping[str, Any]) -> None:
    content = {"format": FORMAT, **description}
    stored = {"sha256": json_digest(content), "description": content}
    (folder / DESCRIPTION).write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")


def depth_tensor(depth: int) -> str:
    """The name of a depth’s tensor in the file."""
    return f"depth.{depth:03d}"


@dataclass(frozen=True, kw_only=True)
class CaptureDescription:
    """What is stored of a capture beside its states."""

    card: ModelCard
    context: Context
    tokenization: Tokenization
    module_paths: tuple[FileName, ...]
    captured_at: str
    """ISO 8601, UTC."""
    batch_check: BatchCheck | None
    intervention: Intervention | None = None


@dataclass(frozen=True, kw_only=True)
class StoredDescription(CaptureDescription):
    """The same when it is read, with what is known when all batches are written."""

    digest: str
    updates: Updates | None
    attention: tuple[AttentionToFirst, ...]


class StatesWriter:
    """Writes a capture batch by batch, never holding more than one; it is in its folder when the block ends.

    ::

        with StatesWriter(folder, description) as writer:
            writer.add(batch)

    Raises
    ------
    StoreError : the disk is full or read-only, or the batches don't cover every word.
    """

    def __init__(self, folder: Path, description: CaptureDescription) -> None:
        self._folder, self.description = folder, description
        self._partial = partial_beside(folder)
        self._file = _StatesFile(self._partial / STATES, len(description.tokenization.words))
        self.updates: Updates | None = None
        """To be set before the block ends, where it is known; so is ``attention``."""
        self.attention: tuple[AttentionToFirst, ...] = ()

    @property
    def states(self) -> Sequence[np.ndarray]:
        """What was added so far, per depth ``(n_words, width)``."""
        return self._file.depths

    def __enter__(self) -> Self:
        with storing(self._folder):
            self._partial.mkdir(parents=True)
        return self

    def add(self, batch: CapturedBatch) -> None:
        with storing(self._folder):
            self._file.add(batch)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None:
                with storing(self._folder):
                    self._finish()
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _finish(self) -> None:
        digests = self._file.finish()
        described = to_plain(self.description)
        # What is made from the states depends on the tokens and paths too, not on the values alone.
        digest = json_digest([digests, described["tokenization"], described["module_paths"]])
        beside = {"updates": to_plain(self.updates), "attention": to_plain(self.attention)}
        description = {"digest": digest, "digests": digests, **described, **beside}
        _write_description(self._partial, description)
        _put_in_place(self._partial, self._folder)


def partial_beside(folder: Path) -> Path:
    """Where a folder is made until it is whole; machines that share the store share process ids."""
    return folder.with_name(f".{folder.name}.{new_key()}")


@contextmanager
def made_beside(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of an older one at the end of the block; raises ``StoreError`` as what stores does."""
    partial = partial_beside(folder)
    try:
        with storing(folder):
            partial.mkdir(parents=True)
            yield partial
            _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Let a finished folder take the place of an older one, which is gone only when the new one is there.

    What isn't tokviz's stays: beside it where it is in the way, else in the new folder.
    """
    older = None
    if disk.is_folder(folder):
        older = folder.replace(partial_beside(folder))
    else:
        make_way(folder)
    partial.replace(folder)
    if older is not None:
        for name in (STATES, DESCRIPTION):
            if disk.is_regular(older / name):
                (older / name).unlink()
        for entry in older.iterdir():
            entry.replace(_free(folder / entry.name))
        older.rmdir()


def make_way(place: Path) -> None:
    """Rename what stands where a file or a folder of tokviz's is to be."""
    if os.path.lexists(place):
        place.replace(_free(place))


def _free(place: Path) -> Path:
    """A place, or one beside it where something is already."""
    beside = (place.with_name(f"{place.name}.other{number or ''}") for number in count())
    return next(each for each in chain([place], beside) if not os.path.lexists(each))


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """What the disk refuses is one clear line."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in _NO_SPACE
        place = folder.parent.parent if is_full else folder.parent
        kind = DiskFullError if is_full else StoreError
        raise kind(f"{shown_path(place)}: can't store hidden states: {error.strerror or error}") from error


class _StatesFile:
    """A safetensors file, filled as the batches come: the library itself writes only tensors that are in memory."""

    def __init__(self, path: Path, n_words: int) -> None:
        self._path = path
        self._content: np.memmap | None = None
        self._arrays: dict[str, np.ndarray] = {}
        """By the tensors' names, each a part of the content."""
        self._covered = np.zeros(n_words, dtype=np.int64)

    def add(self, batch: CapturedBatch) -> None:
        n_words = len(self._covered)
        if not self._arrays:
            shapes: dict[str, tuple[tuple[int, ...], str]] = {
                depth_tensor(depth): ((n_words, state.shape[1]), "F32") for depth, state in enumerate(batch.states)
            }
            shapes["position0.values"] = ((len(batch.states), n_words, N_EXTREMES), "F32")
            shapes["position0.dimensions"] = ((len(batch.states), n_words, N_EXTREMES), "I32")
            self._content, self._arrays = _empty_safetensors(self._path, shapes)
        for depth, state in enumerate(batch.states):
            self._arrays[depth_tensor(depth)][batch.rows] = state
        self._arrays["position0.values"][:, batch.rows] = batch.position0_values
        self._arrays["position0.dimensions"][:, batch.rows] = batch.position0_dimensions
        self._covered[batch.rows] += 1

    @property
    def depths(self) -> list[np.ndarray]:
        return [array for name, array in self._arrays.items() if name not in POSITION0]

    def finish(self) -> dict[str, str]:
        if not (self._covered == 1).all():
            raise StoreError(
                f"the batches of a capture must cover each of {len(self._covered)} words once, "
                f"got {self._covered[:20].tolist()}"
            )
        if self._content is not None:
            self._content.flush()
        digests = {name: tensor_digest(array) for name, array in self._arrays.items()}
        self._arrays.clear()
        self._content = None
        return digests


def _empty_safetensors(
    path: Path, shapes: Mapping[str, tuple[tuple[int, ...], str]]
) -> tuple[np.memmap, dict[str, np.ndarray]]:
    """The content of a new file and the tensors in it, parts of one map: a system bounds how many files a process may open.

    The format is a length (8 bytes, little-endian), a JSON header of that length, then the tensors end to end.
    """
    dtypes = {"F32": "<f4", "I32": "<i4"}
    header: dict[str, dict[str, Any]] = {}
    end = 0
    for name, (shape, dtype) in shapes.items():
        start, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.flush()
        _reserve(file.fileno(), 8 + len(head), end, path.parent)
    content = np.memmap(path, np.uint8, "r+", offset=8 + len(head), shape=(end,))
    tensors = {}
    for name, (shape, dtype) in shapes.items():
        start, stop = header[name]["data_offsets"]
        tensors[name] = np.asarray(content[start:stop]).view(dtypes[dtype]).reshape(shape)
    return content, tensors


def _reserve(file: int, start: int, n_bytes: int, folder: Path) -> None:
    """Take the space on the disk now: a mapped file that finds none later ends the process without a word.

    Where it would take nearly all, nothing is left for other models and the site.
    """
    try:
        if n_bytes > _SHARE_OF_DISK * shutil.disk_usage(folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, start, n_bytes)
            return
        # macOS and Windows
        block = bytes(1 << 20)
        os.lseek(file, start, os.SEEK_SET)
        for position in range(0, n_bytes, len(block)):
            os.write(file, block[: n_bytes - position])
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        free = shutil.disk_usage(folder).free
        needed = f"they need {n_bytes / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free, of which a tenth is for the rest; free some"
        raise OSError(error.errno, f"{error.strerror}: {needed}") from error
