"""A finding as one image: what is claimed, of what, the plots that show it, and the key to their marks.

Sites show such images beside links, often 600 pixels wide: what has to be read is at least 22 pixels high here, 11 there. PNG
because not every site that shows them reads WebP; 1200 × 630 pixels is what they ask for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.labels import place
from tokviz.draw.plate_form import WIDE
from tokviz.draw.sheet import Sheet, inside
from tokviz.draw.typesetting import Typesetter, isolated, typesetter_for
from tokviz.records import Card, Marks, Panel, Points
from tokviz.records.axes import Box, extents, true_pane

WIDTH, HEIGHT = 1200, 630
MARGIN = 36
HEADLINES = ((50, 1), (46, 1), (42, 1), (42, 2), (38, 2), (34, 3))
"""Sizes of the headline, each with how many lines it may take; the first that fits is taken."""
ABOUT, EVIDENCE, TITLE, DETAIL, SOURCE, SMALL = 25, 22, 24, 22, 22, 19
LEADING = 1.2
MOST_OF_EVIDENCE, MOST_OF_EVIDENCE_BESIDE = 2, 7
"""Lines of it above plots, and beside one."""
MOST_OF_HOW = 2
LEGEND, LEAST_LEGEND = 24, 22
PITCH = 1.28
"""From one row of the legend to the next, in sizes of its text."""
MOST_COLUMNS = 2
WIDEST_LABEL = 220
GAP = 22
"""Between plots, and between these and the legend."""
ONE_PLOT = 0.58
"""Of the width, where the text stands beside it."""
DIAMETER = 14.0
"""Of a mark where there are ``FEW_WORDS`` or less."""
FEW_WORDS = 120
RIM = 0.09
"""In diameters."""
MARGINS = (0.05, 0.06)
"""Of the words' span, kept free within a plot."""


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A line of text, and where its baseline is."""

    text: str
    size: float
    y: float
    x: float = MARGIN
    bold: bool = False
    color: str = style.INK


def draw_card(card: Card) -> Figure:
    """Draw a card, ``WIDTH`` × ``HEIGHT`` pixels.

    Raises ``ValueError`` for coordinates that are not finite, and for a card without plots.
    """
    if not card.panels:
        raise ValueError(f"{card.headline}: expected plots, got none")
    if not all(np.isfinite(panel.coordinates).all() for panel in card.panels):
        raise ValueError(f"{card.headline}: expected finite coordinates, got NaN or infinity")
    sheet = Sheet(WIDTH, HEIGHT, card.panels[0].points.marks, typesetter_for(card.fonts))
    lines, top = _head(card, sheet.typesetter)
    feet, bottom = _foot(card, sheet.typesetter)
    sheet.lines(np.array([[[MARGIN, bottom], [WIDTH - MARGIN, bottom]]]), 1.0, style.HAIRLINE)
    room = Box(left=MARGIN, top=top, right=WIDTH - MARGIN, bottom=bottom - 12)
    evidence, legend, plots = (_beside if len(card.panels) == 1 else _below)(card, room, sheet.typesetter)
    for line in (*lines, *evidence, *feet):
        sheet.text((line.x, line.y), isolated(line.text), line.size, line.color, bold=line.bold)
    legend.draw(sheet)
    width = (plots.width + GAP) / len(card.panels)
    for index, panel in enumerate(card.panels):
        left = plots.left + index * width
        own = Box(left=left, top=plots.top, right=left + width - GAP, bottom=plots.bottom)
        _draw_panel(sheet, panel, own, _title_height(card.panels))
    return sheet.figure


def _beside(card: Card, room: Box, setter: Typesetter) -> tuple[list[_Line], _Legend, Box]:
    """One plot on the left; evidence and legend beside it."""
    left = room.left + room.width * ONE_PLOT + 1.5 * GAP
    texts = _whole_sentences(card.evidence, setter, room.right - left, MOST_OF_EVIDENCE_BESIDE)
    lines, y = _lines(texts, left, room.top + 2)
    legend = _Legend.of(card.panels, Box(left=left, top=y + GAP / 2, right=room.right, bottom=room.bottom), setter)
    plots = Box(left=room.left, top=room.top, right=left - 1.5 * GAP, bottom=room.bottom)
    return lines, replace(legend, left=left), plots


def _below(card: Card, room: Box, setter: Typesetter) -> tuple[list[_Line], _Legend, Box]:
    """Several plots below the evidence; the legend at their right."""
    texts = _whole_sentences(card.evidence, setter, room.width, MOST_OF_EVIDENCE)
    lines, y = _lines(texts, room.left, room.top - 8)
    below = Box(left=room.left, top=y + 14, right=room.right, bottom=room.bottom)
    legend = _Legend.of(card.panels, below, setter)
    return lines, legend, Box(left=below.left, top=below.top, right=legend.left - GAP, bottom=below.bottom)


# --- text --------------------------------------------------------------------------------------------------------


def _head(card: Card, setter: Typesetter) -> tuple[list[_Line], float]:
    """Headline, and of what it is; and the y below them."""
    lines: list[_Line] = []
    texts, size = _headline(card.headline, setter)
    y = MARGIN - 14.0
    for text in texts:
        y += size * LEADING
        lines.append(_Line(text=text, size=size, y=y, bold=True))
    y += ABOUT * 1.5
    about = setter.shortened(card.about, WIDTH - 2 * MARGIN, ABOUT)
    return [*lines, _Line(text=about, size=ABOUT, y=y, color=style.QUIET_INK)], y + 20


def _headline(text: str, setter: Typesetter) -> tuple[list[str], float]:
    """Its lines and their size."""
    for size, most in HEADLINES:
        lines = setter.fitted(text, WIDTH - 2 * MARGIN, size, bold=True)
        if len(lines) <= most:
            return lines, size
    last = setter.shortened(" ".join(lines[most - 1 :]), WIDTH - 2 * MARGIN, size, bold=True)
    return [*lines[: most - 1], last], size


def _whole_sentences(
    sentences: tuple[str, ...], setter: Typesetter, width: float, most: int, size: float = EVIDENCE
) -> list[str]:
    """As many as there is room for, in lines: a part of one might say something else."""
    for kept in range(len(sentences), 0, -1):
        lines = setter.fitted(" ".join(sentences[:kept]), width, size)
        if len(lines) <= most:
            return lines
    return []


def _lines(texts: list[str], left: float, top: float) -> tuple[list[_Line], float]:
    """Of evidence, below ``top``; and the y below them."""
    step = EVIDENCE * 1.32
    lines = [
        _Line(text=text, size=EVIDENCE, y=top + EVIDENCE + index * step, x=left) for index, text in enumerate(texts)
    ]
    return lines, top + len(texts) * step


def _foot(card: Card, setter: Typesetter) -> tuple[list[_Line], float]:
    """How the plots are made, and the source; and where the line above them is."""
    y = HEIGHT - 20.0
    title = setter.shortened(card.source, WIDTH * 0.6, SOURCE, bold=True)
    lines = [_Line(text=title, size=SOURCE, y=y, bold=True)]
    left = MARGIN + setter.width(title, SOURCE, bold=True) + SOURCE
    address = setter.shortened(card.address, WIDTH - MARGIN - left, SOURCE, middle=True)
    lines += [_Line(text=address, size=SOURCE, y=y, x=left, color=style.QUIET_INK)] if address else []
    how = _whole_sentences(card.how, setter, WIDTH - 2 * MARGIN, MOST_OF_HOW, SMALL)
    y -= SMALL * 0.25
    for text in reversed(how):
        y -= SMALL * 1.4
        lines.append(_Line(text=text, size=SMALL, y=y, color=style.QUIET_INK))
    return lines, y - SMALL * 1.25


# --- the key -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Legend:
    """The categories of the words that are drawn, right of the plots."""

    labels: tuple[tuple[int, str], ...]
    """Category and label."""
    more: str
    """What stands below them where there are too many."""
    columns: int
    left: float
    top: float
    column_width: float
    size: float

    @classmethod
    def of(cls, panels: tuple[Panel, ...], room: Box, setter: Typesetter) -> _Legend:
        """As large as fits, at the right end of a room."""
        labels = panels[0].points.categories
        found = sorted({category for each in panels for own in each.points.memberships for category in own})
        rows = max(int(room.height / (LEAST_LEGEND * PITCH)), 1)
        columns = min(max(math.ceil(len(found) / rows), 1), MOST_COLUMNS)
        n_shown = len(found) if len(found) <= rows * columns else rows * columns - 1
        more = f"+ {len(found) - n_shown} more" if n_shown < len(found) else ""
        n_rows = math.ceil((n_shown + bool(more)) / columns)
        size = min(LEGEND, room.height / max(n_rows, 1) / PITCH)
        shown = tuple((each, setter.shortened(labels[each], WIDEST_LABEL, size)) for each in found[:n_shown])
        widths = [setter.width(label, size) for label in (more, *(label for _, label in shown))]
        column_width = max(widths) + size * 1.7 if found else 0
        return cls(
            labels=shown,
            more=more,
            columns=columns,
            left=room.right - columns * column_width + (size * 0.6 if found else GAP),
            top=room.top,
            column_width=column_width,
            size=size,
        )

    def draw(self, sheet: Sheet) -> None:
        """Write it."""
        rows = math.ceil((len(self.labels) + bool(self.more)) / self.columns)
        for index, (category, label) in enumerate(self.labels):
            x, y = self._place(index, rows)
            sheet.category_marks(category, np.array([[x, y]]), self.size * 0.7, self.size * 0.06)
            sheet.text((x + self.size * 0.75, y + self.size * 0.34), isolated(label), self.size)
        if self.more:
            x, y = self._place(len(self.labels), rows)
            sheet.text((x - self.size * 0.35, y + self.size * 0.34), self.more, self.size, style.QUIET_INK)

    def _place(self, index: int, rows: int) -> tuple[float, float]:
        """The middle of its mark."""
        column, row = divmod(index, rows)
        return self.left + column * self.column_width + self.size * 0.5, self.top + (row + 0.5) * self.size * PITCH


# --- plots -------------------------------------------------------------------------------------------------------


def _title_height(panels: tuple[Panel, ...]) -> float:
    return TITLE * 1.25 + (DETAIL * 1.4 if any(panel.detail for panel in panels) else 0)


def _draw_panel(sheet: Sheet, panel: Panel, room: Box, top: float) -> None:
    """One plot under its title; ``top``: how high that is."""
    setter = sheet.typesetter
    title = setter.shortened(panel.title, room.width - setter.width(panel.note, DETAIL) - DETAIL, TITLE)
    sheet.text((room.left, room.top + TITLE * 0.8), title, TITLE)
    sheet.text((room.right, room.top + TITLE * 0.8), panel.note, DETAIL, style.QUIET_INK, align=1.0)
    detail = setter.shortened(panel.detail, room.width, DETAIL, middle=True)
    sheet.text((room.left, room.top + TITLE * 0.8 + DETAIL * 1.3), isolated(detail), DETAIL)
    area = Box(left=room.left, top=room.top + top, right=room.right, bottom=room.bottom)
    sheet.lines(_edges(area), 1.0, style.SPINE)
    shown = np.concatenate([panel.coordinates, panel.guide])
    pane = true_pane(extents(shown, np.ones(len(shown), bool)), area, MARGINS)
    places = inside(pane.places(panel.coordinates), area)
    guide = pane.places(panel.guide)
    sheet.lines(_dashed(guide), 1.5, style.SPINE)
    sheet.lines(places[np.array(panel.joined, dtype=int).reshape(-1, 2)], 1.5, style.QUIET_INK)
    diameter = DIAMETER * min(1.0, math.sqrt(FEW_WORDS / len(places)) * min(1.0, area.width / area.height + 0.2))
    sheet.marks(panel.points, places, max(5.0, diameter), diameter * RIM)
    if panel.is_named:
        _name(sheet, panel.points, places, area)


def _edges(area: Box) -> np.ndarray:
    """The four edges ``(4, 2, 2)`` of a plot."""
    left, top, right, bottom = (round(each) + 0.5 for each in area)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


def _dashed(path: np.ndarray) -> np.ndarray:
    """Every second piece ``(n, 2, 2)`` of a path ``(n, 2)`` of many points."""
    return np.stack([path[:-1:2], path[1::2][: len(path[:-1:2])]], axis=1) if len(path) > 1 else np.empty((0, 2, 2))


def _name(sheet: Sheet, points: Points, places: np.ndarray, area: Box) -> None:
    """Write the words beside their marks, as far as there is room."""
    marks: Marks = points.marks
    setter, size = sheet.typesetter, LEAST_LEGEND
    words = [setter.shortened(word.strip(), WIDEST_LABEL, size) for word in points.words]
    boxes = np.array([setter.box(word, size) for word in words]).reshape(-1, 3)
    widths, above, below = boxes.T
    bounds = (area.left + 3, area.top + 3, area.right - 3, area.bottom - 3)
    spacing = replace(WIDE.spacing, radius=DIAMETER / 2, gap=5)
    placed = place(places, np.stack([widths, above + below], axis=1), bounds, places, spacing)
    led = np.flatnonzero(np.isfinite(placed.leaders).all(axis=(1, 2)))
    sheet.lines(placed.leaders[led], 1.0, style.SPINE)
    for row in np.flatnonzero(np.isfinite(placed.centres).all(axis=1)):
        x, y = placed.centres[row]
        at = (x - widths[row] / 2, y + (above[row] - below[row]) / 2)
        category = int(points.first[row])
        sheet.text(at, isolated(words[row]), size, style.INK if category < 0 else marks.name_color(category))
