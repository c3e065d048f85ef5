"""What a model's page shows in a browser: its panels, the layer that they show, what stands beside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from browser import wait_until_stable
from playwright.sync_api import Locator, Page, expect
from report_fixture import sample_report, write_site

NOTE = "Two neurons make one dimension very large, at the position where many models build an attention sink. " * 4


def write_noted(folder: Path) -> Path:
    """A site whose author says something of the first model's layer 11."""
    report = sample_report()
    first, *others = report.models
    first = replace(first, notes={**first.notes, "alone/layer-11": f"<p>{NOTE}</p>"})
    return write_site(replace(report, models=(first, *others)), folder)


def state(page: Page) -> dict[str, Any]:
    """What a reader sees: label of the current slide, chosen context and projection, and whether they agree."""
    seen: dict[str, Any] = page.evaluate(
        """() => {
            const [panel, ...others] = [...document.querySelectorAll('.panel')].filter((each) => each.offsetParent);
            const track = panel.querySelector('.track');
            const slide = panel.querySelectorAll('.slide')[Math.round(track.scrollLeft / track.clientWidth)];
            return {
                panels: 1 + others.length,
                slide: slide.getAttribute('aria-label'),
                picture: [...slide.querySelectorAll('.plate > svg, .plate img')].some((each) => each.getClientRects().length),
                output: panel.querySelector('output').value,
                ruler: panel.querySelector('input[type=range]').getAttribute('aria-valuetext'),
                context: panel.dataset.context,
                projection: panel.dataset.projection,
                chosen: [...document.querySelectorAll('.switch input:checked')].map((radio) => radio.value),
            };
        }"""
    )
    return seen


def wait_until_aligned(page: Page) -> None:
    """Wait until every track that is shown stands at the left edge of a slide."""
    wait_until_stable(
        page,
        """() => {
            const leftOf = (each) => each.getBoundingClientRect().left;
            return [...document.querySelectorAll('.track')].filter((each) => each.offsetParent).every((track) =>
                [...track.querySelectorAll('.slide')].some((slide) => Math.abs(leftOf(slide) - leftOf(track)) < 1));
        }""",
    )


def assert_shows(
    page: Page, slide: str, context: str = "alone", projection: str = "standardized", *, picture: bool = True
) -> None:
    page.wait_for_function(
        "(name) => [...document.querySelectorAll('.panel output')].some((each) => each.offsetParent && each.value === name)",
        arg=slide,
    )
    wait_until_aligned(page)
    if picture:
        # Until a plot is drawn its place is empty.
        seen = page.locator(".panel[data-current] .slide:not([inert])").locator(".plate > svg, .plate img")
        expect(seen.filter(visible=True).first).to_be_visible()
    expected = {
        "panels": 1,
        "slide": slide,
        "picture": picture,
        "output": slide,
        "ruler": slide,
        "context": context,
        "projection": projection,
        "chosen": [context, projection],
    }
    # Between its image and its drawing a plot's place is empty for a moment.
    for _ in range(100):
        if state(page) == expected:
            break
        page.wait_for_timeout(50)
    assert state(page) == expected


def ruler(page: Page) -> Locator:
    return page.locator(".panel[data-current] input[type=range]")


def tracks(page: Page) -> list[list[Any]]:
    """Context and depth of every plate that is shown, the chosen context first."""
    wait_until_aligned(page)
    found: list[list[Any]] = page.evaluate(
        """() => [...document.querySelectorAll('.panel[data-current], .panel[data-beside]')]
            .sort((a, b) => b.hasAttribute('data-current') - a.hasAttribute('data-current'))
            .map((panel) => {
                const track = panel.querySelector('.track');
                return [panel.dataset.context, Math.round(track.scrollLeft / track.clientWidth) - 1];
            })"""
    )
    return found


def beside(page: Page) -> Locator:
    """What is chosen to stand beside the words."""
    return page.get_by_label("Compare with")


def choose_beside_by_keyboard(page: Page, letter: str, value: str) -> None:
    """The choice that begins with a letter."""
    beside(page).focus()
    page.keyboard.press(letter)
    expect(beside(page)).to_have_value(value)
