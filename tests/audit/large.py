"""A large report, made of tiny models, and whether its pages keep what small ones promise.

python tests/audit/large.py [FOLDER]

Six models of 40 layers in three contexts: some 1,500 pictures. Then twenty models of one form and 600 words, of which each has
a page of what changed from the first. They are made in FOLDER (minutes the first time); what is checked is that pages stay light
before a reader does anything, that no link is broken, and, of the first, that axe-core finds nothing in either theme. Prints
tables, and exits with 1 when something is amiss. ``tests/pages/test_large.py`` checks the weights of two of the six.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]
import families
import link_check
import torch
from browser import launch
from playwright.sync_api import Browser, sync_playwright
from safetensors.torch import load_file, save_file
from serving import served
from weighing import VIEWPORTS, fetched_by, most

import tokviz
from tokviz.run.work.processes import default_jobs

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
MODELS = ("llama", "bert", "gpt2", "gpt_neox", "opt", "distilbert")
N_LAYERS = 40
CONFIG = """
title = "Six models of forty layers"
subtitle = "Tiny models with random weights: nothing is to be seen but how pages of this size behave."
projections = ["standardized"]
{words}
[[contexts]]
name = "alone"
template = " {{word}}"
[[contexts]]
name = "sentence"
label = "in a sentence"
template = "The word is {{word}}"
[[contexts]]
name = "question"
label = "in a question"
template = "What is a {{word}}"
{models}
"""
N_OF_ONE_FORM, N_CATEGORIES, N_WORDS = 20, 12, 50
NOISE = 0.01
"""Of the weights' standard deviation, by which models of one form differ."""
OF_ONE_FORM = """
title = "Twenty models of one form"
subtitle = "Tiny models with random weights, of which all but the first have noise: nothing is to be seen but how pages of this size behave."
projections = ["standardized"]
{words}
[[contexts]]
name = "alone"
template = " {{word}}"
{models}
"""


def make(folder: Path, names: Sequence[str]) -> Path:
    """The site of models of these families, with what has to be made again."""
    sample = tokviz.load(Path(__file__).parent.parent.parent / "report.toml")
    for name in names:
        _build(name, folder / "models" / name)
    return _made(folder, CONFIG, {key: each.words for key, each in sample.words.items()}, names)


def make_of_one_form(folder: Path) -> Path:
    """The site of models that differ by noise, with what has to be made again."""
    syllables = list(map("".join, itertools.product("bdfgklmnprst", "aeiou")))
    words = list(map("".join, itertools.product(syllables, syllables)))[:: len(syllables) // 10]
    categories = {f"category-{index}": words[index::N_CATEGORIES][:N_WORDS] for index in range(N_CATEGORIES)}
    names = [f"model-{index}" for index in range(N_OF_ONE_FORM)]
    first, *others = (folder / "models" / name for name in names)
    _build("llama", first)
    for index, other in enumerate(others):
        if not other.exists():
            _copy_with_noise(first, other, seed=index)
    return _made(folder, OF_ONE_FORM, categories, names)


def _build(family: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        families.build(family, folder, n_layers=N_LAYERS)


def _copy_with_noise(model: Path, folder: Path, seed: int) -> None:
    partial = folder.with_suffix(".partial")
    shutil.copytree(model, partial, dirs_exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    weights = load_file(model / "model.safetensors")
    noisy = {
        name: each + NOISE * each.std(correction=0) * torch.randn(each.shape, generator=generator)
        for name, each in weights.items()
    }
    save_file(noisy, partial / "model.safetensors", {"format": "pt"})
    partial.rename(folder)


def _made(folder: Path, config: str, categories: Mapping[str, Sequence[str]], names: Sequence[str]) -> Path:
    words = "\n".join(f"[words.{key}]\nwords = {list(each)}" for key, each in categories.items())
    models = "\n".join(f'[[models]]\nsource = "models/{name}"' for name in names)
    (folder / "report.toml").write_text(config.format(words=words, models=models), encoding="utf-8")
    site = folder / "site"
    outcome = tokviz.build(tokviz.load(folder / "report.toml"), site, cache=folder / "cache", jobs=default_jobs())
    assert not outcome.failures, outcome.failures
    return site


def pages_of(site: Path) -> list[str]:
    """All but what stands for a missing page, which is a file by itself."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")


def check(site: Path, browser: Browser) -> int:
    """How much is amiss of links and weights."""
    links = link_check.broken(site, site.rglob("*.html"), least=100)
    print(f"links: {len(links)} broken")
    print("\n".join(links))
    return len(links) + check_weights(site, browser)


def check_access(site: Path, browser: Browser) -> int:
    """How much axe-core finds, in both themes."""
    amiss = 0
    with served(site) as address:
        for page in pages_of(site):
            violations = [
                violation for scheme in SCHEMES for violation in violations_of(browser, address + page, scheme)
            ]
            amiss += len(violations)
            print(f"{page:40} axe: {len(violations)} {violations or ''}", flush=True)
    return amiss


def check_weights(site: Path, browser: Browser) -> int:
    """How many pages fetch more than they may before a reader does anything."""
    heavy = set()
    for page, size, fetched in fetched_from(site, browser):
        limit, n_bytes = most(page, size), sum(map(len, fetched.values()))
        said = f"{n_bytes / 1024:.0f} KiB on a {size}{f' (at most {limit / 1024:.0f})' if limit else ''}"
        if limit is not None and n_bytes > limit:
            heavy.add(page)
            said += ": too heavy"
        print(f"{page:40} {said}", flush=True)
    return len(heavy)


def fetched_from(site: Path, browser: Browser) -> Iterator[tuple[str, str, dict[str, bytes]]]:
    """Each page, the screen that it is seen on, and what it fetches before a reader does anything."""
    with served(site) as address:
        for page in pages_of(site):
            for size, viewport in VIEWPORTS.items():
                yield page, size, fetched_by(browser, address, page, viewport)


def violations_of(browser: Browser, address: str, scheme: Scheme) -> list[str]:
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(address, wait_until="networkidle")
    found = Axe().run(tab, options={"preload": False}).response["violations"]
    tab.close()
    return [f"{scheme}: {violation['id']}" for violation in found]


def main(cache: Path) -> int:
    """Of both reports, in one browser."""
    six, twenty = make(cache, MODELS), make_of_one_form(cache / "one-form")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        amiss = check(six, browser) + check_access(six, browser) + check(twenty, browser)
        browser.close()
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/large")))
