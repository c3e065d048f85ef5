"""Text that runs from right to left inside a line that runs from left to right."""

from __future__ import annotations

from unicodedata import bidirectional

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def isolated(text: str) -> str:
    """``text`` as part of a longer line: what is written from right to left turns only itself around.

    The signs are those of the Unicode bidirectional algorithm, https://www.unicode.org/reports/tr9/.
    """
    turns = any(bidirectional(character) in ("R", "AL") for character in text)
    return f"{ISOLATE}{text}{END}" if turns else text
