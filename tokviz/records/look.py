"""How a report looks where its author may choose: the colours and shapes of categories, the size of plots, the font."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from tokviz.records.axes import Aspect

PALETTE = ("#292eb0", "#940010", "#9f5e05", "#148977", "#e454b3", "#711972", "#3198ee", "#8e9a02", "#804cda")
"""Nine hues, each 3:1 or more against white, none so dark that a small mark looks black. They were searched for in OKLab so that the
nearest two stay at least 0.10 apart for protan, deutan and tritan sight (Machado et al., 2009, doi:10.1109/TVCG.2009.113) and 0.16
for normal sight."""
DARK_PALETTE = (
    "#7674fe",
    "#ea670e",
    "#eec26f",
    "#9bfed9",
    "#ff8cab",
    "#b66cad",
    "#4ab1f8",
    "#f0fb38",
    "#c5cefd",
)
"""What the nine are on the dark ground, for marks and text alike: 4.5:1 or more against it, 0.10 apart for all
and 0.14 for normal sight; each within 25° of its hue on white, so that a category is the same one on a light sheet beside it."""

ShapeName = Literal[
    "circle",
    "square",
    "triangle",
    "diamond",
    "triangle_down",
    "plus",
    "star",
    "cross",
    "triangle_left",
    "triangle_right",
]
SHAPES: dict[ShapeName, str] = {
    "circle": "M.5 0A.5.5 0 1 1-.5 0A.5.5 0 1 1 .5 0Z",
    "square": "M-.443 .443L.443 .443L.443-.443L-.443-.443Z",
    "triangle": "M0-.836L-.627.418L.627.418Z",
    "diamond": "M0 .627L.627 0L0-.627L-.627 0Z",
    "triangle_down": "M0 .836L.627-.418L-.627-.418Z",
    "plus": "M-.198 .594L.198 .594L.198 .198L.594 .198L.594-.198L.198-.198L.198-.594L-.198-.594L-.198-.198L-.594-.198L-.594 .198L-.198 .198Z",
    "star": "M0-.836L-.188-.258L-.796-.258L-.304 .099L-.492 .677L0 .319L.492 .677L.304 .099L.796-.258L.188-.258Z",
    "cross": "M-.28 .56L0 .28L.28 .56L.56 .28L.28 0L.56-.28L.28-.56L0-.28L-.28-.56L-.56-.28L-.28 0L-.56 .28Z",
    "triangle_left": "M-.836 0L.418 .627L.418-.627Z",
    "triangle_right": "M.836 0L-.418-.627L-.418 .627Z",
}
"""Name → path data about 0, 0, with the area of a circle of diameter 1; y runs down. Ten shapes, one more than hues, so
that the first 90 categories all differ in hue or shape."""

MARKERS: dict[ShapeName, str] = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "triangle_down": "v",
    "plus": "P",
    "star": "*",
    "cross": "X",
    "triangle_left": "<",
    "triangle_right": ">",
}
"""What Matplotlib calls the shapes."""

PLATE_SIZE = (1500, 1200)
"""Width and height of a wide plate, in pixels."""
PHONE_PLATE_SIZE = (716, 1000)
"""The same of one for phones."""

PAPER = "#efefef"
"""The darkest paper on which names in an image must be read; pages have white."""
DARK_GROUND = "#1a1d21"
"""What strips, and plates that are drawn in a page, lie on in its dark theme (``--plate-ground`` of ``plate.css``)."""

LABEL_CONTRAST = 4.5
"""The WCAG's least contrast for text."""
MARK_CONTRAST = 3.0
"""The WCAG's least contrast for graphics."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The colour and the shape of each category; both begin again where there are more categories."""

    palette: tuple[str, ...] = PALETTE
    """As ``#rrggbb``."""
    shapes: tuple[ShapeName, ...] = tuple(SHAPES)

    @property
    def n_different(self) -> int:
        """As many categories differ in their place in the palette or among the shapes."""
        return len(self.palette) * len(self.shapes)

    def hue(self, category: int) -> str:
        """The colour of a category's marks on white."""
        return self.palette[category % len(self.palette)]

    def shape(self, category: int) -> ShapeName:
        """The shape of a category's marks.

        Where both lists begin again together, the shapes move on by one, so that all pairs are used before one recurs.
        """
        n_hues, n_shapes = len(self.palette), len(self.shapes)
        rounds = category // math.lcm(n_hues, n_shapes) % math.gcd(n_hues, n_shapes)
        return self.shapes[(category + rounds) % n_shapes]

    def name_color(self, category: int) -> str:
        """The category's hue, darkened until it reads as text on white and on any other paper."""
        return _darkened(self.hue(category))

    def dark_colors(self, category: int) -> tuple[str, str]:
        """What marks and text have in their place on the dark ground; an author's hue is lightened as far as is needed."""
        if self.palette == PALETTE:
            hue = DARK_PALETTE[category % len(DARK_PALETTE)]
            return hue, hue
        return _lightened(self.hue(category), MARK_CONTRAST), _lightened(self.hue(category), LABEL_CONTRAST)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What an author chose, or what a report has by itself."""

    marks: Marks = field(default_factory=Marks)
    plate_size: tuple[int, int] = PLATE_SIZE
    """Of wide plates, in pixels."""
    font: str | None = None
    """The author's font for labels and numbers: its path from the site's root."""
    aspect: Aspect = "equal"
    """How the axes of plots lie."""


# --- colours -------------------------------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """The WCAG's contrast of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2) of an sRGB colour."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[float, ...]:
    """Red, green and blue of ``#rrggbb``, 0 to 1."""
    return tuple(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))


def changed(color: str, change: Callable[[float], float]) -> str:
    """The colour with each of its channels, 0 to 1, changed."""
    return "#" + "".join(f"{round(change(channel) * 255):02x}" for channel in _channels(color))


@cache
def _darkened(color: str) -> str:
    while contrast(color, PAPER) < LABEL_CONTRAST:
        color = changed(color, lambda channel: channel * 0.97)
    return color


@cache
def _lightened(color: str, least: float) -> str:
    # A step below one of 255 would be rounded off again.
    while contrast(color, DARK_GROUND) < least:
        color = changed(color, lambda channel: channel + max(0.03 * (1 - channel), min(1 / 255, 1 - channel)))
    return color
