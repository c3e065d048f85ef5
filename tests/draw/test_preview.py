"""The card that other sites show."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_fixture import sample_report
from tokviz.pages.previews import preview_plates

from tokviz.draw import preview
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces


@pytest.fixture
def plates(tmp_path: Path) -> list[Path]:
    """Two plates of one colour each."""
    paths = [tmp_path / "a.webp", tmp_path / "b.webp"]
    for path, color in zip(paths, ("red", "blue"), strict=True):
        Image.new("RGB", (1500, 1200), color).save(path, lossless=True)
    return paths


def pixels(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_two_plates_stand_side_by_side_under_the_title(plates: list[Path]) -> None:
    card = pixels(preview.draw("A title", "and more", plates))
    assert card.shape == (630, 1200, 3)
    assert (card[150:, :600] == (255, 0, 0)).all()
    assert (card[150:, 600:] == (0, 0, 255)).all()
    assert (card[:150] < 100).any()  # the title's ink
    blank = pixels(preview.draw("", "", plates))
    assert (blank[:150] == 255).all()


def test_a_long_subtitle_stands_in_two_lines(plates: list[Path]) -> None:
    said = "At layer 11, two of 1,536 MLP neurons raise the mean norm of the words alone from 156 to 24,621; without it is 236."
    inked = pixels(preview.draw("A title", said, plates))[:150] < 200
    rows = np.flatnonzero(inked.any(axis=(1, 2)))
    assert np.flatnonzero(np.diff(rows) > 1).size == 2, "a title and two lines"
    assert np.flatnonzero(inked.any(axis=(0, 2)))[-1] <= 1160
    one_word = pixels(preview.draw("A title", "word" * 100, plates))
    assert (one_word[:150, 1161:] == 255).all()


def test_a_long_title_ends_before_the_edge(plates: list[Path]) -> None:
    card = pixels(preview.draw("Words " * 60, "", plates))
    inked = np.flatnonzero((card[:150] < 200).any(axis=(0, 2)))
    assert inked[0] >= 38
    assert inked[-1] <= 1160


def test_the_plates_are_those_of_the_break() -> None:
    report = sample_report()
    assert [image.path.rpartition("__")[2] for image in preview_plates(report.models)] == [
        "model.layers.10.webp",
        "model.layers.11.webp",
    ]


def test_without_a_break_they_are_the_embedding_and_the_middle() -> None:
    report = sample_report()
    model = report.models[0]
    contexts = tuple(dataclasses.replace(context, geometry=None) for context in model.contexts)
    report = dataclasses.replace(report, models=(dataclasses.replace(model, contexts=contexts),))
    assert [image.path.rpartition("__")[2] for image in preview_plates(report.models)] == [
        "model.embed_tokens.webp",
        "model.layers.14.webp",
    ]


def test_a_title_that_the_bundled_font_lacks_is_left_out_rather_than_boxed() -> None:
    fonts = Typefaces(Coverage())
    assert fonts.if_drawable("Tokens, layer by layer – ×") == "Tokens, layer by layer – ×"
    assert fonts.if_drawable("層ごと") == ""
