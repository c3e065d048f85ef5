"""Where the labels of a scatter go: beside their marks, on no other label, with leader lines that don't tangle.

Each label has a few rings of candidate places around its mark. Labels are set one after another at their cheapest
place, the most crowded first; then those that are ill placed are moved again, now that all others stand. The cost of
a place adds up its distance, the marks it hides, and the leader lines it crosses; two labels never overlap. In the
spirit of Christensen, Marks & Shieber (1995), doi:10.1145/212332.212334, without the annealing, so that the result is the same every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LEADER = 9.0
HIDES_MARK = 120.0
LEADER_THROUGH_LABEL = 110.0
LEADER_ACROSS_LEADER = 90.0
LEADER_OVER_MARK = 25.0
UNPLACED = 400.0
"""Costs, in pixels of distance that one would accept to avoid them."""

_RINGS = (0, 8, 17, 28, 42, 60, 86, 124, 178, 255, 360, 480)
"""Distances from a mark to its label, in pixels, beyond the least."""
_MOST_REBUILT = 40
"""How many ill placed labels are placed again with their neighbours: a bound on the time that a dense plate takes."""
_NEIGHBOURS = 6

_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202, 68, 112, 248, 292])
_SIDE_COST = np.array([0, 1.5, 3, 3, 1, 1, 2, 2, 1.5, 1.5, 2.5, 2.5, 3.5, 3.5, 3.5, 3.5])
"""Right of the mark reads best; then left, and the corners."""


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
    """The farthest a label may stand from its mark."""
    leader: float
    """From what distance on a leader line joins them."""
    worst: float
    """A label is left out when its best place costs more than this."""


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

    ``anchors`` ``(n, 2)`` are the marks that are named, in order of importance; ``sizes`` ``(n, 2)`` the labels' widths
    and heights; ``bounds`` left, top, right and bottom; ``marks`` ``(m, 2)`` all marks, named or not.
    """
    layout = _Layout(anchors, sizes, bounds, marks, spacing)
    for label in layout.by_crowding():
        layout.settle(label)
    layout.resettle(above=2 * LEADER)
    for label in layout.ill_placed(above=LEADER_OVER_MARK)[:_MOST_REBUILT]:
        layout.rebuild_around(label)
    layout.resettle(above=2 * LEADER)
    return layout.placement()


