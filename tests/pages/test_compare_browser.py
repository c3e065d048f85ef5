"""The compare page in a real browser: in step both ways, linked, from disk, by keyboard, without scripts."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from browser import (
    COUNT_ADDRESS_CHANGES,
    COUNT_SHIFTS,
    DESKTOP,
    MOVING,
    PHONE,
    OpenAt,
    OpenPage,
    address_changes,
    box_of,
    expect_accessible,
    expect_accessible_at_all_sizes,
    expect_loaded,
    layout_shift,
    wait_for_address,
    wait_until_quiet,
)
from plates_page import expect_drawn
from playwright.sync_api import Locator, Page, ViewportSize, expect
from report_fixture import compared_report, many_models_report, write_site

from tokviz.pages.first import page as index

PAGE = "compare/index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(compared_report(n_words=4), tmp_path_factory.mktemp("compare"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten models; the first page folds most of them, and leaves links per depth to its script, as it does with fifty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "MOST_MODELS_IN_SIGHT", 4)
        patch.setattr(index, "MOST_LINKS", 100)
        return write_site(many_models_report(n_words=4), tmp_path_factory.mktemp("many"))


@pytest.fixture
def open_page(open_page: OpenPage) -> OpenAt:
    """Opens the page, or another one, from disk."""
    return lambda folder, fragment="", /, path=PAGE, **options: open_page(folder, f"{path}{fragment}", **options)


def depths(page: Page) -> list[str]:
    """The depth that each slot names."""
    return page.locator(".slot-depth").all_text_contents()


def plates(page: Page) -> list[str | None]:
    """The picture of the plate that each slot shows, or None: drawn on the screen, an image on paper."""
    found: list[str | None] = page.evaluate(
        """() => [...document.querySelectorAll('[data-slot] .plate')].map((plate) =>
            plate.getClientRects().length ? plate.querySelector('img').getAttribute('src').split('/').at(-1) : null)"""
    )
    return found


def chosen(page: Page) -> list[str]:
    """Model, context and projection of each slot."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('[data-slot]')].map((slot) =>
            [...slot.querySelectorAll('select')].map((select) => select.value).join('/'))"""
    )
    return found


def ruler(page: Page) -> Locator:
    return page.locator("[data-compare] input[type=range]")


def select(page: Page, slot: int, part: str) -> Locator:
    return page.locator("[data-slot]").nth(slot).locator(f"select[data-part={part}]")


# --- in step ------------------------------------------------------------------------------------------------------


def test_the_first_two_models_are_in_step_by_relative_depth_and_the_address_changes_seldom_enough_for_safari(
    open_page: OpenAt, site: Path
) -> None:
    """Halfway: the 15th of 30 layers beside the 3rd of 6."""
    page = open_page(site, before=COUNT_SHIFTS + COUNT_ADDRESS_CHANGES, **MOVING)
    wait_until_quiet(page)
    assert layout_shift(page) < 0.05
    assert chosen(page) == ["smol-30/alone/standardized", "mini-6/alone/standardized"]
    assert depths(page) == ["layer 14", "layer 2"]
    assert plates(page) == ["smol-30__model.layers.14.webp", None]
    expect(page.get_by_text("A plot needs at least 3 words").first).to_be_visible()
    page.get_by_role("button", name="Next").click()
    assert depths(page) == ["layer 15", "layer 2"]
    page.get_by_role("button", name="Previous").click()
    page.keyboard.press("ArrowLeft")
    assert depths(page) == ["layer 13", "layer 2"]
    ruler(page).focus()
    page.keyboard.press("End")
    assert depths(page) == ["layer 29", "layer 5"]
    assert plates(page) == ["smol-30__model.layers.29.webp", "mini-6__model.layers.5.webp"]
    page.keyboard.press("Home")
    assert depths(page) == ["embedding", "embedding"]
    before = address_changes(page)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert depths(page) == ["layer 9", "layer 1"]
    assert "Smol-135M-Instruct (Q4_1 GGUF): layer 9" in (ruler(page).get_attribute("aria-valuetext") or "")
    wait_for_address(page, "at=0.3333")
    assert address_changes(page) - before <= 4


@pytest.mark.thorough
def test_by_layer_number_the_shorter_model_stays_at_its_last_layer(open_page: OpenAt, site: Path) -> None:
    page = open_page(site)
    page.get_by_role("radio", name="layer number").check()
    assert depths(page) == ["layer 14", "layer 5 (last)"]
    ruler(page).focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert depths(page) == ["layer 3", "layer 3"]
    assert plates(page) == ["smol-30__model.layers.3.webp", "mini-6__model.layers.3.webp"]
    wait_for_address(page, "by=layer&at=layer-3")
    page.get_by_role("radio", name="relative depth").check()
    assert depths(page) == ["layer 3", "layer 0"]


# --- choosing and linking ----------------------------------------------------------------------------------------


def test_a_comparison_can_be_linked(open_page: OpenAt, site: Path) -> None:
    page = open_page(site)
    select(page, 0, "context").select_option("sentence")
    select(page, 1, "model").select_option("smol-30")
    select(page, 1, "projection").select_option("centered")
    ruler(page).focus()
    page.keyboard.press("ArrowRight")
    wait_for_address(page, "at=0.5333")
    fragment = page.evaluate("location.hash")
    assert fragment == "#a=smol-30/sentence/standardized&b=smol-30/alone/centered&by=relative&at=0.5333"
    again = open_page(site, fragment)
    assert chosen(again) == ["smol-30/sentence/standardized", "smol-30/alone/centered"]
    assert depths(again) == depths(page) == ["layer 15", "layer 15"]
    assert plates(again) == plates(page)


def test_a_link_by_layer_number_is_restored(open_page: OpenAt, site: Path) -> None:
    page = open_page(site, "#a=mini-6/sentence/centered&b=smol-30/alone/centered&by=layer&at=layer-12")
    assert chosen(page) == ["mini-6/sentence/centered", "smol-30/alone/centered"]
    assert depths(page) == ["layer 5 (last)", "layer 12"]
    expect(page.get_by_role("radio", name="layer number")).to_be_checked()
    page.evaluate("location.hash = '#a=smol-30/alone/standardized&b=mini-6/alone/standardized&by=relative&at=1'")
    expect(page.locator(".slot-depth")).to_have_text(["layer 29", "layer 5"])


def test_an_unknown_address_shows_the_beginning(open_page: OpenAt, site: Path) -> None:
    page = open_page(site, "#a=nobody/alone/standardized")
    for number, fragment in enumerate(("", "#%E0%A4%A", "#by=sideways&at=nowhere", "#a=lost//&b=&at=7")):
        if fragment:
            # Another query, as a change of the fragment alone would load nothing.
            page.goto(f"{(site / PAGE).as_uri()}?{number}{fragment}")
        assert chosen(page) == ["smol-30/alone/standardized", "mini-6/alone/standardized"], fragment
        assert depths(page) == ["layer 14", "layer 2"], fragment


def test_up_to_four_pictures_can_be_added_and_removed(open_page: OpenAt, site: Path) -> None:
    page = open_page(site)
    assert page.get_by_role("button", name="Remove").count() == 0
    add = page.get_by_role("button", name="Add a plot")
    add.click()
    add.click()
    assert len(chosen(page)) == len(set(chosen(page))) == 4
    expect(add).to_be_disabled()
    assert len(page.locator(".compare-strip:visible").all()) == 4
    wait_for_address(page, "&d=")
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Remove").first.click()
    assert len(chosen(page)) == 2
    assert page.get_by_role("button", name="Remove").count() == 0


def test_everything_can_be_done_by_keyboard(open_page: OpenAt, site: Path) -> None:
    page = open_page(site)
    page.get_by_role("radio", name="relative depth").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="layer number")).to_be_checked()
    ruler(page).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert depths(page) == ["layer 0", "layer 0"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.part") == "model"
    page.keyboard.press("ArrowDown")
    assert chosen(page)[0] == "mini-6/alone/standardized"
    assert depths(page) == ["layer 0", "layer 0"]
    # Up and down choose, also after a step.
    select(page, 0, "context").focus()
    page.keyboard.press("ArrowDown")
    assert chosen(page)[0] == "mini-6/sentence/standardized"
    page.get_by_role("radio", name="layer number").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="relative depth")).to_be_checked()
    expect(page.get_by_role("radio", name="relative depth")).to_be_focused()


# --- many models: parts come when they are asked for ---------------------------------------------------------------


def test_pictures_and_curves_of_a_model_come_when_it_is_chosen(open_page: OpenAt, many: Path) -> None:
    page = open_page(
        many, "#a=model-8/sentence/centered&b=model-1/alone/standardized&by=relative&at=1", before=COUNT_SHIFTS
    )
    expect(page.locator("html[data-opening]")).to_have_count(0)
    assert plates(page) == ["smol-30__model.layers.29.webp", "mini-6__model.layers.5.webp"]
    assert loaded(page) == ["model-8.js"]
    select(page, 1, "model").select_option("model-9")
    expect(page.locator(".slot").nth(1)).to_have_attribute("aria-busy", "false")
    expect(page.locator(".slot figcaption").nth(1)).to_contain_text("PC1 48.8")
    assert chosen(page)[1] == "model-9/alone/standardized"
    assert loaded(page) == ["model-8.js", "model-9.js"]

    purity = page.locator(".measure svg[role=img]").first
    curves, names = purity.locator(".curve"), purity.locator(".end")
    before = curves.evaluate_all("(all) => all.map((each) => each.getAttribute('d'))")
    page.locator("[data-curve-choice] summary").click()
    for name, is_drawn in (("Model number 1", False), ("Model number 8", True), ("Model number 9", True)):
        page.locator("[data-curve-choice]").get_by_label(name, exact=False).set_checked(is_drawn)
    expect(names).to_have_count(9)
    assert "Model number 9: " in (purity.get_attribute("aria-label") or "")
    assert "Model number 1: " not in (purity.get_attribute("aria-label") or "")
    heights = sorted(box_of(each)["y"] for each in names.all())
    assert min(below - above for above, below in pairwise(heights)) > 0.9 * box_of(names.first)["height"] / 2
    after = curves.evaluate_all("(all) => all.map((each) => each.getAttribute('d'))")
    assert set(after) == set(before)  # every other model is the same
    assert page.locator(".keys:not(button) li").count() == 9
    expect_accessible(page, "[data-curve-choice]", schemes=("light",))
    assert layout_shift(page) < 0.05
    page.goto((many / "compare" / "layers" / "index.html").as_uri())
    expect_accessible(page, schemes=("light",))


def loaded(page: Page) -> list[str]:
    """The models' scripts that the page has asked for."""
    names: list[str] = page.locator("script[src^='models/']").evaluate_all(
        "(all) => all.map(({ src }) => src.split('/').at(-1))"
    )
    return names


