"""The explorer in a real browser: words, layers, two pictures in step, its address, keyboards, phones, and accessibility."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import (
    COUNT_ADDRESS_CHANGES,
    COUNT_SHIFTS,
    DESKTOP,
    PHONE,
    OpenAt,
    OpenPage,
    address_changes,
    box_of,
    layout_shift,
    wait_for_address,
    wait_for_frames,
    wait_until_quiet,
)
from narrow import present
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from report_fixture import hostile_report, sample_report, write_site

from tokviz.records import Neighbours

PAGE = "explore/index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(sample_report(), tmp_path_factory.mktemp("explore") / "some" / "report")


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    """Opens the explorer, and waits until it shows a picture whose marks and labels stand still."""

    def opened(folder: Path | str, fragment: str = "", /, **options: Any) -> Page:
        page = open_page(folder, f"{PAGE}{fragment}", **options)
        if options.get("java_script_enabled", True):
            wait_until_ready(page)
            wait_until_quiet(page)
        return page

    return opened


def wait_until_ready(page: Page) -> None:
    """Wait until the explorer has opened its address; also from the page before it, and while it is parsed."""
    expect(page.locator("[data-explore][data-ready]")).to_be_attached()


def expect_depths(page: Page, *names: str) -> None:
    """Expect the depth of each picture, and with it that all its data were loaded."""
    expect(page.locator(".view-depth")).to_have_text(names)


def chosen(page: Page) -> list[str]:
    """Model, context and projection of each picture."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('[data-view]')].map((view) =>
            [...view.querySelectorAll('select')].map((select) => select.value).join('/'))"""
    )
    return found


def show_side_by_side(page: Page, *names: str) -> None:
    """Add a second picture; ``names`` are the depths of both."""
    page.get_by_role("button", name="Side by side").click()
    expect_depths(page, *names)
    wait_until_quiet(page)


def plot(page: Page) -> Locator:
    return page.locator("[data-plot]").first


def readout(page: Page) -> Locator:
    return page.locator(".readout").first


def current_name(page: Page) -> str:
    """The word that is pointed at, as soon as there is one."""
    name = page.locator(".names .current")
    expect(name).to_be_visible()
    return name.text_content() or ""


def place_of(page: Page, row: int) -> tuple[float, float]:
    """Where a word's mark is in the first picture, in pixels of the window."""
    box = box_of(page.locator(".plot-inner").first)
    transform = plot(page).locator(".plot-marks > g").nth(row).get_attribute("transform")
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", transform or ""))
    return box["x"] + x, box["y"] + y


def point_at(page: Page, row: int) -> None:
    page.mouse.move(*place_of(page, row))


def pins(page: Page) -> list[str]:
    return [name.removesuffix(" ×") for name in page.locator(".pins button[aria-label]").all_inner_texts()]


# --- words ------------------------------------------------------------------------------------------------------------


