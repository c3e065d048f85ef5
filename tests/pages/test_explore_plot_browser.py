"""The explorer's plot in a real browser: what is seen of it at once, what pointing at a word changes, and the scale of its axes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import MOVING, PHONE, OpenAt, OpenPage, box_of, wait_for_address, wait_until_quiet
from explore_page import (
    PAGE,
    current_name,
    expect_depths,
    explorer,
    nearest,
    plot,
    point_at,
    show_side_by_side,
    wait_until_ready,
)
from plates_page import SLUG, write_sample
from playwright.sync_api import FloatRect, Locator, Page, ViewportSize, expect

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
TABLET: ViewportSize = {"width": 820, "height": 1180}
DIVIDED = f"#a={SLUG}/alone/centered&at=layer-11"
"""Its second axis spans less than a tenth of the first."""
ROUND = f"#a={SLUG}/sentence/centered&at=layer-11"

PLACES = """async () => {
    const content = JSON.parse(document.querySelector('[data-index]').textContent);
    const [model, context, projection] = [...document.querySelectorAll('[data-view] select')].map((each) => each.value);
    const view = await new Explore.Index(content).view(Tokviz.findCapture(content.models, { model, context, projection }));
    const depth = Number(document.querySelector('.ruler input').value);
    const numbers = (text) => text.match(/-?[\\d.]+/g).map(Number);
    const [left, top, k] = numbers(document.querySelector('.plot-over .band').getAttribute('transform'));
    const dots = new Map([...document.querySelectorAll('.plot-over .band g path')].map((path) => [
        path.getAttribute('class'), numbers(path.getAttribute('d').replaceAll('h0', '')),
    ]));
    return {
        values: view.vocabulary.words.map((_, row) => view.values(depth, row)),
        marks: [...document.querySelectorAll('.plot-marks > g')].map((mark) => numbers(mark.getAttribute('transform'))),
        band: dots.size ? view.vocabulary.words.map((_, row) => {
            const [x, y] = dots.get(view.vocabulary.hueOf(row)).splice(0, 2);
            return [left + k * x, top + k * y];
        }) : null,
        outside: [...view.outside],
        words: view.vocabulary.names,
        axes: [...document.querySelectorAll('.plot-axes text')].map((text) => text.textContent),
    };
}"""
"""PC1 and PC2 of all words, and where their marks and the dots of the band are, in pixels of the plot."""


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    return explorer(open_page)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the words and coordinates of the sample report."""
    return write_sample(tmp_path_factory.mktemp("explorer"))


# --- what is seen at once ---------------------------------------------------------------------------------------------


def assert_in_view(page: Page, *elements: Locator) -> None:
    size = page.viewport_size
    assert size is not None
    assert page.evaluate("scrollY") == 0
    for element in elements:
        box = box_of(element)
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size["height"], element


def test_ruler_plot_and_answer_are_seen_at_once_and_so_are_two_plots_with_the_answers_of_both(
    explore: OpenAt, sample: Path
) -> None:
    """And pointing at a word moves nothing."""
    page = explore(sample, DIVIDED, viewport=LAPTOP)
    assert_the_choice_of_scale_covers_nothing(page, 24)
    places = [box_of(page.locator(part).first) for part in (".legend", ".view-foot", ".explore-table")]
    point_at(page, 30)
    expect(nearest(page)).to_have_count(5)
    parts = (page.locator(".ruler"), plot(page), *nearest(page).all(), page.locator(".view-foot"))
    assert_in_view(page, *parts)
    beside = box_of(plot(page))
    assert box_of(page.locator(".readout"))["x"] >= beside["x"] + beside["width"]
    assert [box_of(page.locator(part).first) for part in (".legend", ".view-foot", ".explore-table")] == places
    page.mouse.move(2, 2)
    show_side_by_side(page, "layer 11", "layer 11")
    point_at(page, 30)
    expect(page.locator(".readout li")).to_have_count(10)
    assert_in_view(page, page.locator(".ruler"), *page.locator("[data-plot]").all(), *page.locator(".readout li").all())
    for view in page.locator("[data-view]").all():
        box, answer = box_of(view.locator("[data-plot]")), box_of(view.locator(".readout"))
        assert answer["y"] >= box["y"] + box["height"] - 0.5
        assert answer["x"] == pytest.approx(box["x"], abs=0.5)


@pytest.mark.thorough
@pytest.mark.parametrize("viewport", [TABLET, PHONE], ids=["tablet", "phone"])
def test_on_small_screens_the_answer_follows_its_plot_and_the_choice_of_scale_covers_nothing(
    explore: OpenAt, sample: Path, viewport: ViewportSize
) -> None:
    """Under the ruler, which stays in reach on a phone, plot and answer fit the screen."""
    page = explore(sample, DIVIDED, viewport=viewport)
    assert_the_choice_of_scale_covers_nothing(page, 44 if viewport is PHONE else 24)
    point_at(page, 30)
    expect(nearest(page)).to_have_count(5)
    box, answer = box_of(plot(page)), box_of(page.locator(".readout"))
    assert answer["y"] == pytest.approx(box["y"] + box["height"], abs=0.5)
    ruler = box_of(page.locator(".ruler"))
    assert ruler["height"] + box["height"] + answer["height"] <= viewport["height"]


