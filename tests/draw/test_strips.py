"""What a reader sees in strips."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.figure import Figure
from picture_fixture import clustered, pixels, points, texts

from tokviz.draw import figures, style
from tokviz.records import Strip


def panel_centres(figure: Figure) -> tuple[np.ndarray, float]:
    """The middles of the panels' frames along x, and their side, read off the pixels."""
    picture = pixels(figure)
    frame = (picture == np.round(np.array(colors.to_rgb(style.HAIRLINE)) * 255)).all(axis=2)
    edges = np.flatnonzero(frame.mean(axis=0) > 0.6)
    left, right = edges[::2], edges[1::2]
    return (left + right + 1) / 2, float((right - left + 1).mean())


@pytest.mark.parametrize(
    ("form", "n_depths", "n_panels", "width"),
    [
        ("wide", 31, 31, 2200),
        ("wide", 7, 7, 2200),
        ("wide", 121, 60, 2200),
        ("phone", 31, 9, 1074),
        ("phone", 7, 7, 1074),
    ],
)
def test_panels_of_all_models_stand_on_one_axis_of_depth(form: str, n_depths: int, n_panels: int, width: int) -> None:
    of = points(n_words=20)
    figure = figures.draw(
        Strip(form=form, points=of, coordinates=np.stack([clustered(of, s) for s in range(n_depths)]))
    )
    assert figure.bbox.width == width
    centres, side = panel_centres(figure)
    pad = 0.044 * width
    assert len(centres) == n_panels
    assert centres[0] == pytest.approx(pad, abs=1)
    assert centres[-1] == pytest.approx(width - pad, abs=1)
    relative = (centres - pad) / (width - 2 * pad) * (n_depths - 1)
    shown = np.linspace(0, n_depths - 1, n_panels)
    np.testing.assert_allclose(relative, shown, atol=0.04 * n_depths / 7)
    np.testing.assert_allclose(np.diff(centres), np.diff(centres).mean(), atol=1.5)
    assert side == pytest.approx(min(2 * pad, 0.94 * (width - 2 * pad) / (n_panels - 1)), abs=1)
    assert not texts(figure)


def test_a_strip_leaves_depths_without_coordinates_empty() -> None:
    of = points(n_words=20)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    coordinates[1] = np.nan
    figure = figures.draw(Strip(form="phone", points=of, coordinates=coordinates))
    assert len(panel_centres(figure)[0]) == 3
