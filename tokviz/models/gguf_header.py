"""The header of a GGUF file, followed to its end: gguf would take a false length for true, and read for hours.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from io import BufferedReader
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
_LONGEST_KEY, _LONGEST_NAME = 65_535, 255
"""Bytes; the format has names of tensors of 64."""
_MOST_TENSORS, _MOST_VALUES = 100_000, 10_000
"""The largest models have some thousand tensors, and some dozen values."""
_MOST_IN_LISTS = 5_000_000
"""Texts and numbers: the largest vocabularies have some hundred thousand tokens, as many merges, and two numbers of each token."""
_MOST_AXES, _LONGEST_AXIS, _MOST_PER_NUMBER = 8, 2**48, 8
"""Of a tensor; and bytes that a number takes at most."""
_ALIGNED = 1 << 20
"""Bytes that may be left out before a tensor."""
_BLOCK = 1 << 16
"""Bytes that are read at once: a file that is cut meanwhile would end a process that has mapped it into memory."""
_CUT = "one that claims more than the file holds"


def problem(path: Path) -> str | None:
    """What is wrong with the lengths in a file's header; None for nothing, and for what isn't GGUF at all."""
    try:
        _followed(path)
    except _UntrueError as error:
        return str(error)
    return None


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of each tensor; none of a header that can't be read."""
    try:
        return _followed(path)
    except _UntrueError:
        return {}


def _followed(path: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of each tensor; none of what isn't GGUF."""
    with opened(path) as file:
        start = file.read(8)
        if len(start) < 8 or not start.startswith(_MAGIC):
            return {}
        return _Header(file, os.fstat(file.fileno()).st_size, _order(start)).shapes()


def _order(start: bytes) -> str:
    """Written by a machine with the other order of bytes, the version would be a large number."""
    return "<" if struct.unpack("<I", start[4:8])[0] < 1 << 16 else ">"


class _UntrueError(Exception):
    """What is wrong."""


class _Header:
    """A place in the header, which moves on."""

    def __init__(self, file: BufferedReader, n_bytes: int, order: str) -> None:
        self._file, self._n_bytes, self._at = file, n_bytes, 8
        self._block, self._begin, self._n_in_lists = b"", 0, 0
        self._int, self._long = struct.Struct(f"{order}I"), struct.Struct(f"{order}Q")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each tensor by its name; raises ``_UntrueError``."""
        n_tensors, n_values = self._counts()
        for _ in range(n_values):
            key = self._text(_LONGEST_KEY, "a key of {:,} bytes")
            kind = self._number(self._int)
            start = self._at
            self._skip_value(kind)
            if key.endswith(_N_LAYERS) and kind in _INTEGERS:
                self._refuse_layers(self._bytes(start, self._at - start), n_tensors)
        found, end = {}, 0
        for _ in range(n_tensors):
            name, shape = self._tensor()
            found[name] = shape
            end = max(end, self._number(self._long) + _MOST_PER_NUMBER * math.prod(shape))
        if n_tensors and self._n_bytes > self._at + end + _ALIGNED:
            raise _UntrueError(f"{self._n_bytes:,} bytes, more than its tensors take")
        return found

    def _counts(self) -> tuple[int, int]:
        """Of tensors, and of values."""
        n_tensors, n_values = self._number(self._long), self._number(self._long)
        if n_tensors > _MOST_TENSORS or n_values > _MOST_VALUES:
            raise _UntrueError(f"{n_tensors:,} tensors and {n_values:,} values")
        return n_tensors, n_values

    def _refuse_layers(self, value: bytes, n_tensors: int) -> None:
        n_layers = int.from_bytes(value, "little" if self._int.format.startswith("<") else "big")
        if n_layers > max(n_tensors, _FEW_LAYERS):
            raise _UntrueError(f"{n_layers:,} layers of {n_tensors:,} tensors")

    def _tensor(self) -> tuple[str, tuple[int, ...]]:
        """Its name and its shape; where it begins, in bytes after the header, is next."""
        name = self._text(_LONGEST_NAME, "a tensor whose name has {:,} bytes").decode(errors="replace")
        n_axes = self._number(self._int)
        if n_axes > _MOST_AXES:
            raise _UntrueError(f"a tensor of {n_axes:,} axes")
        shape = tuple(self._number(self._long) for _ in range(n_axes))
        if max(shape, default=0) >= _LONGEST_AXIS:
            raise _UntrueError(f"a tensor with an axis of {max(shape):,}")
        self._skip(self._int.size)  # its type
        return name, shape

    def _number(self, form: struct.Struct) -> int:
        at = self._at
        self._skip(form.size)
        if not self._begin <= at <= self._begin + len(self._block) - form.size:
            self._read(at, form.size)
        return int(form.unpack_from(self._block, at - self._begin)[0])

    def _text(self, longest: int, said: str) -> bytes:
        """``said``: of one that is longer."""
        length = self._number(self._long)
        if length > longest:
            raise _UntrueError(said.format(length))
        self._skip(length)
        return self._bytes(self._at - length, length)

    def _bytes(self, at: int, n_bytes: int) -> bytes:
        if not self._begin <= at <= self._begin + len(self._block) - n_bytes:
            self._read(at, n_bytes)
        return self._block[at - self._begin : at - self._begin + n_bytes]

    def _read(self, at: int, n_bytes: int) -> None:
        """A block from there on, with so many bytes at least."""
        self._file.seek(at)
        self._block, self._begin = self._file.read(_BLOCK), at
        if len(self._block) < n_bytes:  # it has been cut meanwhile
            raise _UntrueError(_CUT)

    def _skip(self, n_bytes: int) -> None:
        self._at += n_bytes
        if self._at > self._n_bytes:
            raise _UntrueError(_CUT)

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
        self._n_in_lists += length
        if self._n_in_lists > _MOST_IN_LISTS:
            raise _UntrueError(f"lists of {self._n_in_lists:,} texts and numbers")
        if kind in _SIZES:
            return
        for _ in range(length):
            before = self._at
            self._skip_value(kind)
            if self._at - before > _LONGEST_IN_LIST:
                raise _UntrueError(f"a token of more than {_LONGEST_IN_LIST:,} bytes")
