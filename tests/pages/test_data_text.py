"""Data as text, within pages and beside them."""

from __future__ import annotations

import json

from tokviz.pages.text.data_text import embedded


def test_nothing_in_a_pages_data_ends_its_script_or_begins_a_comment() -> None:
    words = ["</script>", "</SCRIPT >", "<!--", "<script", "a < b"]
    text = embedded(words)
    assert "<" not in text
    assert json.loads(text) == words
