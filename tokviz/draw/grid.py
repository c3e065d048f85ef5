"""Layer against embedding: every depth in the embedding's basis, a panel each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense, landmarks
from tokviz.draw.legend import Legend, hollow_note, rows_needed
from tokviz.draw.sheet import Sheet, draw_title, frame
from tokviz.draw.typesetting import isolated, typesetter_for
from tokviz.records import Grid
from tokviz.records.axes import ON_A_LINE, Box, Pane, extents, true_pane

TALLEST = 16_383
"""WebP's longest side."""
MOST_LANDMARKS = 45
"""How many words a panel marks where it shows the density of thousands."""
MARGINS = (0.05, 0.05)
"""Of the words' span, kept free around them in a panel."""
FEWEST_COLUMNS = 5
"""Of a wide sheet, but for a model of fewer depths: larger panels would take more than one screen."""
BREAK = 5.0
"""A panel stands out where the words' spread is this many times that of the depth before, or its reciprocal."""


@dataclass(frozen=True, kw_only=True)
class GridForm:
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

    @property
    def smallest_text(self) -> float:
        """The smallest size of text."""
        return min(self.title, self.text, self.panel_title)


WIDE = GridForm(
    width=2000,
    columns=11,
    legend_columns=9,
    margin=24,
    gutter=22,
    title=30,
    text=24,
    panel_title=24,
    diameter=10,
    rim=1.0,
    hexagon=6,
)
PHONE = GridForm(
    width=716,
    columns=4,
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
    """Draw all depths in the embedding's PC1 and PC2.

    A panel has one scale for both axes, so that what is linear looks linear. Raises ``ValueError`` for an unknown form.
    """
    if grid.form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, got {grid.form!r}")
    return GridDrawing(grid).draw()


class GridDrawing:
    """One grid on its sheet: title, notes and legend in the head, then a panel for each depth."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.points = grid.points
        self.dense = is_dense(grid.points)
        form = self.form = FORMS[grid.form]
        setter = typesetter_for(grid.fonts)
        self.notes = setter.wrapped(_explanation(grid), form.width - 2 * form.margin, form.text)
        self.notes_top = form.title * (3.0 if self._is_narrow else 1.7)
        notes_bottom = self.notes_top + len(self.notes) * form.text * 1.3
        self.legend = _legend(grid, form, notes_bottom + 14)
        self.top = math.ceil(self.legend.box.bottom + 14)
        self.columns, self.side, self.row_height = _arrange(form, len(grid.depths), self.top)
        rows = math.ceil(len(grid.depths) / self.columns)
        height = math.ceil(self.top + rows * self.row_height + form.margin - form.gutter)
        self.sheet = Sheet(form.width, height, grid.points.marks, setter)
        self.panes = [self._pane(depth) for depth in range(len(grid.depths))]
        self.spreads = [_spread(grid, depth) for depth in range(len(grid.depths))]

    def draw(self) -> Figure:
        """Draw all of it: of thousands of words their density, with landmarks on top."""
        self._draw_head()
        marked = landmarks(self.points, MOST_LANDMARKS) if self.dense else np.arange(len(self.points.words))
        places = np.full(self.grid.coordinates.shape, np.nan)
        for depth in range(len(self.grid.depths)):
            places[depth, marked] = self._draw_panel(depth)[marked]
        self.sheet.marks(self.points, places, self.form.diameter, self.form.rim)
        return self.sheet.figure

    @property
    def _is_narrow(self) -> bool:
        return self.grid.form == "phone"

    def _draw_head(self) -> None:
        form = self.form
        draw_title(
            self.sheet,
            self.grid.model,
            f"{isolated(self.grid.context)} · all layers",
            (form.margin, form.width - form.margin),
            form.title,
            two_lines=self._is_narrow,
        )
        for index, line in enumerate(self.notes):
            at = (form.margin, self.notes_top + (index + 0.8) * form.text * 1.3)
            self.sheet.text(at, line, form.text, style.QUIET_INK)
        self.legend.draw(self.sheet)

    def _pane(self, depth: int) -> Pane | None:
        """What a panel shows, in the embedding's units, or None where its words can't be shown."""
        if _fitted(self.grid, depth) is None:
            return None
        limits = extents(self.grid.coordinates[depth], self.points.reference)
        return true_pane(limits, self._panel(depth), MARGINS)

    def _panel(self, depth: int) -> Box:
        """A depth's panel, on whole pixels."""
        row, column = divmod(depth, self.columns)
        left = round(self.form.margin + column * (self.side + self.form.gutter))
        bottom = round(self.top + row * self.row_height + self.row_height - self.form.gutter)
        return Box(left=left, top=bottom - self.side, right=left + self.side, bottom=bottom)

    def _draw_panel(self, depth: int) -> np.ndarray:
        """Draw a panel without its marks; their places ``(n_words, 2)`` in pixels, NaN where there are none."""
        panel, pane, problem = self._panel(depth), self.panes[depth], self.grid.problems[depth]
        self._draw_heading(depth, panel)
        self.sheet.lines(frame(panel.left, panel.top, self.side), 1.0, style.SPINE)
        if problem or pane is None:
            self._draw_problem(problem or "has no finite coordinates", panel)
            return np.full((len(self.points.words), 2), np.nan)
        if self.spreads[depth] < ON_A_LINE * self.spreads[0]:
            self._draw_problem("The reference words lie at one point.", panel)
            return np.full((len(self.points.words), 2), np.nan)
        self._draw_scale_cue(pane)
        places = pane.places(self.grid.coordinates[depth])
        first, last, inset = np.array(panel[:2]), np.array(panel[2:]), self.form.diameter * 0.7
        shown: np.ndarray = np.clip(places, first + inset, last - inset)  # words beyond a panel stand on its edge
        if self.dense:
            inside = np.all((first <= places) & (places <= last), axis=1)
            size = max(self.form.hexagon, panel.width / 50)
            self.sheet.density(np.where(inside[:, np.newaxis], shown, np.nan), panel, size)
        return shown

    def _draw_heading(self, depth: int, panel: Box) -> None:
        """Write the depth and how its words' spread compares with the embedding's, in bold where it jumps."""
        size, baseline = self.form.panel_title, panel.top - self.form.panel_title * 0.35
        first = self.spreads[0]
        times = self.spreads[depth] / first if first > 0 else math.nan
        before = self.spreads[depth - 1] / first if depth and first > 0 else times
        jumps = before > 0 and not 1 / BREAK < times / before < BREAK
        self.sheet.text((panel.left, baseline), self.grid.depths[depth], size, bold=jumps)
        if depth and math.isfinite(times) and times >= ON_A_LINE:
            text = f"×{times:,.0f}" if times >= 9.95 else f"×{times:.1f}" if times >= 0.095 else f"×{times:.1g}"
            color = style.INK if jumps else style.QUIET_INK
            self.sheet.text((panel.right, baseline), text, size, color, bold=jumps, align=1.0)

    def _draw_problem(self, problem: str, panel: Box) -> None:
        size = self.form.text
        lines = self.sheet.typesetter.wrapped(problem, panel.width * 0.86, size)
        y = (panel.top + panel.bottom) / 2 - (len(lines) - 1) * size * 0.65
        for index, line in enumerate(lines):
            at = ((panel.left + panel.right) / 2, y + index * size * 1.3)
            self.sheet.text(at, line, size, style.QUIET_INK, align=0.5)

    def _draw_scale_cue(self, pane: Pane) -> None:
        """Draw the embedding's panel at this panel's scale, as a grey square in the lower left corner."""
        embedding = self.panes[0]
        if embedding is None or embedding.units[0] <= pane.units[0]:
            return
        side = max(2.0, pane.units[0] / embedding.units[0] * pane.area.width)
        left, bottom = pane.area.left + 1, pane.area.bottom - 1
        self.sheet.boxes(np.array([[left, bottom - side, left + side, bottom]]), "#ededed" if side > 12 else "#8a8a8a")


def _legend(grid: Grid, form: GridForm, top: float) -> Legend:
    columns = max(1, min(form.legend_columns, len(grid.points.categories)))
    pitch = form.text * 1.5
    bottom = top + rows_needed(len(grid.points.categories), columns) * pitch
    return Legend(
        points=grid.points,
        box=Box(left=form.margin, top=top, right=form.width - form.margin, bottom=bottom),
        columns=columns,
        pitch=pitch,
        size=form.text,
        diameter=form.diameter * 1.5,
        rim=form.rim,
    )


def _arrange(form: GridForm, n_depths: int, top: float) -> tuple[int, int, float]:
    """Columns, a panel's side and a row's height: more columns than usual only where WebP would be too tall.

    On a wide sheet two rows where the panels fit into them, so that all of it is seen at once.
    """
    columns = min(form.columns, n_depths)
    if n_depths <= 2 * form.columns and form is WIDE:
        columns = min(max(FEWEST_COLUMNS, math.ceil(n_depths / 2)), max(3, n_depths))
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
        f"Across: the embedding's PC1 ({first}); up: its PC2 ({second}). Each plot has its own scale.",
        "×2: spread twice as far as in the embedding, whose size the gray square shows. Bold: a jump, by five times or more.",
    ]
    if is_dense(grid.points):
        sentences.append("Shades: how many words lie there.")
    meaning = hollow_note(grid.points)
    if meaning:
        sentences.append(f"Hollow: {meaning}; on a plot's edge: lies beyond it.")
    return " ".join(sentences)


def _fitted(grid: Grid, depth: int) -> np.ndarray | None:
    """The reference words' coordinates, or None where they can't be shown."""
    rows = grid.coordinates[depth][grid.points.reference]
    return rows if len(rows) and np.isfinite(grid.coordinates[depth]).all() else None


def _spread(grid: Grid, depth: int) -> float:
    """Root mean square distance of the reference words from their mean; NaN where they can't be shown."""
    rows = _fitted(grid, depth)
    return math.nan if rows is None else float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))
