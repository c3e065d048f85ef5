"""Text as pictures show it: in which fonts, how much space it takes, and what of it fits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import font_manager, get_data_path
from matplotlib.backends.backend_agg import get_hinting_flag
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from tokviz import text as direction
from tokviz.records import Font

PIXELS_PER_INCH = 72
"""So that Matplotlib's points are pixels; figures of whole pixels come out at exactly that size."""

LINE = (0.77, 0.23)
"""How far a line of Latin text reaches above and below its baseline, as parts of its size."""

_FONTS = Path(__file__).parent / "fonts"
_MOST_REMEMBERED = 5_000
"""Texts with their images: about 1.5 KB each."""
MOST_SET = 300
"""Characters of what is set as one line: of a thousand that each stand for a sentence, such as U+FDFD, one line takes seconds."""


class Written(NamedTuple):
    """A text in one line, in pixels."""

    width: float
    above: float
    below: float
    """How far its ink reaches from the baseline."""
    ink: np.ndarray
    """``(height, width)`` uint8: how much of each pixel is covered, up to 255."""
    left: int
    top: int
    """From where the text starts on its baseline to the image's left edge, and up to its top."""


class Typesetter:
    """Measures and breaks text that is drawn in the author's font and the bundled ones, and in others where these lack a character."""

    def __init__(self, fonts: Iterable[Font] = ()) -> None:
        first: list[str] = []
        others: list[str] = []
        for font in fonts:
            family = _register(f"Tokviz fallback {font.digest} {font.index}", font.path, font.index)
            (first if font.comes_first else others).append(family)
        self._families = [*first, *_bundled_families(), *others]
        self._fonts: dict[tuple[float, bool], FontProperties] = {}
        self._files: dict[bool, list[font_manager.FontPath]] = {}
        # The pictures of a model show the same words dozens of times.
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(self._write)
        self._space = lru_cache(maxsize=64)(self._measure_space)

    def font(self, size: float, bold: bool = False) -> FontProperties:
        """The font of all text, ``size`` pixels high, with fallbacks for what it lacks."""
        if (size, bold) not in self._fonts:
            weight = "bold" if bold else "normal"
            self._fonts[size, bold] = FontProperties(family=self._families, size=size, weight=weight)
        return self._fonts[size, bold]

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """How many pixels wide ``text`` is drawn."""
        return self.written(text, size, bold).width

    def box(self, text: str, size: float) -> tuple[float, float, float]:
        """Width of ``text``, and how far it reaches above and below its baseline, in pixels.

        Many scripts reach farther than Latin letters.
        """
        written = self.written(text, size)
        return written.width, max(LINE[0] * size, written.above), max(LINE[1] * size, written.below)

    def shortened(self, text: str, width: float, size: float, *, bold: bool = False, middle: bool = False) -> str:
        """``text``, or as much of it as fits in ``width`` pixels with an ellipsis at its end or in its middle."""
        if len(text) <= MOST_SET and self.width(text, size, bold) <= width:
            return text

        def kept(n: int) -> str:
            head = n - n // 2 if middle else n
            return text[:head].rstrip() + "…" + text[len(text) - (n - head) :].lstrip()

        least, most = 0, min(len(text) - 1, MOST_SET)
        while least < most:
            n = (least + most + 1) // 2
            least, most = (n, most) if self.width(kept(n), size, bold) <= width else (least, n - 1)
        return kept(least) if least else "…"

    def wrapped(self, text: str, width: float, size: float) -> list[str]:
        """``text`` in lines of at most ``width`` pixels; a longer word has a line of its own."""
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(f"{lines[-1]} {word}", size) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def fitted(self, text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
        """The same, but a no-break space doesn't break, and a word that is longer than a line is shortened."""
        lines: list[str] = []
        for word in text.split(" "):
            if lines and self.width(f"{lines[-1]} {word}", size, bold) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return [self.shortened(line, width, size, bold=bold) for line in lines]

    def written(self, text: str, size: float, bold: bool = False, scale: float = 1.0) -> Written:
        """``text`` set and drawn, with ``scale`` pixels for each one of ``size``."""
        return self._remembered(text, size, bold, scale)

    def _write(self, text: str, size: float, bold: bool, scale: float) -> Written:
        space = self._space(size, bold, scale)
        # A glyph that reaches into the image's first pixel would lose its distance to the next one; a space doesn't.
        font = self._set(f" {text} ", size, bold, scale)
        font.draw_glyphs_to_bitmap()
        width, height = font.get_width_height()
        below = font.get_descent()
        return Written(
            width=width / 64 - 2 * space,
            above=(height - below) / 64,
            below=below / 64,
            ink=np.array(font.get_image()),
            left=-round(space),
            top=(height - below) // 64 + 1,
        )

    def _measure_space(self, size: float, bold: bool, scale: float) -> float:
        return self._set(" ", size, bold, scale).get_width_height()[0] / 64

    def _set(self, text: str, size: float, bold: bool, scale: float) -> FT2Font:
        """The font after it has set a text."""
        if bold not in self._files:
            fonts = (FontProperties(family=family, weight="bold" if bold else "normal") for family in self._families)
            self._files[bold] = [font_manager.findfont(font, fallback_to_default=False) for font in fonts]
        font = font_manager.get_font(self._files[bold])
        font.set_size(size, PIXELS_PER_INCH * scale)
        font.set_text(text, flags=get_hinting_flag())  # type: ignore[no-untyped-call]  # Matplotlib's own stubs leave Agg out
        return font


@lru_cache(maxsize=16)
def typesetter_for(fonts: tuple[Font, ...] = ()) -> Typesetter:
    """One for all pictures with the same fonts, so that it measures a word once."""
    return Typesetter(fonts)


@cache
def _bundled_families() -> tuple[str, ...]:
    """The names under which Matplotlib knows the bundled fonts; its list of fonts is one for the whole process."""
    own = "Tokviz Sans"
    _register(own, str(_FONTS / "TokvizSans-Regular.ttf"), weights=("normal",))
    _register(own, str(_FONTS / "TokvizSans-Bold.ttf"), weights=("bold",))
    # It comes with Matplotlib, and has the Greek, Hebrew and Arabic that the first one lacks.
    dejavu = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return own, _register("Tokviz fallback", str(dejavu))


def _register(family: str, path: str, index: int = 0, weights: tuple[str, ...] = ("normal", "bold")) -> str:
    """Make a font known under a name of its own: by path, so that other installed fonts don't change the pictures."""
    for weight in weights:
        entry = font_manager.FontEntry(fname=path, index=index, name=family, weight=weight)
        if entry not in font_manager.fontManager.ttflist:
            font_manager.fontManager.ttflist.append(entry)
    return family


def isolated(text: str) -> str:
    """``text`` as part of a longer line of a picture."""
    inside = direction.isolated(text)
    # Unlike a page, Matplotlib takes a line's direction from its first letter; the mark counts as one.
    return text if inside == text else f"\N{LEFT-TO-RIGHT MARK}{inside}"
