"""The pages in a real browser: the carousel, no scripts, phones, from disk and from a server, and accessibility."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import (
    COUNT_ADDRESS_CHANGES,
    COUNT_SHIFTS,
    DESKTOP,
    MOVING,
    PHONE,
    UNFOLD,
    OpenAt,
    OpenPage,
    address_changes,
    box_of,
    expect_accessible,
    expect_accessible_at_all_sizes,
    expect_loaded,
    layout_shift,
    served,
    wait_for_frames,
    wait_until_quiet,
)
from carousel_page import assert_shows, ruler
from playwright.sync_api import CDPSession, Page, ViewportSize, expect
from report_fixture import ALONE, hostile_report, model_report, sample_report, twice, word_list, write_site

from tokviz.pages.charts.axis import place
from tokviz.pages.charts.measures import MEASURES

MODEL = "models/smol-30/index.html"
MODELS = [MODEL, "models/mini-6/index.html", "models/lost/index.html"]
ONE_OF_A_KIND = ["index.html", "compare/index.html", "explore/index.html", "method/index.html", "404.html"]
"""Pages that every report of several captures has."""
PAGES = [*MODELS, *ONE_OF_A_KIND]
HOSTILE_PAGES = ["models/odd/index.html", *ONE_OF_A_KIND]
OPENED_LATE = [f"{MODEL}#sentence/layer-12", "models/lost/index.html", *ONE_OF_A_KIND]
"""With a model's page at a layer, and that of a model that failed."""
WITH_RULERS = (MODEL, "explore/index.html")
LOOKED_AT_ELSEWHERE = ("models/mini-6/index.html", "compare/index.html")
"""axe has what stands in them in the first model's page, side by side in test_beside_browser.py, and with ten models in
test_compare_browser.py."""
COMPRESSED = (".html", ".css", ".js")
"""What hosts send compressed, as GitHub Pages does."""
LATE = (".woff2", "common.js", "carousel.js", "compare.js", "explore.js")
MOST_SHIFT = 0.003
"""Where a page is painted before all of its HTML has come, the end of a line may still move."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(twice(hostile_report()), tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def server(site: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of the site under a sub-path of a local server, and the paths of all requests to it."""
    requested: list[str] = []
    with served(site.parent.parent, requested) as address:
        yield f"{address}some/report/", requested


@pytest.fixture
def open_page(open_page: OpenPage) -> OpenAt:
    """Opens a page, by default the first model's."""
    return lambda base, path=MODEL, /, **options: open_page(base, path, **options)


def touch(finger: CDPSession, kind: str, *x: int) -> None:
    points = [{"x": each, "y": 600} for each in x]
    finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


# --- the carousel ------------------------------------------------------------------------------------------------


def test_buttons_step_and_stop_at_the_ends_and_the_ruler_can_be_clicked_and_dragged(
    open_page: OpenAt, few_words: Path
) -> None:
    page = open_page(few_words, **MOVING)
    assert_shows(page, "embedding")
    output = page.locator(".panel[data-current] output")
    assert output.get_attribute("aria-live") == "polite"
    assert output.get_attribute("role") in (None, "status")
    strip, plate = (box_of(page.locator(f".panel[data-current] {part}").first) for part in (".ruler", ".slide .plate"))
    assert strip["y"] >= 0, "ruler and plate fit into the window"
    assert plate["y"] + plate["height"] <= DESKTOP["height"]
    assert (strip["x"], strip["width"]) == (plate["x"], plate["width"])
    page.get_by_role("button", name="Previous").click(force=True)
    assert_shows(page, "embedding")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    assert_shows(page, "layer 1")
    page.get_by_role("button", name="Previous").click()
    assert_shows(page, "layer 0")
    # A click on the ruler shows the depth under the pointer.
    box = box_of(ruler(page).locator(".."))
    y = box["y"] + box["height"] * 0.6
    for depth, name in ((12, "layer 11"), (30, "layer 29"), (1, "layer 0")):
        page.mouse.click(box["x"] + box["width"] * place(depth, 30) / 100, y)
        assert_shows(page, name)
    page.mouse.move(box["x"] + box["width"] * place(1, 30) / 100, y)
    page.mouse.down()
    for depth in (2, 8, 14, 20):
        page.mouse.move(box["x"] + box["width"] * place(depth, 30) / 100, y)
    assert_shows(page, "layer 19")
    page.mouse.up()
    assert_shows(page, "layer 19")