class _Layout:
    """Candidate places of all labels, and those chosen so far."""

    def __init__(
        self,
        anchors: np.ndarray,
        sizes: np.ndarray,
        bounds: tuple[float, float, float, float],
        marks: np.ndarray,
        spacing: Spacing,
    ) -> None:
        self.spacing, n = spacing, len(anchors)
        distances = np.array([distance for distance in _RINGS if distance <= spacing.reach])
        ring = np.repeat(distances, len(_ANGLES))
        direction = np.tile(np.stack([np.cos(_ANGLES), -np.sin(_ANGLES)], axis=1), (len(distances), 1))
        out = direction * (spacing.radius + spacing.gap + ring)[:, None]
        half = sizes[:, None, :] / 2
        centres = anchors[:, None, :] + out + np.clip(direction * 1.5, -1, 1) * half
        low, high = centres - half, centres + half
        ends = np.clip(anchors[:, None, :], low, high)
        # x and y in arrays of their own: numpy is slow over a last axis of two.
        self.boxes = _Boxes(*(np.ascontiguousarray(c, np.float32) for c in (*_xy(low), *_xy(high))))
        self.end_x, self.end_y = (np.ascontiguousarray(c, np.float32) for c in _xy(ends))
        self.x, self.y = anchors.T.astype(np.float32)
        self.mark_x, self.mark_y = marks.T.astype(np.float32)
        self.has_leader = ring >= spacing.leader
        self.base = ring + np.tile(_SIDE_COST, len(distances)) + LEADER * self.has_leader
        left, top, right, bottom = bounds
        left_x, top_y, right_x, bottom_y = self.boxes
        self.fits = (left_x >= left) & (top_y >= top) & (right_x <= right) & (bottom_y <= bottom)
        self.hidden = self._hidden_marks()
        self.chosen = np.full(n, -1)
        self.costs = np.full(n, np.inf)

    def _hidden_marks(self) -> np.ndarray:
        """``(n, candidates)``: how many marks a label would hide."""
        margin = self.spacing.radius * 0.8
        left, top, right, bottom = (side[..., None] for side in self.boxes)
        hidden = left - margin < self.mark_x
        hidden &= self.mark_x < right + margin
        hidden &= top - margin < self.mark_y
        hidden &= self.mark_y < bottom + margin
        return _count(hidden)

    def by_crowding(self) -> np.ndarray:
        """The labels, those with the fewest clean places near their mark first."""
        near = slice(0, 2 * len(_ANGLES))
        clean = _count(self.fits[:, near] & (self.hidden[:, near] == 0))
        return np.argsort(clean, kind="stable")

    def settle(self, label: int) -> None:
        """Give a label its cheapest place among the others, or none where there is no space."""
        others = np.flatnonzero(self.chosen >= 0)
        others = others[others != label]
        best, cost, n_rings = -1, np.inf, len(self.base) // len(_ANGLES)
        # From the mark outwards, and no farther than a better place can be: most labels end at the first ring.
        for start, stop in ((0, 1), (1, 4), (4, n_rings)):
            if start < n_rings and cost > self.base[start * len(_ANGLES)]:
                candidates = slice(start * len(_ANGLES), stop * len(_ANGLES))
                costs = self._costs(label, candidates, others)
                cheapest = int(np.argmin(costs))
                if costs[cheapest] < cost:
                    best, cost = candidates.start + cheapest, float(costs[cheapest])
        self.chosen[label], self.costs[label] = (best, cost) if cost <= self.spacing.worst else (-1, UNPLACED)

    def ill_placed(self, above: float) -> np.ndarray:
        """The labels whose place costs more than ``above``, the worst first."""
        labels = np.flatnonzero(self.costs > above)
        return labels[np.argsort(-self.costs[labels], kind="stable")]

    def resettle(self, above: float) -> None:
        """Move ill placed labels, now that all others stand."""
        for label in self.ill_placed(above):
            self.settle(label)

    def rebuild_around(self, label: int) -> None:
        """Place an ill placed label before its neighbours, and keep the result if together they cost less."""
        if self._cost(label) <= LEADER_OVER_MARK:
            return
        distance2 = (self.x - self.x[label]) ** 2 + (self.y - self.y[label]) ** 2
        group = np.argsort(distance2, kind="stable")[: _NEIGHBOURS + 1]
        group = np.concatenate([[label], group[group != label][:_NEIGHBOURS]])
        before, chosen, costs = sum(self._cost(member) for member in group), self.chosen.copy(), self.costs.copy()
        self.chosen[group] = -1
        for member in group:
            self.settle(member)
        if sum(self._cost(member) for member in group) >= before:
            self.chosen, self.costs = chosen, costs

    def _cost(self, label: int) -> float:
        """What a label's place costs among the others."""
        chosen = int(self.chosen[label])
        if chosen < 0:
            return UNPLACED
        others = np.flatnonzero(self.chosen >= 0)
        self.costs[label] = self._costs(label, slice(chosen, chosen + 1), others[others != label])[0]
        return float(self.costs[label])

    def _costs(self, label: int, candidates: slice, others: np.ndarray) -> np.ndarray:
        """``(candidates,)``: the cost of each place, infinite where there is no space."""
        costs = np.where(
            self.fits[label, candidates], self.base[candidates] + HIDES_MARK * self.hidden[label, candidates], np.inf
        )
        left, top, right, bottom = (side[label, candidates, None] for side in self.boxes)
        chosen, padding = self.chosen[others], self.spacing.padding
        other_boxes = _Boxes(*(side[others, chosen] for side in self.boxes))
        overlap = (left < other_boxes.right + padding) & (right > other_boxes.left - padding)
        overlap &= (top < other_boxes.bottom + padding) & (bottom > other_boxes.top - padding)
        costs[overlap.any(axis=1)] = np.inf
        open_places = np.flatnonzero(np.isfinite(costs))
        if not len(open_places):
            return costs
        boxes = _Boxes(left[open_places], top[open_places], right[open_places], bottom[open_places])
        led = self.has_leader[chosen]
        others, chosen = others[led], chosen[led]
        leaders = _Segments(self.x[others], self.y[others], self.end_x[others, chosen], self.end_y[others, chosen])
        if len(others):
            costs[open_places] += LEADER_THROUGH_LABEL * _count(leaders.hit(boxes))
        with_leader = open_places[self.has_leader[candidates][open_places]]
        if len(with_leader):
            rows = with_leader + candidates.start
            end_x, end_y = self.end_x[label, rows, None], self.end_y[label, rows, None]
            leader = _Segments(self.x[label], self.y[label], end_x, end_y)
            costs[with_leader] += LEADER_THROUGH_LABEL * _count(leader.hit(other_boxes))
            costs[with_leader] += LEADER_ACROSS_LEADER * _count(leader.cross(leaders))
            costs[with_leader] += LEADER_OVER_MARK * self._marks_under(leader)
        return costs

    def _marks_under(self, leader: _Segments) -> np.ndarray:
        """``(n_leaders,)``: how many marks, the named one aside, lie under the leader lines from one mark."""
        x, y, end_x, end_y = leader
        along_x, along_y = end_x - x, end_y - y
        away_x, away_y = self.mark_x - x, self.mark_y - y
        length2 = np.maximum(along_x**2 + along_y**2, np.float32(1e-6))
        t = np.clip((along_x * away_x + along_y * away_y) / length2, 0, 1)
        distance2 = (away_x - t * along_x) ** 2 + (away_y - t * along_y) ** 2
        elsewhere = np.abs(away_x) + np.abs(away_y) > 0.5
        return _count((distance2 < self.spacing.radius**2) & elsewhere)

    def placement(self) -> Placement:
        """Where the labels stand now."""
        n = len(self.chosen)
        centres = np.full((n, 2), np.nan)
        leaders = np.full((n, 2, 2), np.nan)
        placed = np.flatnonzero(self.chosen >= 0)
        left, top, right, bottom = (side[placed, self.chosen[placed]].astype(float) for side in self.boxes)
        centres[placed] = np.stack([(left + right) / 2, (top + bottom) / 2], axis=1)
        led = placed[self.has_leader[self.chosen[placed]]]
        start = np.stack([self.x[led], self.y[led]], axis=1).astype(float)
        end = np.stack([side[led, self.chosen[led]] for side in (self.end_x, self.end_y)], axis=1).astype(float)
        length = np.hypot(*(end - start).T)[:, None]
        leaders[led, 0] = start + (end - start) * np.minimum(self.spacing.radius / length, 1)
        leaders[led, 1] = end
        return Placement(centres=centres, leaders=leaders)