# --- pointing at a word -----------------------------------------------------------------------------------------------


def test_other_words_marks_fade_while_one_is_pointed_at(explore: OpenAt, sample: Path) -> None:
    page = explore(sample, DIVIDED)
    marks, full = page.locator(".plot-marks"), page.locator(".plot-over .full > g")
    expect(marks).to_have_css("opacity", "1")
    point_at(page, 30)
    current_name(page)
    for faint in (marks, page.locator(".plot-over .band g")):
        expect(faint).to_have_css("opacity", "0.16")
    shown = full.evaluate_all("(all) => all.map((each) => each.getAttribute('transform'))")
    places = marks.locator("> g").evaluate_all("(all) => all.map((each) => each.getAttribute('transform'))")
    words = page.evaluate(PLACES)["words"]
    named = [*nearest(page).all_inner_texts(), words[30]]
    assert shown == [places[words.index(name)] for name in named]
    expect(full.first).to_have_css("opacity", "1")
    page.mouse.move(2, 2)
    expect(marks).to_have_css("opacity", "1")
    expect(full).to_have_count(0)


def test_so_do_those_on_a_canvas_but_pinned_ones_stay(explore: OpenAt, sample: Path) -> None:
    page = explore(sample, f"{DIVIDED}&pin=James&word=China")
    page.evaluate("Explore.MOST_IN_SVG = 10")
    page.locator("[data-part=context]").select_option("sentence")
    expect(page.locator(".plot-marks > g")).to_have_count(0)
    expect(page.locator("canvas")).to_have_css("opacity", "0.16")
    expect(page.locator(".plot-over .full > g")).to_have_count(7)


# --- one scale for both axes ------------------------------------------------------------------------------------------


def units(values: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """Pixels for one of PC1 and of PC2."""
    across, up = (np.polyfit(values[:, axis], places[:, axis], 1)[0] for axis in (0, 1))
    return float(across), float(-up)


def seen(page: Page) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """What PLACES gives; values and marks of the words that lie within the axes for certain."""
    wait_until_quiet(page)
    found = page.evaluate(PLACES)
    found["inside"] = inside = [row for row in range(len(found["words"])) if row not in found["outside"]]
    return found, np.array(found["values"])[inside], np.array(found["marks"])[inside]


def magnified(axes: list[str]) -> dict[int, float]:
    """The factor that is printed beside an axis."""
    factors = [re.match(r"PC(\d) ×([\d.,]+)", text) for text in axes]
    return {int(each[1]): float(each[2].replace(",", "")) for each in factors if each}


@pytest.mark.thorough
@pytest.mark.parametrize("zoom", ["", "&zoom-a=2,0.4,0.6", "&zoom-a=1.5,0.5,0.3"], ids=["whole", "twice", "band"])
def test_a_divided_plot_has_the_true_scale_above_and_the_printed_factor_below(
    explore: OpenAt, sample: Path, zoom: str
) -> None:
    page = explore(sample, f"{DIVIDED}{zoom}")
    found, values, marks = seen(page)
    across, up = units(values, marks)
    assert magnified(found["axes"]) == {2: pytest.approx(up / across, rel=0.01, abs=0.5)}
    assert up / across > 10
    band = np.array(found["band"])[found["inside"]]
    assert units(values, band) == pytest.approx((across, across), rel=0.01)
    # The axes stay where they are when words are moved beneath them.
    spines = page.locator(".plot-axes > .spine")
    axes = [spine.get_attribute("d") for spine in spines.all()[:2]]
    plot(page).press("Shift+ArrowRight")
    _, values, moved = seen(page)
    assert (moved[:, 0] < marks[:, 0] - 50).all()
    assert [spine.get_attribute("d") for spine in spines.all()[:2]] == axes


@pytest.mark.thorough
@pytest.mark.parametrize("fragment", [ROUND, f"{DIVIDED}&scale=true"], ids=["round", "true scale"])
def test_other_plots_have_one_scale(explore: OpenAt, sample: Path, fragment: str) -> None:
    page = explore(sample, fragment)
    for zoom in ("", "&zoom-a=2,0.4,0.6"):
        if zoom:
            # Another query, as a change of the fragment alone would load nothing.
            page.goto(f"{(sample / PAGE).as_uri()}?zoomed{fragment}{zoom}")
            wait_until_ready(page)
        found, values, marks = seen(page)
        across, up = units(values, marks)
        assert up == pytest.approx(across, rel=0.01), zoom
        assert magnified(found["axes"]) == {}, zoom
        assert found["band"] is None, zoom
    if fragment == ROUND:
        assert_axes_have_at_least_two_ticks_and_small_numbers_as_plots_write_them(page)


def assert_axes_have_at_least_two_ticks_and_small_numbers_as_plots_write_them(page: Page) -> None:
    def ticks(low: float, high: float, most: int) -> list[str]:
        found: list[str] = page.evaluate(
            "(given) => Explore.ticks(...given).map(([, text]) => text)", [low, high, most]
        )
        return found

    assert ticks(-4.8, 4.9, 2) == ["−4", "−2", "0", "2", "4"]
    assert ticks(-2.4e-7, 1e-8, 2) == ["−2×10⁻⁷", "0"]
    assert ticks(3, 3, 5) == []
    for low, high in ((-0.03, 900), (1e6, 4e7), (-7.2, -6.9)):
        assert all(len(ticks(low, high, most)) >= 2 for most in (2, 3, 5))


def test_the_scale_is_chosen_by_buttons_and_by_a_key(explore: OpenAt, sample: Path) -> None:
    page = explore(sample, DIVIDED)
    choice = page.get_by_role("group", name="Scale of the short axis")
    for name, address in (("True scale", "&scale=true"), ("Magnified", "&scale=magnified")):
        button = choice.get_by_role("button", name=name)
        button.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        wait_for_address(page, address)
        expect(page.locator(".plot-over .band path")).to_have_count(0)
    page.keyboard.press("m")
    expect(choice.get_by_role("button", name="Both")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".plot-over .band path").first).to_be_attached()
    page.get_by_role("slider", name="Depth").press("Home")
    expect_depths(page, "embedding")
    expect(choice).to_be_hidden()


