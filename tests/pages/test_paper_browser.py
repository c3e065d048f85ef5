"""Phones and paper: every page can be reached, a plate is in sight, nothing moves when one steps, and nothing is cut."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, box_of, wait_for_frames, wait_until_quiet
from plates_page import expect_drawn
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

from tokviz.records import Report

pytestmark = pytest.mark.thorough

MODEL = "models/smol-30/index.html"
COMPARE = "compare/index.html"
EXPLORE = "explore/index.html#a=smol-30/alone/standardized&at=layer-11&word=w0"
LATE = f"{COMPARE}#by=relative&at=0.8"
LANDSCAPE: ViewportSize = {"width": 844, "height": 390}
TABLET: ViewportSize = {"width": 820, "height": 1180}
LARGE: ViewportSize = {"width": 1920, "height": 1080}
PAPER: ViewportSize = {"width": 718, "height": 1000}
"""A4 within margins of one centimetre."""
PAGES = ["index.html", MODEL, COMPARE, "explore/index.html", "method/index.html"]


def noted(report: Report) -> Report:
    """Of two layers its author says something."""
    first, *others = report.models
    said = "<p>What the author says of it.</p>" * 4
    first = replace(first, notes={"alone/layer-1": said, "alone/layer-11": said})
    return replace(report, models=(first, *others))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(noted(sample_report()), tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def few_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(noted(sample_report(n_words=4)), tmp_path_factory.mktemp("few"))


@pytest.mark.parametrize("path", ["index.html", MODEL])
def test_a_way_to_every_page_is_in_sight(open_page: OpenPage, few_words: Path, path: str) -> None:
    """In the header of a wide screen, else behind a link; it stands in the one frame of all pages."""
    page = open_page(few_words, path)
    assert_all_pages_in_the_header(page)
    for viewport in (PHONE, LANDSCAPE):
        page.set_viewport_size(viewport)
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        wait_until_quiet(page)
        assert_all_pages_in_sight(page, viewport)


def assert_all_pages_in_sight(page: Page, viewport: ViewportSize) -> None:
    way = page.get_by_role("link", name="All pages")
    box = box_of(way)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    assert box["y"] + box["height"] <= 60
    way.click()
    wait_until_quiet(page)
    names = page.locator(".site-header li").all_text_contents()
    links = page.locator(".all-pages a")
    assert links.all_text_contents() == names
    for link in links.all():
        place = box_of(link)
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= viewport["width"]
        assert 0 <= place["y"] <= viewport["height"] - place["height"]


def assert_all_pages_in_the_header(page: Page) -> None:
    expect(page.locator(".to-pages")).to_be_hidden()
    expect(page.locator(".all-pages")).to_be_hidden()
    for link in page.locator(".site-header li a").all():
        assert box_of(link)["x"] + box_of(link)["width"] <= DESKTOP["width"]


@pytest.mark.parametrize("fragment", ["", "#alone/layer-11"])
def test_a_plate_is_in_sight_on_a_phone_held_sideways(open_page: OpenPage, few_words: Path, fragment: str) -> None:
    page = open_page(few_words, MODEL + fragment, viewport=LANDSCAPE)
    wait_until_quiet(page)
    plate = box_of(page.locator(".slide:not([inert]) .plate").first)
    assert LANDSCAPE["height"] - plate["y"] > 0.6 * plate["height"]
    for part in (".ruler-slider", ".steps"):
        box = box_of(page.locator(f"{part}:visible"))
        assert box["y"] + box["height"] <= LANDSCAPE["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == LANDSCAPE["width"]


# --- stepping -----------------------------------------------------------------------------------------------------

PLACES = """(isAbovePlot) => [...document.querySelectorAll('main :is(button, select, input, .take a), .ruler, h2')]
    .filter((each) => each.getClientRects().length && !each.closest('.slide, .look, .plate-key, [inert], table'))
    .map((each) => {
        const { x, y } = each.getBoundingClientRect();
        return [each.nodeName, Math.round(x + scrollX), Math.round(y + scrollY)];
    })
    .filter(([, , y]) => !isAbovePlot || y < scrollY + document.querySelector('.panel[data-current] .track').getBoundingClientRect().y)"""
"""Where everything stands that can be used, except within a plate and what is said beside it, in pixels of the page."""


@pytest.mark.parametrize("path", [f"{MODEL}#alone/embedding", f"{MODEL}#alone/layer-9+sentence", LATE, EXPLORE])
def test_nothing_moves_when_one_steps(open_page: OpenPage, few_words: Path, path: str) -> None:
    page = open_page(few_words, path)
    if path == EXPLORE:
        expect(page.locator("[data-ready]")).to_be_attached()
    else:
        expect_drawn(page)
    # Past a layer with a note in every window.
    back, again = ["ArrowLeft"] * 3, ["ArrowRight"] * 3
    for viewport, keys in ((DESKTOP, ["ArrowRight"] * 4), (TABLET, back), (PHONE, again), (LANDSCAPE, back)):
        page.set_viewport_size(viewport)
        wait_until_quiet(page)
        # A layer's note stands below its plot where there is no room beside it, and takes its room from what follows.
        is_note_below = path.startswith(MODEL) and (viewport != DESKTOP or "+" in path)
        before = page.evaluate(PLACES, is_note_below)
        assert before
        for key in keys:
            page.keyboard.press(key)
            wait_for_frames(page)
            assert page.evaluate(PLACES, is_note_below) == before, viewport


# --- paper --------------------------------------------------------------------------------------------------------

CUT = """() => [...document.querySelectorAll('main *')].filter((each) => {
    const { left, right, width } = each.getBoundingClientRect();
    const { visibility, overflowX } = getComputedStyle(each);
    if (!width || visibility === 'hidden' || each.closest('clipPath')) return false;
    const hides = overflowX !== 'visible' && each.clientWidth > 2 && each.scrollWidth > each.clientWidth + 1;
    return hides || left < -1 || right > innerWidth + 1;
}).map((each) => `${each.nodeName} ${each.getAttribute('class')}`)"""


def on_paper(page: Page) -> None:
    """As a browser prints: the layout is the paper's, and what scripts measured is the screen's."""
    page.emulate_media(media="print")
    wait_for_frames(page)
    page.set_viewport_size(PAPER)
    wait_for_frames(page)


@pytest.mark.parametrize("path", [*PAGES, f"{MODEL}#alone/layer-11+sentence", f"{EXPLORE}&b=mini-6/alone/standardized"])
def test_nothing_is_cut_on_paper(open_page: OpenPage, site: Path, path: str) -> None:
    """Though scripts have measured a much wider window."""
    page = open_page(site, path, viewport=LARGE)
    if path.startswith("explore"):
        expect(page.locator("[data-ready]")).to_be_attached()
    wait_until_quiet(page)
    on_paper(page)
    assert page.evaluate(CUT) == []


MOST_SHEETS = 20


def test_a_model_of_thirty_layers_takes_few_sheets(open_page: OpenPage, site: Path) -> None:
    """Of the shown context the depths that say most are printed: the ends, about the break, and where stages begin."""
    page = open_page(site, MODEL)
    expect_drawn(page)
    printed = page.pdf(format="A4")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= MOST_SHEETS
    on_paper(page)
    names = [each.get_attribute("aria-label") for each in page.locator(".panel:visible .slide:visible").all()]
    assert names[0] == "embedding"
    assert {"layer 10", "layer 11", "layer 29"} <= set(names)
    assert len(names) <= 10
