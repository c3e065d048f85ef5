"""The story in a browser: a plot stays in view, and the stage that is read sets its layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from browser import COUNT_ADDRESS_CHANGES, PHONE, OpenPage, box_of, wait_for_frames, wait_until_quiet
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from report_fixture import sample_report, write_site

MODEL = "models/smol-30/index.html"
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
TABLET: ViewportSize = {"width": 820, "height": 1180}
LEAST = 11
"""CSS pixels of a word."""
READ = ["embedding", "layer 4", "layer 10", "layer 11", "layer 19", "layer 28", "layer 29"]
"""The first, the middle and the last layer of each stage."""


def plot_of(page: Page, context: str = "alone") -> Locator:
    return page.locator(f".story[data-context='{context}'] [data-story]")


def scroll_to(page: Page, stage: str, share: float) -> None:
    """So far that this share of a stage has passed the middle of what is seen of the text."""
    page.evaluate(
        """([id, share]) => {
            const [stage, plot] = [document.getElementById(id), document.getElementById(id).closest(".story").querySelector("[data-story]")];
            const [box, other] = [stage.getBoundingClientRect(), plot.getBoundingClientRect()];
            const top = other.left < box.right && other.right > box.left ? other.height : 0;
            scrollBy({ top: box.top + share * box.height - (top + 0.45 * (innerHeight - top)) + 1, behavior: "instant" });
        }""",
        [stage, share],
    )
    wait_for_frames(page)


def expect_layer(plot: Locator, name: str) -> None:
    expect(plot.locator(".plate-title")).to_have_text(f"· alone · {name}")


@pytest.mark.parametrize("viewport", [LAPTOP, TABLET, PHONE], ids=["laptop", "tablet", "phone"])
def test_the_stage_that_is_read_sets_the_layer_of_a_plot_that_stays(
    open_page: OpenPage, site: Path, viewport: ViewportSize
) -> None:
    page = open_page(site, MODEL, viewport=viewport)
    plot = plot_of(page)
    seen = []
    for stage, shares in (
        ("alone/stage-1", (0.02, 0.4, 0.8)),
        ("alone/stage-2", (0.02, 0.4, 0.8)),
        ("alone/stage-3", (0.1,)),
    ):
        for share in shares:
            scroll_to(page, stage, share)
            scroll_to(page, stage, share)  # what is fetched and drawn on the way has its room, and yet: exactly there
            expect(plot.locator(".plate > .plate-svg")).to_be_visible()
            seen.append((plot.locator(".plate-title").text_content() or "").rpartition(" · ")[2])
            box = box_of(plot.locator(".plate"))
            # At the first stop the story has only begun to come into view.
            assert len(seen) == 1 or (box["y"] >= 0 and box["y"] + box["height"] <= viewport["height"])
            expect(page.locator(".plates a[data-read]")).to_have_text(seen[-1])
    assert seen == READ
    sizes = plot.locator(".plate > .plate-svg text").evaluate_all(
        "(texts) => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= LEAST
    assert plot.locator(".plate-names text").count() >= (95 if viewport is LAPTOP else 50)


def test_scrolling_writes_no_addresses_and_announces_nothing(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/layer-5", viewport=LAPTOP, before=COUNT_ADDRESS_CHANGES)
    wait_until_quiet(page)
    page.evaluate(
        """() => {
            window.addressChanges = 0;
            window.said = [];
            for (const live of document.querySelectorAll("[aria-live], [role=status], output")) {
                new MutationObserver(() => said.push(live.textContent)).observe(live, { childList: true, characterData: true, subtree: true });
            }
        }"""
    )
    for stage in ("alone/stage-1", "alone/stage-2", "alone/stage-3"):
        scroll_to(page, stage, 0.3)
    expect_layer(plot_of(page), "layer 29")
    wait_until_quiet(page)
    assert page.evaluate("location.hash") == "#alone/layer-5"
    assert page.evaluate("[said, addressChanges]") == [[], 0]
    assert page.locator(".viewer input[type=range]").first.input_value() == "6"


def test_a_stage_that_cannot_be_shown_shows_no_other_stages_layer(open_page: OpenPage, tmp_path: Path) -> None:
    report = sample_report()
    first, *others = report.models
    alone, *contexts = first.contexts
    shown, *projections = alone.projections
    plates = tuple(None if 12 <= depth < 30 else plate for depth, plate in enumerate(shown.plates))
    alone = replace(alone, projections=(replace(shown, plates=plates), *projections))
    report = replace(report, models=(replace(first, contexts=(alone, *contexts)), *others))
    page = open_page(write_site(report, tmp_path), MODEL, viewport=LAPTOP)
    plot = plot_of(page)
    for stage, layer in (("alone/stage-1", "embedding"), ("alone/stage-2", None), ("alone/stage-3", "layer 29")):
        scroll_to(page, stage, 0.1)
        scroll_to(page, stage, 0.1)
        if layer is None:
            expect(plot).not_to_be_visible()
            expect(page.locator(".plates a[data-read]")).to_have_count(0)
        else:
            expect(plot).to_be_visible()
            expect_layer(plot, layer)
    scroll_to(page, "alone/stage-2", 0.1)
    expect(plot).not_to_be_visible()


def test_who_points_at_a_small_plot_sees_it_large(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, viewport=LAPTOP)
    scroll_to(page, "alone/stage-2", 0.05)
    expect_layer(plot_of(page), "layer 11")
    page.locator("[id='alone/stage-2'] .plates a").nth(2).hover()
    expect_layer(plot_of(page), "layer 28")
    page.locator("[id='alone/stage-2'] .plates a").nth(1).focus()
    expect_layer(plot_of(page), "layer 19")


def test_the_plot_has_the_link_of_its_layer(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, viewport=LAPTOP)
    scroll_to(page, "alone/stage-2", 0.05)
    expect_layer(plot_of(page), "layer 11")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    plot_of(page).get_by_role("button", name="Copy link").click()
    expect(plot_of(page).get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("copied.split('#')[1]") == "alone/layer-11"
    with page.expect_download() as download:
        plot_of(page).get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == "smol-30-alone-layer-11-standardized.png"


def test_the_plot_is_that_of_the_chosen_context(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#sentence/layer-3", viewport=LAPTOP)
    scroll_to(page, "sentence/stage-1", 0.5)
    expect(plot_of(page, "sentence").locator(".plate-title")).to_have_text("· in a sentence · layer 14")
    assert not plot_of(page).is_visible()


def test_a_link_to_a_stage_is_not_hidden_by_the_plot(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/stage-2", viewport=PHONE)
    heading = page.locator("[id='alone/stage-2'] h3")
    expect(heading).to_be_in_viewport()
    assert box_of(heading)["y"] >= box_of(plot_of(page))["y"] + box_of(plot_of(page))["height"]


def test_in_a_low_window_nothing_stays(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{MODEL}#alone/stage-2", viewport={"width": 1280, "height": 590})
    assert not plot_of(page).is_visible()
    expect(page.locator("[id='alone/stage-2'] .plates svg").first).to_be_visible()


def test_without_scripts_each_stage_has_its_images(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    assert page.locator("[data-story]:visible").count() == 0
    assert [page.locator(f"[id='alone/stage-{number}'] .plates img:visible").count() for number in (1, 2, 3)] == [
        3,
        3,
        1,
    ]


@pytest.mark.parametrize("lost", ["coordinates-standardized.js", "assets/plates/board.js"])
def test_where_nothing_can_be_drawn_the_image_is_shown(browser: Browser, site: Path, lost: str) -> None:
    page = browser.new_page(viewport=LAPTOP)
    page.route(f"**/{lost}", lambda route: route.abort())
    page.goto((site / MODEL).as_uri(), wait_until="networkidle")
    scroll_to(page, "alone/stage-2", 0.05)
    image = plot_of(page).locator("img")
    expect(image).to_be_visible()
    assert str(image.get_attribute("src")).endswith("__model.layers.11.webp")
    page.close()
