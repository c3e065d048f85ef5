"""Both axes of a plot have one scale; where one is very short the plot is divided, and says by how much that one is magnified."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_fixture import labels, marks, plate, points, texts

from tokviz.draw import figures
from tokviz.draw.plate_form import WIDE
from tokviz.records import Strip, axes
from tokviz.records.axes import DIVIDED_BELOW, Box, extents, framing, ratio, true_pane

FRAMING = Path(__file__).parents[2] / "templates" / "assets" / "plates" / "framing.js"
LEAST_NAMED = {0.02: 35, 0.2: 50, 0.3: 60}
"""Of 116 words, by the shorter span as a share of the longer one."""
BOX = Box(10, 20, 730, 620)


def flattened(share: float, short: int = 1, seed: int = 0) -> np.ndarray:
    """A cloud of 116 words whose shorter span is this share of the longer one."""
    cloud = np.random.default_rng(seed).uniform(-1, 1, size=(116, 2))
    cloud = (cloud - cloud.min(axis=0)) / np.ptp(cloud, axis=0)
    cloud[:, short] *= share
    return np.asarray(cloud * 900 - 40)


def drawn(coordinates: np.ndarray, **changes: Any) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Per pane the words' places ``(116, 2)`` in pixels, the main one first; and all texts."""
    of = points(n_categories=1)
    figure = figures.draw(plate(of, coordinates, labelled=False, **changes))
    panes = [np.asarray(each.get_offsets()) for each in marks(figure)]
    return [each for each in panes if len(each) == len(coordinates)], texts(figure)