def test_keys_move_the_ruler_and_the_carousel_and_change_the_address_seldom_enough_for_safari(
    open_page: OpenAt, few_words: Path
) -> None:
    page = open_page(few_words, before=COUNT_ADDRESS_CHANGES)
    for focused in (ruler(page), page.locator(".panel[data-current] .track"), page.get_by_role("button", name="Next")):
        focused.focus()
        page.keyboard.press("End")
        assert_shows(page, "layer 29")
        page.keyboard.press("ArrowLeft")
        assert_shows(page, "layer 28")
        page.keyboard.press("Home")
        assert_shows(page, "embedding")
        page.keyboard.press("ArrowRight")
        assert_shows(page, "layer 0")
    ruler(page).focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "track", "the ruler is one stop of the tab key"
    wait_until_quiet(page)
    before = address_changes(page)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.hash === '#alone/layer-10'")
    assert address_changes(page) - before <= 3


def test_touch_targets_are_large_enough_and_a_swipe_shows_the_next_layer_although_the_plot_changes_its_height_meanwhile(
    open_page: OpenAt, few_words: Path
) -> None:
    page = open_page(few_words, viewport=PHONE, has_touch=True, is_mobile=True)
    for target in (".steps button", ".switch label", ".panel[data-current] input[type=range]", ".site-header a"):
        for element in page.locator(target).all():
            assert box_of(element)["height"] >= 43.5, target
    finger = page.context.new_cdp_session(page)
    for name in ("layer 0", "layer 1"):
        touch(finger, "touchStart", 300)
        for x in range(280, 60, -20):
            touch(finger, "touchMove", x)
        if name == "layer 1":
            expect(page.locator(".panel[data-current] output")).to_have_text(name)
            page.evaluate("document.querySelector('.panel[data-current] .track').style.height = '700px'")
            wait_for_frames(page)
        for x in range(60, 10, -10):
            touch(finger, "touchMove", x)
        touch(finger, "touchEnd")
        assert_shows(page, name)


def test_an_address_opens_its_slide_moving_updates_it_and_the_layer_stays_in_another_context_projection_or_window(
    open_page: OpenAt, few_words: Path
) -> None:
    page = open_page(few_words, f"{MODEL}#sentence/layer-12/centered")
    assert_shows(page, "layer 12", "sentence", "centered")
    assert page.evaluate("scrollY") < 100
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("() => location.hash === '#sentence/layer-13/centered'")
    page.evaluate("location.hash = '#alone/embedding'")
    assert_shows(page, "embedding")
    page.go_back()
    assert_shows(page, "layer 13", "sentence", "centered")
    page.evaluate("location.hash = '#alone/layer-11'")
    assert_shows(page, "layer 11")
    page.get_by_role("radio", name="in a sentence").check()
    assert_shows(page, "layer 11", "sentence")
    assert page.locator(".stages:visible h3").all_text_contents() == ["Words in a sentence"]
    assert page.locator(".grid:visible").count() == 1
    assert page.locator(".grid:visible").get_attribute("data-context") == "sentence"
    page.get_by_role("radio", name="centered").check()
    assert_shows(page, "layer 11", "sentence", "centered")
    page.get_by_role("radio", name="alone", exact=True).check()
    assert_shows(page, "layer 11", "alone", "centered")
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        assert_shows(page, "layer 11", "alone", "centered")


def test_an_address_that_was_just_opened_is_not_overwritten(open_page: OpenAt, few_words: Path) -> None:
    """The page's own address may be due before the browser's event is sent."""
    page = open_page(few_words, before="addEventListener('hashchange', (event) => event.stopImmediatePropagation())")
    page.get_by_role("button", name="Next").click()
    page.evaluate("location.hash = '#alone/layer-5'")
    wait_until_quiet(page)
    assert page.evaluate("location.hash") == "#alone/layer-5"


def test_an_address_that_cannot_be_read_shows_the_beginning_and_a_stage_draws_plates_without_words_when_they_are_near(
    open_page: OpenAt, few_words: Path
) -> None:
    page = open_page(few_words, f"{MODEL}#%E0%A4%A")
    assert_shows(page, "embedding")
    near, far = (page.locator(".stages[data-current] .plates").nth(index).locator(".plate").first for index in (0, 1))
    assert near.locator("svg").count() == far.locator("svg").count() == 0
    near.scroll_into_view_if_needed()
    expect(near.locator("svg")).to_be_visible()
    assert near.locator("text").count() == 0
    near.click()
    assert_shows(page, "layer 4")
    page.locator("[id='alone/stage-2'] summary").click()
    page.get_by_role("link", name="Layer 11: massive activations emerge", exact=True).click()
    assert_shows(page, "layer 11")
    plate = box_of(page.locator("[id='alone/layer-11'] .plate"))
    assert -1 <= plate["y"] < DESKTOP["height"], "a badge leads to its slide"


