"""What is folded opens where an address leads into it, and a model's page opens at what was found of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import COUNT_SHIFTS, OpenPage, expect_accessible, layout_shift, served
from playwright.sync_api import Page, expect
from report_fixture import compared_report, write_site

MODEL = "models/smol-30/index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its first finding is the break at layer 11."""
    with served(write_site(compared_report(), tmp_path_factory.mktemp("parts"))) as address:
        yield address


def are_open(page: Page) -> dict[str, bool]:
    """By the part's id."""
    found: dict[str, bool] = page.locator("details.part").evaluate_all(
        "(parts) => Object.fromEntries(parts.map(({ id, open }) => [id, open]))"
    )
    return found


@pytest.mark.parametrize("path", [MODEL, "compare/index.html"])
def test_parts_are_folded_and_an_address_opens_its_own(open_page: OpenPage, site: str, path: str) -> None:
    page = open_page(site, path, folded=True, before=COUNT_SHIFTS)
    parts = are_open(page)
    assert len(parts) >= 3
    assert not any(parts.values())
    assert layout_shift(page) < 0.01
    expect_accessible(page)
    expect_opened(open_page, site, path, list(parts)[-1:])


@pytest.mark.thorough
@pytest.mark.parametrize("path", [MODEL, "compare/index.html"])
def test_an_address_opens_each_part(open_page: OpenPage, site: str, path: str) -> None:
    expect_opened(open_page, site, path, list(are_open(open_page(site, path, folded=True))))


def expect_opened(open_page: OpenPage, site: str, path: str, names: list[str]) -> None:
    """Each alone, by its address."""
    for name in names:
        page = open_page(site, f"{path}#{name}", folded=True)
        assert [each for each, is_open in are_open(page).items() if is_open] == [name]
        expect(page.locator(f"#{name} > summary")).to_be_in_viewport()


def test_a_link_opens_a_part_also_when_one_is_there_already(open_page: OpenPage, site: str) -> None:
    page = open_page(site, f"{MODEL}#stages", folded=True)
    page.locator("#stages > summary").click()
    assert not are_open(page)["stages"]
    page.locator(".contents a[href='#stages']").click()
    assert are_open(page)["stages"]
    stage = page.locator("#stages tr[id]").last.get_attribute("id")
    inside = open_page(site, f"{MODEL}#{stage}", folded=True)
    assert are_open(inside)["stages"], "it leads into it"


def test_what_is_folded_is_read_without_scripts(open_page: OpenPage, site: str) -> None:
    page = open_page(site, MODEL, folded=True, java_script_enabled=False)
    page.locator("#updates > summary").click()
    expect(page.locator("#updates .explained")).to_be_visible()


def test_a_models_page_opens_at_what_was_found_of_it(open_page: OpenPage, site: str) -> None:
    page = open_page(site, MODEL, folded=True, before=COUNT_SHIFTS)
    depth = page.locator(".panel[data-current] output").first
    expect(depth).to_have_text("layer 11")
    assert layout_shift(page) < 0.01
    assert "#" not in page.url, "a reader hasn't moved yet"
    page.keyboard.press("ArrowRight")
    expect(depth).to_have_text("layer 12")
    asked = open_page(site, f"{MODEL}#alone/embedding", folded=True)
    expect(asked.locator(".panel[data-current] output").first).to_have_text("embedding")
