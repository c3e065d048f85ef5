"""An author's own colours, shapes, size and font in pictures."""

from __future__ import annotations

import math
from pathlib import Path

import made_fonts
import numpy as np
import picture_fixture
import pytest
from matplotlib.figure import Figure
from picture_fixture import clustered, grid, labels, pixels, plate, points, texts

from tokviz.draw import draw_image, encode, figures, on_axes
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError
from tokviz.records import Look, Marks, Picture, Strip
from tokviz.records.look import PALETTE, contrast
from tokviz.run.store import keys

OWN = Marks(palette=("#e69f00", "#56b4e9", "#009e73"), shapes=("star", "circle"))
LIGHT = "#f0e442"


def seen(drawn: np.ndarray, color: str) -> int:
    """How many pixels have exactly this colour."""
    rgb = np.frombuffer(bytes.fromhex(color[1:]), np.uint8)
    return int((drawn == rgb).all(axis=2).sum())


def pictures(marks: Marks) -> list[Picture]:
    of = points(n_words=60, n_categories=6, marks=marks)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    return [
        *(plate(of, form=form) for form in ("wide", "phone")),
        plate(of, form="draft", labelled=False),
        *(grid(3, form, of) for form in ("wide", "phone")),
        *(Strip(form=form, points=of, coordinates=coordinates) for form in ("wide", "phone")),
    ]


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("index", range(7))
def test_every_picture_has_the_colors_that_were_chosen_and_no_other(index: int) -> None:
    drawn = pixels(figures.draw(pictures(OWN)[index]))
    assert all(seen(drawn, color) > 30 for color in OWN.palette)
    assert not any(seen(drawn, color) for color in PALETTE)


@pytest.mark.thorough
@pytest.mark.slow
def test_the_encoded_image_has_them() -> None:
    figure = figures.draw(pictures(OWN)[0])
    kept = encode.few_colors(encode.render(figure))[..., :3]
    assert all(seen(kept, color) for color in OWN.palette)
    drawing = draw_image(plate(points(n_categories=6, marks=OWN), form="svg")).decode()
    assert all(color in drawing for color in OWN.palette)


def test_names_in_a_light_color_are_darkened_until_they_can_be_read() -> None:
    of = points(n_words=12, n_categories=1, marks=Marks(palette=(LIGHT,)))
    figure = figures.draw(plate(of))
    [color] = {str(artist.get_color()) for artist in labels(figure, of).values()}
    assert contrast(color, "#ffffff") >= 4.5
    assert seen(pixels(figure), LIGHT) > 100


def test_marks_have_the_shapes_that_were_chosen() -> None:
    def ink(marks: Marks) -> np.ndarray:
        of = points(n_words=1, n_categories=1, marks=marks)
        area = pixels(figures.draw(plate(of, np.zeros((1, 2)), labelled=False)))[90:1130, 90:1270]
        return np.asarray(area.min(axis=2) < 128)

    star, again, square = (ink(Marks(palette=("#000000",), shapes=(shape,))) for shape in ("star", "star", "square"))
    assert (star == again).all()
    assert (star != square).sum() > 10


@pytest.mark.parametrize(("n_hues", "n_shapes"), [(5, 10), (4, 6), (3, 3), (1, 10), (9, 10)])
def test_no_pair_of_color_and_shape_recurs_before_all_were_used(n_hues: int, n_shapes: int) -> None:
    marks = Marks(palette=tuple(f"#{index:06x}" for index in range(n_hues)), shapes=Marks().shapes[:n_shapes])
    pairs = [(marks.hue(category), marks.shape(category)) for category in range(2 * marks.n_different)]
    assert len(set(pairs[: n_hues * n_shapes])) == n_hues * n_shapes
    assert pairs[n_hues * n_shapes :] == pairs[: n_hues * n_shapes]


