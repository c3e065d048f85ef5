"""Layer against embedding: every depth in the embedding's basis, a panel each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense, landmarks, within
from tokviz.draw.legend import Box, draw_legend, hollow_note, rows_needed, wrapped
from tokviz.draw.sheet import Sheet, draw_title, frame
from tokviz.records import Grid

TALLEST = 16_383
"""WebP's longest side."""
MOST_LANDMARKS = 45
"""How many words a panel marks where it shows the density of thousands."""
BREAK = 5.0
"""A panel stands out where the words' spread is this many times that of the depth before, or its reciprocal."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """The measures of a grid, in pixels."""

    width: int
    columns: int
    legend_columns: int
    margin: float
    gutter: float
    """Between panels."""
    title: float
    text: float
    panel_title: float
    """Sizes of text."""
    diameter: float
    rim: float
    hexagon: float
    """Width of a hexagon where words are shown by their density."""


WIDE = Form(
    width=2000,
    columns=6,
    legend_columns=9,
    margin=24,
    gutter=22,
    title=30,
    text=23,
    panel_title=23,
    diameter=10,
    rim=1.0,
    hexagon=6,
)
PHONE = Form(
    width=716,
    columns=3,
    legend_columns=3,
    margin=14,
    gutter=12,
    title=24,
    text=19,
    panel_title=20,
    diameter=7.5,
    rim=0.8,
    hexagon=5,
)
FORMS = {"wide": WIDE, "phone": PHONE, "svg": WIDE}


def draw_grid(grid: Grid) -> Figure:
    """All depths in the embedding's PC1 and PC2. A panel has one scale for both axes, so that what is linear looks so."""
    if grid.form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, got {grid.form!r}")
    form = FORMS[grid.form]
    notes = wrapped(_explanation(grid), form.width - 2 * form.margin, form.text)
    legend_columns = max(1, min(form.legend_columns, len(grid.points.categories)))
    pitch = form.text * 1.5
    title_bottom = form.title * (3.0 if grid.form == "phone" else 1.7)
    notes_bottom = title_bottom + len(notes) * form.text * 1.3
    legend_bottom = notes_bottom + 14 + rows_needed(len(grid.points.categories), legend_columns) * pitch
    top = math.ceil(legend_bottom + 14)
    columns, side, row_height = _arrange(form, len(grid.depths), top)
    rows = math.ceil(len(grid.depths) / columns)
    sheet = Sheet(form.width, math.ceil(top + rows * row_height + form.margin - form.gutter))

    right = form.width - form.margin
    draw_title(
        sheet,
        grid.model,
        f"{style.isolated(grid.context)} · all layers",
        form.margin,
        right,
        form.title,
        two_lines=grid.form == "phone",
    )
    for index, line in enumerate(notes):
        sheet.text(form.margin, title_bottom + (index + 0.8) * form.text * 1.3, line, form.text, style.QUIET_INK)
    key = Box(left=form.margin, top=notes_bottom + 14, right=right, bottom=legend_bottom)
    draw_legend(
        sheet,
        grid.points,
        key,
        columns=legend_columns,
        pitch=pitch,
        size=form.text,
        diameter=form.diameter * 1.5,
        rim=form.rim,
    )
    extents = [_extent(grid, depth) for depth in range(len(grid.depths))]
    spreads = [_spread(grid, depth) for depth in range(len(grid.depths))]
    dense = is_dense(grid.points)
    marked = landmarks(grid.points, MOST_LANDMARKS) if dense else np.arange(len(grid.points.words))
    places = np.full(grid.coordinates.shape, np.nan)
    for depth in range(len(grid.depths)):
        row, column = divmod(depth, columns)
        left = round(form.margin + column * (side + form.gutter))
        bottom = round(top + row * row_height + row_height - form.gutter)
        panel = Box(left=left, top=bottom - side, right=left + side, bottom=bottom)
        _draw_heading(sheet, grid, depth, panel, form, spreads)
        sheet.lines(frame(panel.left, panel.top, side), 1.0, style.SPINE)
        extent, problem = extents[depth], grid.problems[depth]
        if problem or extent is None:
            _draw_problem(sheet, problem or "has no finite coordinates", panel, form)
            continue
        _draw_scale_cue(sheet, panel, extents[0], extent)
        on_panel = _places(grid.coordinates[depth], extent, panel, form.diameter * 0.7)
        if dense:
            within_panel = (np.abs(grid.coordinates[depth] - extent[0]) <= extent[1]).all(axis=1)
            box = (panel.left, panel.top, panel.right, panel.bottom)
            sheet.density(np.where(within_panel[:, None], on_panel, np.nan), box, max(form.hexagon, panel.width / 50))
        places[depth, marked] = on_panel[marked]
    sheet.marks(grid.points, places, form.diameter, form.rim)
    return sheet.figure


