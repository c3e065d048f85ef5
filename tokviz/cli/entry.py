"""How every command starts and ends: it prepares its streams, answers signals, and reports what it couldn't print."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from tokviz.cli import streams

_PATHS = ("--config", "--words", "--output", "--cache", "--site")


def run() -> None:
    """Parse the command line of ``generate.py`` and do what it says."""
    _run("tokviz.cli.building")


def run_commands() -> None:
    """Parse the command line of ``tokviz`` and do what it says."""
    _run("tokviz.cli.application")


def _run(module: str) -> None:
    """Do the work of a module's ``run``, if this Python can."""
    streams.prepare()
    if sys.version_info < (3, 11):  # noqa: UP036 - for those who run an older one
        _refuse(f"{sys.executable}: expected Python 3.11 or newer, got {sys.version.split()[0]}; run a newer one")
    try:
        work = import_module(module).run
    except ModuleNotFoundError as error:
        if (error.name or "tokviz").partition(".")[0] == "tokviz":
            raise
        _refuse(
            f"{sys.executable}: expected the packages that tokviz needs, found no {error.name}; install them for this "
            "Python, or run the one that has them"
        )
    # Up to here a signal ends the process at once: an exception in the midst of an import may be lost, or become another.
    from tokviz.run.work import interrupts

    interrupts.heed(partial(_said, work))


def _said(work: Callable[[], None]) -> None:
    """Do the work, which ends with ``SystemExit``, and write out what it printed; an error if that can't be written."""
    try:
        _require_current_folder()
        _require_paths(sys.argv[1:])
        try:
            work()
        except SystemExit:
            sys.stdout.flush()
            raise
    except streams.OutputError as error:
        _refuse(str(error))


def _require_current_folder() -> None:
    try:
        Path.cwd()
    except OSError:
        _refuse("expected a current folder, got one that was removed; change to another (cd), and run again")


def _require_paths(arguments: list[str]) -> None:
    """An empty path would be taken for the current folder: a variable of a shell wasn't set."""
    for option in _PATHS:
        if f"{option}=" in arguments or (option, "") in pairwise(arguments):
            _refuse(f"{option}: expected a path, got an empty one; name one, or leave the option out")


def _refuse(line: str) -> NoReturn:
    print(f"error: {line}", file=sys.stderr)
    raise SystemExit(1)
