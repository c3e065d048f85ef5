"""A large report, made of tiny models, and whether its pages keep what small ones promise.

python tests/audit/large.py [FOLDER]

Six models of 40 layers in three contexts: some 1,500 pictures. It is made in FOLDER (minutes the first time); what is checked
is that pages stay light before a reader does anything, that no link is broken, and that axe-core finds nothing in either
theme. Prints a table, and exits with 1 when something is amiss. ``audit.py`` checks the weights of two such models.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]
import families
import link_check
from browser import launch
from playwright.sync_api import Browser, sync_playwright
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


def make(folder: Path, names: Sequence[str]) -> Path:
    """The site of models of these families, with what has to be made again."""
    sample = tokviz.load(Path(__file__).parent.parent.parent / "report.toml")
    words = "\n".join(f"[words.{key}]\nwords = {list(each.words)}" for key, each in sample.words.items())
    models = []
    for name in names:
        path = folder / "models" / name
        if not (path / "config.json").is_file():
            families.build(name, path, n_layers=N_LAYERS)
        models.append(f'[[models]]\nsource = "models/{name}"')
    (folder / "report.toml").write_text(CONFIG.format(words=words, models="\n".join(models)), encoding="utf-8")
    site = folder / "site"
    outcome = tokviz.build(tokviz.load(folder / "report.toml"), site, cache=folder / "cache", jobs=default_jobs())
    assert not outcome.failures, outcome.failures
    return site


def pages_of(site: Path) -> list[str]:
    """All but what stands for a missing page, which is a file by itself."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")


def check(site: Path) -> int:
    """How much is amiss."""
    links = link_check.broken(site, site.rglob("*.html"), least=100)
    print(f"links: {len(links)} broken")
    print("\n".join(links))
    amiss = len(links) + check_weights(site)
    with served(site) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for page in pages_of(site):
            violations = [
                violation for scheme in SCHEMES for violation in violations_of(browser, address + page, scheme)
            ]
            amiss += len(violations)
            print(f"{page:40} axe: {len(violations)} {violations or ''}", flush=True)
        browser.close()
    return amiss


def check_weights(site: Path) -> int:
    """How many pages fetch more than they may before a reader does anything."""
    n_heavy = 0
    with served(site) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for page in pages_of(site):
            shown, is_heavy = [], False
            for size, viewport in VIEWPORTS.items():
                n_bytes = sum(map(len, fetched_by(browser, address, page, viewport).values()))
                limit = most(page, size)
                is_heavy |= limit is not None and n_bytes > limit
                shown.append(
                    f"{n_bytes / 1024:.0f} KiB on a {size}" + (f" (at most {limit / 1024:.0f})" if limit else "")
                )
            n_heavy += is_heavy
            print(f"{page:40} {', '.join(shown)}{': too heavy' if is_heavy else ''}", flush=True)
        browser.close()
    return n_heavy


def violations_of(browser: Browser, address: str, scheme: Scheme) -> list[str]:
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(address, wait_until="networkidle")
    found = Axe().run(tab, options={"preload": False}).response["violations"]
    tab.close()
    return [f"{scheme}: {violation['id']}" for violation in found]


if __name__ == "__main__":
    made = make(Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/large"), MODELS)
    sys.exit(1 if check(made) else 0)
