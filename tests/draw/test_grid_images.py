"""What a reader sees in grids, and in pictures of thousands of words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from narrow import present
from picture_fixture import clustered, extents, grid, pixels, plate, points, shades, texts, written

from tokviz.draw import figures
from tokviz.draw.density import landmarks
from tokviz.records import Grid, Strip


@pytest.mark.slow
@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize("n_depths", [1, 7, 31, 400])
def test_a_grid_has_a_panel_for_each_depth_and_fits_webp(form: str, n_depths: int) -> None:
    picture = grid(n_depths, form, points(n_words=12, n_categories=3))
    figure = figures.draw(picture)
    assert figure.bbox.height <= 16_383
    assert set(picture.depths) <= texts(figure).keys()
    boxes = extents(list(texts(figure).values()))
    assert (boxes[:, 2] <= figure.bbox.width).all()
    assert (boxes[:, 3] <= figure.bbox.height).all()


def test_a_grid_shows_where_the_spread_jumps() -> None:
    of = points()
    base = clustered(of)
    picture = grid(4, of=of, coordinates=np.stack([base, base * 1.5, base * 150, base * 160]))
    written = texts(figures.draw(picture))
    assert {"×1.5", "×150", "×160"} <= written.keys()
    bold = {text for text, artist in written.items() if artist.get_fontproperties().get_weight() == "bold"}
    assert {"layer 1", "×150"} <= bold
    assert not {"layer 0", "×1.5", "layer 2", "×160"} & bold


def test_a_depth_that_cannot_be_shown_says_why() -> None:
    coordinates = np.stack([clustered(points(), seed) for seed in range(3)])
    coordinates[0] = np.nan
    picture = grid(3, coordinates=coordinates, problems=("narrower than the layers", None, None))
    said = " ".join(texts(figures.draw(picture)))
    assert "narrower" in said
    assert "nan" not in said


def test_words_that_differ_by_rounding_only_are_not_shown_apart() -> None:
    of = points()
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    coordinates[1] = 3 + np.random.default_rng(0).normal(size=coordinates[1].shape) * 1e-15
    written = texts(figures.draw(grid(3, of=of, coordinates=coordinates)))
    assert "The reference words lie at one point." in " ".join(written)
    assert len([text for text in written if re.fullmatch(r"×\S+", text)]) == 1, "of the last depth"


def test_a_distant_word_does_not_squash_a_panel() -> None:
    of = points(elsewhere=(0,))
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    usual = pixels(figures.draw(grid(3, of=of, coordinates=coordinates)))
    coordinates[1, 0] = (1e7, 1e7)
    moved = pixels(figures.draw(grid(3, of=of, coordinates=coordinates)))
    assert (usual != moved).any(axis=2).mean() < 0.001


# --- thousands of words ----------------------------------------------------------------------------------------------


def test_thousands_of_words_are_shown_by_their_density_with_landmarks_of_every_category() -> None:
    of = points(4000)
    coordinates = clustered(of, tightness=0.6)
    coordinates[17] = 1e6
    figure = figures.draw(plate(of, coordinates))
    (hexagons,) = shades(figure)
    counts = present(hexagons.get_array())
    assert counts.sum() >= 0.99 * 4000
    named = [word for word in written(figure) if word in of.words]
    assert {of.memberships[of.words.index(word)] for word in named} == set(of.memberships)
    assert f"{len(named)} of 4,000 words are named" in " ".join(written(figure))
    assert f"1 to {counts.max():,.0f} words" in written(figure)
    # One word far off doesn't squash the rest.
    assert max(float(text.replace("−", "-")) for text in written(figure) if text.lstrip("−").isdigit()) < 1000


def test_the_same_landmarks_stand_at_every_depth() -> None:
    of = points(4000)
    marked = landmarks(of, 90)
    assert len(marked) == 90
    assert sorted(np.bincount(of.first[marked])) == [10] * 9
    few = points(4000, memberships=tuple((row,) if row < 9 else () for row in range(4000)))
    assert landmarks(few, 90).tolist() == list(range(9))


def test_without_categories_frequent_tokens_that_read_as_words_are_the_landmarks() -> None:
    words = tuple(f" word{'abc'[row % 3]}{'xyz'[row % 7 % 3]}" if row % 2 else f"##{row}" for row in range(6000))
    of = points(6000, words=words, memberships=((),) * 6000, categories=())
    marked = landmarks(of, 50)
    assert len(marked) == 50
    assert all(of.words[row].startswith(" word") and row < 5000 for row in marked)
    coordinates = np.random.default_rng(0).normal(size=(6000, 2))
    for form in ("wide", "phone"):
        figure = figures.draw(plate(of, coordinates, form=form))
        assert len(shades(figure)) == 1
        assert any(text.startswith("word") for text in written(figure))


def test_grids_and_strips_of_thousands_show_densities_too() -> None:
    of = points(4000)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    strip = figures.draw(Strip(form="wide", points=of, coordinates=coordinates))
    assert [present(found.get_array()).sum() for found in shades(strip)] == pytest.approx([4000] * 3, rel=0.02)
    grid = Grid(
        form="wide",
        model="m",
        context="alone",
        points=of,
        depths=("embedding", "layer 0", "layer 1"),
        coordinates=coordinates,
        problems=(None,) * 3,
        explained_variance_ratio=(0.2, 0.1),
    )
    figure = figures.draw(grid)
    assert len(shades(figure)) == 3
    assert any("Shades" in text for text in written(figure))
