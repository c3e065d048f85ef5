"""In a model's viewer, what the author says of the layer; and the contents of its page. The rest of it is in test_engines.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import PHONE, OpenPage, box_of, wait_until_quiet
from carousel_page import write_noted
from playwright.sync_api import Page, ViewportSize, expect

MODEL = "models/smol-30/index.html"


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noted(tmp_path_factory.mktemp("noted"))


TABLET: ViewportSize = {"width": 820, "height": 1180}


@pytest.mark.parametrize("has_scripts", [True, False])
def test_in_narrow_windows_and_without_scripts_it_stands_under_the_plot(
    open_page: OpenPage, noted: Path, has_scripts: bool
) -> None:
    page = open_page(noted, f"{MODEL}#alone/layer-11", viewport=TABLET, java_script_enabled=has_scripts)
    for viewport in (TABLET, PHONE):
        page.set_viewport_size(viewport)
        if has_scripts:
            wait_until_quiet(page)
        note = page.locator("[id='alone/layer-11'] .voice")
        expect(note).to_be_visible()
        expect(page.locator(".look .voice").first).to_be_hidden()
        under, above = box_of(note), box_of(page.locator("[id='alone/layer-11'] figcaption"))
        assert 0 <= under["y"] - above["y"] - above["height"] < 40, viewport


def test_the_contents_say_what_is_read(open_page: OpenPage, noted: Path) -> None:
    page = open_page(noted, MODEL)
    for width in (1280, 820, 390, 1500):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        wait_until_quiet(page)
        expect_contents(page, width)


def expect_contents(page: Page, width: int) -> None:
    """They are read from the top of a page of this width on."""
    links = page.locator(".contents a")
    names = links.all_text_contents()
    assert names[0] == "Layer by layer"
    assert names[-1] == "Small print"
    expect(page.locator(".contents [aria-current]")).to_have_text("Layer by layer")
    if width == 390:
        expect(links.first).to_be_hidden()
        page.locator(".contents button").click()
    links.get_by_text("Charts").click()
    expect(page.locator(".contents [aria-current]")).to_have_text("Charts")
    heading, bar = box_of(page.locator("#curves h2")), box_of(page.locator(".contents"))
    assert 0 <= heading["y"] < 200
    if width == 1500:
        assert bar["x"] + bar["width"] <= heading["x"], "beside the page"
    else:
        assert bar["y"] + bar["height"] <= heading["y"], "nothing lies under it"
        assert bar["y"] == pytest.approx(0, abs=1)
    if width == 390:
        expect(links.first).to_be_hidden()


@pytest.mark.thorough
def test_playing_shows_layer_after_layer_until_the_last_or_until_the_reader_steps(
    open_page: OpenPage, site: Path
) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-26")
    play = page.locator("[data-play]")
    play.click()
    expect(play).to_have_text("Pause")
    expect(page.locator(".slide:not([inert])").first).to_have_attribute("id", "alone/layer-29", timeout=15_000)
    expect(play).to_have_text("Play")
    play.click()
    expect(page.locator(".slide:not([inert])").first).to_have_attribute("id", "alone/embedding")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(play).to_have_text("Play", timeout=15_000)
    expect(page.locator(".slide:not([inert])").first).to_have_attribute("id", "alone/layer-1")


def test_on_phones_ruler_and_plot_come_first_and_the_steps_stay_in_sight(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, viewport={"width": 390, "height": 844})
    tops = [
        page.locator(each).first.bounding_box()
        for each in (".panel[data-current] .ruler", ".slide:not([inert]) .plate", ".choices")
    ]
    heights = [each["y"] for each in tops if each]
    assert len(heights) == 3
    assert heights == sorted(heights)
    steps = page.locator(".steps").bounding_box()
    assert steps
    assert steps["y"] + steps["height"] <= 844, "while the plot is looked at"
