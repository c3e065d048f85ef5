"""What a reader sees in strips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.figure import Figure
from picture_fixture import clustered, marks, pixels, points, texts

from tokviz.draw import figures, style
from tokviz.records import Marks, Points, Strip
from tokviz.records.look import DARK_GROUND, SHAPES, contrast


def panel_centres(figure: Figure) -> tuple[np.ndarray, float]:
    """The middles of the panels' frames along x, and their side, read off the pixels."""
    picture = pixels(figure)
    frame = (picture == np.round(np.array(colors.to_rgb(style.HAIRLINE)) * 255)).all(axis=2)
    edges = np.flatnonzero(frame.mean(axis=0) > 0.6)
    left, right = edges[::2], edges[1::2]
    return (left + right + 1) / 2, float((right - left + 1).mean())


def strip_of(n_depths: int, form: str = "wide", of: Points | None = None) -> Strip:
    of = points(n_words=20) if of is None else of
    return Strip(form=form, points=of, coordinates=np.stack([clustered(of, seed) for seed in range(n_depths)]))


@pytest.mark.parametrize(
    ("form", "n_depths", "n_panels"),
    [("wide", n_depths, min(n_depths, 13)) for n_depths in (7, 13, 31, 81)]
    + [("phone", n_depths, min(n_depths, 9)) for n_depths in (7, 13, 31, 81)],
)
def test_panels_of_all_models_stand_on_one_axis_of_depth(form: str, n_depths: int, n_panels: int) -> None:
    figure = figures.draw(strip_of(n_depths, form))
    width = figure.bbox.width
    assert width == pytest.approx({"wide": 2200, "phone": 1074}[form], rel=0.02)
    centres, side = panel_centres(figure)
    pad = 0.044 * width
    assert len(centres) == n_panels
    assert centres[0] == pytest.approx(pad, abs=1)
    assert centres[-1] == pytest.approx(width - pad, abs=1)
    relative = (centres - pad) / (width - 2 * pad) * (n_depths - 1)
    np.testing.assert_allclose(relative, np.linspace(0, n_depths - 1, n_panels), atol=0.04 * n_depths / 7)
    # Equal to the pixel: at any width at which it is shown, its pictures are evenly placed.
    assert len(set(np.diff(centres).tolist())) == 1
    assert side == pytest.approx(min(2 * pad, 132), abs=1)
    assert not texts(figure)


def shown_marks(figure: Figure) -> list[tuple[bytes, int]]:
    """Outline and number of every kind of marks that are larger than dots."""
    found = []
    for collection in marks(figure):
        outlines = collection.get_paths()
        if collection.get_sizes()[0] > 50:
            n_marks = np.isfinite(np.asarray(collection.get_offsets())).all(axis=1).sum() // len(outlines)
            found += [(np.asarray(outline.vertices).tobytes(), int(n_marks)) for outline in outlines]
    return found


@pytest.mark.parametrize(
    ("n_depths", "form", "n_marks"),
    [(7, "wide", 7 * 13), (13, "wide", 13 * 13), (31, "wide", 13 * 13), (31, "phone", 9)],
)
def test_categories_have_their_shapes(n_depths: int, form: str, n_marks: int) -> None:
    """Every word its own where there is space for it; else one large mark of each category in each panel."""
    of = points(n_words=117)
    found = shown_marks(figures.draw(strip_of(n_depths, form, of)))
    assert [outline for outline, _ in found] == [
        np.asarray(style.outline(shape).vertices).tobytes() for shape in list(SHAPES)[:9]
    ]
    assert sum(number for _, number in found) == pytest.approx(9 * n_marks, rel=0.02)


def test_a_large_mark_stands_at_the_middle_word_of_its_category() -> None:
    of = points(n_words=5, n_categories=1)
    coordinates = np.array([[0.0, 0], [0, 1], [1, 0], [10, 10], [0.2, 0.3]])
    figure = figures.draw(Strip(form="phone", points=of, coordinates=np.stack([coordinates] * 31)))
    dots, large = (np.asarray(each.get_offsets()).reshape(9, -1, 2) for each in marks(figure))
    np.testing.assert_array_equal(large[:, 0], dots[:, 4])


@pytest.mark.parametrize("n_depths", [7, 13])
def test_words_without_a_category_are_dots(n_depths: int) -> None:
    of = points(n_words=3, memberships=((), (), ()), categories=())
    coordinates = np.random.default_rng(0).normal(size=(n_depths, 3, 2))
    figure = figures.draw(Strip(form="wide", points=of, coordinates=coordinates))
    assert sum(len(np.asarray(each.get_offsets())) for each in marks(figure)) == 3 * n_depths


@pytest.mark.parametrize(("n_depths", "form"), [(7, "wide"), (31, "phone")])
@pytest.mark.parametrize("looks", [Marks(), Marks(palette=("#101060", "#e69f00"))], ids=["default", "own"])
def test_on_the_dark_ground_everything_has_its_place_and_the_dark_colors(
    n_depths: int, form: str, looks: Marks
) -> None:
    of = points(n_words=117, marks=looks)
    light, dark = (figures.draw(replace(strip_of(n_depths, form, of), dark=each)) for each in (False, True))
    assert [np.asarray(each.get_offsets()).tolist() for each in marks(dark)] == [
        np.asarray(each.get_offsets()).tolist() for each in marks(light)
    ]
    assert dark.bbox.bounds == light.bbox.bounds
    faces = {colors.to_hex(face) for each in marks(dark) for face in np.asarray(each.get_facecolor())}
    assert faces == {looks.dark_colors(category)[0] for category in range(9)}
    edges = {colors.to_hex(edge) for each in marks(dark) for edge in np.asarray(each.get_edgecolor())}
    assert edges <= {DARK_GROUND, *faces}
    picture = pixels(dark)
    assert (picture == bytes_of(DARK_GROUND)).all(axis=2).mean() > 0.5
    assert (picture.min(axis=2) < 250).all(), "nothing is white"


def bytes_of(color: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(color[1:]), dtype=np.uint8)


def test_thousands_of_words_and_words_without_a_category_stand_out_on_the_dark_ground() -> None:
    coordinates = np.random.default_rng(0).normal(size=(3, 4000, 2))
    for n_words in (20, 4000):
        of = points(n_words=n_words, memberships=((),) * n_words, categories=())
        seen = pixels(figures.draw(Strip(form="wide", points=of, coordinates=coordinates[:, :n_words], dark=True)))
        brightest = seen.reshape(-1, 3)[seen.sum(axis=2).argmax()]
        assert contrast(f"#{bytes(brightest.tolist()).hex()}", DARK_GROUND) > 4.5


def test_a_strip_leaves_depths_without_coordinates_empty() -> None:
    of = points(n_words=20)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    coordinates[1] = np.nan
    figure = figures.draw(Strip(form="phone", points=of, coordinates=coordinates))
    assert len(panel_centres(figure)[0]) == 3
