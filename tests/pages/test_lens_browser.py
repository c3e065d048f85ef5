"""What each layer would say, in a browser: nothing is fetched before it is near, rows open, and a reader chooses what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import PHONE, OpenPage, expect_accessible
from playwright.sync_api import expect
from report_fixture import tiny_report, write_site

MODEL = "models/tiny-3/index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tiny_report(), tmp_path_factory.mktemp("lens"))


def test_rows_open_and_show_what_a_reader_chooses(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL)
    scripts = page.locator('script[src$="lens.js"]')
    expect(scripts).to_have_count(0)
    section = page.locator("[data-lens]")
    section.scroll_into_view_if_needed()
    expect(page.locator("[data-lens][data-filled]")).to_be_attached()
    expect(scripts).to_have_count(2)
    expect(scripts.last).to_have_attribute("src", "../../data/tiny-3/alone/lens.js")
    word = section.get_by_role("button", name="word1a")
    expect(word).to_be_hidden()
    category = section.get_by_role("button", name="Category 2")
    category.focus()
    page.keyboard.press("Enter")
    expect(category).to_have_attribute("aria-expanded", "true")
    word.focus()
    page.keyboard.press("Enter")
    lines = section.get_by_role("list", name="word1a, all layers").get_by_role("listitem")
    expect(lines).to_have_text(
        [
            "embedding Category 1, Category 2",
            "layer 0 Category 2, Category 1",
            *(f"layer {layer} Category 1, Category 2" for layer in (1, 2)),
        ]
    )
    expect(lines.locator("strong")).to_have_text(["Category 2"] * 4)
    expect_accessible(page, within="[data-lens]")
    row = section.locator('[data-row="3"] td')
    section.get_by_label("Context", exact=True).select_option("sentence")
    expect(row).to_have_text(["Category 1", *["Category 2"] * 3])
    expect(lines.nth(3)).to_have_text("layer 2 Category 2, Category 1")
    section.get_by_role("radio", name="words").check()
    expect(row).to_have_text(["word1b", *["word1a"] * 3])
    expect(row.nth(0)).to_have_class("k p")
    expect(section.locator(".lens-group td").nth(5)).to_have_text("2 of 2")
    word.click()
    expect(lines).to_have_count(0)
    section.get_by_role("button", name="Open all").click()
    expect(section.locator("[data-row]:visible")).to_have_count(5)
    section.get_by_role("button", name="Close all").click()
    expect(section.locator("[data-row]:visible")).to_have_count(0)


def test_the_table_shows_the_context_of_the_carousel(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#sentence/layer-1", viewport=PHONE)
    section = page.locator("[data-lens]")
    section.scroll_into_view_if_needed()
    expect(page.locator("[data-lens][data-filled]")).to_be_attached()
    choice = section.get_by_label("Context", exact=True)
    expect(choice).to_have_value("sentence")
    page.evaluate("location.hash = '#alone/layer-1'")
    expect(choice).to_have_value("alone")
    expect(section.locator('[data-row="3"] td').nth(3)).to_have_text("Category 1")


def test_what_is_added_to_its_charts_is_added_to_all_of_the_page_and_cells_are_pale_where_halves_disagree(
    open_page: OpenPage, site: Path
) -> None:
    page = open_page(site, MODEL)
    more = page.locator("[data-lens] .lens-more")
    more.locator("summary").click()
    more.get_by_role("checkbox", name="neurons changed").check()
    expect(page.locator("#curves").get_by_role("checkbox", name="neurons changed")).to_be_checked()
    expect(more.locator("path.curve.switch-changed").first).to_be_visible()
    expect(more.locator("path.curve.switch-logit").first).to_be_hidden()
    more.get_by_role("checkbox", name="logit lens").check()
    expect(more.locator("path.curve.switch-logit").first).to_be_visible()
    expect_accessible(page, within="[data-lens]")
    cell = page.locator(".lens-group td").first
    background = "(cell, classes) => { cell.className = classes; return getComputedStyle(cell).backgroundColor; }"
    for classes in ("s1", "s2", "s3", "s4", "y", "k"):
        assert cell.evaluate(background, f"{classes} p") != cell.evaluate(background, classes)
    assert cell.evaluate(background, "y p") != cell.evaluate(background, "k p")


def test_without_a_script_all_words_are_there(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    section = page.locator("[data-lens]")
    expect(section.locator("[data-row]:visible")).to_have_count(5)
    expect(section.locator(".lens-tools")).to_be_hidden()
    expect(section.locator('[data-row="3"] td')).to_have_text(["Category 1", "Category 2", "Category 1", "Category 1"])
