"""What ``python generate.py`` does, and ``tokviz build``, ``plan`` and ``prune``."""

from __future__ import annotations

import atexit
import gc
import json
import os
import shlex
import sys
from functools import partial

import typer

from tokviz import __version__
from tokviz import config as configuration
from tokviz.cli import flags
from tokviz.cli.errors import errors_in_one_line, require_date
from tokviz.cli.streams import say
from tokviz.config import ReportConfig, expanded
from tokviz.run import dry_run as dry_runs
from tokviz.run import pipeline
from tokviz.run import prune as pruning
from tokviz.run.making import named_failure
from tokviz.run.plan.options import DRAFT, FORMS, SVG, Options
from tokviz.run.publishing.public import public_source
from tokviz.run.store.disk import shown_path
from tokviz.run.store.locks import Locks
from tokviz.run.work.processes import default_jobs
from tokviz.run.work.progress import reporter
from tokviz.run.work.workers import Backend, Place

TOKVIZ = "tokviz"
"""The program's name, where it isn't ``generate.py`` that is run."""
_OF_THIS_MACHINE = ("--cache", "--output", "--address", "--early-in")
"""Options that say where, not what."""
_FOR_THE_RUN = ("--early", "--no-early")
"""Those that change nothing of the report."""


def build(
    context: typer.Context,
    sources: flags.Sources = None,
    config: flags.Config = flags.CONFIG,
    output: flags.Output = flags.OUTPUT,
    cache: flags.Cache = flags.KEPT,
    model: flags.Models = None,
    words: flags.Words = None,
    contexts: flags.Contexts = None,
    site_url: flags.SiteUrl = None,
    jobs: flags.Jobs = None,
    device: flags.Device = "cpu",
    backend: flags.OnBackend = Backend.LOCAL,
    address: flags.Address = None,
    capture_only: flags.CaptureOnly = False,
    force: flags.Force = False,
    dry_run: flags.DryRun = False,
    draft: flags.Draft = False,
    early: flags.Early = True,
    early_in: flags.EarlyIn = None,
    excerpts: flags.Excerpts = False,
    cards: flags.Cards = False,
    svg: flags.Svg = False,
    cache_prune: flags.CachePrune = False,
    older_than: flags.OlderThan = flags.OLDER_THAN,
    no_wait: flags.NoWait = False,
    quiet: flags.Quiet = False,
    debug: flags.Debug = False,
    version: flags.Version = False,
) -> None:
    """Show how language models arrange words, layer by layer, as a static site."""
    if version:
        print(f"tokviz {__version__}")
        return
    with errors_in_one_line(debug=debug):
        config = expanded(config)
        models = (*(sources or ()), *(model or ()))
        report = configuration.load(config, models=models, words_file=words, contexts=contexts or (), site_url=site_url)
        options = Options(
            base=config.parent,
            output=expanded(output),
            cache=expanded(cache),
            place=Place(backend=backend, address=address),
            jobs=jobs or default_jobs(),
            device=device,
            force=force,
            waits=not no_wait,
            excerpts=excerpts,
            cards=cards,
            early_in=early_in,
            early=early and _early(report),
            foretells=True,
            forms=_forms(draft=draft, svg=svg),
            apart=True,
            command=_as_typed(context),
        )
        require_date()
        if cache_prune:
            _prune(report, options, older_than, dry_run=dry_run)
            return
        if dry_run:
            _plan(report, options, captures_only=capture_only)
        with reporter(quiet=quiet) as progress:
            outcome = (pipeline.capture_only if capture_only else pipeline.run)(report, options, progress)

    for failed in outcome.failures:
        if quiet or not failed.is_told:
            print(f"error: {named_failure(failed.name, failed.failure)}", file=sys.stderr)
    if not quiet:
        stands = "the states are captured" if capture_only else f"the report stands in {shown_path(options.output)}"
        failed_models = ", ".join(each.name for each in outcome.failures if each.is_told)
        say(f"{outcome.summary}{failed_models and f'; failed: {failed_models}'}", stands)
    if outcome.failures:
        raise typer.Exit(3)


