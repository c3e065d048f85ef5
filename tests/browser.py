"""Find a Chromium for the browser tests, or install one: on the path, Debian's, or Playwright's own.

Run as a command it makes sure that there is one; ``launch`` is what the tests use.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright, ViewportSize

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class OpenPage(Protocol):
    """What the fixture ``open_page`` is: opens a page of a site, which is a folder or a server's address."""

    def __call__(
        self,
        base: Path | str,
        path: str,
        viewport: ViewportSize = DESKTOP,
        before: str | None = None,
        asked: list[str] | None = None,
        **options: Any,
    ) -> Page:
        """
        Parameters
        ----------
        before : a script that runs before the page's own.
        asked : the pictures that are asked for are noted in it.
        options : of Playwright's ``new_context``.
        """


def executable() -> str | None:
    """The Chromium of ``TOKVIZ_CHROMIUM`` or of the path; None leaves the choice to Playwright."""
    named = os.environ.get("TOKVIZ_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def path_of_executable() -> str:
    """The Chromium that ``launch`` starts."""
    from playwright.sync_api import sync_playwright

    found = executable()
    if found is None:
        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    return found


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium that asks nothing of the network by itself."""
    return playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))


def _install() -> None:
    may_use_apt = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    if may_use_apt:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "chromium"], check=False, env=quiet, stdout=subprocess.DEVNULL
        )
    if executable() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    if executable() is None:
        _install()
    print(f"browser: {executable() or 'as Playwright installed it'}")
