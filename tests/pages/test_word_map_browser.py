"""The heat map of words and layers in a browser: what is pointed at is named, rows open, cells and names lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import COUNT_SHIFTS, PHONE, OpenPage, box_of, expect_accessible, layout_shift, wait_for_frames
from explore_page import explorer
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.thorough


MODEL = "models/smol-30/index.html"
LEAST_CELL, LEAST_NAME = 3, 11
"""CSS pixels."""


def filled(page: Page) -> Locator:
    """The section, scrolled to and with its numbers."""
    page.locator("[data-word-map]").evaluate("(section) => section.scrollIntoView()")
    section = page.locator("[data-word-map][data-filled]")
    expect(section).to_be_attached()
    return section


def hover(page: Page, row: Locator, side: int, depth: int, last: int = 30) -> tuple[float, float]:
    box = box_of(row.locator(".heat-cells").nth(side))
    at = (box["x"] + (depth + 0.5) / (last + 1) * box["width"], box["y"] + box["height"] / 2)
    page.mouse.move(*at)
    return at


def test_words_are_named_found_and_lead_to_their_layer(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL)
    section = filled(page)
    line, rows = section.locator("[data-heat-line]"), section.locator(".heat-word")
    expect(section.locator(".heat-axis strong")).to_have_text(["alone", "in a sentence"])
    expect(section.locator(".heat-mark")).to_have_text(["layer 11"])
    expect(rows).to_have_count(0)
    second = section.get_by_role("button", name="Category 2")
    second.click()
    expect(second).to_have_attribute("aria-expanded", "true")
    expect(rows).to_have_count(13)
    # Of the five words that follow the tenth one two are of its category, the nearest being one further at each depth.
    at = hover(page, rows.nth(9), 1, 1)
    expect(line).to_contain_text("word1j (Category 2), layer 0 · alone: 2 of 5; in a sentence: 2 of 5.")
    expect(line.locator(".near")).to_have_text("Nearest, in a sentence: word1l, word1m, word2a, word2b, word2c.")
    expect(line.locator(".near strong")).to_have_text(["word1l", "word1m"])
    in_sight = box_of(line)
    assert in_sight["y"] + in_sight["height"] <= page.viewport_size["height"] + 1  # type: ignore[index]
    rows.nth(9).locator(".heat-name").click()
    expect(page.locator("[data-find]")).to_have_value("word1j")
    expect(rows.nth(9)).to_have_class(re.compile("heat-marked"))
    page.mouse.click(*at)
    expect(page).to_have_url(re.compile("#sentence/layer-0$"))
    expect(page.locator(".panel[data-current] .depth-label")).to_have_text("layer 0")
    filled(page)
    page.get_by_role("button", name="Open all").click()
    expect(rows).to_have_count(117)
    page.get_by_role("button", name="Close all").click()
    expect(rows).to_have_count(0)


def test_all_can_be_done_by_keyboard(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL)
    section = filled(page)
    said, heat = section.locator("[data-heat-say]"), section.locator("[data-heat]")
    heat.focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("Category 1, embedding · alone:")
    page.keyboard.press("Space")
    expect(section.locator(".heat-word")).to_have_count(13)
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(said).to_contain_text(
        "word0b (Category 1), layer 0 · alone: 5 of 5; in a sentence: 5 of 5. Nearest, alone: word0d,"
    )
    page.keyboard.press("End")
    expect(said).to_contain_text("layer 29")
    expect(page.locator(".panel[data-current] .depth-label")).to_have_text("embedding")
    expect_accessible(page, within="[data-word-map]")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("[data-find]")).to_have_value("word0b")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#alone/embedding$"))


def test_on_a_phone_cells_can_be_told_apart_and_nothing_moves(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, viewport=PHONE, has_touch=True, before=COUNT_SHIFTS)
    section = filled(page)
    assert layout_shift(page) < 0.003
    expect(section.locator("[data-heat-line]")).to_have_text(re.compile("^Tap a cell"), use_inner_text=True)
    section.get_by_role("button", name="Category 1").click()
    wait_for_frames(page)
    opened = layout_shift(page)
    row = section.locator(".heat-word").first
    assert box_of(row.locator(".heat-cells").first)["width"] / 31 >= LEAST_CELL
    size = row.locator(".heat-name").evaluate("(name) => parseFloat(getComputedStyle(name).fontSize)")
    assert size >= LEAST_NAME
    # The first tap shows, the second goes there.
    box = box_of(row.locator(".heat-cells").first)
    for url in (MODEL, "#alone/embedding"):
        page.touchscreen.tap(box["x"] + 1, box["y"] + 6)
        expect(section.locator("[data-heat-line]")).to_contain_text("word0a (Category 1), embedding")
        expect(page).to_have_url(re.compile(f"{url}$"))
        if url == MODEL:
            wait_for_frames(page)
            assert layout_shift(page) == opened
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_in_the_explorer_rows_and_words_are_one(open_page: OpenPage, site: Path) -> None:
    page = explorer(open_page)(site, "#a=smol-30/alone/standardized&at=layer-4&word=word2c")
    section = filled(page)
    expect(section.locator(".heat-marked .heat-name")).to_have_text("Category 3")
    section.get_by_role("button", name="Category 3").click()
    row = section.locator(".heat-word").nth(4)
    at = hover(page, row, 0, 8)
    expect(page.locator(".readout .word")).to_contain_text("word2e")
    page.mouse.click(*at)
    expect(page.locator(".view-depth")).to_have_text("layer 7")
    page.get_by_role("button", name="Side by side").click()
    expect(section.locator(".heat-axis strong")).to_have_text(["alone", "in a sentence"])


def test_without_scripts_and_on_paper_there_are_images(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    expect(page.locator(".heat-images img")).to_have_count(2)
    expect(page.locator(".heat-images img").first).to_be_visible()
    expect(page.locator(".heat")).to_be_hidden()
    page = open_page(site, MODEL)
    expect(page.locator(".heat-images img").first).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(".heat-images img").first).to_be_visible()
    expect(page.locator(".heat")).to_be_hidden()
