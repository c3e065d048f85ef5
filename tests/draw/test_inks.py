"""Colors and shapes that tell categories apart, and text that can be read."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib import colors
from picture_fixture import grid, pixels, plate, points, texts

from tokviz.draw import encode, figures, style
from tokviz.draw import grid as grids
from tokviz.draw import plate_form as plates
from tokviz.records import Grid, Marks, Plate
from tokviz.records.look import DARK_GROUND, DARK_PALETTE, PALETTE

MARKS = Marks()


def contrast(color: str, ground: str) -> float:
    def luminance(of: str) -> float:
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(of)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    dark, light = sorted((luminance(color), luminance(ground)))
    return light / dark


def test_marks_and_text_stand_out_on_their_ground() -> None:
    """Images are on white, in the dark, too; what pages and strips draw there is on a dark ground."""
    for color in [style.INK, style.QUIET_INK, *(MARKS.name_color(category) for category in range(90))]:
        assert contrast(color, style.PAPER) >= 4.5
    for category in range(90):
        assert contrast(MARKS.hue(category), style.PAPER) >= 3
        assert min(contrast(color, DARK_GROUND) for color in MARKS.dark_colors(category)) >= 4.5


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("n_categories", [9, 60])
def test_few_colors_leave_text_its_own(n_categories: int) -> None:
    figure = figures.draw(plate(points(n_words=120, n_categories=n_categories)))
    kept = {tuple(color) for color in encode.few_colors(encode.render(figure))[..., :3].reshape(-1, 3).tolist()}
    names = [np.array(colors.to_rgb(MARKS.name_color(category))) * 255 for category in range(9)]
    assert {tuple(name.round().astype(int).tolist()) for name in names} <= kept


def test_ninety_categories_differ_in_hue_or_shape() -> None:
    pairs = {
        (MARKS.hue(index), np.asarray(style.outline(MARKS.shape(index)).vertices).round(6).tobytes())
        for index in range(90)
    }
    assert len(pairs) == 90


# Full dichromacy, Machado et al. 2009, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def oklab(palette: tuple[str, ...], sight: str = "normal") -> np.ndarray:
    """Colours in OKLab as an eye sees them, ``(n_colors, 3)``."""
    rgb = np.array([colors.to_rgb(color) for color in palette])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(SIGHTS[sight]).T, 0, 1)
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    opponents = np.array([[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]])
    lab: np.ndarray = np.cbrt(seen @ cones.T) @ opponents.T
    return lab


@pytest.mark.parametrize("palette", [PALETTE, DARK_PALETTE], ids=["light", "dark"])
@pytest.mark.parametrize(("sight", "least"), [("normal", 0.15), ("protan", 0.1), ("deutan", 0.1), ("tritan", 0.1)])
def test_hues_are_told_apart_by_all_eyes(sight: str, least: float, palette: tuple[str, ...]) -> None:
    nearest = min(np.linalg.norm(one - other) for one, other in combinations(oklab(palette, sight), 2))
    assert nearest > least


def test_a_category_has_one_hue_on_either_ground() -> None:
    """A light sheet may stand beside a plot on the dark ground."""
    light, dark = (np.arctan2(lab[:, 2], lab[:, 1]) for lab in (oklab(PALETTE), oklab(DARK_PALETTE)))
    assert np.degrees(np.abs(np.angle(np.exp(1j * (light - dark))))).max() < 25


def test_marks_have_equal_weight() -> None:
    def ink(category: int) -> int:
        of = points(n_words=1, n_categories=10, memberships=((category,),))
        picture = pixels(figures.draw(plate(of, np.zeros((1, 2)), labelled=False)))[90:1130, 90:1270]
        return int((255 - picture.min(axis=2).astype(int)).sum() / (255 - min(_rgb(category))))

    inks = [ink(category) for category in range(10)]
    assert max(inks) / min(inks) < 1.45


def _rgb(category: int) -> list[float]:
    return [channel * 255 for channel in colors.to_rgb(MARKS.hue(category))]


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_no_text_is_smaller_than_its_form_says(form: str) -> None:
    pictures: list[tuple[Plate | Grid, float]] = [
        (plate(form=form), plates.FORMS[form].smallest_text),
        (grid(form=form), grids.FORMS[form].smallest_text),
    ]
    for picture, smallest in pictures:
        figure = figures.draw(picture)
        assert min(float(artist.get_fontsize()) * figure.dpi / 72 for artist in texts(figure).values()) == smallest
