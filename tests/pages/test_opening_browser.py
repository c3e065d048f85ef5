"""Links that name a layer, or what to compare: the page is drawn with it at once, nothing moves and nothing is fetched in vain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from browser import COUNT_SHIFTS, DESKTOP, PHONE, OpenPage, layout_shift, served, wait_until_quiet
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

pytestmark = pytest.mark.thorough

MODEL = "models/smol-30/index.html"
COMPARE = "compare/index.html"
EXPLORE = "explore/index.html"
TABLET: ViewportSize = {"width": 820, "height": 1180}
LATE = (".woff2", "common.js", "carousel.js", "compare.js", "explore.js")
"""Fonts and scripts that come long after the page."""
MOST_SHIFT = 0.02
SLIDES = {
    "#alone/layer-11": [("alone", "layer 11")],
    "#sentence/layer-3/centered": [("sentence", "layer 3")],
    "#alone/layer-11+sentence": [("alone", "layer 11"), ("sentence", "layer 11")],
    "#sentence/layer-29/centered+alone": [("alone", "layer 29"), ("sentence", "layer 29")],
    "#alone/layer-99": [("alone", "embedding")],
    "#alone/layer-11/unknown": [("alone", "embedding")],
    "#alone/layer-11+unknown": [("alone", "layer 11")],
    "#curves": [("alone", "embedding")],
}
"""Address → context and depth of each plate, in the order of the page."""
WITH_PAIRS = {
    MODEL: "sentence/layer-29/centered+alone",
    EXPLORE: "a=smol-30/alone/standardized&b=mini-6/sentence/centered&at=layer-11",
    COMPARE: "a=mini-6/alone/standardized&b=mini-6/sentence/centered&by=layer&at=layer-4",
}
ADDRESSES = [
    *(f"{MODEL}{fragment}" for fragment in SLIDES),
    f"{EXPLORE}#a=mini-6/alone/standardized&at=layer-4",
    f"{EXPLORE}#a=smol-30/alone/standardized&b=mini-6/sentence/centered&at=layer-11",
    f"{EXPLORE}#a=smol-30/alone/standardized&b=unknown&at=layer-99",
    f"{EXPLORE}#table",
    f"{COMPARE}#a=mini-6/alone/standardized&b=mini-6/sentence/centered&by=layer&at=layer-4",
    f"{COMPARE}#a=smol-30/alone/standardized&b=mini-6/alone/standardized&c=smol-30/sentence/centered&at=0.42",
    f"{COMPARE}#a=unknown",
    f"{COMPARE}#layers",
]


ON_A_PHONE = [
    f"{MODEL}#alone/layer-11",
    f"{MODEL}#sentence/layer-29/centered+alone",
    f"{MODEL}#curves",
    f"{EXPLORE}#a=smol-30/alone/standardized&b=mini-6/sentence/centered&at=layer-11",
    f"{COMPARE}#a=smol-30/alone/standardized&b=mini-6/alone/standardized&c=smol-30/sentence/centered&at=0.42",
]
"""One of each kind: how an address is read doesn't depend on the window."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first slide has its author's words: the page is longer with it than with the others."""
    report = sample_report(n_words=4)
    first, *others = report.models
    first = replace(first, notes={"alone/embedding": "<p>What the author says of it.</p>" * 4})
    return write_site(replace(report, models=(first, *others)), tmp_path_factory.mktemp("opening"))


@pytest.fixture(scope="module")
def late(site: Path) -> Iterator[str]:
    with served(site, late=LATE) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "viewport"),
    [
        *((path, DESKTOP) for path in ADDRESSES),
        *((path, PHONE) for path in ON_A_PHONE),
        *((f"{path}#{WITH_PAIRS[path]}", TABLET) for path in WITH_PAIRS),
    ],
)
def test_nothing_shifts_and_nothing_is_fetched_in_vain_wherever_a_link_leads(
    open_page: OpenPage, late: str, path: str, viewport: ViewportSize
) -> None:
    requested: list[str] = []
    page = open_page(late, path, viewport=viewport, before=COUNT_SHIFTS, requested=requested, folded=True)
    if path.startswith(EXPLORE):
        expect(page.locator("[data-ready]")).to_be_attached()
    wait_until_quiet(page)
    assert layout_shift(page) < MOST_SHIFT
    assert page.locator(":root[data-opening], .track[data-opening]").count() == 0
    if path.startswith(MODEL):
        # What the address asks for is drawn, and so are its neighbors.
        page.wait_for_load_state("networkidle")
        assert [each for each in requested if "__" in each] == []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["index.html", MODEL, COMPARE])
def test_nothing_shifts_while_a_page_comes_in(
    open_page: OpenPage, site: Path, path: str, viewport: ViewportSize
) -> None:
    with served(site, in_pieces=True) as address:
        page = open_page(address, path, viewport=viewport, before=COUNT_SHIFTS)
        page.wait_for_load_state("networkidle")
        wait_until_quiet(page)
        assert layout_shift(page) < MOST_SHIFT


def test_the_plate_asked_for_is_drawn_without_the_pages_own_scripts(open_page: OpenPage, site: Path) -> None:
    """What is drawn before they come is what they show."""
    page = open_page(site, "404.html", before=_without("carousel.js"))
    for number, fragment in enumerate(SLIDES):
        # Another query, as a change of the fragment alone would load nothing.
        page.goto(f"{(site / MODEL).as_uri()}?{number}{fragment}", wait_until="load")
        assert_is_drawn(page, fragment)


def assert_is_drawn(page: Page, fragment: str) -> None:
    shown = page.evaluate(
        """() => [...document.querySelectorAll('.panel')].flatMap((panel) =>
            [...panel.querySelectorAll('.slide')].filter((slide) => slide.querySelector('.plate').getClientRects().length)
                .map((slide) => [panel.dataset.context, slide.getAttribute('aria-label')]))"""
    )
    assert [tuple(each) for each in shown] == SLIDES[fragment], fragment
    context, depth = next(
        each for each in SLIDES[fragment] if each[0] == page.locator("[name=context]:checked").input_value()
    )
    assert page.locator(".panel[data-current]").get_attribute("data-context") == context, fragment
    assert page.locator(".panel[data-current] output").text_content() == depth, fragment


def _without(script: str) -> str:
    """A script that takes another one out of the page before it runs."""
    return f"""new MutationObserver((changes) => {{
        for (const {{ addedNodes }} of changes) for (const node of addedNodes) if (node.src?.endsWith("{script}")) node.remove();
    }}).observe(document, {{ childList: true, subtree: true }});"""


@pytest.mark.parametrize(("path", "plate"), [(MODEL, ".slide[data-near] a.plate"), (COMPARE, ".slot a.plate")])
def test_a_plate_has_its_name_before_it_is_drawn(open_page: OpenPage, site: Path, path: str, plate: str) -> None:
    seen = Event()
    with served(site, late=("board.js",), until=seen) as address:
        page = open_page(address, path)
        link = page.locator(plate).first
        expect(link.locator("img")).to_be_hidden()
        expect(link).not_to_have_attribute("data-drawn", "")
        expect(link).to_have_accessible_name(re.compile("layer|embedding", re.IGNORECASE))
        seen.set()
        expect(link).to_have_attribute("data-drawn", "")
        expect(link).to_have_accessible_name(re.compile("layer|embedding", re.IGNORECASE))
        page.goto("about:blank")