def _arrange(form: Form, n_depths: int, top: float) -> tuple[int, int, float]:
    """Columns, a panel's side and a row's height: more columns than usual only where WebP would be too tall."""
    columns = min(form.columns, n_depths)
    if n_depths <= 2 * form.columns and form is WIDE:
        columns = max(3, math.ceil(n_depths / 2))
    while True:
        side = math.floor((form.width - 2 * form.margin - (columns - 1) * form.gutter) / columns)
        row_height = form.panel_title * 1.45 + side + form.gutter
        if top + math.ceil(n_depths / columns) * row_height + form.margin <= TALLEST:
            return columns, side, row_height
        columns += 1


def _explanation(grid: Grid) -> str:
    """What to look at, in the picture itself: it is seen without the page, too."""
    first, second = (f"{share * 100:.1f} %" for share in grid.explained_variance_ratio)
    sentences = [
        f"Every layer in the embedding's PC1 ({first}, across) and PC2 ({second}, up); each panel at a scale of its own.",
        "×: the words' spread against the embedding's, bold after a fivefold jump. Grey square: the embedding's panel at that scale.",
    ]
    if is_dense(grid.points):
        sentences.append("Shades: how many words lie there.")
    meaning = hollow_note(grid.points)
    if meaning:
        sentences.append(f"Hollow: {meaning}; on a panel's edge: lies beyond it.")
    return " ".join(sentences)


def _fitted(grid: Grid, depth: int) -> np.ndarray | None:
    """The reference words' coordinates, or None where they can't be shown."""
    rows = grid.coordinates[depth][grid.points.reference]
    return rows if len(rows) and np.isfinite(grid.coordinates[depth]).all() else None


def _extent(grid: Grid, depth: int) -> tuple[np.ndarray, float] | None:
    """A panel's middle ``(2,)`` and half its side, in the embedding's units."""
    rows = _fitted(grid, depth)
    if rows is None:
        return None
    across, up = (within(values) for values in rows.T) if is_dense(grid.points) else rows.T
    low, high = np.array([across.min(), up.min()]), np.array([across.max(), up.max()])
    half = 0.55 * float((high - low).max())
    return (low + high) / 2, half if half > 0 else 1.0


def _spread(grid: Grid, depth: int) -> float:
    """Root mean square distance of the reference words from their mean; NaN where they can't be shown."""
    rows = _fitted(grid, depth)
    return math.nan if rows is None else float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _places(coordinates: np.ndarray, extent: tuple[np.ndarray, float], panel: Box, inset: float) -> np.ndarray:
    """``(n_words, 2)`` in pixels; words beyond a panel stand on its edge."""
    middle, half = extent
    unit = (coordinates - middle) / half
    x = panel.left + (unit[:, 0] + 1) / 2 * panel.width
    y = panel.bottom - (unit[:, 1] + 1) / 2 * panel.height
    return np.stack(
        [np.clip(x, panel.left + inset, panel.right - inset), np.clip(y, panel.top + inset, panel.bottom - inset)],
        axis=1,
    )


def _draw_heading(sheet: Sheet, grid: Grid, depth: int, panel: Box, form: Form, spreads: list[float]) -> None:
    baseline = panel.top - form.panel_title * 0.35
    times = spreads[depth] / spreads[0] if spreads[0] > 0 else math.nan
    before = spreads[depth - 1] / spreads[0] if depth and spreads[0] > 0 else times
    jumps = before > 0 and not 1 / BREAK < times / before < BREAK
    sheet.text(panel.left, baseline, grid.depths[depth], form.panel_title, bold=jumps)
    if depth and math.isfinite(times):
        text = f"×{times:,.0f}" if times >= 9.95 else f"×{times:.1f}" if times >= 0.095 else f"×{times:.1g}"
        color = style.INK if jumps else style.QUIET_INK
        sheet.text(panel.right, baseline, text, form.panel_title, color, bold=jumps, align=1.0)


def _draw_problem(sheet: Sheet, problem: str, panel: Box, form: Form) -> None:
    lines = wrapped(problem, panel.width * 0.86, form.text)
    y = (panel.top + panel.bottom) / 2 - (len(lines) - 1) * form.text * 0.65
    for index, line in enumerate(lines):
        middle = (panel.left + panel.right) / 2
        sheet.text(middle, y + index * form.text * 1.3, line, form.text, style.QUIET_INK, align=0.5)


def _draw_scale_cue(
    sheet: Sheet, panel: Box, embedding: tuple[np.ndarray, float] | None, extent: tuple[np.ndarray, float]
) -> None:
    """The embedding's panel at this panel's scale, as a grey square in the lower left corner."""
    if embedding is None or embedding[1] >= extent[1]:
        return
    side = max(2.0, embedding[1] / extent[1] * panel.width)
    left, bottom = panel.left + 1, panel.bottom - 1
    sheet.boxes(np.array([[left, bottom - side, left + side, bottom]]), "#ededed" if side > 12 else "#8a8a8a")
