"""Small helpers for text that several folders need."""

from __future__ import annotations

import reprlib
from datetime import date, time
from typing import Any
from unicodedata import bidirectional

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


MOST_CHARACTERS = 300
"""Of a library's own message in one of ours."""

MOST_SHOWN = 60
"""Characters of a value in a message."""

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


class _Shown(reprlib.Repr):
    """The beginning of a value, made without the rest of it."""

    def repr_str(self, x: str, level: int) -> str:
        return repr(x[: MOST_SHOWN + 1])

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if abs(x) < 10**MOST_SHOWN else f"a number of {x.bit_length():,} bits"

    def repr1(self, x: Any, level: int) -> str:
        return x.isoformat() if isinstance(x, date | time) else str(super().repr1(x, level))


def shown(value: Any) -> str:
    """A value as it stands in a message: in quotes if it is text, in one line, cut after 60 characters."""
    text = _Shown().repr(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "…"
