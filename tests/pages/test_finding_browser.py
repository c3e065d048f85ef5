"""The first page's picture changes between two states, by buttons and keys; its words move, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import random_geometry
from browser import COUNT_SHIFTS, PHONE, OpenPage, box_of, expect_accessible, layout_shift, served, wait_until_quiet
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
MARKS = """() => [...document.querySelectorAll('.states-plate .plate-marks > g')].map((mark) => {
    const { left, right, top, bottom } = mark.getBoundingClientRect();
    return [(left + right) / 2, (top + bottom) / 2];
})"""
"""Where the words' marks are seen."""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('.states-plate .plate-names text')].map((text) =>
    parseFloat(getComputedStyle(text).fontSize)))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The words lie elsewhere in each state."""
    report, random = sample_report(), np.random.default_rng(3)
    deep, *others = report.models
    deep = replace(deep, contexts=tuple(random_geometry.scattered(each, random) for each in deep.contexts))
    with served(write_site(replace(report, models=(deep, *others)), tmp_path_factory.mktemp("finding"))) as address:
        yield address


def drawn(page: Page) -> Page:
    expect(page.locator(".states-plate .plate-names text").first).to_be_attached()
    wait_until_quiet(page)
    return page


def test_a_key_changes_the_state_and_words_move(open_page: OpenPage, site: str) -> None:
    page = drawn(open_page(site, "index.html", viewport=LAPTOP, before=COUNT_SHIFTS))
    assert layout_shift(page) < 0.01, "the drawing has its image's place"
    sentence, plate = page.locator(".headline"), page.locator(".states-plate")
    assert all(part in sentence.inner_text() for part in ("Two of 1,536", "layer 11", "99.7", "20.0"))
    assert box_of(sentence)["y"] + box_of(sentence)["height"] < LAPTOP["height"]
    assert box_of(plate)["y"] + 0.75 * box_of(plate)["height"] < LAPTOP["height"]
    assert page.evaluate(SMALLEST) >= 11
    first, second = page.get_by_role("button", name="Layer 11,").all()
    expect(first).to_have_attribute("aria-pressed", "true")
    before = np.array(page.evaluate(MARKS))
    title = plate.locator(".plate-head")
    assert "without the variation of two neurons" not in (title.text_content() or "")

    page.keyboard.press("ArrowRight")
    started = np.array(page.evaluate(MARKS))
    wait_until_quiet(page)
    after = np.array(page.evaluate(MARKS))
    ways, begun = (np.linalg.norm(each - before, axis=1) for each in (after, started))
    assert np.median(ways) > 50
    assert np.median(begun) < np.median(ways) / 2, "words start where they were"
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".states-say")).to_have_text("Layer 11, without the variation of two neurons")
    assert "without the variation of two neurons" in (title.text_content() or "")
    assert "PC1 48.8" in (plate.locator(".plate-axes").text_content() or "")
    assert "turned by" in (plate.locator(".plate-axes").text_content() or "")
    expect_accessible(page, schemes=("light",))
    assert layout_shift(page) < 0.01

    first.focus()
    page.keyboard.press("Space")
    wait_until_quiet(page)
    assert np.allclose(page.evaluate(MARKS), before, atol=0.1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("first state")


def test_on_a_phone_nothing_moves_where_that_is_not_wanted(open_page: OpenPage, site: str) -> None:
    page = drawn(open_page(site, "index.html", viewport=PHONE, reduced_motion="reduce", color_scheme="dark"))
    box = box_of(page.locator(".headline"))
    assert box["y"] + box["height"] < PHONE["height"]
    assert page.evaluate(SMALLEST) >= 11
    before = np.array(page.evaluate(MARKS))
    page.get_by_role("button", name="Layer 11, without the variation of two neurons").click()
    assert page.evaluate("document.getAnimations().length") == 0
    after = np.array(page.evaluate(MARKS))
    assert np.median(np.linalg.norm(after - before, axis=1)) > 50
    category = page.locator(".states-plate .plate-categories button").first
    category.click()
    expect(category).to_have_attribute("aria-pressed", "true")
    assert page.locator(".states-plate .faint").count() > 0
    page.set_viewport_size({"width": 360, "height": 844})
    wait_until_quiet(page)
    assert box_of(page.locator(".states-plate"))["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect_accessible(page, schemes=("light",))


def test_without_scripts_and_where_nothing_is_drawn_there_are_images(open_page: OpenPage, site: str) -> None:
    page = open_page(site, "index.html", viewport=LAPTOP, java_script_enabled=False)
    one, other = (box_of(figure) for figure in page.locator(".both-states figure").all())
    assert one["y"] == other["y"]
    assert one["x"] + one["width"] < other["x"]
    expect(page.locator(".both-states figcaption").nth(1)).to_have_text(
        "Layer 11, without the variation of two neurons"
    )
    expect(page.locator(".states")).to_be_hidden()
    page.set_viewport_size(PHONE)
    one, other = (box_of(figure) for figure in page.locator(".both-states figure").all())
    assert one["y"] + one["height"] <= other["y"]
