"""Records → Matplotlib figures: labelled plates, the layer-versus-embedding grid and strips of thumbnails.

Nothing here touches pyplot's global state, and nothing but the vendored fonts is read from disk. One figure unit is
one pixel: figures have 72 dots per inch, so that sizes, positions and text are all given in pixels.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from tokviz.figures.grid import draw_grid
from tokviz.figures.plate import draw_plate
from tokviz.figures.strip import draw_strip
from tokviz.figures.style import missing_glyphs
from tokviz.records import Grid, Picture, Plate

__all__ = ["draw", "missing_glyphs"]


def draw(picture: Picture) -> Figure:
    """Draw a plate, a grid or a strip at its final size in pixels.

    Raises ``ValueError`` when a plate has coordinates that are not finite, or a form is unknown.
    """
    if isinstance(picture, Plate):
        return draw_plate(picture)
    if isinstance(picture, Grid):
        return draw_grid(picture)
    return draw_strip(picture)
