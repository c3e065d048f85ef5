"""What pages of every kind are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Link:
    """A text and where it leads."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image file and its size in pixels."""

    src: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The same picture for wide screens and for phones."""

    alt: str
    wide: Source
    phone: Source
    svg: str | None = None
    """The address of the same picture as SVG, where there is one."""
    dark: Picture | None = None
    """The same on the dark ground, for the dark theme; without it a light sheet there."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice of a switch or a select."""

    value: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Term:
    """A word of the report's language and what it means."""

    name: str
    meaning: str
    sources: tuple[Link, ...] = ()
    """Works that it rests on."""

    @property
    def parts(self) -> tuple[str, str]:
        """What is in sight, its first sentence, or all of it where that is little; and what is folded."""
        end = _SENTENCE_END.search(self.meaning)
        if end is None or len(self.meaning.split()) <= MOST_WORDS_OF_A_TERM:
            return self.meaning, ""
        return self.meaning[: end.start()], self.meaning[end.end() :]


MOST_WORDS_OF_A_TERM = 45
"""Of a longer meaning the first sentence is in sight."""
_SENTENCE_END = re.compile(r"(?<=[.?])\s+(?=[A-Z“])")
