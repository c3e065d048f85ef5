"""What a large model's page fetches before a reader does anything, with pictures as heavy as real ones."""

from __future__ import annotations

import functools
import gzip
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import served
from intervention_fixture import with_interventions
from playwright.sync_api import Browser
from report_fixture import ALONE, SENTENCE, images, model_report, sample_report, word_list, write_site
from weighing import MOST, VIEWPORTS, fetched_by

IMAGES = Path(__file__).parents[2] / "site" / "images" / "smollm2-135m-instruct" / "alone"
COMPRESSED = (".html", ".css", ".js")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of 37 layers in two contexts; each picture is the heaviest of its kind in the sample report."""
    words, contexts = word_list(n_categories=9, n_words=13), (ALONE, SENTENCE)
    model = model_report("large", "Large-8B", 37, words, contexts, measured=True)
    broken = with_interventions(model_report("broken", "Broken-8B", 37, words, contexts, measured=True))
    report = replace(sample_report(), words=words, contexts=contexts, models=(model, broken), downloads={})
    folder = write_site(report, tmp_path_factory.mktemp("large"))
    for image in images(report):
        shutil.copyfile(_heaviest(image.path), folder / image.path)
    return folder


@functools.cache
def _real(kind: str, *, phone: bool) -> Path:
    found = (*IMAGES.glob(f"*{kind}*.webp"), *IMAGES.glob(f"standardized/*{kind}*.webp"))
    files = [path for path in found if path.stem.endswith("-phone") == phone]
    return max(files, key=lambda path: path.stat().st_size)


def _heaviest(path: str) -> Path:
    kind = next(kind for kind in ("_m.et", "_strip", "_words", "__") if kind in path)
    return _real(kind, phone="-phone" in path)


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.mark.parametrize("size", VIEWPORTS)
def test_little_is_fetched_before_a_reader_does_something(browser: Browser, address: str, size: str) -> None:
    fetched = fetched_by(browser, address, "models/large/index.html", VIEWPORTS[size])
    assert len(fetched) >= 6, fetched  # page, styles, scripts, fonts, strip, plates
    weights = {path: len(content) for path, content in fetched.items()}
    assert sum(weights.values()) <= MOST[size], sorted(weights.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("size", VIEWPORTS)
def test_a_capture_with_neurons_off_weighs_little_as_hosts_send_it(browser: Browser, address: str, size: str) -> None:
    """One panel and two curves more: text is counted compressed, as GitHub Pages sends it, and all together stays below 600 kB."""
    fetched = fetched_by(browser, address, "models/broken/index.html", VIEWPORTS[size])
    assert len(fetched) >= 6, fetched
    assert sum(len(content) for content in fetched.values()) <= 600 * 1024
    sent = {
        path: len(gzip.compress(content) if path.endswith(COMPRESSED) else content) for path, content in fetched.items()
    }
    assert sum(sent.values()) <= MOST[size] / 2, sorted(sent.items(), key=lambda item: -item[1])
