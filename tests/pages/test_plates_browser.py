"""Plates drawn in the page: how many names they have, how large, how fast, and how they take the place of their images."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any, Literal

import numpy as np
import pytest
from browser import (
    COUNT_SHIFTS,
    DESKTOP,
    PHONE,
    OpenPage,
    box_of,
    expect_loaded,
    layout_shift,
    served,
    wait_until_quiet,
)
from plates_page import (
    CATEGORIES,
    COMPARE,
    INK,
    MODEL,
    assert_readable,
    drawn,
    expect_drawn,
    named,
    on_marks,
    overlapping,
    slide,
    write_sample,
)
from playwright.sync_api import Browser, Page, ViewportSize, expect
from report_fixture import ALONE, model_report, sample_report, word_list, write_site

from tokviz.records import ModelReport, Underway

TABLET: ViewportSize = {"width": 820, "height": 1180}
SIZES = {720: 576, 520: 416, 350: 489}
"""Widths and heights of plates, in CSS pixels."""
LEAST = {720: 95, 520: 88, 350: 60}
"""How many of the 116 words are named on a layer, by the width of its plot."""
LEAST_FLAT = {0.1: 35, 0.25: 50, 0.5: 60}
"""The same where the shorter span is less than a share of the longer one, at 720 pixels."""
NEAR = 60
"""How far a name may stand from its mark there, in CSS pixels."""
MOST_OF_PLAIN = 4
"""How many times as long a plate may take as its marks and names alone, put at random places and laid out by the browser."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