@pytest.mark.thorough
def test_a_strip_gets_its_links_when_it_is_seen(open_page: OpenAt, many: Path) -> None:
    page = open_page(many, path="index.html", before=COUNT_SHIFTS)
    folded = page.locator(".more .ruler[data-slides]")
    assert page.locator(".ruler[data-slides]").count() == 20
    page.locator(".ruler[data-slides]").first.scroll_into_view_if_needed()
    expect(page.locator(".ruler[data-slides]").first.locator("a")).to_have_count(31)
    assert folded.locator("a").count() == folded.count() == 12
    page.locator(".more > summary").click()
    expect(page.locator(".more article").last).to_be_visible()
    shift, last = layout_shift(page), folded.last
    last.scroll_into_view_if_needed()
    height = box_of(last)["height"]
    expect(last.locator("a")).to_have_count(7)
    assert box_of(last)["height"] == height
    assert last.locator("a").nth(3).get_attribute("href") == "models/model-9/index.html#sentence/layer-2"
    assert last.locator("text").all_text_contents() == ["embedding", "0", "1", "2", "3", "4", "layer 5"]
    assert layout_shift(page) == shift
    expect_accessible(page, schemes=("light",))


# --- light, without scripts, on a phone, accessible ----------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_ten_models_request_few_pictures(open_page: OpenAt, many: Path, viewport: ViewportSize) -> None:
    requested: list[str] = []
    page = open_page(many, viewport=viewport, requested=requested)
    wait_until_quiet(page)
    assert 2 <= len(requested) <= 4, "strips, and the plates until they are drawn"
    assert all("-phone" in name for name in requested) or viewport == DESKTOP
    assert len(select(page, 0, "model").locator("option").all()) == 10
    if viewport == PHONE:
        page.get_by_role("button", name="Add a plot").click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_without_scripts_the_first_two_models_are_side_by_side(open_page: OpenAt, site: Path) -> None:
    page = open_page(site, java_script_enabled=False)
    assert page.locator("[data-compare]:visible, [data-keys]:visible").count() == 0
    rows = [box_of(row) for row in page.locator(".plate-row").all()]
    assert rows[0]["y"] == rows[1]["y"]
    assert rows[0]["x"] + rows[0]["width"] <= rows[1]["x"]
    assert page.locator(".plate-row img").count() == 31 + 6
    last = page.locator(".plate-row").first.locator("img").last
    last.scroll_into_view_if_needed()
    expect_loaded(last)
    assert page.locator(".ranking thead th").count() == 4


