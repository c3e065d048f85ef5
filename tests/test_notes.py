from tokviz.notes import to_html


def test_markdown_becomes_html_and_raw_html_becomes_text():
    html = to_html("# A *title*\n\n<script>alert(1)</script>\n\n[link](javascript:alert(1)) [layer](#alone/layer-11)")
    assert "<h1>A <em>title</em></h1>" in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html
    assert '<a href="#alone/layer-11">layer</a>' in html