DRAW = f"""async ([context, projection, width, height, tries]) => {{
    const content = JSON.parse(document.querySelector('[data-plates]').textContent);
    const index = new Explore.Index(content);
    const capture = Tokviz.findCapture(content.models, {{ context, projection }});
    const about = Tokviz.plate.about(await index.view(capture), capture, content.categories);
    const drawing = Tokviz.svg('svg', {{ class: 'plate-svg', width, height }});
    document.querySelector('main').prepend(drawing);
    const layout = Tokviz.plate.layoutOf(about, width, height);
    const inkOf = {INK};
    // As one text, since Playwright hands over a number at a time.
    return JSON.stringify(about.view.extents.map((_, depth) => {{
        let milliseconds = Infinity;
        let drawn = null;
        for (let index = 0; index < tries; index += 1) {{
            const begin = performance.now();
            drawn = Tokviz.plate.draw(drawing, about, layout, depth, null);
            milliseconds = Math.min(milliseconds, performance.now() - begin);
        }}
        const box = drawing.getBoundingClientRect();
        const {{ x, y, rows }} = drawn.points;
        return {{
            milliseconds,
            names: inkOf([...drawing.querySelectorAll('.plate-names text')]),
            marks: rows.map((row) => [box.left + x[row], box.top + y[row]]),
            radius: layout.diameter / 2,
            values: rows.map((row) => about.view.values(depth, row)),
            beyond: drawn.points.beyond.map(([x, y]) => x !== 0 || y !== 0),
            band: drawn.band && rows.map((row) => [drawn.band.x[row], drawn.band.y[row]]),
            away: drawn.names.map((name) => Math.hypot(
                Math.max(name.left - x[name.row], 0, x[name.row] - name.right),
                Math.max(name.top - y[name.row], 0, y[name.row] - name.bottom))),
            axes: [...drawing.querySelectorAll('.plate-axes text')].map((text) => text.textContent),
            area: JSON.stringify(layout.area),
            ratio: Tokviz.framing.ratioOf(about.view.extents[depth]),
            categories: new Set(drawn.names.map((each) => about.view.vocabulary.memberships[each.row][0])).size,
        }};
    }}));
}}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("plates"))


@pytest.fixture(scope="module")
def page_of_plates(browser: Browser, site: Path) -> Iterator[Page]:
    """To draw plates in."""
    page = browser.new_page(viewport=DESKTOP)
    page.goto((site / MODEL).as_uri())
    expect(page.locator("[data-drawn]").first).to_be_attached()
    yield page
    page.close()


def draw(page: Page, context: str, projection: str, width: int, tries: int = 1) -> list[dict[str, Any]]:
    """All plates of a context and a projection at a width."""
    found: list[dict[str, Any]] = json.loads(page.evaluate(DRAW, [context, projection, width, SIZES[width], tries]))
    return found


@pytest.fixture(scope="module")
def plates_of(page_of_plates: Page) -> Callable[[str, str, int], list[dict[str, Any]]]:
    """The same; drawn once."""
    return cache(lambda *which: draw(page_of_plates, *which))


DRAW_PLAIN = """([n_words, width, height]) => {
    const drawing = Tokviz.svg('svg', { class: 'plate-svg', width, height });
    document.querySelector('main').prepend(drawing);
    const begin = performance.now();
    for (let index = 0; index < n_words; index += 1) {
        const [x, y] = [Math.random() * width, Math.random() * height];
        drawing.append(Tokviz.svg('circle', { cx: x, cy: y, r: 4 }));
        const name = Tokviz.svg('text', { x, y });
        name.textContent = `word ${index}`;
        drawing.append(name);
    }
    drawing.getBBox();
    const milliseconds = performance.now() - begin;
    drawing.remove();
    return milliseconds;
}"""


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "projection", "width"),
    [
        *(("sentence", "centered", 720), ("alone", "centered", 520), ("alone", "standardized", 350)),
        pytest.param("alone", "standardized", 720, marks=pytest.mark.thorough),
        pytest.param("sentence", "standardized", 520, marks=pytest.mark.thorough),
        pytest.param("sentence", "centered", 350, marks=pytest.mark.thorough),
    ],
)
def test_most_words_are_named_on_all_layers(
    plates_of: Callable[[str, str, int], list[dict[str, Any]]], context: str, projection: str, width: int
) -> None:
    plates = plates_of(context, projection, width)
    counts = [len(plate["names"]) for plate in plates]
    print(f"{context}, {projection}, {width} px: {min(counts)} to {max(counts)}, median {statistics.median(counts)}")
    assert len(plates) == 31
    for plate in plates:
        assert len(plate["names"]) >= _least(width, plate["ratio"])
        assert plate["ratio"] >= 0.5 or max(plate["away"]) <= NEAR
    assert min(name["size"] for plate in plates for name in plate["names"]) >= 11
    assert {plate["categories"] for plate in plates} == {len(CATEGORIES)}
    assert len({plate["area"] for plate in plates}) == 1
    for plate in plates:
        assert overlapping(plate["names"]) == []
        assert on_marks(plate) == []


def _least(width: int, ratio: float) -> int:
    flat = [least for share, least in LEAST_FLAT.items() if ratio < share]
    return min(flat[0], LEAST[width]) if flat else LEAST[width]


@pytest.mark.parametrize(
    ("context", "projection", "width"),
    [
        *(("alone", "standardized", 720), ("sentence", "centered", 720)),
        *(("alone", "centered", 520), ("sentence", "standardized", 520)),
    ],
)
def test_both_axes_of_a_plot_have_one_scale_or_it_says_how_much_one_is_magnified(
    plates_of: Callable[[str, str, int], list[dict[str, Any]]], context: str, projection: str, width: int
) -> None:
    plates = plates_of(context, projection, width)
    for plate in plates:
        inside = ~np.array(plate["beyond"])
        values = np.array(plate["values"])[inside]
        across, up = _units(values, np.array(plate["marks"])[inside])
        factors = [re.match(r"PC(\d) ×([\d.,]+)", text) for text in plate["axes"]]
        magnified = {int(found[1]): float(found[2].replace(",", "")) for found in factors if found}
        assert bool(magnified) == (plate["ratio"] < 0.25) == (plate["band"] is not None)
        if not magnified:
            assert up == pytest.approx(across, rel=0.01)
            continue
        assert magnified == {2: pytest.approx(up / across, rel=0.05)}
        true_across, true_up = _units(values, np.array(plate["band"])[inside])
        assert (true_across, true_up) == pytest.approx((across, across), rel=0.01)


def _units(values: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """Pixels for one of PC1 and of PC2."""
    across, up = (np.polyfit(values[:, axis], places[:, axis], 1)[0] for axis in (0, 1))
    return float(across), float(-up)


@pytest.mark.alone
def test_a_plate_takes_little_more_than_its_marks_and_names(page_of_plates: Page) -> None:
    """The best of some tries counts: other work on the machine only ever slows a browser down."""
    least, plain = np.full(31, np.inf), np.inf
    for _ in range(6):
        plates = draw(page_of_plates, "alone", "standardized", 720, tries=4)
        least = np.minimum(least, [plate["milliseconds"] for plate in plates])
        plain = min(plain, *(page_of_plates.evaluate(DRAW_PLAIN, [116, 720, SIZES[720]]) for _ in range(8)))
        print(
            f"a plate: median {np.median(least):.1f} ms, at most {np.max(least):.1f}; marks and names alone: {plain:.1f}"
        )
        if np.median(least) <= MOST_OF_PLAIN * plain:
            return
    raise AssertionError(f"a plate takes {np.median(least) / plain:.1f} times as long as its marks and names alone")


PLACES: tuple[tuple[ViewportSize, str, dict[str, int]], ...] = (
    (DESKTOP, "alone/layer-11", {"alone/layer-11": 85}),
    (DESKTOP, "alone/layer-11+sentence", {"alone/layer-11": 70, "sentence/layer-11": 80}),
    (TABLET, "alone/layer-29+sentence", {"alone/layer-29": 50, "sentence/layer-29": 50}),
    (TABLET, "alone/layer-11", {"alone/layer-11": 95}),
    (PHONE, "alone/layer-11", {"alone/layer-11": 60}),
)
"""A window, an address, and the plates that are shown with the fewest words that they must name."""


@pytest.mark.thorough
def test_words_are_large_enough_wherever_a_plate_is_shown(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, MODEL)
    for viewport, fragment, plates in PLACES:
        page.set_viewport_size(viewport)
        page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        expect_drawn(page)
        for name, least in plates.items():
            assert_readable(slide(page, name), least)
    compared = drawn(open_page, site, COMPARE)
    for viewport, least in ((DESKTOP, 88), (TABLET, 50), (PHONE, 60)):
        compared.set_viewport_size(viewport)
        expect_drawn(compared)
        for slot in compared.locator("[data-slot]").all():
            assert_readable(slot, least)


def test_hundreds_of_words_are_drawn_and_some_named(open_page: OpenPage, tmp_path: Path) -> None:
    words = word_list(n_categories=12, n_words=50)
    one = model_report("one", "One", 2, words, (ALONE,))
    site = write_site(replace(sample_report(), words=words, models=(one,), downloads={}), tmp_path)
    page = drawn(open_page, site, "models/one/index.html#alone/layer-1")
    plot = slide(page, "alone/layer-1")
    assert len(named(plot)) > 20
    assert overlapping(named(plot)) == []
    expect(page.get_by_label("Find a word")).to_be_visible()
    expect(plot.get_by_role("button", name="Save as PNG")).to_be_visible()


# --- in the place of the image ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewport", "path", "plate"),
    [
        (DESKTOP, f"{MODEL}#alone/layer-11+sentence", "[id='alone/layer-11']"),
        (PHONE, f"{MODEL}#alone/layer-11", "[id='alone/layer-11']"),
        (DESKTOP, COMPARE, "[data-slot] >> nth=0"),
    ],
    ids=["side by side", "phone", "compare"],
)
def test_a_drawing_takes_the_place_of_the_image(
    open_page: OpenPage, site: Path, viewport: ViewportSize, path: str, plate: str
) -> None:
    measured = Event()
    with served(site, late=("coordinates-standardized.js",), until=measured) as address:
        page = open_page(address, path, viewport=viewport, before=COUNT_SHIFTS)
        image, holder = page.locator(plate).locator("img"), page.locator(plate).locator(".plate")
        # What will be drawn has its place, and its image isn't fetched.
        expect(image).to_be_hidden()
        before = box_of(holder)
        measured.set()
        expect_drawn(page)
        drawing = page.locator(plate).locator(".plate > svg")
        assert box_of(drawing) == pytest.approx(before, abs=0.6)
        assert layout_shift(page) < 0.002
        assert drawing.get_attribute("aria-label") == image.get_attribute("alt")
        page.goto("about:blank")  # before the server ends


def test_stepping_fetches_no_images(open_page: OpenPage, site: Path) -> None:
    requested: list[str] = []
    page = drawn(open_page, site, MODEL, requested=requested)
    page.locator(".panel[data-current] .track").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(slide(page, "alone/layer-5").locator(".plate-key:not([inert])")).to_be_attached()
    wait_until_quiet(page)
    assert _plates(requested) == []
    assert page.locator(".slide .plate > svg").count() <= 3
    requested.clear()
    compared = drawn(open_page, site, COMPARE, requested=requested)
    before = _plates(requested)
    for _ in range(2):
        compared.get_by_role("button", name="Next").click()
    expect(compared.locator(".plate-title")).to_have_text(["· alone · layer 16", "· alone · layer 2"])
    wait_until_quiet(compared)
    assert _plates(requested) == before


def _plates(requested: list[str]) -> list[str]:
    """The plates among the pictures."""
    return [path.removeprefix("images/") for path in requested if "__" in path]


@pytest.mark.thorough
@pytest.mark.parametrize("lost", ["data/words.js", "coordinates-standardized.js", "assets/plates/board.js"])
def test_without_data_or_scripts_images_are_shown(browser: Browser, site: Path, lost: str) -> None:
    page = browser.new_page(viewport=DESKTOP)
    page.route(f"**/{lost}", lambda route: route.abort())
    page.goto(f"{(site / MODEL).as_uri()}#alone/layer-11", wait_until="networkidle")
    expect_loaded(slide(page, "alone/layer-11").locator("img:visible"))
    page.get_by_role("button", name="Next").click()
    expect(slide(page, "alone/layer-12").locator("img")).to_be_visible()
    page.locator("#stages > summary").click()
    small = page.locator(".stages[data-current] .plates img").first
    small.evaluate("(image) => image.closest('tr').scrollIntoView()")
    expect(small).to_be_visible()
    page.goto((site / COMPARE).as_uri(), wait_until="networkidle")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("[data-slot] .plate img").first).to_be_visible()
    assert page.locator(".plate > svg").count() == 0
    page.close()


@pytest.mark.parametrize("lost", ["common.js", "plates/plates.js"])
def test_without_what_asks_for_drawings_the_opening_image_is_shown(browser: Browser, site: Path, lost: str) -> None:
    page = browser.new_page(viewport=DESKTOP)
    page.route(f"**/{lost}", lambda route: route.abort())
    page.goto(f"{(site / MODEL).as_uri()}#alone/layer-11", wait_until="networkidle")
    expect_loaded(slide(page, "alone/layer-11").locator("img:visible"))
    page.close()


@pytest.mark.thorough
def test_drawings_have_the_systems_colors_where_it_forces_them_and_on_paper_there_are_images(
    open_page: OpenPage, site: Path
) -> None:
    """What axe says of drawings is in test_beside_browser.py."""
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11")
    assert_images_are_on_paper(page)
    assert_drawings_have_the_systems_colors(page)
    page.goto((site / COMPARE).as_uri())
    expect_drawn(page)
    assert_images_are_on_paper(page)


def assert_images_are_on_paper(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("[data-drawn] img").first).to_be_visible()
    assert page.locator(".plate-svg:visible, .plate-key:visible").count() == 0
    page.emulate_media(media="screen")


def assert_drawings_have_the_systems_colors(page: Page) -> None:
    slide(page, "alone/layer-11").get_by_role("button", name="Months").click()
    black, white = "rgb(0, 0, 0)", "rgb(255, 255, 255)"
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, forced_colors="active")
        ground, *others = slide(page, "alone/layer-11").evaluate(
            """(slide) => {
                const colour = (selector, property) => getComputedStyle(slide.querySelector(selector))[property];
                return [colour('.plate', 'backgroundColor'), colour('.plate-names text', 'fill'),
                    colour('.plate-marks .full', 'fill'), colour('.plate-axes text', 'fill'), colour('.plate-spine', 'stroke')];
            }"""
        )
        assert ground == (black if scheme == "dark" else white)
        assert set(others) == {white if scheme == "dark" else black}
    page.emulate_media(color_scheme="light", forced_colors="none")


# --- a first look -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first_look(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A whole report, and the same as a first look: without plates for phones, and with nothing measured under them."""
    words = word_list(n_categories=2, n_words=6)

    def models(*, measured: bool) -> list[ModelReport]:
        return [model_report(slug, slug, 2, words, (ALONE,), measured=measured) for slug in ("one", "two")]

    whole = replace(sample_report(), words=words, contexts=(ALONE,), models=tuple(models(measured=True)), downloads={})

    def without_phone_forms(model: ModelReport) -> ModelReport:
        (context,) = model.contexts
        shown = [
            replace(each, plates=tuple(plate and replace(plate, phone=plate.wide) for plate in each.plates))
            for each in context.projections
        ]
        return replace(model, contexts=(replace(context, projections=tuple(shown)),))

    early = replace(
        whole,
        models=tuple(map(without_phone_forms, models(measured=False))),
        underway=Underway(n_models=2, n_failed=0, n_series=0),
    )
    return (
        write_site(whole, tmp_path_factory.mktemp("whole")),
        write_site(early, tmp_path_factory.mktemp("early")),
    )


@pytest.mark.parametrize("address", ["models/one/index.html#alone/layer-0", "compare/index.html"])
def test_plots_of_a_first_look_are_as_large_as_those_of_the_whole_report(
    open_page: OpenPage, first_look: tuple[Path, Path], address: str
) -> None:
    """Without scripts its wide ones are shown as they are."""
    pages = [drawn(open_page, site, address, viewport=PHONE) for site in first_look]
    for viewport in (PHONE, DESKTOP):
        sizes = []
        for page in pages:
            page.set_viewport_size(viewport)
            expect_drawn(page)
            box = box_of(page.locator(".plate-svg:visible").first)
            sizes.append((box["width"], box["height"]))
        assert sizes[0] == sizes[1], viewport
    plain = open_page(first_look[1], address, viewport=PHONE, java_script_enabled=False)
    image = box_of(plain.locator(".plate img:visible:not([src*='strip'])").first)
    assert image["width"] / image["height"] == pytest.approx(1500 / 1200, rel=0.01)
