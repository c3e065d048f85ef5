"""Large text, and pages enlarged to 400 %: nothing lies outside the page, and pictures and controls can be used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, box_of, wait_until_quiet
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

pytestmark = pytest.mark.thorough

MODEL, COMPARE, EXPLORE = "models/smol-30/index.html", "compare/index.html", "explore/index.html"
PAGES = [
    "index.html",
    MODEL,
    "models/mini-6/index.html",
    "models/lost/index.html",
    COMPARE,
    EXPLORE,
    f"{EXPLORE}#a=smol-30/alone/standardized&b=smol-30/sentence/standardized&at=layer-11",
    "method/index.html",
    "404.html",
]
MORE = {
    MODEL: ("#alone/layer-11+sentence", ".panel:is([data-current], [data-beside])", 2),
    COMPARE: (
        "#a=smol-30/alone/standardized&b=mini-6/alone/standardized&c=smol-30/sentence/standardized",
        "[data-slot]",
        3,
    ),
}
"""What shows more plots of a page beside each other: its address, and what there then is how often."""
ENLARGED: ViewportSize = {"width": 320, "height": 225}
"""1280 × 900 at 400 %."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = sample_report()
    contexts = (dataclasses.replace(report.contexts[0], label="alone, two neurons off"), *report.contexts[1:])
    return write_site(dataclasses.replace(report, contexts=contexts), tmp_path_factory.mktemp("zoom"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_with_text_of_twice_its_size_and_enlarged_four_times(
    open_page: OpenPage, site: Path, path: str
) -> None:
    page = open_page(site, path)
    assert_it_fits(page)
    if path in MORE:
        fragment, shown, count = MORE[path]
        page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        expect(page.locator(shown)).to_have_count(count)
        assert_it_fits(page)


def assert_it_fits(page: Page) -> None:
    for font_size, viewport in (("200%", PHONE), ("225%", DESKTOP), ("", ENLARGED)):
        page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", font_size)
        page.set_viewport_size(viewport)
        wait_until_quiet(page)
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    if EXPLORE in page.url or COMPARE in page.url:
        assert_there_is_room_for_the_pictures(page)


def assert_there_is_room_for_the_pictures(page: Page) -> None:
    """Though something stays in sight while one scrolls."""
    picture = page.locator(".plot, .slot .plate").first
    picture.evaluate("(element) => scrollTo(0, element.getBoundingClientRect().top + scrollY)")
    wait_until_quiet(page)
    bar = box_of(page.locator(".ruler-slider, .compare-ruler").first)
    assert bar["y"] + bar["height"] <= ENLARGED["height"] / 4


def test_an_enlarged_picture_can_be_used_at_four_times_its_size(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-11", viewport=ENLARGED)
    page.locator('[id="alone/layer-11"] a.plate').click(position={"x": 6, "y": 6})
    dialog = page.locator("dialog.lightbox")
    image = dialog.locator("img")
    assert box_of(image)["height"] >= 120
    whole = box_of(image)["width"]
    for name in ("Previous", "Next", "Zoom in"):
        dialog.get_by_role("button", name=name).click()
    assert box_of(image)["width"] > whole
    for control in dialog.locator("button:visible, a:visible").all():
        control.focus()
        box = box_of(control)
        assert box["x"] >= -1
        assert box["x"] + box["width"] <= ENLARGED["width"] + 1
        assert box["y"] + box["height"] <= ENLARGED["height"]
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
