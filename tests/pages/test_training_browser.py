"""A model's real training in a browser: from its checkpoints through the whole run to what a reader sees."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from at_once import run_at_once
from browser import COUNT_SHIFTS, PHONE, OpenPage, box_of, layout_shift, wait_until_quiet
from playwright.sync_api import Page, expect
from training_series import REPORT, TrainingSeries

from tokviz.config import ReportConfig

pytestmark = [pytest.mark.slow, pytest.mark.thorough]
PAGE = "series/tiny/index.html"
STEPS = (0, 16, 32, 300)
"""Of the checkpoints: before the training, two that follow each other while it goes on, and its end."""
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def site(tiny_series: TrainingSeries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    table = {
        "name": "Tiny",
        "sources": [str(tiny_series.checkpoint(step)) for step in STEPS],
        "steps": list(STEPS),
    }
    config = ReportConfig.model_validate({**REPORT, "series": [table]})
    run_at_once(config, folder)
    return folder / "site"


def title(page: Page, text: str) -> None:
    expect(page.locator(".series-viewer .plate-head")).to_have_text(text)


def test_the_published_numbers_grow_from_chance(site: Path) -> None:
    purity, announced = defaultdict(list), defaultdict(list)
    with (site / "data/series/tiny.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            purity[int(row["step"]), row["context"]].append(float(row["purity"]))
            announced[int(row["step"]), row["context"]].append(row["purity_announced"] == "1")
    last = STEPS[-1]
    for context in ("alone", "picture", "school"):
        assert not any(announced[0, context])
        assert max(purity[0, context]) < 0.3
        assert all(announced[last, context])
        assert max(purity[last, context]) > 0.6


def test_a_reader_goes_through_the_training(site: Path, open_page: OpenPage) -> None:
    page = open_page(site, f"{PAGE}#school/layer-0/step-16", before=COUNT_SHIFTS)
    title(page, "step 16· at school · layer 0")
    wait_until_quiet(page)
    assert layout_shift(page) == 0
    expect(page.get_by_role("radio", name="at school")).to_be_checked()
    expect(page.get_by_text("Each word is read in “at school …”.")).to_be_visible()
    expect(page.locator(".finding [data-current]")).to_contain_text("Words at school: categories hold from step")
    page.get_by_role("slider", name="Checkpoint").focus()
    page.keyboard.press("ArrowRight")
    title(page, "step 32· at school · layer 0")
    table = page.get_by_role("table", name="Categories, at school")
    table.get_by_role("row", name="layer 1").get_by_role("cell").last.click()
    title(page, "step 300· at school · layer 1")
    page.wait_for_url("**#school/layer-1/step-300")
    page.clock.install()
    page.get_by_role("button", name="Play").click()
    title(page, "step 0· at school · layer 1")
    page.clock.run_for(20_000)
    title(page, "step 300· at school · layer 1")


def test_with_one_scale_the_words_spread_out_while_they_are_learned(site: Path, open_page: OpenPage) -> None:
    page = open_page(site, f"{PAGE}#alone/layer-1/step-0")
    title(page, "step 0· alone · layer 1")
    own = spread_of(page)
    page.get_by_role("radio", name="one for all").check()
    expect(page.locator("[data-series-caption]")).to_have_text(
        "Axes: those of step 300, one scale for all checkpoints."
    )
    page.wait_for_url("**#alone/layer-1/step-0/common")
    wait_until_quiet(page)
    before = spread_of(page)
    assert before < own / 3
    page.goto(f"{page.url.split('#')[0]}#alone/layer-1/step-300/common")
    title(page, "step 300· alone · layer 1")
    assert spread_of(page) > 3 * before
    expect(page.get_by_role("radio", name="one for all")).to_be_checked()
    page.get_by_role("radio", name="its own", exact=True).check()
    expect(page.get_by_role("radio", name="one for all")).to_be_disabled()


def spread_of(page: Page) -> float:
    """How far the marks of the plot reach, in pixels."""
    places = page.locator(".series-viewer .plate-marks > g").evaluate_all(
        "marks => marks.map((each) => { const { x, y } = each.getBoundingClientRect(); return [x, y]; })"
    )
    return float(np.ptp(np.array(places), axis=0).max())


def test_it_can_be_read_without_scripts_on_a_phone(site: Path, open_page: OpenPage) -> None:
    page = open_page(site, PAGE, java_script_enabled=False, viewport=PHONE)
    images = page.locator(".series-viewer img:visible")
    assert [each.get_attribute("alt") for each in images.all()] == [f"step {step}, layer 0, alone" for step in (300, 0)]
    charts = page.locator("#charts .multiples:visible")
    assert charts.count() == 3
    assert box_of(charts.last)["height"] > 50
    assert not page.evaluate(OVERFLOWS)
