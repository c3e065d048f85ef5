"""What a reader does with a plot whose second axis is short, and how words move from layer to layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser import MOVING, OpenPage, box_of, wait_until_quiet
from plates_page import COMPARE, MODEL, drawn, expect_drawn, slide, write_sample
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.thorough

FLAT = "alone/layer-11/centered"
PLACES = """(plot) => [...plot.querySelectorAll('.plate-marks > g')]
    .map((mark) => mark.getAttribute('transform').match(/-?[\\d.]+/g).map(Number))"""
WATCH = """() => {
    globalThis.moves = 0;
    new MutationObserver((changes) => {
        for (const { target } of changes) globalThis.moves += target.classList.contains('moving') ? 1 : 0;
    }).observe(document.querySelector('main'), { subtree: true, attributes: true, attributeFilter: ['class'] });
}"""
BETWEEN = (
    "([from, to, share]) => { const m = Tokviz.movement; return m.between(from, to, m.turnBetween(from, to), share); }"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("scale"))


def plot(page: Page, name: str = FLAT) -> Locator:
    return slide(page, name).locator(".plate-svg").first


def places(page: Page, name: str = FLAT) -> np.ndarray:
    """Of all words in the main pane."""
    return np.array(plot(page, name).evaluate(PLACES))


def moved(page: Page) -> int:
    """How many plots have begun to move since they were watched."""
    wait_until_quiet(page)
    expect(page.locator(".moving")).to_have_count(0)
    return int(page.evaluate("globalThis.moves"))


# --- scale -----------------------------------------------------------------------------------------------------------


def test_both_panes_answer_to_the_pointer_and_a_button_a_key_and_the_address_choose_what_is_shown(
    open_page: OpenPage, site: Path
) -> None:
    page = drawn(open_page, site, f"{MODEL}#{FLAT}")
    choice = slide(page, FLAT).get_by_role("group", name="Scale of the short axis")
    expect(choice.get_by_role("button", name="Both")).to_have_attribute("aria-pressed", "true")
    expect(plot(page).locator(".plate-band > g")).to_have_count(116)
    # Both panes answer to the pointer.
    page.locator(".panel[data-current] .track").scroll_into_view_if_needed()
    for pane in (".plate-marks", ".plate-band"):
        page.mouse.move(2, 2)
        plot(page).locator(f"{pane} > g").first.hover(force=True)
        expect(plot(page).locator(".plate-word")).to_have_count(1)
        expect(plot(page).locator(".plate-point circle")).to_have_count(2)
    choice.get_by_role("button", name="True scale").click()
    assert moved_to(page, "true")
    assert np.ptp(places(page)[:, 1]) < 0.1 * np.ptp(places(page)[:, 0])
    expect(plot(page).locator(".plate-band")).to_have_count(0)
    page.keyboard.press("m")
    assert moved_to(page, "magnified")
    assert np.ptp(places(page)[:, 1]) > 0.5 * np.ptp(places(page)[:, 0])
    expect(plot(page)).to_contain_text("PC2 ×")
    page.keyboard.press("m")
    page.wait_for_function("() => !location.hash.includes('scale')")
    again = drawn(open_page, site, f"{MODEL}#{FLAT}&scale=true")
    expect(plot(again).locator(".plate-band")).to_have_count(0)
    again.keyboard.press("ArrowRight")
    again.wait_for_function("() => location.hash.includes('layer-12') && location.hash.endsWith('&scale=true')")
    again.locator(".panel[data-current] .track").focus()
    again.keyboard.press("Home")
    expect(slide(again, "alone/embedding/centered").locator(".plate-scale[hidden]")).to_be_attached()


def moved_to(page: Page, mode: str) -> bool:
    page.wait_for_function("(mode) => location.hash.endsWith(`&scale=${mode}`)", arg=mode)
    expect(page.locator(".moving")).to_have_count(0)
    return True


FILLS = """(plot) => [...plot.querySelectorAll('.plate-marks .full, .plate-marks .hollow')]
    .map((mark) => `${getComputedStyle(mark).fill} ${getComputedStyle(mark).stroke}`)"""


def test_enlarged_it_has_the_same_colors_and_the_same_choice(open_page: OpenPage, site: Path) -> None:
    requested: list[str] = []
    page = open_page(site, f"{MODEL}#{FLAT}", color_scheme="dark", requested=requested)
    expect_drawn(page)
    colors, few = plot(page).evaluate(FILLS), plot(page).locator(".plate-names text").count()
    slide(page, FLAT).locator("a.plate").click(position={"x": 6, "y": 6})
    dialog = page.locator("dialog.lightbox")
    large = dialog.locator(".plate-svg[role=img]")
    expect(large.locator(".plate-band > g")).to_have_count(116)
    assert large.evaluate(FILLS) == colors
    assert large.locator(".plate-names text").count() > few
    dialog.get_by_role("button", name="True scale").click()
    assert moved_to(page, "true")
    expect(large.locator(".plate-band")).to_have_count(0)
    page.keyboard.press("m")
    assert moved_to(page, "magnified")
    expect(large).to_contain_text("PC2 ×")
    width = box_of(large)["width"]
    page.keyboard.press("+")
    page.wait_for_function(
        "(least) => document.querySelector('.lightbox .plate-svg').clientWidth > least", arg=1.4 * width
    )
    page.keyboard.press("ArrowRight")
    expect(large).to_contain_text("layer 12")
    expect(dialog.locator("img")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(slide(page, "alone/layer-12/centered").locator(".plate-key:not([inert])")).to_be_attached()
    assert [path for path in requested if "__" in path] == []


# --- movement --------------------------------------------------------------------------------------------------------


def test_a_step_moves_the_words_and_ends_at_the_still_plot_and_jumps_and_steps_that_follow_at_once_are_instant(
    open_page: OpenPage, site: Path
) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-10/centered", **MOVING)
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    expect(slide(page, FLAT).locator(".plate-key:not([inert])")).to_be_attached()
    assert moved(page) >= 1
    still = drawn(open_page, site, f"{MODEL}#{FLAT}")
    np.testing.assert_allclose(places(page), places(still), atol=0.11)
    still.evaluate(WATCH)
    still.keyboard.press("ArrowRight")
    expect(slide(still, "alone/layer-12/centered").locator(".plate-key:not([inert])")).to_be_attached()
    assert moved(still) == 0, "where a reader asks for stillness nothing moves"
    page.evaluate("globalThis.moves = 0")
    page.locator(".panel[data-current] .track").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => location.hash.includes('layer-29')")
    assert moved(page) == 0
    page.evaluate("() => { for (const step of [-1, 1, -1]) document.querySelector(`[data-step='${step}']`).click(); }")
    expect(slide(page, "alone/layer-28/centered").locator(".plate-key:not([inert])")).to_be_attached()
    assert moved(page) <= 1


def test_slots_of_the_compare_page_move_too(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, COMPARE, **MOVING)
    page.evaluate(WATCH)
    page.get_by_role("button", name="Next").click()
    assert moved(page) >= 1


def test_a_turned_cloud_turns_as_a_whole(open_page: OpenPage, site: Path) -> None:
    """Without a reflection all distances stay; with one the cloud passes through a line."""
    page = drawn(open_page, site, MODEL)
    before = np.random.default_rng(4).normal(size=(30, 2)) * 50
    angle = 2.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    whole = np.linalg.svd(before - before.mean(axis=0), compute_uv=False)
    for mirrored in (False, True):
        after = before * ([1, -1] if mirrored else [1, 1]) @ turn + [300, 200]
        np.testing.assert_allclose(between(page, before, after, 0), before, atol=1e-6)
        np.testing.assert_allclose(between(page, before, after, 1), after, atol=1e-6)
        quarter, half = (sizes(between(page, before, after, share)) for share in (0.25, 0.5))
        if mirrored:
            assert half[1] < 1e-6 * whole[1]
        else:
            np.testing.assert_allclose([quarter, half], [whole, whole], rtol=1e-9)


def between(page: Page, before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    """The cloud when that share of its movement is done."""
    clouds = [{"x": each[:, 0].tolist(), "y": each[:, 1].tolist()} for each in (before, after)]
    found = page.evaluate(
        f"(given) => {{ const {{ x, y }} = ({BETWEEN})(given); return [[...x], [...y]]; }}", [*clouds, share]
    )
    return np.array(found).T


def sizes(cloud: np.ndarray) -> np.ndarray:
    """Of its first and its second axis."""
    found: np.ndarray = np.linalg.svd(cloud - cloud.mean(axis=0), compute_uv=False)
    return found
