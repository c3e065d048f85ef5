"""The key to a picture's marks, set in columns beside or below the points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tokviz.draw.sheet import Sheet
from tokviz.records import Points
from tokviz.records.axes import Box


def hollow_note(points: Points) -> str | None:
    """What a hollow mark means in this picture, or None when there is none."""
    several, elsewhere = points.several_tokens, ~points.reference
    if several.any() and elsewhere.any():
        joint = " and" if (several == elsewhere).all() else " or"
        return f"several tokens{joint} read at a different position"
    if several.any():
        return "several tokens"
    return "read at a different position" if elsewhere.any() else None


def rows_needed(n_categories: int, columns: int) -> int:
    """How many rows a legend takes; none without categories, which a vocabulary needn't have."""
    return math.ceil(n_categories / columns) if n_categories else 0


@dataclass(frozen=True, kw_only=True)
class Legend:
    """The categories down the columns of a box; sizes are in pixels."""

    points: Points
    box: Box
    columns: int
    pitch: float
    """From one row to the next."""
    size: float
    """Of text."""
    diameter: float
    """Of a mark."""
    rim: float

    def draw(self, sheet: Sheet) -> float:
        """Write the legend on ``sheet``; the y below its last row is returned."""
        rows = rows_needed(len(self.points.categories), self.columns)
        column_width = self.box.width / max(self.columns, 1)
        text_left = self.diameter * 1.6
        for index, label in enumerate(self.points.categories):
            column, row = divmod(index, rows)
            left, middle = self.box.left + column * column_width, self.box.top + (row + 0.5) * self.pitch
            sheet.category_marks(index, np.array([[left + self.diameter / 2, middle]]), self.diameter, self.rim)
            shown = sheet.typesetter.shortened(label, column_width - text_left - self.size * 0.5, self.size)
            at = (left + text_left, middle + self.size * 0.32)
            sheet.text(at, shown, self.size, self.points.marks.name_color(index))
        return self.box.top + rows * self.pitch
