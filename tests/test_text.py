"""What is done to text before anybody sees it."""

from __future__ import annotations

import unicodedata

import pytest

from tokviz.text import is_without_picture, visible, visible_piece


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ◌́ שלום 漢", "plain ◌́ שלום 漢"),
        ("a\x07b", "a⟨U+0007⟩b"),
        ("\x00\x1b[31m", "⟨U+0000 001B⟩[31m"),
        ("\x85\x9f\x7f", "⟨U+0085 009F 007F⟩"),
        ("\ufffe\uffff\ufdd0", "⟨U+FFFE FFFF FDD0⟩"),
        ("\U0001fffe\U0010ffff", "⟨U+1FFFE 10FFFF⟩"),
        ("\ud800x\udfff", "⟨U+D800⟩x⟨U+DFFF⟩"),
        ("\x01\n\x02\t", "⟨U+0001⟩\n⟨U+0002⟩\t"),
        ("\u2028\u202e\u200b\ue000", "\u2028\u202e\u200b\ue000"),
    ],
)
def test_what_has_no_picture_is_written_as_code_points(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_in_a_piece_lines_and_tabs_are_code_points_too() -> None:
    assert visible_piece("\n\t") == "⟨U+000A 0009⟩"


def test_these_are_the_control_characters_the_surrogates_and_the_66_noncharacters() -> None:
    found = {code for code in range(0x110000) if is_without_picture(chr(code))}
    noncharacters = {code for code in range(0x110000) if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF}
    assert len(noncharacters) == 66
    others = {code for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cs")}
    assert found == noncharacters | others
