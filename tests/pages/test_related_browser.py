"""Relations and orders in a browser: the plots show the carousel's layer and words, and can be read at every width."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from browser import OpenPage, box_of
from playwright.sync_api import Browser, Page, expect
from related_fixture import ORDERS, RELATION, related_report
from report_fixture import write_site

MODEL = "models/smol-30/index.html"
LEAST = 11
"""CSS pixels of a word."""
NAMES = """(plot) => [...plot.querySelectorAll("text")].map((text) => {
    const box = text.getBoundingClientRect();
    return [text.textContent, Number.parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a, box.left, box.right];
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(related_report(), tmp_path_factory.mktemp("related"))


def opened(open_page: OpenPage, site: Path, address: str, width: int = 1280) -> Page:
    page = open_page(site, f"{MODEL}#{address}", viewport={"width": width, "height": 900})
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(page.locator(".related-plot svg")).to_have_count(3)
    return page


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_every_word_can_be_read_within_its_plot(open_page: OpenPage, site: Path, width: int) -> None:
    page = opened(open_page, site, "alone/layer-11", width)
    expected = [[word for pair in RELATION.pairs for word in pair], *(list(order.words) for order in ORDERS)]
    for plot, words in zip(page.locator(".related-plot").all(), expected, strict=True):
        where, *names = plot.evaluate(NAMES)
        assert where[0] == "layer 11, alone"
        assert [name for name, *_ in names] == words
        box = box_of(plot)
        assert min(size for _, size, *_ in names) >= LEAST
        assert min(left for *_, left, _ in names) >= box["x"] - 1
        assert max(right for *_, right in names) <= box["x"] + box["width"] + 1
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_plots_follow_the_carousel(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, "alone/layer-11")
    first = page.locator(".related-plot").first
    before = first.locator("path").get_attribute("d")
    page.keyboard.press("ArrowRight")
    expect(first.locator("svg")).to_have_attribute("aria-label", "First → second, layer 12, alone")
    assert first.locator("path").get_attribute("d") != before
    page.locator(".switch input[value=sentence]").check(force=True)
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(first.locator("svg")).to_have_attribute("aria-label", "First → second, layer 12, in a sentence")
    said = page.locator(".related-figures p[data-context]:visible strong")
    assert said.all_text_contents() == ["Words in a sentence."] * 3


def test_a_layer_without_a_plot_says_so(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-1")
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(page.locator(".related-plot").first).to_have_text("Not defined at layer 1.")


def test_pairs_are_joined_and_a_circle_is_closed(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, "alone/layer-11")
    pairs, circle, line = (
        plot.locator(".related-lines").get_attribute("d") or "" for plot in page.locator(".related-plot").all()
    )
    assert pairs.count("M") == pairs.count("L") == len(RELATION.pairs)
    assert (circle.count("L"), circle[-1]) == (len(ORDERS[0].words) - 1, "Z")
    assert (line.count("L"), line[-1] == "Z") == (len(ORDERS[1].words) - 1, False)
    # The true place runs upwards, from the first word to the last.
    heights = [
        float(each.get_attribute("cy") or 0) for each in page.locator(".related-plot").nth(2).locator("circle").all()
    ]
    assert all(one > other for one, other in pairwise(heights))


def test_without_scripts_there_is_an_image(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    expect(page.locator(".related-plot").first).to_be_hidden()
    images = page.locator(".related-strip img")
    images.first.scroll_into_view_if_needed()
    expect(images).to_have_count(2)
    assert images.first.is_visible()
    assert images.nth(1).is_visible()


def test_a_lost_script_leaves_the_image_and_lost_numbers_are_said(browser: Browser, site: Path) -> None:
    for lost in ("assets/relations.js", "data/smol-30/alone/relations.js"):
        page = browser.new_page()
        page.route(f"**/{lost}", lambda route: route.abort())
        page.goto(f"{(site / MODEL).as_uri()}#alone/layer-11", wait_until="load")
        page.locator("#relations h2").scroll_into_view_if_needed()
        plots = page.locator(".related-plot")
        if lost.startswith("assets"):
            expect(plots).to_have_count(0)
        else:
            expect(plots.first).to_contain_text("could not be loaded")
        expect(page.locator(".related-strip img").first).to_be_visible()
        page.close()
