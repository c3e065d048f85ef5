"""Where the labels of a scatter go: beside their marks, on no mark and no other label, with leader lines that don't tangle.

Each label has a few rings of places around its mark. What a place costs adds up its distance, the marks under its
leader line, and the labels and lines in its way. Labels are set one after another at their cheapest place, always the
one with the fewest free places left; then they move as long as that makes all of it cheaper. After each step only the
costs of the places nearby are brought up to date. In the spirit of Christensen, Marks & Shieber (1995),
doi:10.1145/212332.212334, without the annealing.

Places are whole pixels and costs are whole numbers, so that they are the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LEADER = 9
LINE_OVER_MARK = 20
LINE_THROUGH_LABEL = 90
LINE_ACROSS_LINE = 120
"""Costs, in pixels of distance that one would accept to avoid them."""

_RINGS = np.array([0, 5, 12, 20, 31, 43, 57, 72, 90, 124])
"""Distances from a mark to its label, in pixels, beyond the least."""
_ANGLES = np.deg2rad(np.arange(0, 360, 15))
_DIRECTIONS = np.stack([np.cos(_ANGLES), -np.sin(_ANGLES)]).round(3)
"""Rounded, since machines differ in a cosine's last digit."""
_SIDE_COST = np.array([0, 3, 3, 2, 5, 7, 6, 8, 7, 4, 5, 5, 3, 5, 5, 4, 7, 8, 6, 7, 5, 2, 3, 3])
"""In half pixels: right of the mark reads best; then the corners, and left."""
_WORD_GAP = np.array([3, 0], np.int32)[:, None, None]
"""Kept free besides the padding, so that two labels in a row don't read as one."""
_NOWHERE = 1 << 20
"""The cost of a place that can't be taken."""
_MOST_PLACES = 144
_MOST_MOVES = 100
"""Bounds on the time that a plate takes: of a label's places those nearest to its mark are enough."""


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """How labels may stand, in pixels."""

    radius: float
    """Of a mark."""
    gap: float
    """Between a mark and its label when they stand side by side."""
    padding: float
    """Kept free between labels."""
    reach: float
    """The farthest a label may stand from its mark, beyond the radius and the gap."""
    leader: float
    """From what distance on a leader line joins them."""
    worst: int
    """A label is left out when its best place costs as much."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where labels stand."""

    centres: np.ndarray
    """``(n, 2)``; NaN for a label that doesn't fit."""
    leaders: np.ndarray
    """``(n, 2, 2)``: from the mark's rim to the label; NaN where they need none."""


def place(
    anchors: np.ndarray,
    sizes: np.ndarray,
    bounds: tuple[float, float, float, float],
    marks: np.ndarray,
    spacing: Spacing,
) -> Placement:
    """Place ``n`` labels.

    ``anchors`` ``(n, 2)`` are the marks that are named; ``sizes`` ``(n, 2)`` the labels' widths and heights; ``bounds``
    left, top, right and bottom; ``marks`` ``(m, 2)`` all marks, named or not. Marks stand on whole pixels.
    """
    layout = _Layout(_Places(anchors, sizes, bounds, marks, spacing))
    layout.settle()
    layout.improve()
    layout.drop()
    layout.settle()
    return layout.placement()


