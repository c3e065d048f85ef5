"""The explorer in a real browser: two plots in step, its address, keyboards, phones, accessibility, and many words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import (
    COUNT_ADDRESS_CHANGES,
    COUNT_SHIFTS,
    PHONE,
    OpenAt,
    OpenPage,
    address_changes,
    box_of,
    expect_accessible_at_all_sizes,
    layout_shift,
    wait_for_address,
    wait_until_quiet,
)
from explore_page import (
    PAGE,
    chosen,
    current_name,
    expect_depths,
    explorer,
    pins,
    place_of,
    plot,
    point_at,
    show_side_by_side,
    wait_until_ready,
)
from playwright.sync_api import Browser, Page, expect
from report_fixture import hostile_report, large_report, sample_report, write_site


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    return explorer(open_page)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(hostile_report(), tmp_path_factory.mktemp("hostile"))


# --- two pictures, and the address ------------------------------------------------------------------------------------


def test_a_step_taken_while_another_context_is_loaded_is_kept(explore: OpenAt, few_words: Path) -> None:
    page = explore(few_words, "#a=smol-30/alone/standardized&at=layer-3")
    # In one go, so that nothing can have been loaded before the step.
    page.evaluate(
        """() => {
            const contexts = document.querySelector("[data-view] select[data-part=context]");
            contexts.value = "sentence";
            contexts.dispatchEvent(new Event("change", { bubbles: true }));
            document.querySelector("[data-step='1']").click();
        }"""
    )
    wait_for_address(page, "smol-30/sentence")
    expect_depths(page, "layer 4")


def test_side_by_side_shows_the_other_context_in_step_and_another_model_keeps_the_relative_depth(
    explore: OpenAt, few_words: Path
) -> None:
    page = explore(few_words)
    show_side_by_side(page, "layer 11", "layer 11")
    assert_two_plots_begin_at_one_height_where_the_lists_of_one_take_two_lines(page)
    assert chosen(page) == ["smol-30/alone/standardized", "smol-30/sentence/standardized"]
    page.locator("[data-view]").nth(1).locator("select").first.select_option("mini-6")
    expect_depths(page, "layer 11", "layer 1")
    page.get_by_role("slider", name="Depth").focus()
    page.keyboard.press("End")
    expect_depths(page, "layer 29", "layer 5")
    page.get_by_role("radio", name="the second").check()
    expect(page.locator("caption")).to_contain_text("mini-encoder-6")
    page.get_by_role("button", name="Side by side").click()
    assert chosen(page) == ["smol-30/alone/standardized"]
    expect(page.locator("caption")).not_to_contain_text("mini-encoder-6")
    page.evaluate("location.hash = '#a=smol-30/alone/standardized&at=layer-14'")
    expect_depths(page, "layer 14")
    page.locator("select[data-part=model]").select_option("mini-6")
    expect_depths(page, "layer 2")
    assert page.get_by_role("slider", name="Depth").get_attribute("max") == "6"


def assert_two_plots_begin_at_one_height_where_the_lists_of_one_take_two_lines(page: Page) -> None:
    first, second = page.locator("[data-view]").all()
    labels = first.locator("label")
    labels.evaluate_all("(labels) => labels.forEach((label) => { label.style.flexBasis = '100%'; })")
    # The lists end at one height, too.
    assert box_of(first.locator("select").first)["y"] < box_of(second.locator("select").first)["y"]
    assert box_of(first.locator(".plot"))["y"] == box_of(second.locator(".plot"))["y"]
    labels.evaluate_all("(labels) => labels.forEach((label) => { label.style.flexBasis = ''; })")


def test_an_address_restores_all_that_is_shown(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    show_side_by_side(page, "layer 11", "layer 11")
    page.locator("[data-view]").nth(1).locator("select").nth(2).select_option("centered")
    page.get_by_role("button", name="Category 2", exact=True).click()
    page.mouse.click(*place_of(page, 44))
    plot(page).focus()
    page.keyboard.press("+")
    page.get_by_role("slider", name="Depth").focus()
    page.keyboard.press("ArrowRight")
    wait_for_address(page, "zoom-a=1.6")
    wait_for_address(page, "at=layer-12")
    fragment = page.evaluate("location.hash")
    pinned = pins(page)
    again = explore(site, fragment)
    assert chosen(again) == ["smol-30/alone/standardized", "smol-30/sentence/centered"]
    expect_depths(again, "layer 12", "layer 12")
    assert pins(again) == pinned
    assert again.get_by_role("button", name="Category 2", exact=True).get_attribute("aria-pressed") == "false"
    wait_until_quiet(page)
    for each in (page, again):
        each.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    assert place_of(again, 50) == pytest.approx(place_of(page, 50), abs=1.5)


def test_an_unknown_address_shows_what_there_is(explore: OpenAt, few_words: Path) -> None:
    page = explore(few_words, "#a=nobody/x/y")
    odd = "#at=layer-999&pin=%E0,nobody&hide=77,x&zoom-a=q&table=-3"
    for number, fragment in enumerate(("", "#%E0%A4%A", "#a=", odd)):
        if fragment:
            # Another query, as a change of the fragment alone would load nothing.
            page.goto(f"{(few_words / PAGE).as_uri()}?{number}{fragment}")
            wait_until_ready(page)
            wait_until_quiet(page)
        assert chosen(page) == ["smol-30/alone/standardized"], fragment
        assert pins(page) == [], fragment
        expect(page.locator(".plot-marks > g")).to_have_count(36)


def test_a_models_page_leads_to_the_layer_that_it_shows(open_page: OpenPage, few_words: Path) -> None:
    page = open_page(few_words, "models/smol-30/index.html#sentence/layer-7")
    page.locator(".panel[data-current]").get_by_role("link", name="Explore this layer").click()
    wait_until_ready(page)
    assert chosen(page) == ["smol-30/sentence/standardized"]
    expect_depths(page, "layer 7")


def test_it_leads_back_to_the_plate(explore: OpenAt, few_words: Path) -> None:
    page = explore(few_words, "#a=smol-30/sentence/centered&at=layer-7")
    page.locator(".explore-links a").click()
    expect(page).to_have_url(re.compile(r"models/smol-30/index\.html#sentence/layer-7/centered$"))
    expect(page.locator(".panel[data-current] output")).to_have_text("layer 7")


# --- zoom, keyboard ---------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_zoom_by_buttons_keys_and_once_the_picture_was_clicked_by_the_wheel(explore: OpenAt, few_words: Path) -> None:
    page = explore(few_words)
    point_at(page, 5)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => scrollY > 200")
    wait_until_quiet(page)
    expect(plot(page).locator(".zoomed")).to_have_count(0)
    page.mouse.move(2, 2)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    rest = place_of(page, 5)
    page.get_by_role("button", name="Zoom in").click()
    wait_until_quiet(page)
    assert place_of(page, 5) != rest
    page.get_by_role("button", name="Whole plot").click()
    wait_until_quiet(page)
    assert place_of(page, 5) == rest
    plot(page).focus()
    page.keyboard.press("+")
    page.keyboard.press("0")
    wait_until_quiet(page)
    assert place_of(page, 5) == rest
    point_at(page, 5)
    page.mouse.wheel(0, -300)
    expect(plot(page).locator(".zoomed")).to_be_visible()
    wait_until_quiet(page)
    assert place_of(page, 5) == pytest.approx(rest, abs=3)  # it grows about the pointer
    assert place_of(page, 6) != rest
    # With Ctrl, one notch isn't taken for a long pinch.
    wait_for_address(page, "zoom-a=")
    before = zoom_of(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    wait_until_quiet(page)
    assert zoom_of(page) / before == pytest.approx(1.2, rel=0.01)


def zoom_of(page: Page) -> float:
    """How much the first picture is enlarged, as the address says."""
    found = re.search(r"zoom-a=([\d.]+)", page.url)
    assert found is not None
    return float(found[1])


def test_everything_can_be_done_by_keyboard_and_the_address_changes_seldom_enough_for_safari(
    explore: OpenAt, few_words: Path
) -> None:
    page = explore(few_words, before=COUNT_ADDRESS_CHANGES + COUNT_SHIFTS)
    assert layout_shift(page) == 0, "while the page loads"
    plot(page).focus()
    page.keyboard.press("ArrowRight")
    first = current_name(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".names .current")).not_to_have_text(first)
    second = current_name(page)
    expect(page.locator("[data-say]")).to_have_text(re.compile(rf"^{second}, "))
    page.keyboard.press("Enter")
    assert pins(page) == [second]
    page.keyboard.press("PageDown")
    expect_depths(page, "layer 12")
    page.keyboard.press("Escape")
    expect(page.locator(".names .current")).to_have_count(0)
    page.get_by_role("button", name=f"Unpin {second}").press("Enter")
    assert pins(page) == []
    before = address_changes(page)
    page.get_by_role("slider", name="Depth").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    wait_for_address(page, "at=layer-0")
    assert address_changes(page) - before <= 4


def test_the_table_pins_filters_and_has_pages(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    page.get_by_role("button", name="Later words").click()
    expect(page.locator("caption")).to_contain_text("words 21–40 of 117")
    wait_for_address(page, "&table=2")
    expect(explore(site, page.evaluate("location.hash")).locator("caption")).to_contain_text("words 21–40 of 117")
    page.get_by_label("Filter").fill("word8")
    expect(page.locator("tbody tr")).to_have_count(13)
    page.locator("tbody").get_by_role("button", name="word8m").click()
    assert pins(page) == ["word8m"]
    row = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert row[0] == "Category 9"
    assert row[1] == "␣wo · rd8m"
    expected = sample_report().models[0].contexts[0].projections[0].projection.coordinates[12, 116]
    assert float(row[2].replace("−", "-")) == pytest.approx(expected[0], abs=0.01)


# --- light, from a server, without scripts, on a phone, accessible ------------------------------------------------------


def test_only_what_is_shown_is_loaded(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "404.html")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{site.as_uri()}/{PAGE}")
    wait_until_ready(page)
    assert sorted(url.split("/data/")[1] for url in requested if "/data/" in url) == [
        *(f"smol-30/alone/{name}.js" for name in ("coordinates-standardized", "neighbours", "scores", "words")),
        "words.js",
    ]


def test_a_missing_script_is_reported(browser: Browser, tmp_path: Path) -> None:
    folder = write_site(sample_report(n_words=4), tmp_path)
    (folder / "data/mini-6/alone/coordinates-centered.js").unlink()
    page = browser.new_page()
    page.goto(f"{folder.as_uri()}/{PAGE}#a=smol-30/alone/standardized&at=layer-3")
    wait_until_ready(page)
    page.locator("select[data-part=model]").select_option("mini-6")
    page.locator("select[data-part=projection]").select_option("centered")
    expect(page.get_by_text("could not be loaded")).to_be_visible()
    page.close()


def test_without_scripts_it_leads_to_the_plates_and_files(explore: OpenAt, few_words: Path) -> None:
    page = explore(few_words, java_script_enabled=False)
    expect(page.get_by_role("heading", name="Explore", exact=True)).to_be_visible()
    expect(page.locator(".explore-card, .explore-tools button, .ruler").filter(visible=True)).to_have_count(0)
    expect(page.get_by_role("link", name="mini-encoder-6").last).to_be_visible()
    assert page.get_by_role("link", name="alone, coordinates.csv").count() == 2


def test_on_a_phone_nothing_shifts_or_overflows_and_a_finger_shows_a_word_first_and_pins_it_then(
    explore: OpenAt, few_words: Path
) -> None:
    page = explore(few_words, viewport=PHONE, has_touch=True, before=COUNT_SHIFTS)
    assert layout_shift(page) == 0
    assert_fits_a_phone(page)
    # The ruler stays at the top as long as a plot is seen under it.
    ruler = page.locator(".ruler-slider")
    plot(page).evaluate("(plot) => scrollBy(0, plot.getBoundingClientRect().bottom - 300)")
    assert box_of(ruler)["y"] == 0
    page.locator(".legend").evaluate("(legend) => scrollBy(0, legend.getBoundingClientRect().bottom)")
    expect(ruler).not_to_be_in_viewport()
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    x, y = place_of(page, 20)
    page.touchscreen.tap(x, y)
    word = current_name(page)
    assert pins(page) == []
    page.touchscreen.tap(x, y)
    assert pins(page) == [word]
    show_side_by_side(page, "layer 11", "layer 11")
    assert_fits_a_phone(page)


def assert_fits_a_phone(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.locator(".explore button:not(.term):visible, .explore select:visible").evaluate_all(
        "(all) => all.filter((each) => each.getBoundingClientRect().height < 43.5).map((each) => each.textContent)"
    )
    assert small == []


def test_long_words_fit_a_phone(explore: OpenAt, hostile: Path) -> None:
    page = explore(hostile, "#word=%25%26'%22", viewport=PHONE)
    page.get_by_role("combobox", name="Find a word").fill("aaaa")
    page.keyboard.press("Enter")
    assert len(pins(page)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_hostile_words_are_shown_as_text(explore: OpenAt, hostile: Path) -> None:
    page = explore(hostile)
    page.get_by_role("combobox", name="Find a word").fill("script")
    page.keyboard.press("Enter")
    assert len(pins(page)) == 1
    wait_for_address(page, "pin=")
    again = explore(hostile, page.evaluate("location.hash"))
    assert pins(again) == pins(page)


@pytest.mark.thorough
def test_axe_finds_nothing(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#pin=word3c,word5f&hide=1&word=word0a&trails=aligned")
    show_side_by_side(page, "layer 11", "layer 11")
    page.get_by_role("combobox", name="Find a word").press_sequentially("word")
    expect_accessible_at_all_sizes(page)


@pytest.mark.thorough
def test_thousands_of_words_are_drawn_on_a_canvas(explore: OpenAt, tmp_path: Path) -> None:
    report = large_report(n_words=2_000, n_layers=3)
    page = explore(write_site(report, tmp_path, only=PAGE))
    expect(page.locator(".plot-marks > g")).to_have_count(0)
    inked = page.evaluate(
        """() => {
            const canvas = document.querySelector('canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, index) => index % 4 === 3 && value > 0).length;
        }"""
    )
    assert inked > 10_000
    box = box_of(page.locator(".plot-inner"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".names .current")).to_be_visible()