def assert_the_choice_of_scale_covers_nothing(page: Page, least: float) -> None:
    buttons = [box_of(button) for button in page.locator(".plot-scale button").all()]
    assert min(min(box["height"] for box in buttons), least) == least
    texts = [box_of(text) for text in page.locator(".plot-axes text").all()]
    words = [box_of(word) for word in page.locator(".plot-scale button").all()]
    assert not [(word, text) for word in words for text in texts if overlap(label(word), text)]


def label(box: FloatRect) -> FloatRect:
    """Of a button that is higher than its text, the text: it stands in the middle."""
    return {**box, "y": box["y"] + box["height"] / 2 - 7, "height": 14}


def overlap(one: FloatRect, other: FloatRect) -> bool:
    return (
        min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"]) > 0.5
        and min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"]) > 1
    )


# --- movement ---------------------------------------------------------------------------------------------------------

COUNT_MOTIONS = """() => {
    window.motions = 0;
    Explore.Motion = class extends Explore.Motion {
        constructor(...all) {
            super(...all);
            window.motions += 1;
        }
    };
}"""
CLICK = (
    "(times) => { for (let click = 0; click < times; click += 1) document.querySelector('[data-step=\"1\"]').click(); }"
)
DURATION = 900
"""Of a movement, in milliseconds."""


def test_a_step_is_a_movement_and_one_that_follows_it_closely_is_not(explore: OpenAt, sample: Path) -> None:
    page = explore(sample, f"#a={SLUG}/alone/centered&at=layer-3", **MOVING)
    page.evaluate(COUNT_MOTIONS)
    for times, depth, motions in ((1, "layer 4", 1), (2, "layer 6", 2), (3, "layer 9", 3)):
        page.evaluate(CLICK, times)
        expect_depths(page, depth)
        assert page.evaluate("motions") == motions
        page.wait_for_timeout(DURATION)
    page.get_by_role("slider", name="Depth").press("End")
    expect_depths(page, "layer 29")
    assert page.evaluate("motions") == 3


@pytest.mark.parametrize("kind", ["own", "aligned"])
def test_trails_carry_few_numbers_of_layers_beside_their_corners(explore: OpenAt, sample: Path, kind: str) -> None:
    page = explore(sample, f"#a={SLUG}/sentence/centered&at=layer-20&pin=Paris&trails={kind}")
    wait_until_quiet(page)
    found = page.evaluate(
        """() => {
            const boxes = (selector) => [...document.querySelectorAll(selector)].map((each) => {
                const { left, right, top, bottom } = each.getBoundingClientRect();
                return [each.textContent, left, right, top, bottom];
            });
            const { left, top } = document.querySelector('.plot-over').getBoundingClientRect();
            const steps = [...document.querySelectorAll('.trails path')].flatMap((path) => path.getAttribute('d').match(/M[^M]+/g));
            const corners = steps.map((step) => step.match(/[-\\d.]+/g).map(Number)).map(([x, y]) => [left + x, top + y]);
            return [boxes('.trails text'), boxes('.plot-over .labels text'), corners];
        }"""
    )
    numbers, labels, corners = found
    layers = [int(text) for text, *_ in numbers]
    assert 2 <= len(layers) <= 6
    assert all(layer % 5 == 0 and layer < 20 for layer in layers)
    for text, left, right, top, bottom in numbers:
        # A step for each layer, the first from the embedding.
        x, y = corners[int(text) + 1]
        assert max(left - x, x - right, top - y, y - bottom) < 16, text
        assert not [
            name
            for name, *box in labels
            if box[0] < right and left < box[1] and box[2] < bottom - 4 and top < box[3] - 4
        ]
