"""Data as text, within pages and beside them."""

from __future__ import annotations

import json

import numpy as np

from tokviz.pages.text.data_text import csv_numbers, csv_text, embedded, rounded


def test_nothing_in_a_pages_data_ends_its_script_or_begins_a_comment() -> None:
    words = ["</script>", "</SCRIPT >", "<!--", "<script", "a < b"]
    text = embedded(words)
    assert "<" not in text
    assert json.loads(text) == words


def test_nothing_is_less_than_nothing() -> None:
    assert csv_text(["x"], [[-0.0], [np.float32(-0.0)]]) == "x\n0.0\n0.0\n"
    assert csv_numbers(np.array([[-0.0, -0.5], [-0.0, np.nan]])) == ["0,-0.5\n", "0,\n"]
    assert json.dumps(rounded(-0.0)) == "0.0"
    assert rounded(-1e-9) == -1e-9
