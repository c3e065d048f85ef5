"""All depths as small unlabelled panels along one axis of relative depth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense
from tokviz.draw.sheet import Sheet, frame, inside
from tokviz.records import Points, Strip
from tokviz.records.axes import Box, extents, true_pane

WIDTHS = {"wide": 2200, "phone": 1074}
"""About: a strip is a few pixels wider or narrower, so that its panels stand at equal distances of whole pixels."""
MOST_PANELS = {"wide": 13, "phone": 9}
"""Of deep models some depths are shown, large enough for something to be seen."""
LARGEST = 132
"""Of a panel's side, in pixels: a strip stands above other things that shall be seen with it."""
PAD = 0.044
"""Of the width, left of the first panel's centre and right of the last one's: the same for every model, so that
strips under each other share one axis."""
MARGINS = (0.07, 0.07)
"""Of a panel's span, at either end of PC1 and of PC2."""
FILL = 0.94
"""Of the distance between two panels' centres that a panel may take."""
LEAST_SHAPE = 7.0
"""Pixels from which on a word's mark has the shape of its category; half of it on a screen. Where marks are smaller,
words are dots, and each category has one large mark."""
LARGE = 0.2
"""Of a panel's side that a large mark takes."""


def shown_depths(n_depths: int, form: str) -> np.ndarray:
    """The depths that a strip shows: all, or as many as fit, evenly thinned, the first and the last among them."""
    return np.unique(np.linspace(0, n_depths - 1, min(n_depths, MOST_PANELS[form])).round().astype(int))


def draw_strip(strip: Strip) -> Figure:
    """Draw a strip; a panel's centre is at pad + r · (width − 2 · pad) for relative depth r.

    Where depths are left out, those shown stand at equal distances, at most half a depth from their own places.

    Raises ``ValueError`` for an unknown form.
    """
    if strip.form not in WIDTHS:
        raise ValueError(f"form: expected one of {', '.join(WIDTHS)}, got {strip.form!r}")
    depths = shown_depths(len(strip.coordinates), strip.form)
    width, side, lefts = _arranged(strip.form, len(depths))
    sheet = Sheet(width, side, strip.points.marks, dark=strip.dark)
    diameter = max(4.0, side * 0.055)
    places = []
    for left, depth in zip(lefts, depths, strict=True):
        coordinates = strip.coordinates[depth]
        if not np.isfinite(coordinates).all():
            continue
        panel = Box(left=left, top=0, right=left + side, bottom=side)
        shown = _places(strip, coordinates, panel)
        if is_dense(strip.points):
            sheet.density(shown, panel, max(2.5, side * 0.035))
        else:
            places.append(shown)
    if places:
        _draw_marks(sheet, strip.points, np.array(places), diameter)
    hairline = style.DARK_HAIRLINE if strip.dark else style.HAIRLINE
    sheet.lines(np.concatenate([frame(left, 0, side) for left in lefts]), 1.0, hairline)
    return sheet.figure


def _arranged(form: str, n_panels: int) -> tuple[int, int, list[int]]:
    """Width and height of the strip, and where each panel begins."""
    steps = max(n_panels - 1, 1)
    distance = round(WIDTHS[form] * (1 - 2 * PAD) / steps)
    width = round(distance * steps / (1 - 2 * PAD))
    beside = width - distance * steps
    side = min(beside, round(FILL * distance), LARGEST)
    return width, side, [(beside - side) // 2 + index * distance for index in range(n_panels)]


def _places(strip: Strip, coordinates: np.ndarray, panel: Box) -> np.ndarray:
    """``(n_words, 2)`` in pixels, NaN for words beyond the panel."""
    places = true_pane(extents(coordinates, strip.points.reference), panel, MARGINS).places(coordinates)
    return inside(places, panel)


def _draw_marks(sheet: Sheet, points: Points, places: np.ndarray, diameter: float) -> None:
    """Draw the words of all panels at once, ``places`` is ``(n_panels, n_words, 2)``: in shapes, or as dots below large marks."""
    categories = [places[:, points.first == category] for category in range(len(points.categories))]
    if diameter >= LEAST_SHAPE:
        sheet.dots(points, np.where((points.first < 0)[:, None], places, np.nan), diameter)
        for category, own in enumerate(categories):
            sheet.category_marks(category, own.reshape(-1, 2), diameter, diameter * 0.05)
        return
    sheet.dots(points, places, diameter)
    large = max(10.0, sheet.height * LARGE)
    if categories:
        sheet.one_of_each(np.stack([_middles(own) for own in categories], axis=1), large, large * 0.08)


def _middles(places: np.ndarray) -> np.ndarray:
    """Of ``(n_panels, n_words, 2)`` each panel's place that is nearest to their median: ``(n_panels, 2)``."""
    if not places.shape[1]:
        return np.full((len(places), 2), np.nan)
    panels, n_seen = np.arange(len(places)), np.isfinite(places[..., 0]).sum(axis=1)
    # NaN is sorted to the end.
    median = np.sort(places, axis=1)[panels, (n_seen - 1) // 2]
    away = ((places - median[:, None]) ** 2).sum(axis=2)
    return np.asarray(places[panels, np.where(np.isnan(away), np.inf, away).argmin(axis=1)])