def test_a_depth_without_a_picture_says_why(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, "models/mini-6/index.html#alone/layer-2")
    assert_shows(page, "layer 2", picture=False)
    expect(page.get_by_text("A plot needs at least 3 words").first).to_be_visible()


def test_without_an_explorer_the_carousel_steps(open_page: OpenAt, tmp_path: Path) -> None:
    """Vocabularies differ between models, and the explorer has one list of words."""
    report = sample_report(n_words=4)
    words = replace(report.words, vocabulary=report.words.words)
    page = open_page(write_site(replace(report, words=words), tmp_path))
    assert page.locator("[data-explore]").count() == 0
    page.get_by_role("button", name="Next").click()
    assert_shows(page, "layer 0")
    page.get_by_role("radio", name="in a sentence").check()
    assert_shows(page, "layer 0", "sentence")


def test_a_thumbnail_of_the_overview_leads_to_its_slide(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, "index.html")
    page.locator(".strip-row").nth(1).locator("a[aria-label='layer 11']").click()
    expect(page).to_have_url(re.compile(r"#sentence/layer-11$"))
    assert_shows(page, "layer 11", "sentence")


# --- without scripts, from a server, on a phone ------------------------------------------------------------------


@pytest.mark.parametrize("is_measured", [True, False])
def test_without_scripts_no_caption_ends_in_a_separator(
    open_page: OpenAt, tmp_path: Path, *, is_measured: bool
) -> None:
    words = word_list(n_categories=2, n_words=3)
    model = model_report("one", "one", 2, words, (ALONE,), measured=is_measured)
    site = write_site(replace(sample_report(), words=words, contexts=(ALONE,), models=(model,), downloads={}), tmp_path)
    page = open_page(site, "models/one/index.html", viewport=PHONE, java_script_enabled=False)
    ends = page.locator(".trust:visible").evaluate_all(
        """(all) => all.map((each) => {
            const last = [...each.children].filter((part) => part.getClientRects().length).at(-1);
            const after = getComputedStyle(last, "::after");
            return after.display === "none" ? "none" : after.content;
        })"""
    )
    assert len(ends) > 2
    assert set(ends) == {"none"}


def test_without_scripts_everything_is_shown_and_every_plate_can_be_reached(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, java_script_enabled=False)
    assert page.locator(".panel:visible").count() == 5
    assert page.locator(".slide img:visible").count() == 5 * 31
    assert page.locator(".panel-heading:visible").count() == 5
    assert page.locator(".controls:visible, input:visible, output:visible").count() == 0
    expect(page.locator(".theme")).to_be_hidden()
    expect(page.locator("[data-keys]")).to_be_hidden()
    plate = page.locator("[id='alone/layer-11'] a.plate")
    expect(plate).to_have_attribute("href", re.compile(r"model\.layers\.11\.webp$"))
    assert page.locator(".stages:visible").count() == 2
    assert page.locator(".grid:visible").count() == 4
    assert page.locator(".multiples svg").count() == len(MEASURES) - 1
    page.locator(".panel").nth(2).locator("a[aria-label='layer 11']").click()
    expect(page).to_have_url(re.compile(r"#sentence/layer-11$"))
    slide = box_of(page.locator("[id='sentence/layer-11']"))
    assert 0 <= slide["x"] < DESKTOP["width"] / 2
    image = page.locator("[id='sentence/layer-11'] img")
    image.scroll_into_view_if_needed()
    expect_loaded(image)


def assert_pictures_are_there(page: Page) -> None:
    """Those that the page has asked for so far."""
    shown = "[...document.images].filter((each) => each.complete).every((each) => each.naturalWidth > 0)"
    assert page.evaluate(shown)


UNMARKED = """() => [...document.querySelectorAll('main table')].filter((table) => {
    const scrolls = (each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible';
    const frame = [table, table.parentElement].find(scrolls);
    return frame && !getComputedStyle(frame).backgroundImage.includes('gradient');
}).map((table) => table.textContent.slice(0, 60))"""
"""The tables that scroll and have no shade at their end."""