def test_it_opens_with_all_words_at_the_emergence_layer(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    assert chosen(page) == ["smol-30/alone/standardized"]
    expect_depths(page, "layer 11")
    expect(page.locator(".plot-marks > g")).to_have_count(117)
    expect(page.locator(".plot-axes")).to_contain_text("PC1 48.8")
    expect(page.locator(".mark-name")).to_have_text("massive from layer 11")


def test_pointing_at_a_word_shows_its_neighbours(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    point_at(page, 30)
    word = current_name(page)
    assert word.startswith("word")
    expect(readout(page)).to_have_text(re.compile(rf"^\s*{word}\b"))
    expect(page.locator(".readout .near")).to_have_text(re.compile("^Nearest in all dimensions: word"))
    expect(page.locator(".links line")).to_have_count(5)
    page.mouse.move(2, 2)
    expect(page.locator(".names .current")).to_have_count(0)


def test_neighbours_are_those_of_the_layer(explore: OpenAt, site: Path) -> None:
    """In the fixture the neighbours at depth d are the words d + 1 to d + 5 further on."""
    page = explore(site, "#a=smol-30/alone/standardized&at=embedding&word=word0a")
    expect(readout(page)).to_contain_text("word0b, word0c, word0d, word0e, word0f")
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 0")
    expect(readout(page)).to_contain_text("word0c, word0d, word0e, word0f, word0g")


def test_without_neighbours_of_the_full_space_it_shows_those_of_the_picture(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-0&word=word0a")
    expect(readout(page)).to_contain_text("Nearest in the plot: ")
    shown = re.findall(r"word\d\w", readout(page).inner_text().split(":")[1])
    coordinates = sample_report().models[1].contexts[0].projections[0].projection.coordinates[1]
    distances = ((coordinates - coordinates[0]) ** 2).sum(axis=1)
    assert shown == [sample_report().words.words[row] for row in distances.argsort()[1:6]]


def test_a_word_with_the_very_same_state_as_others_has_no_neighbours(explore: OpenAt, tmp_path: Path) -> None:
    report = sample_report()
    model, *others = report.models
    context, *contexts = model.contexts
    rows = present(context.neighbours).rows.copy()
    rows[0, 0] = -1
    alike = replace(model, contexts=(replace(context, neighbours=Neighbours(rows=rows)), *contexts))
    page = explore(
        write_site(replace(report, models=(alike, *others)), tmp_path),
        "#a=smol-30/alone/standardized&at=embedding&word=word0a",
    )
    expect(page.locator(".readout .near")).to_have_text("No neighbors: other words have an identical state.")
    expect(page.locator(".links line")).to_have_count(0)
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".readout .near")).to_have_text(re.compile("^Nearest in all dimensions: word"))


def test_a_click_pins_a_word_and_another_unpins_it(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-5")
    page.mouse.click(*place_of(page, 44))
    assert len(pins(page)) == 1
    expect(page.locator(".trails path")).not_to_have_count(0)
    expect(page.locator("tbody tr th").first).to_have_text(pins(page)[0])
    wait_for_address(page, f"pin={pins(page)[0]}")
    page.mouse.click(*place_of(page, 44))
    assert pins(page) == []
    expect(page.locator(".trails path")).to_have_count(0)


def test_a_word_is_found_by_typing_and_pinned_by_enter(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    field = page.get_by_role("combobox", name="Find a word")
    field.press_sequentially("word3")
    found = page.locator("#found [role=option]")
    assert found.count() == 10
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(active).to_have_attribute("aria-selected", "true")
    expect(active).to_have_text(re.compile(r"^word3b\b"))
    page.keyboard.press("Enter")
    assert pins(page) == ["word3b"]
    expect(readout(page)).to_have_text(re.compile(r"^\s*word3b\b"))
    expect(found.filter(visible=True)).to_have_count(0)
    field.press_sequentially("nothing like it")
    page.keyboard.press("Enter")
    assert pins(page) == ["word3b"]


def test_a_category_can_be_hidden(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    page.get_by_role("button", name="Category 1", exact=True).click()
    expect(page.locator(".plot-marks > g").filter(visible=True)).to_have_count(104)
    expect(page.locator("caption")).to_contain_text("of 104")
    wait_for_address(page, "hide=0")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("caption")).to_contain_text("of 117")


# --- layers -----------------------------------------------------------------------------------------------------------


def test_marks_move_smoothly_from_layer_to_layer(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-3")
    seen = page.evaluate(
        """async () => {
            const places = [];
            const mark = document.querySelectorAll('.plot-marks > g')[9];
            document.querySelector('[data-step="1"]').click();
            for (const begin = performance.now(); performance.now() - begin < 1200;) {
                await new Promise(requestAnimationFrame);
                places.push(Number(mark.getAttribute('transform').match(/[\\d.]+/)[0]));
            }
            return places;
        }"""
    )
    start, end = seen[0], seen[-1]
    assert abs(end - start) > 20
    assert len(set(seen)) >= 5
    assert seen == sorted(seen, reverse=end < start)


def test_who_prefers_less_motion_sees_jumps(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-3", reduced_motion="reduce")
    before = place_of(page, 9)
    page.evaluate("document.querySelector('[data-step=\"1\"]').click()")
    wait_for_frames(page)
    first = place_of(page, 9)
    assert first != before
    wait_until_quiet(page)
    assert place_of(page, 9) == first


def test_play_walks_through_the_layers_and_stops_at_the_last(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-3")
    page.get_by_role("button", name="Play").click()
    expect_depths(page, "layer 5")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    # Looks at every frame; the layer is shown for less than a second.
    page.wait_for_function("() => document.querySelector('.view-depth').textContent === 'layer 0'")
    page.get_by_role("button", name="Stop").click()
    seen = page.locator(".view-depth").inner_text()
    wait_until_quiet(page)  # no interval is left that could walk on
    expect_depths(page, seen)


def test_the_ruler_is_the_slider(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    ruler = page.get_by_role("slider", name="Depth")
    ruler.focus()
    page.keyboard.press("End")
    expect_depths(page, "layer 29")
    assert ruler.get_attribute("aria-valuetext") == "layer 29"
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".depth-label")).to_have_text("layer 28")


def test_a_depth_without_a_picture_says_why(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-2&word=word0a")
    expect(plot(page).get_by_text("A plot needs at least 3 words")).to_be_visible()
    expect(readout(page)).to_contain_text("there is no plot of this depth")
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 3")
    expect(plot(page).locator(".problem")).to_be_hidden()


# --- two pictures, and the address ------------------------------------------------------------------------------------


def test_side_by_side_shows_the_other_context_in_step(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    show_side_by_side(page, "layer 11", "layer 11")
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


def test_another_model_keeps_the_relative_depth(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/alone/standardized&at=layer-14")
    page.locator("select[data-part=model]").select_option("mini-6")
    expect_depths(page, "layer 2")
    assert page.get_by_role("slider", name="Depth").get_attribute("max") == "6"


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
    assert place_of(again, 50) == pytest.approx(place_of(page, 50), abs=1.5)


@pytest.mark.parametrize(
    "fragment", ["#a=nobody/x/y", "#%E0%A4%A", "#a=", "#at=layer-999", "#pin=%E0,nobody&hide=77,x&zoom-a=q"]
)
def test_an_unknown_address_shows_what_there_is(explore: OpenAt, site: Path, fragment: str) -> None:
    page = explore(site, fragment)
    assert chosen(page) == ["smol-30/alone/standardized"]
    assert pins(page) == []
    expect(page.locator(".plot-marks > g")).to_have_count(117)


def test_the_address_is_not_changed_too_often_for_safari(explore: OpenAt, site: Path) -> None:
    page = explore(site, before=COUNT_ADDRESS_CHANGES)
    page.get_by_role("slider", name="Depth").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    wait_for_address(page, "at=embedding")
    assert address_changes(page) <= 4


def test_a_models_page_leads_to_the_layer_that_it_shows(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "models/smol-30/index.html#sentence/layer-7")
    page.locator(".panel[data-current]").get_by_role("link", name="Explore this layer").click()
    wait_until_ready(page)
    assert chosen(page) == ["smol-30/sentence/standardized"]
    expect_depths(page, "layer 7")


def test_it_leads_back_to_the_plate(explore: OpenAt, site: Path) -> None:
    page = explore(site, "#a=smol-30/sentence/centered&at=layer-7")
    page.locator(".explore-links a").click()
    expect(page).to_have_url(re.compile(r"models/smol-30/index\.html#sentence/layer-7/centered$"))
    expect(page.locator(".panel[data-current] output")).to_have_text("layer 7")


# --- zoom, keyboard ---------------------------------------------------------------------------------------------------


def test_zoom_by_buttons_keys_and_wheel(explore: OpenAt, site: Path) -> None:
    page = explore(site, reduced_motion="reduce")
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


def test_the_wheel_scrolls_the_page_until_the_picture_was_clicked(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    point_at(page, 5)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => scrollY > 200")
    wait_until_quiet(page)
    expect(plot(page).locator(".zoomed")).to_have_count(0)


def test_everything_can_be_done_by_keyboard(explore: OpenAt, site: Path) -> None:
    page = explore(site)
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


def test_the_table_pins_filters_and_has_pages(explore: OpenAt, site: Path) -> None:
    page = explore(site)
    page.get_by_role("button", name="Later words").click()
    expect(page.locator("caption")).to_contain_text("words 21–40 of 117")
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
        *(f"smol-30/alone/{name}.js" for name in ("coordinates-standardized", "neighbours", "words")),
        "words.js",
    ]


def test_a_missing_script_is_reported(browser: Browser, tmp_path: Path) -> None:
    folder = write_site(sample_report(), tmp_path)
    (folder / "data/mini-6/alone/coordinates-centered.js").unlink()
    page = browser.new_page()
    page.goto(f"{folder.as_uri()}/{PAGE}#a=smol-30/alone/standardized&at=layer-3")
    wait_until_ready(page)
    page.locator("select[data-part=model]").select_option("mini-6")
    page.locator("select[data-part=projection]").select_option("centered")
    expect(page.get_by_text("could not be loaded")).to_be_visible()
    page.close()


def test_without_scripts_it_leads_to_the_plates_and_files(explore: OpenAt, site: Path) -> None:
    page = explore(site, java_script_enabled=False)
    expect(page.locator("[data-explore]")).to_be_hidden()
    expect(page.get_by_role("link", name="mini-encoder-6").last).to_be_visible()
    assert page.get_by_role("link", name="alone, coordinates.csv").count() == 2


@pytest.mark.parametrize("two", [False, True])
def test_nothing_overflows_a_phone(explore: OpenAt, site: Path, two: bool) -> None:
    page = explore(site, viewport=PHONE, has_touch=True)
    if two:
        show_side_by_side(page, "layer 11", "layer 11")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.locator(".explore button:visible, .explore select:visible").evaluate_all(
        "(all) => all.filter((each) => each.getBoundingClientRect().height < 43.5).map((each) => each.textContent)"
    )
    assert small == []


def test_long_words_fit_a_phone(explore: OpenAt, tmp_path: Path) -> None:
    page = explore(write_site(hostile_report(), tmp_path), "#word=%25%26'%22", viewport=PHONE)
    page.get_by_role("combobox", name="Find a word").fill("aaaa")
    page.keyboard.press("Enter")
    assert len(pins(page)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_finger_shows_a_word_first_and_pins_it_then(explore: OpenAt, site: Path) -> None:
    page = explore(site, viewport=PHONE, has_touch=True)
    x, y = place_of(page, 20)
    page.touchscreen.tap(x, y)
    word = current_name(page)
    assert pins(page) == []
    page.touchscreen.tap(x, y)
    assert pins(page) == [word]


def test_hostile_words_are_shown_as_text(explore: OpenAt, tmp_path: Path) -> None:
    page = explore(write_site(hostile_report(), tmp_path))
    page.get_by_role("combobox", name="Find a word").fill("script")
    page.keyboard.press("Enter")
    assert len(pins(page)) == 1
    wait_for_address(page, "pin=")
    again = explore(tmp_path, page.evaluate("location.hash"))
    assert pins(again) == pins(page)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_shifts_while_the_page_loads(explore: OpenAt, site: Path, viewport: ViewportSize) -> None:
    page = explore(site, before=COUNT_SHIFTS, viewport=viewport)
    assert layout_shift(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(explore: OpenAt, site: Path, scheme: str, viewport: ViewportSize) -> None:
    page = explore(site, "#pin=word3c,word5f&hide=1&word=word0a", color_scheme=scheme, viewport=viewport)
    show_side_by_side(page, "layer 11", "layer 11")
    page.get_by_role("combobox", name="Find a word").press_sequentially("word")
    wait_until_quiet(page)
    result = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert result.response["violations"] == [], result.generate_report()


def test_thousands_of_words_are_drawn_on_a_canvas(explore: OpenAt, tmp_path: Path) -> None:
    from test_explore_speed import large_report

    report = large_report(n_words=2_000, n_layers=3)
    page = explore(write_site(report, tmp_path))
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
