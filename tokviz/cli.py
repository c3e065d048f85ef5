"""The command line: ``python generate.py`` turns report.toml into site/.

Exit codes: 0 the whole report; 1 the configuration is invalid or no model could be captured, and nothing was written,
or ``--dry-run`` says that a model will fail; 2 usage; 3 the report stands, but a model failed and says so on its page;
130 and 143 stopped by Ctrl-C and SIGTERM (``tokviz.run.interrupts``).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tokviz import __version__
from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.run import dry_run as dry_runs
from tokviz.run import pipeline, prune
from tokviz.run.locks import Locks
from tokviz.run.options import DRAFT, FORMS, SVG, Options
from tokviz.run.pipeline import Outcome
from tokviz.run.processes import default_jobs
from tokviz.run.progress import reporter
from tokviz.run.public import public_source
from tokviz.run.workers import Backend, Place
from tokviz.text import error_line

_OF_THIS_MACHINE = ("--cache", "--output", "--address")
"""Options that say where, not what."""


def main(
    config: Annotated[Path, typer.Option(help="The report's configuration.")] = Path("report.toml"),
    output: Annotated[Path, typer.Option(help="The site's folder; what tokviz wrote there before is replaced.")] = Path(
        "site"
    ),
    cache: Annotated[Path, typer.Option(help="Where captured states and drawn images are kept.")] = Path(".cache"),
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Hub id, folder, .gguf file or package:NAME/PATH, instead of the configured models. Repeatable."
        ),
    ] = None,
    words: Annotated[
        Path | None, typer.Option(help="A TOML file of categories, instead of the configured words.")
    ] = None,
    site_url: Annotated[str | None, typer.Option(help="The address at which the report will be published.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Drawing processes; one per processor by default.")] = None,
    device: Annotated[str, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps.")] = "cpu",
    backend: Annotated[
        Backend, typer.Option(help="Who captures and draws: this machine's processes, or a cluster's workers.")
    ] = Backend.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(help="The cluster: tcp://HOST:PORT of a Dask scheduler; auto, local or ray://… for Ray."),
    ] = None,
    capture_only: Annotated[
        bool, typer.Option("--capture-only", help="Capture into the cache; draw and publish nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Capture, project, measure and draw everything again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why; do nothing.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Draw small plots without labels, quickly.")] = False,
    excerpts: Annotated[
        bool, typer.Option("--excerpts", help="Also write each carousel as an HTML fragment for a blog.")
    ] = False,
    svg: Annotated[bool, typer.Option("--svg", help="Also write plots and grids as SVG, next to the images.")] = False,
    cache_prune: Annotated[
        bool,
        typer.Option(
            "--cache-prune", help="Drop what no report uses from the cache; with --dry-run, say what would go."
        ),
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(
            min=0, help="With --cache-prune: what other reports used in so many days stays.", show_default=True
        ),
    ] = prune.OLDER_THAN_DAYS,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Refuse to begin, instead of waiting, while another run has the site.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Show how language models arrange words, layer by layer, as a static site."""
    if version:
        print(f"tokviz {__version__}")
        return
    with _errors_in_one_line(debug=debug):
        options = Options(
            base=config.parent,
            output=output,
            cache=cache,
            place=Place(backend=backend, address=address),
            jobs=jobs or default_jobs(),
            device=device,
            force=force,
            waits=not no_wait,
            excerpts=excerpts,
            forms=(*((DRAFT,) if draft else FORMS), *((SVG,) if svg else ())),
            command=shlex.join(["python", "generate.py", *_without_folders(sys.argv[1:])]),
        )
        report = configuration.load(config, models=tuple(model or ()), words_file=words, site_url=site_url)
        if cache_prune:
            locks = Locks(waits=not no_wait, say=partial(print, file=sys.stderr))
            print("\n".join(prune.prune(report, options, older_than, locks, dry_run=dry_run)))
            return
        if dry_run:
            forecast = dry_runs.describe(report, options)
            print("\n".join(forecast.lines))
            raise typer.Exit(int(forecast.fails))
        with reporter(quiet=quiet) as progress:
            outcome = (pipeline.capture_only if capture_only else pipeline.run)(report, options, progress)

    for failed in outcome.failures:
        print(f"error: {failed.name}: {failed.failure}", file=sys.stderr)
    if not quiet:
        print(_summary(report, options, outcome, capture_only=capture_only))
    if outcome.failures:
        raise typer.Exit(3)


@contextmanager
def _errors_in_one_line(*, debug: bool) -> Iterator[None]:
    """End with exit code 1 and without a traceback, unless that is asked for."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        expected = isinstance(error, TokvizError)
        said = (
            error if expected else f"a fault in tokviz: {error_line(error)}; please report it, with what --debug shows"
        )
        print(f"error: {said}", file=sys.stderr)
        raise typer.Exit(1) from None


def _summary(report: ReportConfig, options: Options, outcome: Outcome, *, capture_only: bool) -> str:
    n_models = f"{len(report.models) - len(outcome.failures)} models"
    if capture_only:
        return f"{options.cache}: {n_models} ({outcome.n_captured} new captures)"
    new = f"{outcome.n_captured} new captures, {outcome.n_drawn} new images"
    return f"{options.output / 'index.html'}: {n_models}, {outcome.n_images} images ({new})"


def _without_folders(arguments: list[str]) -> list[str]:
    """What to type to repeat the report, without telling readers of this machine's folders or a cluster's address."""
    shown, skip = [], False
    for argument in arguments:
        name, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        if not skip and name not in _OF_THIS_MACHINE:
            shown.append(name + equals + public_source(value))
        skip = name in _OF_THIS_MACHINE and not equals
    return shown


def run() -> None:
    """Parse the command line and do what it says."""
    typer.run(main)
