"""What the scripts need that draw plates in a page, in place of their images."""

from __future__ import annotations

from typing import Any

from tokviz.pages.frame.frame import late_scripts, relative
from tokviz.pages.text import json_text
from tokviz.records import Report

MOST_DRAWN = 400
"""Words of a plate that is drawn in the page; of longer lists the images are shown."""


def can_draw(report: Report) -> bool:
    """Whether plates are drawn in pages; else their images are shown."""
    n_words, n_categories = len(report.words.words), len(report.words.categories)
    return report.is_explorable and n_categories > 0 and n_words <= MOST_DRAWN


def drawings(report: Report, page: str, *scripts: str, **more: Any) -> str | None:
    """JSON with names, and where scripts and coordinates are; None where images are shown.

    Parameters
    ----------
    scripts : those of this page only, by their names in the assets.
    more : what the page's own scripts need.
    """
    if not can_draw(report):
        return None
    return json_text.embedded(
        {
            "scripts": late_scripts(page, "plates.js", "plate-page.js", *scripts),
            "words": relative(page, "data/words.js"),
            "categories": [category.label for category in report.words.categories],
            **more,
        }
    )
