"""The header of a safetensors file: what is in it, and how long it is; a copy that was cut off is known without a library.

The format: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokviz.models.files import too_many_values
from tokviz.models.opened import opened

_LONGEST = 100_000_000
"""Bytes of a header: safetensors reads no longer one."""
_MOST_READ = 30_000_000
"""Bytes of a header that is read: of a hundred thousand tensors it is a third of that."""
_LONGEST_AXIS = 2**48
"""Of a tensor: one of another length 0 has no numbers, so that the file doesn't bound it."""
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)
_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Header:
    """Of one tensor: the type of its numbers as safetensors names it (``F32``), and its shape."""

    dtype: str
    shape: tuple[int, ...]


def tensors(path: Path) -> dict[str, Header]:
    """Name → type and shape of each tensor; none of a header that can't be read, which loading tells."""
    with opened(path) as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= _MOST_READ else b""
    if too_many_values(header):
        return {}
    try:
        values = json.loads(header)
        return {
            name: Header(str(each["dtype"]), _shape(each["shape"]))
            for name, each in values.items()
            if name != "__metadata__"
        }
    except _UNREADABLE:
        return {}


def _shape(axes: Any) -> tuple[int, ...]:
    shape = tuple(axes)
    if not all(type(axis) is int and 0 <= axis < _LONGEST_AXIS for axis in shape):
        raise ValueError("no tensor has such a shape")
    return shape


def length(path: Path) -> int:
    """Bytes of its header that are to be read; 0 of one that is too large, and of what isn't one."""
    with opened(path) as file:
        start = file.read(len(_POINTER))
    n_bytes = int.from_bytes(start[:8], "little")
    return n_bytes if n_bytes <= _MOST_READ and start != _POINTER else 0


def problem(path: Path) -> str | None:
    """What was found instead of a whole file, and what to do; None where its length is right, or can't be known."""
    n_bytes = path.stat().st_size
    with opened(path) as file:
        start = file.read(len(_POINTER))
        if start == _POINTER:
            return "got a pointer of Git LFS to it; run: git lfs pull"
        length = int.from_bytes(start[:8], "little")
        if length > _LONGEST:
            return None
        if length > _MOST_READ:
            return f"got a header of {length / 1e6:,.0f} MB, larger than of any model; download it again"
        file.seek(8)
        header = file.read(length)
    if too_many := too_many_values(header):
        return f"got a header with {too_many}, more than of any model; download it again"
    end = _end(header)
    if n_bytes < 8 + length + end:
        return f"got only {n_bytes:,} bytes of it; copy or download it again"
    has_more = end and n_bytes > 8 + length + end
    return f"got {n_bytes:,} bytes, more than its header says; copy or download it again" if has_more else None


def _end(header: bytes) -> int:
    """The end of the last tensor, in bytes after the header; 0 where the header can't be read."""
    try:
        tensors = json.loads(header)
        return max(int(tensor["data_offsets"][1]) for name, tensor in tensors.items() if name != "__metadata__")
    except _UNREADABLE:
        return 0
