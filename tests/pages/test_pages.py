"""The pages as files: valid, escaped, and every link leads somewhere inside the site."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import html5lib
import jinja2
import pytest
from geometry_fixture import geometry
from narrow import present
from rendered import Part, Rendered
from report_fixture import (
    FOLDERS,
    HOSTILE,
    TEMPLATES,
    hostile_report,
    images,
    one_depth_report,
    sample_report,
    tiny_report,
    twice,
)

from tokviz.pages import render
from tokviz.pages.charts.measures import MEASURES
from tokviz.pages.charts.reading import terms
from tokviz.pages.downloads import tables
from tokviz.pages.text import catalogue
from tokviz.pages.text.glossary import Explainer
from tokviz.pages.text.short_names import short_names
from tokviz.pages.text.wording import n_captured
from tokviz.records import CardImage, Report
from tokviz.text import isolated

REPORTS = {"sample": sample_report(), "hostile": twice(hostile_report()), "one depth": twice(one_depth_report())}
SITES = {name: Rendered(report) for name, report in REPORTS.items()}
EVERY_PAGE = [(name, path) for name, site in SITES.items() for path in site.paths]
ASSETS = TEMPLATES / "assets"
EARLY = ("assets/theme.js", "assets/fonts.js", "assets/opening.js")
"""Scripts that run before the page is drawn."""
LINKS = ("href", "src", "srcset")
DEFINED = terms(MEASURES, [geometry(3, 9, ("standardized",), sink=False)]).values()
WORKS = {catalogue.source(key).href for works in catalogue.read("sources").values() for key in works}
WORKS |= {each.href for term in DEFINED for each in term.sources}
"""Works of others that the method page links."""


def parse(html: str) -> Element:
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def links(page: Part) -> Iterator[str]:
    for name in LINKS:
        yield from (element[name] for element in page.all(f"[{name}]"))


def card(page: Part) -> dict[str | None, str | None]:
    """What other sites are told of a page."""
    return {meta.get("property") or meta.get("name"): meta.get("content") for meta in page.all("meta")}


def test_every_page_is_there() -> None:
    assert set(SITES["sample"].paths) == {
        "index.html",
        "method/index.html",
        "404.html",
        "compare/index.html",
        "explore/index.html",
        "models/smol-30/index.html",
        "models/mini-6/index.html",
        "models/lost/index.html",
    }


@pytest.mark.parametrize("make", [sample_report, tiny_report, hostile_report, one_depth_report])
def test_every_page_is_linked_from_another(make: Callable[[], Report]) -> None:
    site = Rendered(make())
    paths = {path for path in site.files if ".html" in path}
    linked = {
        target
        for path in paths
        for link in links(site[path])
        if (target := posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(urlsplit(link).path)))) != path
    }
    only = {"compare/index.html"} if n_captured(make().models) < 2 else set()  # it leads to the model
    assert paths - linked == {"404.html", *only}


@pytest.mark.parametrize(("report", "path"), EVERY_PAGE)
def test_a_page_is_valid_html(report: str, path: str) -> None:
    parse(SITES[report].files[path])


@pytest.mark.parametrize(("report", "path"), EVERY_PAGE)
def test_every_link_of_a_page_leads_to_a_file_or_slide_of_the_site(report: str, path: str) -> None:
    site = SITES[report]
    ids = {page: {element["id"] for element in site[page].all("[id]")} for page in site.paths}
    files = set(ids) | set(render.assets(FOLDERS)) | set(REPORTS[report].downloads.values())
    files |= {image.path for image in images(REPORTS[report])}
    for link in links(site[path]):
        parts = urlsplit(link)
        if link.startswith(("data:,", REPORTS[report].site_url or " ")) or link in WORKS:
            continue
        assert (parts.scheme, parts.netloc) == ("", ""), link
        folder = posixpath.dirname(path)
        target = posixpath.normpath(posixpath.join(folder, unquote(parts.path))) if parts.path else path
        assert target in files, link
        if target == "explore/index.html" and parts.fragment.startswith("a="):
            continue  # an address of its own, which tests of the explorer open
        if parts.fragment:
            slide, _, beside = unquote(parts.fragment).partition("+")
            assert slide in ids[target], link
            assert not beside or f"{beside}/{slide.partition('/')[2]}" in ids[target], link


@pytest.mark.parametrize(("report", "path"), EVERY_PAGE)
def test_a_strict_content_security_policy_would_allow_a_page(report: str, path: str) -> None:
    for element in parse(SITES[report].files[path]).iter():
        assert not any(name == "style" or name.startswith("on") for name in element.attrib)
        if element.tag == "script" and element.get("type") != "application/json":  # data, which never runs
            # The theme is chosen and fonts are asked for before anything is drawn.
            assert "defer" in element.attrib or present(element.get("src")).endswith(EARLY)
            assert not element.text
        if element.tag == "style":
            digest = base64.b64encode(hashlib.sha256(present(element.text).encode()).digest()).decode()
            [allowed] = re.findall(r"style-src ([^;]*)", policy(path, report))
            assert f"'sha256-{digest}'" in allowed.split()


def policy(path: str, report: str = "sample") -> str:
    return SITES[report][path].one("meta[http-equiv=Content-Security-Policy]")["content"]


@pytest.mark.parametrize(("report", "path"), EVERY_PAGE)
def test_every_page_has_a_strict_content_security_policy(report: str, path: str) -> None:
    assert policy(path, report).startswith("default-src 'none'; ")
    assert "unsafe" not in policy(path, report)


def test_no_asset_names_another_host() -> None:
    for path in ASSETS.rglob("*"):
        if path.suffix in {".css", ".js"}:
            # An XML namespace is a name; nothing is asked of it.
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
            assert not re.search(r"https?:|url\(\"?//", text), path


def test_every_font_has_its_licence() -> None:
    fonts = [*ASSETS.rglob("*.woff2")]
    assert fonts
    for font in fonts:
        assert "SIL OPEN FONT LICENSE" in font.with_suffix(".LICENSE.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SITES["hostile"].paths)
def test_what_authors_write_is_shown_and_never_run(path: str) -> None:
    html = SITES["hostile"].files[path]
    tree = parse(html)
    assert "<script>alert" not in html
    assert HOSTILE in "".join(tree.itertext())
    scripts = [present(script.get("src")) for script in tree.iter("script") if script.get("type") != "application/json"]
    ours = {path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.js")}
    assert {script.rpartition("assets/")[2] for script in scripts} <= ours


def test_what_html_does_not_take_is_shown_as_code_points() -> None:
    """A vocabulary's tokens, and what libraries say, hold characters that a configuration can't."""
    odd = "\x00\x07\x7f\x9f\ufffe\U0010ffff\ud800"
    seen = "⟨U+0000 0007 007F 009F FFFE 10FFFF D800⟩"
    report = hostile_report()
    [model] = report.models
    [context] = model.contexts
    first, *others = context.states.tokenization.words
    word = replace(first, pieces=tuple(odd for _ in first.pieces), word=odd)
    states = replace(
        context.states,
        tokenization=replace(context.states.tokenization, words=(word, *others), notes=(odd,)),
        card=replace(context.states.card, notes=(odd,)),
    )
    model = replace(model, name=odd, contexts=(replace(context, states=states),))
    failed = replace(model, slug="lost", contexts=(), failure=odd)
    report = replace(
        report, title=odd, models=(model, failed), intro=(f"<p>{odd}</p>",), site_url="https://example.org/"
    )
    for path, text in Rendered(report).files.items():
        assert text.encode(), path
        if path.endswith(".html"):
            assert seen in "".join(parse(text).itertext()), path
        else:
            ElementTree.fromstring(text)
    for path, text in tables.files(report).items():
        assert text.encode(), path
    pieces = tables.files(report)["data/odd/odd/words.js"]
    assert seen in pieces


def test_the_introduction_is_placed_as_html() -> None:
    assert "<p>What <em>words</em> look like inside a model.</p>" in SITES["sample"].files["index.html"]


def test_every_picture_has_its_size_and_a_description() -> None:
    for path in SITES["sample"].paths:
        for image in SITES["sample"][path].all("img"):
            assert image["width"]
            assert image["height"]
            assert image["alt"]


def test_a_template_that_asks_for_what_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render.environment(FOLDERS, Explainer()).from_string("{{ page.nothing }}").render(page=REPORTS["sample"])


def test_the_same_report_gives_the_same_pages() -> None:
    assert Rendered(sample_report()).files == SITES["sample"].files


def test_where_the_address_is_known_pages_say_theirs_and_how_to_show_them() -> None:
    page = SITES["sample"]["models/smol-30/index.html"]
    canonical = page.one("link[rel=canonical]")["href"]
    assert canonical == "https://example.org/report/models/smol-30/"
    shown = card(page)
    assert shown["og:url"] == canonical
    assert shown["og:title"] == "Smol-135M-Instruct (Q4_1 GGUF)"
    assert shown["og:site_name"] == "Tokens, layer by layer"
    assert shown["twitter:card"] == "summary"  # the fixture has no preview
    sitemap = ElementTree.fromstring(SITES["sample"].files["sitemap.xml"])
    listed = [present(element.text) for element in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert canonical in listed
    assert "https://example.org/report/" in listed
    assert not any("404" in address for address in listed)


def test_a_models_page_is_shown_with_its_own_preview_and_what_was_found() -> None:
    """All other pages, those of failed models among them, with the report's."""
    report = sample_report()
    deep, *others = report.models
    own = CardImage(path="models/smol-30/finding-1.png", width=1200, height=630, n_bytes=1, said="It clusters.")
    general = replace(own, path="cards/finding-1.png", said="Words cluster.")
    site = Rendered(replace(report, models=(replace(deep, preview=own), *others), preview=general))
    cards = {path: card(site[path]) for path in site.files if path.endswith(".html")}
    shown = cards.pop("models/smol-30/index.html")
    assert shown["og:image"] == "https://example.org/report/models/smol-30/finding-1.png"
    assert shown["og:image:alt"] == "It clusters."
    assert str(shown["og:description"]) == "Words cluster by category at every layer in each context."
    assert shown["twitter:card"] == "summary_large_image"
    cards.pop("404.html")
    assert {each["og:image"] for each in cards.values()} == {"https://example.org/report/cards/finding-1.png"}
    assert "models/lost/index.html" in cards


def test_where_it_is_not_known_nothing_is_said_of_it() -> None:
    for path in SITES["hostile"].paths:
        html = SITES["hostile"].files[path]
        assert 'rel="canonical"' not in html, path
        assert "og:" not in html, path
    assert "sitemap.xml" not in SITES["hostile"]


def test_names_that_are_written_from_right_to_left_turn_nothing_else_around() -> None:
    """Else “of קטן, 68 %” would read as if 68 were part of the name."""
    report = tiny_report()
    first, second = report.models
    named = replace(report, models=(replace(first, name="tiny-קטן"), second), downloads={})
    for path, page in Rendered(named).files.items():
        if path.endswith(".html") and path != "404.html":
            assert page.count("קטן") == page.count(isolated("tiny-קטן")) > 0, path
    assert short_names((isolated("Qwen-קטן"), "tiny-2"), 8) == ("Qwen", "tiny")
