"""An essay with places of the report in a real browser: steps, keys, swipes, phones, paper, dark, and without scripts.

In Firefox and WebKit a place is stepped in test_engines.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from browser import (
    COUNT_SHIFTS,
    PHONE,
    OpenPage,
    box_of,
    expect_accessible_at_all_sizes,
    layout_shift,
    wait_until_quiet,
)
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

from tokviz.pages.text import markdown

ESSAY = """Months stay apart.

![Every layer](models/smol-30/#alone)

Then one layer changes them.

![Before and after](models/smol-30/#alone/layer-10,layer-11)

![Beside each other](models/smol-30/#alone/layer-11+sentence)

![All layers](models/smol-30/#alone/grid)

![A chart](models/smol-30/#curves/category-purity)

The end.
"""
PAPER: ViewportSize = {"width": 718, "height": 1000}
"""A4 within margins of one centimetre."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = replace(sample_report(), intro=tuple(markdown.parts(ESSAY, "index.html")))
    return write_site(report, tmp_path_factory.mktemp("essay"))


def shown(page: Page) -> list[str]:
    """What the figures with steps say."""
    return page.locator(".place-steps output").all_text_contents()


def test_buttons_slider_and_keys_step_and_the_link_follows(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html")
    every, two = page.locator(".place[data-steps]").all()
    assert shown(page) == ["embedding", "layer 10"]
    two.get_by_role("button", name="Next").click()
    expect(two.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    assert shown(page) == ["embedding", "layer 11"]
    assert (two.locator(".place-source").get_attribute("href") or "").endswith(
        "models/smol-30/index.html#alone/layer-11"
    )
    every.get_by_label("Plot", exact=True).fill("12")
    assert shown(page) == ["layer 11", "layer 11"]
    track = every.locator(".place-frames")
    track.focus()
    page.keyboard.press("ArrowLeft")
    assert shown(page) == ["layer 10", "layer 11"]
    wait_until_quiet(page)
    assert track.evaluate("(track) => Math.round(track.scrollLeft / track.clientWidth)") == 11


def test_a_swipe_is_followed_and_only_what_is_seen_is_left_to_keys(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html", viewport=PHONE)
    every = page.locator(".place[data-steps]").first
    every.scroll_into_view_if_needed()
    every.locator(".place-frames").evaluate(
        "(track) => track.scrollTo({ left: 3 * track.clientWidth, behavior: 'instant' })"
    )
    expect(every.locator("output")).to_have_text("layer 2")
    assert every.locator(".place-frame:not([inert])").count() == 1
    box = box_of(every.locator(".place-frame:not([inert]) img"))
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_nothing_moves_and_few_plots_are_fetched(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html", before=COUNT_SHIFTS)
    page.locator(".place").first.scroll_into_view_if_needed()
    wait_until_quiet(page)
    page.locator(".place-steps button").nth(1).click()
    wait_until_quiet(page)
    assert layout_shift(page) < 0.01
    fetched = "[...document.querySelectorAll('.place[data-steps]')][0].querySelectorAll('img')"
    n_complete = page.evaluate(f"[...{fetched}].filter((image) => image.complete && image.naturalWidth).length")
    assert 2 <= n_complete <= 4


def test_it_is_accessible_light_and_dark_at_all_sizes(open_page: OpenPage, site: Path) -> None:
    expect_accessible_at_all_sizes(open_page(site, "index.html"), ".place")


def test_without_scripts_plots_stand_in_a_row_that_scrolls_with_their_names(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html", java_script_enabled=False)
    every = page.locator(".place[data-steps]").first
    names = every.locator(".place-name a")
    assert [names.nth(index).text_content() for index in (0, 30)] == ["embedding", "layer 29"]
    expect(names.first).to_be_visible()
    assert page.locator(".place-steps").count() == 0
    left, right = (box_of(every.locator(".place-frame").nth(index)) for index in (0, 30))
    assert right["x"] - left["x"] == pytest.approx(30 * left["width"])


def test_on_paper_six_plots_of_each_place_are_beside_each_other(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html", viewport=PAPER)
    page.emulate_media(media="print")
    every = page.locator(".place[data-steps]").first
    visible = [each for each in every.locator(".place-frame").all() if each.is_visible()]
    assert len(visible) == 6
    assert len({round(box_of(each)["y"]) for each in visible}) == 2
    expect(every.locator(".unprinted")).to_be_visible()
    expect(every.locator(".place-name").first).to_be_visible()
    first, last = (box_of(page.get_by_text(text)) for text in ("Months stay apart.", "The end."))
    assert last["y"] + last["height"] - first["y"] <= 4 * PAPER["height"]
