"""What is wrong with a configuration → lines that name file, line and key, what was expected, what came and what to do."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tokviz.config.fields import COLOR
from tokviz.config.finding import FindingConfig
from tokviz.config.interventions import InterventionConfig
from tokviz.config.lens import LensConfig
from tokviz.config.loss import LossConfig
from tokviz.config.relations import OrderConfig, RelationConfig
from tokviz.config.series import SeriesConfig
from tokviz.config.source import KeyPath, lines_of
from tokviz.config.tables import CategoryConfig, ContextConfig, ModelConfig, Table
from tokviz.config.types import TOP_LEVEL, ReportConfig
from tokviz.config.words_files import line_of
from tokviz.errors import ConfigError
from tokviz.text import one_line, path_in_line, shown, suggestion

MOST_MISTAKES = 20
"""So many are shown; of the others the number is said."""
LONGEST_MISTAKE = 300
"""Characters of a line."""
_LONGEST_FILE, _LONGEST_KEY, _LONGEST_PART = 100, 90, 40


@dataclass(frozen=True, kw_only=True)
class ConfigPlace:
    """Where the values come from."""

    config: Path
    text: str = ""
    """Of the config; empty where the values come from no file."""
    words: Path | None = None
    """The file of the words, if they have one of their own."""
    words_text: str = ""
    """Of a TOML file."""
    words_lines: Mapping[KeyPath, int] = field(default_factory=dict)
    """Of a file in another format: where its categories and words stand."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Top-level keys that the command line gave → the option."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One thing to mend."""

    path: KeyPath
    """Of the value, from the top of the configuration; empty for the whole."""
    text: str


def error_of(mistakes: Sequence[Mistake], origin: ConfigPlace, n_more: int = 0) -> ConfigError:
    """One line for one mistake; else their number, and a line for each of the first.

    Parameters
    ----------
    n_more : how many there are beyond those given.
    """
    first = mistakes[:MOST_MISTAKES]
    n_more += len(mistakes) - len(first)
    lines = _Lines(origin, [mistake.path for mistake in first])
    written = [mistake_line(lines.place(each.path), lines.key(each.path), each.text) for each in first]
    if len(written) == 1:
        return ConfigError(written[0])
    head = f"{file_name(origin.config)}: {len(first) + n_more:,} mistakes"
    last = [f"  and {n_more:,} more"] if n_more else []
    return ConfigError("\n".join([head, *(f"  {line}" for line in written), *last]))


def mistake_line(place: str, key: str, text: str) -> str:
    """At most 300 characters."""
    line = ": ".join(part for part in (place, key, " ".join(text.split())) if part)
    line = "".join(part if part.isprintable() else ascii(part)[1:-1] for part in line)
    return _cut(line, LONGEST_MISTAKE - 2)  # two spaces stand before it in a list


def file_name(path: Path) -> str:
    """A path as it stands in a line of a configuration's mistakes."""
    return path_in_line(path, _LONGEST_FILE)


def found_by_pydantic(error: ValidationError, values: Mapping[str, Any]) -> tuple[list[Mistake], int]:
    """The first mistakes in the order in which to mend them, as what is unknown may be what is missing; and their number."""
    order = {"extra_forbidden": 0, "missing": 2}
    found = sorted(error.errors(include_url=False), key=lambda each: order.get(each["type"], 1))
    # What fits none of several types has an error for each.
    different = {(_path(each["loc"], values), each.get("ctx", {}).get("text")): each for each in found}
    first = list(different.items())[:MOST_MISTAKES]
    n_found = len(different) + sum(each.get("ctx", {}).get("n_more", 0) for each in different.values())
    return [Mistake(path=path, text=_text(each, each["loc"])) for (path, _), each in first], n_found


class _Lines:
    """Where the keys of some mistakes stand."""

    def __init__(self, origin: ConfigPlace, paths: Sequence[KeyPath]) -> None:
        self._origin = origin
        wanted = {path[:end] for path in paths for end in range(1, len(path) + 1)}
        in_words = {path[1:] for path in wanted if path[0] == "words"}
        self._of_config = lines_of(origin.text, wanted)
        self._of_words = origin.words_lines or (lines_of(origin.words_text, in_words) if origin.words else {})

    def place(self, path: KeyPath) -> str:
        """The file and, if known, the line; for what the command line gave, its option.

        A key that is missing has the line of its table.
        """
        origin = self._origin
        if path and path[0] in origin.options:
            return origin.options[str(path[0])]
        in_words = origin.words is not None and path[:1] == ("words",)
        lines = self._of_words if in_words else self._of_config
        inner = path[1:] if in_words else path
        line = line_of(lines, inner)
        file = file_name(origin.words if in_words and origin.words else origin.config)
        return f"{file}:{line}" if line else file

    def key(self, path: KeyPath) -> str:
        if path and path[0] in self._origin.options:
            return ""
        return _cut(".".join(_part(part) for part in path), _LONGEST_KEY)


