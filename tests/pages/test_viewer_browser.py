"""A model's viewer in one window of a laptop: ruler, plot, its line, and what the author says of the layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import OpenPage, served
from engines import ENGINES, Engine, Missing, click, wait_for
from playwright.sync_api import ViewportSize, expect
from report_fixture import sample_report, write_site

MODEL = "models/smol-30/index.html"
WIDTH, HEIGHT = 1280, 800
NOTE = "Two neurons make one dimension very large, at the position where many models build an attention sink. " * 4
BOXES = """() => Object.fromEntries(Object.entries({
    ruler: ".panel[data-current] .ruler", plot: ".slide:not([inert]) .plate", line: ".slide:not([inert]) figcaption",
    note: ".panel[data-current] .look .voice", steps: ".steps", look: ".look [data-look]",
}).map(([name, selector]) => {
    const found = [...document.querySelectorAll(selector)].find((each) => each.getClientRects().length);
    const box = found?.getBoundingClientRect();
    return [name, box ? [box.left, box.top + scrollY, box.right, box.bottom + scrollY] : null];
}))"""
"""Left, top, right and bottom of what is shown."""


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose author says something of layer 11, as who has its fonts already sees it: a first visit may show others."""
    report = sample_report()
    model = replace(report.models[0], notes={**report.models[0].notes, "alone/layer-11": f"<p>{NOTE}</p>"})
    site = write_site(replace(report, models=(model, *report.models[1:])), tmp_path_factory.mktemp("noted"))
    styles = site / "assets" / "site.css"
    styles.write_text(
        styles.read_text(encoding="utf-8").replace("font-display: optional", "font-display: block"), encoding="utf-8"
    )
    return site


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        with ENGINES[request.param]() as started:
            yield started
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def test_all_of_it_is_seen_at_once_and_no_button_moves(engine: Engine, noted: Path) -> None:
    engine.resize(WIDTH, HEIGHT)
    with served(noted) as address:
        engine.go(f"{address}{MODEL}")
        wait_for(engine, "document.querySelector('.plate[data-drawn] > svg')")
        first = engine.run(BOXES)
        assert first["note"] is None, "at first it says what to look for"
        assert first["look"] is not None
        engine.go(f"{address}{MODEL}#alone/layer-10")
        wait_for(engine, "document.querySelector('.plate[data-drawn] > svg')")
        before = engine.run(BOXES)
        click(engine, "[data-step='1']")
        wait_for(engine, "document.querySelector('.panel[data-current] .look .voice:not([hidden])')")
        shown = engine.run(BOXES)
        for name in ("ruler", "plot", "line", "note"):
            assert shown[name][3] <= HEIGHT, name
        assert shown["note"][0] >= shown["plot"][2], "beside the plot"
        assert abs(shown["note"][1] - shown["plot"][1]) < 30, "at its top"
        assert shown["look"] is None
        assert shown["plot"][2] - shown["plot"][0] >= 500
        for name in ("ruler", "steps"):
            assert shown[name] == before[name] == first[name], name


@pytest.mark.parametrize("viewport", [{"width": 820, "height": 1180}, {"width": 390, "height": 844}])
@pytest.mark.parametrize("has_scripts", [True, False])
def test_in_narrow_windows_and_without_scripts_it_stands_under_the_plot(
    open_page: OpenPage, noted: Path, viewport: ViewportSize, has_scripts: bool
) -> None:
    page = open_page(noted, f"{MODEL}#alone/layer-11", viewport=viewport, java_script_enabled=has_scripts)
    note = page.locator("[id='alone/layer-11'] .voice")
    expect(note).to_be_visible()
    expect(page.locator(".look .voice").first).to_be_hidden()
    line = page.locator("[id='alone/layer-11'] figcaption")
    under, above = note.bounding_box(), line.bounding_box()
    assert under is not None
    assert above is not None
    assert 0 <= under["y"] - above["y"] - above["height"] < 40


@pytest.mark.parametrize("width", [1280, 820, 390, 1500])
def test_the_contents_say_what_is_read(open_page: OpenPage, noted: Path, width: int) -> None:
    page = open_page(noted, MODEL, viewport={"width": width, "height": 844})
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
    heading = page.locator("#curves h2").bounding_box()
    bar = page.locator(".contents").bounding_box()
    assert heading is not None
    assert bar is not None
    assert 0 <= heading["y"] < 200
    if width == 1500:
        assert bar["x"] + bar["width"] <= heading["x"], "beside the page"
    else:
        assert bar["y"] + bar["height"] <= heading["y"], "nothing lies under it"
        assert bar["y"] == pytest.approx(0, abs=1)
    if width == 390:
        expect(links.first).to_be_hidden()
