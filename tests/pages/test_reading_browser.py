"""What a reader does besides stepping through layers: enlarge a picture, choose a theme, copy a citation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, box_of, expect_accessible_at_all_sizes
from playwright.sync_api import Locator, Page, expect

MODEL = "models/smol-30/index.html"
BOX_AFTER_0 = """figure => {
  figure.parentElement.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true, cancelable: true }));
  const { x, y, width, height } = figure.getBoundingClientRect();
  return { x, y, width, height };
}"""
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 23, 26)"}


def enlarge(page: Page, fragment: str = "alone/layer-11") -> Locator:
    """Opens the picture of a slide in the dialog, by a click beside its words."""
    page.locator(f'[id="{fragment}"] a.plate').click(position={"x": 6, "y": 6})
    return page.locator("dialog.lightbox")


def expect_caption(page: Page, beginning: str) -> None:
    expect(page.locator(".lightbox-caption")).to_have_text(re.compile(f"^{re.escape(beginning)}"))


# --- one picture, large -------------------------------------------------------------------------------------------


def test_a_picture_is_enlarged_zoomed_and_closed_again_and_the_carousel_follows(
    open_page: OpenPage, few_words: Path
) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11")
    dialog = enlarge(page)
    assert dialog.get_attribute("aria-label")
    expect_caption(page, "Layer 11: PC1 holds 48.8")
    small, large = box_of(page.locator(".slide[data-near] .plate").first), box_of(dialog.locator("figure"))
    assert large["height"] > small["height"]
    assert large["y"] >= 0
    assert large["y"] + large["height"] <= DESKTOP["height"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    zoomed = box_of(dialog.locator("figure"))
    assert zoomed["width"] == pytest.approx(2 * large["width"], abs=2)
    assert zoomed["y"] + zoomed["height"] / 2 == pytest.approx(large["y"] + large["height"] / 2, abs=3)
    # At once, not after what is drawn has followed.
    assert dialog.locator("figure").evaluate(BOX_AFTER_0) == large
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator('[id="alone/layer-11"] a.plate')).to_be_focused()
    enlarge(page)
    page.keyboard.press("ArrowRight")
    expect_caption(page, "Layer 12: ")
    dialog.get_by_role("button", name="Previous").click()
    dialog.get_by_role("button", name="Previous").click()
    expect_caption(page, "Layer 10: ")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator(".panel[data-current] output")).to_have_text("layer 10")
    page.wait_for_function("() => location.hash === '#alone/layer-10'")


def test_the_first_picture_has_no_previous_one_and_the_grid_no_other(open_page: OpenPage, few_words: Path) -> None:
    page = open_page(few_words, MODEL)
    dialog = enlarge(page, "alone/embedding")
    previous = dialog.get_by_role("button", name="Previous")
    assert previous.get_attribute("aria-disabled") == "true"
    previous.click(force=True)
    expect_caption(page, "Embedding: ")
    page.keyboard.press("Escape")
    page.locator('[id="alone/grid"] a.plate').click()
    expect(page.locator(".lightbox-caption")).to_contain_text("in the embedding’s axes")
    expect(dialog.get_by_role("button", name="Next")).to_be_hidden()


def test_the_wide_picture_can_be_downloaded_and_a_swipe_shows_the_next_one(
    open_page: OpenPage, few_words: Path
) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11", viewport=PHONE, has_touch=True, is_mobile=True)
    dialog = enlarge(page)
    expect(dialog.locator("img")).to_have_attribute("src", re.compile(r"-phone\.webp$"))
    link = dialog.get_by_role("link", name="Download")
    assert link.get_attribute("download") == ""
    file = few_words / "models/smol-30" / (link.get_attribute("href") or "")
    assert file.resolve().name == "smol-30__model.layers.11.webp"
    assert file.is_file()
    finger = page.context.new_cdp_session(page)
    for x in (300, 250, 200, 150):
        kind = "touchStart" if x == 300 else "touchMove"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 400}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_caption(page, "Layer 12: ")


@pytest.mark.thorough
def test_axe_finds_nothing_in_the_dialog(open_page: OpenPage, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11")
    dialog = enlarge(page)
    expect_accessible_at_all_sizes(page, "dialog")
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        for target in dialog.locator(".lightbox-bar :is(button, a):visible").all():
            assert box_of(target)["height"] >= 44


# --- theme --------------------------------------------------------------------------------------------------------


def paper(page: Page) -> str:
    """The colour of the page's background."""
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return color


@pytest.mark.parametrize(("system", "chosen"), [("light", "dark"), ("dark", "light")])
def test_a_chosen_theme_is_kept(open_page: OpenPage, few_words: Path, system: str, chosen: str) -> None:
    page = open_page(few_words, "index.html", color_scheme=system)
    assert paper(page) == PAPER[system]
    page.get_by_label("Theme").select_option(chosen)
    assert paper(page) == PAPER[chosen]
    page.goto(f"{few_words.as_uri()}/method/index.html")
    assert paper(page) == PAPER[chosen]
    page.get_by_label("Theme").select_option("system")
    assert paper(page) == PAPER[system]


@pytest.mark.parametrize("path", ["index.html", "models/smol-30/index.html", "compare/index.html"])
def test_an_image_is_a_light_sheet_in_either_theme(open_page: OpenPage, few_words: Path, path: str) -> None:
    """Turned over, its categories would have other colors than the same image elsewhere."""
    page = open_page(few_words, path, color_scheme="dark")
    for choice in ("light", "dark"):
        page.locator("[data-theme-choice]").select_option(choice)
        styles = page.locator("img").evaluate_all(
            "(all) => all.map((image) => [getComputedStyle(image).filter, getComputedStyle(image).mixBlendMode].join())"
        )
        assert set(styles) == {"none,normal"}


def test_a_page_is_never_drawn_in_the_other_theme_first(open_page: OpenPage, few_words: Path) -> None:
    note = (
        "new MutationObserver(() => document.body && (window.first ??= document.documentElement.dataset.theme ?? ''))"
    )
    page = open_page(few_words, "index.html", before=f"{note}.observe(document, {{ childList: true, subtree: true }})")
    page.get_by_label("Theme").select_option("dark")
    page.reload()
    assert page.evaluate("window.first") == "dark"


# --- citation -----------------------------------------------------------------------------------------------------


def test_the_citation_is_copied(open_page: OpenPage, few_words: Path) -> None:
    page = open_page(few_words, "method/index.html", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy BibTeX").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#bibtex").text_content()
    expect(page.locator("#bibtex")).to_contain_text(re.compile("^@misc{"))
