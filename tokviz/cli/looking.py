"""``tokviz models`` and ``tokviz schema``: what one can know before a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from tokviz import config as configuration
from tokviz.cli import flags
from tokviz.cli.errors import errors_in_one_line
from tokviz.cli.outputs import write_output
from tokviz.config import ModelConfig, expanded
from tokviz.config.mistakes import found_by_pydantic
from tokviz.errors import ModelError, TokvizError
from tokviz.models import Description, describe
from tokviz.run.capturing.apart import Apart
from tokviz.run.work.progress import Quiet, Reporter, reporter, told_if_long
from tokviz.text import counted, shown, with_short_paths

_KINDS = {
    "hub": "a model of the Hub",
    "folder": "a folder on this machine",
    "gguf": "a GGUF file on this machine",
    "package": "in an installed Python package",
}


def models(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=]SOURCE[@REVISION]…",
            help="Hub ids, folders, .gguf files or package:NAME/PATH; the configured models by default.",
        ),
    ] = None,
    config: flags.Config = flags.CONFIG,
    debug: flags.Debug = False,
) -> None:
    """Say what models are and whether they can be captured, or why not, without loading their weights."""
    with errors_in_one_line(debug=debug):
        config = expanded(config)
        named = [_model(source, config.parent) for source in sources or ()]
        wanted = named or configuration.load(config).models
        failed = False
        for model, found in _described(wanted, config.parent):
            failed = failed or found.problem is not None
            print(with_short_paths(f"{model.display_name} ({model.source})"))
            print("\n".join(f"  {line}" for line in _lines(found, is_pinned=model.sha256 is not None)), flush=True)
    raise typer.Exit(int(failed))


def _described(models: Sequence[ModelConfig], base: Path) -> Iterator[tuple[ModelConfig, Description]]:
    """Each looked at in another process, as a model's files may end the one that reads them."""
    with closing(Apart(reporter=Quiet())) as apart:
        for model in models:
            apart.begin()  # while this process has no threads that a fork would lack
            # The first look loads torch and transformers, which takes seconds.
            with reporter(quiet=False) as progress, told_if_long(progress, f"Looking at {model.display_name}"):
                apart.reporter = progress
                try:
                    found = apart.do(model.source, partial(_describe, model, base))
                except ModelError as error:
                    found = Description(kind=None, problem=str(error))
            yield model, found


def _describe(model: ModelConfig, base: Path, relay: Reporter) -> Description:
    return describe(model, base, relay.say)


def _model(source: str, base: Path) -> ModelConfig:
    try:
        return ModelConfig.model_validate(configuration.model_of(source, base))
    except ValidationError as error:
        (mistake, *_), _ = found_by_pydantic(error, {})
        raise TokvizError(
            f"{shown(source)}: expected a hub id, a folder, a .gguf file or package:NAME/PATH: {mistake.text}"
        ) from None


def _lines(found: Description, *, is_pinned: bool) -> list[str]:
    facts = [
        _KINDS[found.kind] if found.kind else None,
        found.architecture,
        found.n_layers and counted(found.n_layers, "layer"),
        found.width and counted(found.width, "dimension"),
        found.n_parameters and f"{found.n_parameters:,} parameters",
        found.n_bytes and f"{found.n_bytes / 1e6:,.0f} MB",
    ]
    known = " · ".join(fact for fact in facts if fact)
    if found.problem:
        can = with_short_paths(f"can't be captured: {found.problem}")
    else:
        can = "can be captured" if found.is_here else "can be captured, once it has been downloaded"
        can += ", if its weights are those of sha256, which are not read here" if is_pinned else ""
    return [*([known] if known else []), can]


def schema(
    output: Annotated[
        Path | None,
        flags.place_option(help="A file to write it to, such as report.schema.json.", readable=False),
    ] = None,
) -> None:
    """Print the JSON schema of report.toml, for editors and other programs."""
    text = schema_text()
    if output is None:
        print(text, end="")
        return
    with errors_in_one_line(debug=False):
        write_output(expanded(output), text.encode())


def schema_text() -> str:
    """The schema as a file holds it."""
    from tokviz.config.schema import json_schema  # reads the code of the config's types, which takes a moment

    return json.dumps(json_schema(), indent=2) + "\n"
