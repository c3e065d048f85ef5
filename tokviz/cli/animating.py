"""``tokviz animate``: the plots of a report that is made, one layer after the other, as a GIF or WebP."""

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
from tokviz.run import animation as animations
from tokviz.run.made_report import Asked
from tokviz.run.work.progress import reporter, told_if_long

ENDINGS = (".gif", ".webp")
MOST_BYTES = 3_000_000


def animate(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A model of the report, by its name or as its page's address has it; the first by default."
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Argument(help="A context, by its name or its label; the model's first by default.")
    ] = None,
    projection: flags.OfProjection = None,
    layers: flags.Layers = None,
    site: flags.Site = flags.OUTPUT,
    output: Annotated[
        Path | None,
        flags.place_option(help="The file to write, .gif or .webp; MODEL-CONTEXT.gif by default.", readable=False),
    ] = None,
    debug: flags.Debug = False,
) -> None:
    """Make a GIF or WebP through the layers from the plots of a report that is made; nothing is captured or drawn anew."""
    with errors_in_one_line(debug=debug):
        asked = Asked(model=model, context=context, projection=projection, layers=layers)
        found = animations.find(expanded(site), asked)
        file = expanded(output) if output else Path(f"{found.name}.gif")
        ending = file.suffix.lower()
        if ending not in ENDINGS:
            raise TokvizError(
                f"--output {file_name(file)}: expected a name that ends in {' or '.join(ENDINGS)}; name another"
            )
        require_output(file)
        with reporter(quiet=False) as progress, told_if_long(progress, f"Making {file.name}"):
            content = animations.make(found, ending, MOST_BYTES)
        if content is None:
            raise TokvizError(
                f"{len(found.animation.files)} plots take more than {MOST_BYTES // 1_000_000} MB; choose fewer with --layers"
            )
        write_output(file, content)
    lacking = f" ({found.n_lacking} without a plot left out)" if found.n_lacking else ""
    say(f"{file}: {found.what}, {len(content) / 1e6:.1f} MB{lacking}", "the animation is written")
