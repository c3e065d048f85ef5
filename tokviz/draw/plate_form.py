"""The measures of a plate: how large it is, and where its parts stand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tokviz.draw.density import is_dense
from tokviz.draw.labels import Spacing
from tokviz.draw.legend import rows_needed
from tokviz.records import Plate, Points
from tokviz.records.axes import Box
from tokviz.records.look import PHONE_PLATE_SIZE, PLATE_SIZE

MOST_LABELS = 240
"""Above this many words a wide plate names only some of them, spread over the plate."""


@dataclass(frozen=True, kw_only=True)
class PlateForm:
    """The measures of a plate, in pixels."""

    width: int
    height: float
    title: float
    label: float
    legend: float
    axis: float
    """Sizes of text."""
    diameter: float
    """Of a mark."""
    rim: float
    leader: float
    spine: int
    """Line widths."""
    spacing: Spacing
    most_labels: int
    hexagon: float
    """Width of a hexagon where words are shown by their density."""
    area: Box | None = None
    """Of the axes, where it isn't laid out by the legend."""
    legend_rows: int = 36
    """At most so many stand under each other beside the points."""
    scale: float = 1.0
    """Pixels of the image for each one of these."""

    @property
    def beside(self) -> bool:
        """Whether the legend stands beside the points, and the title in one line."""
        return self.width >= self.height

    @property
    def smallest_text(self) -> float:
        """The smallest size of text."""
        return min(self.title, self.label, self.legend, self.axis)


WIDE = PlateForm(
    width=1500,
    height=1200,
    title=24,
    # 9 CSS pixels where a plate is 711 wide.
    label=19,
    legend=19,
    axis=19,
    diameter=11,
    rim=1.3,
    leader=0.75,
    spine=1,
    # No name is farther from its mark than 40 CSS pixels where a plate is 720 wide.
    spacing=Spacing(radius=5.5, gap=4, padding=1.5, reach=72, leader=8, worst=500),
    most_labels=MOST_LABELS,
    hexagon=11,
)
PHONE = PlateForm(
    width=PHONE_PLATE_SIZE[0],
    height=PHONE_PLATE_SIZE[1],
    title=24,
    label=19.5,
    legend=21,
    axis=18.5,
    diameter=13,
    rim=1.6,
    leader=1.0,
    spine=2,
    # On 358 CSS pixels a label is named beside its mark or not at all: long leaders would tangle.
    spacing=Spacing(radius=6.5, gap=3.5, padding=3, reach=31, leader=8, worst=55),
    most_labels=60,
    hexagon=9,
)
DRAFT = replace(
    WIDE,
    width=640,
    height=480,
    title=15,
    legend=11,
    axis=10,
    diameter=7,
    rim=0.8,
    area=Box(left=48, top=52, right=500, bottom=438),
)
"""For ``labelled=False``: as large as the pictures of a notebook."""
FORMS = {"wide": WIDE, "phone": PHONE, "svg": WIDE, "draft": DRAFT}


def sized(plate: Plate) -> PlateForm:
    """The form in the plate's size.

    A wide one is laid out as wide as it always is and then enlarged: on a page, which has one width for all, text and marks
    are as large as those of any other.
    """
    form = FORMS[plate.form]
    if form is not WIDE or plate.size == PLATE_SIZE:
        return form
    width, height = plate.size
    # Where pixels are counted, the last one isn't to be lost for a rounding error.
    scale = (width + 1e-6) / form.width
    rows = max(1, form.legend_rows * height * form.width // (width * round(form.height)))
    return replace(form, height=height / width * form.width, legend_rows=rows, scale=scale)


def for_words(form: PlateForm, points: Points) -> PlateForm:
    """The form for so many words: where only some are named, marks are smaller and names stay close to them."""
    n_words = len(points.words)
    if n_words <= MOST_LABELS:
        return form
    shrink = 1.0 if is_dense(points) else max(0.6, math.sqrt(MOST_LABELS / n_words))
    spacing = replace(
        form.spacing,
        radius=form.spacing.radius * shrink,
        worst=min(form.spacing.worst, 100),
    )
    return replace(form, diameter=form.diameter * shrink, rim=form.rim * shrink, spacing=spacing)


def layout(form: PlateForm, points: Points) -> tuple[int, Box]:
    """The legend's columns, and the rectangle of the axes: the same in every plate of these categories."""
    n = len(points.categories)
    if form.beside:
        area = Box(left=84, top=72, right=form.width - 220, bottom=form.height - 60)
        return math.ceil(n / form.legend_rows), form.area or area
    columns = 3 if n <= 36 else 4
    legend_height = (rows_needed(n, columns) + 2) * pitch(form)
    return columns, Box(left=80, top=100, right=704, bottom=round(form.height - 66 - legend_height))


def pitch(form: PlateForm) -> float:
    """From one row of the legend to the next, in pixels."""
    return form.legend * 1.42
