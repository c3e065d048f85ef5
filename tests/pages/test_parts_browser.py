"""Places of many words come in parts: a page asks for those of the depth that it shows, and draws the same as from one script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import OpenPage, wait_until_quiet
from changed_fixture import change_report
from playwright.sync_api import Page, expect
from report_fixture import write_site

from tokviz.pages.explore import explore_data

CHANGE = "change/base-tuned/index.html"
LATE = (0.0, 0.0, 0.0, -0.4, -0.5)
MODEL, EXPLORER = "models/base/index.html", "explore/index.html"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """With the places of all depths in one script, and with a script for each depth."""
    report = change_report(categories={0: LATE}, movers={(4, 5): 4})
    whole = write_site(report, tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explore_data, "PART", 1)
        return whole, write_site(report, tmp_path_factory.mktemp("parts"))


def marks_of(page: Page, where: str) -> list[str]:
    """Where marks and names stand in the plots that are seen, once nothing moves."""
    wait_until_quiet(page)
    found: list[str] = page.locator(where).evaluate_all(
        "(found) => found.filter((each) => each.checkVisibility()).map((each) => each.innerHTML)"
    )
    assert found
    return found


def parts_asked_for(page: Page) -> set[str]:
    names = page.evaluate("() => [...document.scripts].map(({ src }) => src.split('/data/')[1] ?? '')")
    return {name for name in names if "coordinates-" in name and name.removesuffix(".js")[-1].isdigit()}


def of_both(depth: int) -> set[str]:
    return {f"change/base-tuned/{side}/sentence/coordinates-common-{depth}.js" for side in ("before", "after")}


def step(page: Page) -> None:
    page.keyboard.press("ArrowLeft")


def slide_to_first(page: Page) -> None:
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("Home")


@pytest.mark.parametrize(
    ("path", "plots"),
    [
        (f"{CHANGE}#sentence/layer-3", ".slots .plate-svg"),
        (f"{MODEL}#sentence/layer-3", ".panel[data-current] .plate-svg"),
        (f"{EXPLORER}", "[data-ready] svg"),
    ],
    ids=["change", "model", "explorer"],
)
def test_what_is_drawn_is_the_same(open_page: OpenPage, sites: tuple[Path, Path], path: str, plots: str) -> None:
    acts: tuple[Callable[[Page], None], ...] = (lambda _: None, step, step, slide_to_first)
    whole, parts = (open_page(site, path) for site in sites)
    for act in acts:
        for page in (whole, parts):
            act(page)
        assert marks_of(parts, plots) == marks_of(whole, plots)


def test_a_page_of_changes_asks_for_the_depth_that_it_shows_alone(
    open_page: OpenPage, sites: tuple[Path, Path]
) -> None:
    page = open_page(sites[1], CHANGE)
    expect(page.locator(".slots .plate-svg[role=img]")).to_have_count(2)
    wait_until_quiet(page)
    assert parts_asked_for(page) == of_both(4)
    step(page)
    expect(page.locator(".slot").first).to_contain_text("layer 2")
    assert parts_asked_for(page) == of_both(4) | of_both(3)
