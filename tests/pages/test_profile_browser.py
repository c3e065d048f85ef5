"""The profile in a real browser: under the plots, sorted within each context, whole on a phone and without scripts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import random_profile
from browser import (
    COUNT_SHIFTS,
    DESKTOP,
    PHONE,
    OpenPage,
    box_of,
    expect_accessible_at_all_sizes,
    layout_shift,
    wait_until_quiet,
)
from differing_fixture import differing_report
from playwright.sync_api import Page
from report_fixture import write_site

PAGE = "compare/index.html"


def seed_of(n_models: int) -> int:
    return next(seed for seed in range(1000) if len(random_profile.report(seed).models) == n_models)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(differing_report(2, lambda *_: 0.3), tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many models that not all pairs are measured: some values aren't known."""
    report = random_profile.report(seed_of(random_profile.MOST_MODELS))
    not_by_word = tuple(replace(each, paired=None) for each in report.differences)
    return write_site(replace(report, differences=not_by_word), tmp_path_factory.mktemp("several"))


def test_the_profile_of_two_models_stands_under_the_plots_and_fits_every_width(open_page: OpenPage, two: Path) -> None:
    page = open_page(two, PAGE, viewport=DESKTOP)
    viewer, profile = box_of(page.locator(".compare")), box_of(page.locator(".profile"))
    assert viewer["y"] + viewer["height"] <= profile["y"]
    assert page.locator(".profile circle").count() == 2 * 2 * 2
    table, frame = box_of(page.locator(".profile table")), box_of(page.locator(".profile .scroll"))
    assert table["width"] <= frame["width"] + 1
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert_texts_begin_with_the_headings_and_lines_are_short(page, width)


def assert_texts_begin_with_the_headings_and_lines_are_short(page: Page, width: int) -> None:
    left = box_of(page.locator("h1"))["x"]
    assert box_of(page.locator("#profile"))["x"] == left
    said = [box_of(each) for each in page.locator(".profile .said").first.locator("> div").all()]
    assert said[0]["x"] == left
    assert (said[0]["y"] == said[1]["y"]) == (width == 1280)
    assert max(box_of(each)["width"] for each in page.locator(".profile .said p").all()) <= 46 * 18
    # What may be wider than the text is never narrower.
    assert box_of(page.locator(".profile .scroll"))["x"] <= left


@pytest.mark.thorough
def test_models_are_sorted_and_axe_finds_nothing(open_page: OpenPage, several: Path) -> None:
    """Light in a wide window and dark on a phone."""
    page = open_page(several, PAGE, before=COUNT_SHIFTS)
    wait_until_quiet(page)
    assert layout_shift(page) < 0.05
    assert_models_are_sorted_within_their_context(page)
    expect_accessible_at_all_sizes(page, ".profile")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def assert_models_are_sorted_within_their_context(page: Page) -> None:
    heading = page.locator(".profile thead th").nth(2)
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    bodies = page.locator(".profile tbody")
    assert bodies.count() == 2
    for body in bodies.all():
        assert body.locator("tr").first.locator("th[scope=rowgroup]").count() == 1
        cells = body.locator("tr > :nth-child(3)").evaluate_all("(all) => all.map((each) => each.dataset.sort)")
        known = [float(each) for each in cells if each]
        assert known == sorted(known, reverse=True)
        assert all(cells[: len(known)])  # what isn't known comes last


def test_without_scripts_it_is_whole(open_page: OpenPage, two: Path) -> None:
    page = open_page(two, PAGE, java_script_enabled=False)
    assert page.locator(".profile button:not(.term)").count() == 0
    said = page.locator(".profile").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "is further above chance than Model number 1 in category purity (by 0.10, interval 0.07–0.13)" in said
