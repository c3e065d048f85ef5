"""What a page fetches before a reader does anything, and how much of it a model's page may."""

from __future__ import annotations

from typing import Any

from browser import COUNT_SCHEDULED, wait_until_quiet
from playwright.sync_api import Browser, Response

MOST = {"phone": 512 * 1024, "desktop": 800 * 1024}
MOST_COMPARED = 600 * 1024
"""Of the compare page, on either."""
LONGEST = {1280: 4_000, 390: 6_500}
"""How high the page of the sample's decoder may be, by its width, in CSS pixels, and the compare page."""
MOST_WORDS = 1_400
"""On either, outside tables and plots."""
WORDS = """(page) => {
    const OUTSIDE = "table, svg, script, style, noscript, select, datalist, [popover], .plate-key, .slide[inert]";
    const texts = page.createTreeWalker(page.querySelector("main"), NodeFilter.SHOW_TEXT);
    let found = 0;
    while (texts.nextNode()) {
        const { parentElement, textContent } = texts.currentNode;
        if (parentElement.closest(OUTSIDE) || !parentElement.checkVisibility() || parentElement.offsetWidth < 2) continue;
        found += textContent.match(/\\S+/g)?.length ?? 0;
    }
    return found;
}"""
"""How many are seen outside tables and plots of a document, with what is folded closed."""
VIEWPORTS: dict[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 3,
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}


def most(page: str, size: str) -> int | None:
    """How many bytes a page may fetch; None where there is no limit."""
    if page == "compare/index.html":
        return MOST_COMPARED
    return MOST[size] if page.startswith(("models/", "change/")) else None


def fetched_by(browser: Browser, address: str, path: str, viewport: dict[str, Any]) -> dict[str, bytes]:
    """Path and content of all that a page fetches by itself."""
    page = browser.new_page(**viewport)
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    page.add_init_script(COUNT_SCHEDULED)
    page.goto(f"{address}{path}", wait_until="networkidle")
    wait_until_quiet(page)
    fetched = {response.url.removeprefix(address): response.body() for response in responses}
    page.close()
    assert len(fetched) >= 4, fetched  # page, styles, scripts, fonts
    return fetched
