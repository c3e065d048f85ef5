"""What readers add to charts: hidden at first, and there by a switch, without scripts and in print."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import OpenPage, expect_accessible
from controls_fixture import controlled_report
from playwright.sync_api import Page
from report_fixture import write_site

PAGES = {"models/smol-30/index.html": ("raw", "changed", "untrained"), "compare/index.html": ("untrained",)}


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(controlled_report(), tmp_path_factory.mktemp("controlled"))


def shown(page: Page, names: tuple[str, ...]) -> list[str]:
    """Of which switches there are curves to be seen."""
    return [name for name in names if page.locator(f".chart:visible .switch-{name}").first.is_visible()]


@pytest.mark.parametrize("path", PAGES)
def test_a_switch_shows_its_curves_and_hides_them_again(open_page: OpenPage, controlled: Path, path: str) -> None:
    page = open_page(controlled, path)
    names = PAGES[path]
    assert page.eval_on_selector_all("[data-adds]", "(all) => all.map((each) => each.dataset.adds)") == list(names)
    assert shown(page, names) == []
    assert page.locator(".chart:visible .templates").first.is_visible(), "the range over sentences is there at first"
    for name in names:
        switch = page.locator(f"[data-adds={name}]")
        switch.focus()
        page.keyboard.press("Space")
        assert shown(page, names) == [name]
        page.keyboard.press("Space")
    assert shown(page, names) == []
    page.locator("[data-adds=untrained]").check()
    expect_accessible(page, ".switches")


@pytest.mark.thorough
@pytest.mark.parametrize("path", PAGES)
def test_all_is_there_without_scripts_and_in_print(open_page: OpenPage, controlled: Path, path: str) -> None:
    page = open_page(controlled, path)
    page.emulate_media(media="print")
    assert shown(page, PAGES[path]) == list(PAGES[path])
    assert not page.locator(".switches").first.is_visible()
    page = open_page(controlled, path, java_script_enabled=False)
    folded = page.locator("#curves > details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    assert shown(page, PAGES[path]) == list(PAGES[path])
    assert not page.locator(".switches").first.is_visible()
