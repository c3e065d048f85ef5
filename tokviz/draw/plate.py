"""One depth's labelled scatter, for wide screens and for phones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense, landmarks, within
from tokviz.draw.labels import Spacing, place, spread_out
from tokviz.draw.legend import Box, draw_legend, hollow_note, rows_needed, wrapped
from tokviz.draw.sheet import Sheet, crisp, draw_title, limits, ticks
from tokviz.records import Plate, Points

MOST_LABELS = 240
"""Above this many words a wide plate names only some of them, spread over the plate."""

MOST_LANDMARKS = 135
"""How many words a wide plate of thousands marks and tries to name."""

LONGEST_LABEL = 260
"""Pixels that a word may take; what is longer ends in an ellipsis."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """The measures of a plate, in pixels."""

    width: int
    height: int
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

    @property
    def beside(self) -> bool:
        """Whether the legend stands beside the points, and the title in one line."""
        return self.width > self.height


WIDE = Form(
    width=1500,
    height=1200,
    title=23,
    label=16.5,
    legend=19,
    axis=16,
    diameter=11,
    rim=1.3,
    leader=0.75,
    spine=1,
    spacing=Spacing(radius=5.5, gap=4, padding=1.5, reach=350, leader=8, worst=1e6),
    most_labels=MOST_LABELS,
    hexagon=11,
)
PHONE = Form(
    width=716,
    height=1000,
    title=24,
    label=19.5,
    legend=21,
    axis=18.5,
    diameter=13,
    rim=1.6,
    leader=1.0,
    spine=2,
    # On 358 CSS pixels a label is named beside its mark or not at all: long leaders would tangle.
    spacing=Spacing(radius=6.5, gap=3.5, padding=3, reach=28, leader=8, worst=55),
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


def draw_plate(plate: Plate) -> Figure:
    """Raises ``ValueError`` for an unknown form, and for coordinates that are not finite."""
    if plate.form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, got {plate.form!r}")
    if not np.isfinite(plate.coordinates).all():
        raise ValueError(f"{plate.model}, {plate.depth}: expected finite coordinates, got NaN or infinity")
    form = _for_words(FORMS[plate.form], plate.points)
    sheet = Sheet(form.width, form.height)
    columns, area = _layout(form, plate.points)
    left = area.left if form.beside else 16
    draw_title(
        sheet,
        plate.model,
        f"{style.isolated(plate.context)} · {plate.depth}",
        left,
        form.width - 16,
        form.title,
        two_lines=not form.beside,
    )
    xy, beyond = _to_pixels(sheet, plate, form, area)
    if is_dense(plate.points):
        _draw_many(sheet, plate, form, area, columns, xy, beyond)
        return sheet.figure
    everyone = np.arange(len(xy))
    named = spread_out(xy, form.most_labels) if len(xy) > form.most_labels else everyone
    n_named = _draw_words(sheet, plate, form, area, xy, beyond, named, everyone) if plate.labelled else len(xy)
    sheet.marks(plate.points, xy, form.diameter, form.rim)
    _draw_key(sheet, plate, form, area, columns, n_named, bool(beyond.any()))
    return sheet.figure


def _draw_many(
    sheet: Sheet, plate: Plate, form: Form, area: Box, columns: int, xy: np.ndarray, beyond: np.ndarray
) -> None:
    """Thousands of words: their density, and landmarks on top."""
    outside = np.asarray(beyond.any(axis=1))
    box = (area.left, area.top, area.right, area.bottom)
    most = sheet.density(np.where(outside[:, None], np.nan, xy), box, form.hexagon)
    marked = landmarks(plate.points, MOST_LANDMARKS if form.beside else MOST_LANDMARKS // 3)
    n_named = _draw_words(sheet, plate, form, area, xy, beyond, marked, marked) if plate.labelled else 0
    shown = np.full(xy.shape, np.nan)
    shown[marked] = xy[marked]
    sheet.marks(plate.points, shown, form.diameter, form.rim)
    y = _draw_key(sheet, plate, form, area, columns, n_named, bool(outside[marked].any()), int(outside.sum()))
    left = area.right + 26 if form.beside else 16
    sheet.shades(left, y, form.axis * 7, form.axis * 0.7)
    scale = f"1 to {most:,} words"
    sheet.text(left + form.axis * 7.6, y + form.axis * 0.7, scale, form.axis, style.QUIET_INK)


def _for_words(form: Form, points: Points) -> Form:
    """The form for so many words: where only some are named, marks are smaller and names stay close to them."""
    n_words = len(points.words)
    if n_words <= MOST_LABELS:
        return form
    shrink = 1.0 if is_dense(points) else max(0.6, math.sqrt(MOST_LABELS / n_words))
    spacing = replace(
        form.spacing,
        radius=form.spacing.radius * shrink,
        reach=min(form.spacing.reach, 60),
        worst=min(form.spacing.worst, 100),
    )
    return replace(form, diameter=form.diameter * shrink, rim=form.rim * shrink, spacing=spacing)


def _layout(form: Form, points: Points) -> tuple[int, Box]:
    """The legend's columns, and the rectangle of the axes: the same in every plate of these categories."""
    n = len(points.categories)
    if form.beside:
        return math.ceil(n / 36), form.area or Box(left=74, top=84, right=1262, bottom=1136)
    columns = 3 if n <= 36 else 4
    legend_height = (rows_needed(n, columns) + 2) * _pitch(form)
    return columns, Box(left=80, top=100, right=704, bottom=round(form.height - 66 - legend_height))


