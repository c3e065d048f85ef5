"""What every picture shares: inks, and the outlines of the categories' markers."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

from tokviz.records.look import MARKERS, ShapeName, changed

PAPER = "white"
INK = "#2b2b2b"
QUIET_INK = "#6b6b6b"
SPINE = "#b4b4b4"
HAIRLINE = "#d9d9d9"
BAND = "#f1efe9"
ACCENT = "#b0361a"
DARK_QUIET_INK = "#a2a6ac"
DARK_HAIRLINE = "#34383d"
"""On the dark ground, as pages have them."""


@cache
def tint(color: str) -> str:
    """A lighter shade, for leader lines."""
    return changed(color, lambda channel: 0.65 * channel + 0.35)


@cache
def outline(shape: ShapeName) -> Outline:
    """The marker of that shape, centred on its middle, with the area of a circle of diameter 1.

    Equal areas give marks equal weight: by Matplotlib's own sizes a star has a third of a square's ink.
    """
    marker = MarkerStyle(MARKERS[shape])
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
