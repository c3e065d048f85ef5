"""The text of a TOML file, beyond its values: how deep it is nested, and in which line a key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator

KeyPath = tuple[str | int, ...]
"""Of a value: keys and, in lists, indices from 0."""

MOST_NESTED = 20
"""Brackets within brackets, and parts of a dotted key; a report needs three.

tomllib calls itself for each bracket, and its time grows with the square of a key's parts: 50,000 of them take a minute.
"""

_COMMENT = r"\#[^\n]*+"
_TEXT = (
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}'
    r"|'{3}(?:[^']++|'{1,2}(?!'))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]++|\\.)*+"'
    r"|'(?!'')[^'\n]*+'"
)
_MARK = r"[][{}=.,\n]"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]++|{_COMMENT})|(?P<text>{_TEXT})|(?P<mark>{_MARK})|(?P<bare>[^\s\[\]{{}}=.,\#"']++)""",
    re.DOTALL,
)
_UP_TO_MARK = re.compile(rf"""(?:{_COMMENT}|{_TEXT}|[^\[\]{{}}=.,\n\#"']++)*+({_MARK})""", re.DOTALL)


def too_nested(text: str) -> str | None:
    """What is wrong with a file that is nested too deep to be read; None where nothing is, or where it isn't TOML."""
    depth = n_dots = end = 0
    while found := _UP_TO_MARK.match(text, end):  # ends where the text is no TOML
        end, mark = found.end(), found[1]
        n_dots = n_dots + 1 if mark == "." else 0
        depth = max(0, depth + (mark in "[{") - (mark in "]}"))
        if depth > MOST_NESTED or n_dots >= MOST_NESTED:
            what = "brackets within each other" if depth > MOST_NESTED else "parts of a dotted key"
            return f"expected at most {MOST_NESTED} {what}, got more in line {text.count(chr(10), 0, end - 1) + 1:,}"
    return None


def lines_of(text: str, wanted: Collection[KeyPath]) -> dict[KeyPath, int]:
    """In which line, from 1, each of the wanted keys and entries of lists begins, as far as the text has them.

    Parameters
    ----------
    text : what tomllib takes without an error.
    """
    return _Walk(text, wanted).lines


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of each token but spaces and comments, as far as the text is TOML."""
    at, line = 0, 1
    while found := _TOKEN.match(text, at):
        kind, token, at = str(found.lastgroup), found[0], found.end()
        if kind != "space":
            yield kind, token, line
        line += token.count("\n") if kind in ("text", "mark") else 0


class _Walk:
    """Follows a valid file from key to key; values are passed over."""

    def __init__(self, text: str, wanted: Collection[KeyPath]) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._wanted = frozenset(wanted)
        self._tokens = _tokens(text)
        self._n_tables: dict[KeyPath, int] = {}
        """Of each list of tables (``[[models]]``), how many there were so far."""
        self._next()
        table: KeyPath = ()
        while self._kind:
            if self._token == "\n":
                self._next()
            elif self._is_mark("["):
                table = self._header()
            else:
                self._pair(table)

    def _next(self) -> None:
        self._kind, self._token, self._line = next(self._tokens, ("", "", 0))

    def _is_mark(self, token: str) -> bool:
        return self._kind == "mark" and self._token == token

    def _note(self, path: KeyPath, line: int) -> None:
        if path in self._wanted:
            self.lines.setdefault(path, line)

    def _header(self) -> KeyPath:
        line = self._line
        self._next()
        is_list = self._is_mark("[")
        if is_list:
            self._next()
        path: KeyPath = ()
        parts = self._key()
        for index, part in enumerate(parts):
            path = (*path, part)
            self._note(path, line)
            if is_list and index == len(parts) - 1:
                self._n_tables[path] = self._n_tables.get(path, 0) + 1
            if path in self._n_tables:
                path = (*path, self._n_tables[path] - 1)
                self._note(path, line)
        for _ in range(1 + is_list):
            self._next()
        return path

    def _key(self) -> list[str]:
        parts: list[str] = []
        while self._kind in ("text", "bare") or self._is_mark("."):
            if self._kind == "text":
                parts.append(tomllib.loads(f"key = {self._token}")["key"])
            elif self._kind == "bare":
                parts.append(self._token)
            self._next()
        return parts

    def _pair(self, table: KeyPath) -> None:
        line, path = self._line, table
        for part in self._key():
            path = (*path, part)
            self._note(path, line)
        self._next()  # =
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._is_mark("["):
            self._list(path)
        elif self._is_mark("{"):
            self._next()
            while self._kind and not self._is_mark("}"):
                if self._kind == "mark":
                    self._next()
                else:
                    self._pair(path)
            self._next()
        else:
            while self._kind and not (self._kind == "mark" and self._token in ",]}\n"):
                self._next()

    def _list(self, path: KeyPath) -> None:
        self._next()
        index = 0
        while self._kind and not self._is_mark("]"):
            if self._kind == "mark" and self._token not in "[{":
                self._next()
                continue
            entry = (*path, index)
            self._note(entry, self._line)
            self._value(entry)
            index += 1
        self._next()
