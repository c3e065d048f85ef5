"""``tokviz export``: one file to send, from a report that is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tokviz.cli import flags
from tokviz.cli.errors import errors_in_one_line
from tokviz.cli.outputs import require_output, write_output
from tokviz.cli.streams import say
from tokviz.config import expanded, file_name
from tokviz.errors import TokvizError
from tokviz.run import export as exports
from tokviz.run.made_report import Asked

MOST_BYTES = 4_000_000


def export(
    file: Annotated[Path, typer.Argument(help="The file to write, .html.", readable=False)],
    model: Annotated[str | None, flags.shown_option(help="A model of the report; the first by default.")] = None,
    context: Annotated[str | None, flags.shown_option(help="A context; the model's first by default.")] = None,
    projection: flags.OfProjection = None,
    layers: flags.Layers = None,
    change: Annotated[
        tuple[str, str] | None,
        flags.shown_option(metavar="BEFORE AFTER", help="What changed between two models, in place of a model."),
    ] = None,
    site: flags.Site = flags.OUTPUT,
    debug: flags.Debug = False,
) -> None:
    """Write one file that can be sent: what was found, one context's plots, grid and charts; read without scripts or network."""
    with errors_in_one_line(debug=debug):
        file = expanded(file)
        if file.suffix.lower() != ".html":
            raise TokvizError(f"{file_name(file)}: expected a name that ends in .html; name another")
        require_output(file)
        if change and (model or context or projection or layers):
            raise TokvizError("--change: expected no model, context, projection or layers beside it; remove them")
        asked = Asked(model=model, context=context, projection=projection, layers=layers)
        found = exports.of_change(expanded(site), *change) if change else exports.of_model(expanded(site), asked)
        content = found.text.encode("utf-8")
        if len(content) > MOST_BYTES:
            sizes = ", ".join(f"{what} {n / 1e6:.1f}" for what, n in found.n_bytes_of.items() if n)
            raise TokvizError(
                f"{found.what}: expected at most {MOST_BYTES // 1_000_000} MB, got {len(content) / 1e6:.1f} ({sizes}); "
                "choose fewer layers with --layers A..B"
            )
        write_output(file, content)
    say(f"{file}: {found.what}, {max(0.1, len(content) / 1e6):.1f} MB", "the file is written")
