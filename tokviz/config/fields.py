"""What a value of ``report.toml`` may be: text, addresses, names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from tokviz.records.look import contrast
from tokviz.records.words import OF_WORD
from tokviz.text import TURNING_SIGNS, is_unseen, shown, suggestion, without_unseen

LONGEST_LABEL = 200
"""Characters of a label or of a model's name."""
LONGEST_WORD = 200
"""Characters of a word. One of this length is drawn as fast as any; a plate of 116 such words takes a minute."""
LONGEST_TEXT = 1_000
"""Characters of a title and of other lines."""
LONGEST_ADDRESS = 4_000
"""Characters of a model's source and of a web address: longer than what file systems and browsers take."""
LONGEST_TEMPLATE = 10_000
"""Characters of a context's template, which stands around each word."""
LONGEST_MARKDOWN = 50_000
"""Characters of one note: some 8,000 words. The worst note of this length that was found takes 1.1 s to become HTML, 2.6 s
on a busy machine."""

COLOR = r"^#([0-9A-Fa-f]{3}){1,2}$"
LEAST_CONTRAST = 1.25
"""Of a mark with the paper: with less it isn't seen. Text has more in any case, as colours are darkened for it."""

PLACEHOLDERS = ("n_words", "n_categories", "n_models", "n_layers")
"""What a report knows of itself, for texts that are to fit other words and models, too."""
PLACEHOLDER = re.compile(r"\{(n_[a-z0-9_]+)\}")

MOST_WORDS = 50_000
"""Of all categories together. A whole vocabulary needs no list."""
MOST_CATEGORIES = 1_000
MOST_MODELS = MOST_CONTEXTS = 500
MOST_MARKS = 100
"""Colours, and shapes; both begin again where there are more categories."""
MOST_PAIRS = MOST_NOTES = MOST_LAYERS = 10_000


def composed(text: str) -> str:
    """``text`` with each letter and its accents as one code point, where there is one (NFC): é is written in two ways."""
    return unicodedata.normalize("NFC", text)


def without_controls(text: str) -> str:
    """The text, if pages, tables and pictures can hold each of its characters.

    Control characters, separators of lines, halves of surrogate pairs and noncharacters have no picture, and neither XML nor
    every browser takes them.
    """
    found = next((character for character in text if _is_unfit(character)), None)
    if found is not None:
        raise ValueError(f"expected text without control characters, got U+{ord(found):04X} in {shown(text)}")
    return text


def _is_unfit(character: str) -> bool:
    code = ord(character)
    is_noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return is_noncharacter or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def without_turns(text: str) -> str:
    """The text, if it doesn't turn what stands after it in a line around; letters of any script and U+200E, U+200F may be in it."""
    if found := _TURN.search(text):
        raise ValueError(
            f"expected text without signs that turn around what follows, got U+{ord(found[0]):04X} in {shown(text)}; remove it, "
            "Arabic and Hebrew need none"
        )
    return text


_TURN = re.compile(f"[{TURNING_SIGNS}]")


def with_something_seen(text: str) -> str:
    """The text, if a reader sees any of it; another check refuses text of spaces alone."""
    if text.strip() and is_unseen(text):
        raise ValueError(
            f"expected text with characters that are seen, got only others: {shown(text)}; remove it, or add some"
        )
    return text


def _without_controls_in_lines(text: str) -> str:
    for line in re.split(r"\r?\n|\t", text):
        without_controls(line)
    return text


def _with_known_placeholders(text: str) -> str:
    unknown = next((name for name in PLACEHOLDER.findall(text) if name not in PLACEHOLDERS), None)
    if unknown is not None:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"expected one of the placeholders {known}, got {shown(f'{{{unknown}}}')}")
    return text


def site_address(address: str) -> str:
    """Where a site can stand: other addresses are made by adding to this one."""
    try:
        parts = urlsplit(address)
        is_whole = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_whole = False
    unfit = any(character in "\"'<>" or character.isspace() or _is_unfit(character) for character in address)
    if not is_whole or parts.query or parts.fragment or unfit or len(address) > LONGEST_ADDRESS:
        raise ValueError(
            f"expected an address such as https://you.github.io/report/, without ? and #, got {shown(address)}"
        )
    return address


def _name_of_revision(name: str) -> str:
    """It becomes the path of a file in the Hugging Face cache, which it must not lead out of; git allows no such name either."""
    if name.startswith("/") or ".." in name.split("/") or ":" in name or "\\" in name:
        raise ValueError(f"expected a commit, tag or branch of the Hub, such as main or refs/pr/1, got {shown(name)}")
    return name


def _seen_on_white(color: str) -> str:
    """A colour in its long form, ``#rrggbb``."""
    digits = color[1:].lower()
    long = "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))
    if contrast(long, "#ffffff") < LEAST_CONTRAST:
        raise ValueError(f"expected a color whose marks can be seen on white, got {shown(color)}; take a darker one")
    return long


_NOT_ONLY_SPACES = Field(min_length=1, pattern=r"\S")

_FIT_FOR_A_LINE = (AfterValidator(without_controls), AfterValidator(without_turns), AfterValidator(with_something_seen))

