"""Relations and orders in a browser: the plots show the carousel's layer and words, and can be read at every width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import (
    COUNT_SHIFTS,
    OpenPage,
    box_of,
    expect_accessible,
    layout_shift,
    served,
    wait_for_address,
    wait_until_quiet,
    wait_until_stable,
)
from playwright.sync_api import Browser, Page, expect
from related_fixture import ORDERS, RELATION, WORDS, related_report
from report_fixture import write_site

from tokviz.records import Report

MODEL = "models/smol-30/index.html"
NAME = related_report().models[0].display_name
LEAST = 11
"""CSS pixels of a word."""
NAMES = """(plot) => [...plot.querySelectorAll("text")].map((text) => {
    const box = text.getBoundingClientRect();
    return [text.textContent, Number.parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a, box.left, box.right];
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(related_report(), tmp_path_factory.mktemp("related"))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(crowded_report(), tmp_path_factory.mktemp("crowded"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


def opened(open_page: OpenPage, site: Path, address: str) -> Page:
    page = open_page(site, f"{MODEL}#{address}")
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(page.locator(".related-plot svg")).to_have_count(3)
    return page


def test_every_word_can_be_read_within_its_plot_and_beside_the_name_of_the_layer(
    open_page: OpenPage, site: Path
) -> None:
    page = opened(open_page, site, "alone/layer-11")
    expected = [[word for pair in RELATION.pairs for word in pair], *(list(order.words) for order in ORDERS)]
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("#relations h2").scroll_into_view_if_needed()
        wait_until_quiet(page)
        for plot, words in zip(page.locator(".related-plot").all(), expected, strict=True):
            where, *names = plot.evaluate(NAMES)
            assert where[0] == "layer 11, alone"
            assert [name for name, *_ in names] == words
            box = box_of(plot)
            assert min(size for _, size, *_ in names) >= LEAST, width
            assert min(left for *_, left, _ in names) >= box["x"] - 1, width
            assert max(right for *_, right in names) <= box["x"] + box["width"] + 1, width
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), width
        assert_no_name_lies_on_a_line(page)
        assert_nothing_lies_on_the_name_of_the_layer(page)


def assert_no_name_lies_on_a_line(page: Page) -> None:
    """Where there is room."""
    crossed = page.evaluate("""() => [...document.querySelectorAll(".related-plot")].map((plot) => {
        const path = plot.querySelector(".related-lines");
        const boxes = [...plot.querySelectorAll(".related-name")].map((text) => text.getBBox());
        const length = path.getTotalLength();
        const points = Array.from({ length: 800 }, (_, step) => path.getPointAtLength(length * step / 800));
        const inside = ({ x, y, width, height }) => ({ x: a, y: b }) => a > x && a < x + width && b > y + 3 && b < y + height - 3;
        return boxes.filter((box) => points.filter(inside(box)).length > 3).length / boxes.length;
    })""")
    assert max(crossed) < 0.35, crossed


def assert_nothing_lies_on_the_name_of_the_layer(page: Page) -> None:
    """Nor of those before it; at the end layer 11 is shown."""
    for depth in range(5, 13):
        page.evaluate(
            "depth => document.querySelector('[data-viewer]').dispatchEvent(new CustomEvent('shown', { detail: { depth } }))",
            depth,
        )
        expect(page.locator(".related-where").first).to_have_text(f"layer {depth - 1}, alone")
        covered = page.evaluate("""() => [...document.querySelectorAll(".related-plot")].flatMap((plot) => {
            const layer = plot.querySelector(".related-where").getBoundingClientRect();
            return [...plot.querySelectorAll(".related-name, circle:not(.related-ring)")].filter((each) => {
                const box = each.getBoundingClientRect();
                return box.left < layer.right && box.top < layer.bottom - 4;
            }).map((each) => each.textContent);
        })""")
        assert covered == [], depth


def assert_pairs_are_joined_and_a_circle_is_closed(page: Page) -> None:
    pairs, circle, line = (
        plot.locator(".related-lines").get_attribute("d") or "" for plot in page.locator(".related-plot").all()
    )
    assert pairs.count("M") == pairs.count("L") == len(RELATION.pairs)
    assert (circle.count("L"), circle[-1]) == (len(ORDERS[0].words) - 1, "Z")
    assert (line.count("L"), line[-1] == "Z") == (len(ORDERS[1].words) - 1, False)
    # The true place runs upwards, from the first word to the last.
    heights = [
        float(each.get_attribute("cy") or 0) for each in page.locator(".related-plot").nth(2).locator("circle").all()
    ]
    assert all(one > other for one, other in pairwise(heights))


def test_the_plots_have_their_lines_follow_the_carousel_and_are_on_paper(open_page: OpenPage, site: Path) -> None:
    page = opened(open_page, site, "alone/layer-11")
    assert_pairs_are_joined_and_a_circle_is_closed(page)
    first = page.locator(".related-plot").first
    before = first.locator("path").get_attribute("d")
    page.keyboard.press("ArrowRight")
    expect(first.locator("svg")).to_have_attribute("aria-label", "First → second, layer 12, alone")
    assert first.locator("path").get_attribute("d") != before
    page.locator(".switch input[value=sentence]").check(force=True)
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(first.locator("svg")).to_have_attribute("aria-label", "First → second, layer 12, in a sentence")
    said = page.locator(".related-figures p[data-context]:visible strong")
    assert said.all_text_contents() == ["Words in a sentence."] * 3
    page.emulate_media(media="print")
    for plot in page.locator("#relations .related-plot svg").all():
        expect(plot).to_be_visible()
    page.emulate_media(media="screen")
    # A layer without a plot says so.
    page.evaluate("location.hash = '#alone/layer-1'")
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(first).to_have_text("Not defined at layer 1.")


@pytest.mark.thorough
def test_without_scripts_what_was_found_is_read(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    expect(page.locator(".related-plot").first).to_be_hidden()
    expect(page.locator("#relations [data-follow]").first).to_contain_text("Words alone.")


@pytest.mark.thorough
def test_a_lost_script_leaves_what_is_said_and_lost_numbers_are_told(browser: Browser, site: Path) -> None:
    for lost in ("assets/related-plot.js", "data/smol-30/alone/relations.js"):
        page = browser.new_page()
        page.route(f"**/{lost}", lambda route: route.abort())
        page.goto(f"{(site / MODEL).as_uri()}#alone/layer-11", wait_until="load")
        page.locator("#relations > summary").click()
        plots = page.locator(".related-plot")
        if lost.startswith("assets"):
            expect(plots).to_have_count(0)
        else:
            expect(plots.first).to_contain_text("could not be loaded")
        expect(page.locator("#relations [data-follow]").first).to_contain_text("Words alone.")
        page.close()


def crowded_report() -> Report:
    """A relation that no capture has enough pairs of, and an order of sixty words; in a sentence nothing was measured."""
    report, random = related_report(), np.random.default_rng(1)
    models = []
    for model in report.models:
        contexts = []
        for context in model.contexts:
            relations, n_depths = context.relations, context.states.n_depths
            assert relations is not None
            few = replace(
                relations.relations[0],
                rows=np.empty((0, 2), dtype=np.int64),
                coordinates=np.empty((n_depths, 0, 2, 2), dtype=np.float32),
            )
            many = replace(
                relations.orders[0],
                rows=np.arange(60),
                places=np.arange(60),
                n_places=60,
                held_out=random.uniform(-1, 1, (n_depths, 60, 2)).astype(np.float32),
            )
            own = replace(relations, relations=(few,), orders=(many, *relations.orders[1:]))
            is_alone = context.states.context.name == "alone"
            contexts.append(replace(context, relations=own if is_alone else None))
        models.append(replace(model, contexts=tuple(contexts)))
    months, *others = report.orders
    sixty = replace(months, words=tuple(f"word {place}" for place in range(60)))
    return replace(report, models=tuple(models), orders=(sixty, *others))


@pytest.mark.thorough
def test_names_that_would_cover_others_are_left_to_their_marks(open_page: OpenPage, crowded: Path) -> None:
    page = open_page(crowded, f"{MODEL}#alone/layer-11")
    page.locator("#relations h2").scroll_into_view_if_needed()
    unmeasured, many, _ = page.locator(".related-plot").all()
    expect(many.locator("svg")).to_be_visible()
    # What wasn't measured has no empty plot.
    expect(unmeasured).to_be_hidden()
    names = many.locator("text.related-name")
    assert 15 < names.count() < 60
    assert not many.evaluate("""(plot) => {
        const boxes = [...plot.querySelectorAll(".related-name")].map((text) => text.getBoundingClientRect());
        const least = (one, other, low, high) => Math.min(one[high], other[high]) - Math.max(one[low], other[low]);
        return boxes.some((one, index) => boxes.slice(index + 1).some((other) =>
            least(one, other, "left", "right") > 2 && least(one, other, "top", "bottom") > 5));
    }""")
    marks = many.locator("circle:not(.related-ring) title")
    assert marks.all_text_contents() == list(WORDS.words[:60])


# --- in place of all words: in carousel, compare and explorer ---------------------------------------------------------

CHOICE = "[data-related-choice]"
PANE = ".related-pane svg"


def expect_shown(page: Page, *names: str) -> None:
    """One after the other, in place of plates."""
    panes = page.locator(".slide:not([inert]) .related-pane, :is(.slot, .view) .related-pane")
    expect(panes.locator("svg")).to_have_count(len(names))
    for pane, name in zip(panes.all(), names, strict=True):
        expect(pane.locator("svg")).to_have_attribute("aria-label", name)
        expect(pane).to_be_visible()


def test_the_carousel_shows_a_relation_where_its_plate_was(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-11", before=COUNT_SHIFTS)
    figure = page.locator(".slide:not([inert]) figure").first
    wait_until_quiet(page)
    before, shift = box_of(figure), layout_shift(page)
    page.locator(CHOICE).select_option(label=RELATION.label)
    expect_shown(page, f"{NAME}: First → second, layer 11, alone")
    assert box_of(figure) == before
    expect(figure.locator(".plate")).to_be_hidden()
    expect(figure.locator(".related-how")).to_contain_text("first two principal components of these words")
    wait_for_address(page, "#alone/layer-11&related=relation-pairs")
    # Steps and contexts keep it, and the size of its plot; a list that has the focus leaves arrows to steps.
    page.locator(CHOICE).focus()
    size = box_of(page.locator(".slide:not([inert]) .related-pane svg"))
    page.keyboard.press("ArrowRight")
    expect_shown(page, f"{NAME}: First → second, layer 12, alone")
    assert box_of(page.locator(".slide:not([inert]) .related-pane svg")) == size
    page.locator(".switch input[value=sentence]").check(force=True)
    expect_shown(page, f"{NAME}: First → second, layer 12, in a sentence")
    assert page.locator("[data-switch=projection], .find").evaluate_all("(all) => all.every(({ inert }) => inert)")
    link = page.locator(".panel[data-current] [data-explore]").get_attribute("href") or ""
    assert link.endswith("&at=layer-12&related=relation-pairs")
    # Not measured at a layer, and all words again.
    page.goto(f"{(site / MODEL).as_uri()}#alone/layer-1&related=relation-pairs")
    expect(page.locator(".slide:not([inert]) .related-plot")).to_have_text("Not defined at layer 1.")
    page.locator(CHOICE).select_option("")
    expect(page.locator(".related-pane")).to_have_count(0)
    expect(page.locator(".slide:not([inert]) .plate").first).to_be_visible()
    assert layout_shift(page) == pytest.approx(shift, abs=1e-3)


@pytest.mark.thorough
def test_a_link_opens_an_order_of_two_contexts_and_it_is_saved_as_it_is_seen(
    open_page: OpenPage, site: Path, tmp_path: Path
) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-11+sentence&related=order-circle", before=COUNT_SHIFTS)
    expect_shown(page, f"{NAME}: A circle, layer 11, alone", f"{NAME}: A circle, layer 11, in a sentence")
    assert layout_shift(page) < 0.01
    pane = page.locator(".slide:not([inert]) .related-pane").first
    with page.expect_download() as download:
        pane.get_by_role("button", name="Save as SVG").click()
    assert download.value.suggested_filename == "smol-30-alone-layer-11-order-circle.svg"
    download.value.save_as(tmp_path / "circle.svg")
    text = (tmp_path / "circle.svg").read_text(encoding="utf-8")
    assert all(word in text for word in (NAME, *ORDERS[0].words, "leave-one-out"))


def test_the_compare_page_shows_both_models_in_the_same_order(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "compare/index.html")
    page.locator(CHOICE).select_option("order-line")
    first, second = (report_model.display_name for report_model in related_report().models[:2])
    labels = page.locator(".slot-depth").all_text_contents()
    expect_shown(page, *(f"{name}: A line, {at}, alone" for name, at in zip((first, second), labels, strict=True)))
    page.locator(CHOICE).focus()
    page.keyboard.press("ArrowRight")
    later = page.locator(".slot-depth").all_text_contents()
    assert later != labels
    expect_shown(page, *(f"{name}: A line, {at}, alone" for name, at in zip((first, second), later, strict=True)))
    wait_for_address(page, "at=0.5333&related=order-line")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect_shown(page, *(f"{name}: A line, {at}, alone" for name, at in zip((first, second), later, strict=True)))
    assert page.locator(CHOICE).input_value() == "order-line"
    # A relation or an order has no projection, and needs no more than its name in an address.
    expect(page.locator(".slot").first).to_have_attribute("aria-label", f"Plot 1: {first}, alone")
    page.goto("about:blank")
    page.goto(f"{address.partition('#')[0]}#related=order-line")
    expect_shown(page, *(f"{name}: A line, {at}, alone" for name, at in zip((first, second), labels, strict=True)))
    page.locator(CHOICE).select_option("")
    expect(page.locator(".slot").first).to_have_attribute("aria-label", f"Plot 1: {first}, alone, standardized")
    # In a narrower window captions have more lines, and the figures more height.
    page.locator(CHOICE).select_option("relation-pairs")
    page.set_viewport_size({"width": 820, "height": 900})
    wait_until_stable(
        page,
        """() => [...document.querySelectorAll(".related-pane")].every(({ lastElementChild: last, parentElement: host }) =>
            innerWidth === 820 && last.getBoundingClientRect().bottom <= host.getBoundingClientRect().bottom + 1)""",
    )


@pytest.mark.thorough
def test_the_explorer_shows_an_order_without_what_is_of_all_words(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "explore/index.html#a=smol-30/alone/standardized&at=layer-11&related=order-circle")
    expect_shown(page, f"{NAME}: A circle, layer 11, alone")
    for hidden in (".plot", ".view-foot", ".pins", ".trail-axes", ".legend-note"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.locator("[data-all-words]").evaluate_all("(all) => all.every(({ inert }) => inert)")
    page.keyboard.press("ArrowRight")
    expect_shown(page, f"{NAME}: A circle, layer 12, alone")
    wait_for_address(page, "at=layer-12&related=order-circle")
    expect(page.locator(".explore-links a")).to_have_attribute("href", re.compile("/layer-12&related=order-circle$"))
    page.locator(CHOICE).select_option("")
    expect(page.locator(".plot")).to_be_visible()
    expect(page.locator(".view-foot")).to_be_visible()


@pytest.mark.thorough
def test_a_chosen_relation_can_be_read_and_reached(open_page: OpenPage, address: str) -> None:
    for path, n_plots, part in (
        (f"{MODEL}#alone/layer-11&", 3, "[data-viewer], #relations"),  # with its neighbors, for a swipe
        ("compare/index.html#by=relative&at=0.9&", 2, "[data-compare]"),
        ("explore/index.html#at=layer-11&", 1, "[data-explore]"),
    ):
        page = open_page(address, f"{path}related=relation-pairs")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            expect(page.locator(PANE)).to_have_count(n_plots)
            wait_until_quiet(page)
            for plot in page.locator(".related-pane .related-plot").all():
                _, *names = plot.evaluate(NAMES)
                assert min(size for _, size, *_ in names) >= LEAST, width
            assert box_of(page.locator(CHOICE))["height"] >= (44 if width < 500 else 24)
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), width
        expect_accessible(page, part, schemes=("light",))


@pytest.mark.thorough
def test_what_was_not_measured_is_said_where_it_is_chosen(
    open_page: OpenPage, browser: Browser, site: Path, crowded: Path
) -> None:
    page = open_page(crowded, f"{MODEL}#alone/layer-11&related=relation-pairs")
    expect(page.locator(".slide:not([inert]) .related-plot")).to_contain_text("Not measured: at least 5")
    page.locator(".switch input[value=sentence]").check(force=True)
    expect(page.locator(".slide:not([inert]) .related-plot")).to_have_text(
        "Relations and orders weren’t measured here."
    )
    said = page.locator("#relations .related-figures p:visible")
    assert said.all_text_contents() == ["Words in a sentence. Relations and orders weren’t measured here."] * 3
    expect(page.locator("#relations > .caption")).to_be_hidden()
    # Without what draws it, all words stay.
    page = browser.new_page()
    page.route("**/assets/related-plot.js", lambda route: route.abort())
    page.goto(f"{(site / MODEL).as_uri()}#alone/layer-11&related=relation-pairs")
    expect(page.locator(CHOICE)).to_be_disabled()
    expect(page.locator(".slide:not([inert]) .plate").first).to_be_visible()
    page.close()
