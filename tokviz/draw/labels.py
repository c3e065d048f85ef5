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
    """Candidate places of all labels, and those chosen so far.

    A place is numbered through all labels: ``label * n_candidates + candidate``. In arrays, x and y come first.
    """

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
        self.n_candidates = len(ring)
        self.owner = np.repeat(np.arange(n), len(ring))
        """``(places,)``: the label that each is for."""
        direction = np.tile(np.stack([np.cos(_ANGLES), -np.sin(_ANGLES)]), len(distances))
        anchor, half = anchors.T[:, :, None], sizes.T[:, :, None] / 2
        out = direction * (spacing.radius + spacing.gap + ring)
        centres = anchor + out[:, None] + np.clip(direction * 1.5, -1, 1)[:, None] * half
        low, high = centres - half, centres + half
        ends = np.clip(anchor, low, high)
        self.anchors, self.marks = anchors.T.astype(np.float32), marks.T.astype(np.float32)
        self.low, self.high, self.ends = (each.astype(np.float32).reshape(2, -1) for each in (low, high, ends))
        """``(2, places)``: the labels' corners, and where their leader lines end."""
        # Two labels overlap where all four edges of one lie before the other's far ones.
        self.edges = np.concatenate([self.low, -self.high])
        self.far_edges = np.concatenate([self.high, -self.low]) + np.float32(spacing.padding)
        has_leader = ring >= spacing.leader
        self.has_leader = np.tile(has_leader, n)
        self.base = ring + np.tile(_SIDE_COST, len(distances)) + LEADER * has_leader
        left, top, right, bottom = bounds
        fits = (self.low[0] >= left) & (self.low[1] >= top) & (self.high[0] <= right) & (self.high[1] <= bottom)
        self.alone = np.where(fits, np.tile(self.base, n) + HIDES_MARK * self._hidden_marks(), np.inf)
        """``(places,)``: what each costs without other labels, infinite outside the bounds."""
        self.chosen = np.full(n, -1)
        self.costs = np.full(n, np.inf)

    def _hidden_marks(self) -> np.ndarray:
        """``(places,)``: how many marks a label would hide."""
        margin, n_marks = self.spacing.radius * 0.8, self.marks.shape[1]
        by_x, by_y = np.argsort(self.marks, axis=1, kind="stable")
        # How many are both among the first so many from the left and among the first so many from the top.
        among = np.zeros((n_marks + 1, n_marks + 1), np.int32)
        among[np.arange(n_marks) + 1, np.argsort(by_y)[by_x] + 1] = 1
        among = among.cumsum(axis=0).cumsum(axis=1)
        x, y = self.marks[0, by_x], self.marks[1, by_y]
        left, right = np.searchsorted(x, self.low[0] - margin, "right"), np.searchsorted(x, self.high[0] + margin)
        top, bottom = np.searchsorted(y, self.low[1] - margin, "right"), np.searchsorted(y, self.high[1] + margin)
        hidden: np.ndarray = among[right, bottom] - among[left, bottom] - among[right, top] + among[left, top]
        return hidden

    def by_crowding(self) -> np.ndarray:
        """The labels, those with the fewest clean places near their mark first."""
        near = slice(0, 2 * len(_ANGLES))
        clean = _count(self.alone.reshape(-1, self.n_candidates)[:, near] == self.base[near])
        return np.argsort(clean, kind="stable")

    def settle(self, label: int) -> None:
        """Give a label its cheapest place among the others, or none where there is no space."""
        self.chosen[label] = -1
        others = self.chosen[self.chosen >= 0]
        first, n_rings = label * self.n_candidates, self.n_candidates // len(_ANGLES)
        best, cost = -1, float(np.nextafter(self.spacing.worst, np.inf))
        # From the mark outwards, and no farther than a better place can be: most labels end at the first ring.
        for start, stop in ((0, 1), (1, 4), (4, n_rings)):
            ring = first + start * len(_ANGLES)
            places = ring + np.flatnonzero(self.alone[ring : first + min(stop, n_rings) * len(_ANGLES)] < cost)
            if len(places):
                costs = self._costs(places, others, cost)
                cheapest = int(np.argmin(costs))
                if costs[cheapest] < cost:
                    best, cost = int(places[cheapest]), float(costs[cheapest])
        self.chosen[label], self.costs[label] = (best, cost) if best >= 0 else (-1, UNPLACED)

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
        if self._update_costs(np.array([label])) <= LEADER_OVER_MARK:
            return
        distance2 = ((self.anchors - self.anchors[:, label, None]) ** 2).sum(axis=0)
        group = np.argsort(distance2, kind="stable")[: _NEIGHBOURS + 1]
        group = np.concatenate([[label], group[group != label][:_NEIGHBOURS]])
        before, chosen, costs = self._update_costs(group), self.chosen.copy(), self.costs.copy()
        self.chosen[group] = -1
        for member in group:
            self.settle(member)
        if self._update_costs(group) >= before:
            self.chosen, self.costs = chosen, costs

    def _update_costs(self, labels: np.ndarray) -> float:
        """What these labels' places cost together, now that the others stand."""
        placed = labels[self.chosen[labels] >= 0]
        self.costs[placed] = self._costs(self.chosen[placed], self.chosen[self.chosen >= 0])
        return float(self.costs[placed].sum()) + UNPLACED * (len(labels) - len(placed))

    def _costs(self, places: np.ndarray, others: np.ndarray, below: float = np.inf) -> np.ndarray:
        """What each of ``places`` ``(k,)`` costs beside the places ``others``, infinite where there is no space.

        What isn't ``below`` a bound isn't added up to its end. A label doesn't stand in its own way.
        """
        costs: np.ndarray = self.alone[places]
        owner, theirs = self.owner[places, None], self.owner[others]
        overlap = (self.edges.take(places, 1)[:, :, None] < self.far_edges.take(others, 1)[:, None]).all(axis=0)
        costs[(overlap & (owner != theirs)).any(axis=1)] = np.inf
        open_places = np.flatnonzero(costs < below)
        led = others[self.has_leader[others]]
        leaders, leading = self._leaders(led[None]), self.owner[led]
        if len(led) and len(open_places):
            hit = leaders.hit(*self._boxes(places[open_places, None]))
            costs[open_places] += LEADER_THROUGH_LABEL * _count(hit & (leading != owner[open_places]))
        with_leader = np.flatnonzero((costs < below) & self.has_leader[places])
        if len(with_leader):
            own, owner = self._leaders(places[with_leader, None]), owner[with_leader]
            hit = own.hit(*self._boxes(others[None]))
            costs[with_leader] += LEADER_THROUGH_LABEL * _count(hit & (theirs != owner))
            costs[with_leader] += LEADER_ACROSS_LEADER * _count(own.cross(leaders) & (leading != owner))
            costs[with_leader] += LEADER_OVER_MARK * self._marks_under(own)
        return costs

    def _boxes(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the higher corners of labels at ``places``: ``(2, *places)``."""
        return self.low.take(places, 1), self.high.take(places, 1)

    def _leaders(self, places: np.ndarray) -> _Lines:
        """The leader lines of ``places``: ``(2, *places)``."""
        return _Lines(self.anchors.take(self.owner[places], 1), self.ends.take(places, 1))

    def _marks_under(self, leaders: _Lines) -> np.ndarray:
        """``(n_leaders,)``: how many marks, the named one aside, lie under leader lines ``(2, n_leaders, 1)``."""
        along_x, along_y = leaders.end - leaders.start
        away_x, away_y = self.marks[:, None] - leaders.start
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
        low, high = (corners.T.astype(float) for corners in self._boxes(self.chosen[placed]))
        centres[placed] = (low + high) / 2
        led = placed[self.has_leader[self.chosen[placed]]]
        start, end = (ends.T.astype(float) for ends in self._leaders(self.chosen[led]))
        length = np.hypot(*(end - start).T)[:, None]
        leaders[led, 0] = start + (end - start) * np.minimum(self.spacing.radius / length, 1)
        leaders[led, 1] = end
        return Placement(centres=centres, leaders=leaders)


class _Lines(NamedTuple):
    """Straight lines from ``start`` to ``end``, x and y first; these broadcast."""

    start: np.ndarray
    end: np.ndarray

    def hit(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Whether lines meet boxes between the corners ``low`` and ``high`` (slab test); all broadcast."""
        along = self.end - self.start
        along[np.abs(along) < 1e-6] = 1e-6
        to_low, to_high = (low - self.start) / along, (high - self.start) / along
        enter, leave = np.minimum(to_low, to_high).max(axis=0), np.maximum(to_low, to_high).min(axis=0)
        hit: np.ndarray = np.maximum(enter, 0) < np.minimum(leave, 1)
        return hit

    def cross(self, others: _Lines) -> np.ndarray:
        """Whether these and the ``others`` cross; both broadcast."""
        cross: np.ndarray = self._straddle(others) & others._straddle(self)
        return cross

    def _straddle(self, others: _Lines) -> np.ndarray:
        """Whether these begin and end on different sides of the lines through ``others``."""
        along_x, along_y = others.end - others.start
        (start_x, start_y), (end_x, end_y) = self.start - others.start, self.end - others.start
        apart: np.ndarray = (along_x * start_y - along_y * start_x) * (along_x * end_y - along_y * end_x) < 0
        return apart


def _count(flags: np.ndarray) -> np.ndarray:
    """How many are true, over the last axis."""
    counts: np.ndarray = flags.sum(axis=-1)
    return counts


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
