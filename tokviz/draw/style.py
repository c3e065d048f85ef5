"""What every picture shares: inks, and the colour and marker of each category."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from matplotlib import colors
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

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

PAPER = "#efefef"
"""The darkest paper that pictures are seen on: a page's, in its dark theme (``--plate-paper`` of ``site.css``)."""

LABEL_CONTRAST = 4.5
"""The WCAG's least contrast for text."""


# --- colours -------------------------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2) of an sRGB colour."""
    channels = np.array(colors.to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(color: str, paper: str = "#ffffff") -> float:
    """The WCAG's contrast of a colour with a lighter one, 1 to 21."""
    return (luminance(paper) + 0.05) / (luminance(color) + 0.05)


def _hex(rgb: np.ndarray) -> str:
    red, green, blue = rgb.tolist()
    return colors.to_hex((red, green, blue))


def hue(category: int) -> str:
    """The colour of a category's marks."""
    return HUES[category % len(HUES)]


@cache
def label_color(category: int) -> str:
    """The category's hue, darkened until it reads as text on white and on any other paper."""
    color = hue(category)
    while contrast(color, PAPER) < LABEL_CONTRAST:
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
