"""The header of a GGUF file, followed to its end: gguf would take a false length for true, and read for hours.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

from tokviz.models.opened import opened

_MAGIC = b"GGUF"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by its type: numbers and truth values."""
_TEXT, _LIST = 8, 9
_INTEGERS, _N_LAYERS = (0, 1, 2, 3, 4, 5, 10, 11), b".block_count"
_FEW_LAYERS = 1_000
"""Of a file without tensors, as of a vocabulary alone: a list of that length is made of them."""
_LONGEST_IN_LIST = 100_000
"""Bytes of a text in a list, as of a token of the vocabulary."""
_MOST_ENTRIES = 1_000_000
"""Of tensors, and of values: the largest models have some thousand."""
_MOST_TEXTS = 5_000_000
"""In a list: the largest vocabularies have some hundred thousand tokens, and as many merges."""
_MOST_AXES, _MOST_PER_NUMBER = 8, 8
"""Of a tensor; and bytes that a number takes at most."""
_ALIGNED = 1 << 20
"""Bytes that may be left out before a tensor."""


def problem(path: Path) -> str | None:
    """What is wrong with the lengths in a file's header; None for nothing, and for what isn't GGUF at all."""
    with opened(path) as file:
        start = file.read(8)
        if len(start) < 8 or not start.startswith(_MAGIC):
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Header(content, _order(start)).problem()


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of each tensor; none of a header that can't be read."""
    with opened(path) as file:
        start = file.read(8)
        if problem(path) or not start.startswith(_MAGIC):
            return {}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Header(content, _order(start)).shapes()


def _order(start: bytes) -> str:
    """Written by a machine with the other order of bytes, the version would be a large number."""
    return "<" if struct.unpack("<I", start[4:8])[0] < 1 << 16 else ">"


class _UntrueError(Exception):
    """What is wrong."""


class _Header:
    """A place in the header, which moves on."""

    def __init__(self, content: mmap.mmap, order: str) -> None:
        self._content, self._at = content, 8
        self._int, self._long = struct.Struct(f"{order}I"), struct.Struct(f"{order}Q")

    def problem(self) -> str | None:
        try:
            n_tensors, n_values = self._counts()
            for _ in range(n_values):
                start = self._at
                self._skip_text()
                is_count = self._content[start : self._at].endswith(_N_LAYERS)
                kind = self._number(self._int)
                start = self._at
                self._skip_value(kind)
                if is_count and kind in _INTEGERS:
                    self._refuse_layers(self._content[start : self._at], n_tensors)
            end = max((self._end_of_tensor() for _ in range(n_tensors)), default=0)
            if n_tensors and len(self._content) > self._at + end + _ALIGNED:
                raise _UntrueError(f"{len(self._content):,} bytes, more than its tensors take")
        except _UntrueError as error:
            return str(error)
        return None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        n_tensors, n_values = self._counts()
        for _ in range(n_values):
            self._skip_text()
            self._skip_value(self._number(self._int))
        return dict(self._shape() for _ in range(n_tensors))

    def _counts(self) -> tuple[int, int]:
        """Of tensors, and of values."""
        n_tensors, n_values = self._number(self._long), self._number(self._long)
        if max(n_tensors, n_values) > _MOST_ENTRIES:
            raise _UntrueError(f"{n_tensors:,} tensors and {n_values:,} values")
        return n_tensors, n_values

    def _shape(self) -> tuple[str, tuple[int, ...]]:
        start = self._at + self._long.size
        self._skip_text()
        name = self._content[start : self._at].decode(errors="replace")
        shape = tuple(self._number(self._long) for _ in range(self._number(self._int)))
        self._skip(self._int.size + self._long.size)  # its type, and where it is
        return name, shape

    def _refuse_layers(self, value: bytes, n_tensors: int) -> None:
        n_layers = int.from_bytes(value, "little" if self._int.format.startswith("<") else "big")
        if n_layers > max(n_tensors, _FEW_LAYERS):
            raise _UntrueError(f"{n_layers:,} layers of {n_tensors:,} tensors")

    def _end_of_tensor(self) -> int:
        """After the header, at most."""
        self._skip_text()
        n_axes = self._number(self._int)
        if n_axes > _MOST_AXES:
            raise _UntrueError(f"a tensor of {n_axes:,} axes")
        n_numbers = math.prod(self._number(self._long) for _ in range(n_axes))
        self._skip(self._int.size)  # its type
        return self._number(self._long) + _MOST_PER_NUMBER * n_numbers

    def _number(self, form: struct.Struct) -> int:
        at = self._at
        self._skip(form.size)
        return int(form.unpack_from(self._content, at)[0])

    def _skip(self, n_bytes: int) -> None:
        self._at += n_bytes
        if self._at > len(self._content):
            raise _UntrueError("one that claims more than the file holds")

    def _skip_text(self) -> None:
        self._skip(self._number(self._long))

    def _skip_value(self, kind: int) -> None:
        if kind == _TEXT:
            self._skip_text()
        elif kind == _LIST:
            self._skip_list(self._number(self._int), self._number(self._long))
        elif kind in _SIZES:
            self._skip(_SIZES[kind])
        else:
            raise _UntrueError(f"a value of the unknown type {kind}")

    def _skip_list(self, kind: int, length: int) -> None:
        if kind == _LIST:
            raise _UntrueError("lists within lists")
        if kind in _SIZES:
            self._skip(_SIZES[kind] * length)
            return
        if length > _MOST_TEXTS:
            raise _UntrueError(f"a list of {length:,} texts")
        for _ in range(length):
            before = self._at
            self._skip_value(kind)
            if self._at - before > _LONGEST_IN_LIST:
                raise _UntrueError(f"a token of more than {_LONGEST_IN_LIST:,} bytes")
