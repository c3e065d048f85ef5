"""A blank figure in pixels, and the few things that pictures put on it."""

from __future__ import annotations

import math
from copy import copy
from functools import cached_property, partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from tokviz.draw import style
from tokviz.draw.density import DARK_SHADES, SHADES
from tokviz.draw.typesetting import PIXELS_PER_INCH, Typesetter, typesetter_for
from tokviz.records import Marks, Points
from tokviz.records.axes import Box
from tokviz.records.look import DARK_GROUND

_OVERLAP = 0.6
"""By how many pixels hexagons beside each other overlap."""


class Sheet:
    """A figure of ``width`` × ``height`` pixels, white or dark; x runs right and y down, as in the image."""

    def __init__(
        self,
        width: float,
        height: float,
        looks: Marks,
        typesetter: Typesetter | None = None,
        scale: float = 1.0,
        *,
        dark: bool = False,
    ) -> None:
        """Lay out an empty figure.

        Parameters
        ----------
        looks : the colours and shapes of categories.
        typesetter : sets text, by default in the bundled fonts alone.
        scale : pixels of the image for each one of the sheet.
        dark : whether it is the dark ground, with the colours that categories have there; not for text, nor for the scale of
            densities.
        """
        size = (width / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
        self.width, self.height, self._looks, self._dark, self._left = width, height, looks, dark, 0.0
        self._paper = DARK_GROUND if dark else style.PAPER
        self.typesetter = typesetter or typesetter_for()
        self.figure = Figure(figsize=size, dpi=PIXELS_PER_INCH * scale, facecolor=self._paper)
        FigureCanvasAgg(self.figure)

    def part(self, left: float, width: float, typesetter: Typesetter) -> Sheet:
        """As high a sheet within this one, with text of its own fonts; ``left``, ``width``: where it stands, in pixels."""
        found = copy(self)
        found.width, found.typesetter, found._left = width, typesetter, left
        return found

    @property
    def _pixels(self) -> Transform:
        inches = Affine2D().scale(1, -1).translate(self._left, self.height).scale(1 / PIXELS_PER_INCH)
        return inches + self.figure.dpi_scale_trans

    @cached_property
    def _axes(self) -> Axes:
        """All of the sheet, for what Matplotlib draws on axes alone: they take as long to make as all marks."""
        whole = self.figure.get_figwidth() * PIXELS_PER_INCH
        axes = self.figure.add_axes((self._left / whole, 0, self.width / whole, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, self.width), ylim=(self.height, 0), autoscale_on=False)
        return axes

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        color: str = style.INK,
        *,
        bold: bool = False,
        align: float = 0.0,
    ) -> None:
        """Write ``text``; ``at`` is on its baseline, with ``align`` of its width to the left. A ``$`` is a dollar."""
        # Text and marks stand on whole pixels: what recurs is then alike to the pixel, crisper and lighter as WebP.
        x = round(self._left + at[0] - align * self.typesetter.width(text, size, bold))
        y = round(at[1])
        self.figure.add_artist(_Words((x, y), text, size, color, bold, self.typesetter))

    def lines(self, segments: np.ndarray, width: float, colors: object) -> None:
        """Draw straight lines, ``segments`` is ``(n, 2, 2)``; crisp where they run along whole pixels."""
        if len(segments):
            # Matplotlib draws lines above all else; here what comes later stands above.
            lines = LineCollection(
                list(segments), linewidths=width, colors=colors, capstyle="butt", snap=False, zorder=1
            )
            lines.set_transform(self._pixels)
            self.figure.add_artist(lines)

    def boxes(self, corners: np.ndarray, color: str) -> None:
        """Fill rectangles without edges; ``corners`` is ``(n, 4)``: left, top, right, bottom."""
        left, top, right, bottom = corners.T
        polygons = np.stack([left, top, right, top, right, bottom, left, bottom], axis=1).reshape(-1, 4, 2)
        filled = PolyCollection(list(polygons), facecolors=color, edgecolors="none")
        filled.set_transform(self._pixels)
        self.figure.add_artist(filled)

    def marks(self, points: Points, places: np.ndarray, diameter: float, rim: float) -> None:
        """Draw a mark at each of ``places`` ``(n_words, 2)`` or, for several panels at once, ``(n_panels, n_words, 2)``.

        Places are in pixels, NaN stands for no mark. A word with two categories bears the second one's mark, smaller,
        on top of the first's.
        """
        panels = places.reshape(-1, len(points.words), 2)
        self._collect(style.DOT, panels[:, points.first < 0].reshape(-1, 2), diameter * 0.6, style.INK)
        first = points.first
        for category in range(len(points.categories)):
            for hollow in (False, True):
                rows = (first == category) & (points.hollow == hollow)
                self.category_marks(category, panels[:, rows].reshape(-1, 2), diameter, rim, hollow)
        for category in range(len(points.categories)):
            rows = np.array([category in categories[1:] for categories in points.memberships])
            self.category_marks(category, panels[:, rows].reshape(-1, 2), diameter * 0.58, rim)

    def dots(self, points: Points, places: np.ndarray, diameter: float) -> None:
        """Draw every word as a plain dot in its first category's hue: marks too small to tell shapes apart.

        ``places`` is ``(n_panels, n_words, 2)`` in pixels; NaN stands for no dot.
        """
        first, quiet = points.first, style.DARK_QUIET_INK if self._dark else style.QUIET_INK
        self._collect(style.DOT, places[:, first < 0].reshape(-1, 2), diameter, quiet)
        for category in range(len(points.categories)):
            self._collect(style.DOT, places[:, first == category].reshape(-1, 2), diameter, self._hue(category))

    def one_of_each(self, places: np.ndarray, diameter: float, rim: float) -> None:
        """Draw one mark of each category in several panels; ``places`` is ``(n_panels, n_categories, 2)`` in pixels."""
        categories = range(places.shape[1])
        self._add(
            [self._outline(category) for category in categories],
            places.reshape(-1, 2).round(),
            diameter,
            [self._hue(category) for category in categories],
            self._paper,
            rim,
        )

    def density(self, xy: np.ndarray, box: Box, size: float) -> int:
        """Shade the hexagons of ``box``, ``size`` pixels wide, by how many of ``xy`` ``(n, 2)`` lie in them.

        The number in the fullest one is returned. All is in pixels, NaN stands for no point.
        """
        xy = xy[np.isfinite(xy).all(axis=1)]
        columns = max(1, round(box.width / size))
        rows = max(1, round(box.height / (size * math.sqrt(3))))
        if not len(xy):
            return 0
        hexagons = self._axes.hexbin(
            xy[:, 0],
            xy[:, 1],
            gridsize=(columns, rows),
            extent=(box.left, box.right, box.top, box.bottom),
            mincnt=1,
            cmap=DARK_SHADES if self._dark else SHADES,
            linewidths=0,
        )
        # A little larger, else the paper shows between neighbours.
        larger = 1 + _OVERLAP / size
        hexagons.set_verts([np.asarray(path.vertices) * larger for path in hexagons.get_paths()])
        # Among all that is drawn on the sheet, in its order.
        hexagons.remove()
        self.figure.add_artist(hexagons)
        most = int(np.asarray(hexagons.get_array()).max())
        hexagons.set_norm(LogNorm(1, max(most, 2)))
        return most

    def shades(self, left: float, top: float, width: float, height: float) -> None:
        """Draw the scale of ``density``, from one word to the most."""
        colors = SHADES(np.linspace(0, 1, SHADES.N))
        step = width / SHADES.N
        for index, color in enumerate(colors):
            self.boxes(np.array([[left + index * step, top, left + (index + 1) * step, top + height]]), to_hex(color))

    def category_marks(self, category: int, xy: np.ndarray, diameter: float, rim: float, hollow: bool = False) -> None:
        """Draw one category's marks at ``xy`` ``(n, 2)``: with a rim of the paper's colour, or hollow."""
        line = max(rim * 1.4, diameter * 0.14)
        outline, hue = self._outline(category), self._hue(category)
        if hollow:
            self._collect(outline, xy, diameter - line, self._paper, hue, line)
        else:
            self._collect(outline, xy, diameter, hue, self._paper, rim)

    def _hue(self, category: int) -> str:
        return self._looks.dark_colors(category)[0] if self._dark else self._looks.hue(category)

    def _outline(self, category: int) -> Path:
        return style.outline(self._looks.shape(category))

    def _collect(
        self, outline: Path, xy: np.ndarray, diameter: float, fill: str, edge: str = "none", line: float = 0.0
    ) -> None:
        xy = xy[np.isfinite(xy).all(axis=1)].round()
        if len(xy):
            self._add([outline], xy, diameter, fill, edge, line)

    def _add(
        self, outlines: list[Path], xy: np.ndarray, diameter: float, fill: str | list[str], edge: str, line: float
    ) -> None:
        """Draw marks, whose outlines and fills recur in their order; none where ``xy`` is NaN."""
        collection = PathCollection(
            outlines,
            sizes=[diameter**2],
            offsets=xy,
            offset_transform=self._pixels,
            facecolors=fill,
            edgecolors=edge,
            linewidths=line,
        )
        collection.set_transform(Affine2D())
        self.figure.add_artist(collection)


