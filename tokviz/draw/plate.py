"""One depth's labelled scatter, for wide screens and for phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from tokviz.draw import style
from tokviz.draw.density import is_dense, landmarks
from tokviz.draw.labels import place, spread_out
from tokviz.draw.legend import Legend, hollow_note, rows_needed
from tokviz.draw.plate_form import FORMS, MOST_LABELS, for_words, layout, pitch, sized
from tokviz.draw.sheet import Sheet, crisp, draw_title, inside, ticks
from tokviz.draw.typesetting import isolated, typesetter_for
from tokviz.records import Plate, SideBySide
from tokviz.records.axes import (
    LEAST_FACTOR,
    Box,
    Framing,
    Limits,
    Pane,
    factor_text,
    framing,
)

MOST_LANDMARKS = 135
"""How many words a wide plate of thousands marks and tries to name."""

LONGEST_LABEL = 260
"""Pixels that a word may take; what is longer ends in an ellipsis."""

NEAR = 124
"""How far a category's name may stand from the middle of its words, in pixels."""
GAP = 1.9
"""Between the panes of a divided plot, in sizes of the axes' text: a line of it stands there."""
BAND_MARK = 0.75
"""Of a mark's diameter, in the band."""


_ARROWS = {(-1, 0): "←", (1, 0): "→", (0, -1): "↑", (0, 1): "↓", (-1, -1): "↖", (1, -1): "↗", (1, 1): "↘", (-1, 1): "↙"}


def draw_plate(plate: Plate) -> Figure:
    """Draw one depth's scatter.

    Raises ``ValueError`` for an unknown form, and for coordinates that are not finite.
    """
    if plate.form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, got {plate.form!r}")
    if not np.isfinite(plate.coordinates).all():
        raise ValueError(f"{plate.model}, {plate.depth}: expected finite coordinates, got NaN or infinity")
    return PlateDrawing(plate).draw()


def draw_side_by_side(both: SideBySide) -> Figure:
    """Draw two plates in one figure, and below them what the axes are."""
    first = both.plates[0]
    form, setter = sized(first), typesetter_for(first.fonts)
    lines = setter.wrapped(both.caption, 2 * (form.width - form.axis), form.axis)
    height = form.height + round(form.axis * 1.35 * (len(lines) + 1))
    sheet = Sheet(2 * form.width, height, first.points.marks, setter, form.scale)
    for index, plate in enumerate(both.plates):
        PlateDrawing(plate, sheet.part(index * form.width, form.width, typesetter_for(plate.fonts))).draw()
    for index, line in enumerate(lines, 1):
        sheet.text((form.axis, form.height + form.axis * 1.35 * index), line, form.axis, style.QUIET_INK)
    return sheet.figure


