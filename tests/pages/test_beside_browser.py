"""Two captures beside each other in a real browser: contexts, and neurons at their mean beside the model as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import (
    COUNT_SHIFTS,
    DESKTOP,
    MOVING,
    PHONE,
    OpenAt,
    OpenPage,
    box_of,
    expect_accessible_at_all_sizes,
    expect_loaded,
    layout_shift,
    wait_until_quiet,
)
from carousel_page import assert_shows, beside, choose_beside_by_keyboard, ruler, tracks
from plates_page import named, smallest_text
from playwright.sync_api import Page, ViewportSize, expect

pytestmark = pytest.mark.thorough

MODEL = "models/smol-30/index.html"
PAIR = f"{MODEL}#alone/layer-11+alone-mean"
TWIN = "alone, two neurons held constant"


@pytest.fixture
def open_page(open_page: OpenPage) -> OpenAt:
    """Opens a page, by default the first model's."""
    return lambda base, path=MODEL, /, **options: open_page(base, path, **options)


# --- two contexts ---------------------------------------------------------------------------------------------------


def test_two_contexts_are_shown_side_by_side_in_step_by_keyboard(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11", **MOVING)
    choose_beside_by_keyboard(page, "i", "sentence")
    assert tracks(page) == [["alone", 11], ["sentence", 11]]
    ruler(page).focus()
    page.keyboard.press("ArrowRight")
    assert tracks(page) == [["alone", 12], ["sentence", 12]]
    page.wait_for_function("() => location.hash === '#alone/layer-12+sentence'")
    assert page.locator(".ruler-slider:visible").count() == 1
    left, right = (box_of(page.locator(f"[id='{context}/layer-12'] .plate")) for context in ("alone", "sentence"))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    page.get_by_role("radio", name="in a sentence").check()
    assert tracks(page) == [["sentence", 12], ["alone", 12]]
    expect(beside(page)).to_have_value("alone")
    choose_beside_by_keyboard(page, "n", "")
    assert_shows(page, "layer 12", "sentence")


def test_an_address_opens_two_contexts_side_by_side(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11/centered+sentence")
    assert tracks(page) == [["alone", 11], ["sentence", 11]]
    expect(beside(page)).to_have_value("sentence")
    page.get_by_role("radio", name="standardized").check()
    page.wait_for_function("() => location.hash === '#alone/layer-11+sentence'")
    page.evaluate("location.hash = '#sentence/layer-3'")
    assert_shows(page, "layer 3", "sentence")


def test_side_by_side_a_swipe_moves_both_and_a_phone_stacks_them(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11+sentence", viewport=PHONE)
    page.locator(".panel[data-beside] .track").evaluate("(track) => track.scrollTo({ left: 20 * track.clientWidth })")
    page.wait_for_function("() => location.hash === '#alone/layer-19+sentence'")
    assert tracks(page) == [["alone", 19], ["sentence", 19]]
    above, below = (box_of(page.locator(f"[id='{context}/layer-19'] .plate")) for context in ("alone", "sentence"))
    assert above["y"] + above["height"] <= below["y"]
    for width in (PHONE["width"], 320):
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") == width


# --- neurons at their mean beside the model as it is -----------------------------------------------------------------


def test_neurons_off_can_be_chosen_beside_the_model_as_it_is(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-12")
    beside(page).select_option(label=TWIN)
    assert tracks(page) == [["alone", 12], ["alone-mean", 12]]
    page.wait_for_function("() => location.hash === '#alone/layer-12+alone-mean'")
    page.get_by_role("button", name="Next").click()
    assert tracks(page) == [["alone", 13], ["alone-mean", 13]]
    page.get_by_role("radio", name=TWIN).check()
    assert tracks(page) == [["alone-mean", 13], ["alone", 13]]
    expect(page.locator(".panel[data-current] .look")).to_contain_text("This is a changed model")


def test_before_the_layer_both_show_the_same_plate(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-10+alone-mean")

    def sources() -> list[str]:
        depth = tracks(page)[0][1]
        images = [page.locator(f"[id='{name}/layer-{depth}'] img") for name in ("alone", "alone-mean")]
        return [each.evaluate("(image) => image.currentSrc || image.src") for each in images]

    assert len(set(sources())) == 1
    page.get_by_role("button", name="Next").click()
    assert len(set(sources())) == 2


def test_what_is_not_drawn_in_a_projection_can_not_be_chosen_in_it(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-11/centered")
    options = {option.inner_text(): option.is_disabled() for option in beside(page).locator("option").all()}
    assert options == {"no other": False, "alone": True, "in a sentence": False, TWIN: True}
    # By itself it is shown in the projection that is drawn.
    page.get_by_role("radio", name=TWIN).check()
    assert_shows(page, "layer 11", "alone-mean", "standardized")
    page.wait_for_function("() => location.hash === '#alone-mean/layer-11'")
    centered = page.get_by_role("radio", name="centered")
    expect(centered).to_be_disabled()
    page.get_by_role("radio", name="in a sentence").check()
    expect(centered).to_be_enabled()
    # Nor can the projection be chosen while it stands beside another one.
    beside(page).select_option(label=TWIN)
    expect(centered).to_be_disabled()
    beside(page).select_option("")
    expect(centered).to_be_enabled()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_address_opens_both_in_step(open_page: OpenAt, few_words: Path, viewport: ViewportSize) -> None:
    """Beside each other, or on a phone under each other."""
    page = open_page(few_words, PAIR, viewport=viewport)
    assert tracks(page) == [["alone", 11], ["alone-mean", 11]]
    expect(beside(page)).to_have_value("alone-mean")
    expect(page.get_by_role("radio", name="centered")).to_be_disabled()
    assert page.locator(".ruler-slider:visible").count() == 1
    one, other = (box_of(page.locator(f"[id='{name}/layer-11'] .plate")) for name in ("alone", "alone-mean"))
    if viewport == PHONE:
        assert one["y"] + one["height"] <= other["y"]
    else:
        assert one["y"] == other["y"]
        assert one["x"] + one["width"] < other["x"]
    ruler(page).focus()
    page.keyboard.press("End")
    assert tracks(page) == [["alone", 29], ["alone-mean", 29]]
    for width in (viewport["width"], 320):
        page.set_viewport_size({"width": width, "height": viewport["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def in_window(page: Page, name: str) -> bool:
    box = box_of(page.locator(f"[id='{name}'] .plate"))
    return -1 <= box["y"] < DESKTOP["height"]


def test_the_link_of_the_section_shows_both_and_back_and_forward_work(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#alone/layer-3")
    link = page.get_by_role("link", name="Step through the layers of both")
    link.focus()
    page.keyboard.press("Enter")
    assert tracks(page) == [["alone", 11], ["alone-mean", 11]]
    wait_until_quiet(page)
    assert in_window(page, "alone/layer-11")
    page.go_back()
    assert_shows(page, "layer 3")
    page.go_forward()
    assert tracks(page) == [["alone", 11], ["alone-mean", 11]]


# --- the section ----------------------------------------------------------------------------------------------------


def test_without_scripts_the_section_is_whole(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, f"{MODEL}#writers", java_script_enabled=False)
    expect(page.locator("#writers h2")).to_have_text("Layer 11 stretches words alone into a line")
    assert page.locator("#writers p").first.inner_text().startswith("Neurons 1229 and 1487 write")
    images = page.locator(".twins img")
    assert images.count() == 2
    for image in images.all():
        image.scroll_into_view_if_needed()
        expect_loaded(image)
        assert box_of(image)["width"] > 300
    page.locator(".without summary").click()
    assert page.locator(".without thead th:visible").all_inner_texts() == [
        "unchanged", "set to their mean", "set to zero", "control",
    ]  # fmt: skip
    assert page.locator(".without tbody tr:visible").count() == 7
    assert page.locator(".writers-table tbody tr:visible").count() == 2
    assert page.locator(".pair-link:visible").count() == 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_twins_are_drawn_when_they_are_seen_and_nothing_moves(
    open_page: OpenAt, site: Path, viewport: ViewportSize
) -> None:
    requested: list[str] = []
    page = open_page(site, viewport=viewport, before=COUNT_SHIFTS, requested=requested)
    twins = page.locator(".twins")
    assert twins.locator("svg").count() == 0
    wait_until_quiet(page)  # fonts may come late
    before, shifted = box_of(twins)["height"], layout_shift(page)
    twins.scroll_into_view_if_needed()
    expect(twins.locator(".plate > svg")).to_have_count(2)
    wait_until_quiet(page)
    assert twins.locator(".plate-title").all_text_contents() == ["· alone · layer 11", f"· {TWIN} · layer 11"] or (
        viewport == PHONE
    )
    for twin in twins.locator("figure").all():
        assert smallest_text(twin) >= 11
        assert len(named(twin)) >= (40 if viewport == PHONE else 88)
    assert not [path for path in requested if "layers.11" in path], "what is drawn isn't fetched"
    assert abs(box_of(twins)["height"] - before) < 2
    assert layout_shift(page) - shifted < 0.001


def test_the_twins_are_printed(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words)
    page.emulate_media(media="print")
    assert page.locator(".twins img:visible").count() == 2


def test_axe_finds_nothing_with_neurons_at_their_mean_and_a_category(open_page: OpenAt, few_words: Path) -> None:
    page = open_page(few_words, PAIR)
    category = page.locator("[id='alone/layer-11']").get_by_role("button", name="Category 2")
    category.click()
    expect(category).to_have_attribute("aria-pressed", "true")
    page.locator(".twins").scroll_into_view_if_needed()
    expect(page.locator(".twins .plate > svg")).to_have_count(2)
    expect_accessible_at_all_sizes(page, ".viewer, .twins")
