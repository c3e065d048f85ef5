"""Strips in light and dark: the one of the page's theme is seen, and the other one isn't fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import COUNT_SHIFTS, DESKTOP, PHONE, SCHEMES, OpenPage, Scheme, layout_shift, served, wait_until_quiet
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import compared_report, write_site

pytestmark = pytest.mark.thorough

PAGES = ["index.html", "models/smol-30/index.html", "compare/index.html", "explore/index.html"]
OTHER: dict[str, Scheme] = {"light": "dark", "dark": "light"}
SHOWN = """() => [...document.querySelectorAll('picture img')].filter((image) =>
    image.getClientRects().length && image.currentSrc.includes('_strip')).map((image) => image.currentSrc)"""


@pytest.fixture(scope="module")
def address(few_words: Path) -> Iterator[str]:
    with served(few_words) as address:
        yield address


def themes(paths: list[str]) -> set[str]:
    """Of the strips among some paths."""
    return {"dark" if "_strip-dark" in path else "light" for path in paths if "_strip" in path}


def assert_shown(page: Page, theme: str) -> None:
    wait_until_quiet(page)
    # While a picture takes another source it has none.
    page.wait_for_function(f"() => ({SHOWN})().length > 0")
    assert themes(page.evaluate(SHOWN)) == {theme}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("scheme", "viewport"), [("light", PHONE), ("dark", DESKTOP)], ids=["light", "dark"])
def test_the_strip_of_the_systems_theme_is_fetched_and_after_a_choice_the_other(
    open_page: OpenPage, address: str, path: str, scheme: Scheme, viewport: ViewportSize
) -> None:
    requested: list[str] = []
    page = open_page(address, path, viewport=viewport, before=COUNT_SHIFTS, requested=requested, color_scheme=scheme)
    assert_shown(page, scheme)
    assert themes(requested) == {scheme}
    assert all("-phone" in each for each in requested if "_strip" in each) == (viewport == PHONE)
    page.locator("[data-theme-choice]").select_option(OTHER[scheme])
    assert_shown(page, OTHER[scheme])
    assert themes(requested) == {"light", "dark"}
    assert layout_shift(page) < 0.02
    # What was chosen holds on the next page from its first moment.
    requested.clear()
    page.goto(f"{address}/{path}")
    assert_shown(page, OTHER[scheme])
    assert themes(requested) <= {OTHER[scheme]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_another_capture_has_its_strip_in_both_themes(open_page: OpenPage, address: str, scheme: Scheme) -> None:
    for path in ("compare/index.html", "explore/index.html"):
        requested: list[str] = []
        page = open_page(address, path, requested=requested, color_scheme=scheme)
        wait_until_quiet(page)
        requested.clear()
        page.locator("select[data-part=context]").first.select_option("sentence")
        # Until the capture's own data are there, the strip is that of the one before.
        page.wait_for_function(f"() => ({SHOWN})()[0]?.includes('/sentence/')")
        assert_shown(page, scheme)
        assert themes(requested) == {scheme}
        assert all("/sentence/" in each for each in requested if "_strip" in each)
        page.locator("[data-theme-choice]").select_option(OTHER[scheme])
        assert_shown(page, OTHER[scheme])
        assert "/sentence/" in page.evaluate(SHOWN)[0]


def test_a_plot_that_is_added_has_the_strip_of_the_theme(open_page: OpenPage, tmp_path: Path) -> None:
    requested: list[str] = []
    with served(write_site(compared_report(n_words=4), tmp_path)) as address:
        page = open_page(address, "compare/index.html", requested=requested, color_scheme="dark")
        page.locator("[data-add]").click()
        expect(page.locator("[data-strip]")).to_have_count(3)
        assert_shown(page, "dark")
        assert len(page.evaluate(SHOWN)) == 3
        assert themes(requested) == {"dark"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_scripts_strips_have_the_colors_of_what_stands_beside_them(
    open_page: OpenPage, address: str, scheme: Scheme
) -> None:
    """The first page's picture has the system's theme; a model's plates are images, light in the dark, too."""
    options: dict[str, Any] = {"java_script_enabled": False, "color_scheme": scheme}
    page = open_page(address, "index.html", **options)
    assert themes(page.evaluate(SHOWN)) == {scheme}
    requested: list[str] = []
    page = open_page(address, "models/smol-30/index.html", requested=requested, **options)
    assert themes(page.evaluate(SHOWN)) == {"light"}
    assert themes(requested) == {"light"}


def test_paper_has_the_light_strip(open_page: OpenPage, address: str) -> None:
    """Printing waits for what was not fetched before."""
    requested: list[str] = []
    page = open_page(address, "index.html", requested=requested, color_scheme="dark")
    wait_until_quiet(page)
    assert themes(requested) == {"dark"}
    page.pdf()
    assert themes(requested) == {"light", "dark"}
    page.emulate_media(media="print")
    assert themes(page.evaluate(SHOWN)) <= {"light"}


def test_the_legend_has_the_colors_of_the_first_picture(open_page: OpenPage, few_words: Path) -> None:
    page = open_page(few_words, "index.html")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        wait_until_quiet(page)
        legend: list[str] = page.locator(".categories path").evaluate_all(
            "(all) => all.map((path) => [getComputedStyle(path).fill, getComputedStyle(path.closest('svg')).filter])"
        )
        marks: list[str] = page.locator(".glance-marks path[class]").evaluate_all(
            "(all) => all.map((path) => [getComputedStyle(path).fill, 'none'])"
        )
        assert len(marks) == 9
        assert legend == marks
        assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", legend[0][0])
