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
HEADLINES = (50, 46, 42, 38, 34)
"""Sizes of the headline, of which the first is taken that gives at most two lines."""
MOST_LINES = {"headline": 3, "evidence": 2, "how": 2}
ABOUT, EVIDENCE, TITLE, DETAIL, SOURCE, SMALL = 26, 22, 24, 22, 22, 19
LEADING = 1.22
LEGEND = 24
LEAST_LEGEND = 22
PITCH = 1.3
"""From one row of the legend to the next, in sizes of its text."""
MOST_COLUMNS = 2
WIDEST_LABEL = 220
GAP = 22
"""Between plots, and between these and the legend."""
DIAMETER = 15.0
"""Of a mark where there are ``FEW_WORDS`` or less."""
FEW_WORDS = 120
RIM = 0.09
"""In diameters."""
MARGINS = (0.07, 0.07)
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
    for line in (*lines, *feet):
        sheet.text((line.x, line.y), isolated(line.text), line.size, line.color, bold=line.bold)
    sheet.lines(np.array([[[MARGIN, bottom], [WIDTH - MARGIN, bottom]]]), 1.0, style.HAIRLINE)
    room = Box(left=MARGIN, top=top, right=WIDTH - MARGIN, bottom=bottom - 14)
    legend = _Legend.of(card.panels, room, sheet.typesetter)
    legend.draw(sheet)
    width = (legend.left - room.left) / len(card.panels)
    for index, panel in enumerate(card.panels):
        left = room.left + index * width
        own = Box(left=left, top=room.top, right=left + width - GAP, bottom=room.bottom)
        _draw_panel(sheet, panel, own, _title_height(card.panels))
    return sheet.figure


# --- text --------------------------------------------------------------------------------------------------------


def _head(card: Card, setter: Typesetter) -> tuple[list[_Line], float]:
    """The lines above the plots, and where the plots begin."""
    lines: list[_Line] = []
    broken, size = _headline(card.headline, setter)
    y = MARGIN - 8.0
    for text in broken:
        y += size * LEADING
        lines.append(_Line(text=text, size=size, y=y, bold=True))
    y += ABOUT * 1.6
    lines.append(_Line(text=_shortened(card.about, setter, ABOUT), size=ABOUT, y=y, color=style.QUIET_INK))
    for text in _whole_sentences(card.evidence, setter):
        y += EVIDENCE * 1.4
        lines.append(_Line(text=text, size=EVIDENCE, y=y))
    return lines, y + 20


def _headline(text: str, setter: Typesetter) -> tuple[list[str], float]:
    """Its lines and their size."""
    most = MOST_LINES["headline"]
    for size in HEADLINES:
        lines = _wrapped(text, setter, size, bold=True)
        if len(lines) < most:
            return lines, size
    return [*lines[: most - 1], _shortened(" ".join(lines[most - 1 :]), setter, size, bold=True)], size


def _whole_sentences(sentences: tuple[str, ...], setter: Typesetter) -> list[str]:
    """As many as there is room for: a part of one might say something else."""
    for kept in range(len(sentences), 0, -1):
        lines = _wrapped(" ".join(sentences[:kept]), setter, EVIDENCE)
        if len(lines) <= MOST_LINES["evidence"]:
            return lines
    return []


def _foot(card: Card, setter: Typesetter) -> tuple[list[_Line], float]:
    """How the plots are made, and the source; and where the line above them is."""
    y = HEIGHT - 24.0
    title = setter.shortened(card.source, WIDTH * 0.6, SOURCE, bold=True)
    lines = [_Line(text=title, size=SOURCE, y=y, bold=True)]
    left = MARGIN + setter.width(title, SOURCE, bold=True) + SOURCE
    address = setter.shortened(card.address, WIDTH - MARGIN - left, SOURCE, middle=True)
    lines += [_Line(text=address, size=SOURCE, y=y, x=left, color=style.QUIET_INK)] if address else []
    how = _wrapped(card.how, setter, SMALL)[: MOST_LINES["how"]]
    for text in reversed(how):
        y -= SMALL * 1.5
        lines.append(_Line(text=text, size=SMALL, y=y, color=style.QUIET_INK))
    return lines, y - SMALL * 1.35


def _wrapped(text: str, setter: Typesetter, size: float, *, bold: bool = False) -> list[str]:
    """In lines as wide as the card; a no-break space doesn't break, and what is longer than a line is shortened."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and setter.width(f"{lines[-1]} {word}", size, bold) <= WIDTH - 2 * MARGIN:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [_shortened(line, setter, size, bold=bold) for line in lines]


def _shortened(text: str, setter: Typesetter, size: float, *, bold: bool = False) -> str:
    return setter.shortened(text, WIDTH - 2 * MARGIN, size, bold=bold)


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
        """As large as fits."""
        points = panels[0].points
        found = sorted({category for each in panels for own in each.points.memberships for category in own})
        if not found:
            return cls(labels=(), more="", columns=1, left=room.right + GAP, top=room.top, column_width=0, size=LEGEND)
        top = room.top + _title_height(panels)
        rows = int((room.bottom - top) / (LEAST_LEGEND * PITCH))
        columns = min(math.ceil(len(found) / rows), MOST_COLUMNS)
        n_shown = len(found) if len(found) <= rows * columns else rows * columns - 1
        more = f"+ {len(found) - n_shown} more" if n_shown < len(found) else ""
        n_rows = min(rows, math.ceil((n_shown + bool(more)) / columns))
        size = min(LEGEND, (room.bottom - top) / n_rows / PITCH)
        shown = [
            (category, setter.shortened(points.categories[category], WIDEST_LABEL, size))
            for category in found[:n_shown]
        ]
        widths = [setter.width(label, size) for _, label in shown] + [setter.width(more, size)]
        column_width = max(widths) + size * 1.7
        left = room.right - columns * column_width
        return cls(
            labels=tuple(shown),
            more=more,
            columns=columns,
            left=left,
            top=top,
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
