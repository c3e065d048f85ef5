from tokviz.pages import markdown

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


def test_what_leads_to_the_site_is_listed_and_nothing_else() -> None:
    text = "[a](models/n/#alone/layer-1) [b](#alone/grid) [d](https://x.org/a) [f](mailto:me@x.org) ![e](images/a%20b.webp)"
    assert markdown.targets(text) == [
        ("models/n/index.html", "alone/layer-1"),
        ("", "alone/grid"),
        ("images/a b.webp", ""),
    ]
