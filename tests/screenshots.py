"""Pictures of every page of a site, for people to look at: 1280 and 390 pixels wide, light and dark.

python tests/screenshots.py SITE FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from browser import DESKTOP, PHONE, launch, wait_for_frames
from playwright.sync_api import Page, sync_playwright

SIZES = {"wide": DESKTOP, "phone": PHONE}


def main(site: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for size, viewport in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport=viewport, color_scheme=scheme)
                for path in sorted(site.rglob("*.html")):
                    name = path.relative_to(site).with_suffix("").as_posix().replace("/", "_")
                    page.goto(path.absolute().as_uri(), wait_until="networkidle")
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
                    _fetch_late_pictures(page)
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}-whole.png", full_page=True)
        browser.close()


def _fetch_late_pictures(page: Page) -> None:
    """Scroll through the page, for pictures are fetched when they are near, and wait until all that came are there."""
    for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 600):
        page.mouse.wheel(0, 600)
        page.evaluate("(y) => scrollTo({ top: y, behavior: 'instant' })", y)
        wait_for_frames(page)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "Promise.all([...document.images].filter((each) => each.getClientRects().length && each.loading !== 'lazy')"
        ".map((each) => each.decode().catch(() => {})))"
    )
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
