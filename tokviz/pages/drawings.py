"""What the scripts need that draw plates in a page, in place of their images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokviz.pages import json_text
from tokviz.pages.frame import relative
from tokviz.records import Report

PLATE_SCRIPTS = (
    "explore-data.js",
    "shapes.js",
    "plate-layout.js",
    "plate-labels.js",
    "plate-text.js",
    "plate.js",
    "plate-key.js",
)
"""What draws a plate; loaded once the page has, in the order in which they build on each other."""
SCRIPTS = (*PLATE_SCRIPTS, "plate-board.js", "plate-find.js")
"""Of all plates of a page; a page adds its own, and ``LAST``."""
LAST = "plate-page.js"
MOST_DRAWN = 400
"""Words of a plate that is drawn in the page; of longer lists the images are shown."""


def can_draw(report: Report) -> bool:
    """Whether plates are drawn in pages; else their images are shown."""
    n_words, n_categories = len(report.words.words), len(report.words.categories)
    return report.is_explorable and n_categories > 0 and n_words <= MOST_DRAWN


def drawings(report: Report, page: str, scripts: Iterable[str], **more: Any) -> str | None:
    """JSON with names, and where scripts and coordinates are; None where images are shown.

    Parameters
    ----------
    scripts : names of the page's own, in the assets.
    more : what the page's own scripts need.
    """
    if not can_draw(report):
        return None
    return json_text.embedded(
        {
            "scripts": [relative(page, f"assets/{script}") for script in (*SCRIPTS, *scripts, LAST)],
            "words": relative(page, "data/words.js"),
            "categories": [category.label for category in report.words.categories],
            **more,
        }
    )
