"""What a reader sees in heat maps of words and layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import colors
from picture_fixture import pixels, points, texts

from tokviz.draw import draw_image, encode, figures, heat_map
from tokviz.records import HeatMap, Points


def heat_map_of(n_depths: int = 31, of: Points | None = None, **changes: Any) -> HeatMap:
    """Counts that differ from word to word and change at one depth."""
    of = points() if of is None else of
    random = np.random.default_rng(2)
    values = random.integers(0, 6, len(of.words)) + np.zeros((n_depths, 1), dtype=int)
    values[n_depths // 2 :] = random.integers(0, 6, len(of.words))
    first = of.first
    means = np.array([values[:, first == category].mean(axis=1) for category in range(len(of.categories))])
    fields = {
        "form": "wide",
        "model": "SmolLM2-135M-Instruct (Q4_1 GGUF)",
        "context": "alone",
        "points": of,
        "values": values.astype(np.int16),
        "means": means,
        "most": 5,
        "unit": "of 5 nearest words in its category",
        "stages": (0, n_depths // 2),
        "mark": n_depths // 2,
        "with_words": True,
    }
    return HeatMap(**{**fields, **changes})


def n_pixels(picture: HeatMap, color: str) -> int:
    wanted = np.round(np.array(colors.to_rgb(color)) * 255)
    return int((pixels(figures.draw(picture)) == wanted).all(axis=2).sum())


def test_a_heat_map_is_light_and_names_categories_depths_and_the_scale() -> None:
    picture = heat_map_of()
    width, height = encode.size(draw_image(picture))
    assert width == 1040
    assert height == pytest.approx(1540, abs=60)
    assert len(draw_image(picture)) <= 30_000
    written = set(texts(figures.draw(picture)))
    assert {*picture.points.categories, "embedding", "layer 29", "massive from layer 14", "1", "2"} <= written
    assert f"5 {picture.unit}" in written


def test_a_cell_is_as_dark_as_its_count() -> None:
    shades = [heat_map.shade(value, 5) for value in range(6)]
    lightness = [sum(colors.to_rgb(shade)) for shade in shades]
    assert lightness == sorted(lightness, reverse=True)
    assert (np.diff(lightness) < -0.2).all()
    full = np.full((31, 116), 5, dtype=np.int16)
    every = heat_map_of(values=full, means=np.full((9, 31), 5.0))
    nothing = heat_map_of(values=np.full_like(full, -1), means=np.full((9, 31), np.nan))
    assert n_pixels(every, shades[5]) > 700 * 116 * 9
    assert n_pixels(nothing, shades[5]) < 1500, "in the scale only"
    none = heat_map_of(values=np.zeros_like(full), means=np.zeros((9, 31)))
    assert n_pixels(nothing, shades[0]) < n_pixels(none, shades[0]) / 3, "what isn't known isn't none"


def test_many_words_leave_categories_alone() -> None:
    of = points(n_words=600, n_categories=12)
    picture = heat_map_of(of=of, with_words=False)
    _, height = encode.size(draw_image(picture))
    assert height < 800
    with_words = encode.size(draw_image(heat_map_of(of=points(n_words=400))))
    assert with_words[1] < 2000


def test_one_depth_has_one_name() -> None:
    written = list(texts(figures.draw(heat_map_of(1, stages=(0,), mark=None))))
    assert "embedding" in written
    assert not any(text.startswith("layer") for text in written)


def test_a_form_that_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of wide"):
        figures.draw(heat_map_of(form="phone"))
