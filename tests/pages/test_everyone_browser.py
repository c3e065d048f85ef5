"""Pages for everyone: what screen readers say, keys, and fingers in the enlarged picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser import PHONE, OpenPage, box_of, expect_accessible, wait_for_frames, wait_until_quiet
from playwright.sync_api import Locator, Page, expect

MODEL = "models/smol-30/index.html"
COMPARE = "compare/index.html"
EXPLORE = "explore/index.html"
TOUCH: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
DEPTHS = {MODEL: ".panel[data-current] output", COMPARE: ".slot-depth >> nth=0", EXPLORE: ".view-depth"}
"""Where a page says which depth it shows."""


def opened(open_page: OpenPage, site: Path, path: str, **options: Any) -> Page:
    page = open_page(site, path, **options)
    if path.startswith(EXPLORE):
        expect(page.locator("[data-ready]")).to_be_attached()
    return page


# --- screen readers -----------------------------------------------------------------------------------------------


def readable(page: Page) -> list[str]:
    """The slides that screen readers find."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.slide')]
            .filter((slide) => slide.getClientRects().length && !slide.closest('[inert]')).map(({ id }) => id)"""
    )
    return found


@pytest.mark.thorough
def test_only_the_slides_that_are_shown_can_be_read_and_on_paper_every_one(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, f"{MODEL}#alone/layer-11")
    assert readable(page) == ["alone/layer-11"]
    page.emulate_media(media="print")
    wait_for_frames(page)
    assert readable(page) == ["alone/embedding", "alone/layer-10", "alone/layer-11", "alone/layer-29"]
    page.emulate_media(media="screen")
    wait_for_frames(page)
    assert readable(page) == ["alone/layer-11"]
    page.get_by_role("button", name="Next").click()
    assert readable(page) == ["alone/layer-12"]
    page.get_by_role("radio", name="in a sentence").check()
    assert readable(page) == ["sentence/layer-12"]
    page.evaluate("location.hash = '#alone/layer-3+sentence'")
    expect(page.locator(DEPTHS[MODEL])).to_have_text("layer 3")
    assert readable(page) == ["alone/layer-3", "sentence/layer-3"]


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DEPTHS)
def test_arrows_step_before_anything_has_the_focus_and_keys_are_listed(
    open_page: OpenPage, site: Path, path: str
) -> None:
    page = opened(open_page, site, path)
    depth = page.locator(DEPTHS[path])
    expect(depth).not_to_be_empty()
    before = depth.text_content() or ""
    page.keyboard.press("ArrowRight")
    expect(depth).not_to_have_text(before)
    page.keyboard.press("ArrowLeft")
    expect(depth).to_have_text(before)
    for key in ("Control+ArrowRight", "Alt+ArrowRight", "Shift+ArrowRight", "End"):
        page.keyboard.press(key)
        expect(depth).to_have_text(before)
    expect_keys_are_listed(page, depth)
    expect_depth_is_said_once(page)


def expect_keys_are_listed(page: Page, shown: Locator) -> None:
    """By a question mark or a button."""
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("previous layer, next layer")
    expect_accessible(page, "dialog", schemes=("light",) if EXPLORE in page.url else ("dark",))
    depth = shown.text_content() or ""
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text(depth)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Keys")).to_be_focused()


def expect_depth_is_said_once(page: Page) -> None:
    """A slider that has the focus says it by itself."""
    output = page.locator(".ruler output:visible, .compare-ruler output").first
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert output.get_attribute("aria-live") == "off"
    page.locator("[data-step]").first.focus()
    assert output.get_attribute("aria-live") == "polite"


@pytest.mark.thorough
def test_keys_in_a_list_or_an_input_are_its_own(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, MODEL)
    for own in ("[data-theme-choice]", "[name=projection]:checked"):
        page.locator(own).first.focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator(DEPTHS[MODEL])).to_have_text("embedding")
    page = opened(open_page, site, EXPLORE)
    before = page.locator(DEPTHS[EXPLORE]).text_content() or ""
    page.locator("#find").press("ArrowRight")
    expect(page.locator(DEPTHS[EXPLORE])).to_have_text(before)
    page.locator("#find").press("?")
    expect(page.locator("#find")).to_have_value("?")
    expect(page.get_by_role("dialog")).to_be_hidden()


# --- fingers in the enlarged picture ------------------------------------------------------------------------------


def enlarge(page: Page) -> Locator:
    page.locator('[id="alone/layer-11"] a.plate').click(position={"x": 6, "y": 6})
    return page.locator("dialog.lightbox")


def drag(page: Page, start: tuple[int, int], end: tuple[int, int], steps: int = 6) -> None:
    finger = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        point = {"x": start[0] + (end[0] - start[0]) * step / steps, "y": start[1] + (end[1] - start[1]) * step / steps}
        kind = "touchMove" if step else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.thorough
def test_a_vertical_drag_changes_neither_the_plate_nor_the_page_behind(open_page: OpenPage, site: Path) -> None:
    """Straight, or aslant to either side."""
    page = opened(open_page, site, f"{MODEL}#alone/layer-11", **TOUCH)
    enlarge(page)
    before = page.evaluate("scrollY")
    for end in ((200, 250), (130, 250), (280, 250)):
        drag(page, (200, 600), end)
        wait_until_quiet(page)
        expect(page.locator(".lightbox-caption")).to_have_text(re.compile("^Layer 11: "))
    page.mouse.move(200, 400)
    page.mouse.wheel(0, 500)
    wait_until_quiet(page)
    assert page.evaluate("scrollY") == before
    page.keyboard.press("Escape")
    page.mouse.wheel(0, 500)
    page.wait_for_function("(before) => scrollY > before", arg=before)


@pytest.mark.thorough
def test_on_a_phone_zooming_shows_the_wide_picture(open_page: OpenPage, site: Path) -> None:
    """Of all layers, which is an image; plots are drawn."""
    page = opened(open_page, site, f"{MODEL}#alone/layer-11", **TOUCH)
    page.locator("#layers a.plate").first.click()
    dialog = page.locator("dialog.lightbox")
    image = dialog.locator("img")
    expect(image).to_have_attribute("src", re.compile(r"_m\.et-phone\.webp$"))
    whole = box_of(image)
    dialog.get_by_role("button", name="Zoom in").click()
    expect(image).to_have_attribute("src", re.compile(r"_m\.et\.webp$"))
    page.wait_for_function(
        "() => { const image = document.querySelector('dialog img'); return image.complete && image.naturalWidth > 0; }"
    )
    zoomed = box_of(image)
    assert zoomed["width"] > whole["width"]
    view = box_of(dialog.locator(".lightbox-view"))
    assert zoomed["x"] + zoomed["width"] / 2 == pytest.approx(view["x"] + view["width"] / 2, abs=3)
    dialog.get_by_role("button", name="Zoom out").click()
    expect(image).to_have_attribute("src", re.compile(r"_m\.et-phone\.webp$"))
