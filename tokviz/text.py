"""Small helpers for text that several folders need."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any
from unicodedata import bidirectional

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


MOST_OF_A_MESSAGE = 10_000
"""Characters, of which two paths of a system may be most; what is shown of these is short."""
MOST_CHARACTERS = 300
"""Of a library's own message in one of ours."""

MOST_SHOWN = 60
"""Characters of a value in a message."""

MOST_OF_A_PATH = 160
"""Characters of a path in a message: systems take thousands."""

_ALIKE = 0.65
"""How alike a mistyped name and the one that is meant are at least: one letter of three may be another, two of five not."""
_LEAST_OF_A_NAME = 3
"""So many characters of a longer name tell which is meant."""

_TURNING = {"R", "AL", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Letters that are written from right to left, and signs that turn what follows them around, or end that."""
TURNING_SIGNS = "\u202a-\u202e\u2066-\u2069"
"""Those signs, which act on all that follows, as a range of characters."""
_SIGNS_OF_DIRECTION = re.compile(f"[\u061c\u200e\u200f{TURNING_SIGNS}]+")

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_WITHOUT_PICTURE = re.compile(f"[\0-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]+")
"""Control characters, lone surrogates and noncharacters: a vocabulary's tokens may hold them, pages and fonts can't."""
_INVISIBLE = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]+")
"""The same without the ends of lines and tabs."""
_USUAL = re.compile("[\t\n\r -~\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]*")
"""All else up to U+FFFF. Such a class is looked up; one with characters beyond is tried range by range, which takes twenty times as long."""


def isolated(text: str) -> str:
    """``text`` as part of a longer line: what is written from right to left turns only itself around.

    The signs are those of the Unicode bidirectional algorithm, https://www.unicode.org/reports/tr9/.
    """
    turns = any(bidirectional(character) in _TURNING for character in text)
    text = _balanced(text)
    return f"{ISOLATE}{text}{END}" if turns else text


def _balanced(text: str) -> str:
    """``text`` with as many isolates that begin in it as end, so that it neither ends nor outlasts the one around it."""
    n_open = n_closed = 0
    for character in text:
        kind = bidirectional(character)
        if kind in ("LRI", "RLI", "FSI"):
            n_open += 1
        elif kind == "PDI":
            n_open, n_closed = max(n_open - 1, 0), n_closed + (n_open == 0)
    return f"{n_closed * ISOLATE}{text}{n_open * END}"


def with_visible_directions(text: str) -> str:
    """``text`` with the signs that change the direction of writing as code points, for what isn't a page: ``⟨U+202E⟩``."""
    return _SIGNS_OF_DIRECTION.sub(lambda run: code_points(run[0]), text)


# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, Default_Ignorable_Code_Point, and U+FFF9–FFFB
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\\s]*"
)
_CHANGES_NOTHING = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Of the unseen ones, those beside which letters and emoji look as they do without: not joiners, variation selectors and tags."""


def is_unseen(text: str) -> bool:
    """Whether nothing of a text is seen by a reader: it has only spaces, marks of format and the like, or no characters."""
    return _UNSEEN.fullmatch(text) is not None


def without_unseen(text: str) -> str:
    """``text`` without marks of format that change nothing of how it looks."""
    return _CHANGES_NOTHING.sub("", text)


def one_line(text: str) -> str:
    """The beginning of a message of any length, without line breaks and what else would act on a terminal."""
    return visible(" ".join(text.split())[:MOST_CHARACTERS])


def whole_line(message: str) -> str:
    """All of a message, up to more than any of ours has: in one line, and without what would act on a terminal or turn other text."""
    shortened = message if len(message) <= MOST_OF_A_MESSAGE else f"{message[:MOST_OF_A_MESSAGE]}…"
    return with_visible_directions(visible_piece(shortened))


def path_in_line(path: Path | str, most: int = MOST_OF_A_PATH) -> str:
    """A path as it stands in a message: its end, if it is long, and without what would break the line."""
    name = str(path)
    name = name if len(name) <= most else "…" + name[1 - most :]
    if name.isprintable():
        return name
    quoted = repr(name)
    return quoted if len(quoted) <= most else quoted[: most - 1] + "…"


def with_short_paths(text: str) -> str:
    """A message in which each path, and whatever else has no spaces, is no longer than it has to be."""
    return _LONG_RUN.sub(lambda run: path_in_line(run[0]), text)


_LONG_RUN = re.compile(rf"\S{{{MOST_OF_A_PATH + 1},}}")


def texts_within(value: Any) -> Iterator[str]:
    """Every text in what a JSON or TOML file holds, at any depth; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from texts_within(each)


def counted(number: int | tuple[int, int], noun: str) -> str:
    """``1 file``, ``1,204 files``; of the least and the most that there are, ``30–62 dimensions``."""
    least, most = number if isinstance(number, tuple) else (number, number)
    return f"{ranged((least, most))} {noun}{'' if most == 1 else 's'}"


def ranged(ends: tuple[int, int]) -> str:
    """``30–62``; where both are the same, that."""
    return "–".join(f"{each:,}" for each in dict.fromkeys(ends))


def error_line(error: BaseException) -> str:
    """A library's error in one line: ``ValueError: what it says``."""
    return f"{type(error).__name__}: {one_line(str(error))}"


def visible(text: str) -> str:
    """``text`` with what nobody can see, and HTML doesn't take, as code points: ``⟨U+0007⟩``. Lines and tabs stay."""
    return text if _USUAL.fullmatch(text) else _INVISIBLE.sub(lambda run: code_points(run[0]), text)


def visible_piece(piece: str) -> str:
    """A token's name, in which a line's end or a tab has no meaning but itself: ``⟨U+000A⟩``."""
    return _WITHOUT_PICTURE.sub(lambda run: code_points(run[0]), piece)


def is_without_picture(character: str) -> bool:
    """Whether no font should be asked for a character."""
    return _WITHOUT_PICTURE.fullmatch(character) is not None


def code_points(characters: str) -> str:
    """``⟨U+6F22 5B57⟩``; nothing for no characters."""
    return f"⟨U+{' '.join(f'{ord(character):04X}' for character in characters)}⟩" if characters else ""


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


def suggestion(name: Any, known: Iterable[str]) -> str:
    """``; did you mean 'layer 7'?`` for a mistyped name; nothing where no known one is near."""
    by_lower = {each.lower(): each for each in known}
    typed = str(name).lower()[:MOST_CHARACTERS]
    near = difflib.get_close_matches(typed, by_lower, n=1, cutoff=_ALIKE)
    if not near and len(typed) >= _LEAST_OF_A_NAME:
        near = [each for each in by_lower if typed in each]
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""