@pytest.mark.parametrize("size", [(1600, 900), (750, 750), (2999, 1501), (1333, 777), (3000, 1500)])
def test_a_plate_has_the_size_that_was_chosen_and_text_grows_with_it(size: tuple[int, int]) -> None:
    of = points()
    figure = figures.draw(plate(of, size=size))
    height, width, _ = pixels(figure).shape
    assert (width, height) == size
    [text] = {float(artist.get_fontsize()) * figure.dpi / 72 for artist in labels(figure, of).values()}
    assert text * 711 / width == pytest.approx(9, abs=0.05), "on a page, a plate 711 pixels wide has words of 9"
    shown = encode.render(figure)[..., :3].min(axis=2) < 200
    assert shown[-round(0.06 * width) :].any(), "it is filled to its foot"


def test_many_categories_have_their_names_on_a_low_plate() -> None:
    of = points(n_words=120, n_categories=30, categories=tuple(f"A{index}" for index in range(30)))
    figure = figures.draw(plate(of, size=(1500, 750)))
    shown = texts(figure)
    places = np.array([shown[label].get_position() for label in of.categories])
    sizes = {float(shown[label].get_fontsize()) for label in of.categories}
    assert min(sizes) > 18, "in two columns"
    assert places[:, 1].max() < 750 - 60


def test_axes_of_a_notebook_have_colors_and_shapes_too() -> None:
    axes = Figure().add_subplot()
    on_axes.draw(axes, plate(points(n_categories=3, marks=OWN)), names=False)
    faces = [tuple(np.asarray(each.get_facecolor())[0, :3].tolist()) for each in axes.collections]
    assert faces == [tuple(channel / 255 for channel in bytes.fromhex(color[1:])) for color in OWN.palette]
    outlines = [np.asarray(each.get_paths()[0].vertices).tobytes() for each in axes.collections]
    assert outlines[0] == outlines[2] != outlines[1]


# --- a font --------------------------------------------------------------------------------------------------------


def test_an_own_font_draws_what_it_has_and_leaves_the_rest_to_others(tmp_path: Path) -> None:
    font = made_fonts.put(tmp_path, "Boxes.ttf", "abc", width=3000)
    fonts = Typefaces(Coverage(), [], own=font)
    shown = fonts.with_fonts(plate(points(n_words=2, n_categories=1, words=("abc", "xyz"))))
    assert not isinstance(shown, Strip)
    bundled = plate(points(n_words=2, n_categories=1, words=("abc", "xyz")))
    own = _widths(figures.draw(shown), shown)
    without = _widths(figures.draw(bundled), bundled)
    assert own["abc"] > 4 * without["abc"]
    assert own["xyz"] == without["xyz"]


def _widths(figure: Figure, of: Picture) -> dict[str, float]:
    assert not isinstance(of, Strip)
    return {
        text: float(np.ptp(picture_fixture.extents([artist])[0][[0, 2]]))
        for text, artist in labels(figure, of.points).items()
    }


def test_what_only_the_own_font_has_is_not_missed(tmp_path: Path) -> None:
    font = made_fonts.put(tmp_path, "Boxes.ttf", "\u6f22")
    assert Typefaces(Coverage(), [], own=font).missing(["\u6f22 a"]) == frozenset()
    assert Typefaces(Coverage(), []).missing(["\u6f22 a"]) == {0x6F22}


def test_a_font_that_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.ttf"
    damaged.write_bytes(b"\x00\x01\x00\x00" + bytes(40))
    for font in (damaged, made_fonts.put(tmp_path, "Colored.ttf", "a", colored=True)):
        with pytest.raises(TokvizError, match=r"\.ttf: expected a font of outlines .*; name another"):
            Typefaces(Coverage(), own=font)


def test_a_picture_s_key_knows_what_was_chosen(tmp_path: Path) -> None:
    font = made_fonts.put(tmp_path, "Boxes.ttf", "abc")
    of = points(marks=OWN)
    own = Typefaces(Coverage(), [], own=font).with_fonts(plate())
    found = [keys.picture_key(each) for each in (plate(), plate(of), plate(size=(1600, 900)), own)]
    assert len(set(found)) == 4
    assert keys.picture_key(plate(points(marks=Look().marks))) == found[0]


def test_sizes_are_of_the_shape_that_was_asked_for() -> None:
    drawing = draw_image(plate(form="svg", size=(1600, 900))).decode()
    width, height = (float(drawing.split(f'{name}="')[1].split('"')[0]) for name in ("width", "height"))
    assert math.isclose(width / height, 16 / 9, rel_tol=1e-6)
