"""Differences of models on the compare page in a real browser: where it opens, what leads to plots, what wasn't tested, how high it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, box_of, expect_accessible_at_all_sizes, wait_for_address, wait_until_quiet
from differing_fixture import differing_report
from playwright.sync_api import Page, ViewportSize, expect
from report_fixture import write_site
from weighing import LONGEST

PAGE = "compare/index.html"
N_MODELS = {"two": 2, "five": 5, "nine": 9, "fifty": 50}


def size(one: int, other: int, context: str) -> float:
    """Of two models in a sentence, of more in both contexts; the model with the number 4 isn't told apart from the first one."""
    return 0.55 - 0.1 * min(other, 9) if other != 4 else 0.0


class Sites(dict[str, Path]):
    """Each is made when it is first asked for."""

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self.new_folder = new_folder

    def __missing__(self, name: str) -> Path:
        n = N_MODELS[name]
        site = write_site(
            differing_report(n, size, asked=(3, 4) if n > 8 else None, n_words=4), self.new_folder(name), only=PAGE
        )
        return self.setdefault(name, site)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    return Sites(tmp_path_factory.mktemp)


def depths(page: Page) -> list[str]:
    return page.locator(".slot-depth").all_text_contents()


def chosen(page: Page, part: str) -> list[str]:
    return [each.input_value() for each in page.locator(f"[data-slot] select[data-part={part}]").all()]


def choose(page: Page, slot: int, part: str, value: str) -> None:
    page.locator("[data-slot]").nth(slot).locator(f"select[data-part={part}]").select_option(value)


def test_the_viewer_opens_at_the_difference(sites: Sites, open_page: OpenPage) -> None:
    page = open_page(sites["two"], PAGE)
    assert depths(page) == ["layer 20", "layer 3"]
    assert page.locator("output.compare-depth").text_content() == "70\N{NO-BREAK SPACE}%"
    expect(page.locator("[data-untested]")).to_be_hidden()
    page.get_by_role("button", name="Next").click()
    page.locator(".finding a").first.click()
    expect(page.locator(".slot-depth")).to_have_text(["layer 20", "layer 3"])


def test_a_number_of_the_matrix_opens_its_plots(sites: Sites, open_page: OpenPage) -> None:
    page = open_page(sites["five"], PAGE)
    cell = page.locator(".matrices table").last.locator("tbody tr").nth(2).locator("td").nth(3).locator("a")
    cell.click()
    wait_for_address(page, "#a=model-2/sentence/standardized&b=model-3/sentence/standardized")
    assert chosen(page, "model") == ["model-2", "model-3"]
    expect(page.locator("[data-compare]")).to_be_in_viewport()
    assert box_of(page.locator("[data-compare]"))["y"] < 100
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Next").click()
    cell.click()
    assert box_of(page.locator("[data-compare]"))["y"] < 100, "also where it is shown already"


def test_a_pair_that_was_not_tested_says_so_and_rows_are_searched_and_sorted(sites: Sites, open_page: OpenPage) -> None:
    page = open_page(sites["nine"], PAGE)
    note = page.locator("[data-untested]")
    expect(note).to_be_hidden()
    choose(page, 0, "model", "model-5")
    choose(page, 1, "model", "model-7")
    expect(note).to_have_text("This pair wasn’t tested.")
    choose(page, 0, "model", "model-4")
    choose(page, 1, "model", "model-3")
    expect(note).to_be_hidden()
    choose(page, 1, "context", "sentence")
    expect(note).to_be_visible()
    choose(page, 1, "model", "model-4")
    expect(note).to_be_hidden()  # one model in two contexts is no pair of models
    page.get_by_role("button", name="Add a plot").click()
    expect(note).to_have_text("Not every pair of these was tested.")
    rows = page.locator(".model-by-model tbody tr:visible")
    assert rows.count() == 9 + 1
    page.get_by_label("Find a model").fill("NUMBER 4")
    assert rows.count() == 1 + 1  # and the one less 4
    page.get_by_label("Find a model").fill("")
    page.get_by_role("button", name="Difference, alone").click()
    first = rows.first.locator("td").first
    assert float(first.get_attribute("data-sort") or "nan") == pytest.approx(0.25)


def test_a_row_has_room_for_its_numbers(sites: Sites, open_page: OpenPage) -> None:
    page = open_page(sites["nine"], PAGE, viewport=PHONE)
    cut = page.locator(".model-by-model td div").evaluate_all(
        "(cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length"
    )
    assert cut == 0


def test_on_a_phone_ruler_and_plots_come_first(sites: Sites, open_page: OpenPage) -> None:
    page = open_page(sites["five"], PAGE, viewport=PHONE)
    wait_until_quiet(page)
    places = [".compare-ruler", "[data-slot]:first-child figure", "[data-slot]:first-child .slot-choice"]
    places += ["[data-slot]:last-child figure", ".compare .controls", "#differences"]
    tops = [box_of(page.locator(place))["y"] for place in places]
    assert tops == sorted(tops)
    table = page.locator(".matrices .scroll").first
    assert box_of(table)["width"] <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["two", "five", pytest.param("fifty", marks=pytest.mark.thorough)])
def test_the_page_is_short(sites: Sites, open_page: OpenPage, name: str, viewport: ViewportSize) -> None:
    page = open_page(sites[name], PAGE, viewport=viewport, folded=True)
    wait_until_quiet(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= LONGEST[viewport["width"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["five", pytest.param("nine", marks=pytest.mark.thorough)])
def test_it_is_accessible(sites: Sites, open_page: OpenPage, name: str) -> None:
    """Of two there is less of the same, and of fifty more."""
    expect_accessible_at_all_sizes(open_page(sites[name], PAGE))


def test_without_scripts_the_address_of_one_model_leads_to_it(tmp_path: Path, open_page: OpenPage) -> None:
    report = differing_report(2, size, n_words=4)
    write_site(replace(report, models=report.models[1:2], differences=()), tmp_path)
    page = open_page(tmp_path, PAGE, java_script_enabled=False, folded=True)
    page.wait_for_url("**/models/model-1/index.html")
