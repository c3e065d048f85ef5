"""Without scripts pictures are images: how large their text is where they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import OpenPage

from tokviz.draw import grid, plate_form

MODEL, COMPARE = "models/smol-30/index.html", "compare/index.html"
LEAST = 9
"""CSS pixels of a word."""
WIDTHS = (1280, 820, 390)

SHOWN = """() => [...document.querySelectorAll(".plate img")].filter((image) => image.getClientRects().length && !image.closest(".ruler"))
    .map((image) => [image.currentSrc, image.closest(".plates, .twins, .track, .grid, .plate-track").classList[0], image.getBoundingClientRect().width])"""
"""File, place and width of every plate and grid."""
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


def smallest_text(file: str, width: float) -> float:
    """CSS pixels of an image's smallest text where it is shown ``width`` wide."""
    name, form = file.rpartition("/")[2], "phone" if file.endswith("-phone.webp") else "wide"
    drawn = grid.FORMS[form] if "_m.et" in name else plate_form.FORMS[form]
    return drawn.smallest_text * width / drawn.width


@pytest.mark.parametrize(
    ("path", "places"),
    [(MODEL, {"track", "twins", "grid"}), (COMPARE, {"plate-track"})],
    ids=["model", "compare"],
)
def test_words_of_images_can_be_read_at_every_width(
    open_page: OpenPage, site: Path, path: str, places: set[str]
) -> None:
    page = open_page(site, path, java_script_enabled=False)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()  # else lazy images that were not fetched yet stay what they are
        shown = page.evaluate(SHOWN)
        sizes = {(place, smallest_text(file, css)) for file, place, css in shown}
        assert {place for place, _ in sizes} == places
        assert {(place, size) for place, size in sizes if size < LEAST} == set()
        assert not page.evaluate(OVERFLOWS)


def test_what_scripts_would_choose_or_step_is_not_seen_and_images_that_they_fetch_late_are_there(
    open_page: OpenPage, site: Path
) -> None:
    page = open_page(site, MODEL, java_script_enabled=False)
    controls = page.locator(".viewer :is(button:not(.term), fieldset, select, input)")
    assert controls.count() > 5
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert controls.locator("visible=true").all_text_contents() == [], width
    late = page.locator("img[data-late]")
    assert late.count() > 5
    hidden = "(all) => all.filter((each) => getComputedStyle(each).display === 'none').map((each) => each.src)"
    assert late.evaluate_all(hidden) == []