def units(coordinates: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pixels for one of PC1, and for one of PC2."""
    slopes = [np.polyfit(coordinates[:, axis], places[:, axis], 1)[0] for axis in (0, 1)]
    return np.abs(slopes)


def factor_in(said: dict[str, Any], axis: str) -> float:
    """By how much the name of an axis says that it is magnified."""
    (found,) = [match for text in said if (match := re.match(rf"{axis} ×([\d.,]+) · ", text))]
    return float(found[1].replace(",", ""))


@pytest.mark.parametrize("form", ["wide", "phone", "draft"])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.26])
def test_a_plot_has_one_scale(form: str, share: float) -> None:
    coordinates = flattened(share)
    (places,), said = drawn(coordinates, form=form)
    across, up = units(coordinates, places)
    assert up == pytest.approx(across, rel=0.01)
    assert not any("×" in text for text in said)


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize(("share", "short"), [(0.2, 1), (0.024, 1), (0.1, 0)])
def test_a_flat_plot_is_divided_and_says_its_factor(form: str, share: float, short: int) -> None:
    coordinates = flattened(share, short)
    (main, band), said = drawn(coordinates, form=form)
    across, up = units(coordinates, band)
    assert up == pytest.approx(across, rel=0.1)  # marks stand on whole pixels, and the band is low
    magnified = units(coordinates, main)
    factor = magnified[short] / magnified[1 - short]
    assert factor_in(said, f"PC{short + 1}") == pytest.approx(factor, rel=0.02)
    assert "PC1 and PC2 on one scale" in said
    # Words stand below each other along the axis that isn't magnified.
    np.testing.assert_allclose(main[:, 1 - short], band[:, 1 - short], atol=1.01)
    assert band[:, short].max() < main[:, short].min()


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_words_on_a_line_are_drawn_on_it(form: str) -> None:
    (places,), said = drawn(flattened(0.0), form=form)
    assert np.ptp(places[:, 1]) == 0
    assert np.ptp(places[:, 0]) > 300
    assert not any("×" in text for text in said)


def test_an_author_may_have_each_axis_stretched() -> None:
    coordinates = flattened(0.1)
    (places,), said = drawn(coordinates, aspect="fill")
    across, up = units(coordinates, places)
    assert factor_in(said, "PC2") == pytest.approx(up / across, rel=0.02)
    assert np.ptp(places[:, 1]) > 900


@pytest.mark.parametrize("share", LEAST_NAMED)
def test_names_stay_near_their_marks_where_words_lie_close_along_one_axis(share: float) -> None:
    coordinates, of = flattened(share), points()
    figure = figures.draw(plate(of, coordinates))
    named = labels(figure, of)
    assert len(named) >= LEAST_NAMED[share]
    pane = framing(extents(coordinates, of.reference), Box(84, 72, 1280, 1140), 1.9 * 19).main
    for text, artist in named.items():
        x, y = pane.places(coordinates[of.words.index(text)][None])[0]
        left, base = artist.get_position()
        assert left - x < WIDE.spacing.reach + 12
        assert abs(base - y) < WIDE.spacing.reach + 30


@given(st.integers(0, 10**6), st.floats(0, 1.5), st.sampled_from([0, 1]))
def test_panes_hold_all_words_and_the_limits_are_theirs(seed: int, share: float, short: int) -> None:
    coordinates = flattened(share, short, seed)
    limits = extents(coordinates, np.ones(116, bool))
    framed = framing(limits, BOX, 30)
    assert (framed.band is not None) == (0 < ratio(limits) < DIVIDED_BELOW)
    for pane in (framed.main, *([framed.band] if framed.band else [])):
        places = pane.places(coordinates)
        assert (places >= np.array(pane.area[:2]) - 1e-6).all()
        assert (places <= np.array(pane.area[2:]) + 1e-6).all()
        (left, right), (low, high) = pane.limits
        corners = pane.places(np.array([[left, low], [right, high]]))
        np.testing.assert_allclose(
            corners, [[pane.area.left, pane.area.bottom], [pane.area.right, pane.area.top]], atol=1e-6
        )
    assert framed.factor >= 1
    if framed.magnified is None:
        assert framed.main.units[0] == framed.main.units[1]
    else:
        assert framed.band
        assert framed.band.units[0] == framed.band.units[1]


def test_a_single_point_lies_in_the_middle() -> None:
    pane = true_pane(((5.0, 5.0), (-3.0, -3.0)), BOX)
    np.testing.assert_allclose(pane.places(np.array([[5.0, -3.0]])), [[370, 320]])
    assert pane.units[0] == pane.units[1] > 0


def test_a_strip_shows_a_flat_cloud_as_a_line() -> None:
    """Its panels are too small to be divided."""
    of = points(n_categories=1)
    coordinates = np.stack([flattened(1.0), flattened(0.05)])
    figure = figures.draw(Strip(form="wide", points=of, coordinates=coordinates))
    places = np.concatenate([np.asarray(each.get_offsets()) for each in marks(figure)])
    first, second = places[: len(places) // 2], places[len(places) // 2 :]
    for panel, share in ((first, 1.0), (second, 0.05)):
        across, up = np.ptp(panel, axis=0)
        assert up / across == pytest.approx(share, abs=0.02)


def test_what_rounding_leaves_of_a_line_is_not_magnified() -> None:
    """Else words whose states lie on a line would be drawn as a cloud, magnified by millions."""
    line = np.linspace(-4, 9, 116, dtype=np.float32)[:, None] * np.ones(2)
    line[:, 1] = np.random.default_rng(0).normal(size=116) * 1e-7
    limits = extents(line, np.ones(116, dtype=bool))
    assert ratio(limits) == 0
    (places,), said = drawn(line)
    assert np.ptp(places[:, 1]) < 1
    assert not any("×" in text for text in said)
    assert ratio(extents(line * [1, 1e3], np.ones(116, dtype=bool))) > 0


def test_plots_drawn_in_pages_have_the_axes_of_images() -> None:
    found = dict(
        re.findall(r"^  const ([A-Z_]+) = ([\d.]+|\[.+\]);$", FRAMING.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name: json.loads(value) for name, value in found.items()} == {
        "MARGINS": list(axes.MARGINS),
        "DIVIDED_BELOW": axes.DIVIDED_BELOW,
        "BAND": axes.BAND,
        "LEAST_FACTOR": axes.LEAST_FACTOR,
    }
