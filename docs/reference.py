"""The reference of the manual, made of the program: every key of report.toml, every option, every public name of Python.

What has no text of its own ends the build with ``MissingTextError``.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from typer.models import ArgumentInfo

import tokviz.notebook
from tokviz.cli.application import application
from tokviz.config import fields, files, finding, interventions, loss, names, relations, source
from tokviz.config.finding import FindingConfig
from tokviz.config.interventions import InterventionConfig
from tokviz.config.lens import LensConfig
from tokviz.config.loss import LossConfig
from tokviz.config.relations import OrderConfig, RelationConfig
from tokviz.config.schema import explanations, json_schema
from tokviz.config.series import SeriesConfig
from tokviz.config.tables import CategoryConfig, ContextConfig, ModelConfig, Table
from tokviz.config.types import ReportConfig

TABLES: dict[type[Table], str] = {
    ReportConfig: "The report",
    CategoryConfig: "[words.NAME]",
    ContextConfig: "[[contexts]]",
    ModelConfig: "[[models]]",
    SeriesConfig: "[[series]]",
    FindingConfig: "[finding]",
    InterventionConfig: "[[interventions]]",
    LossConfig: "[loss]",
    LensConfig: "[lens]",
    RelationConfig: "[[relations]]",
    OrderConfig: "[[orders]]",
}
"""Every table of the file → how its header is written."""
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a table",
}
_PATTERNS = {
    fields.COLOR: "a color such as `#21319d`",
    r"^https?://\S+$": "an address that starts with https:// or http://",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
}
"""What a pattern means to a reader, where more than the kind of the value is to be said."""


class MissingTextError(Exception):
    """A key, an option or a name that nothing is said of."""


def _said(what: str, text: str | None) -> str:
    if not text or not text.strip():
        raise MissingTextError(f"expected a text that explains {what}, found none; write it beside the code")
    return re.sub(r"``([^`]+)``", r"`\1`", text.strip())


# --- report.toml -------------------------------------------------------------------------------------------------------


def config() -> str:
    """Every key of every table: what it holds, what it is by default, what it means."""
    schema = json_schema()
    parts = []
    for table, header in TABLES.items():
        title = header if table is ReportConfig else f"`{header}`"
        said = _said(header, inspect.getdoc(table)).replace("\n", " ")
        said = said.removeprefix(f"`{header}`: ")
        parts += [f"## {title} {{ #table-{_anchor(header)} }}", said[0].upper() + said[1:]]
        texts = explanations(table)
        found = schema if table is ReportConfig else schema["$defs"][table.__name__]
        for key, field in table.model_fields.items():
            properties = found["properties"].get(key) or _among_words(schema, key)
            place = f"{header}.{key}" if table is not ReportConfig else key
            parts += [f"### `{key}` {{ #{_anchor(place)} }}", _facts(properties, field, schema)]
            parts.append(_said(f"the key {key} of {header}", texts[key]))
    return "\n\n".join(parts)


def _among_words(schema: Mapping[str, Any], key: str) -> Any:
    """Of a key that stands in the table of words, where a list of that name is a category."""
    return schema["properties"]["words"]["anyOf"][1]["properties"][key]["anyOf"][0]


def _anchor(header: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", header.lower()).strip("-")


def _facts(schema: Mapping[str, Any], field: FieldInfo, whole: Mapping[str, Any]) -> str:
    facts = [_in_words(schema, whole), *_most_entries(field)]
    if field.is_required():
        facts.append("**required**")
    elif field.get_default(call_default_factory=True) in (None, {}):
        facts.append("optional")
    else:
        facts.append(f"by default `{_toml(field.get_default(call_default_factory=True))}`")
    return " · ".join(facts)


def _in_words(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What a value of this JSON schema is."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        header = next((header for table, header in TABLES.items() if table.__name__ == name), None)
        if header is None:  # a part of one, as the list of words of a category
            *above, last = name.split("/")
            return _in_words(whole["$defs"][above[0]]["properties"][last], whole)
        return f"a table [`{header}`](#table-{_anchor(header)})"
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(_in_words(each, whole) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema.get("enum", [schema.get("const")]))
    text = _TYPES[schema["type"]]
    if pattern := _PATTERNS.get(schema.get("pattern", "")):
        text = f"text: {pattern}"
    bounds = ", ".join(_bounds(schema))
    text = f"{text} ({bounds})" if bounds else text
    of = schema.get("items" if schema["type"] == "array" else "additionalProperties")
    return f"{text} of: {_in_words(of, whole)}" if isinstance(of, dict) else text


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    kinds = {
        "minimum": "at least {:,}",
        "maximum": "at most {:,}",
        "maxLength": "at most {:,} characters",
        "minItems": "at least {:,} entries",
        "maxItems": "at most {:,} entries",
    }
    if schema.get("minItems") is not None and schema.get("minItems") == schema.get("maxItems"):
        yield f"{schema['minItems']} entries"
        kinds = {key: text for key, text in kinds.items() if not key.endswith("Items")}
    for key, text in kinds.items():
        if key in schema and (key, schema[key]) != ("minItems", 1):
            yield text.format(schema[key])


def _most_entries(field: FieldInfo) -> Iterator[str]:
    """What ``fields.at_most`` checks, which a schema of pydantic's doesn't show."""
    of_union = [each for kind in get_args(field.annotation) for each in getattr(kind, "__metadata__", ())]
    for each in [*field.metadata, *of_union]:
        if isinstance(each, BeforeValidator) and each.func.__qualname__.startswith(fields.at_most.__name__):
            bound = inspect.getclosurevars(each.func).nonlocals
            yield f"at most {bound['most']:,} {bound['what']}"


def _toml(value: Any) -> str:
    """A default as the file would hold it."""
    if isinstance(value, BaseModel):
        entries = value.model_dump(exclude_defaults=True, exclude_none=True).items()
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in entries)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def limits() -> str:
    """How much a file may hold, from the constants that are checked."""
    value = f"{interventions.LARGEST_VALUE:g}"
    rows = {
        "a config, a file of words": f"{files.LARGEST_TOML / 1e6:g} MB each, UTF-8; {source.MOST_NESTED} brackets within "
        f"each other, keys of {source.MOST_NESTED} parts",
        "words, of all categories together": f"{fields.MOST_WORDS:,} in {fields.MOST_CATEGORIES:,} categories; "
        f"{fields.LONGEST_WORD} characters each",
        "models, contexts": f"{fields.MOST_MODELS} each; notes of a model and pairs to compare {fields.MOST_NOTES:,} each",
        "`[[interventions]]`": f"{interventions.MOST_INTERVENTIONS}, of {interventions.MOST_NEURONS} neurons each; layers "
        f"up to {interventions.MOST_LAYER:,}, values from −{value} to {value}",
        "`[[relations]]`, `[[orders]]`": f"{relations.MOST_RELATIONS} each, of {relations.MOST_PAIRS_OF_WORDS} pairs and "
        f"{relations.MOST_IN_ORDER} words",
        "the sentence of `[finding]`": f"{finding.MOST_WORDS_IN_FINDING} words",
        "names of models, labels": f"{fields.LONGEST_LABEL} characters; a context's name {names.LONGEST_CONTEXT}",
        "titles and other lines": f"{fields.LONGEST_TEXT:,} characters; sources and addresses {fields.LONGEST_ADDRESS:,}, "
        f"templates {fields.LONGEST_TEMPLATE:,}",
        "`palette`, `markers`": f"{fields.MOST_MARKS} each",
        "the font": f"{files.LARGEST_FONT / 1e6:g} MB",
        "the text of `[loss]`": f"{files.LARGEST_TEXT / 1e6:g} MB, UTF-8; at least {loss.LEAST_CHARACTERS:,} characters",
        "the introduction, a note": f"{fields.LONGEST_MARKDOWN:,} characters",
    }
    return "\n".join(["| what | at most |", "|---|---|", *(f"| {what} | {most} |" for what, most in rows.items())])


# --- the command -------------------------------------------------------------------------------------------------------


def command() -> str:
    """Every command with all its options, in the panels of ``--help``."""
    own = application.registered_callback
    assert own is not None
    assert own.callback is not None
    parts = [
        _said("the program", inspect.getdoc(own.callback)),
        _examples(own.epilog),
        *_options("tokviz", own.callback),
    ]
    for each in application.registered_commands:
        assert each.callback is not None
        name = each.callback.__name__
        shown = f"tokviz {name}"
        parts += [f"## `{shown}` {{ #{name} }}", _said(shown, inspect.getdoc(each.callback))]
        parts += [_examples(each.epilog), *_options(shown, each.callback)]
    return "\n\n".join(part for part in parts if part)


def _options(name: str, called: Callable[..., Any]) -> Iterator[str]:
    """A table for each panel."""
    panels: dict[str, list[str]] = {}
    hints = get_type_hints(called, include_extras=True)
    for parameter in inspect.signature(called).parameters.values():
        kind, *found = get_args(hints[parameter.name]) if get_origin(hints[parameter.name]) is Annotated else (None,)
        if not found or found[0].hidden:
            continue
        (info,) = found
        # Of an annotation Typer takes the first name for the default value.
        first = [info.default] if isinstance(info.default, str) else []
        names = ", ".join([*first, *(info.param_decls or ())] or [f"--{parameter.name.replace('_', '-')}"])
        value = _value(kind, info)
        shown = info.metavar if isinstance(info, ArgumentInfo) else f"{names} {value}".strip()
        panel = info.rich_help_panel or ("Arguments" if isinstance(info, ArgumentInfo) else "Options")
        text = _said(f"{shown} of {name}", info.help)
        row = f"| `{_cell(str(shown))}` | {_cell(text)} | {_usual(parameter.default)} |"
        panels.setdefault(panel, []).append(row)
    for panel, rows in panels.items():
        yield "\n".join([f"| {panel} | what it does | by default |", "|---|---|---|", *rows])


def _value(kind: Any, info: Any) -> str:
    """What stands after an option; nothing after one that is there or isn't."""
    kind = next((each for each in get_args(kind) if each is not type(None)), kind)
    if kind is bool:
        return ""
    if info.metavar:
        return str(info.metavar)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return {Path: "PATH", int: "NUMBER", float: "NUMBER"}.get(kind, "TEXT")


