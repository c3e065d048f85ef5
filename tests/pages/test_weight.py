"""What a large model's page fetches before a reader does anything, with pictures as heavy as real ones."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import COUNT_SCHEDULED, served, wait_until_quiet
from playwright.sync_api import Browser, Response
from report_fixture import ALONE, SENTENCE, images, model_report, sample_report, word_list, write_site

IMAGES = Path(__file__).parents[2] / "site" / "images" / "smollm2-135m-instruct" / "alone" / "standardized"
MOST = {"phone": 500 * 1024, "desktop": 800 * 1024}
VIEWPORTS: dict[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 3,
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 37 layers in two contexts; each picture is the heaviest of its kind in the sample report."""
    words, contexts = word_list(n_categories=9, n_words=13), (ALONE, SENTENCE)
    model = model_report("large", "Large-8B", 37, words, contexts, measured=True)
    report = replace(sample_report(), words=words, contexts=contexts, models=(model,), downloads={})
    folder = write_site(report, tmp_path_factory.mktemp("large"))
    for image in images(report):
        shutil.copyfile(_heaviest(image.path), folder / image.path)
    return folder


@functools.cache
def _real(kind: str, *, phone: bool) -> Path:
    files = [path for path in IMAGES.glob(f"*{kind}*.webp") if path.stem.endswith("-phone") == phone]
    return max(files, key=lambda path: path.stat().st_size)


def _heaviest(path: str) -> Path:
    kind = next(kind for kind in ("_m.et", "_strip", "__") if kind in path)
    return _real(kind, phone="-phone" in path)


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.mark.parametrize("size", VIEWPORTS)
def test_little_is_fetched_before_a_reader_does_something(browser: Browser, address: str, size: str) -> None:
    page = browser.new_page(**VIEWPORTS[size])
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    page.add_init_script(COUNT_SCHEDULED)
    page.goto(f"{address}models/large/index.html", wait_until="networkidle")
    wait_until_quiet(page)
    fetched = {response.url.removeprefix(address): len(response.body()) for response in responses}
    page.close()
    assert len(fetched) >= 6, fetched  # page, styles, scripts, fonts, strip, plates
    assert sum(fetched.values()) <= MOST[size], sorted(fetched.items(), key=lambda item: -item[1])
