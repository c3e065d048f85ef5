"""Pictures of every page of a site, for people to look at: four sizes, light and dark, in Chromium or another engine.

python tests/screenshots.py SITE FOLDER [ENGINE …]
"""

from __future__ import annotations

import sys
from pathlib import Path

from browser import DESKTOP, PHONE, launch, wait_for_frames
from engines import ENGINES, choose, wait_for
from playwright.sync_api import Page, ViewportSize, sync_playwright

SIZES: dict[str, ViewportSize] = {
    "wide": DESKTOP,
    "tablet": {"width": 820, "height": 1180},
    "phone": PHONE,
    "sideways": {"width": 844, "height": 390},
}
THEMES = ("light", "dark")
SCREENS = 3
"""How far down an engine is followed that can't take a whole page."""


def main(site: Path, folder: Path, engines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        path.relative_to(site).with_suffix("").as_posix().replace("/", "_"): path.absolute().as_uri()
        for path in sorted(site.rglob("*.html"))
    }
    for engine in engines:
        if engine == "chromium":
            _take_whole_pages(pages, folder)
        else:
            _take_screens(pages, folder, engine)


def _take_whole_pages(pages: dict[str, str], folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for size, viewport in SIZES.items():
            for theme in THEMES:
                page = browser.new_page(viewport=viewport, color_scheme="dark" if theme == "dark" else "light")
                for name, address in pages.items():
                    page.goto(address, wait_until="networkidle")
                    page.screenshot(path=folder / f"{name}-{size}-{theme}.png")
                    _fetch_late_pictures(page)
                    page.screenshot(path=folder / f"{name}-{size}-{theme}-whole.png", full_page=True)
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


def _take_screens(pages: dict[str, str], folder: Path, name: str) -> None:
    with ENGINES[name]() as engine:
        for size, viewport in SIZES.items():
            engine.resize(**viewport)
            for page, address in pages.items():
                engine.go(address)
                for theme in THEMES if engine.run("() => !!document.querySelector('[data-theme-choice]')") else ():
                    choose(engine, "[data-theme-choice]", theme)
                    for screen in range(SCREENS):
                        engine.run(f"() => scrollTo({{ top: {screen} * innerHeight, behavior: 'instant' }})")
                        wait_for(engine, SHOWN)
                        engine.screenshot(folder / f"{page}-{size}-{theme}-{name}-{screen}.png")


SHOWN = """[...document.images].every((each) => each.complete || !each.getClientRects().length
    || each.getBoundingClientRect().top > innerHeight || each.getBoundingClientRect().bottom < 0)"""

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or ["chromium"])
