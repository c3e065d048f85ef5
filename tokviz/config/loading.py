"""The file → its types; every mistake is a line of one ``ConfigError`` that names the file and the key."""

from __future__ import annotations

import itertools
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tokviz.config.fields import LONGEST_MARKDOWN
from tokviz.config.files import (
    UnfitFileError,
    check_font,
    exists,
    expanded,
    kind_of_place,
    read_long_text,
    read_markdown,
    read_toml_text,
    refuse_link_out,
)
from tokviz.config.interventions import InterventionConfig
from tokviz.config.loss import LEAST_CHARACTERS
from tokviz.config.mistakes import ConfigPlace, Mistake, error_of, file_name, found_by_pydantic, mistake_line
from tokviz.config.source import too_nested
from tokviz.config.types import REPLACED, TOP_LEVEL, ReportConfig
from tokviz.config.words_files import WordsFile, WordsFileError, reader_of
from tokviz.errors import ConfigError
from tokviz.text import shown

MARKDOWN_FILE = (".md", ".markdown")
"""One line that ends so, where Markdown may stand, is the name of a file that holds it."""
THEME_FILES = (".html", ".css", ".js", ".xml")
"""At least one of these is in the folder of a theme."""
DEFAULT = Path("report.toml")
"""The configuration where none is named."""
MOST_IN_THEME = 10_000
"""Files and folders. All of a theme's are read in each run; a home or a whole disk has more, and takes minutes."""

_TEXTS = ("title", "subtitle", "description", "intro", "finding")
"""What the author says of the configured words and models."""
_NAMED = re.compile(r"(?P<name>[^=/\\]+)=(?P<source>.+)", re.DOTALL)
_AT_REVISION = re.compile(r"(?P<source>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)@(?P<revision>\S+)")


def load(
    path: Path | str,
    *,
    models: Sequence[str | Path] = (),
    words_file: Path | str | None = None,
    contexts: Sequence[str] = (),
    site_url: str | None = None,
) -> ReportConfig:
    """Read and validate a report's configuration.

    Parameters
    ----------
    path : the TOML file; ``report.toml`` need not be there where both models and words are given.
    models : sources that replace the configured models, as ``model_of`` takes them.
    words_file : a TOML, TXT, CSV or JSON file of categories that replaces the configured words.
    contexts : ``NAME=TEMPLATE``, which replace the configured ones; several of one name are sentences of one context.
    site_url : replaces the configured address.

    What the author says of the configured models, words and contexts is left out where any of these is replaced.

    Raises
    ------
    ConfigError : a line for each mistake with file, key, what was expected and what came.

    Examples
    --------
    >>> import tokviz
    >>> [model.display_name for model in tokviz.load("report.toml").models]
    ['Tiny']
    """
    for name, value in (("load", path), ("words_file", "" if words_file is None else words_file)):
        if not isinstance(value, str | Path):
            raise ConfigError(f"{name}: expected the path of a TOML file, got {shown(value)}")
    if not isinstance(models, list | tuple) or not all(isinstance(each, str | Path) for each in models):
        raise ConfigError(f"models: expected a list of sources, got {shown(models)}")
    needed = not (models and words_file)
    sources = tuple(str(each) for each in models)
    return _Loading(expanded(path), needed=needed).load(sources, words_file, contexts, site_url)


def _contexts_of(given: Sequence[str]) -> list[dict[str, Any]]:
    """What ``NAME=TEMPLATE`` says, as tables of ``[[contexts]]``; raises ``ConfigError`` where there is no name."""
    found: dict[str, list[str]] = {}
    for each in given:
        name, equals, template = each.partition("=")
        if not equals:
            raise ConfigError(f'--context: expected NAME=TEMPLATE, such as "seen=I saw {{word}}", got {shown(each)}')
        found.setdefault(name.strip(), []).append(template)
    return [{"name": name, "templates": templates} for name, templates in found.items()]


def model_of(text: str, base: Path) -> dict[str, Any]:
    """What ``NAME=SOURCE@REVISION`` says, as a table of ``[[models]]``; name and revision may be left out.

    Parameters
    ----------
    base : the config's folder; what exists there as a path is one, whatever it looks like.
    """
    table = {"source": text}
    if not exists(base / text) and (named := _NAMED.fullmatch(text)):
        table = named.groupdict()
    if not exists(base / table["source"]) and (found := _AT_REVISION.fullmatch(table["source"])):
        table |= found.groupdict()
    return dict(table)


def validated(values: dict[str, Any], path: Path) -> ReportConfig:
    """The configuration that the values of a file say, or of anything else that ``path`` names.

    Raises ``ConfigError``, as ``load`` does.
    """
    return _validated(values, ConfigPlace(config=path), [])


