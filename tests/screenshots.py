"""Pictures of every page of a site, for people to look at: 1280 and 390 pixels wide, light and dark.

python tests/screenshots.py SITE FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from browser import DESKTOP, PHONE, launch
from playwright.sync_api import sync_playwright

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
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}-whole.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
