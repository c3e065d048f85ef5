"""The explorer's trails: in each layer's own axes, or in layers turned to fit the shown one, as scipy turns them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import (
    COUNT_SHIFTS,
    DESKTOP,
    MOVING,
    PHONE,
    OpenAt,
    OpenPage,
    box_of,
    layout_shift,
    wait_for_address,
    wait_until_quiet,
)
from explore_page import PAGE, expect_depths, explorer, place_of, plot, show_side_by_side, wait_until_ready
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from report_fixture import sample_report, write_site
from scipy.linalg import orthogonal_procrustes

from tokviz.records import Report

pytestmark = pytest.mark.thorough

TURNED = "#a=smol-30/alone/standardized&at=layer-4&pin=word0a,word3c&trails=aligned"
UNTURNED = TURNED.removesuffix("&trails=aligned")
ALIGNED = """
    ({ limits, places, outside, shown }) => {
        const n = places[0].length;
        const flat = places.map((depth) => Float32Array.from(depth.flat()));
        const view = { n, limits, outside: new Set(outside), at: (depth) => flat[depth] };
        const aligned = Explore.aligned(view);
        const rows = [...Array(n).keys()];
        return {
            ...aligned.until(shown),
            turns: aligned.turns.map((turn) => turn?.matrix ?? null),
            places: limits.map((_, depth) => rows.map((row) => aligned.place(row, depth, shown))),
        };
    }
"""
"""The script alone, given what travels: limits of the axes, and each word's place between them."""


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    return explorer(open_page)


# --- the turns --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script(browser: Browser, site: Path) -> Iterator[Page]:
    """A page to turn coordinates in that no test changes."""
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/{PAGE}")
    wait_until_ready(page)
    yield page
    page.close()


def aligned(page: Page, depths: np.ndarray, *, shown: int, outside: tuple[int, ...] = ()) -> dict[str, Any]:
    """What the script makes of ``(n_depths, n_words, 2)`` coordinates; its places are turned into coordinates again."""
    low, high = depths.min(axis=1) - 0.1, depths.max(axis=1) + 0.1
    places = (depths - low[:, None]) / (high - low)[:, None]
    limits = [
        [float(value) for pair in zip(*each, strict=True) for value in pair] if np.isfinite(each).all() else None
        for each in zip(low, high, strict=True)
    ]
    found: dict[str, Any] = page.evaluate(
        ALIGNED,
        {"limits": limits, "places": np.nan_to_num(places).tolist(), "outside": list(outside), "shown": shown},
    )
    found["coordinates"] = [
        None if each[0] is None else low[shown] + np.array(each) * (high - low)[shown] for each in found["places"]
    ]
    return found


