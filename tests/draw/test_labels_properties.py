"""Labels of any size at any points: those that are shown stand apart, inside, near their marks."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokviz.draw.labels import Placement, Spacing, place

WIDTH, HEIGHT = 400.0, 300.0
TOLERANCE = 1e-2
ROUNDED = 1.5
"""Pixels: marks and labels stand on whole ones."""
SPACINGS = (
    Spacing(radius=5.5, gap=4, padding=1.5, reach=350, leader=8, worst=500),
    Spacing(radius=6.5, gap=3.5, padding=3, reach=28, leader=8, worst=55),
    Spacing(radius=3, gap=0, padding=0, reach=60, leader=17, worst=150),
)


class Case(NamedTuple):
    anchors: np.ndarray
    sizes: np.ndarray
    marks: np.ndarray
    spacing: Spacing

    def placed(self) -> Placement:
        return place(self.anchors, self.sizes, (0, 0, WIDTH, HEIGHT), self.marks, self.spacing)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Marks anywhere in the picture, crowded or on top of each other; the first of them are named."""
    side = st.floats(0, 1, width=16)
    crowding = draw(st.sampled_from([1.0, 0.2, 0.02]))
    points = draw(st.lists(st.tuples(side, side), min_size=1, max_size=40))
    marks = WIDTH / 2 * (1 - crowding) + crowding * np.array(points) * [WIDTH, HEIGHT]
    n_named = draw(st.integers(1, len(points)))
    size = st.tuples(st.floats(4, 150, width=16), st.floats(8, 30, width=16))
    sizes = np.array(draw(st.lists(size, min_size=n_named, max_size=n_named)))
    return Case(marks[:n_named], sizes, marks, draw(st.sampled_from(SPACINGS)))


def boxes(case: Case, placement: Placement) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Of each label that is shown, its top left and its bottom right corner."""
    shown = np.flatnonzero(np.isfinite(placement.centres).all(axis=1))
    half = case.sizes / 2
    return {int(row): (placement.centres[row] - half[row], placement.centres[row] + half[row]) for row in shown}


@given(cases())
def test_no_two_labels_overlap_and_the_padding_between_them_is_free(case: Case) -> None:
    for (low, high), (other_low, other_high) in combinations(boxes(case, case.placed()).values(), 2):
        apart = np.maximum(low - other_high, other_low - high)
        assert apart.max() >= case.spacing.padding - TOLERANCE


@given(cases())
def test_labels_stand_inside_the_picture_within_reach_of_their_marks_and_beside_them(case: Case) -> None:
    spacing = case.spacing
    for row, (low, high) in boxes(case, case.placed()).items():
        assert (low >= -TOLERANCE).all()
        assert (high <= np.array([WIDTH, HEIGHT]) + TOLERANCE).all()
        away = np.maximum(np.maximum(low - case.anchors[row], case.anchors[row] - high), 0)
        assert np.hypot(*away) <= spacing.radius + spacing.gap + spacing.reach + ROUNDED
        assert (away > 0).any()


@given(cases())
def test_no_label_hides_a_mark(case: Case) -> None:
    for low, high in boxes(case, case.placed()).values():
        margin = case.spacing.radius * 0.8 - ROUNDED
        assert not ((case.marks > low - margin) & (case.marks < high + margin)).all(axis=1).any()


@given(cases())
def test_a_leader_line_goes_from_its_mark_to_its_label(case: Case) -> None:
    placement = case.placed()
    shown = boxes(case, placement)
    for row, (start, end) in enumerate(placement.leaders):
        if np.isnan(start).any():
            assert np.isnan(end).all()
            continue
        low, high = shown[row]
        assert np.hypot(*(start - case.anchors[row])) <= case.spacing.radius + ROUNDED
        assert (end >= low - ROUNDED).all()
        assert (end <= high + ROUNDED).all()


@given(cases())
def test_the_same_labels_stand_at_the_same_places_every_time(case: Case) -> None:
    first, second = case.placed(), case.placed()
    np.testing.assert_array_equal(first.centres, second.centres)
    np.testing.assert_array_equal(first.leaders, second.leaders)
