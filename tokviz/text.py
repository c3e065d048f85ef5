"""Small helpers for text that several folders need."""

from __future__ import annotations

from unicodedata import bidirectional

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


MOST_CHARACTERS = 300
"""Of a library's own message in one of ours."""

_TURNING = {"R", "AL", "LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI"}
"""Letters that are written from right to left, and signs that turn what follows them around."""


def isolated(text: str) -> str:
    """``text`` as part of a longer line: what is written from right to left turns only itself around.

    The signs are those of the Unicode bidirectional algorithm, https://www.unicode.org/reports/tr9/.
    """
    turns = any(bidirectional(character) in _TURNING for character in text)
    return f"{ISOLATE}{text}{END}" if turns else text


def one_line(text: str) -> str:
    """The beginning of a message of any length, without line breaks."""
    return " ".join(text.split())[:MOST_CHARACTERS]


def error_line(error: BaseException) -> str:
    """A library's error in one line: ``ValueError: what it says``."""
    return f"{type(error).__name__}: {one_line(str(error))}"
