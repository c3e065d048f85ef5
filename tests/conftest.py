"""What the browser tests share, how often the property tests try, and an option to accept pages as they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import families
import pytest
from browser import DESKTOP, OpenPage, launch
from hypothesis import settings
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, sync_playwright

# The same cases every time, so that a run of the tests can be repeated; no deadline, as machines are shared.
settings.register_profile("tokviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("tokviz")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-gold", action="store_true", help="tests/pages/gold: the pages as they are now")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = launch(playwright)
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no browser: {str(error).splitlines()[0]}; run: python tests/browser.py")
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page; at the end nothing may have been logged and no other host asked."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        base: Path | str,
        path: str,
        viewport: ViewportSize = DESKTOP,
        before: str | None = None,
        asked: list[str] | None = None,
        **options: Any,
    ) -> Page:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        address = base.as_uri() + "/" if isinstance(base, Path) else base
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("request", lambda request: _note_request(request.url, address, complaints, asked))
        if before:
            page.add_init_script(before)
        page.goto(address + path, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _note_request(url: str, address: str, complaints: list[str], asked: list[str] | None) -> None:
    """A request to a stranger is a complaint; the pictures that were asked for are noted in ``asked``."""
    if not url.startswith((address, "data:")):
        complaints.append(f"asked of a stranger: {url}")
    if asked is not None and url.endswith(".webp"):
        asked.append(url.removeprefix(address))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two families."""
    folder = tmp_path_factory.mktemp("checkpoints")
    families.build("llama", folder / "llama")
    families.build("bert", folder / "bert")
    return folder


@pytest.fixture
def llama(checkpoints: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(checkpoints / "llama", tmp_path / "llama"))