class PlateDrawing:
    """One plate on its sheet, or on a part of another one."""

    def __init__(self, plate: Plate, sheet: Sheet | None = None) -> None:
        self.plate = plate
        self.points = plate.points
        self.dense = is_dense(plate.points)
        self.form = for_words(sized(plate), plate.points)
        self.columns, self.area = layout(self.form, plate.points)
        self.sheet = sheet or Sheet(
            self.form.width, self.form.height, plate.points.marks, typesetter_for(plate.fonts), self.form.scale
        )
        self.framing = _framed(plate, self.area, self.form.axis * GAP)
        self.xy, self.beyond = self._places()
        self.outside = np.asarray(self.beyond.any(axis=1))
        """``(n_words,)`` bool: the words that lie beyond the axes."""

    def draw(self) -> Figure:
        """Draw all of it: of thousands of words their density, with landmarks on top."""
        self._draw_title()
        self._draw_axes()
        most = self._draw_density() if self.dense else 0
        named, marked = self._chosen_words()
        titles = self._category_names() if self.plate.labelled and self._is_crowded else []
        n_named = self._draw_words(named, marked, titles) if self.plate.labelled else 0
        shown = np.full(self.xy.shape, np.nan)
        shown[marked] = self.xy[marked]
        self.sheet.marks(self.points, shown, self.form.diameter, self.form.rim)
        self._draw_band(marked)
        for title in titles:
            title.draw(self.sheet, self.form.label)
        y = self._draw_notes(self._draw_legend(), self._notes(n_named, bool(self.outside[marked].any())))
        if self.dense:
            self._draw_shades(y, most)
        return self.sheet.figure

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """The words' places ``(n_words, 2)`` in pixels, and on which side ``(n_words, 2)`` they lie beyond the axes.

        A word beyond them stands at the margin, with −1 or 1 for the side.
        """
        pane, inset = self.framing.main, self.form.diameter * 0.7
        xy = pane.places(self.plate.coordinates)
        low, high = np.array(pane.area[:2]), np.array(pane.area[2:])
        return np.clip(xy, low + inset, high - inset), np.sign(xy - np.clip(xy, low, high))

    def _chosen_words(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the words that are named where they fit, and of those that are marked."""
        if self.dense:
            marked = landmarks(self.points, MOST_LANDMARKS if self.form.beside else MOST_LANDMARKS // 3)
            return marked, marked
        everyone = np.arange(len(self.xy))
        crowded = len(everyone) > self.form.most_labels
        return (spread_out(self.xy, self.form.most_labels) if crowded else everyone), everyone

    @property
    def _is_crowded(self) -> bool:
        """Whether there are so many words that the names of their categories stand among them."""
        return len(self.xy) > MOST_LABELS and not self.dense

    def _category_names(self) -> list[_CategoryName]:
        """The categories' names at the medians of their words, those that find a place."""
        area, setter, size = self.framing.main.area, self.sheet.typesetter, self.form.label
        found = [
            (category, np.median(self.xy[rows], axis=0))
            for category in range(len(self.points.categories))
            if (rows := self.points.first == category).any()
        ]
        if not found:
            return []
        texts = [
            setter.shortened(self.points.categories[category], LONGEST_LABEL, size, bold=True) for category, _ in found
        ]
        sizes = np.array([(setter.width(text, size, bold=True), size * 1.2) for text in texts])
        middles = np.array([middle for _, middle in found])
        placement = place(middles, sizes, area, np.empty((0, 2)), replace(self.form.spacing, reach=NEAR))
        return [
            _CategoryName(text=text, color=self.points.marks.name_color(category), centre=centre, size=box)
            for (category, _), text, centre, box in zip(found, texts, placement.centres, sizes, strict=True)
            if np.isfinite(centre).all()
        ]

    def _draw_title(self) -> None:
        form = self.form
        draw_title(
            self.sheet,
            self.plate.model,
            f"{isolated(self.plate.context)} · {self.plate.depth}",
            (self.area.left if form.beside else 16, form.width - 16),
            form.title,
            two_lines=not form.beside,
        )

    def _draw_axes(self) -> None:
        main, form, sheet = self.framing.main, self.form, self.sheet
        left, top, right, bottom = main.area
        across, up = main.limits
        # The panes of a divided plot share the axis that is not magnified.
        self._draw_spines(main.area)
        self._draw_ticks_below(across, main)
        self._draw_ticks_beside(up, main, left if self.framing.magnified is None else self.area.left)
        names = [self._axis_name(axis) for axis in (0, 1)]
        sheet.text((right, bottom + form.axis * 2.6), names[0], form.axis, style.QUIET_INK, align=1.0)
        sheet.text((left, top - form.axis * 0.6), names[1], form.axis, style.QUIET_INK)
        if self.framing.band:
            band = self.framing.band.area
            self._draw_spines(band)
            both = f"{self.plate.axes[0][0]} and {self.plate.axes[1][0]} on one scale"
            sheet.text((band.left, band.top - form.axis * 0.6), both, form.axis, style.QUIET_INK)

    def _axis_name(self, axis: int) -> str:
        """``PC2 ×43 · 0.2 %``: the factor by which the axis is magnified, and its share of the variance."""
        magnified = (
            f" {factor_text(self.framing.factor)} · "
            if self.framing.magnified == axis and self.framing.factor >= LEAST_FACTOR
            else "  "
        )
        name, share = self.plate.axes[axis]
        return f"{name}{magnified}{share}".rstrip(" ·")

    def _draw_spines(self, area: Box) -> None:
        spine = self.form.spine
        upright, level, corner = crisp(area.left, spine), crisp(area.bottom, spine), spine / 2
        segments = [[[upright, area.top], [upright, level + corner]], [[upright - corner, level], [area.right, level]]]
        self.sheet.lines(np.array(segments), spine, style.SPINE)

    def _draw_ticks_below(self, limits: Limits, pane: Pane) -> None:
        form, bottom = self.form, pane.area.bottom
        level, length = crisp(bottom, form.spine), self._tick
        segments = []
        for value, text in ticks(*limits):
            (x, _), *_ = pane.places(np.array([[value, 0.0]]))
            place = crisp(x, form.spine)
            segments.append([[place, level], [place, level + length]])
            self.sheet.text((x, bottom + length + form.axis), text, form.axis, style.QUIET_INK, align=0.5)
        self.sheet.lines(np.array(segments), form.spine, style.SPINE)

    def _draw_ticks_beside(self, limits: Limits, pane: Pane, left: float) -> None:
        form, length = self.form, self._tick
        upright = crisp(left, form.spine)
        segments = []
        for value, text in ticks(*limits):
            (_, y), *_ = pane.places(np.array([[0.0, value]]))
            place = crisp(y, form.spine)
            segments.append([[upright - length, place], [upright, place]])
            at = (left - length - 4, y + form.axis * 0.33)
            self.sheet.text(at, text, form.axis, style.QUIET_INK, align=1.0)
        self.sheet.lines(np.array(segments), form.spine, style.SPINE)

    @property
    def _tick(self) -> int:
        return round(self.form.axis * 0.35)

    def _draw_band(self, marked: np.ndarray) -> None:
        """Draw the true plot of a divided one."""
        band = self.framing.band
        if band is None:
            return
        places = np.full(self.xy.shape, np.nan)
        places[marked] = inside(band.places(self.plate.coordinates[marked]), band.area)
        self.sheet.marks(self.points, places, self.form.diameter * BAND_MARK, self.form.rim)

    def _draw_density(self) -> int:
        """Shade where the words lie; how many there are in the darkest place of the main pane."""
        for pane in (self.framing.band, self.framing.main):
            if pane is not None:
                places = inside(pane.places(self.plate.coordinates), pane.area)
                most = self.sheet.density(places, pane.area, self.form.hexagon)
        return most

    def _draw_words(self, named: np.ndarray, marked: np.ndarray, titles: Sequence[_CategoryName]) -> int:
        """Write the words of the rows ``named`` beside their marks, away from those of ``marked`` and ``titles``; how many fit."""
        form, area, sheet = self.form, self.framing.main.area, self.sheet
        words = [self._label(row) for row in named.tolist()]
        boxes = np.array([sheet.typesetter.box(word, form.label) for word in words])
        widths, above, below = boxes.reshape(-1, 3).T
        sizes = np.stack([widths, above + below], axis=1)
        bounds = (area.left + 3, area.top, area.right, area.bottom - 3)
        placement = place(self.xy[named], sizes, bounds, self.xy[marked], form.spacing)
        first = self.points.first[named].tolist()
        colors = [style.INK if category < 0 else self.points.marks.name_color(category) for category in first]
        hidden = np.array(
            [any(title.covers(*each) for title in titles) for each in zip(placement.centres, sizes, strict=True)]
        )
        placement.centres[hidden], placement.leaders[hidden] = np.nan, np.nan
        led = np.flatnonzero(np.isfinite(placement.leaders).all(axis=(1, 2)))
        sheet.lines(placement.leaders[led], form.leader, [style.tint(colors[label]) for label in led])
        placed = np.flatnonzero(np.isfinite(placement.centres).all(axis=1))
        # Where a leader line must cross a word, it passes behind it.
        middles, halves = placement.centres[placed], sizes[placed] * (0.5, 0.4)
        sheet.boxes(np.concatenate([middles - halves, middles + halves], axis=1), "white")
        for label in placed:
            x, y = placement.centres[label]
            at = (x - widths[label] / 2, y + (above[label] - below[label]) / 2)
            sheet.text(at, words[label], form.label, colors[label])
        return len(placed)

    def _label(self, row: int) -> str:
        """A word as it is written: not too long, and with an arrow to the side on which it lies beyond the axes."""
        word = self.sheet.typesetter.shortened(self.points.words[row].strip(), LONGEST_LABEL, self.form.label)
        if not self.outside[row]:
            return word
        arrow, word = _ARROWS[int(self.beyond[row, 0]), int(self.beyond[row, 1])], isolated(word)
        return f"{arrow} {word}" if self.beyond[row, 0] < 0 else f"{word} {arrow}"

    def _draw_legend(self) -> float:
        """Draw the legend beside or below the axes; the y below it."""
        form, box = self.form, self._key
        rows = rows_needed(len(self.points.categories), self.columns)
        row = min(pitch(form), (box.height - 6 * form.axis) / max(rows, 1)) if form.beside else pitch(form)
        legend = Legend(
            points=self.points,
            box=box,
            columns=self.columns,
            pitch=row,
            size=min(form.legend, row / 1.2),
            diameter=form.legend * 0.64,
            rim=form.rim,
        )
        return legend.draw(self.sheet)

    @property
    def _key(self) -> Box:
        """Where the legend and the notes below it stand."""
        form, area = self.form, self.area
        if form.beside:
            return Box(left=area.right + 22, top=area.top, right=form.width - 10, bottom=area.bottom)
        return Box(left=16, top=area.bottom + 60, right=form.width - 8, bottom=form.height)

    def _notes(self, n_named: int, has_arrows: bool) -> list[str]:
        """What distances mean where that isn't PCA's, what hollow marks and arrows do, and how many words are named."""
        notes = [self.plate.method.meaning] if self.plate.method else []
        meaning = hollow_note(self.points)
        if meaning:
            notes.append(f"hollow: {meaning}")
        if has_arrows:
            notes.append("arrow: lies beyond the axes")
        n_words = len(self.points.words)
        if n_named < n_words and (self.plate.labelled or self.dense):
            notes.append(f"{n_named:,} of {n_words:,} words are named")
        if self.dense and self.outside.any():
            notes.append(f"{int(self.outside.sum()):,} lie beyond the axes")
        return notes

    def _draw_notes(self, y: float, notes: list[str]) -> float:
        """Write notes below the legend, which ends at ``y``; the y below them."""
        form, width, wrapped = self.form, self._key.width, self.sheet.typesetter.wrapped
        if form.beside:
            lines = [line for note in notes for line in wrapped(note, width, form.axis)]
        else:
            lines = wrapped(" · ".join(notes), width, form.axis)[:2]
        y += form.axis * (1.4 if form.beside else 1.0)
        for line in lines:
            self.sheet.text((self._key.left, y), line, form.axis, style.QUIET_INK)
            y += form.axis * 1.35
        return y

    def _draw_shades(self, y: float, most: int) -> None:
        """Draw the scale of the density, up to ``most`` words."""
        axis = self.form.axis
        left = self._key.left
        self.sheet.shades(left, y, axis * 7, axis * 0.7)
        self.sheet.text((left + axis * 7.6, y + axis * 0.7), f"1 to {most:,} words", axis, style.QUIET_INK)


@dataclass(frozen=True, kw_only=True)
class _CategoryName:
    """A category's name among its words."""

    text: str
    color: str
    centre: np.ndarray
    size: np.ndarray
    """Width and height, as the centre in pixels."""

    def covers(self, centre: np.ndarray, size: np.ndarray) -> bool:
        """Whether something of a size, about a centre, would lie under it."""
        return bool((np.abs(self.centre - centre) < (self.size + size) / 2).all())

    def draw(self, sheet: Sheet, size: float) -> None:
        """Write it on a ground of its own."""
        half = self.size * (0.5, 0.45)
        sheet.boxes(np.concatenate([self.centre - half, self.centre + half])[None], "white")
        left, base = self.centre[0] - self.size[0] / 2, self.centre[1] + size * 0.34
        sheet.text((left, base), self.text, size, self.color, bold=True)


def _framed(plate: Plate, area: Box, gap: float) -> Framing:
    """The panes of a plate."""
    return framing(plate.extents, area, gap, plate.aspect)
