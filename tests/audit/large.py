"""A large report, made of tiny models, and whether its pages keep what small ones promise.

python tests/audit/large.py [FOLDER]

Six models of 40 layers in three contexts: some 1,500 pictures. It is made once (minutes) and kept in FOLDER; what is checked
is that pages stay light before a reader does anything, that no link is broken, and that axe-core finds nothing in either
theme. Prints a table, and exits with 1 when something is amiss.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from audit import served
from axe_playwright_python.sync_playwright import Axe

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]
import families
import link_check
from browser import launch
from playwright.sync_api import Browser, sync_playwright
from weighing import MOST, VIEWPORTS, fetched_by

import tokviz
from tokviz.run.work.processes import default_jobs

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
MODELS = ("llama", "gpt2", "gpt_neox", "opt", "bert", "distilbert")
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


def make(folder: Path) -> Path:
    """The site, made if it isn't there."""
    site = folder / "site"
    if (site / "index.html").is_file():
        return site
    sample = tokviz.load(Path(__file__).parent.parent.parent / "report.toml")
    words = "\n".join(f"[words.{key}]\nwords = {list(each.words)}" for key, each in sample.words.items())
    models = []
    for name in MODELS:
        path = folder / "models" / name
        if not (path / "config.json").is_file():
            families.build(name, path, n_layers=N_LAYERS)
        models.append(f'[[models]]\nsource = "models/{name}"')
    (folder / "report.toml").write_text(CONFIG.format(words=words, models="\n".join(models)), encoding="utf-8")
    outcome = tokviz.build(tokviz.load(folder / "report.toml"), site, cache=folder / "cache", jobs=default_jobs())
    assert not outcome.failures, outcome.failures
    return site


def check(site: Path) -> int:
    """How much is amiss."""
    links = link_check.broken(site, site.rglob("*.html"), least=100)
    print(f"links: {len(links)} broken")
    print("\n".join(links))
    amiss = len(links)
    # What stands for a missing page is a file by itself.
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    with served(site) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for page in pages:
            weights = {
                size: sum(map(len, fetched_by(browser, address, page, viewport).values()))
                for size, viewport in VIEWPORTS.items()
            }
            heavy = [size for size, n_bytes in weights.items() if page.startswith("models/") and n_bytes > MOST[size]]
            violations = [
                violation for scheme in SCHEMES for violation in violations_of(browser, address + page, scheme)
            ]
            amiss += len(heavy) + len(violations)
            shown = ", ".join(f"{n_bytes / 1024:.0f} KiB on a {size}" for size, n_bytes in weights.items())
            print(
                f"{page:40} {shown}{', too heavy' if heavy else ''}; axe: {len(violations)} {violations or ''}",
                flush=True,
            )
        browser.close()
    return amiss


def violations_of(browser: Browser, address: str, scheme: Scheme) -> list[str]:
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(address, wait_until="networkidle")
    found = Axe().run(tab, options={"preload": False}).response["violations"]
    tab.close()
    return [f"{scheme}: {violation['id']}" for violation in found]


if __name__ == "__main__":
    made = make(Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/large"))
    sys.exit(1 if check(made) else 0)
