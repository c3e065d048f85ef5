"""The options that several commands have, each described once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tokviz.run import prune
from tokviz.run.work.workers import Backend

shown_option = partial(typer.Option, rich_help_panel="What is shown")
place_option = partial(typer.Option, rich_help_panel="Where")
work_option = partial(typer.Option, rich_help_panel="What is done")
cache_option = partial(typer.Option, rich_help_panel="What is kept")
said_option = partial(typer.Option, rich_help_panel="What is said")

CONFIG = Path("report.toml")
OUTPUT = Path("site")
KEPT = Path(".cache")

# Not checked by typer: tokviz itself reports in one line what can't be read.
Config = Annotated[
    Path, shown_option(help="The report's configuration; not needed with --model and --words.", readable=False)
]
Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=]MODEL[@REVISION]…",
        help="Models instead of the configured ones, as --model takes them.",
        show_default=False,
    ),
]
Models = Annotated[
    list[str] | None,
    shown_option(
        metavar="NAME=SOURCE@REVISION",
        help="Hub id, folder, .gguf file or package:NAME/PATH, instead of the configured models; the name and, of a hub id, "
        "the revision may be left out. Repeatable.",
    ),
]
Words = Annotated[
    Path | None,
    shown_option(help="A TOML, TXT, CSV or JSON file of categories, instead of the configured words.", readable=False),
]
Contexts = Annotated[
    list[str] | None,
    shown_option(
        "--context",
        metavar="NAME=TEMPLATE",
        help="A text around each word, such as 'seen=I saw {word}', instead of the configured contexts. Repeatable; several of one "
        "name are sentences of one context.",
    ),
]
SiteUrl = Annotated[str | None, shown_option(help="The address at which the report will be published.")]
OfProjection = Annotated[str | None, shown_option("--projection", help="A projection; the report's first by default.")]
Layers = Annotated[
    str | None,
    shown_option(metavar="A..B", help="From which layer to which, such as 5..12 or embedding..11; all by default."),
]
Site = Annotated[Path, place_option(help="The report's folder, made by a build.", readable=False)]
Output = Annotated[
    Path, place_option(help="The site's folder; what tokviz wrote there before is replaced.", readable=False)
]
Cache = Annotated[Path, place_option(help="Where captured states and drawn images are kept.", readable=False)]
Device = Annotated[str, place_option(help="Where models run: cpu, cuda, cuda:1, mps.")]
OnBackend = Annotated[
    Backend, place_option(help="Who captures and draws: this machine's processes, or a cluster's workers.")
]
Address = Annotated[
    str | None, place_option(help="The cluster: tcp://HOST:PORT of a Dask scheduler; auto, local or ray://… for Ray.")
]
Jobs = Annotated[int | None, place_option(min=1, help="Drawing processes; one per processor by default.")]
CaptureOnly = Annotated[bool, work_option("--capture-only", help="Capture into the cache; draw and publish nothing.")]
Force = Annotated[bool, work_option("--force", help="Capture, project, measure and draw everything again.")]
DryRun = Annotated[bool, work_option("--dry-run", help="Say what would be done, and why; do nothing.")]
Draft = Annotated[bool, work_option("--draft", help="Draw small plots without labels, and measure nothing.")]
Early = Annotated[
    bool,
    work_option("--early/--no-early", help="Show the first plots as soon as they are there, if no report stands yet."),
]
EarlyIn = Annotated[Path | None, typer.Option("--early-in", hidden=True)]
"""Of ``tokviz serve``: where a first look goes while a complete report stands."""
Excerpts = Annotated[bool, work_option("--excerpts", help="Also write each carousel as an HTML fragment for a blog.")]
Cards = Annotated[bool, work_option("--cards", help="Also write each finding as an image to share (PNG).")]
Svg = Annotated[bool, work_option("--svg", help="Also write plots and grids as SVG, next to the images.")]
Json = Annotated[bool, said_option("--json", help="Say the same as JSON, for programs.")]
NoWait = Annotated[
    bool, work_option("--no-wait", help="Refuse to begin, instead of waiting, while another run has the site.")
]
CachePrune = Annotated[
    bool,
    cache_option("--cache-prune", help="Drop what no report uses from the cache; with --dry-run, say what would go."),
]
OlderThan = Annotated[float, cache_option(min=0, help="When pruning: what other reports used in so many days stays.")]
OLDER_THAN = prune.OLDER_THAN_DAYS
Quiet = Annotated[bool, said_option("--quiet", help="Say nothing but errors.")]
Debug = Annotated[bool, said_option("--debug", help="Show a traceback with an error.")]
Version = Annotated[bool, said_option("--version", help="Print the version.")]
