"""What every picture shares: fonts, inks, and the colour and marker of each category."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from matplotlib import colors, font_manager, ft2font
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

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

_FONTS = Path(__file__).parent.parent / "fonts"
_FAMILY = "Tokviz Sans"
_FALLBACK = "DejaVu Sans"

for _file in ("TokvizSans-Regular.ttf", "TokvizSans-Bold.ttf"):
    # By path, so that pictures have the same bytes on machines with other fonts installed.
    font_manager.fontManager.addfont(str(_FONTS / _file))


# --- text ----------------------------------------------------------------------------------------------------------


@cache
def font(size: float, bold: bool = False) -> FontProperties:
    """The font of all text, ``size`` pixels high, with a fallback for glyphs that it lacks."""
    return FontProperties(family=[_FAMILY, _FALLBACK], size=size, weight="bold" if bold else "normal")


# Matplotlib ships no types for its Agg backend.
_RULER: RendererBase = RendererAgg(1, 1, PIXELS_PER_INCH)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=100_000)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """How many pixels wide ``text`` is drawn."""
    return _RULER.get_text_width_height_descent(text, font(size, bold), ismath=False)[0]


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


def missing_glyphs(texts: Iterable[str]) -> set[str]:
    """The characters that no font of the pictures has; they are drawn as empty boxes."""
    known = set[int]()
    for family in (_FAMILY, _FALLBACK):
        known.update(ft2font.FT2Font(font_manager.findfont(family)).get_charmap())
    return {character for text in texts for character in text if ord(character) not in known}


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
