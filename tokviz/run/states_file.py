"""The file of a capture’s hidden states: read one depth at a time, written batch by batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from tokviz.errors import StoreError
from tokviz.records import N_EXTREMES, CapturedBatch


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
    return f"depth.{depth:03d}"


class StatesWriter:
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