class _Places:
    """The places of all labels, and what each costs without the others.

    In arrays x and y come first, then the labels, then their places. Costs are in half pixels.
    """

    def __init__(
        self,
        anchors: np.ndarray,
        sizes: np.ndarray,
        bounds: tuple[float, float, float, float],
        marks: np.ndarray,
        spacing: Spacing,
    ) -> None:
        self.spacing, self.worst = spacing, 2 * spacing.worst
        self.anchors, self.sizes = _whole(anchors.T)[:, :, None], _whole(np.ceil(sizes.T))[:, :, None]
        """``(2, labels, 1)``."""
        rings = _RINGS[spacing.reach >= _RINGS]
        ring, direction = np.repeat(rings, len(_ANGLES)), np.tile(_DIRECTIONS, len(rings))[:, None]
        out = (spacing.radius + spacing.gap + ring) * direction
        low = self.anchors + _whole(out + (np.clip(direction * 1.5, -1, 1) - 1) / 2 * self.sizes)
        high = low + self.sizes
        left, top, right, bottom = bounds
        fits = (low[0] >= left) & (low[1] >= top) & (high[0] <= right) & (high[1] <= bottom)
        self.marks = _whole(marks.T)
        fits &= _marks_within(self.marks, low, high, spacing.radius * 0.8) == 0
        has_line = ring >= spacing.leader
        lines = np.where(has_line, np.clip(self.anchors, low, high) - self.anchors, 0)
        own = 2 * ring + np.tile(_SIDE_COST, len(rings)) + 2 * LEADER * has_line
        kept = np.argsort(~fits, axis=1, kind="stable")[:, :_MOST_PLACES]
        fits = np.take_along_axis(fits, kept, axis=1)
        self.middles, self.lines = (np.take_along_axis(each, kept[None], axis=2) for each in (low + high, lines))
        """``(2, labels, places)``: the labels' middles in half pixels, and their leader lines, 0 for those without."""
        self.costs = np.where(fits, own[kept], _NOWHERE).astype(np.int32)
        """``(labels, places)``: without the marks under lines."""
        self.padding = _WORD_GAP + math.ceil(spacing.padding)
        middles = np.where(fits, self.middles, 2 * self.anchors)
        low, high = (middles - self.sizes).min(axis=2), (middles + self.sizes).max(axis=2)
        near = (low[:, :, None] < high[:, None] + 2 * self.padding).all(axis=0)
        self.near = [np.flatnonzero(each) for each in near & near.T & ~np.eye(len(near), dtype=bool)]
        """Of each label the others that may come into its way."""

    def marks_under_lines(self, label: int) -> np.ndarray:
        """``(places,)``: how many marks other than its own a label's lines run over."""
        side = np.full((2, 1, 1), round(1.8 * self.spacing.radius), np.int32)
        lines, away = self.lines[:, label, :, None], np.abs(self.marks - self.anchors[:, label])
        near = (away < np.abs(lines).max(axis=1) + side[0]).all(axis=0) & away.any(axis=0)
        meet = _meet(2 * self.anchors[:, label, None], lines, 2 * self.marks[:, None, near], side)
        under: np.ndarray = meet.sum(axis=1, dtype=np.int32)
        return under

    def beside(self, label: int, at: int) -> np.ndarray:
        """``(near, places)``: what a label at a place adds to the costs of others' places near it."""
        near = self.near[label]
        anchors, sizes, middles, lines = (
            each[:, near] for each in (self.anchors, self.sizes, self.middles, self.lines)
        )
        anchor, size = self.anchors[:, label, None], self.sizes[:, label, None]
        middle, line = self.middles[:, label, at, None, None], self.lines[:, label, at, None, None]
        across, down = np.abs(middles - middle) < sizes + (size + 2 * self.padding)
        costs: np.ndarray = (across & down) * np.int32(self.worst)
        costs += _meet(2 * anchors, lines, middle, size) * np.int32(2 * LINE_THROUGH_LABEL)
        if line.any():
            costs += _meet(2 * anchor, line, middles, sizes) * np.int32(2 * LINE_THROUGH_LABEL)
            costs += _cross(anchor, line, anchors, lines) * np.int32(2 * LINE_ACROSS_LINE)
        return costs