Text = Annotated[str, _NOT_ONLY_SPACES, Field(max_length=LONGEST_TEXT), *_FIT_FOR_A_LINE]
FilledText = Annotated[Text, AfterValidator(_with_known_placeholders)]
"""May hold placeholders, which the report fills."""
Revision = Annotated[Text, AfterValidator(_name_of_revision)]
Label = Annotated[str, _NOT_ONLY_SPACES, Field(max_length=LONGEST_LABEL), *_FIT_FOR_A_LINE]
Name = Annotated[Label, AfterValidator(composed)]
"""What others refer to: the same for a reader is the same."""
Word = Annotated[
    str, Field(max_length=LONGEST_WORD), AfterValidator(without_controls), AfterValidator(with_something_seen)
]
Source = Annotated[str, _NOT_ONLY_SPACES, Field(max_length=LONGEST_ADDRESS), AfterValidator(without_controls)]
Template = Annotated[str, Field(max_length=LONGEST_TEMPLATE), AfterValidator(without_controls)]
Markdown = Annotated[str, Field(min_length=1, max_length=LONGEST_MARKDOWN), AfterValidator(_without_controls_in_lines)]
FilledMarkdown = Annotated[Markdown, AfterValidator(_with_known_placeholders)]
WebAddress = Annotated[
    str, Field(pattern=r"^https?://\S+$", max_length=LONGEST_ADDRESS), AfterValidator(without_controls)
]
Device = Annotated[str, Field(pattern=r"^(cpu|mps|[0-9]{1,4})$")]
Color = Annotated[str, Field(pattern=COLOR), AfterValidator(_seen_on_white)]
MemorySize = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?[KMG]i?B$")]


def at_most(most: int, what: str) -> BeforeValidator:
    """A list or table has no more than ``most`` entries: each wrong one would cost a kilobyte and 25 microseconds."""

    def checked(value: Any) -> Any:
        if isinstance(value, list | dict) and len(value) > most:
            raise ValueError(f"expected at most {most:,} {what}, got {len(value):,}")
        return value

    return BeforeValidator(checked)


class Mistakes:
    """Gathers what is wrong with a value whose parts are each right, so that a reader sees all of it at once."""

    MOST_KEPT = 100
    """Of the others only the number is known."""

    def __init__(self) -> None:
        self._found: list[tuple[tuple[str | int, ...], str]] = []
        self._n_more = 0

    def add(self, where: tuple[str | int, ...], text: str) -> None:
        """Note a mistake.

        Parameters
        ----------
        where : path from the value that is checked.
        text : what was expected, what came and what to do.
        """
        if len(self._found) < self.MOST_KEPT:
            self._found.append((where, text))
        else:
            self._n_more += 1

    def refuse(self) -> None:
        """Raise all of them as one error; pydantic adds where the value stands."""
        details = []
        for index, (where, text) in enumerate(self._found):
            facts: dict[str, Any] = {"text": text, "n_more": self._n_more if index == 0 else 0}
            # As a template of its own, the text's braces would be filled in.
            error = PydanticCustomError("mistake", "{text}", facts)
            details.append(InitErrorDetails(type=error, loc=where, input=None))
        if details:
            raise ValidationError.from_exception_data("mistakes", details)


def seen(text: str) -> str:
    """``text`` as far as readers see it: two texts of which this is the same look alike."""
    return composed(without_unseen(text))


def stands_twice(text: str, other: str) -> str:
    """What to do where two texts look alike and differ in their code points."""
    if composed(text) != composed(other):
        return f"{shown(text)} looks like {shown(other)}, but for characters that nobody sees; remove them, or one of the two"
    return f"{shown(text)} stands twice, with accents as code points of their own (NFD) and without (NFC); remove or rename one"


def refuse_alike(what: str, keys: Sequence[str]) -> None:
    """Raise if two keys of a table look alike: as names they would be one, and the second would take the first's place."""
    mistakes = Mistakes()
    first: dict[str, str] = {}
    for key in keys:
        other = first.setdefault(seen(key), key)
        if other != key:
            mistakes.add((key,), f"{what} {stands_twice(key, other)}")
    mistakes.refuse()


def refuse_repeats(
    key: str,
    what: str,
    values: Sequence[str],
    hint: str = "; remove or rename one",
    mistakes: Mistakes | None = None,
) -> None:
    """Raise if a value of the list ``key`` stands in it twice, or for the mistakes that were found in it before."""
    mistakes = mistakes or Mistakes()
    for index, first in repeated(values):
        mistakes.add((index,), f"the {what} {shown(values[index])} is already taken by {key}.{first}{hint}")
    mistakes.refuse()


def repeated(values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The index of each value that stood before, and where it stood first."""
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            yield index, first[value]


def _token_read(value: Any) -> Any:
    if value in OF_WORD if isinstance(value, str) else type(value) is int and abs(value) <= _MOST_INDEX:
        return value
    near = suggestion(value, OF_WORD) if isinstance(value, str) else ""
    raise ValueError(f'expected "last", "first", "mean" or the index of a token in its text, got {shown(value)}{near}')


_MOST_INDEX = 100_000
"""Of a token in its text."""
TokenRead = Annotated[Literal["last", "first", "mean"] | int, BeforeValidator(_token_read)]
