"""The table of CONTRIBUTING that leads from a page back to its source names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("templates", "tokviz/pages", "tokviz/pages/catalogue", "tokviz/records", "tokviz")
"""Of the table's columns but the first."""


def named() -> list[tuple[str, str]]:
    """Each column's folder, and what stands in it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("### From a page back to its source")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|")[1:] for line in table.splitlines() if line.startswith("| ")][1:]
    return [
        (folder, each)
        for row in rows
        for folder, cell in zip(FOLDERS, row, strict=True)
        for each in re.findall(r"`([^`]+)`", cell)
        if "/" in each or "." in each
    ]


@pytest.mark.parametrize(("folder", "each"), named())
def test_what_a_page_comes_from_exists(folder: str, each: str) -> None:
    path, _, name = each.partition(":")
    places = [ROOT / folder / path, ROOT / "tokviz" / "pages" / path]
    found = next((place for place in places if place.exists()), None)
    assert found is not None, each
    if name:
        assert re.search(rf"^(?:def|class) {name}\b|^{name}\b", found.read_text(encoding="utf-8"), re.MULTILINE), each


def test_the_table_is_read() -> None:
    assert len(named()) > 50


PACKAGE = ROOT / "tokviz"
WITHOUT_A_MAKER = {"__init__", "axes", "fields", "look", "student"}
"""Files of ``records`` whose classes are settings or helpers: nothing computes them."""


@pytest.mark.parametrize("path", sorted((PACKAGE / "records").glob("*.py")), ids=lambda path: path.stem)
def test_a_record_says_who_makes_it_and_what_shows_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = text.split('"""')[1]
    named = re.findall(r"``(\w+/[\w/]*(?:\.py)?)``", docstring)
    assert [each for each in named if not (PACKAGE / each).exists()] == []
    assert bool(named) == (path.stem not in WITHOUT_A_MAKER)
    made_in, _, _ = re.sub(r" \(.*?\)", "", docstring.partition("\n\n")[2].partition("\n")[0]).partition(";")
    classes = "|".join(re.findall(r"^class (\w+)", text, re.MULTILINE))
    for each in re.findall(r"``([\w/]+\.py)``", made_in):
        assert re.search(rf"\b(?:{classes})\(", (PACKAGE / each).read_text(encoding="utf-8")), each
