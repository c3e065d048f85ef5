import time

import pytest

from tokviz.config.fields import LONGEST_MARKDOWN
from tokviz.pages.text import markdown

pytestmark = pytest.mark.thorough

MODEL = "models/m/index.html"


def test_markdown_becomes_html_and_raw_html_becomes_text() -> None:
    html = markdown.to_html("# A *title*\n\n<script>alert(1)</script>\n\n[link](javascript:alert(1))", MODEL)
    assert "<h1>A <em>title</em></h1>" in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html


def test_links_are_written_from_the_sites_root_wherever_the_text_stands() -> None:
    text = (
        "[a](models/n/#alone/layer-1) [b](#alone/grid) [c](/method/index.html) [d](https://x.org/a) ![e](images/e.webp)"
    )
    html = markdown.to_html(text, MODEL)
    assert 'href="../n/index.html#alone/layer-1"' in html
    assert 'href="#alone/grid"' in html
    assert 'href="../../method/index.html"' in html
    assert 'href="https://x.org/a"' in html
    assert 'src="../../images/e.webp"' in html
    assert 'href="models/n/index.html#alone/layer-1"' in markdown.to_html(text, "index.html")


def test_no_line_ends_before_a_percent_sign_or_beside_plus_minus_but_code_is_as_written() -> None:
    html = markdown.to_html("`66 %`, [by 6 %](#a), 1.20 ± 0.08, all % ± x", MODEL).replace("\N{NO-BREAK SPACE}", "~")
    assert "<code>66 %</code>" in html
    assert ">by 6~%</a>, 1.20~±~0.08, all % ± x" in html


def test_what_leads_to_the_site_is_listed_and_nothing_else() -> None:
    text = "[a](models/n/#alone/layer-1) [b](#alone/grid) [d](https://x.org/a) [f](mailto:me@x.org) ![e](images/a%20b.webp)"
    assert markdown.targets(text) == [
        ("models/n/index.html", "alone/layer-1"),
        ("", "alone/grid"),
        ("images/a b.webp", ""),
    ]


def test_no_address_becomes_a_scheme_when_it_is_written_from_the_page() -> None:
    for text in ("[x](a/../javascript:alert)", "![x](./javascript:alert)", "[x](/data:text/html,x)"):
        html = markdown.to_html(text, "index.html")
        assert 'href="./' in html or 'src="./' in html


@pytest.mark.parametrize("text", ["[x](http://[)", "[x](//[/)", "![x](//[/)", "[x](///a)"])
def test_an_address_that_is_none_is_no_error(text: str) -> None:
    assert "x" in markdown.to_html(text, MODEL)
    markdown.targets(text)
    markdown.foreign_pictures(text)


@pytest.mark.parametrize("sign", [">", "> ", "- ", "> - ", "1. "])
def test_what_is_nested_deeper_than_the_parser_goes_is_known_before_it_is_lost(sign: str) -> None:
    for n in range(1, 60):
        text = sign * n + "Marker"
        assert markdown.is_too_nested(text) or "Marker" in markdown.to_html(text, MODEL)
    assert not markdown.is_too_nested(sign * 10 + "Marker")


WORST = {
    "brackets": "[",
    "pictures": "![",
    "emphasis": "*a_ ",
    "quotes": ">",
    "lists": "- ",
    "backticks": "` `` ",
    "table": "|a|b|\n",
    "links": "[a](",
    "lines": "[\n",
    "entities": "&a;",
}


@pytest.mark.slow
@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_half_of_the_longest_note_becomes_html_in_half_of_a_few_seconds(unit: str) -> None:
    """About 0.5 s; the bound is for busy machines, and far below what time in proportion to the square would take."""
    text = (unit * LONGEST_MARKDOWN)[: LONGEST_MARKDOWN // 2]
    start = time.process_time()
    markdown.to_html(text, MODEL)
    assert time.process_time() - start < 2.5
