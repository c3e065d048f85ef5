"""What every picture shares: fonts, inks, and the colour and marker of each category."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from matplotlib import colors, font_manager, get_data_path
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

from tokviz import text as direction
from tokviz.records import Font

PIXELS_PER_INCH = 72
"""So that Matplotlib's points are pixels; figures of whole pixels come out at exactly that size."""

INK = "#2b2b2b"
QUIET_INK = "#6b6b6b"
SPINE = "#b4b4b4"
HAIRLINE = "#d9d9d9"

HUES = ("#21319d", "#920200", "#9c5b1a", "#0b7e6a", "#c272b0", "#60305d", "#3a8ff6", "#8c9943", "#7757a6")
"""Nine muted hues, each 3:1 or more against white. They were searched for in OKLab so that the nearest two stay at
least 0.10 apart for normal, protan, deutan and tritan sight (Machado et al.,
2009, doi:10.1109/TVCG.2009.113); Paul Tol's muted palette, which they are in the spirit of, has 0.05."""

MARKERS = ("o", "s", "^", "D", "v", "P", "*", "X", "<", ">")
"""Ten shapes, one more than hues, so that the first 90 categories all differ in hue or shape."""

LABEL_CONTRAST = 4.5
"""The WCAG's least contrast for text."""

_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "Tokviz Sans"


def _register(family: str, path: str, index: int = 0, weights: tuple[str, ...] = ("normal", "bold")) -> str:
    """Make a font known under a name of its own: by path, so that other installed fonts don't change the pictures."""
    for weight in weights:
        entry = font_manager.FontEntry(fname=path, index=index, name=family, weight=weight)
        if entry not in font_manager.fontManager.ttflist:
            font_manager.fontManager.ttflist.append(entry)
    return family


_register(_FAMILY, str(_FONTS / "TokvizSans-Regular.ttf"), weights=("normal",))
_register(_FAMILY, str(_FONTS / "TokvizSans-Bold.ttf"), weights=("bold",))
_OWN = (
    _FAMILY,
    # It comes with Matplotlib, and has the Greek, Hebrew and Arabic that the first one lacks.
    _register("Tokviz fallback", str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")),
)


# --- text ----------------------------------------------------------------------------------------------------------

_families: ContextVar[tuple[str, ...]] = ContextVar("families", default=_OWN)


@contextmanager
def lettering(fonts: Iterable[Font]) -> Iterator[None]:
    """Text made in the block is drawn and measured with ``fonts`` where the own ones lack a character."""
    found = (_register(f"Tokviz fallback {font.digest} {font.index}", font.path, font.index) for font in fonts)
    before = _families.set((*_OWN, *found))
    try:
        yield
    finally:
        _families.reset(before)


def font(size: float, bold: bool = False) -> FontProperties:
    """The font of all text, ``size`` pixels high, with fallbacks for what it lacks."""
    return _font(size, bold, _families.get())


@cache
def _font(size: float, bold: bool, families: tuple[str, ...]) -> FontProperties:
    return FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")


# Matplotlib ships no types for its Agg backend.
_RULER: RendererBase = RendererAgg(1, 1, PIXELS_PER_INCH)  # type: ignore[no-untyped-call]


def text_width(text: str, size: float, bold: bool = False) -> float:
    """How many pixels wide ``text`` is drawn."""
    return _measured(text, size, bold, _families.get())[0]


LINE = (0.77, 0.23)
"""How far a line of Latin text reaches above and below its baseline, as parts of its size."""


def text_box(text: str, size: float) -> tuple[float, float, float]:
    """Width of ``text``, and how far it reaches above and below its baseline, in pixels: many scripts reach farther
    than Latin letters."""
    width, height, descent = _measured(text, size, False, _families.get())
    return width, max(LINE[0] * size, height - descent), max(LINE[1] * size, descent)


@lru_cache(maxsize=100_000)
def _measured(text: str, size: float, bold: bool, families: tuple[str, ...]) -> tuple[float, float, float]:
    """Width, height and descent."""
    return _RULER.get_text_width_height_descent(text, _font(size, bold, families), ismath=False)


def isolated(text: str) -> str:
    """``text`` as part of a longer line of a picture."""
    inside = direction.isolated(text)
    # Unlike a page, Matplotlib takes a line's direction from its first letter; the mark counts as one.
    return text if inside == text else f"\N{LEFT-TO-RIGHT MARK}{inside}"


def shortened(text: str, width: float, size: float, bold: bool = False, middle: bool = False) -> str:
    """``text``, or as much of it as fits in ``width`` pixels with an ellipsis at its end or in its middle."""
    if text_width(text, size, bold) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        head = kept - kept // 2 if middle else kept
        candidate = text[:head].rstrip() + "…" + text[len(text) - (kept - head) :].lstrip()
        if text_width(candidate, size, bold) <= width:
            return candidate
    return "…"


# --- colours -------------------------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2) of an sRGB colour."""
    channels = np.array(colors.to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast_on_white(color: str) -> float:
    return 1.05 / (luminance(color) + 0.05)


def _hex(rgb: np.ndarray) -> str:
    red, green, blue = rgb.tolist()
    return colors.to_hex((red, green, blue))


def hue(category: int) -> str:
    return HUES[category % len(HUES)]


@cache
def label_color(category: int) -> str:
    """The category's hue, darkened until it reads as text on white."""
    color = hue(category)
    while contrast_on_white(color) < LABEL_CONTRAST:
        color = _hex(np.array(colors.to_rgb(color)) * 0.97)
    return color


@cache
def tint(color: str) -> str:
    """A lighter shade, for leader lines."""
    return _hex(0.65 * np.array(colors.to_rgb(color)) + 0.35)


# --- markers -------------------------------------------------------------------------------------------------------


@cache
def outline(category: int) -> Outline:
    """The category's marker, centred on its middle, with the area of a circle of diameter 1.

    Equal areas give marks equal weight: by Matplotlib's own sizes a star has a third of a square's ink.
    """
    marker = MarkerStyle(MARKERS[category % len(MARKERS)])
    path = marker.get_path().transformed(marker.get_transform())
    # Enlarged while it is turned into a polygon, so that curves get many corners.
    enlarged = path.transformed(Affine2D().scale(100))
    polygon = np.asarray(enlarged.to_polygons(closed_only=True)[0], dtype=float) / 100
    x, y = polygon[:-1].T
    following = np.roll(polygon[:-1], -1, axis=0)
    cross = x * following[:, 1] - following[:, 0] * y
    area = cross.sum() / 2
    centre = ((polygon[:-1] + following) * cross[:, None]).sum(axis=0) / (6 * area)
    scale = math.sqrt(math.pi / 4 / abs(area))
    # Arms and points reach far out for their area; let them, but not so far that a mark looks like a bigger one.
    reach = scale * np.hypot(*(polygon - centre).T).max()
    scale *= min(1.0, 0.86 / reach)
    return path.transformed(Affine2D().translate(*-centre).scale(scale))


DOT = Outline.circle(radius=0.5)
"""A circle of diameter 1."""
