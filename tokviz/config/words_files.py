"""A file of words in text, CSV or JSON → its categories, and in which line each of them and each word stands."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokviz.config.files import UnfitFileError
from tokviz.config.source import MOST_NESTED, KeyPath

_DELIMITERS = ",;\t"
_COLUMNS = ("word", "category")
_TOO_MANY = f"expected numbers of at most 4,300 digits and at most {MOST_NESTED} brackets within each other, got more"


class WordsFileError(UnfitFileError):
    """What is wrong in one line of a file of words."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(kw_only=True)
class WordsFile:
    """What stands in a file of words."""

    words: dict[str, Any] = field(default_factory=dict)
    """As the table ``[words]`` has it."""
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Category, or category and position in it → line, from 1."""

    def add(self, category: str, word: str, line: int) -> None:
        words = self.words.setdefault(category, [])
        self.lines.setdefault((category,), line)
        self.lines[category, len(words)] = line
        words.append(word)


def reader_of(path: Path) -> Callable[[str, str], WordsFile] | None:
    """What reads such a file, by its name's ending: of its name without the ending, and its text; None for TOML and all else.

    It raises ``UnfitFileError``; ``WordsFileError`` where the line is known.
    """
    return {".txt": _of_lines, ".csv": _of_rows, ".tsv": _of_rows, ".json": _of_json}.get(path.suffix.lower())


def _of_lines(name: str, text: str) -> WordsFile:
    """One word a line, ``# category`` above them; words before the first are in a category named as the file is."""
    found, category = WordsFile(), name
    for number, line in enumerate(text.split("\n"), 1):
        word = line.strip()
        if word.startswith("#"):
            category = word.lstrip("#").strip()
            if not category:
                raise WordsFileError(number, "expected the name of a category after #, got none; add it")
            found.words.setdefault(category, [])
            found.lines.setdefault((category,), number)
        elif word:
            found.add(category, word, number)
    return found


def _of_rows(_: str, text: str) -> WordsFile:
    """Rows with the columns ``word`` and ``category``, in any order and among others, by the names in the first row."""
    header = text.partition("\n")[0]
    lines = (f"{line}\n" for line in text.removesuffix("\n").split("\n"))
    rows = csv.reader(lines, delimiter=max(_DELIMITERS, key=header.count), strict=True)
    found = WordsFile()
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        if not set(_COLUMNS) <= set(names):
            got = ", ".join(names) or "an empty line"
            raise WordsFileError(
                1, f"expected a first line that names the columns word and category, got {got}; add it"
            )
        at = [names.index(name) for name in _COLUMNS]
        line = rows.line_num + 1
        for row in rows:
            cells = [row[index].strip() if index < len(row) else "" for index in at]
            if all(cells):
                found.add(cells[1], cells[0], line)
            elif any(cell.strip() for cell in row):
                missing = _COLUMNS[cells.index("")]
                raise WordsFileError(line, f"expected a word and its category, got no {missing}; add it")
            line = rows.line_num + 1  # a quoted cell may have several
    except csv.Error as error:
        raise WordsFileError(rows.line_num, f"not valid CSV: {error}") from None
    return found


def _of_json(_: str, text: str) -> WordsFile:
    """An object of categories: each a list of words, or an object with the keys of a table ``[words.category]``."""
    try:
        words = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise WordsFileError(error.lineno, f"not valid JSON: {error.msg} in column {error.colno:,}") from None
    except (ValueError, RecursionError):
        raise UnfitFileError(_TOO_MANY) from None
    if not isinstance(words, _Pairs):
        raise WordsFileError(
            1, 'expected an object such as {"colors": ["red", "green"]}, got another value; name the categories'
        )
    lines = dict(_lines_of_json(text))
    for key in words.repeated:
        raise WordsFileError(lines.get((key,), 1), f"the category {key!r} stands twice; remove or rename one")
    return WordsFile(words=words, lines=lines)


class _Pairs(dict[str, Any]):
    """An object that knows which keys stood in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(self) < len(pairs) else {}
        self.repeated = [name for name, n_times in times.items() if n_times > 1]


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,"\s]+')


def _lines_of_json(text: str) -> Iterator[tuple[KeyPath, int]]:
    """In which line each key and each entry of a list begins; ``text`` is valid.

    Of a key that stands twice the last line counts. Raises ``UnfitFileError`` where too many brackets are within each other: each
    entry has all of them in its path.
    """
    path: list[str | int] = []
    """Of the value that is being read: a key, or a position in a list, for each open bracket."""
    line, end, is_key = 1, 0, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        mark = token[0]
        if mark in "}]":
            path.pop()
            is_key = False
            continue
        if mark == ",":
            is_key = isinstance(path[-1], str)
            path[-1] = path[-1] if is_key else int(path[-1]) + 1
            continue
        if mark == ":":
            continue
        if is_key:
            path[-1] = json.loads(mark)
            is_key = False
            yield tuple(path), line
            continue
        if path and isinstance(path[-1], int):
            yield tuple(path), line
        if mark in "{[":
            path.append("" if mark == "{" else 0)
            if len(path) > MOST_NESTED:
                raise UnfitFileError(_TOO_MANY)
            is_key = mark == "{"


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a value, or of the nearest thing around it whose line is known."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), None)