def test_without_scripts_nothing_overflows_a_phone(open_page: OpenAt, many: Path) -> None:
    page = open_page(many, viewport=PHONE, java_script_enabled=False)
    assert box_of(page.locator("main"))["width"] <= PHONE["width"]


def test_axe_finds_nothing(open_page: OpenAt, many: Path) -> None:
    page = open_page(many)
    page.get_by_role("button", name="Add a plot").click()
    expect_accessible_at_all_sizes(page)


def test_captures_are_sorted_by_a_metric(open_page: OpenAt, site: Path) -> None:
    page = open_page(site)

    def values(name: str) -> list[float]:
        """Of a metric, from left to right."""
        cells = page.get_by_role("row", name=name).locator("td").all_inner_texts()
        return [float(re.findall(r"^[\d.,]+", cell)[0].replace(",", "")) for cell in cells]

    def captures() -> list[str]:
        return page.locator(".ranking thead th").all_inner_texts()

    first, purity = "Best category purity", dict(zip(captures(), values("Best category purity"), strict=True))
    assert values(first) == sorted(values(first), reverse=True)
    heading = page.get_by_role("rowheader", name="Effective rank")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert values("Effective rank") == sorted(values("Effective rank"), reverse=True)
    assert dict(zip(captures(), values(first), strict=True)) == purity  # columns stay whole
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert values("Effective rank") == sorted(values("Effective rank"))
    assert page.locator(".ranking [aria-sort]").count() == 1
    # What isn't known is last, whichever way.
    unknown = captures()[0]
    page.locator("tr", has=page.get_by_role("rowheader", name="Effective rank")).locator("td").first.evaluate(
        "(cell) => { cell.dataset.sort = ''; }"
    )
    for _ in range(2):
        heading.get_by_role("button").click()
        assert captures()[-1] == unknown