def _usual(default: Any) -> str:
    if default is None or default is False:
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())


def _examples(epilog: Any) -> str:
    lines = re.findall(r"`([^`]+)`", epilog if isinstance(epilog, str) else "")
    return "\n".join(["```sh", *lines, "```"]) if lines else ""


# --- Python ------------------------------------------------------------------------------------------------------------

_SECTION = re.compile(r"^(Parameters|Returns|Raises|Examples|Notes)\n-+\n", re.MULTILINE)
_ENTRY = re.compile(r"^(\w[\w, ]*?) : ", re.MULTILINE)


def python() -> str:
    """Every public name of the package."""
    parts = []
    for name in tokviz.notebook.__all__:
        found = getattr(tokviz.notebook, name)
        shown = f"tokviz.{name}"
        parts += [f"## `{shown}` {{ #{name.lower()} }}"]
        if inspect.isclass(found):
            parts.append(_described(shown, found))
            for member, value in _members(found):
                heading = f"### `{name}.{member}` {{ #{name.lower()}-{member} }}"
                called = value.fget if isinstance(value, property) else value
                is_function = not isinstance(value, property)
                parts += [heading, *([_signature(member, called)] if is_function else [])]
                parts.append(_described(f"{shown}.{member}", called))
        else:
            parts += [_signature(shown, found), _described(shown, found)]
    return "\n\n".join(parts)