def intervention(values: dict[str, Any], path: Path) -> InterventionConfig:
    """One table of ``[[interventions]]``; ``path`` names where the values come from. Raises ``ConfigError``."""
    try:
        return InterventionConfig.model_validate(values)
    except ValidationError as error:
        found, n_found = found_by_pydantic(error, values)
        raise error_of(found, ConfigPlace(config=path), n_found - len(found)) from None


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and its values; raises ``ConfigError``."""
    try:
        return _parsed(path)
    except UnfitFileError as error:
        raise ConfigError(mistake_line(file_name(path), "", str(error))) from None


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = read_toml_text(path)
        if problem := too_nested(text):
            raise UnfitFileError(problem)
        return text, tomllib.loads(text)
    except FileNotFoundError:
        problem = (
            f"expected a TOML file, found none; {_REMEDY if path.name == DEFAULT.name else 'create it or name another'}"
        )
    except tomllib.TOMLDecodeError as error:
        problem = f"not valid TOML: {error}"
    except ValueError:  # Python's bound on the digits of a number
        problem = "expected numbers of at most 4,300 digits, got a longer one"
    raise UnfitFileError(problem)


def _words_in(path: Path) -> tuple[str, WordsFile]:
    """The text of a file of words, empty unless it is TOML, and what stands in it; raises ``UnfitFileError``."""
    read = reader_of(path)
    if read is None:
        try:
            text, words = _parsed(path)
        except UnfitFileError as error:
            if path.suffix.lower() == ".toml" or not exists(path):
                raise
            raise UnfitFileError(
                f"expected a file whose name ends in .toml, .txt, .csv, .tsv or .json, got another, which was read as TOML: {error}"
            ) from None
        return text, WordsFile(words=words)
    try:
        return "", read(path.stem, read_toml_text(path))
    except FileNotFoundError:
        raise UnfitFileError("expected a file of words, found none; create it or name another") from None


def _names_in(folder: Path) -> Iterator[str]:
    """Of all that lies in a folder, at any depth; of what can't be listed, or vanishes meanwhile, nothing."""
    return (name for _, folders, files in os.walk(folder) for name in (*folders, *files))


_REMEDY = "make one with tokviz init, name another with --config, or give both --model and --words"


def _validated(values: dict[str, Any], origin: ConfigPlace, mistakes: list[Mistake]) -> ReportConfig:
    try:
        config = ReportConfig.model_validate(values, context={REPLACED: "models" in origin.options})
    except ValidationError as error:
        found, n_found = found_by_pydantic(error, values)
        raise error_of([*mistakes, *found], origin, n_found - len(found)) from None
    if mistakes:
        raise error_of(mistakes, origin)
    config._file = origin.config
    return config


