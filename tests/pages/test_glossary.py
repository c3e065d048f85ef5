"""Terms are explained where they first stand on a page, once, and the method page lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import OpenAt, box_of
from jinja2 import Environment
from playwright.sync_api import expect
from report_fixture import FOLDERS, Views, hostile_report, lens_report, sample_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.text.explained import Explainer
from tokviz.pages.text.glossary import GLOSSARY, LENS

RENDERED = {
    f"{name}: {path}": text
    for name, report in (("sample", sample_report()), ("hostile", hostile_report()))
    for path, text in render.render(pages.build(report), FOLDERS).items()
    if path.endswith(".html") and path != "404.html"
}
TERM = re.compile(r'<button type="button" class="term" popovertarget="([^"]+)">')


def explained(*sentences: str) -> list[str]:
    """As on one page; brackets stand for the buttons."""
    explainer = Explainer()
    jinja = Environment(autoescape=True)
    jinja.filters["explain"] = explainer.explain
    template = jinja.from_string("{{ text | explain }}")
    return [re.sub(r"<button[^>]*>|</button>", "|", template.render(text=text)) for text in sentences]


def test_a_term_is_explained_where_it_first_stands() -> None:
    assert explained("The purity; purity", "Category purity, PURITY") == [
        "The |purity|; purity",
        "Category purity, PURITY",
    ]


def test_parts_of_words_are_no_terms() -> None:
    assert explained("backstage, impurity, updated, rewrites it") == ["backstage, impurity, updated, rewrites it"]


def test_of_two_terms_that_overlap_the_first_is_explained_and_the_other_later() -> None:
    assert explained("An attention sink at position 0.", "Position 0") == [
        "An |attention sink| at |position 0|.",
        "Position 0",
    ]


def test_what_authors_write_stays_escaped() -> None:
    assert explained("<b>purity</b> & <script>") == ["&lt;b&gt;|purity|&lt;/b&gt; &amp; &lt;script&gt;"]


def test_the_method_page_lists_all_terms_that_the_report_may_speak_of() -> None:
    for entry in GLOSSARY:
        assert (f"<dt>{entry.name}</dt>" in RENDERED["sample: method/index.html"]) == (entry is not LENS)
    assert LENS in Views(lens_report()).method.glossary
    assert [entry.name.lower() for entry in GLOSSARY] == sorted(entry.name.lower() for entry in GLOSSARY)


@pytest.mark.parametrize("page", RENDERED)
def test_each_term_of_a_page_has_its_definition_once(page: str) -> None:
    html = RENDERED[page]
    terms = TERM.findall(html)
    assert len(terms) == len(set(terms))
    assert set(terms) == set(re.findall(r'<p popover id="([^"]+)">', html))
    assert not (terms and page.endswith("method/index.html"))


def test_a_models_page_explains_what_it_speaks_of() -> None:
    terms = {each.removeprefix("term-") for each in TERM.findall(RENDERED["sample: models/smol-30/index.html"])}
    assert {"purity", "attention-sink", "position-0", "massive", "stage", "cka", "standardized", "write"} <= terms


def test_a_definition_opens_by_key_without_scripts_and_moves_nothing(open_page: OpenAt, site: Path) -> None:
    page = open_page(site, "models/smol-30/index.html", java_script_enabled=False)
    term = page.locator("button.term", has_text="purity").first
    definition = page.locator("#term-purity")
    expect(definition).to_be_hidden()
    term.focus()
    before = box_of(term)
    term.press("Enter")
    expect(definition).to_be_visible()
    expect(definition).to_contain_text("of its category")
    assert box_of(term) == before
    page.keyboard.press("Escape")
    expect(definition).to_be_hidden()
    page.emulate_media(media="print")
    expect(definition).to_be_visible()


def test_of_a_long_definition_the_first_sentence_is_in_sight_and_nothing_is_lost() -> None:
    page = Views(sample_report()).method
    terms = (*page.projections, *page.trails, *page.measures)
    assert sum(bool(term.rest) for term in terms) > 10
    for term in terms:
        assert " ".join(filter(None, (term.lead, term.rest))) == term.meaning
        assert len(term.lead.split()) <= 80
        assert term.lead.endswith(".")


def test_the_contents_of_the_method_page_lead_to_its_parts() -> None:
    html = RENDERED["sample: method/index.html"]
    links = Views(sample_report()).method.contents
    assert len(links) == 10
    assert all(f'id="{link.href.removeprefix("#")}"' in html for link in links)
