"""The key to a picture's marks, set in columns beside or below the points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tokviz.draw import style
from tokviz.draw.sheet import Sheet
from tokviz.records import Points


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle in pixels, ``top`` < ``bottom``."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def hollow_note(points: Points) -> str | None:
    """What a hollow mark means in this picture, or None when there is none."""
    several, elsewhere = points.several_tokens, ~points.reference
    if several.any() and elsewhere.any():
        joint = " and" if (several == elsewhere).all() else " or"
        return f"several tokens{joint} read at another position"
    if several.any():
        return "several tokens"
    return "read at another position" if elsewhere.any() else None


def rows_needed(n_categories: int, columns: int) -> int:
    return math.ceil(n_categories / columns) if n_categories else 0  # a vocabulary needs no categories


def draw_legend(
    sheet: Sheet, points: Points, box: Box, *, columns: int, pitch: float, size: float, diameter: float, rim: float
) -> float:
    """Write the categories down the columns of ``box``; the y below the last row is returned."""
    rows = rows_needed(len(points.categories), columns)
    column_width = box.width / max(columns, 1)
    text_left = diameter * 1.6
    for index, label in enumerate(points.categories):
        column, row = divmod(index, rows)
        left, middle = box.left + column * column_width, box.top + (row + 0.5) * pitch
        sheet.category_marks(index, np.array([[left + diameter / 2, middle]]), diameter, rim)
        shown = style.shortened(label, column_width - text_left - size * 0.5, size)
        sheet.text(left + text_left, middle + size * 0.32, shown, size, style.label_color(index))
    return box.top + rows * pitch


def wrapped(text: str, width: float, size: float) -> list[str]:
    """``text`` in lines of at most ``width`` pixels."""
    lines: list[str] = []
    for word in text.split():
        if lines and style.text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
