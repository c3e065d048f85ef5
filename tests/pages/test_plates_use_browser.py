"""What a reader can do with plates that are drawn: point at words, find one, see a category alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import PHONE, OpenPage, box_of, wait_until_quiet
from plates_page import (
    COMPARE,
    MODEL,
    NAMES,
    drawn,
    middle_of,
    middle_of_word,
    named,
    sample_words,
    slide,
    write_sample,
)
from playwright.sync_api import Locator, Page, expect


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("plates"))


def expect_marked(plates: list[Locator], word: str) -> None:
    for plate in plates:
        expect(plate.locator(".plate-word")).to_have_text(word)


def expect_nothing_marked(page: Page) -> None:
    expect(page.locator(".plate-word, .plate-point circle, .plate-categories [aria-pressed=true]")).to_have_count(0)


def test_a_word_that_is_pointed_at_is_named_in_both_plates(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11+sentence")
    both = [slide(page, f"{context}/layer-11") for context in ("alone", "sentence")]
    page.mouse.move(*middle_of_word(both[0], "James"))
    expect_marked(both, "James")
    for plate in both:
        expect(plate.locator(".plate-tokens")).to_have_text("Boys' names · one token: ␣James")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect_nothing_marked(page)
    # The key shows a category alone.
    capitals = both[0].get_by_role("button", name="Capitals")
    page.mouse.move(*middle_of(capitals))
    expect(both[1].locator(f"{NAMES}:not(.hue-3)")).to_have_count(0)
    assert len(named(both[1])) >= 12
    page.mouse.move(2, 2)
    expect(both[1].locator(f"{NAMES}.hue-1").first).to_be_attached()
    capitals.click()
    expect(capitals).to_have_attribute("aria-pressed", "true")
    expect(both[0].locator("[aria-live]")).to_contain_text("Capitals: Paris, London")
    page.get_by_role("button", name="Next").click()
    after = slide(page, "alone/layer-12")
    expect(after.get_by_role("button", name="Capitals")).to_have_attribute("aria-pressed", "true")
    assert {each["text"] for each in named(after)} <= set(sample_words().categories[3].words)


def test_the_key_can_be_used_by_keyboard(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11")
    plate = slide(page, "alone/layer-11")
    months = plate.get_by_role("button", name="Months")
    months.focus()
    page.keyboard.press("Enter")
    expect(months).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect_marked([plate], "February")
    expect(plate.locator("[aria-live]")).to_have_text("February. Months · one token: ␣February")
    page.keyboard.press("ArrowRight")
    expect(slide(page, "alone/layer-12").get_by_role("button", name="Months")).to_be_focused()
    expect_marked([slide(page, "alone/layer-12")], "February")
    page.keyboard.press("Escape")
    expect_nothing_marked(page)


def test_a_found_word_is_marked_on_all_plates(open_page: OpenPage, site: Path) -> None:
    """Also on those without names, and while one steps; its field says what was chosen on a plate, too."""
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11")
    find = page.get_by_label("Find a word")
    small = page.locator(".stages[data-current] .plates .plate").first
    small.scroll_into_view_if_needed()
    expect(small.locator("svg")).to_be_visible()
    assert small.locator("text").count() == 0
    find.fill("firef")
    expect_marked([slide(page, "alone/layer-11")], "firefighter")
    expect(small.locator(".plate-point circle")).to_have_count(1)
    find.fill("no such word")
    expect(find).to_have_attribute("aria-invalid", "true")
    expect_nothing_marked(page)
    find.fill("tokyo")
    page.get_by_role("button", name="Next").click()
    expect_marked([slide(page, "alone/layer-12")], "Tokyo")
    page.get_by_label("Compare with").select_option("sentence")
    expect_marked([slide(page, f"{context}/layer-12") for context in ("alone", "sentence")], "Tokyo")
    options = page.locator("#find-words option")
    assert options.count() == len(sample_words().words)
    assert options.first.evaluate("(option) => [option.value, option.label]") == ["James", "Boys' names"]
    find.press("Escape")
    expect_nothing_marked(page)
    wait_until_quiet(page)
    page.mouse.click(*middle_of_word(slide(page, "sentence/layer-12"), "Paris"))
    expect(find).to_have_value("Paris")


def test_compared_plates_are_pointed_at_together(open_page: OpenPage, site: Path) -> None:
    """Whatever captures are chosen, and however their depths are matched."""
    page = drawn(open_page, site, COMPARE)
    slots = page.locator("[data-slot]").all()
    titles = page.locator("[data-slot] .plate-title")
    expect(titles).to_have_text(["· alone · layer 14", "· alone · layer 2"])
    slots[1].locator(NAMES).filter(has_text="Moscow").scroll_into_view_if_needed()
    page.mouse.move(*middle_of_word(slots[1], "Moscow"))
    expect_marked(slots, "Moscow")
    page.mouse.move(2, 2)
    expect_nothing_marked(page)
    page.get_by_label("Find a word").fill("Moscow")
    page.get_by_role("button", name="Next").click()
    expect(titles).to_have_text(["· alone · layer 15", "· alone · layer 2"])
    slots[1].locator("[data-part=context]").select_option("sentence")
    expect(titles).to_have_text(["· alone · layer 15", "· in a sentence · layer 2"])
    slots[1].locator("[data-part=projection]").select_option("centered")
    page.get_by_role("radio", name="layer number").check()
    expect(titles).to_have_text(["· alone · layer 15", "· in a sentence · layer 5"])
    page.get_by_role("button", name="Add a plot").click()
    expect(page.locator("[data-slot] .plate-word")).to_have_text(["Moscow"] * 3)
    emotions = page.locator("[data-slot]").nth(2).get_by_role("button", name="Emotions")
    emotions.click()
    for slot in page.locator("[data-slot]").all():
        expect(slot.locator(f"{NAMES}:not(.hue-6)")).to_have_count(0)
    slots[0].get_by_role("button", name="Remove").click()
    expect(page.locator("[data-slot] .plate-word")).to_have_text(["Moscow"] * 2)
    images = page.locator("[data-slot] .plate img")
    assert [image.get_attribute("loading") for image in images.all()] == ["lazy"] * 2


def test_a_word_that_was_tapped_stays_while_stepping(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11", viewport=PHONE, has_touch=True, is_mobile=True)
    plate = slide(page, "alone/layer-11")
    plate.locator(".plate").scroll_into_view_if_needed()
    wait_until_quiet(page)
    page.touchscreen.tap(*middle_of_word(plate, "firefighter →"))
    tokens = plate.locator(".plate-tokens")
    expect(tokens).to_have_text("Occupations · 2 tokens: ␣firef · ighter · read at a different position")
    assert page.locator("dialog[open]").count() == 0
    page.get_by_role("button", name="Next").tap()
    expect_marked([slide(page, "alone/layer-12")], "firefighter")
    box = box_of(slide(page, "alone/layer-12").locator(".plate"))
    page.touchscreen.tap(box["x"] + 8, box["y"] + 8)
    expect_nothing_marked(page)
    assert page.locator("dialog[open]").count() == 0