def _pitch(form: Form) -> float:
    return form.legend * 1.42


def _to_pixels(sheet: Sheet, plate: Plate, form: Form, area: Box) -> tuple[np.ndarray, np.ndarray]:
    """Draw the axes; the words' places ``(n_words, 2)`` in pixels, and on which side ``(n_words, 2)`` they lie beyond.

    The limits come from the reference words; a word beyond them stands at the margin, with −1 or 1 for the side.
    """
    reference = plate.points.reference
    rows = plate.coordinates[reference] if reference.any() else plate.coordinates
    across, up = (within(values) for values in rows.T) if is_dense(plate.points) else rows.T
    (left, right), (low, high) = limits(across, 0.06), limits(up, 0.05)
    x = area.left + (plate.coordinates[:, 0] - left) / (right - left) * area.width
    y = area.bottom - (plate.coordinates[:, 1] - low) / (high - low) * area.height
    upright, level = crisp(area.left, form.spine), crisp(area.bottom, form.spine)
    corner = form.spine / 2
    segments = [[[upright, area.top], [upright, level + corner]], [[upright - corner, level], [area.right, level]]]
    tick = round(form.axis * 0.35)
    for value, text in ticks(left, right):
        at = area.left + (value - left) / (right - left) * area.width
        place_of_tick = crisp(at, form.spine)
        segments.append([[place_of_tick, level], [place_of_tick, level + tick]])
        sheet.text(at, area.bottom + tick + form.axis, text, form.axis, style.QUIET_INK, align=0.5)
    for value, text in ticks(low, high):
        at = area.bottom - (value - low) / (high - low) * area.height
        place_of_tick = crisp(at, form.spine)
        segments.append([[upright - tick, place_of_tick], [upright, place_of_tick]])
        sheet.text(area.left - tick - 4, at + form.axis * 0.33, text, form.axis, style.QUIET_INK, align=1.0)
    sheet.lines(np.array(segments), form.spine, style.SPINE)
    names = [f"PC{axis + 1}  {share * 100:.1f} %" for axis, share in enumerate(plate.explained_variance_ratio)]
    sheet.text(area.right, area.bottom + form.axis * 2.6, names[0], form.axis, style.QUIET_INK, align=1.0)
    sheet.text(area.left, area.top - form.axis * 0.6, names[1], form.axis, style.QUIET_INK)
    inset = form.diameter * 0.7
    xy = np.stack(
        [np.clip(x, area.left + inset, area.right - inset), np.clip(y, area.top + inset, area.bottom - inset)], axis=1
    )
    beyond = np.stack(
        [np.sign(x - np.clip(x, area.left, area.right)), np.sign(y - np.clip(y, area.top, area.bottom))], 1
    )
    return xy, beyond