def turned(depth: np.ndarray, degrees: float, *, mirrored: bool = False) -> np.ndarray:
    """Rotated, reflected if so, made larger and shifted."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    found: np.ndarray = depth * (1, -1 if mirrored else 1) @ matrix * 40 + (900, -3)
    return found


def test_turns_are_those_of_scipy(script: Page) -> None:
    """Fitted on the reference words; the others are turned with them."""
    random = np.random.default_rng(4)
    depths = random.normal(size=(5, 40, 2)) * random.uniform(0.01, 300, size=(5, 1, 2))
    depths[2:4] += turned(depths[1], 100, mirrored=True)
    reference = np.arange(40) % 9 > 0
    outside = tuple(np.flatnonzero(~reference).tolist())
    about = depths - depths[:, reference].mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(about[:, reference], axis=(1, 2))
    units = about / sizes[:, None, None]
    fits = [orthogonal_procrustes(units[at][reference], units[at + 1][reference]) for at in range(4)]
    for shown in (4, 2):
        found = aligned(script, depths, shown=shown, outside=outside)
        assert found["first"] == 0
        assert found["residuals"] == pytest.approx([1 - scale**2 for _, scale in fits[:shown]], abs=1e-5)
        assert found["turns"][0] is None
        for (matrix, _), seen in zip(fits, found["turns"][1:], strict=True):
            assert np.array(seen).reshape(2, 2) == pytest.approx(matrix, abs=1e-4)
        chain = np.eye(2)
        for depth in range(shown, -1, -1):
            expected = units[depth] @ chain * sizes[shown] + depths[shown][reference].mean(axis=0)
            assert found["coordinates"][depth] == pytest.approx(expected, abs=1e-4 * sizes[shown])
            chain = fits[depth - 1][0] @ chain
    assert any(np.linalg.det(matrix) < 0 for matrix, _ in fits)


def test_what_is_only_turned_stands_still(script: Page) -> None:
    first = np.random.default_rng(5).normal(size=(60, 2)) * (3, 1)
    depths = np.array([first, turned(first, 30), turned(first, 170, mirrored=True), turned(first, -90)])
    for shown in range(4):
        found = aligned(script, depths, shown=shown)
        assert found["residuals"] == pytest.approx([0] * shown, abs=1e-6)
        for coordinates in found["coordinates"]:
            assert coordinates == pytest.approx(depths[shown], abs=1e-3 * np.ptp(depths[shown]))


def test_no_turn_makes_unrelated_words_alike(script: Page) -> None:
    depths = np.random.default_rng(6).normal(size=(4, 200, 2))
    assert min(aligned(script, depths, shown=3)["residuals"]) > 0.9


def test_a_depth_that_cannot_be_turned_ends_the_chain(script: Page) -> None:
    for gone in (np.nan, 7.0):  # no plot; all words in one place
        depths = np.random.default_rng(7).normal(size=(6, 20, 2))
        depths[2] = gone
        found = aligned(script, depths, shown=4)
        assert found["first"] == 3
        assert len(found["residuals"]) == 1
        assert [each is None for each in found["coordinates"]] == [True, True, True, False, False, False]
        alone = aligned(script, depths, shown=2)
        assert (alone["first"], alone["residuals"]) == (2, [])
    few = aligned(script, np.random.default_rng(8).normal(size=(3, 20, 2)), shown=2, outside=tuple(range(2, 20)))
    assert few["residuals"] == []


# --- in the page ------------------------------------------------------------------------------------------------------


def planted_report() -> Report:
    """The words of the first model only turn, from layer to layer."""
    report = sample_report()
    model = report.models[0]
    context, *contexts = model.contexts
    shown, *others = context.projections
    first = shown.projection.coordinates[0]
    depths = np.array(
        [turned(first, 50.0 * depth, mirrored=depth % 3 == 1) for depth in range(len(shown.projection.coordinates))]
    )
    planted = replace(shown, projection=replace(shown.projection, coordinates=depths))
    model = replace(model, contexts=(replace(context, projections=(planted, *others)), *contexts))
    return replace(report, models=(model, *report.models[1:]))


def trail_points(page: Page) -> list[np.ndarray]:
    """The ends of each step of all trails in the first plot, in its pixels."""
    paths = plot(page).locator(".trails path").evaluate_all("(all) => all.map((each) => each.getAttribute('d'))")
    return [np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2) for path in paths]


def mark_of(page: Page, row: int) -> np.ndarray:
    """Where a word's mark is, in the same pixels."""
    box = box_of(plot(page).locator(".plot-inner"))
    return np.subtract(place_of(page, row), (box["x"], box["y"]))


def note(page: Page) -> Locator:
    return page.locator("#trail-note")


