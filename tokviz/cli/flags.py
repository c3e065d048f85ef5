"""The options that several commands have, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tokviz.run import prune
from tokviz.run.work.workers import Backend

SHOWN = "What is shown"
PLACES = "Where"
WORK = "What is done"
CACHE = "What is kept"
SAID = "What is said"

CONFIG = Path("report.toml")
OUTPUT = Path("site")
KEPT = Path(".cache")

# Not checked by typer: tokviz itself reports in one line what can't be read.
Config = Annotated[
    Path,
    typer.Option(
        help="The report's configuration; not needed with --model and --words.",
        readable=False,
        rich_help_panel=SHOWN,
    ),
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
    typer.Option(
        metavar="NAME=SOURCE@REVISION",
        help="Hub id, folder, .gguf file or package:NAME/PATH, instead of the configured models; the name and, of a hub id, "
        "the revision may be left out. Repeatable.",
        rich_help_panel=SHOWN,
    ),
]
Words = Annotated[
    Path | None,
    typer.Option(
        help="A TOML, TXT, CSV or JSON file of categories, instead of the configured words.",
        readable=False,
        rich_help_panel=SHOWN,
    ),
]
Contexts = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="NAME=TEMPLATE",
        help="A text around each word, such as 'seen=I saw {word}', instead of the configured contexts. Repeatable; several of one "
        "name are sentences of one context.",
        rich_help_panel=SHOWN,
    ),
]
SiteUrl = Annotated[
    str | None, typer.Option(help="The address at which the report will be published.", rich_help_panel=SHOWN)
]
OfProjection = Annotated[
    str | None, typer.Option("--projection", help="A projection; the report's first by default.", rich_help_panel=SHOWN)
]
Layers = Annotated[
    str | None,
    typer.Option(
        metavar="A..B",
        help="From which layer to which, such as 5..12 or embedding..11; all by default.",
        rich_help_panel=SHOWN,
    ),
]
Site = Annotated[
    Path, typer.Option(help="The report's folder, made by a build.", readable=False, rich_help_panel=PLACES)
]
Output = Annotated[
    Path,
    typer.Option(
        help="The site's folder; what tokviz wrote there before is replaced.", readable=False, rich_help_panel=PLACES
    ),
]
Cache = Annotated[
    Path,
    typer.Option(help="Where captured states and drawn images are kept.", readable=False, rich_help_panel=PLACES),
]
Device = Annotated[str, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps.", rich_help_panel=PLACES)]
OnBackend = Annotated[
    Backend,
    typer.Option(
        help="Who captures and draws: this machine's processes, or a cluster's workers.", rich_help_panel=PLACES
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="The cluster: tcp://HOST:PORT of a Dask scheduler; auto, local or ray://… for Ray.", rich_help_panel=PLACES
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Drawing processes; one per processor by default.", rich_help_panel=PLACES)
]
CaptureOnly = Annotated[
    bool,
    typer.Option("--capture-only", help="Capture into the cache; draw and publish nothing.", rich_help_panel=WORK),
]
Force = Annotated[
    bool, typer.Option("--force", help="Capture, project, measure and draw everything again.", rich_help_panel=WORK)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and why; do nothing.", rich_help_panel=WORK)
]
Draft = Annotated[
    bool, typer.Option("--draft", help="Draw small plots without labels, and measure nothing.", rich_help_panel=WORK)
]
Early = Annotated[
    bool,
    typer.Option(
        "--early/--no-early",
        help="Show the first plots as soon as they are there, if no report stands yet.",
        rich_help_panel=WORK,
    ),
]
EarlyIn = Annotated[Path | None, typer.Option("--early-in", hidden=True)]
"""Of ``tokviz serve``: where a first look goes while a complete report stands."""
Excerpts = Annotated[
    bool,
    typer.Option("--excerpts", help="Also write each carousel as an HTML fragment for a blog.", rich_help_panel=WORK),
]
Cards = Annotated[
    bool,
    typer.Option("--cards", help="Also write each finding as an image to share (PNG).", rich_help_panel=WORK),
]
Svg = Annotated[
    bool,
    typer.Option("--svg", help="Also write plots and grids as SVG, next to the images.", rich_help_panel=WORK),
]
Json = Annotated[bool, typer.Option("--json", help="Say the same as JSON, for programs.", rich_help_panel=SAID)]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait", help="Refuse to begin, instead of waiting, while another run has the site.", rich_help_panel=WORK
    ),
]
CachePrune = Annotated[
    bool,
    typer.Option(
        "--cache-prune",
        help="Drop what no report uses from the cache; with --dry-run, say what would go.",
        rich_help_panel=CACHE,
    ),
]
OlderThan = Annotated[
    float,
    typer.Option(min=0, help="When pruning: what other reports used in so many days stays.", rich_help_panel=CACHE),
]
OLDER_THAN = prune.OLDER_THAN_DAYS
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.", rich_help_panel=SAID)]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.", rich_help_panel=SAID)]
Version = Annotated[bool, typer.Option("--version", help="Print the version.", rich_help_panel=SAID)]