_ARROWS = {(-1, 0): "←", (1, 0): "→", (0, -1): "↑", (0, 1): "↓", (-1, -1): "↖", (1, -1): "↗", (1, 1): "↘", (-1, 1): "↙"}


def _draw_words(
    sheet: Sheet,
    plate: Plate,
    form: Form,
    area: Box,
    xy: np.ndarray,
    beyond: np.ndarray,
    named: np.ndarray,
    marked: np.ndarray,
) -> int:
    """Write the words of the rows ``named`` beside their marks, away from those of ``marked``; how many had room."""
    words = {row: style.shortened(plate.points.words[row].strip(), LONGEST_LABEL, form.label) for row in named.tolist()}
    for row in named[beyond[named].any(axis=1)].tolist():
        arrow, word = _ARROWS[int(beyond[row, 0]), int(beyond[row, 1])], style.isolated(words[row])
        words[row] = f"{arrow} {word}" if beyond[row, 0] < 0 else f"{word} {arrow}"
    widths, above, below = np.array([style.text_box(words[row], form.label) for row in named.tolist()]).reshape(-1, 3).T
    sizes = np.stack([widths, above + below], axis=1)
    bounds = (area.left + 3, area.top, area.right, area.bottom - 3)
    placement = place(xy[named], sizes, bounds, xy[marked], form.spacing)
    held = [plate.points.memberships[row] for row in named.tolist()]
    colors = [style.label_color(own[0]) if own else style.INK for own in held]
    led = np.flatnonzero(np.isfinite(placement.leaders).all(axis=(1, 2)))
    sheet.lines(placement.leaders[led], form.leader, [style.tint(colors[label]) for label in led])
    placed = np.flatnonzero(np.isfinite(placement.centres).all(axis=1))
    # Where a leader line can't help crossing a word it passes behind it.
    middles, halves = placement.centres[placed], sizes[placed] * (0.5, 0.4)
    sheet.boxes(np.concatenate([middles - halves, middles + halves], axis=1), "white")
    for label in placed:
        x, y = placement.centres[label]
        baseline = y + (above[label] - below[label]) / 2
        sheet.text(x - widths[label] / 2, baseline, words[int(named[label])], form.label, colors[label])
    return len(placed)


def _draw_key(
    sheet: Sheet,
    plate: Plate,
    form: Form,
    area: Box,
    columns: int,
    n_named: int,
    has_beyond: bool,
    n_unseen: int = 0,
) -> float:
    """The legend, and below it what hollow marks and arrows mean and how many words are named; the y below it all."""
    if form.beside:
        box = Box(left=area.right + 26, top=area.top, right=form.width - 10, bottom=area.bottom)
    else:
        box = Box(left=16, top=area.bottom + 60, right=form.width - 8, bottom=form.height)
    rows = rows_needed(len(plate.points.categories), columns)
    pitch = min(_pitch(form), (box.height - 6 * form.axis) / max(rows, 1)) if form.beside else _pitch(form)
    size = min(form.legend, pitch / 1.2)
    y = draw_legend(
        sheet, plate.points, box, columns=columns, pitch=pitch, size=size, diameter=form.legend * 0.64, rim=form.rim
    )
    notes = []
    meaning = hollow_note(plate.points)
    if meaning:
        notes.append(f"hollow: {meaning}")
    if has_beyond:
        notes.append("arrow: lies beyond the axes")
    n_words = len(plate.points.words)
    if n_named < n_words:
        notes.append(f"{n_named:,} of {n_words:,} words are named")
    if n_unseen:
        notes.append(f"{n_unseen:,} lie beyond the axes")
    if form.beside:
        lines = [line for note in notes for line in wrapped(note, box.width, form.axis)]
    else:
        lines = wrapped(" · ".join(notes), box.width, form.axis)[:2]
    y += form.axis * (1.4 if form.beside else 1.0)
    for line in lines:
        sheet.text(box.left, y, line, form.axis, style.QUIET_INK)
        y += form.axis * 1.35
    return y