def draw_title(sheet: Sheet, model: str, rest: str, span: tuple[float, float], size: float, *, two_lines: bool) -> None:
    """Write the model, then context and layer, in one line or two; what is too long loses its middle.

    Parameters
    ----------
    span : left and right end of the lines, in pixels.
    """
    setter = sheet.typesetter
    left, width = span[0], span[1] - span[0]
    if two_lines:
        sheet.text((left, size * 1.3), setter.shortened(model, width, size, bold=True, middle=True), size, bold=True)
        sheet.text((left, size * 2.6), setter.shortened(rest, width, size), size)
        return
    rest = setter.shortened(f" · {rest}", width * 0.6, size, middle=True)
    model = setter.shortened(model, width - setter.width(rest, size), size, bold=True, middle=True)
    sheet.text((left, size * 1.5), model, size, bold=True)
    sheet.text((left + setter.width(model, size, bold=True), size * 1.5), rest, size)


def crisp(position: float, width: int) -> float:
    """The nearest place for the middle of a level or upright line that fills whole pixels."""
    return round(position) + width % 2 / 2


def inside(places: np.ndarray, box: Box) -> np.ndarray:
    """``places`` ``(n, 2)``, NaN for those beyond a box."""
    within = np.all((places >= box[:2]) & (places <= box[2:]), axis=1)
    return np.where(within[:, None], places, np.nan)


