"""What is done to text before anybody sees it."""

from __future__ import annotations

import unicodedata

import pytest

from tokviz.text import (
    END,
    ISOLATE,
    is_unseen,
    is_without_picture,
    isolated,
    suggestion,
    visible,
    visible_piece,
    whole_line,
    with_visible_directions,
)


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


def test_every_character_is_shown_alike_alone_and_beside_one_beyond_16_bits() -> None:
    for character in map(chr, range(0x10000)):
        shown = character if character in "\t\n\r" else visible_piece(character)
        assert (visible(character), visible(f"{character}😀")) == (shown, f"{shown}😀")


def test_in_a_piece_lines_and_tabs_are_code_points_too() -> None:
    assert visible_piece("\n\t") == "⟨U+000A 0009⟩"


def test_these_are_the_control_characters_the_surrogates_and_the_66_noncharacters() -> None:
    found = {code for code in range(0x110000) if is_without_picture(chr(code))}
    noncharacters = {code for code in range(0x110000) if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF}
    assert len(noncharacters) == 66
    others = {code for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cs")}
    assert found == noncharacters | others


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u2066x\u2069 \u200f\u061c", "⟨U+2066⟩x⟨U+2069⟩ ⟨U+200F 061C⟩"),
        ("שלום مرحبا", "שלום مرحبا"),
        ("👩\u200d👧 क\u094d\u200d نص\u200cها", "👩\u200d👧 क\u094d\u200d نص\u200cها"),
    ],
)
def test_what_turns_a_line_around_is_written_as_code_points(text: str, shown: str) -> None:
    assert with_visible_directions(text) == shown


@pytest.mark.parametrize("text", ["x\u2069\u202ey", "\u2067x", "\u2069\u2069\u2066x", "\u2066\u2069\u2069\u2067"])
def test_an_isolated_text_neither_ends_the_isolate_nor_outlasts_it(text: str) -> None:
    depth, least = 0, 1
    whole = isolated(text)
    for index, character in enumerate(whole):
        depth += (character in "\u2066\u2067\u2068") - (character == END)
        least = min(least, depth) if index < len(whole) - 1 else least
    assert (whole[0], whole[-1]) == (ISOLATE, END)
    assert (depth, least) == (0, 1)
    assert text in whole


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("\u200b", True),
        (" \ufeff\u2060", True),
        ("", True),
        ("\u3164", True),
        ("a\u200bb", False),
        ("👩\u200d👧", False),
    ],
)
def test_a_text_without_anything_to_see_is_known(text: str, unseen: bool) -> None:
    assert is_unseen(text) is unseen


def test_a_message_is_one_line_and_has_an_end() -> None:
    assert whole_line("m: expected a, got “漢” – 5 %") == "m: expected a, got “漢” – 5 %"
    assert whole_line("a\nerror: b\x1b[31m") == "a⟨U+000A⟩error: b⟨U+001B⟩[31m"
    assert whole_line("no \u202egnp.\u2066evil") == "no ⟨U+202E⟩gnp.⟨U+2066⟩evil"
    assert len(whole_line("x" * 10_000_000)) < 11_000


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("layer1", "layer 1"), ("rad", "red"), ("Ref", "red"), ("orang", "orange"), ("zebra", None), ("slab", None)],
)
def test_a_hint_is_near(typed: str, meant: str | None) -> None:
    hint = suggestion(typed, ["layer 1", "red", "brass", "orange"])
    assert hint == ("" if meant is None else f"; did you mean {meant!r}?")
