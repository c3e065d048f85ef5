"""Plots one after the other, in one file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tokviz.draw import draw_animation
from tokviz.draw.animation import LAST_SECONDS, SECONDS
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.records import Animation

SIZE = (716, 1000)
HUES = [(41, 46, 176), (148, 0, 16), (20, 137, 119), (228, 84, 179)]
ENDINGS = (".gif", ".webp")
AMPLE = 10_000_000


@pytest.fixture
def plots(tmp_path: Path) -> tuple[Path, ...]:
    """Four, each with a square of its own hue on white."""
    files = []
    for index, hue in enumerate(HUES):
        pixels = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
        pixels[100 + 100 * index : 200 + 100 * index, 200:500] = hue
        files.append(tmp_path / f"{index}.webp")
        Image.fromarray(pixels).save(files[-1], lossless=True)
    return tuple(files)


@pytest.fixture
def noise(tmp_path: Path) -> tuple[Path, ...]:
    """Three that can't be made light."""
    random = np.random.default_rng(0)
    some = random.integers(0, 256, (300, 3), np.uint8)
    files = []
    for index in range(3):
        files.append(tmp_path / f"noise{index}.webp")
        Image.fromarray(some[random.integers(0, 300, (SIZE[1] // 4, SIZE[0] // 4))]).save(files[-1], lossless=True)
    return tuple(files)


def animation(files: tuple[Path, ...], **changes: Any) -> Animation:
    values = {
        "files": files,
        "depths": tuple(range(len(files))),
        "n_depths": len(files),
        "how": "Standardized PCA.",
        "source": "Tokens, layer by layer",
        "address": "you.github.io/report",
    }
    return Animation(**{**values, **changes})


def n_frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def frames(data: bytes | None) -> list[np.ndarray]:
    assert data is not None
    with Image.open(BytesIO(data)) as image:
        shown = []
        for index in range(n_frames(image)):
            image.seek(index)
            shown.append(np.asarray(image.convert("RGB")))
        return shown


def test_what_was_found_stands_above_the_plots_in_whole_words(plots: tuple[Path, ...]) -> None:
    without, short, long = (
        frames(draw_animation(animation(plots, headline=headline), ".webp", AMPLE))[0]
        for headline in ("", "Words cluster.", "Words of a category lie next to each other " * 3)
    )
    added = [len(each) - len(without) for each in (short, long)]
    assert 0 < added[0] < added[1]
    for frame, height in zip((short, long), added, strict=True):
        assert (frame[height:] == without).mean() > 0.99  # the rest stays
        assert (frame[:height] < 128).any()
        assert (frame[:height, -15:] > 250).all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_plot_is_a_frame_in_its_own_colors(plots: tuple[Path, ...], ending: str) -> None:
    shown = frames(draw_animation(animation(plots), ending, AMPLE))
    assert len(shown) == len(plots)
    for index, (frame, file) in enumerate(zip(shown, plots, strict=True)):
        with Image.open(file) as plot:
            assert np.array_equal(frame[: SIZE[1]], np.asarray(plot.convert("RGB"))), index


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_begins_again_and_rests_on_the_last_layer(plots: tuple[Path, ...], ending: str) -> None:
    data = draw_animation(animation(plots), ending, AMPLE)
    assert data is not None
    durations = []
    with Image.open(BytesIO(data)) as image:
        assert image.info["loop"] == 0
        for index in range(n_frames(image)):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
    assert durations == [round(1000 * SECONDS)] * 3 + [round(1000 * LAST_SECONDS)]


@pytest.mark.slow
def test_below_each_plot_are_a_bar_and_the_source(plots: tuple[Path, ...]) -> None:
    made = animation(plots, depths=(2, 3, 4, 9), n_depths=10)
    feet = [frame[SIZE[1] :] for frame in frames(draw_animation(made, ".gif", AMPLE))]
    dark = [(foot[2] < 100).all(axis=1).sum() for foot in feet]
    assert np.allclose(np.array(dark) / dark[-1], [0.3, 0.4, 0.5, 1.0], atol=0.01)
    text = feet[0][10:]
    assert all(np.array_equal(text, foot[10:]) for foot in feet), "nothing else moves"
    for other in ({"source": "Another"}, {"address": ""}, {"how": "Centered PCA."}):
        changed = frames(draw_animation(animation(plots, **other), ".gif", AMPLE))[0][SIZE[1] + 10 :]
        assert not np.array_equal(changed, text), other
    long = animation(plots, source="word " * 60, address="a" * 300, how="how " * 90)
    shown = frames(draw_animation(long, ".gif", AMPLE))[0][SIZE[1] + 10 :]
    assert (shown[:, -10:] == 255).all()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_too_heavy_has_fewer_colors_then_pixels(noise: tuple[Path, ...], ending: str) -> None:
    made = animation(noise)
    whole = draw_animation(made, ending, AMPLE)
    assert whole is not None
    lighter = draw_animation(made, ending, len(whole) - 1)
    assert lighter is not None
    assert len(lighter) < len(whole)
    # Numbers are sorted much faster than rows.
    n_colors = [len(np.unique(frames(data)[0] @ np.array([1, 256, 65536]))) for data in (whole, lighter)]
    assert n_colors[1] < n_colors[0]
    assert frames(lighter)[0].shape == frames(whole)[0].shape
    small = draw_animation(made, ending, len(whole) // 3)
    assert small is not None
    assert len(small) <= len(whole) // 3
    assert frames(small)[0].shape[1] < frames(whole)[0].shape[1]
    assert draw_animation(made, ending, 1000) is None


def test_a_plot_of_another_size_is_fitted(plots: tuple[Path, ...], tmp_path: Path) -> None:
    """A site may hold forms of several sizes, where one is missing."""
    Image.new("RGB", (640, 480), "white").save(tmp_path / "draft.webp", lossless=True)
    shown = frames(draw_animation(animation((*plots, tmp_path / "draft.webp")), ".gif", AMPLE))
    assert {frame.shape for frame in shown} == {shown[0].shape}


def test_what_no_font_has_is_written_as_code_points(plots: tuple[Path, ...]) -> None:
    made = Typefaces(Coverage(), folders=[]).with_fonts_for_animation(animation(plots, source="層"))
    assert made.source == "⟨U+5C64⟩"
    assert made.address == "you.github.io/report"
