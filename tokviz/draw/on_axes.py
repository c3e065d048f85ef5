"""A plate's words on axes that somebody else has made: Matplotlib's own marks, and names beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tokviz.draw import style
from tokviz.records import Plate
from tokviz.records.axes import Box, framing, true_pane
from tokviz.records.look import MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 30
"""Of a mark, in square points."""
GAP = 4
"""Between a mark and its name, in points."""


def draw(axes: Axes, plate: Plate, *, names: bool) -> Axes:
    """Draw marks in the categories' colors and shapes, hollow as on a plate, and set limits, labels and title.

    Both axes have one scale, as far as the plate's ``aspect`` doesn't say otherwise.

    Parameters
    ----------
    names : whether the words stand beside their marks; where many lie together, they overlap.
    """
    points, xy, marks = plate.points, plate.coordinates, plate.points.marks
    for category, label in enumerate(points.categories):
        rows = np.flatnonzero(points.first == category)
        hollow = points.hollow[rows]
        color = marks.hue(category)
        axes.scatter(
            xy[rows, 0],
            xy[rows, 1],
            s=SIZE,
            marker=MARKERS[marks.shape(category)],
            facecolors=np.where(hollow, "none", color).tolist(),
            edgecolors=np.where(hollow, color, "white").tolist(),
            linewidths=np.where(hollow, 1.0, 0.5).tolist(),
            label=label,
        )
    if names:
        for word, place, category in zip(points.words, xy, points.first, strict=True):
            axes.annotate(
                word.strip().replace("$", r"\$"),
                place,
                xytext=(GAP, 0),
                textcoords="offset points",
                fontsize="x-small",
                color=style.INK if category < 0 else marks.name_color(int(category)),
                verticalalignment="center",
                annotation_clip=True,
            )
    # Limits of the axes' present shape, so that a flat plot doesn't make them flat.
    limits, window = plate.extents, axes.get_window_extent()
    area = Box(0, 0, window.width, window.height)
    if plate.aspect == "equal":
        across, up = true_pane(limits, area).limits
        axes.set_aspect("equal", adjustable="box")
    else:
        across, up = framing(limits, area, 0, plate.aspect).main.limits
    first, second = (f"{name} ({share})" if share else name for name, share in plate.axes)
    axes.set(
        xlim=across, ylim=up, xlabel=first, ylabel=second, title=f"{plate.model} · {plate.context} · {plate.depth}"
    )
    return axes
