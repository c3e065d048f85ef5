"""What a layer would say of a word, in the explorer."""

from __future__ import annotations

from pathlib import Path

from browser import OpenPage
from explore_page import expect_depths, explorer, readout
from playwright.sync_api import expect
from report_fixture import lens_report, write_site


def test_it_says_what_the_layer_would_say(open_page: OpenPage, tmp_path: Path) -> None:
    """In the fixture words alone are named from layer 0 to 13; at the embedding the halves of the text disagree."""
    write_site(lens_report(), tmp_path)
    page = explorer(open_page)(tmp_path, "#a=smol-30/alone/standardized&at=embedding")
    loaded = "performance.getEntriesByType('resource').some((each) => each.name.endsWith('/lens.js'))"
    assert not page.evaluate(loaded)
    page.locator("#find").fill("word0a")
    page.locator("#find").press("Enter")
    said = readout(page).locator(".said p")
    expect(said).to_have_text(
        [
            "The embedding would say:",
            "category: Category 2, Category 3, Category 4 (uncertain)",
            "word: word0b, word0c, word0d (uncertain)",
        ]
    )
    page.get_by_role("button", name="Next").click()
    expect_depths(page, "layer 0")
    expect(said).to_have_text(
        ["This layer would say:", "category: Category 1, Category 2, Category 3", "word: word0a, word0b, word0c"]
    )
    page.locator("[data-part=model]").first.select_option("mini-6")
    expect(readout(page).locator(".near")).to_have_count(1)
