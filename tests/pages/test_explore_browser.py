"""The explorer in a real browser: words, and layers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import (
    MOVING,
    OpenAt,
    OpenPage,
    wait_for_address,
    wait_for_frames,
    wait_until_quiet,
)
from explore_page import chosen, current_name, expect_depths, explorer, nearest, pins, place_of, plot, point_at, readout
from narrow import present
from playwright.sync_api import expect
from report_fixture import sample_report, tiny_report, write_site

from tokviz.records import Neighbours


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    return explorer(open_page)


# --- words ------------------------------------------------------------------------------------------------------------


def test_it_opens_with_all_words_at_the_emergence_layer_and_a_category_can_be_hidden(
    explore: OpenAt, site: Path
) -> None:
    page = explore(site)
    assert chosen(page) == ["smol-30/alone/standardized"]
    expect_depths(page, "layer 11")
    expect(page.locator(".plot-marks > g")).to_have_count(117)
    expect(page.locator(".plot-axes")).to_contain_text("PC1 48.8")
    expect(page.locator(".mark-name").first).to_have_text("massive from layer 11")
    page.get_by_role("button", name="Category 1", exact=True).click()
    expect(page.locator(".plot-marks > g").filter(visible=True)).to_have_count(104)
    expect(page.locator("caption")).to_contain_text("of 104")
    wait_for_address(page, "hide=0")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("caption")).to_contain_text("of 117")


def test_pointing_at_a_word_shows_its_neighbours_and_the_ruler_is_the_slider(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    point_at(page, 30)
    word = current_name(page)
    assert word.startswith("word")
    expect(readout(page).locator(".word")).to_have_text(word)
    expect(page.locator(".readout .near")).to_have_text("Nearest in all dimensions:")
    expect(nearest(page)).to_have_text([re.compile("word")] * 5)
    expect(page.locator("thead th").last).to_have_text("Nearest words")
    expect(page.locator(".links line")).to_have_count(5)
    page.mouse.move(2, 2)
    expect(page.locator(".names .current")).to_have_count(0)
    ruler = page.get_by_role("slider", name="Depth")
    ruler.focus()
    page.keyboard.press("End")
    expect_depths(page, "layer 29")
    assert ruler.get_attribute("aria-valuetext") == "layer 29"
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".depth-label")).to_have_text("layer 28")


def test_neighbours_are_those_of_the_layer(explore: OpenAt, site: Path) -> None:
    """In the fixture the neighbours at depth d are the words d + 1 to d + 5 further on."""
    page = explore(site, "#a=smol-30/alone/standardized&at=embedding&word=word0a")
    expect(nearest(page)).to_have_text([f"word0{letter}" for letter in "bcdef"])
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 0")
    expect(nearest(page)).to_have_text([f"word0{letter}" for letter in "cdefg"])


def test_without_neighbours_of_the_full_space_it_shows_those_of_the_picture_and_without_a_picture_why(
    explore: OpenAt, site: Path
) -> None:
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-0&word=word0a")
    expect(readout(page)).to_contain_text("Nearest in the plot:")
    expect(page.locator("thead th").last).to_have_text("Nearest in the plot")
    shown = nearest(page).all_inner_texts()
    coordinates = sample_report().models[1].contexts[0].projections[0].projection.coordinates[1]
    distances = ((coordinates - coordinates[0]) ** 2).sum(axis=1)
    assert shown == [sample_report().words.words[row] for row in distances.argsort()[1:6]]
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(plot(page).get_by_text("A plot needs at least 3 words")).to_be_visible()
    expect(readout(page)).to_contain_text("there is no plot of this depth")
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 3")
    expect(plot(page).locator(".problem")).to_be_hidden()


def test_a_word_with_the_very_same_state_as_others_has_no_neighbours(explore: OpenAt, tmp_path: Path) -> None:
    report = tiny_report()
    model, *others = report.models
    context, *contexts = model.contexts
    rows = present(context.neighbours).rows.copy()
    rows[0, 0] = -1
    alike = replace(model, contexts=(replace(context, neighbours=Neighbours(rows=rows)), *contexts))
    page = explore(
        write_site(replace(report, models=(alike, *others)), tmp_path),
        "#a=tiny-3/alone/standardized&at=embedding&word=word0a",
    )
    expect(page.locator(".readout .near").first).to_have_text("No neighbors: nearby words have identical states.")
    expect(page.locator(".links line")).to_have_count(0)
    page.get_by_role("button", name="Next").click()
    expect(nearest(page)).to_have_count(4)  # of six words, and itself isn't named


def test_a_click_pins_a_word_and_another_unpins_it(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-5")
    page.mouse.click(*place_of(page, 44))
    assert len(pins(page)) == 1
    expect(page.locator(".trails path")).not_to_have_count(0)
    expect(page.locator("tbody tr th").first).to_have_text(pins(page)[0])
    wait_for_address(page, f"pin={pins(page)[0]}")
    page.mouse.click(*place_of(page, 44))
    assert pins(page) == []
    expect(page.locator(".trails path")).to_have_count(0)


def test_a_word_is_found_by_typing_and_pinned_by_enter(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    field = page.get_by_role("combobox", name="Find a word")
    field.press_sequentially("word3")
    found = page.locator("#found [role=option]")
    assert found.count() == 10
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(active).to_have_attribute("aria-selected", "true")
    expect(active).to_have_text(re.compile(r"^word3b\b"))
    page.keyboard.press("Enter")
    assert pins(page) == ["word3b"]
    expect(readout(page).locator(".word")).to_have_text("word3b")
    expect(found.filter(visible=True)).to_have_count(0)
    field.press_sequentially("nothing like it")
    page.keyboard.press("Enter")
    assert pins(page) == ["word3b"]


# --- layers -----------------------------------------------------------------------------------------------------------


def test_marks_move_smoothly_from_layer_to_layer(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-3", **MOVING)
    seen = page.evaluate(
        """async () => {
            const places = [];
            const mark = document.querySelectorAll('.plot-marks > g')[9];
            document.querySelector('[data-step="1"]').click();
            for (const begin = performance.now(); performance.now() - begin < 1200;) {
                await new Promise(requestAnimationFrame);
                places.push(Number(mark.getAttribute('transform').match(/[\\d.]+/)[0]));
            }
            return places;
        }"""
    )
    start, end = seen[0], seen[-1]
    assert abs(end - start) > 20
    assert len(set(seen)) >= 5
    assert seen == sorted(seen, reverse=end < start)


def test_who_prefers_less_motion_sees_jumps(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-3")
    before = place_of(page, 9)
    page.evaluate("document.querySelector('[data-step=\"1\"]').click()")
    wait_for_frames(page)
    first = place_of(page, 9)
    assert first != before
    wait_until_quiet(page)
    assert place_of(page, 9) == first


def test_play_walks_through_the_layers_and_stops_at_the_last(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-3", **MOVING)
    page.get_by_role("button", name="Play").click()
    expect_depths(page, "layer 5")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    # Looks at every frame; the layer is shown for less than a second.
    page.wait_for_function("() => document.querySelector('.view-depth').textContent === 'layer 0'")
    page.get_by_role("button", name="Stop").click()
    seen = page.locator(".view-depth").inner_text()
    wait_until_quiet(page)  # no interval is left that could walk on
    expect_depths(page, seen)
