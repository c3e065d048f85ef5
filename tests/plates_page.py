"""Plates drawn in a page: the sample report's words and coordinates in a small site, and what can be read on a plate."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from browser import OpenPage, box_of, wait_until_quiet
from playwright.sync_api import Locator, Page, expect
from report_fixture import ALONE, SENTENCE, model_report, sample_report, write_site

from tokviz.records import Category, WordList

DATA = Path(__file__).parent.parent / "site" / "data"
SLUG = "smollm2-135m-instruct"
ENCODER = "all-minilm-l6-v2"
MODEL = f"models/{SLUG}/index.html"
COMPARE = "compare/index.html"
CATEGORIES = (
    *("Boys' names", "Girls' names", "Countries", "Capitals", "Colors"),
    *("Months", "Emotions", "Action verbs", "Occupations"),
)
NAMES = ".plate-names text"
INK = """(texts) => {
    const context = document.createElement('canvas').getContext('2d');
    return texts.map((text) => {
        const style = getComputedStyle(text);
        const scale = text.getScreenCTM().a;
        // Ten times as large, since what is measured is rounded to pixels.
        context.font = `${style.fontWeight} ${10 * parseFloat(style.fontSize)}px ${style.fontFamily}`;
        const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = context.measureText(text.textContent);
        const { left, right } = text.getBoundingClientRect();
        const base = text.ownerSVGElement.getBoundingClientRect().top + Number(text.getAttribute('y')) * scale;
        return { text: text.textContent, size: parseFloat(style.fontSize) * scale,
            left, right, top: base - up * scale / 10, bottom: base + down * scale / 10 };
    });
}"""
"""Where the letters of texts are, and how large the texts."""


def content(path: Path) -> Any:
    """What a data script passes on."""
    text = path.read_text(encoding="utf-8")
    return json.loads(f"[{text[text.index('(') + 1 : text.rindex(')')]}]")[1]


def sample_words() -> WordList:
    found = content(DATA / "words.js")
    return WordList(
        categories=tuple(
            Category(
                key=f"category_{index}",
                label=label,
                words=tuple(
                    word
                    for word, memberships in zip(found["words"], found["memberships"], strict=True)
                    if index in memberships
                ),
            )
            for index, label in enumerate(CATEGORIES)
        )
    )


def write_sample(folder: Path, **changes: Any) -> Path:
    """A site with the words and coordinates of the sample report; ``changes`` are of the report."""
    words, contexts = sample_words(), (ALONE, SENTENCE)
    models = (
        model_report(SLUG, "SmolLM2-135M-Instruct (Q4_1 GGUF)", 30, words, contexts, measured=True),
        model_report(ENCODER, "all-MiniLM-L6-v2", 6, words, contexts, measured=True),
    )
    write_site(replace(sample_report(), words=words, models=models, downloads={}, **changes), folder)
    for model in models:
        for context in contexts:
            for name in ("words.js", "coordinates-standardized.js", "coordinates-centered.js"):
                shutil.copyfile(
                    DATA / model.slug / context.name / name, folder / "data" / model.slug / context.name / name
                )
    return folder


def expect_drawn(page: Page) -> None:
    """All plates of the carousel, or of the compare page, that are shown are drawn."""
    for holder in page.locator(
        ".panel:is([data-current], [data-beside]) .track, [data-slot]:has(.plate:not([hidden]))"
    ).all():
        expect(holder.locator(".plate-key:not([inert])")).to_have_count(1)
    wait_until_quiet(page)


def drawn(open_page: OpenPage, site: Path | str, address: str, **options: Any) -> Page:
    """A page, its plates drawn."""
    page = open_page(site, address, **options)
    expect_drawn(page)
    return page


def slide(page: Page, name: str) -> Locator:
    return page.locator(f"[id='{name}']")


def named(plate: Locator) -> list[dict[str, Any]]:
    """The words that are named on a plate."""
    found: list[dict[str, Any]] = plate.locator(NAMES).evaluate_all(INK)
    return found


def middle_of_word(plate: Locator, word: str) -> tuple[float, float]:
    """In pixels of the window."""
    [ink] = [each for each in named(plate) if each["text"] == word]
    return (ink["left"] + ink["right"]) / 2, (ink["top"] + ink["bottom"]) / 2


def middle_of(element: Locator) -> tuple[float, float]:
    box = box_of(element)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def smallest_text(plate: Locator) -> float:
    """The size of the smallest text of a plate and its key, in CSS pixels."""
    texts = plate.locator(".plate-svg text").evaluate_all(INK)
    keys = plate.locator(".plate-key button, .plate-note")
    sizes = keys.evaluate_all("(all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize))")
    return min(float(size) for size in (*(text["size"] for text in texts), *sizes))


def boxes(names: list[dict[str, Any]]) -> np.ndarray:
    """The left, right, top and bottom of names, a row each: asked of hundreds of plates, all names at once take a tenth of the time."""
    return np.array([[name[side] for name in names] for side in ("left", "right", "top", "bottom")])


def overlapping(names: list[dict[str, Any]], slack: float = 0.5) -> list[tuple[str, str]]:
    """Pairs of words whose letters meet."""
    left, right, top, bottom = boxes(names)
    beside, below = left[:, None] < right - slack, top[:, None] < bottom - slack
    meet = np.tril(beside & beside.T & below & below.T, -1)
    return [(names[one]["text"], names[two]["text"]) for one, two in np.argwhere(meet)]


def on_marks(plate: dict[str, Any]) -> list[str]:
    """Words that lie on a mark, their own or another one."""
    left, right, top, bottom = boxes(plate["names"])[:, :, None]
    x, y = np.array(plate["marks"]).T
    within = plate["radius"] - 1
    on = (left - within < x) & (x < right + within) & (top - within < y) & (y < bottom + within)
    return [plate["names"][row]["text"] for row in np.flatnonzero(on.any(axis=1))]


def assert_readable(plate: Locator, least: int) -> None:
    """So many words are named, none on another one, all texts are large enough, and the key stands within the plate."""
    names = named(plate)
    assert len(names) >= least
    assert overlapping(names) == []
    assert smallest_text(plate) >= 11
    box = box_of(plate.locator(".plate"))
    for part in (".plate-categories", ".plate-note"):
        inner = box_of(plate.locator(part))
        assert inner["y"] + inner["height"] <= box["y"] + box["height"] + 1, part
        assert inner["x"] + inner["width"] <= box["x"] + box["width"] + 1, part
