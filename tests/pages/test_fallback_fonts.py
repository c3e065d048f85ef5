"""What a page looks like before its own fonts are there: a local font of the same widths stands for each of them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path

import pytest
from browser import OpenPage, served, wait_until_quiet

COMMITTED = Path(__file__).parents[2] / "site"
STYLES = Path(__file__).parents[2] / "templates" / "assets" / "site.css"
MODEL = "models/smollm2-135m-instruct/index.html"
pytestmark = pytest.mark.browser
TEXT = (
    "At layer 11, two of 1,536 neurons put 99.7 % of the words' variance into one direction. "
    "By chance a fifth of a word's nearest neighbors share its category. March, London, teacher"
)
WIDTHS = """async ({ families, text }) => {
    const pen = document.createElement('canvas').getContext('2d');
    const widths = {};
    for (const weight of [400, 600]) {
        for (const family of families) {
            const font = `${weight} 100px "${family}"`;
            const faces = await document.fonts.load(font).catch(() => []);
            pen.font = font;
            if (faces.length) widths[`${family} ${weight}`] = pen.measureText(text).width;
        }
    }
    return widths;
}"""
TOO_WIDE = """() => [...document.querySelectorAll('main svg')].flatMap((svg) => {
    const outer = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter((text) => {
        const box = text.getBoundingClientRect();
        const [start, end] = text.getAttribute('transform')?.includes('rotate') ? ['top', 'bottom'] : ['left', 'right'];
        const isSeen = box.width > 0 && getComputedStyle(text).visibility === 'visible';
        return isSeen && (box[start] < outer[start] - 1 || box[end] > outer[end] + 1);
    }).map((text) => text.textContent);
})"""
"""Texts that reach beyond the drawing that they are in, along their line."""
HEADS = """() => [...document.querySelectorAll('.plate-head')].map((head) => [...head.children].map((text) => {
    const { left, right } = text.getBoundingClientRect();
    return [text.getAttribute('y'), left, right];
}))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The committed sample for someone to whom its fonts never come."""
    site = tmp_path_factory.mktemp("fallback") / "site"
    shutil.copytree(COMMITTED, site, copy_function=os.symlink)
    (site / "assets" / "site.css").unlink()
    without = re.sub(r'url\("fonts/[^"]+"\) format\("woff2"\)', 'local("no such font")', STYLES.read_text("utf-8"))
    (site / "assets" / "site.css").write_text(without, encoding="utf-8")
    with served(site) as found:
        yield found


def test_every_fallback_that_is_installed_has_the_widths_of_the_font(open_page: OpenPage, tmp_path: Path) -> None:
    """Within 4 %, so that lines break where they will: measured in whatever local fonts there are."""
    sheet = STYLES.read_text(encoding="utf-8")
    shutil.copytree(STYLES.parent / "fonts", tmp_path / "fonts")
    shutil.copy(STYLES, tmp_path)
    (tmp_path / "page.html").write_text(f'<!doctype html><link rel=stylesheet href="{STYLES.name}">', encoding="utf-8")
    page = open_page(tmp_path, "page.html")
    n_found = 0
    for name in ("usual-sans", "serif"):
        [stack] = re.findall(rf'--{name}: ("[^;]+);', sheet)
        own, *others = re.findall(r'"([^"]+)"', stack)
        widths = page.evaluate(WIDTHS, {"families": [own, *others], "text": TEXT})
        for found, width in widths.items():
            assert width == pytest.approx(widths[f"{own} {found.split()[-1]}"], rel=0.04), found
        n_found += len(widths) - 2
    assert n_found >= 4


@pytest.mark.parametrize("path", ["index.html", MODEL, "compare/index.html", "explore/index.html"])
def test_no_label_is_cut_where_they_never_come(open_page: OpenPage, address: str, path: str) -> None:
    page = open_page(address, path)
    wait_until_quiet(page)
    assert page.evaluate(TOO_WIDE) == []
    for (line, _, end), (next_line, start, _) in chain.from_iterable(map(pairwise, page.evaluate(HEADS))):
        assert line != next_line or end < start
