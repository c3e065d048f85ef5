"""Which characters the faces of a font file have, read with fontTools."""

from __future__ import annotations

import hashlib
import logging
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_OUTLINES = {"glyf", "CFF ", "CFF2"}
_COLORED = {"CBDT", "COLR", "sbix", "SVG "}
"""Bitmaps and layers that Matplotlib can't draw."""
_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platform and encoding of subtables that map Unicode, the full ones first."""
_MOST_SHARING = 4
"""Where more characters than these share a glyph, on average, glyphs are placeholders: such a font has "every" character."""
_BEYOND_UNICODE = 0x110000


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
    ranges: tuple[tuple[int, int], ...]
    """First and last code of each run of characters, ascending."""

    def has(self, codes: Iterable[int]) -> set[int]:
        """Those of ``codes`` for which the face has a glyph."""
        return {code for code in codes if self._has(code)}

    def _has(self, code: int) -> bool:
        place = bisect_right(self.ranges, (code, _BEYOND_UNICODE)) - 1
        return place >= 0 and code <= self.ranges[place][1]


def read_faces(path: Path) -> tuple[Face, ...]:
    """Read the faces of a TrueType or OpenType file or collection that Matplotlib can draw; none of a damaged file.

    Raises ``OSError`` when the file can't be read.
    """
    open_font = _opener()
    faces = []
    try:
        size = path.stat().st_size
        index, n_faces = 0, 1
        while index < n_faces:
            with open_font(path, fontNumber=index, lazy=True) as font:
                n_faces = getattr(font.reader, "numFonts", 1)
                face = _face(font, path, index, size)
            if face is not None:
                faces.append(face)
            index += 1
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - a damaged file may make fontTools raise anything
        return ()
    return tuple(faces)


@cache
def _opener() -> Callable[..., Any]:
    """``TTFont``, loaded only when a file must be read: it takes longer than a run that changes nothing should."""
    from fontTools.ttLib import TTFont

    # Without a handler, Python would print its remarks on damaged fonts to the terminal.
    logging.getLogger("fontTools").addHandler(logging.NullHandler())
    opener: Callable[..., Any] = TTFont
    return opener


def _face(font: Any, path: Path, index: int, size: int) -> Face | None:
    tables: dict[str, Any] = font.reader.tables
    if any(entry.offset + entry.length > size for entry in tables.values()):
        raise ValueError("the file ends before its tables do")
    if "cmap" not in tables or not _OUTLINES & tables.keys() or _COLORED & tables.keys():
        return None
    directory = b"".join(
        struct.pack(">4sIII", tag.encode("latin-1"), entry.checkSum, entry.offset, entry.length)
        for tag, entry in sorted(tables.items())
    )
    return Face(
        path=path,
        index=index,
        digest=hashlib.sha256(directory).hexdigest(),
        varies="fvar" in tables,
        ranges=_ranges(_codes(font)),
    )


def _codes(font: Any) -> list[int]:
    """The characters that have a glyph, ascending."""
    # Glyphs need no names here, and a font's own take long to read or may be damaged.
    names = [str(glyph) for glyph in range(font["maxp"].numGlyphs)]
    font.setGlyphOrder(names)
    subtables = {(table.platformID, table.platEncID): table for table in reversed(font["cmap"].tables)}
    mappings = (subtables[kind].cmap for kind in _UNICODE if kind in subtables)
    glyphs: dict[int, str] = next((mapping for mapping in mappings if mapping), {})
    drawn = set(names[1:])  # the first stands for what is missing
    codes = sorted(code for code, name in glyphs.items() if name in drawn)
    return codes if len(codes) <= _MOST_SHARING * len({glyphs[code] for code in codes}) else []


def _ranges(codes: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Runs of neighbouring ``codes``, which ascend."""
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return tuple(ranges)
