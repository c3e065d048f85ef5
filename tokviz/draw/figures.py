"""Records → Matplotlib figures: labelled plates, the layer-versus-embedding grid, strips of thumbnails and heat maps.

Nothing here touches pyplot's global state, and nothing but fonts is read from disk. One figure unit is
one pixel: figures have 72 dots per inch, so that sizes, positions and text are all given in pixels.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from tokviz.draw.grid import draw_grid
from tokviz.draw.heat_map import draw_heat_map
from tokviz.draw.plate import draw_plate, draw_side_by_side
from tokviz.draw.strip import draw_strip
from tokviz.records import HeatMap, Picture, Plate, SideBySide, Strip

__all__ = ["described", "draw"]


def draw(picture: Picture | SideBySide) -> Figure:
    """Draw a picture at its final size in pixels.

    Raises ``ValueError`` when a plate has coordinates that are not finite, or a form is unknown.
    """
    if isinstance(picture, Strip):
        return draw_strip(picture)
    if isinstance(picture, HeatMap):
        return draw_heat_map(picture)
    if isinstance(picture, SideBySide):
        return draw_side_by_side(picture)
    return draw_plate(picture) if isinstance(picture, Plate) else draw_grid(picture)


def described(picture: Picture | SideBySide) -> tuple[str, str]:
    """A picture's title and what it shows, in words."""
    if isinstance(picture, SideBySide):
        one, other = picture.plates
        models = one.model if one.model == other.model else f"{one.model} and {other.model}"
        contexts = one.context if one.context == other.context else f"{one.context} and {other.context}"
        return f"{models} · {contexts} · {one.depth}", picture.caption
    points = picture.points
    n_categories = len(points.categories)
    counts = f"{len(points.words):,} words in {n_categories:,} {'category' if n_categories == 1 else 'categories'}"
    if isinstance(picture, Strip):
        return "Strip", f"{counts} at {len(picture.coordinates):,} depths, without labels."
    if isinstance(picture, HeatMap):
        return "Words by layer", f"{counts} at {len(picture.values):,} depths: {picture.unit}, 0 to {picture.most}."
    if isinstance(picture, Plate):
        (_, first), (_, second) = picture.axes
        placed = (
            f"placed by {picture.method.name}: {picture.method.meaning}."
            if picture.method
            else f"each at its first two principal components: PC1 holds {first} of the variance, PC2 {second}."
        )
        return f"{picture.model} · {picture.context} · {picture.depth}", f"{counts}, {placed}"
    first, second = (f"{share * 100:.1f} %" for share in picture.explained_variance_ratio)
    title = f"{picture.model} · {picture.context} · all layers"
    return title, (
        f"{counts}, a plot for each of {len(picture.depths):,} depths, along the embedding's PC1 ({first} of its "
        f"variance) and PC2 ({second})."
    )