def _members(found: type) -> Iterable[tuple[str, Any]]:
    """Functions and properties of the class itself, in their order in the code."""
    return (
        (name, value)
        for name, value in vars(found).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    )


def _signature(name: str, called: Any) -> str:
    """As one calls it: without ``self``, annotations as the code has them."""
    signature = inspect.signature(called)
    shown: list[str] = []
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not any(before.startswith("*") for before in shown):
            shown.append("*")
        stars = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
        default = "" if each.default is each.empty else f" = {each.default!r}"
        if each.name != "self":
            shown.append(f"{stars}{each.name}: {each.annotation}{default}")
    line = f"{name}({', '.join(shown)}) -> {signature.return_annotation}"
    if len(line) > 100:
        line = "\n".join([f"{name}(", *(f"    {each}," for each in shown), f") -> {signature.return_annotation}"])
    return f"```python\n{line}\n```"


def _described(name: str, found: Any) -> str:
    """A docstring of numpy's style as Markdown; its entries say what a parameter is, whose types the signature has."""
    text, *sections = _SECTION.split(_said(name, inspect.getdoc(found)))
    parts = [text.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title == "Examples":
            parts.append(f"```pycon\n{body.strip()}\n```")
        else:
            parts += [f"**{title}**", "\n".join(_entries(body))]
    return "\n\n".join(parts)


def _entries(body: str) -> Iterator[str]:
    before, *entries = _ENTRY.split(textwrap.dedent(body).strip())
    if before.strip():
        yield before.strip()
    for name, text in zip(entries[::2], entries[1::2], strict=True):
        yield f"- `{name}`: {' '.join(text.split())}"