def _part(part: str | int) -> str:
    text = str(part)
    return text if len(text) <= _LONGEST_PART and text.isprintable() else _cut(shown(text), _LONGEST_PART)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _path(location: tuple[str | int, ...], values: Mapping[str, Any]) -> KeyPath:
    """A path of pydantic's as it is in the file."""
    path = tuple(part for part in location if part != "[key]")
    if path[:1] == ("layers",):
        return ("words", "layers")
    words = values.get("words")
    if (
        path[:1] == ("words",)
        and path[2:3] == ("words",)
        and isinstance(words, dict)
        and isinstance(words.get(path[1]), list)
    ):
        return (*path[:2], *path[3:])  # the short form, months = [ … ]
    return path


# --- what pydantic says, in plain words ----------------------------------------------------------------------------


def _text(error: Mapping[str, Any], location: tuple[str | int, ...]) -> str:
    kind, facts = error["type"], error.get("ctx", {})
    if kind in ("mistake", "value_error"):
        return str(facts["text" if kind == "mistake" else "error"])
    if kind == "extra_forbidden":
        return _unknown(str(location[-1]), location[:-1])
    if kind == "missing":
        if location[-1] == "words" and len(location) > 1:
            return 'expected words, got none; add words = ["red", "green"]'
        return _MISSING.get(str(location[-1]), "expected a value, got none; add it")
    value = error.get("input")
    length = f"{len(value):,}: " if kind in _BOUNDS and isinstance(value, str | list) else ""
    return f"expected {_expected(error, location)}, got {length}{shown(value)}"


def _expected(error: Mapping[str, Any], location: tuple[str | int, ...]) -> str:
    kind, facts = error["type"], error.get("ctx", {})
    if location[:1] == ("layers",):
        return '"embedding" and layers from 0 on, such as ["embedding", 0, 1]'
    if kind in _KINDS and location in (("models",), ("series",), ("contexts",), ("relations",), ("orders",)):
        return f"[[{location[0]}]] with two brackets, as often as there are"
    if kind == "model_type" and location[:1] != ("words",):
        return "a table"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(facts["pattern"], f"text that matches {facts['pattern']}")
    if kind in _BOUNDS:
        what, bound = _BOUNDS[kind]
        return what.format(facts[bound]).replace(" 1 entries", " one entry").replace(" 1 characters", " one character")
    return _KINDS.get(kind, one_line(error["msg"]).removeprefix("Input should be "))


_MISSING = {
    "words": 'expected categories of words, got none; add a table [words] with lines such as colors = ["red", "green"]',
    "source": 'expected where the model is, got none; add source = "…": a hub id, a folder, a .gguf file or package:NAME/PATH',
}

_KINDS = {
    "model_type": "a list of words, or a table",
    "dict_type": "a table",
    "list_type": "a list",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "string_unicode": f"text in {sys.getfilesystemencoding().upper()}",  # of the command line; PYTHONUTF8=1 makes it UTF-8
}

_BOUNDS = {
    "greater_than_equal": ("at least {:,}", "ge"),
    "less_than_equal": ("at most {:,}", "le"),
    "string_too_long": ("at most {:,} characters", "max_length"),
    "string_too_short": ("at least {:,} characters", "min_length"),
    "too_long": ("at most {:,} entries", "max_length"),
    "too_short": ("at least {:,} entries", "min_length"),
}

_PATTERNS = {
    COLOR: "a color such as '#21319d'",
    r"\S": "text that is not only spaces",
    r"^https?://\S+$": "an address that starts with https:// or http://",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^(cpu|mps|[0-9]{1,4})$": "'cpu', 'mps' or the number of a GPU",
    r"^[0-9]{1,9}(\.[0-9]{1,9})?[KMG]i?B$": "a size such as '2GiB'",
}


def _unknown(key: str, table: tuple[str | int, ...]) -> str:
    """With the key that was probably meant, or the place where this one belongs."""
    if table and key in TOP_LEVEL:
        return "unknown key; it belongs before the first table, above all lines that begin with ["
    tables: dict[str, type[Table]] = {
        "models": ModelConfig,
        "series": SeriesConfig,
        "contexts": ContextConfig,
        "words": CategoryConfig,
        "interventions": InterventionConfig,
        "finding": FindingConfig,
        "lens": LensConfig,
        "loss": LossConfig,
        "relations": RelationConfig,
        "orders": OrderConfig,
    }
    owner: type[Table] = tables.get(str(table[0]), ReportConfig) if table else ReportConfig
    known = list(owner.model_fields)
    hint = suggestion(key, known) or f"; known keys are {', '.join(known)}"
    return f"unknown key{hint}"
