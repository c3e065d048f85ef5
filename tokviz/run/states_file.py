"""The files of a capture: its description, and hidden states that are read depth by depth and written batch by batch."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import safe_open

from tokviz.errors import StoreError
from tokviz.records import N_EXTREMES, BatchCheck, CapturedBatch, Context, ModelCard, Tokenization
from tokviz.run.plain import to_plain

FORMAT = 1
STATES, DESCRIPTION = "states.safetensors", "states.json"


class StoredDepths(Sequence[np.ndarray]):
    """The depths of a capture, each read from its file when it is asked for."""

    def __init__(self, file: Path, n_depths: int) -> None:
        self._file = file
        self._n_depths = n_depths

    def __len__(self) -> int:
        return self._n_depths

    def __getitem__(self, depth: int | slice) -> Any:
        if isinstance(depth, slice):
            return [self[index] for index in range(*depth.indices(self._n_depths))]
        if not -self._n_depths <= depth < self._n_depths:
            raise IndexError(f"depth {depth} of {self._n_depths}")
        with safe_open(self._file, framework="numpy") as tensors:
            return tensors.get_tensor(depth_tensor(depth % self._n_depths))


def depth_tensor(depth: int) -> str:
    """The name of a depth’s tensor in the file."""
    return f"depth.{depth:03d}"


@dataclass(frozen=True, kw_only=True)
class CaptureDescription:
    """What is stored of a capture beside its states."""

    card: ModelCard
    context: Context
    tokenization: Tokenization
    module_paths: tuple[str, ...]
    captured_at: str
    """ISO 8601, UTC."""
    batch_check: BatchCheck


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
        self._folder, self._description = folder, description
        self._partial = partial_beside(folder)
        self._file = _StatesFile(self._partial / STATES, len(description.tokenization.words))

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
        self._file.finish()
        described = to_plain(self._description)
        sha256 = file_sha256(self._partial / STATES)
        made_of = json.dumps([sha256, described["tokenization"], described["module_paths"]], ensure_ascii=False)
        stored = {
            "format": FORMAT,
            "captured_at": described.pop("captured_at"),
            "sha256": sha256,
            "n_bytes": (self._partial / STATES).stat().st_size,
            # What is made from the states depends on the tokens and paths too, not on the bytes alone.
            "digest": hashlib.sha256(made_of.encode()).hexdigest(),
            **described,
        }
        (self._partial / DESCRIPTION).write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        put_in_place(self._partial, self._folder)


def partial_beside(folder: Path) -> Path:
    """Where a folder is made until it is whole; machines that share the store share process ids."""
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")


def put_in_place(partial: Path, folder: Path) -> None:
    """Let a finished folder take the place of an older one."""
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """What the disk refuses is one clear line."""
    try:
        yield
    except OSError as error:
        root = folder.parent.parent
        raise StoreError(f"{root}: can't store hidden states: {error.strerror or error}") from error


def file_sha256(path: Path) -> str:
    """Of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _StatesFile:
    """A safetensors file, filled as the batches come: the library itself writes only tensors that are in memory."""

    def __init__(self, path: Path, n_words: int) -> None:
        self._path = path
        self._arrays: dict[str, np.memmap] = {}
        self._covered = np.zeros(n_words, dtype=np.int64)

    def add(self, batch: CapturedBatch) -> None:
        n_words = len(self._covered)
        if not self._arrays:
            shapes: dict[str, tuple[tuple[int, ...], str]] = {
                depth_tensor(depth): ((n_words, state.shape[1]), "F32") for depth, state in enumerate(batch.states)
            }
            shapes["position0.values"] = ((len(batch.states), n_words, N_EXTREMES), "F32")
            shapes["position0.dimensions"] = ((len(batch.states), n_words, N_EXTREMES), "I32")
            self._arrays = _empty_safetensors(self._path, shapes)
        for depth, state in enumerate(batch.states):
            self._arrays[depth_tensor(depth)][batch.rows] = state
        self._arrays["position0.values"][:, batch.rows] = batch.position0_values
        self._arrays["position0.dimensions"][:, batch.rows] = batch.position0_dimensions
        self._covered[batch.rows] += 1

    def finish(self) -> None:
        for array in self._arrays.values():
            array.flush()
        self._arrays.clear()
        if not (self._covered == 1).all():
            raise StoreError(
                f"the batches of a capture must cover each of {len(self._covered)} words once, "
                f"got {self._covered[:20].tolist()}"
            )


def _empty_safetensors(path: Path, shapes: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, np.memmap]:
    """The format is a length (8 bytes, little-endian), a JSON header of that length, then the tensors end to end."""
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
        file.truncate(8 + len(head) + end)
    return {
        name: np.memmap(path, dtypes[dtype], "r+", offset=8 + len(head) + header[name]["data_offsets"][0], shape=shape)
        for name, (shape, dtype) in shapes.items()
    }
