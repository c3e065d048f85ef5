"""The page of what changed in a real browser: both plots follow the curve, steps, playing and the address; words that changed stand out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import (
    COUNT_SHIFTS,
    DESKTOP,
    PHONE,
    OpenPage,
    box_of,
    expect_accessible_at_all_sizes,
    layout_shift,
    served,
    wait_until_quiet,
)
from changed_fixture import change_report
from invoking import run
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import write_site

CHANGE = "change/base-tuned/index.html"
LATE = (0.0, 0.0, 0.0, -0.4, -0.5)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = change_report(categories={0: LATE}, movers={(4, 5): 4})
    return write_site(report, tmp_path_factory.mktemp("change"))


def test_nothing_shifts_on_a_phone_while_the_page_comes_in(open_page: OpenPage, site: Path) -> None:
    with served(site, in_pieces=True) as address:
        page = open_page(address, CHANGE, viewport=PHONE, before=COUNT_SHIFTS)
        page.wait_for_load_state("networkidle")  # scripts ask for the plots' coordinates
        wait_until_quiet(page)
        assert layout_shift(page) < 0.02


def expect_both_at(page: Page, depth: str) -> None:
    for name in ("Base", "Tuned"):
        expect(page.locator(".slot", has_text=name).locator(".plate-head")).to_contain_text(f"in a sentence · {depth}")


def test_both_plots_follow_curve_steps_and_address(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, CHANGE, before=COUNT_SHIFTS)
    expect_both_at(page, "layer 3")
    wait_until_quiet(page)
    assert layout_shift(page) == 0
    page.get_by_role("slider", name="Depth").focus()
    page.keyboard.press("ArrowLeft")
    expect_both_at(page, "layer 2")
    expect(page).to_have_url(re.compile("#sentence/layer-2$"))
    page.get_by_role("button", name="Previous").click()
    expect_both_at(page, "layer 1")
    expect(page.locator("[data-caption]")).to_contain_text("PCA of both models’ standardized states together")
    page.get_by_role("button", name="Play").click()
    expect_both_at(page, "layer 3")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.goto(f"{page.url.split('#')[0]}#sentence/embedding/all")
    expect_both_at(page, "embedding")
    expect(page.get_by_role("radio", name="all words")).to_be_checked()


def test_a_link_to_a_layer_opens_at_it(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{CHANGE}#sentence/layer-1")
    expect_both_at(page, "layer 1")
    page.goto(f"{page.url.split('#')[0]}?again#sentence/layer-99")
    expect_both_at(page, "layer 3")


def test_words_that_changed_stand_out_until_a_reader_asks_for_all_and_it_is_accessible(
    open_page: OpenPage, site: Path
) -> None:
    page = open_page(site, CHANGE)
    expect_both_at(page, "layer 3")
    marks, faint = (page.locator(f".slot:last-child .plate-marks > g{each}") for each in ("", ".faint"))
    # A category of four words, and a word of another one that moved.
    expect(marks).to_have_count(12)
    expect(faint).to_have_count(7)
    expect(page.locator("[data-caption]")).to_contain_text("Marked: Category 1 and words that left their neighbors.")
    page.get_by_role("radio", name="all words").check()
    expect(faint).to_have_count(0)
    expect(page.locator("[data-caption]")).not_to_contain_text("Marked")
    page.get_by_role("radio", name="what changed").check()
    expect(faint).to_have_count(7)
    expect_accessible_at_all_sizes(page)


def test_on_a_phone_one_plot_is_seen_at_once_what_is_chosen_stands_below_it_and_the_other_is_a_tap_away(
    open_page: OpenPage, site: Path
) -> None:
    page = open_page(site, CHANGE, viewport=PHONE)
    plot = box_of(page.locator(".slot:visible .plate"))
    assert plot["y"] <= 400
    assert box_of(page.locator(".change-side"))["y"] < plot["y"]
    for name in ("what changed", "all words"):
        assert box_of(page.get_by_role("radio", name=name))["y"] > plot["y"] + plot["height"]
    expect(page.get_by_role("button", name="Play")).to_be_in_viewport()
    expect(page.locator(".slot:visible")).to_have_count(1)
    expect(page.locator(".slot:visible .plate-head")).to_contain_text("Tuned")
    page.get_by_role("radio", name="Base").check()
    expect(page.locator(".slot:visible .plate-head")).to_contain_text("Base")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_a_tap_on_the_handle_shows_the_layer_under_the_finger(
    open_page: OpenPage, site: Path, viewport: ViewportSize
) -> None:
    """As where there are many layers: here the handle is as wide as all of them."""
    page = open_page(site, CHANGE, viewport=viewport)
    expect(page.locator(".slot:visible .plate-head").first).to_contain_text("layer 3")
    page.locator(".change-ruler").evaluate(
        "({ style }) => { style.setProperty('--thumb', '2000px'); style.overflow = 'clip'; }"
    )
    ruler = box_of(page.locator(".change-ruler"))
    start, end, width = (44, 376, 390) if viewport is PHONE else (44, 1000, 1120)
    for depth, name in ((2, "layer 1"), (1, "layer 0"), (4, "layer 3")):
        share = (start + (end - start) * depth / 4) / width
        page.mouse.click(ruler["x"] + share * ruler["width"], ruler["y"] + 20)
        expect(page.locator(".slot:visible .plate-head").first).to_contain_text(name)


def expect_caption_without_marks(page: Page) -> None:
    """Small plots, in which no word stands out."""
    caption = page.locator(".change-caption")
    expect(caption).to_contain_text("PCA of both models’ standardized states together")
    expect(caption).to_be_visible()
    expect(caption.locator(".change-marked")).to_be_hidden()


def test_without_scripts_both_models_are_seen_at_the_depth_of_the_change(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, CHANGE, java_script_enabled=False)
    expect(page.locator(".change-still svg")).to_have_count(2)
    expect(page.locator(".change-still figcaption")).to_have_text(["Base, layer 3", "Tuned, layer 3"])
    expect(page.locator(".slot:visible")).to_have_count(0)
    expect_caption_without_marks(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "At layers 2–3, Tuned keeps Category 1 less apart than Base."
    )


def test_as_one_file_it_has_both_plots_their_key_and_the_words_that_moved(
    open_page: OpenPage, site: Path, tmp_path: Path
) -> None:
    done = run("export", str(tmp_path / "change.html"), "--site", str(site), "--change", "Base", "Tuned")
    assert done.exit_code == 0, done.stderr
    page = open_page(tmp_path, "change.html", java_script_enabled=False, folded=True)
    expect(page.get_by_role("heading", name="keeps Category 1 less apart than Base")).to_be_visible()
    assert (
        page.locator(".change-still svg path").evaluate_all(
            "(all) => new Set(all.map((each) => getComputedStyle(each).stroke)).size"
        )
        == page.locator(".note [class^=hue]").count()
    )
    expect(page.get_by_role("cell", name="5 of 5").or_(page.get_by_role("cell", name="4 of 5"))).to_be_visible()
    expect_caption_without_marks(page)
    assert "<script" not in page.content()
    refused = run("export", str(tmp_path / "change.html"), "--site", str(site), "--change", "Tuned", "Base")
    assert refused.stderr.endswith("got 'Tuned' 'Base'; known: 'Base' 'Tuned'\n")