class _Boxes(NamedTuple):
    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray


class _Segments(NamedTuple):
    """Straight lines, from ``x``, ``y`` to ``end_x``, ``end_y``; all of these broadcast."""

    x: np.ndarray
    y: np.ndarray
    end_x: np.ndarray
    end_y: np.ndarray

    def hit(self, boxes: _Boxes) -> np.ndarray:
        """Whether segments meet boxes (slab test); both broadcast."""
        along_x, along_y = self.end_x - self.x, self.end_y - self.y
        along_x = np.where(np.abs(along_x) < 1e-6, np.float32(1e-6), along_x)
        along_y = np.where(np.abs(along_y) < 1e-6, np.float32(1e-6), along_y)
        to_left, to_right = (boxes.left - self.x) / along_x, (boxes.right - self.x) / along_x
        to_top, to_bottom = (boxes.top - self.y) / along_y, (boxes.bottom - self.y) / along_y
        enter = np.maximum(np.minimum(to_left, to_right), np.minimum(to_top, to_bottom))
        leave = np.minimum(np.maximum(to_left, to_right), np.maximum(to_top, to_bottom))
        hit: np.ndarray = (enter < leave) & (leave > 0) & (enter < 1)
        return hit

    def cross(self, others: _Segments) -> np.ndarray:
        """Whether these and the ``others`` cross; both broadcast."""
        cross: np.ndarray = self._straddle(others) & others._straddle(self)
        return cross

    def _straddle(self, others: _Segments) -> np.ndarray:
        """Whether these begin and end on different sides of the lines through ``others``."""
        along_x, along_y = others.end_x - others.x, others.end_y - others.y
        start = along_x * (self.y - others.y) - along_y * (self.x - others.x)
        end = along_x * (self.end_y - others.y) - along_y * (self.end_x - others.x)
        apart: np.ndarray = start * end < 0
        return apart


def _count(flags: np.ndarray) -> np.ndarray:
    """How many are true, over the last axis."""
    counts: np.ndarray = np.count_nonzero(flags, axis=-1)
    return counts


def _xy(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points[..., 0], points[..., 1]


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