class _Layout:
    """The places that are chosen, and what all of them cost beside these."""

    def __init__(self, places: _Places) -> None:
        self.places, self.costs = places, places.costs.copy()
        n = len(self.costs)
        self.chosen = np.full(n, -1)
        """Each label's place, −1 where it has none."""
        self.added = [np.zeros(1, np.int32)] * n
        """What each adds to the costs near it."""
        self.looked_under = np.zeros(n, dtype=bool)
        """Whose costs include the marks under lines."""

    def move(self, label: int, at: int) -> None:
        """Set a label at a place, or at none (−1)."""
        added = self.places.beside(label, at) if at >= 0 else np.zeros(1, np.int32)
        self.costs[self.places.near[label]] += added - self.added[label]
        self.chosen[label], self.added[label] = at, added

    def settle(self) -> None:
        """Set the labels without a place that find one, those with the fewest free ones first."""
        while True:
            n_free = (self.costs < self.places.worst).sum(axis=1)
            open_labels = np.flatnonzero((self.chosen < 0) & (n_free > 0))
            if not len(open_labels):
                return
            label = int(open_labels[np.argmin(n_free[open_labels])])
            at = self.cheapest(label)
            if self.costs[label, at] < self.places.worst:
                self.move(label, at)

    def cheapest(self, label: int) -> int:
        """A label's cheapest place. Few have a line, so that marks are looked for under lines only once one is to be drawn."""
        at = int(self.costs[label].argmin())
        if self.looked_under[label] or not self.places.lines[:, label, at].any():
            return at
        self.looked_under[label] = True
        self.costs[label] += 2 * LINE_OVER_MARK * self.places.marks_under_lines(label)
        return int(self.costs[label].argmin())

    def improve(self) -> None:
        """Move labels as long as that makes all of it cheaper.

        A label may take the place of another, which then moves or is dropped: to have none costs twice as much.
        """
        for _ in range(_MOST_MOVES):
            own = self._own_costs()
            gains = own - self.costs.min(axis=1)
            label = int(gains.argmax())
            if gains[label] <= 0:
                return
            at = self.cheapest(label)
            if self.costs[label, at] < own[label]:
                self.move(label, at)

    def _own_costs(self) -> np.ndarray:
        """``(labels,)``: what the chosen places cost."""
        costs = np.take_along_axis(self.costs, self.chosen[:, None], axis=1)[:, 0]
        return np.where(self.chosen < 0, 2 * self.places.worst, costs)

    def drop(self) -> None:
        """Leave out the labels that stand in the way of others."""
        while True:
            costs = np.where(self.chosen < 0, -1, self._own_costs())
            label = int(costs.argmax())
            if costs[label] < self.places.worst:
                return
            self.move(label, -1)

    def placement(self) -> Placement:
        """Where the labels stand now."""
        n = len(self.chosen)
        centres, leaders = np.full((n, 2), np.nan), np.full((n, 2, 2), np.nan)
        placed = np.flatnonzero(self.chosen >= 0)
        at = self.chosen[placed]
        centres[placed] = self.places.middles[:, placed, at].T / 2
        lines = self.places.lines[:, placed, at].T
        has_line = lines.any(axis=1)
        lines, start = lines[has_line], self.places.anchors[:, placed[has_line], 0].T
        rim = np.minimum(self.places.spacing.radius / np.hypot(*lines.T), 1)[:, None]
        leaders[placed[has_line]] = np.stack([start + rim * lines, start + lines], axis=1)
        return Placement(centres=centres, leaders=leaders)


def _whole(lengths: np.ndarray) -> np.ndarray:
    return lengths.round().astype(np.int32)


def _marks_within(marks: np.ndarray, low: np.ndarray, high: np.ndarray, margin: float) -> np.ndarray:
    """How many of ``marks`` ``(2, m)`` lie within boxes, or a margin beside them."""
    by_x, by_y = np.argsort(marks, axis=1, kind="stable")
    # How many are both among the first so many from the left and among the first so many from the top.
    among = np.zeros((marks.shape[1] + 1,) * 2, np.int32)
    among[np.arange(len(by_x)) + 1, np.argsort(by_y)[by_x] + 1] = 1
    among = among.cumsum(axis=0).cumsum(axis=1)
    x, y = marks[0, by_x], marks[1, by_y]
    left, right = np.searchsorted(x, low[0] - margin, "right"), np.searchsorted(x, high[0] + margin)
    top, bottom = np.searchsorted(y, low[1] - margin, "right"), np.searchsorted(y, high[1] + margin)
    within: np.ndarray = among[right, bottom] - among[left, bottom] - among[right, top] + among[left, top]
    return within


def _meet(start: np.ndarray, line: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether lines meet boxes: on no axis, and not across the line, is there a gap between them.

    ``start`` and ``middle`` are in half pixels; all broadcast.
    """
    away_x, away_y = middle - start - line
    x, y = np.abs(line)
    width, height = size
    meet: np.ndarray = (np.abs(away_x) < x + width) & (np.abs(away_y) < y + height)
    meet &= np.abs(line[0] * away_y - line[1] * away_x) < x * height + y * width
    return meet


def _cross(start: np.ndarray, line: np.ndarray, starts: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Whether a line crosses others: each has its ends on both sides of the other."""
    away_x, away_y = starts - start
    turn = line[0] * lines[1] - line[1] * lines[0]
    theirs, own = line[0] * away_y - line[1] * away_x, lines[0] * away_y - lines[1] * away_x
    cross: np.ndarray = ((theirs > 0) != (theirs + turn > 0)) & ((own > 0) != (own + turn > 0))
    return cross


def spread_out(points: np.ndarray, count: int) -> np.ndarray:
    """The rows of ``count`` of ``points`` ``(n, 2)`` that are far from each other, in the order of choice.

    Farthest-point sampling from the point nearest to the middle: outliers and thin regions keep their names.
    """
    count = min(count, len(points))
    chosen = [int(np.argmin(((points - np.median(points, axis=0)) ** 2).sum(axis=1)))]
    nearest = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        # Of points that coincide with a chosen one, which are 0 away, the first not yet chosen comes next.
        nearest[chosen[-1]] = -1
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        nearest[chosen] = -1
    return np.array(chosen)
