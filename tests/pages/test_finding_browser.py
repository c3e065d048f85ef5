"""The first page opens with its finding and a picture of it, which is seen whole, needs no script, and leads to its plots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import random_geometry
from browser import COUNT_SHIFTS, PHONE, OpenPage, box_of, expect_accessible, layout_shift, served
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import sample_report, write_site

from tokviz.records import Opening

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
PLOTS = ".glance-row a"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The words lie elsewhere at each depth."""
    report, random = sample_report(), np.random.default_rng(3)
    deep, *others = report.models
    deep = replace(deep, contexts=tuple(random_geometry.scattered(each, random) for each in deep.contexts))
    with served(
        write_site(
            replace(report, models=(deep, *others), opening=Opening(lead="break")), tmp_path_factory.mktemp("finding")
        )
    ) as address:
        yield address


def tops(page: Page) -> list[int]:
    """Of every plot, in the order of the document."""
    found: list[int] = page.locator(PLOTS).evaluate_all(
        "(plots) => plots.map((each) => Math.round(each.getBoundingClientRect().top))"
    )
    return found


@pytest.mark.parametrize("scripts", [True, False])
def test_the_first_screen_has_the_finding_and_the_whole_picture(open_page: OpenPage, site: str, scripts: bool) -> None:
    page = open_page(site, "index.html", viewport=LAPTOP, java_script_enabled=scripts, before=COUNT_SHIFTS)
    sentence, grid = page.locator(".headline"), page.locator(".glance-grid")
    assert sentence.inner_text() == "In Smol-135M-Instruct, at layer 11, two neurons stretch words alone into a line."
    assert all(part in page.locator(".certainty").inner_text() for part in ("Two of 1,536", "99.7", "20.0"))
    assert box_of(grid)["y"] + box_of(grid)["height"] < LAPTOP["height"]
    assert box_of(sentence)["y"] < box_of(grid)["y"]
    expect(page.locator(PLOTS)).to_have_count(21)
    assert len(set(tops(page))) == 3
    assert page.locator(".glance-row b").inner_text() == "layer 11"
    assert page.locator(".glance figcaption li").count() == 3
    if scripts:
        assert layout_shift(page) < 0.01
        expect_accessible(page)


def test_a_plot_leads_to_its_place(open_page: OpenPage, site: str) -> None:
    page = open_page(site, "index.html", viewport=LAPTOP)
    page.locator(PLOTS).nth(3).click()
    page.wait_for_url("**/models/smol-30/index.html#alone/layer-11/centered")
    expect(page.locator(".panel[data-current] output").first).to_have_text("layer 11")


def test_on_a_phone_depths_are_rows_and_the_break_comes_first(open_page: OpenPage, site: str) -> None:
    page = open_page(site, "index.html", viewport=PHONE, color_scheme="dark")
    box = box_of(page.locator(".headline"))
    assert box["y"] + box["height"] < PHONE["height"]
    by_row = np.array(tops(page)).reshape(3, 7)
    assert (by_row == by_row[0]).all(), "each depth is a row"
    names = page.locator(".glance-row:first-child > span").all_inner_texts()[1:]
    in_order = [name for _, name in sorted(zip(by_row[0], names, strict=True))]
    assert in_order[:2] == ["layer 10", "layer 11"]
    assert sorted(in_order[3:], key=names.index) == in_order[3:]
    heads = [box_of(head) for head in page.locator(".glance-row:not(:first-child) > span:first-child").all()]
    assert all(one["x"] + one["width"] <= other["x"] for one, other in pairwise(heads))
    for width in (PHONE["width"], 320):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    expect_accessible(page, schemes=("light",))
