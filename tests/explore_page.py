"""The explorer's page in a browser: opened, and what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from browser import OpenAt, OpenPage, box_of, wait_until_quiet
from playwright.sync_api import Locator, Page, expect

PAGE = "explore/index.html"


def explorer(open_page: OpenPage) -> OpenAt:
    """Opens the explorer, and waits until it shows a plot whose marks and labels stand still."""

    def opened(folder: Path | str, fragment: str = "", /, **options: Any) -> Page:
        page = open_page(folder, f"{PAGE}{fragment}", **options)
        if options.get("java_script_enabled", True):
            wait_until_ready(page)
            wait_until_quiet(page)
        return page

    return opened


def wait_until_ready(page: Page) -> None:
    """Wait until the explorer has opened its address; also from the page before it, and while it is parsed."""
    expect(page.locator("[data-explore][data-ready]")).to_be_attached()


def expect_depths(page: Page, *names: str) -> None:
    """Expect the depth of each picture, and with it that all its data were loaded."""
    expect(page.locator(".view-depth")).to_have_text(names)


def chosen(page: Page) -> list[str]:
    """Model, context and projection of each picture."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('[data-view]')].map((view) =>
            [...view.querySelectorAll('select')].map((select) => select.value).join('/'))"""
    )
    return found


def show_side_by_side(page: Page, *names: str) -> None:
    """Add a second picture; ``names`` are the depths of both."""
    page.get_by_role("button", name="Side by side").click()
    expect_depths(page, *names)
    wait_until_quiet(page)


def plot(page: Page) -> Locator:
    return page.locator("[data-plot]").first


def readout(page: Page) -> Locator:
    return page.locator(".readout").first


def nearest(page: Page) -> Locator:
    """The neighbors of the word that is pointed at, in the first picture."""
    return readout(page).locator("li")


def current_name(page: Page) -> str:
    """The word that is pointed at, as soon as there is one."""
    name = page.locator(".names .current")
    expect(name).to_be_visible()
    return name.text_content() or ""


def place_of(page: Page, row: int) -> tuple[float, float]:
    """Where a word's mark is in the first picture, in pixels of the window."""
    box = box_of(page.locator(".plot-inner").first)
    transform = plot(page).locator(".plot-marks > g").nth(row).get_attribute("transform")
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", transform or ""))
    return box["x"] + x, box["y"] + y


def point_at(page: Page, row: int) -> None:
    page.mouse.move(*place_of(page, row))


def pins(page: Page) -> list[str]:
    return [name.removesuffix(" ×") for name in page.locator(".pins button[aria-label]").all_inner_texts()]
