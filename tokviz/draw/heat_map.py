"""A number for each word at each depth, as shades of one hue: words by category, their mean above them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.sheet import Sheet, draw_title
from tokviz.draw.typesetting import typesetter_for
from tokviz.records import HeatMap

WIDTHS = {"wide": 1040}
NAMES = 230
"""Pixels left of the cells, for the categories' names."""
TEXT = 26
"""Pixels, the smallest and only size: 9 CSS pixels where the picture is 360 wide."""
MEAN_ROW, GAP = 18, 8
"""Heights of a category's row, and of what is free below a category."""
WORD_ROWS = (3, 9)
"""Least and greatest height of a word's row."""
ALL_ROWS = 1100
"""Height of all words' rows together, as far as the height of one allows it."""
LEAST_BLOCK = 34
"""Height that a category's name takes."""
HEAD, FOOT = 128, 112
"""Title and stages above the cells; depths and the scale below them."""
RAMP = ("#e8f0f9", "#5b8ec4", "#0a2a57")
"""From 0 to the most, as word-map.css has it for light pages."""
NOTHING = "#ffffff"
N_SHADES = 50
"""Means are shown to a fiftieth of the scale."""

_SHADES = LinearSegmentedColormap.from_list("heat", RAMP, N=1001)


def shade(value: float, most: int) -> str:
    """The colour of a value from 0 to ``most``; of NaN, that of nothing."""
    if not np.isfinite(value):
        return NOTHING
    return str(to_hex(_SHADES(round(N_SHADES * value / max(most, 1)) / N_SHADES)))


@dataclass(frozen=True, kw_only=True)
class _Row:
    top: int
    height: int
    values: np.ndarray
    """``(n_depths,)`` float64, NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """A category."""

    name: str
    rows: tuple[_Row, ...]
    top: int
    bottom: int


def draw_heat_map(picture: HeatMap) -> Figure:
    """Draw all rows; raises ``ValueError`` for an unknown form."""
    if picture.form not in WIDTHS:
        raise ValueError(f"form: expected one of {', '.join(WIDTHS)}, got {picture.form!r}")
    blocks = list(_blocks(picture))
    bottom = blocks[-1].bottom if blocks else HEAD
    width = WIDTHS[picture.form]
    sheet = Sheet(width, bottom + FOOT, picture.points.marks, typesetter_for(picture.fonts))
    edges = np.linspace(NAMES, width - 2, len(picture.values) + 1).round()
    _draw_head(sheet, picture, edges)
    _draw_cells(sheet, picture, blocks, edges)
    for block in blocks:
        name = sheet.typesetter.shortened(block.name, NAMES - 14, TEXT)
        middle = (block.top + block.bottom - GAP) / 2
        sheet.text((NAMES - 10, middle + 0.32 * TEXT), name, TEXT, align=1.0)
    _draw_foot(sheet, picture, edges, bottom)
    return sheet.figure


def _blocks(picture: HeatMap) -> Iterator[_Block]:
    members = [
        [row for row, own in enumerate(picture.points.memberships) if category in own] if picture.with_words else []
        for category in range(len(picture.points.categories))
    ]
    n_rows = sum(map(len, members))
    height = int(np.clip(ALL_ROWS // max(n_rows, 1), *WORD_ROWS))
    values = np.where(picture.values < 0, np.nan, picture.values.astype(np.float64))
    top = HEAD
    for name, own, mean in zip(picture.points.categories, members, picture.means, strict=True):
        head = MEAN_ROW if own else LEAST_BLOCK - GAP
        rows = [_Row(top=top, height=head, values=mean)]
        first = top + head + 2
        rows += [
            _Row(top=first + index * height, height=height, values=values[:, row]) for index, row in enumerate(own)
        ]
        bottom = max(rows[-1].top + rows[-1].height, top + LEAST_BLOCK - GAP) + GAP
        yield _Block(name=name, rows=tuple(rows), top=top, bottom=bottom)
        top = bottom


def _draw_cells(sheet: Sheet, picture: HeatMap, blocks: list[_Block], edges: np.ndarray) -> None:
    """All cells of one shade at once."""
    cells: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in (row for block in blocks for row in block.rows):
        colors = [shade(value, picture.most) for value in row.values]
        starts = [depth for depth, color in enumerate(colors) if depth == 0 or colors[depth - 1] != color]
        for start, stop in zip(starts, [*starts[1:], len(colors)], strict=True):
            box = (edges[start], row.top, edges[stop], row.top + row.height)
            cells.setdefault(colors[start], []).append(box)
    for color, boxes in cells.items():
        if color != NOTHING:
            sheet.boxes(np.array(boxes), color)


def _draw_head(sheet: Sheet, picture: HeatMap, edges: np.ndarray) -> None:
    """Title, the numbered stages as bands, and the layer with massive activations."""
    draw_title(sheet, picture.model, picture.context, (8, sheet.width - 8), TEXT, two_lines=False)
    stops = [*picture.stages[1:], len(picture.values)]
    for index, (start, stop) in enumerate(zip(picture.stages, stops, strict=True)):
        left, right = edges[start], edges[stop]
        if index % 2 == 0:
            sheet.boxes(np.array([[left, HEAD - 38, right, HEAD - 6]]), style.BAND)
        number = str(index + 1)
        if right - left > sheet.typesetter.width(number, TEXT):
            sheet.text(((left + right) / 2, HEAD - 12), number, TEXT, style.QUIET_INK, align=0.5)
    if picture.mark is None:
        return
    left, name = edges[picture.mark], f"massive from layer {picture.mark - 1}" if picture.mark else "massive"
    width = sheet.typesetter.width(name, TEXT)
    sheet.boxes(np.array([[left - 1, HEAD - 66, left + 2, HEAD - 2]]), style.ACCENT)
    at = left + 10 if left + 10 + width < sheet.width else left - 10 - width
    sheet.text((at, HEAD - 46), name, TEXT, style.ACCENT)


def _draw_foot(sheet: Sheet, picture: HeatMap, edges: np.ndarray, bottom: int) -> None:
    """Both ends of the depths, and the scale."""
    last = len(picture.values) - 1
    sheet.text((edges[0], bottom + 24), "embedding", TEXT, style.QUIET_INK)
    if last:
        sheet.text((edges[-1], bottom + 24), f"layer {last - 1}", TEXT, style.QUIET_INK, align=1.0)
    left, top, side = float(edges[0]), bottom + 62, 30
    steps = range(picture.most + 1) if picture.most <= 10 else range(0, picture.most + 1, max(1, picture.most // 10))
    sheet.text((left, top + 23), "0", TEXT)
    left += 22
    for index, value in enumerate(steps):
        box = [left + index * side, top, left + (index + 1) * side, top + side]
        sheet.boxes(np.array([box]), shade(value, picture.most))
    sheet.text((left + len(steps) * side + 10, top + 23), f"{picture.most} {picture.unit}", TEXT)