@pytest.mark.thorough
def test_the_table_of_two_models_fits_its_frame_or_is_scrolled_in_it(open_page: OpenAt, site: Path, many: Path) -> None:
    for folder in (site, many):
        page = open_page(folder)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            frame = page.locator(".ranking .scroll")
            wide, seen = frame.evaluate("(each) => [each.scrollWidth, each.clientWidth]")
            assert (wide > seen) == (folder == many or width == 390)
            frame.evaluate("(each) => each.scrollTo({ left: 200, behavior: 'instant' })")
            heading = page.locator(".ranking tbody th").first
            assert abs(box_of(heading)["x"] - box_of(frame)["x"]) <= 1  # what a row is stays in sight
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_link_to_three_plots_is_restored_and_they_begin_at_one_height(open_page: OpenAt, site: Path) -> None:
    three = ["mini-6/alone/standardized", "smol-30/alone/centered", "smol-30/sentence/standardized"]
    page = open_page(site, f"#a={three[0]}&b={three[1]}&c={three[2]}&by=relative&at=1")
    expect_drawn(page)
    assert chosen(page) == three
    assert depths(page) == ["layer 5", "layer 29", "layer 29"]
    for part in (".slot figure", ".plate-svg .plate-spine:first-child", ".slot-depth"):
        tops = [round(box_of(each)["y"]) for each in page.locator(part).all()]
        assert len(tops) == 3
        assert len(set(tops)) == 1, part


# --- keys after a choice ------------------------------------------------------------------------------------------------

CONTROLS = {
    PAGE: (
        "[name=by][value=layer]",
        "select[data-part=context]",
        "select[data-part=model]",
        "[data-step='1']",
        "[data-add]",
        "[data-remove]",
        "[data-theme-choice]",
    ),
    "models/smol-30/index.html": (
        "[name=context][value=sentence]",
        "[name=projection][value=centered]",
        "[data-pair-select]",
        "[data-step='1']",
        "[data-theme-choice]",
    ),
    "explore/index.html": (
        "select[data-part=context]",
        "[name=trails][value=aligned]",
        ".legend button",
        "[data-beside]",
        "[data-step='1']",
    ),
}


CHOSEN = "[...document.querySelectorAll('main :is(select, :checked)')].map(({ value }) => value).join()"


@pytest.mark.parametrize("path", CONTROLS)
def test_arrows_step_through_the_layers_after_every_choice(open_page: OpenAt, site: Path, path: str) -> None:
    """← and → step; ↑ and ↓ choose, as radio buttons and lists have it."""
    page = open_page(site, path=path)
    ruler = page.locator("input[type=range]:visible").first
    for control in CONTROLS[path]:
        ruler.focus()
        page.keyboard.press("Home")
        found = page.locator(f"{control}:visible").first
        if found.evaluate("(each) => each.matches('select')"):
            found.select_option(index=1)
            found.focus()
        elif "name=" in control:
            found.check(force=True)
        else:
            found.click()
        before, chosen = int(ruler.input_value()), page.evaluate(CHOSEN)
        for key, step in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            assert int(ruler.input_value()) == before + step, control
        assert page.evaluate(CHOSEN) == chosen, control