def assert_nothing_overflows(page: Page) -> None:
    """The page scrolls down only, and a table that goes on to the right shows that it does."""
    for width in (PHONE["width"], 320):
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(UNMARKED) == []


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_hostile_text_overflows_no_phone(open_page: OpenAt, hostile: Path, path: str) -> None:
    assert_nothing_overflows(open_page(hostile, path, viewport=PHONE))


@pytest.mark.parametrize("path", OPENED_LATE)
@pytest.mark.parametrize(
    "viewport", [pytest.param(DESKTOP, marks=pytest.mark.thorough), PHONE], ids=["desktop", "phone"]
)
def test_under_a_sub_path_nothing_shifts_while_fonts_and_scripts_come_late(
    open_page: OpenAt, site: Path, few_words: Path, path: str, viewport: ViewportSize
) -> None:
    """And then nothing overflows a phone."""
    folder = site if path.startswith(MODEL) else few_words
    with served(folder.parent.parent, late=LATE) as address:
        page = open_page(f"{address}some/report/", path, viewport=viewport, before=COUNT_SHIFTS, folded=True)
        if path.startswith("explore"):
            expect(page.locator("[data-ready]")).to_be_attached()
        wait_until_quiet(page)
        assert layout_shift(page) < MOST_SHIFT
        page.evaluate(UNFOLD)
        expect(page.locator("h1")).to_be_visible()
        assert_pictures_are_there(page)
        if viewport == PHONE:
            assert_nothing_overflows(page)
        if path.startswith(WITH_RULERS):
            assert_the_layers_name_waits_for_its_place(page)
        page.goto("about:blank")  # before the server ends, of which it may still want something


def assert_the_layers_name_waits_for_its_place(page: Page) -> None:
    """It is shown once a script has put it there."""
    label = page.locator(".depth-label[style]:visible").first
    without_place = "(element) => { element.removeAttribute('style'); return getComputedStyle(element).visibility; }"
    assert label.evaluate(without_place) == "hidden"


@pytest.mark.parametrize(("viewport", "most"), [(PHONE, 235), (DESKTOP, 285)], ids=["phone", "desktop"])
def test_little_is_fetched_before_a_reader_does_something(
    server: tuple[str, list[str]], open_page: OpenAt, site: Path, viewport: ViewportSize, most: int
) -> None:
    address, requested = server
    page = open_page(address, viewport=viewport, has_touch=viewport == PHONE, is_mobile=viewport == PHONE)
    page.wait_for_load_state("networkidle")
    files = [path.removeprefix("/some/report/").split("#")[0] for path in requested]
    # All are drawn.
    assert [path for path in files if "__" in path] == []
    own = "data/smol-30/alone"
    data = {path for path in files if path.startswith("data/")}
    assert data == {"data/words.js", f"{own}/words.js", f"{own}/coordinates-standardized.js"}
    fetched = {path: (site / path).read_bytes() for path in files}
    sent = [gzip.compress(content) if path.endswith(COMPRESSED) else content for path, content in fetched.items()]
    assert sum(map(len, sent)) <= most * 1024


# --- accessibility -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in PAGES if path not in LOOKED_AT_ELSEWHERE])
def test_axe_finds_nothing(open_page: OpenAt, site: Path, few_words: Path, path: str) -> None:
    """Nor do pictures lack, from disk. A model's page lists nearest words where there are many."""
    page = open_page(site if path == MODEL else few_words, path)
    wait_until_quiet(page)
    assert_pictures_are_there(page)
    if path == "index.html":  # has what all pages show on a phone only, and in a wide window only
        expect_accessible(page)
        page.set_viewport_size(PHONE)
        expect_accessible(page, schemes=("dark", "light"))
    else:
        expect_accessible_at_all_sizes(page)


def test_chosen_depths_of_the_shown_context_and_projection_are_printed(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words)
    ruler(page).focus()
    page.keyboard.press("End")
    page.emulate_media(media="print")
    printed = page.eval_on_selector_all(
        ".slide", "(all) => all.filter((each) => each.offsetParent).map((each) => each.id)"
    )
    assert printed == ["alone/embedding", "alone/layer-10", "alone/layer-11", "alone/layer-29"]
    assert page.locator(".slide img:visible").count() == len(printed)
    shown = page.eval_on_selector_all(
        ".panel", "(all) => all.filter((each) => each.offsetParent).map((each) => each.id)"
    )
    assert shown == ["alone/standardized"]
    assert page.locator(".controls:visible").count() == 0
    page.emulate_media(media="screen")
    assert_shows(page, "layer 29")