class _Loading:
    """One configuration on its way from the file: what was read for it, and what is wrong with it so far."""

    def __init__(self, path: Path, *, needed: bool) -> None:
        is_there = needed or path != DEFAULT or exists(path)
        text, self._values = read_toml(path) if is_there else ("", {})
        self._origin = ConfigPlace(config=path, text=text)
        self._files = [path] if is_there else []
        self._mistakes: list[Mistake] = []
        self._intro_file: Path | None = None

    def load(
        self, models: tuple[str, ...], words_file: Path | str | None, contexts: Sequence[str], site_url: str | None
    ) -> ReportConfig:
        values, options = self._values, {}
        if contexts:
            options["contexts"] = "--context"
            values["contexts"] = _contexts_of(contexts)
        if models:
            options["models"] = "--model"
            values["models"] = [model_of(source, self._origin.config.parent) for source in models]
            values.pop("compare", None)
            values.pop("changes", None)
            values.pop("series", None)
        if models or contexts or words_file is not None:
            self._leave_texts_out()
        if words_file is not None:
            for key in ("relations", "orders", "groups"):
                values.pop(key, None)
        if site_url:
            options["site_url"] = "--site-url"
            values["site_url"] = site_url
        self._origin = replace(self._origin, options=options)
        self._read_words(words_file)
        self._read_notes()
        self._check_theme()
        self._check_font()
        for key in ("loss", "lens"):
            self._read_text_of(key)
        config = _validated(values, self._origin, self._mistakes)
        config._files = tuple(dict.fromkeys(self._files))
        config._intro_file = self._intro_file
        return config

    def _leave_texts_out(self) -> None:
        """Without what the author says of other models, or of other words."""
        for key in _TEXTS:
            self._values.pop(key, None)
        models = self._values.get("models")
        for model in models if isinstance(models, list) else ():
            if isinstance(model, dict):
                model.pop("note", None)
                model.pop("notes", None)

    def _mistake(self, path: tuple[str | int, ...], text: str) -> None:
        self._mistakes.append(Mistake(path=path, text=text))

    def _read_words(self, words_file: Path | str | None) -> None:
        """Take words from a file of their own, and out of their table what belongs elsewhere."""
        words = self._values.get("words")
        if isinstance(words, dict):
            for key in [key for key, value in words.items() if key in TOP_LEVEL and not isinstance(value, dict)]:
                self._mistake(
                    ("words", key),
                    f"expected a category, got a key of the report after [words]; move it before the first table or, if "
                    f"{key} is a category, write it as a table of its own, [words.{key}]",
                )
                self._values.setdefault(key, words.pop(key))
        if words_file is not None:
            file = expanded(words_file)
        elif isinstance(words, str):
            file = self._origin.config.parent / expanded(words)
        else:
            return
        try:
            if words_file is None:
                refuse_link_out(file, self._origin.config.parent)
            text, found = _words_in(file)
            table = found.words.get("words")
            if isinstance(table, dict) and "words" not in table:
                raise UnfitFileError(
                    f"expected categories such as {next(iter(table), 'colors')}, got a table [words] around them; remove it: "
                    "a file of words has them at its top"
                )
        except UnfitFileError as error:
            place = f"{file_name(file)}:{error.line}" if isinstance(error, WordsFileError) else file_name(file)
            if words_file is not None:
                raise ConfigError(mistake_line(place, "", str(error))) from None
            self._mistake(("words",), f"{place}: {error}")
            self._values["words"] = {"unread": ["word"]}  # so that the rest is checked
            return
        self._values["words"] = found.words
        self._origin = replace(self._origin, words=file, words_text=text, words_lines=found.lines)
        self._files.append(file)

    def _read_notes(self) -> None:
        """Put the text of ``.md`` files in place of their names, where authors may write Markdown."""
        self._read_markdown(self._values, "intro", ())
        models = self._values.get("models")
        for index, model in enumerate(models if isinstance(models, list) else ()):
            if isinstance(model, dict):
                self._read_markdown(model, "note", ("models", index))
                notes = model.get("notes")
                if isinstance(notes, dict):
                    for address in list(notes):
                        self._read_markdown(notes, address, ("models", index, "notes"))

    def _check_theme(self) -> None:
        theme = self._values.get("theme")
        if not isinstance(theme, str):
            return
        folder = self._origin.config.parent / expanded(theme)
        found = exists(folder) and folder.is_dir()
        names = list(itertools.islice(_names_in(folder), MOST_IN_THEME + 1)) if found else []
        if len(names) > MOST_IN_THEME:
            self._mistake(
                ("theme",),
                f"expected a folder with templates and assets only, got one with more than {MOST_IN_THEME:,} files and folders in it; "
                f"name the theme's own, or leave theme out: {file_name(folder)}",
            )
        elif not any(name.endswith(THEME_FILES) for name in names):
            got = "one without any" if found else kind_of_place(folder)
            self._mistake(
                ("theme",),
                f"expected a folder with templates (index.html, …) or assets (assets/theme.css, …), got {got}; make it, or "
                f"leave theme out: {file_name(folder)}",
            )

    def _check_font(self) -> None:
        font = self._values.get("font")
        if isinstance(font, str):
            self._read(font, ("font",), check_font)

    def _read_text_of(self, key: str) -> None:
        """Put the text of the file in place of its name."""
        table = self._values.get(key)
        if isinstance(table, dict) and isinstance(name := table.get("text"), str):
            table["text"] = (
                self._read(name, (key, "text"), partial(read_long_text, least_characters=LEAST_CHARACTERS)) or name
            )

    def _read_markdown(self, table: dict[str, Any], key: str, path: tuple[str | int, ...]) -> None:
        value = table.get(key)
        if not isinstance(value, str) or not value.endswith(MARKDOWN_FILE) or "\n" in value:
            return
        found = self._read(value, (*path, key), partial(read_markdown, most_characters=LONGEST_MARKDOWN))
        table[key] = "–" if found is None else found  # so that the rest is checked
        if found is not None and (*path, key) == ("intro",):
            self._intro_file = self._files[-1]

    def _read(self, name: str, path: tuple[str | int, ...], read: Callable[[Path], Any]) -> Any:
        """What is read of a file that the configuration names, from its own folder on; None where that is a mistake."""
        file = self._origin.config.parent / expanded(name)
        try:
            refuse_link_out(file, self._origin.config.parent)
            found = read(file)
        except UnfitFileError as error:
            self._mistake(path, f"{file_name(file)}: {error}")
            return None
        self._files.append(file)
        return found
