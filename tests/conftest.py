"""What tests in several folders share, how often the property tests try, and an option to accept pages as they are."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import families
import marking
import pytest
import smollm2
import training_series
from browser import COUNT_SCHEDULED, DESKTOP, STILL, UNFOLD, OpenPage, started
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, ViewportSize, expect
from repeating import times
from report_fixture import sample_report, write_site
from training_series import TrainingSeries

from tokviz.records import HiddenStates

# As long as all other waits of Playwright, for a busy machine.
expect.set_options(timeout=30_000)
# The same cases every time, so that a run of the tests can be repeated; no deadline, as machines are shared.
settings.register_profile("tokviz", deadline=None, derandomize=True, max_examples=times(25))
settings.load_profile("tokviz")
# For what tests start: with tiny models several threads only wait for each other, and the other processor has tests, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SLOW_FILES = (
    "test_sample.py",
    "test_falsify.py",
    "test_large.py",
    "test_serve.py",
    "test_kills.py",
    "test_claims.py",
    "test_incremental.py",
    "test_opened.py",
    "test_engines.py",
    "test_command.py",
    "test_sample_engines.py",
    "test_notebook.py",
    "test_browser.py",
    "test_differing_browser.py",
    "test_artefacts.py",
    "test_only_listed.py",
    "test_first_look.py",
    "test_interrupts.py",
    "test_wheel.py",
    "test_intervals.py",
    "test_odd_inputs.py",
    "test_hostile_command.py",
    "test_cluster.py",
    "test_plots_notebook.py",
    "test_break_smollm2.py",
    "test_plates_browser.py",
    "test_training_browser.py",
    "test_explore_use_browser.py",
    "test_figures.py",
    "test_all_large.py",
    "test_theme.py",
    "test_odd.py",
    "test_opening_browser.py",
    "test_paper_browser.py",
)
"""They begin first, so that at the end no process waits for another one's long file; those that wait beside those that compute."""


def pytest_configure(config: pytest.Config) -> None:
    # Nearly all that libraries and tests make as they are imported stays.
    gc.disable()
    config.pluginmanager.register(marking.Guard())


# Before -m chooses among the markers.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marking.mark(items)
    place = {name: index for index, name in enumerate(SLOW_FILES)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def pytest_collection_finish() -> None:
    """Whenever Python looks for unused objects, it leaves out the tests and the libraries: they stay to the end."""
    gc.freeze()
    gc.enable()


N_NEW_MODULES = 100
_n_modules = 0


def pytest_runtest_logfinish() -> None:
    """The same for libraries that tests are the first to import: an eighth of the time would be spent on looking through them."""
    global _n_modules
    if len(sys.modules) >= _n_modules + N_NEW_MODULES:
        gc.collect()
        gc.freeze()
        _n_modules = len(sys.modules)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-gold", action="store_true", help="tests/pages/gold: the pages as they are now")


@pytest.fixture(scope="session")
def browser() -> Browser:
    try:
        return started()
    except Error as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no browser: {str(error).splitlines()[0]}; run: python tests/browser.py")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page and its parts, unless these are to stay folded, for a reader who prefers less motion unless told otherwise (``**MOVING``).

    At the end nothing may have been logged, no request have failed, and none gone to another host.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def opened(
        base: Path | str,
        path: str,
        viewport: ViewportSize = DESKTOP,
        before: str | None = None,
        requested: list[str] | None = None,
        folded: bool = False,
        **options: Any,
    ) -> Page:
        context = browser.new_context(viewport=viewport, **{**STILL, **options})
        contexts.append(context)
        page = context.new_page()
        address = base.as_uri() + "/" if isinstance(base, Path) else base
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: _note_failure(request, problems))
        page.on("request", lambda request: _note_request(request.url, address, problems, requested))
        page.add_init_script(COUNT_SCHEDULED)
        if before:
            page.add_init_script(before)
        page.goto(address + path, wait_until="load")
        if not folded:
            page.evaluate(UNFOLD)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def _note_failure(request: Request, problems: list[str]) -> None:
    """What a page still waits for when it is left is no problem."""
    if request.failure != "net::ERR_ABORTED":
        problems.append(f"failed: {request.url}")


def _note_request(url: str, address: str, problems: list[str], requested: list[str] | None) -> None:
    """A request to another host is a problem; requests for pictures are added to ``requested``."""
    if not url.startswith((address, "data:")):
        problems.append(f"request to another host: {url}")
    if requested is not None and url.endswith(".webp"):
        requested.append(url.removeprefix(address))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample of ``report_fixture``, two folders below where it may be served from; not to be changed."""
    return write_site(sample_report(), tmp_path_factory.mktemp("host") / "some" / "report")


@pytest.fixture(scope="session")
def few_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with four words a category, where it doesn't matter how many there are: a browser takes a third less for its pages."""
    return write_site(sample_report(n_words=4), tmp_path_factory.mktemp("host") / "some" / "report")


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """Shells let what they start in the background ignore interrupts, and all that it starts: tests may run there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the processes which run tests side by side have in common."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own).resolve()


@pytest.fixture(scope="session")
def smollm2_cache(of_all_processes: Path) -> Path:
    """With the sample report's decoder in both contexts; captured by the first process that asks, and not to be changed."""
    cache = of_all_processes / "smollm2"
    with FileLock(f"{cache}.lock"):
        if not cache.exists():
            partial = cache.with_suffix(".partial")
            smollm2.capture_into(partial)
            partial.rename(cache)
    return cache


@pytest.fixture(scope="session")
def smollm2_states(smollm2_cache: Path) -> dict[str, HiddenStates]:
    """By the context's name."""
    captured = smollm2.planned(smollm2_cache).models[0].captured
    return {each.states.context.name: each.states for each in captured.values()}


@pytest.fixture(scope="session")
def tiny_series(of_all_processes: Path) -> TrainingSeries:
    """A small model at ten steps of its training; trained by the first process that asks, and not to be changed."""
    folder = of_all_processes / "series"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            training_series.train_into(partial)
            partial.rename(folder)
    return training_series.series_in(folder)


@pytest.fixture(scope="session")
def tiny(of_all_processes: Path) -> families.Tiny:
    (of_all_processes / "tiny").mkdir(exist_ok=True)
    return families.Tiny(of_all_processes / "tiny")


@pytest.fixture(scope="session")
def loaded(tiny: families.Tiny) -> families.Load:
    """A family's model by its name, loaded once for all tests that leave it as it is."""
    return cache(tiny.load)


@pytest.fixture(scope="session")
def checkpoints(tiny: families.Tiny) -> Path:
    """A folder with those of two families, and perhaps of others."""
    tiny("llama")
    return tiny("bert").parent


@pytest.fixture
def llama(tiny: families.Tiny, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return tiny.copy("llama", tmp_path / "llama")


@pytest.fixture
def gpt2(tiny: families.Tiny, tmp_path: Path) -> Path:
    """The same of another family: three layers of width 32."""
    return tiny.copy("gpt2", tmp_path / "gpt2")
