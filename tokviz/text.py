"""Text that runs from right to left inside a line that runs from left to right."""

from __future__ import annotations

from unicodedata import bidirectional

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


_TURNING = {"R", "AL", "LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI"}
"""Letters that are written from right to left, and signs that turn what follows them around."""


def isolated(text: str) -> str:
    """``text`` as part of a longer line: what is written from right to left turns only itself around.

    The signs are those of the Unicode bidirectional algorithm, https://www.unicode.org/reports/tr9/.
    """
    turns = any(bidirectional(character) in _TURNING for character in text)
    return f"{ISOLATE}{text}{END}" if turns else text
