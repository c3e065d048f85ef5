"""The page of a series in a real browser: one plot of any checkpoint at any depth, by sliders, maps, address and playing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
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
from playwright.sync_api import Locator, Page, expect
from rendered import Rendered
from report_fixture import SENTENCE, write_site
from series_fixture import series_report

from tokviz.pages.series import series_data
from tokviz.records import AttentionToFirst, Checkpoint, ContextReport, ModelReport, Problem, Report

SERIES = "series/grown/index.html"
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(series_report(), tmp_path_factory.mktemp("series"))


def with_attention(report: Report) -> Report:
    """Measured of words in a sentence alone."""
    attention = AttentionToFirst(template=SENTENCE.template, words=("word0a",), mean=(0.5,) * 3, share=(0.5,) * 3)

    def measured(model: ModelReport) -> ModelReport:
        alone, sentence = model.contexts
        states = replace(sentence.states, attention=(attention,))
        return replace(model, contexts=(alone, replace(sentence, states=states)))

    (series,) = report.series
    checkpoints = tuple(replace(each, model=measured(each.model)) for each in series.checkpoints)
    return replace(report, series=(replace(series, checkpoints=checkpoints),))


def title(page: Page) -> Locator:
    """Of the plot that is drawn: checkpoint, context and depth."""
    return page.locator(".series-viewer .plate-head")


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def test_sliders_maps_and_addresses_show_any_checkpoint_at_any_depth(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{SERIES}#alone/layer-2/step-32", before=COUNT_SHIFTS)
    expect(title(page)).to_have_text("step 32· alone · layer 2")
    wait_until_quiet(page)
    assert layout_shift(page) == 0
    at, caption = page.locator(".series-map .at"), page.locator("[data-series-caption]")
    expect(at).to_have_count(1)
    slider(page, "Checkpoint").focus()
    page.keyboard.press("ArrowLeft")
    expect(title(page)).to_have_text("step 16· alone · layer 2")
    expect(slider(page, "Checkpoint")).to_have_attribute("aria-valuetext", "step 16")
    page.get_by_role("table", name="Categories, alone").get_by_role("row", name="layer 0").get_by_role("cell").nth(
        3
    ).click()
    expect(title(page)).to_have_text("step 64· alone · layer 0")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text("step 64· alone · layer 1")
    expect(slider(page, "Depth")).to_have_value("2")
    page.get_by_role("radio", name="in a sentence").check()
    expect(title(page)).to_have_text("step 64· in a sentence · layer 1")
    expect(page.locator(".series-strip:visible")).to_have_count(5)
    page.get_by_role("radio", name="its own").check()
    expect(caption).to_contain_text("33 %")
    page.get_by_label("Measure").select_option("Effective rank")
    expect(page.locator(".series-map:visible")).to_have_attribute("data-measure", "rank")
    page.wait_for_url("**#sentence/layer-1/step-64/own&map=rank")
    page.reload()
    expect(title(page)).to_have_text("step 64· in a sentence · layer 1")
    expect(page.get_by_role("radio", name="its own")).to_be_checked()
    expect(page.get_by_label("Measure")).to_have_value("rank")
    page.evaluate("location.hash = '#alone/embedding/step-0'")
    expect(title(page)).to_have_text("step 0· alone · embedding")
    expect(caption).to_have_text("Axes: those of step 128.")
    expect(page.get_by_label("Measure")).to_have_value("purity")


def test_a_measure_that_a_context_lacks_is_said_to_be_missing(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(
        write_site(with_attention(series_report()), tmp_path), f"{SERIES}#sentence/layer-2/step-32&map=attention"
    )
    missing = page.get_by_text("This isn’t measured in this context.")
    expect(page.get_by_role("table", name="Attention to position 0, in a sentence")).to_be_visible()
    expect(missing).to_be_hidden()
    page.get_by_role("radio", name="alone").check()
    expect(page.locator(".series-map:visible")).to_have_count(0)
    expect(missing).to_be_visible()
    page.get_by_label("Measure").select_option("Categories")
    expect(missing).to_be_hidden()


def test_playing_ends_at_the_last_checkpoint_or_with_a_slider(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{SERIES}#alone/layer-2/step-32")
    page.clock.install()
    expect(title(page)).to_have_text("step 32· alone · layer 2")
    page.get_by_role("button", name="Play").click()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_have_attribute("aria-pressed", "true")
    expect(slider(page, "Checkpoint")).to_have_attribute("aria-valuetext", "step 64")
    page.clock.run_for(3000)
    expect(slider(page, "Checkpoint")).to_have_attribute("aria-valuetext", "step 128")
    expect(stop).to_have_count(0)
    page.get_by_role("button", name="Play").click()
    expect(slider(page, "Checkpoint")).to_have_attribute("aria-valuetext", "step 0")
    slider(page, "Depth").focus()
    page.keyboard.press("ArrowLeft")
    expect(stop).to_have_count(0)


def test_it_can_be_used_by_everyone_and_fits(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, SERIES)
    expect(title(page)).to_be_attached()
    plot, checkpoint = page.locator(".series-viewer .plate"), page.locator("[data-series-range=step]")
    expect_accessible_at_all_sizes(page)
    for size, height in ((PHONE, PHONE["height"]), (DESKTOP, 800)):
        page.set_viewport_size({"width": size["width"], "height": height})
        wait_until_quiet(page)
        box = box_of(plot)
        assert box["y"] + box["height"] - box_of(checkpoint)["y"] < height
        assert not page.evaluate(OVERFLOWS)


def test_of_many_maps_those_that_are_seen_get_their_numbers(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = series_report(n_checkpoints=2, n_layers=1)
    drawn = Rendered(report)[SERIES]
    monkeypatch.setattr(series_data, "MOST_CELLS", 0)
    page = open_page(write_site(report, tmp_path), f"{SERIES}#sentence/layer-0/step-16")
    for measure in ("purity", "rank"):
        page.get_by_label("Measure").select_option(measure)
        wanted = drawn.one(f"#maps [data-measure={measure}][data-context=sentence]").texts("td")
        expect(page.locator("#maps td:visible")).to_have_text(wanted)
        expect(page.locator("#maps .at")).to_have_text(wanted[3])  # the second of two checkpoints, at layer 0


def test_without_scripts_the_ends_are_images_and_all_maps_are_tables(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, SERIES, java_script_enabled=False, viewport=PHONE)
    images = page.locator(".series-viewer img:visible")
    expect(images).to_have_count(2)
    assert [each.get_attribute("alt") for each in images.all()] == [f"step {step}, layer 1, alone" for step in (128, 0)]
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    maps = page.locator("#maps table:visible")
    headings = page.locator("#maps h3:visible")
    assert maps.count() == headings.count() == 8
    assert box_of(headings.last)["height"] > 10
    expect(page.locator(".series-strip:visible")).to_have_count(10)
    assert not page.evaluate(OVERFLOWS)


def test_the_first_page_names_it_with_its_finding(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "index.html")
    expect(page.locator(".headline")).to_have_text(
        "Words alone: categories hold from step 16 on, first at every depth; values are massive at every checkpoint, first at layer 0."
    )
    expect(page.locator(".model-strips")).to_contain_text("5 checkpoints, from step 0 to step 128")
    expect_accessible_at_all_sizes(page)
    page.get_by_role("link", name="step 128, alone").click()
    expect(title(page)).to_have_text("step 128· alone · embedding")


def test_own_axes_have_their_own_scale_and_addresses_say_what_is_shown(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{SERIES}#alone/layer-2/step-3/common")
    expect(title(page)).to_have_text("step 128· alone · layer 2")
    page.wait_for_url("**#alone/layer-2/step-128/common")
    page.get_by_role("radio", name="its own").check()
    expect(page.get_by_role("radio", name="of each plot")).to_be_checked()
    page.get_by_role("radio", name="of the reference").check()
    expect(page.get_by_role("radio", name="one for all")).to_be_checked()
    drawing = page.locator(".series-viewer .plate-svg[role=img]")
    expect(drawing).to_have_attribute("data-projection", re.compile("axes of step 128, one scale for all checkpoints$"))
    page.evaluate("location.hash = ''")
    expect(title(page)).to_have_text("step 128· alone · layer 1")
    expect(page.get_by_role("radio", name="of each plot")).to_be_checked()


def test_a_checkpoint_without_a_plot_says_why(open_page: OpenPage, tmp_path: Path) -> None:
    report = series_report()
    (series,) = report.series
    alike = tuple(without_plots(each) if each.step == 32 else each for each in series.checkpoints)
    site = write_site(replace(report, series=(replace(series, checkpoints=alike),)), tmp_path)
    page = open_page(site, f"{SERIES}#alone/layer-2/step-32")
    reason = page.get_by_text("All reference words have the same hidden state here")
    expect(reason).to_be_visible()
    expect(page.get_by_role("button", name="Save as PNG")).to_be_hidden()
    slider(page, "Checkpoint").focus()
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text("step 64· alone · layer 2")
    expect(reason).to_be_hidden()


def without_plots(checkpoint: Checkpoint) -> Checkpoint:
    def without(context: ContextReport) -> ContextReport:
        found = []
        for shown in context.projections:
            none = (Problem(kind="equal_states"),) * len(shown.plates)
            nowhere = np.full_like(shown.projection.coordinates, np.nan)
            found.append(
                replace(shown, projection=replace(shown.projection, problems=none, coordinates=nowhere), strip=None)
            )
        return replace(context, projections=tuple(found))

    contexts = tuple(map(without, checkpoint.model.contexts))
    return replace(checkpoint, model=replace(checkpoint.model, contexts=contexts))
