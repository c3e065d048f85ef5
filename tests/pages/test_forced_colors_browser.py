"""Forced colours, as Windows' high contrast has them: the pictures keep their paper, and what scripts and styles mark stays marked."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import OpenPage, wait_until_quiet
from PIL import Image as PillowImage
from playwright.sync_api import Locator, Page, expect
from report_fixture import images, sample_report

pytestmark = pytest.mark.thorough

MODEL = "models/smol-30/index.html"
REAL = Path(__file__).parents[2] / "site/images/smollm2-135m-instruct/alone/standardized"
FORCED: dict[str, Any] = {"forced_colors": "active", "color_scheme": "dark"}
EXPLORE = "explore/index.html#a=smol-30/alone/standardized&at=layer-11"
COMPARE = "compare/index.html#a=smol-30/alone/standardized&b=smol-30/sentence/standardized&at=0.4"


@pytest.fixture(scope="module")
def site(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its plates and strips are those of the sample report."""
    folder = shutil.copytree(site, tmp_path_factory.mktemp("forced") / "report")
    plate, strip = (
        next(REAL.glob("*layers.11.webp")),
        next(path for path in REAL.glob("*_strip*") if "phone" not in path.stem),
    )
    for image in images(sample_report()):
        if image.path.endswith("layers.11.webp"):
            shutil.copyfile(plate, folder / image.path)
        elif image.path.endswith("_strip.webp"):
            shutil.copyfile(strip, folder / image.path)
    return folder


def pixels(element: Locator) -> np.ndarray:
    """Red, green and blue of what is seen of an element, from 0 to 255."""
    with PillowImage.open(io.BytesIO(element.screenshot())) as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def colourful(seen: np.ndarray) -> float:
    """How many of a thousand pixels have a hue."""
    return 1000 * float((seen.max(axis=2) - seen.min(axis=2) > 60).mean())


def style(element: Locator, name: str) -> str:
    found: str = element.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return found


def opened(open_page: OpenPage, site: Path, path: str) -> Page:
    page = open_page(site, path, **FORCED)
    if path.startswith("explore"):
        expect(page.locator("[data-ready]")).to_be_attached()
    wait_until_quiet(page)
    return page


RULERS = {
    f"{MODEL}#alone/layer-11": ".panel[data-current] .ruler",
    EXPLORE: ".ruler",
    COMPARE: ".compare-ruler",
}


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        (f"{MODEL}#alone/layer-11", ".panel[data-current] .ruler .plate"),
        (COMPARE, ".compare-strip .plate >> nth=0"),
        ("index.html", ".strip-row .plate >> nth=0"),
        (EXPLORE, ".plot"),
    ],
)
def test_pictures_lie_on_paper_of_their_theme_and_lines_and_handles_are_seen(
    open_page: OpenPage, site: Path, path: str, picture: str
) -> None:
    page = opened(open_page, site, path)
    if picture.endswith((".plate", "nth=0")):
        # As what is drawn in its page: in the dark theme, except in the explorer.
        shown: str = page.locator(f"{picture} >> img:visible").evaluate("(image) => image.currentSrc")
        assert shown.endswith("_strip-dark.webp")
    else:
        seen = pixels(page.locator(picture))
        assert (seen.min(axis=2) > 235).mean() > 0.5
        assert colourful(seen) > 2
        assert page.locator(".ruler img:visible").evaluate("(image) => image.currentSrc").endswith("_strip.webp")
    assert_ticks_and_curves_stand_out(page)
    if path in RULERS:
        assert_the_handle_is_seen(page, RULERS[path])
    if path == EXPLORE:
        assert_a_button_that_is_on_is_marked(page.locator("[data-beside]"))


def assert_ticks_and_curves_stand_out(page: Page) -> None:
    """From the ground."""
    for line in (".ruler line.axis", ".ruler line.major", ".ruler .spark", ".ruler .mark", ".chart .curve"):
        for each in page.locator(f"{line}:visible").all()[:4]:
            assert style(each, "stroke") not in ("none", "rgb(0, 0, 0)"), line
    for text in page.locator(".ruler text:visible, .chart text:visible").all()[:12]:
        assert style(text, "fill") not in ("none", "rgb(0, 0, 0)")


def assert_the_handle_is_seen(page: Page, ruler: str) -> None:
    """Where the depth is."""
    before = pixels(page.locator(ruler))
    page.locator(f"{ruler} input").evaluate("(input) => { input.value = 0; }")
    after = pixels(page.locator(ruler))
    changed = np.abs(before - after).sum(axis=2) > 200
    assert changed.sum(axis=0).max() > 60, "a line through the ruler"
    assert changed.sum() > 300


def assert_a_button_that_is_on_is_marked(button: Locator) -> None:
    before = style(button, "backgroundColor")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.page.mouse.move(0, 0)
    assert style(button, "backgroundColor") != before


def test_dots_without_shapes_differ_in_color_and_what_is_chosen_is_marked(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, MODEL)
    small = page.locator("[id='alone/stage-1'] .plates .plate").first
    small.scroll_into_view_if_needed()
    expect(small.locator(".plate-dots")).to_be_visible()
    strokes = {style(path, "stroke") for path in small.locator(".plate-dots path").all()}
    assert len(strokes) > 1
    assert colourful(pixels(small)) > 2
    chosen, other = (page.locator(f"[name=context]{state} + span").first for state in (":checked", ":not(:checked)"))
    assert style(chosen, "borderBottomColor") != style(other, "borderBottomColor")
    assert style(other, "borderBottomColor") == "rgb(0, 0, 0)"
    current, link = (
        page.locator(f".site-header li a{state}").first for state in ("[aria-current]", ":not([aria-current])")
    )
    assert "underline" in style(current, "textDecorationLine")
    assert style(link, "textDecorationLine") == "none"


RINGS = {
    "[name=context]:checked": "[name=context]:checked + span",
    ".track": ".track:visible .slide:not([inert]) figure",
}
"""What has the ring of an element that can't show its own."""


def test_the_focus_is_outlined_and_an_enlarged_picture_lies_on_white_paper(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, f"{MODEL}#alone/layer-11")
    page.keyboard.press("Tab")
    for focused in (".track", ".steps button", ".ruler-slider input", "[name=context]:checked", ".site-header li a"):
        element = page.locator(f"{focused}:visible").first
        element.focus()
        outlined = page.locator(RINGS[focused]).first if focused in RINGS else element
        assert style(outlined, "outlineStyle") == "solid", focused
        assert style(outlined, "outlineColor") != "rgb(0, 0, 0)", focused
    page.locator("#layers a.plate").first.click()  # plots are drawn there, too
    wait_until_quiet(page)
    seen = pixels(page.locator(".lightbox-view"))
    assert (seen.min(axis=2) > 235).mean() > 0.5
    assert colourful(seen) > 1
