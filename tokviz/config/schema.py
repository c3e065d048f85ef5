"""The types of ``report.toml`` → a JSON schema, by which editors complete keys, explain them and mark mistakes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from tokviz.config.interventions import LARGEST_VALUE, InterventionConfig
from tokviz.config.tables import Table
from tokviz.config.types import ReportConfig

_AMONG_WORDS = ("vocabulary", "layers")
"""Keys of the report that stand in the table of words."""


def json_schema() -> dict[str, Any]:
    """What a file may hold, in its short forms, too.

    Draft 7, which all editors know. It can't say all that is checked: whether names differ, or a pair names known models.
    """
    found: dict[str, Any] = _for_toml(ReportConfig.model_json_schema())
    definitions = found["$defs"]
    definitions["InterventionConfig"] = _for_toml(InterventionConfig.model_json_schema())
    for table in Table.__subclasses__():
        of_table = found if table is ReportConfig else definitions[table.__name__]
        for key, text in explanations(table).items():
            if text and key in of_table["properties"]:
                of_table["properties"][key]["description"] = text
    properties = found["properties"]
    among_words = {key: properties.pop(key) for key in _AMONG_WORDS}
    properties["words"] = _words(properties["words"]["description"], among_words)
    properties["interventions"] |= {
        "anyOf": [
            {"enum": ["auto", "off"]},
            {"type": "array", "items": {"$ref": "#/$defs/InterventionConfig"}, "minItems": 1},
        ]
    }
    definitions["InterventionConfig"]["properties"]["value"]["anyOf"] = [
        {"enum": ["zero", "mean"]},
        {"type": "number", "minimum": -LARGEST_VALUE, "maximum": LARGEST_VALUE},
    ]
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "report.toml of tokviz"} | found


def explanations(table: type[Table]) -> dict[str, str]:
    """What each key of a table means: the text below it in the code, empty where its name says it all."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(table))).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = dict.fromkeys(table.model_fields, "")
    for field, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            text = ast.literal_eval(after.value)
            found[field.target.id] = " ".join(text.split()).replace("``", "`")
    return {key: found[key] for key in table.model_fields}


def _words(description: str, among_words: Mapping[str, Any]) -> dict[str, Any]:
    category = {
        "anyOf": [
            {"$ref": "#/$defs/CategoryConfig/properties/words"},
            {"$ref": "#/$defs/CategoryConfig"},
        ]
    }
    table = {
        "type": "object",
        "minProperties": 1,
        # A list of that name is a category like any other.
        "properties": {key: {"anyOf": [value, category]} for key, value in among_words.items()},
        "additionalProperties": category,
    }
    return {"description": description, "anyOf": [{"type": "string", "description": "A file of categories."}, table]}


def _for_toml(schema: Any) -> Any:
    """A schema of pydantic's without null, which TOML doesn't have, and without titles that only repeat a key."""
    if isinstance(schema, list):
        return [_for_toml(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if "anyOf" in schema and len(kinds) == 1:
        schema = {key: value for key, value in schema.items() if key != "anyOf"} | kinds[0]
    elif "anyOf" in schema:
        schema = {**schema, "anyOf": kinds}
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):  # names of keys may be title or default
            found[key] = {name: _for_toml(each) for name, each in value.items()}
        elif key == "description":
            found[key] = " ".join(value.split()).replace("``", "`")
        elif key != "title" and not (key == "default" and (value is None or not isinstance(value, str | int | float))):
            found[key] = _for_toml(value)
    if "patternProperties" in found:
        found["additionalProperties"] = False
    return found
