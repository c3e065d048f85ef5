"""Fonts of a few boxes, for tests that must not depend on what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from fontTools.ttLib.ttCollection import TTCollection

EM = 1000


def made(
    characters: str, *, width: int = EM, top: int = 800, bottom: int = 0, colored: bool = False, varying: bool = False
) -> TTFont:
    """A font in which each of ``characters`` is a box as wide as it advances."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, bottom))
    for corner in ((0, top), (width, top), (width, bottom)):
        pen.lineTo(corner)
    pen.closePath()
    box, empty = pen.glyph(), TTGlyphPen(None).glyph()
    names = {ord(character): f"u{ord(character):04X}" for character in characters}
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    builder.setupGlyf({".notdef": empty, **dict.fromkeys(names.values(), box)})
    builder.setupHorizontalMetrics({".notdef": (500, 0), **dict.fromkeys(names.values(), (width, 0))})
    builder.setupHorizontalHeader(ascent=max(top, 800), descent=min(bottom, -200))
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    if colored:
        builder.setupCOLR({name: [(name, 0)] for name in names.values()})
        builder.setupCPAL([[(1.0, 0.0, 0.0, 1.0)]])
    if varying:
        builder.setupFvar([("wght", 100, 100, 900, "Weight")], [])
    # The same bytes whenever it is made.
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    return builder.font


def put(folder: Path, name: str, characters: str, **how: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made(characters, **how).save(folder / name)
    return folder / name


def put_mapped(folder: Path, name: str, codes: dict[int, str], form: int) -> Path:
    """A font whose only map of characters, code → one of ``abc``, is a subtable of format ``form``."""
    font = made("abc")
    subtable = CmapSubtable.newSubtable(form)
    subtable.platformID, subtable.platEncID = (3, 10) if form > 6 else (0, 3)
    subtable.language = 0
    subtable.cmap = {code: f"u{ord(character):04X}" for code, character in codes.items()}
    font["cmap"].tables = [subtable]
    folder.mkdir(parents=True, exist_ok=True)
    font.save(folder / name)
    return folder / name


def put_collection(folder: Path, name: str, *faces: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    collection = TTCollection()
    collection.fonts = [made(characters) for characters in faces]
    collection.save(folder / name)
    return folder / name
