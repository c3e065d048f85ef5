"""All depths as small unlabelled panels along one axis of relative depth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense
from tokviz.draw.sheet import Box, Sheet, frame
from tokviz.records import Strip
from tokviz.records.axes import axis_limits

WIDTHS = {"wide": 2200, "phone": 1074}
MOST_PANELS = {"wide": 60, "phone": 9}
PAD = 0.044
"""Of the width, left of the first panel's centre and right of the last one's: the same for every model, so that
strips under each other share one axis."""
MARGINS = (0.07, 0.07)
"""Of a panel's span, at either end of PC1 and of PC2."""
FILL = 0.94
"""Of the distance between two panels' centres that a panel may take."""


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
    width = WIDTHS[strip.form]
    n_depths = len(strip.coordinates)
    depths = shown_depths(n_depths, strip.form)
    pad = PAD * width
    spacing = (width - 2 * pad) / max(len(depths) - 1, 1)
    side = round(min(2 * pad, FILL * spacing))
    sheet = Sheet(width, side)
    diameter = max(4.0, side * 0.055)
    frames, places = [], []
    for index, depth in enumerate(depths):
        relative = index / max(len(depths) - 1, 1)
        # Whole pixels keep the frames crisp.
        left = round(pad + relative * (width - 2 * pad) - side / 2)
        frames.append(frame(left, 0, side))
        coordinates = strip.coordinates[depth]
        if not np.isfinite(coordinates).all():
            continue
        (low_x, high_x), (low_y, high_y) = axis_limits(coordinates, strip.points.reference, MARGINS)
        x = left + (coordinates[:, 0] - low_x) / (high_x - low_x) * side
        y = side - (coordinates[:, 1] - low_y) / (high_y - low_y) * side
        inside = (x > left) & (x < left + side) & (y > 0) & (y < side)
        shown = np.where(inside[:, None], np.stack([x, y], axis=1), np.nan)
        if is_dense(strip.points):
            box = Box(left=left, top=0, right=left + side, bottom=side)
            sheet.density(shown, box, max(2.5, side * 0.035))
        else:
            places.append(shown)
    sheet.dots(strip.points, np.array(places).reshape(-1, len(strip.points.words), 2), diameter)
    sheet.lines(np.concatenate(frames), 1.0, style.HAIRLINE)
    return sheet.figure
