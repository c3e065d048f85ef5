"""The file → its types; every mistake is one ``ConfigError`` line that names the file and the key."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tokviz.config.fields import shown, site_address
from tokviz.config.types import CategoryConfig, ContextConfig, ModelConfig, ReportConfig, Table
from tokviz.errors import ConfigError

MARKDOWN_FILE = (".md", ".markdown")
"""One line that ends so, where Markdown may stand, is the name of a file that holds it."""


def load(
    path: Path | str,
    *,
    models: tuple[str, ...] = (),
    words_file: Path | str | None = None,
    site_url: str | None = None,
) -> ReportConfig:
    """Read and validate a report's configuration.

    Parameters
    ----------
    path : the TOML file.
    models : sources that replace the configured models.
    words_file : a TOML file of categories that replaces the configured words.
    site_url : replaces the configured address.

    Raises
    ------
    ConfigError : one line with file, key, what was expected and what came.
    """
    path = Path(path)
    files = [path]
    values = _read_toml(path)
    if models:
        values["models"] = [{"source": source} for source in models]
        for key in ("compare", "intro"):  # they speak of the models that are replaced
            values.pop(key, None)
    if site_url:
        try:
            site_address(site_url if site_url.startswith(("http://", "https://")) else "")
        except ValueError:
            raise ConfigError(
                f"--site-url: expected an address such as https://you.github.io/report/, got {site_url!r}"
            ) from None
        values["site_url"] = site_url
    words_source = path
    if words_file is not None:
        words_source = Path(words_file)
        values["words"] = _read_toml(words_source)
        files.append(words_source)
    elif isinstance(values.get("words"), str):
        words_source = path.parent / values["words"]
        values["words"] = _read_toml(words_source)
        files.append(words_source)
    files += _read_markdown(values, path)
    config = validated(values, path, words_source)
    config._files = tuple(dict.fromkeys(files))
    return config


def validated(values: dict[str, Any], path: Path, words_source: Path | None = None) -> ReportConfig:
    """The configuration that the values of a file say, or of anything else that ``path`` names.

    Raises ``ConfigError``, as ``load`` does.
    """
    try:
        config = ReportConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_one_line(error, path, words_source or path)) from None
    config._file = path
    return config


def _read_markdown(values: dict[str, Any], config: Path) -> list[Path]:
    """Put the text of ``.md`` files in place of their names, where authors may write Markdown; gives these files."""
    files = []

    def text(value: Any, key: str) -> Any:
        if not isinstance(value, str) or not value.endswith(MARKDOWN_FILE) or "\n" in value:
            return value
        files.append(config.parent / value)
        return _read_text(files[-1], key, config)

    if "intro" in values:
        values["intro"] = text(values["intro"], "intro")
    models = values.get("models")
    for index, model in enumerate(models if isinstance(models, list) else ()):
        if not isinstance(model, dict):
            continue
        if "note" in model:
            model["note"] = text(model["note"], f"models.{index}.note")
        if isinstance(model.get("notes"), dict):
            model["notes"] = {
                address: text(note, f"models.{index}.notes.{address}") for address, note in model["notes"].items()
            }
    return files


def _read_text(path: Path, key: str, config: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config}: {key}: expected a readable UTF-8 file, got {path}: {_reason(error)}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected a TOML file, found none; create it (report.toml in the project's folder is an example) "
            "or name another"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable UTF-8 TOML file: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _one_line(error: ValidationError, path: Path, words_source: Path) -> str:
    """The first mistake as one line; how many more there are is said at its end."""
    mistakes = error.errors(include_url=False)
    first = mistakes[0]
    location = [part for part in first["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in location)
    file = words_source if location[:1] == ["words"] else path
    kind, value = first["type"], first.get("input")
    if kind == "extra_forbidden":
        text = f"unknown key{_nearest(str(location[-1]), location[:-1])}"
    elif kind == "missing":
        text = "expected a value, got none; add it"
    elif kind == "value_error":
        text = str(first["ctx"]["error"])
        # Checks over several keys name their own key at the start of the text.
        file = words_source if text.startswith("words") else file
    elif kind in _KINDS and (kind != "literal_error" or "layers" not in key):
        text = f"expected {_KINDS[kind]}, got {shown(value)}"
        if key in ("models", "contexts"):
            text = f"expected [[{key}]] with two brackets, as often as there are, got {shown(value)}"
    elif "layers" in key:
        key, text = (
            "words.layers",
            f'expected "embedding" and layers from 0 on, such as ["embedding", 0, 1], got {shown(value)}',
        )
    elif kind == "string_pattern_mismatch":
        text = f"expected {_pattern_in_words(first['ctx']['pattern'])}, got {value!r}"
    else:
        text = f"{first['msg'][0].lower()}{first['msg'][1:]}, got {shown(value)}"
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return ": ".join(part for part in (str(file), key, text) if part) + more


_KINDS = {
    "model_type": "a list of words, or a table",
    "dict_type": "a table",
    "list_type": "a list",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "int_type": "a whole number",
}

_PATTERNS = {
    r"\S": "text that is not only spaces",
    r"^[a-z0-9][a-z0-9._-]*$": "lower-case letters, digits, '.', '_' or '-'",
    r"^https?://\S+$": "an address that starts with https:// or http://",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^(cpu|mps|\d+)$": "'cpu', 'mps' or the number of a GPU",
    r"^\d+(\.\d+)?[KMG]i?B$": "a size such as '2GiB'",
}


def _pattern_in_words(pattern: str) -> str:
    return _PATTERNS.get(pattern, f"text that matches {pattern}")


def _nearest(key: str, table: list[Any]) -> str:
    """``; did you mean 'contexts'?`` when a key of that table is near."""
    tables: dict[str, type[Table]] = {"models": ModelConfig, "contexts": ContextConfig, "words": CategoryConfig}
    owner: type[Table] = tables.get(str(table[0]), ReportConfig) if table else ReportConfig
    known = list(owner.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys are {', '.join(known)}"