def plan(
    sources: flags.Sources = None,
    config: flags.Config = flags.CONFIG,
    output: flags.Output = flags.OUTPUT,
    cache: flags.Cache = flags.KEPT,
    model: flags.Models = None,
    words: flags.Words = None,
    contexts: flags.Contexts = None,
    site_url: flags.SiteUrl = None,
    force: flags.Force = False,
    draft: flags.Draft = False,
    svg: flags.Svg = False,
    as_json: flags.Json = False,
    debug: flags.Debug = False,
) -> None:
    """Say what a build would capture, draw and write, and why; do nothing."""
    with errors_in_one_line(debug=debug):
        config = expanded(config)
        models = (*(sources or ()), *(model or ()))
        report = configuration.load(config, models=models, words_file=words, contexts=contexts or (), site_url=site_url)
        require_date()
        forms = _forms(draft=draft, svg=svg)
        _plan(
            report,
            Options(
                base=config.parent,
                output=expanded(output),
                cache=expanded(cache),
                force=force,
                forms=forms,
                early=_early(report),
            ),
            as_json=as_json,
        )


def prune(
    config: flags.Config = flags.CONFIG,
    output: flags.Output = flags.OUTPUT,
    cache: flags.Cache = flags.KEPT,
    model: flags.Models = None,
    words: flags.Words = None,
    contexts: flags.Contexts = None,
    older_than: flags.OlderThan = flags.OLDER_THAN,
    dry_run: flags.DryRun = False,
    no_wait: flags.NoWait = False,
    debug: flags.Debug = False,
) -> None:
    """Drop from the cache what the report doesn't use, nor other reports of the last days, and what killed runs left."""
    with errors_in_one_line(debug=debug):
        config = expanded(config)
        report = configuration.load(config, models=tuple(model or ()), words_file=words, contexts=contexts or ())
        options = Options(base=config.parent, output=expanded(output), cache=expanded(cache), waits=not no_wait)
        _prune(report, options, older_than, dry_run=dry_run)


def _plan(report: ReportConfig, options: Options, *, captures_only: bool = False, as_json: bool = False) -> None:
    found = dry_runs.describe(report, options, captures_only=captures_only)
    print(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else "\n".join(found.lines))
    raise typer.Exit(int(found.fails))


def _early(report: ReportConfig) -> bool:
    return report.early and not os.environ.get("CI")


def _prune(report: ReportConfig, options: Options, older_than: float, *, dry_run: bool) -> None:
    locks = Locks(waits=options.waits, say=partial(print, file=sys.stderr))
    lines = pruning.prune(report, options, older_than, locks, dry_run=dry_run)
    say("\n".join(lines), "nothing was removed" if dry_run else "pruning itself is done")


def _forms(*, draft: bool, svg: bool) -> tuple[str, ...]:
    return (*((DRAFT,) if draft else FORMS), *((SVG,) if svg else ()))


def _as_typed(context: typer.Context) -> str:
    """What to type to repeat the report."""
    program = [TOKVIZ] if context.find_root().info_name == TOKVIZ else ["python", "generate.py"]
    return shlex.join([*program, *without_folders(sys.argv[1:])])


def without_folders(arguments: list[str]) -> list[str]:
    """The same arguments, without telling readers of this machine's folders or a cluster's address."""
    shown, skip = [], False
    for argument in (each for each in arguments if each not in _FOR_THE_RUN):
        option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        if not skip and option not in _OF_THIS_MACHINE:
            shown.append(option + equals + _public(value))
        skip = option in _OF_THIS_MACHINE and not equals
    return shown


def _public(value: str) -> str:
    """Of ``NAME=SOURCE`` the source may be a path."""
    name, equals, source = value.partition("=")
    return f"{name}={public_source(source)}" if equals and public_source(value) == value else public_source(value)


def run() -> None:
    """Parse the command line of ``generate.py`` and do what it says."""
    end_soon()
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(build)
    application()


def end_soon() -> None:
    """Let Python end without its last search for unused objects: among those of torch and transformers it takes a second."""
    atexit.register(gc.freeze)