def frame(left: float, top: float, side: float) -> np.ndarray:
    """The four edges ``(4, 2, 2)`` of a square, along the middles of its outermost pixels."""
    near_x, near_y, far_x, far_y = left + 0.5, top + 0.5, left + side - 0.5, top + side - 0.5
    corners = np.array([[near_x, near_y], [far_x, near_y], [far_x, far_y], [near_x, far_y]])
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


class _Words(Text):
    """Level text that starts at its position.

    Matplotlib's general layout, for rotated text in paragraphs, takes more than half of the time that a labelled plate
    needs; it is skipped here, and in images of pixels what a typesetter remembers of the text is pasted.
    """

    def __init__(
        self, at: tuple[int, int], text: str, size: float, color: str, bold: bool, typesetter: Typesetter
    ) -> None:
        super().__init__(*at, text, color=color, fontproperties=typesetter.font(size, bold), parse_math=False)
        self._written = partial(typesetter.written, text, size, bold)

    def draw(self, renderer: RendererBase) -> None:
        """Draw the text at its position."""
        scale = self.figure.dpi / PIXELS_PER_INCH
        x, y = (place * scale for place in self.get_position())
        context = renderer.new_gc()
        context.set_foreground(self.get_color())
        if isinstance(renderer, RendererAgg):
            written = self._written(scale)
            image = np.empty((*written.ink.shape, 4), np.uint8)
            image[..., :3] = np.multiply(context.get_rgb()[:3], 255).round()
            image[..., 3] = written.ink
            bottom = renderer.height - round(y) + written.top - len(image)
            renderer.draw_image(context, round(x) + written.left, bottom, image[::-1])
        else:
            renderer.draw_text(context, x, y, self.get_text(), self.get_fontproperties(), 0)
        context.restore()


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Two to ``most`` round values within an axis, with their labels: ``−24,000``, ``0.5``, ``2×10⁷``."""
    finest = math.floor(math.log10((high - low) / 20))
    steps = (mantissa * 10.0 ** (finest + power) for power in range(4) for mantissa in (1, 2, 5))
    step = next(step for step in steps if math.floor(high / step) - math.ceil(low / step) < most)
    values = [whole * step for whole in range(math.ceil(low / step), math.floor(high / step) + 1)]
    exponent = math.floor(math.log10(max(step, *(abs(value) for value in values))))
    if exponent >= 6 or exponent < -3:
        power_of_ten = f"×10{str(exponent).translate(_SUPERSCRIPTS)}"
        labels = [f"{value / 10.0**exponent:.3g}{power_of_ten}" if value else "0" for value in values]
    else:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        labels = [f"{value:,.{decimals}f}" for value in values]
    return [(value, label.replace("-", "−")) for value, label in zip(values, labels, strict=True)]