def choice(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def test_the_trail_of_a_word_that_only_turns_is_a_point_on_its_mark(explore: OpenAt, tmp_path: Path) -> None:
    page = explore(write_site(planted_report(), tmp_path), TURNED)
    points = trail_points(page)
    assert len(points) == 10
    for index, row in enumerate((0, 3 * 13 + 2)):
        assert np.concatenate(points[5 * index : 5 * index + 5]) == pytest.approx(
            np.full((10, 2), mark_of(page, row)), abs=0.5
        )
    expect(note(page)).to_contain_text("less than 1 % of the words’ variance still differs")
    choice(page, "in each layer’s own axes").check()
    wait_until_quiet(page)
    assert np.ptp(np.concatenate(trail_points(page)[:5]), axis=0).max() > 40


def test_trails_end_on_the_words_marks_at_every_layer(explore: OpenAt, site: Path) -> None:
    page = explore(site, TURNED.replace("word0a,", ""))
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 5")
    wait_until_quiet(page)
    points = trail_points(page)
    assert len(points) == 6
    assert points[-1][-1] == pytest.approx(mark_of(page, 3 * 13 + 2), abs=0.2)
    # In random coordinates the best turn leaves nearly all.
    expect(note(page)).to_contain_text(
        re.compile(r"From the embedding to layer 5, 9\d–\d+\s% of the words’ variance still differs")
    )


def test_turned_trails_move_with_the_marks_while_layers_are_played(explore: OpenAt, site: Path) -> None:
    page = explore(site, TURNED, **MOVING)
    seen = page.evaluate(
        """async () => {
            const firsts = [];
            document.querySelector('[data-play]').click();
            for (const begin = performance.now(); performance.now() - begin < 700;) {
                await new Promise(requestAnimationFrame);
                firsts.push(document.querySelector('.trails path').getAttribute('d').match(/[-\\d.]+/)[0]);
            }
            document.querySelector('[data-play]').click();
            return firsts;
        }"""
    )
    assert len(set(seen)) >= 3


def test_a_sentence_says_which_axes_trails_join(explore: OpenAt, site: Path) -> None:
    """Before anything is pinned, and after; and the choice, made by key, is in the address."""
    page = explore(site)
    own = "Trails join each word’s positions in each layer’s own axes"
    expect(note(page)).to_contain_text(own)
    page.mouse.click(*place_of(page, 44))
    wait_until_quiet(page)
    expect(note(page).get_by_text(own)).to_be_visible()
    before = trail_points(page)
    choice(page, "in each layer’s own axes").press("ArrowDown")
    expect(choice(page, "turned to fit the shown layer")).to_be_checked()
    expect(note(page).get_by_text(own)).to_be_hidden()
    expect(
        note(page).get_by_text("Trails join each word’s positions in layers turned to fit the shown one")
    ).to_be_visible()
    wait_for_address(page, "trails=aligned")
    wait_until_quiet(page)
    after = trail_points(page)
    assert after[-1][-1] == pytest.approx(before[-1][-1])
    assert np.abs(np.concatenate(after) - np.concatenate(before)).max() > 10
    again = explore(site, page.evaluate("location.hash"))
    expect(choice(again, "turned to fit the shown layer")).to_be_checked()
    assert np.concatenate(trail_points(again)) == pytest.approx(np.concatenate(after), abs=0.2)
    choice(again, "in each layer’s own axes").check()
    again.wait_for_function("() => !location.hash.includes('trails=')")


def test_a_depth_without_a_plot_breaks_trails(explore: OpenAt, site: Path) -> None:
    """Layer 2 has none. In own axes a trail goes on behind it, turned it can't be followed beyond it."""
    page = explore(site, "#a=mini-6/alone/standardized&at=layer-5&pin=word0a")
    assert len(trail_points(page)) == 4
    choice(page, "turned to fit the shown layer").check()
    wait_until_quiet(page)
    assert len(trail_points(page)) == 2
    expect(note(page)).to_contain_text("Trails begin at layer 3: layer 2 can’t be turned to fit it.")
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Previous").click()
    expect(note(page)).to_contain_text("No earlier layer can be turned to fit layer 3.")


def test_two_plots_have_trails_of_their_own(explore: OpenAt, site: Path) -> None:
    page = explore(site, TURNED)
    show_side_by_side(page, "layer 4", "layer 4")
    page.locator("[data-view]").nth(1).locator("select").first.select_option("mini-6")
    expect_depths(page, "layer 4", "layer 0")
    expect(note(page)).to_contain_text(
        re.compile(r"First plot: From the embedding to layer 4, .*\.\s*Second plot: From the embedding to layer 0, ")
    )
    wait_until_quiet(page)
    assert page.locator("[data-view]").nth(1).locator(".trails path").count() == 2


def test_a_trail_that_leaves_the_plot_is_seen_by_zooming_out(explore: OpenAt, site: Path) -> None:
    page = explore(site, f"{UNTURNED}&trails=%E0")
    expect(choice(page, "in each layer’s own axes")).to_be_checked()
    rest = np.subtract(place_of(page, 6), place_of(page, 5))

    def shrunk() -> float:
        for _ in range(4):
            page.get_by_role("button", name="Zoom out").click()
        wait_until_quiet(page)
        return float(np.linalg.norm(np.subtract(place_of(page, 6), place_of(page, 5))) / np.linalg.norm(rest))

    assert shrunk() > 0.8
    choice(page, "turned to fit the shown layer").check()
    assert shrunk() < 0.2
    choice(page, "in each layer’s own axes").check()
    wait_until_quiet(page)
    assert np.subtract(place_of(page, 6), place_of(page, 5)) == pytest.approx(rest)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_shifts_while_layers_are_stepped(explore: OpenAt, site: Path, viewport: ViewportSize) -> None:
    """Nor while the page loads, with the choice in its address."""
    page = explore(site, TURNED.replace("layer-4", "embedding"), before=COUNT_SHIFTS, viewport=viewport)
    expect(note(page)).to_contain_text("At the embedding, no trail has a step yet.")
    assert layout_shift(page) == 0
    heights = set()
    for depth in range(4):
        heights.add(box_of(page.locator(".trail-axes"))["height"])
        page.get_by_role("button", name="Next").click()
        expect_depths(page, f"layer {depth}")
    assert len(heights) == 1
