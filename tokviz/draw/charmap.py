"""Which characters a font file has: its ``cmap`` table, read without any library.

A run that draws nothing must know the fonts of its pictures too, and loading Matplotlib's font tools takes longer than
such a run. The tables are described in the OpenType specification, chapter “cmap — Character to Glyph Index Mapping
Table”.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_BY_WORTH = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platform and encoding of subtables that map Unicode, the full ones first."""
_OUTLINES = {b"glyf", b"CFF ", b"CFF2"}
_COLOURED = {b"CBDT", b"COLR", b"sbix", b"SVG "}
"""Bitmaps and layers that Matplotlib can't draw."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """One face of a font file, and its characters."""

    path: Path
    index: int
    """Within a collection; 0 elsewhere."""
    digest: str
    """Of the file's table directory, which holds a checksum of each table: it differs where the content does, and a
    font of 20 MB needs not be read for it."""
    varies: bool
    """A variable font; it is drawn at its default weight, which may be its thinnest."""
    groups: np.ndarray
    """``(n, 3)`` int64: first and last code of a run and the first's glyph, sorted; of format 12."""
    segments: tuple[np.ndarray, ...]
    """Of format 4: last codes, first codes, deltas, offsets, and what the offsets point into."""

    def has(self, codes: Iterable[int]) -> set[int]:
        """Those of ``codes`` for which the face has a glyph."""
        return {code for code in codes if self._glyph(code)}

    def _glyph(self, code: int) -> int:
        if len(self.groups):
            row = int(np.searchsorted(self.groups[:, 0], code, side="right")) - 1
            if row < 0 or code > self.groups[row, 1]:
                return 0
            return int(self.groups[row, 2]) + code - int(self.groups[row, 0])
        if not self.segments or code > 0xFFFF:
            return 0
        last, first, delta, offset, glyphs = self.segments
        row = int(np.searchsorted(last, code))
        if row == len(last) or code < first[row]:
            return 0
        if offset[row]:
            # Offsets count bytes from their own place; the glyphs follow the offsets.
            place = int(offset[row]) // 2 + code - int(first[row]) - (len(last) - row)
            if not 0 <= place < len(glyphs) or not glyphs[place]:
                return 0
            return (int(glyphs[place]) + int(delta[row])) & 0xFFFF
        return (code + int(delta[row])) & 0xFFFF


def faces(path: Path) -> list[Face]:
    """The faces of a TrueType or OpenType file or collection that Matplotlib can draw; none of a damaged file."""
    try:
        with path.open("rb") as file:
            offsets = _offsets(file)
            found = [_face(path, file, index, offset) for index, offset in enumerate(offsets)]
    except (OSError, ValueError, IndexError, struct.error):
        return []
    return [face for face in found if face is not None]


def _offsets(file: BinaryIO) -> list[int]:
    if file.read(4) != b"ttcf":
        return [0]
    _, count = struct.unpack(">II", file.read(8))
    return list(struct.unpack(f">{count}I", file.read(4 * count)))


def _face(path: Path, file: BinaryIO, index: int, offset: int) -> Face | None:
    file.seek(offset)
    _, n_tables = struct.unpack(">IH6x", file.read(12))
    directory = file.read(16 * n_tables)
    tables = {tag: (start, length) for tag, _, start, length in struct.iter_unpack(">4sIII", directory)}
    if b"cmap" not in tables or not _OUTLINES & tables.keys() or _COLOURED & tables.keys():
        return None
    start, length = tables[b"cmap"]
    file.seek(start)
    groups, segments = _mapping(file.read(length))
    return Face(
        path=path,
        index=index,
        digest=hashlib.sha256(directory).hexdigest(),
        varies=b"fvar" in tables,
        groups=groups,
        segments=segments,
    )


def _mapping(cmap: bytes) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    (count,) = struct.unpack_from(">H", cmap, 2)
    subtables = {
        (platform, encoding): start for platform, encoding, start in struct.iter_unpack(">HHI", cmap[4 : 4 + 8 * count])
    }
    for kind in _BY_WORTH:
        if kind not in subtables:
            continue
        start = subtables[kind]
        (form,) = struct.unpack_from(">H", cmap, start)
        if form == 12:
            (n_groups,) = struct.unpack_from(">I", cmap, start + 12)
            return np.frombuffer(cmap, ">u4", 3 * n_groups, start + 16).astype(np.int64).reshape(-1, 3), ()
        if form == 4:
            length, _, doubled = struct.unpack_from(">HHH", cmap, start + 2)
            n = doubled // 2
            words = np.frombuffer(cmap, ">u2", min(length, len(cmap) - start) // 2, start).astype(np.int64)
            bounds = (7, 7 + n, 8 + n, 8 + 2 * n, 8 + 3 * n, 8 + 4 * n)
            last, first = words[bounds[0] : bounds[1]], words[bounds[2] : bounds[3]]
            delta, offset = words[bounds[3] : bounds[4]], words[bounds[4] : bounds[5]]
            if len(offset) == n:
                return np.empty((0, 3), np.int64), (last, first, delta, offset, words[bounds[5] :])
    return np.empty((0, 3), np.int64), ()
