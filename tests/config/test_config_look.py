"""``palette``, ``markers``, ``plate_size`` and ``font``: what an author may choose, and what is said of what can't be."""

from __future__ import annotations

import os
from pathlib import Path

import made_fonts
import pytest

from tokviz.config import ReportConfig, load
from tokviz.errors import ConfigError

REST = '[words]\nmonths = ["May", "June"]\n[[models]]\nsource = "org/name"\n'


def loaded(folder: Path, text: str) -> ReportConfig:
    (folder / "report.toml").write_text(text + "\n" + REST, encoding="utf-8")
    return load(folder / "report.toml")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return str(caught.value).replace(f"{folder}{os.sep}", "")


def test_colors_are_taken_in_either_length_and_case(tmp_path: Path) -> None:
    marks = loaded(tmp_path, 'palette = ["#E69F00", "#08f"]\nmarkers = ["star", "circle"]').look.marks
    assert marks.palette == ("#e69f00", "#0088ff")
    assert marks.shapes == ("star", "circle")


def test_without_a_word_of_them_nothing_is_chosen(tmp_path: Path) -> None:
    look = loaded(tmp_path, "").look
    assert (len(look.marks.palette), len(look.marks.shapes)) == (9, 10)
    assert (look.plate_size, look.font) == ((1500, 1200), None)


KNOWN = "'circle', 'square', 'triangle', 'diamond', 'triangle_down', 'plus', 'star', 'cross', 'triangle_left' or 'triangle_right'"
SIZE = "expected width and height in pixels, the width 750 or more and once to twice the height, such as [1500, 1000], got "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('palette = ["red"]', "palette.0: expected a color such as '#21319d', got 'red'"),
        ('palette = ["#21319d", "#12345"]', "palette.1: expected a color such as '#21319d', got '#12345'"),
        ('palette = "#21319d"', "palette: expected a list, got '#21319d'"),
        ("palette = []", "palette: expected at least one entry, got 0: []"),
        (
            'palette = ["#fefefe"]',
            "palette.0: expected a color whose marks can be seen on white, got '#fefefe'; take a darker one",
        ),
        ('markers = ["star", "heart"]', f"markers.1: expected {KNOWN}, got 'heart'"),
        ("plate_size = [1500]", "plate_size: expected at least 2 entries, got 1: [1500]"),
        ("plate_size = [1500, 2000]", f"plate_size: {SIZE}[1500, 2000]"),
        ("plate_size = [1500, 700]", f"plate_size: {SIZE}[1500, 700]"),
        ("plate_size = [600, 500]", f"plate_size: {SIZE}[600, 500]"),
        ("plate_size = [4000, 3000]", "plate_size.0: expected at most 3,000, got 4000"),
        ('aspect = "square"', "aspect: expected 'equal' or 'fill', got 'square'"),
        ("plate_size = [1500.0, 1200]", "plate_size.0: expected a whole number, got 1500.0"),
        ('font = "mine.ttf"', "font: mine.ttf: expected a .ttf or .otf file, found none; create it or name another"),
        (
            'font = "report.toml"',
            "font: report.toml: expected a TrueType or OpenType font, a .ttf or .otf file, got another kind of file",
        ),
        (
            'font = "text.ttf"',
            "font: text.ttf: expected a TrueType or OpenType font, a .ttf or .otf file, got another kind of file",
        ),
        ('font = "heavy.ttf"', "font: heavy.ttf: expected a file of at most 2 MB, got 2.5 MB"),
        ('font = "."', "font: .: expected a file, got a folder"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "text.ttf").write_text("no font", encoding="utf-8")
    (tmp_path / "heavy.ttf").write_bytes(bytes(2_500_000))
    assert refusal(tmp_path, text).replace(f"{tmp_path}", ".") == f"report.toml:1: {said}"


def test_a_font_is_a_file_of_the_report(tmp_path: Path) -> None:
    """So that no run replaces it."""
    made_fonts.put(tmp_path, "Mine.TTF", "abc")
    config = loaded(tmp_path, 'font = "Mine.TTF"')
    assert config.font_file in config.files
    assert config.look.font == "assets/fonts/own.ttf"
