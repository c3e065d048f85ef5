"""Captures with neurons set to a value on the compare page and in the explorer, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, expect_accessible, wait_for_address, wait_until_quiet
from intervention_fixture import with_interventions
from narrow import present
from playwright.sync_api import Page, expect
from report_fixture import compared_report, write_site

from tokviz.records import ModelReport

pytestmark = pytest.mark.thorough

COMPARE, EXPLORE = "compare/index.html", "explore/index.html"
TWIN, ZERO = "smol-30/alone-mean/standardized", "smol-30/alone-off/centered"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(compared_report(n_words=4), tmp_path_factory.mktemp("interventions"))


def explore(open_page: OpenPage, site: Path, fragment: str) -> Page:
    page = open_page(site, f"{EXPLORE}{fragment}")
    expect(page.locator("[data-explore][data-ready]")).to_be_attached()
    wait_until_quiet(page)
    return page


def chosen(page: Page, part: str) -> list[str]:
    """Model, context and projection of each place of a page."""
    found: list[str] = page.evaluate(
        """(part) => [...document.querySelectorAll(`[${part}]`)].map((each) =>
            [...each.querySelectorAll('select')].map((select) => select.value).join('/'))""",
        part,
    )
    return found


def sources(page: Page) -> list[str]:
    """The last folders and the name of the image of each plate that is shown."""
    found: list[str] = page.locator("[data-slot] .plate img").evaluate_all(
        "(images) => images.map((image) => image.getAttribute('src').split('/').slice(-3).join('/'))"
    )
    return found


# --- compare ----------------------------------------------------------------------------------------------------------


def test_neurons_at_their_mean_can_be_compared_with_the_model_as_it_is(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{COMPARE}#a=smol-30/alone/standardized&b={TWIN}&by=layer&at=layer-11")
    assert chosen(page, "data-slot") == ["smol-30/alone/standardized", TWIN]
    assert sources(page) == [
        "alone/standardized/smol-30__model.layers.11.webp",
        "alone-mean/standardized/smol-30__model.layers.11.webp",
    ]
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowLeft")
    wait_for_address(page, "at=layer-10")
    assert sources(page) == ["alone/standardized/smol-30__model.layers.10.webp"] * 2


def test_neurons_at_their_mean_can_be_chosen_where_another_projection_is_shown(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, f"{COMPARE}#a=smol-30/alone/centered&b=mini-6/alone/centered&by=layer&at=layer-12")
    contexts = page.locator("[data-slot]").first.locator("select[data-part=context]")
    assert contexts.locator("option").all_inner_texts() == [
        "alone",
        "in a sentence",
        "alone, two neurons held constant",
    ]
    contexts.select_option("alone-mean")
    assert chosen(page, "data-slot")[0] == TWIN
    wait_for_address(page, f"a={TWIN}")


def test_the_table_sorts_by_who_writes_and_what_is_left(open_page: OpenPage, tmp_path: Path) -> None:
    report = compared_report(n_words=4)
    first, second, _ = report.models
    page = open_page(write_site(replace(report, models=(first, with_one_neuron(second))), tmp_path), f"{COMPARE}#table")

    def keys(name: str) -> list[str]:
        """What captures are sorted by; empty where that isn't known."""
        cells = page.locator("tr", has=page.locator("th", has_text=name)).locator("td").all()
        return [cell.get_attribute("data-sort") or "" for cell in cells]

    for name in ("Large values written by", "Norm left with these at zero"):
        known = sorted((key for key in keys(name) if key), key=float)
        assert len(set(known)) == 2
        page.get_by_role("rowheader", name="Effective rank").get_by_role("button").click()
        assert keys(name)[0] == ""
        heading = page.get_by_role("rowheader", name=name)
        for order, expected in (("descending", known[::-1]), ("ascending", known)):
            heading.get_by_role("button").click()
            assert heading.get_attribute("aria-sort") == order
            assert keys(name) == [*expected, "", ""]
        page.reload()


def with_one_neuron(plain: ModelReport) -> ModelReport:
    model = with_interventions(plain)
    context = model.contexts[0]
    updates = present(context.states.updates)
    breaking = replace(present(updates.breaking), neurons=(7,))
    states = replace(context.states, updates=replace(updates, breaking=breaking))
    return replace(model, contexts=(replace(context, states=states), *model.contexts[1:]))


# --- the explorer -----------------------------------------------------------------------------------------------------


def test_a_capture_without_pictures_has_a_ruler_and_marks(open_page: OpenPage, site: Path) -> None:
    page = explore(open_page, site, f"#a={ZERO}&at=layer-11")
    assert chosen(page, "data-view") == [ZERO]
    expect(page.locator(".view-depth")).to_have_text("layer 11")
    expect(page.locator(".plot-marks > g")).to_have_count(36)
    expect(page.locator(".mark-name")).to_have_count(0)
    expect(page.locator(".ruler .plate")).to_be_hidden()
    page.get_by_role("slider", name="Depth").focus()
    page.keyboard.press("End")
    expect(page.locator(".view-depth")).to_have_text("layer 29")
    expect(page.locator(".explore-links")).to_have_text("There are no plots of this view.")


def test_the_ruler_gets_its_strip_back(open_page: OpenPage, site: Path) -> None:
    page = explore(open_page, site, f"#a={ZERO}&at=layer-11")
    contexts = page.locator("[data-view]").first.locator("select[data-part=context]")
    contexts.select_option("alone-mean")
    expect(page.locator("[data-view] select[data-part=projection]").first).to_have_value("centered")
    expect(page.locator(".ruler .plate")).to_be_hidden()
    page.locator("[data-view]").first.locator("select[data-part=projection]").select_option("standardized")
    image = page.locator(".ruler .plate .by-day img")
    expect(image).to_be_visible()
    expect(image).to_have_attribute("src", re.compile(r"alone-mean/standardized/smol-30_strip\.webp$"))
    expect(page.locator(".mark-name").first).to_have_text("massive from layer 11")
    page.locator(".explore-links a").click()
    expect(page).to_have_url(re.compile(r"models/smol-30/index\.html#alone-mean/layer-11$"))
    expect(page.locator(".panel[data-current] output")).to_have_text("layer 11")


def test_the_pair_of_a_models_page_is_the_explorers(open_page: OpenPage, site: Path) -> None:
    page = open_page(site, "models/smol-30/index.html#alone/layer-11+alone-mean")
    page.locator(".panel[data-current] [data-explore]").click()
    expect(page.locator("[data-explore][data-ready]")).to_be_attached()
    assert chosen(page, "data-view") == ["smol-30/alone/standardized", TWIN]
    expect(page.locator(".view-depth")).to_have_text(["layer 11", "layer 11"])
    expect(page.locator(".explore-links a")).to_have_count(2)


# --- both -------------------------------------------------------------------------------------------------------------


def test_axe_finds_nothing_and_nothing_overflows(open_page: OpenPage, site: Path) -> None:
    compare = open_page(site, f"{COMPARE}#a=smol-30/alone/standardized&b={TWIN}")
    for page in (compare, explore(open_page, site, f"#a={ZERO}&b={TWIN}&at=layer-12")):
        expect_accessible(page, schemes=("light",))
        for width in (PHONE["width"], 320, DESKTOP["width"]):
            page.set_viewport_size({"width": width, "height": PHONE["height"]})
            assert page.evaluate("document.documentElement.scrollWidth") == width
