"""The categories' legend of the first page: the plates' colours in either theme, and their shapes."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree.ElementTree import Element

import html5lib
import pytest
from narrow import present
from report_fixture import FOLDERS, HOSTILE, TEMPLATES, hostile_report, model_report, sample_report, word_list

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.first.page import MOST_CATEGORIES_IN_SIGHT, legend
from tokviz.records import Marks, Report
from tokviz.records.look import SHAPES

SHAPES_OF_SCRIPTS = (TEMPLATES / "assets" / "explore" / "data.js").read_text(encoding="utf-8")


def listed(report: Report) -> list[list[tuple[str, str, str]]]:
    """Name, class of the colour, and shape in each list of categories of the first page."""
    html = render.render(pages.build(report), FOLDERS)["index.html"]
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return [
        [("".join(item.itertext()), *_mark(item)) for item in each.iter("li")]
        for each in tree.iter("ul")
        if each.get("class") == "categories"
    ]


def _mark(item: Element) -> tuple[str, str]:
    [path] = [each for each in item.iter() if "d" in each.attrib]
    return present(path.get("class")), present(path.get("d"))


def test_colours_and_shapes_are_those_of_the_plates() -> None:
    assert list(SHAPES.values()) == re.findall(r'^    "(M.*Z)",$', SHAPES_OF_SCRIPTS, re.MULTILINE)


def test_the_first_page_names_every_category_with_its_mark() -> None:
    report = sample_report()
    [found] = listed(report)
    assert found == [
        (category.label, f"hue-{index}", list(SHAPES.values())[index])
        for index, category in enumerate(report.words.categories)
    ]


@pytest.mark.parametrize(
    ("n_categories", "folded"), [(MOST_CATEGORIES_IN_SIGHT, []), (MOST_CATEGORIES_IN_SIGHT + 4, [4])]
)
def test_many_categories_are_folded(n_categories: int, folded: list[int]) -> None:
    words = word_list(n_categories, n_words=1)
    models = (model_report("m", "M", 3, words, sample_report().contexts),)
    report = replace(sample_report(), words=words, models=models)
    assert [len(each) for each in listed(report)] == [MOST_CATEGORIES_IN_SIGHT, *folded]
    shown = present(legend(report.words.categories, Marks(), report.words.categories))
    assert len(shown["folded"]) == n_categories - MOST_CATEGORIES_IN_SIGHT


def test_a_vocabulary_without_categories_has_none() -> None:
    report = sample_report()
    words = replace(report.words, categories=())
    assert listed(replace(report, words=words, models=report.models[2:])) == []


def test_a_label_that_looks_like_markup_is_text() -> None:
    [[(name, _, _)]] = listed(hostile_report())
    assert name == HOSTILE
