"""Labels on plots of the sample report, the most crowded among them: near their marks, on none of them, with few tangles."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from command import done, python
from picture_fixture import overlapping_pairs, plate, points

from tokviz.draw import plate as drawing
from tokviz.draw.labels import Placement, Spacing, place
from tokviz.draw.plate_form import PHONE, WIDE

ROOT = Path(__file__).parents[2]
SAMPLE = json.loads((Path(__file__).parent / "sample_plots.json").read_text(encoding="utf-8"))
PLOTS = SAMPLE["plots"]
NAMED = {
    "smollm2-135m-instruct/alone/standardized/embedding": (116, 48),
    "smollm2-135m-instruct/alone/centered/embedding": (116, 45),
    "smollm2-135m-instruct/alone/centered/layer 8": (105, 31),
    "smollm2-135m-instruct/alone/standardized/layer 11": (116, 43),
    "smollm2-135m-instruct/alone/centered/layer 11": (116, 60),
    "smollm2-135m-instruct/sentence/standardized/layer 0": (90, 34),
    "smollm2-135m-instruct/sentence/standardized/layer 8": (106, 43),
    "smollm2-135m-instruct/sentence/centered/layer 24": (115, 51),
    "all-minilm-l6-v2/alone/standardized/embedding": (116, 55),
    "all-minilm-l6-v2/sentence/standardized/layer 3": (116, 57),
}
"""At least so many of 116 words have names on a wide plate, and on a phone."""
CSS = {"wide": 720 / 1500, "phone": 358 / 716}
"""CSS pixels for one of a plate where it is shown smallest."""
FARTHEST = 40
"""CSS pixels."""
MOST_CROSSINGS = 20
DIGEST = "cf4ac3165c21fea3e0e6379131ef0e51e837033cc076fd3a52c203a73f0a3e3f"
"""Of the places of labels of given sizes: whole numbers, which no machine and no library may change."""


class Placed(NamedTuple):
    anchors: np.ndarray
    sizes: np.ndarray
    marks: np.ndarray
    spacing: Spacing
    result: Placement

    def boxes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The labels that are shown, and their upper left and lower right corners."""
        shown = np.flatnonzero(np.isfinite(self.result.centres).all(axis=1))
        centres, half = self.result.centres[shown], self.sizes[shown] / 2
        return shown, centres - half, centres + half


@cache
def placed(plot: str, form: str) -> Placed:
    """What is placed on a plate as it is drawn."""
    found: list[Placed] = []

    def watched(
        anchors: np.ndarray,
        sizes: np.ndarray,
        bounds: tuple[float, float, float, float],
        marks: np.ndarray,
        spacing: Spacing,
    ) -> Placement:
        found.append(Placed(anchors, sizes, marks, spacing, place(anchors, sizes, bounds, marks, spacing)))
        return found[-1].result

    memberships = tuple((each,) for each in SAMPLE["categories"])
    of = points(words=tuple(SAMPLE["words"]), memberships=memberships, elsewhere=tuple(SAMPLE["elsewhere"]))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(drawing, "place", watched)
        drawing.draw_plate(plate(of, np.array(PLOTS[plot]).T, form=form))
    (only,) = found
    return only


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize("plot", PLOTS)
def test_as_many_words_are_named_as_ever(plot: str, form: str) -> None:
    shown, _, _ = placed(plot, form).boxes()
    assert len(shown) >= NAMED[plot][form == "phone"]


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize("plot", PLOTS)
def test_names_are_near_their_marks_and_hide_neither_marks_nor_names(plot: str, form: str) -> None:
    case = placed(plot, form)
    shown, low, high = case.boxes()
    away = np.maximum(np.maximum(low - case.anchors[shown], case.anchors[shown] - high), 0)
    assert np.hypot(*away.T).max() * CSS[form] <= FARTHEST
    margin = case.spacing.radius * 0.7
    hidden = (case.marks > low[:, None] - margin) & (case.marks < high[:, None] + margin)
    assert not hidden.all(axis=2).any()
    assert overlapping_pairs(np.concatenate([low, high], axis=1)) == 0


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize("plot", PLOTS)
def test_few_leader_lines_cross(plot: str, form: str) -> None:
    leaders = placed(plot, form).result.leaders
    lines = [line for line in leaders if np.isfinite(line).all()]
    assert sum(crossing(one, other) for one, other in combinations(lines, 2)) <= MOST_CROSSINGS


def crossing(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the ends of each line lie on different sides of the other."""

    def side(line: np.ndarray, point: np.ndarray) -> float:
        (along_x, along_y), (away_x, away_y) = line[1] - line[0], point - line[0]
        return float(along_x * away_y - along_y * away_x)

    return side(one, other[0]) * side(one, other[1]) < 0 and side(other, one[0]) * side(other, one[1]) < 0


def digest() -> str:
    """Of where the labels of all plots stand, as wide as their words are long."""
    found = hashlib.sha256()
    sizes = np.array([(9.25 * len(word), 21.5) for word in SAMPLE["words"]])
    for coordinates in PLOTS.values():
        xy = np.array(coordinates).T
        span = np.ptp(xy, axis=0)
        for form in (WIDE, PHONE):
            marks = np.rint((xy - xy.min(axis=0)) / span * (form.width - 200)) + 100
            centres = place(marks, sizes, (0, 0, form.width, form.width), marks, form.spacing).centres
            found.update(np.nan_to_num(2 * centres, nan=-1).astype("<i4").tobytes())
    return found.hexdigest()


@pytest.mark.thorough
@pytest.mark.process
def test_places_are_the_same_on_every_machine_and_in_every_process() -> None:
    code = "import sys; sys.path[:0] = ['tests/draw', 'tests']; import test_labels_sample; print(test_labels_sample.digest())"
    # Without them numpy computes as on the oldest machines.
    simd = " ".join(np.show_config("dicts")["SIMD Extensions"]["found"])
    other = done(python("-c", code, PYTHONHASHSEED="2", OMP_NUM_THREADS="2", NPY_DISABLE_CPU_FEATURES=simd)).strip()
    assert [digest(), other] == [DIGEST, DIGEST]
