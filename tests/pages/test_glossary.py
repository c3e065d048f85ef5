"""Terms are explained where they first stand on a page, once, and the method page lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import OpenAt, box_of
from jinja2 import Environment
from playwright.sync_api import expect
from rendered import Part, Rendered
from report_fixture import hostile_report, lens_report, sample_report

from tokviz.pages.text import catalogue
from tokviz.pages.text.glossary import GLOSSARY, LENS, Explainer

SITES = {"sample": Rendered(sample_report()), "hostile": Rendered(hostile_report())}
EVERY_PAGE = [(name, path) for name, site in SITES.items() for path in site.paths if path != "404.html"]
METHOD = "method/index.html"
TERM = re.compile(r'<button type="button" class="term" popovertarget="([^"]+)">')


@pytest.fixture(scope="module")
def method() -> Part:
    return SITES["sample"][METHOD]


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


def test_the_method_page_lists_all_terms_that_the_report_may_speak_of(method: Part) -> None:
    names = [entry.name for entry in GLOSSARY]
    assert names == sorted(names, key=str.lower)
    assert method.under("terms").texts("dt") == [name for name in names if name != LENS.name]
    assert Rendered(lens_report())[METHOD].under("terms").texts("dt") == names


@pytest.mark.parametrize(("report", "path"), EVERY_PAGE)
def test_each_term_of_a_page_has_its_definition_once(report: str, path: str) -> None:
    html = SITES[report].files[path]
    terms = TERM.findall(html)
    assert len(terms) == len(set(terms))
    assert set(terms) == set(re.findall(r'<p popover id="([^"]+)">', html))
    assert not (terms and path == METHOD)


def test_a_models_page_explains_what_it_speaks_of() -> None:
    terms = {each.removeprefix("term-") for each in TERM.findall(SITES["sample"].files["models/smol-30/index.html"])}
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


def test_of_a_long_definition_the_first_sentence_is_in_sight_and_nothing_is_lost(method: Part) -> None:
    terms = [each for each in catalogue.read("method").values() if "meaning" in each]
    meanings = {each["name"]: each["meaning"] for each in terms if "{" not in each["meaning"]}
    found = {}
    for part in map(method.under, ("projections", "measures")):
        for name, definition in zip(part.texts("dt"), part.all("dd"), strict=True):
            lead = str(definition.element.text).strip()
            found[name] = (lead, *definition.texts("details p"))
            assert len(lead.split()) <= 80
            assert lead.endswith(".")
    assert sum(len(said) > 1 for said in found.values()) > 10
    whole = {name: " ".join(said) for name, said in found.items() if name in meanings}
    assert sum(len(found[name]) > 1 for name in whole) > 3
    assert whole == {name: meanings[name] for name in whole}


def test_the_contents_of_the_method_page_lead_to_its_parts(method: Part) -> None:
    assert method.texts(".contents a") == method.texts("main h2")[:-1], "all but what tokviz is"
