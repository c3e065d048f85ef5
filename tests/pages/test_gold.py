"""Every page of a tiny report is as it was when somebody last looked: a change of templates or wording shows as a diff."""

from __future__ import annotations

import re
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import pytest
from report_fixture import FOLDERS, tiny_report

from tokviz import pages
from tokviz.pages import render

ROOT = Path(__file__).parents[2]
GOLD = Path(__file__).parent / "gold"
MOST_LINES = 60
"""Of a difference that is shown; git shows all of it after the update."""


def normalised(text: str) -> str:
    """A tag or a JSON object per line where they touch, so that differences are short; no indentation, no empty lines."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(re.sub(r"(>|[\]}],)( ?)(?=<|[{\"])", r"\1\n\2", line) + "\n" for line in lines if line)


PAGES = {path: normalised(text) for path, text in render.render(pages.build(tiny_report()), FOLDERS).items()}


@pytest.fixture(scope="module", autouse=True)
def updated(pytestconfig: pytest.Config) -> None:
    """With ``--update-gold`` the pages as they are now become the expected ones."""
    if pytestconfig.getoption("update_gold"):
        for stale in set(GOLD.rglob("*.*")) - {GOLD / path for path in PAGES}:
            stale.unlink()
        for path, text in PAGES.items():
            (GOLD / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLD / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_as_expected(path: str) -> None:
    file = GOLD / path
    name = file.relative_to(ROOT).as_posix()
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    if PAGES[path] != expected:
        difference = unified_diff(
            expected.splitlines(), PAGES[path].splitlines(), name, "the page now", n=1, lineterm=""
        )
        shown = "\n".join(islice(difference, MOST_LINES))
        pytest.fail(
            f"{name}: the page differs; when that is intended: make gold, and commit it\n{shown}", pytrace=False
        )


def test_no_expected_page_is_missing_from_the_site() -> None:
    expected = {file.relative_to(GOLD).as_posix() for file in GOLD.rglob("*.*")}
    assert expected <= set(PAGES), "when that is intended: make gold, and commit it"
