"""An error → one line on standard error and exit code 1; what the machine or the environment refuses is no fault of tokviz."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tokviz.cli.streams import OutputError
from tokviz.errors import ConfigError, TokvizError
from tokviz.run.work import interrupts
from tokviz.text import error_line, one_line, path_in_line, shown, visible_piece, with_short_paths

_DATE = "SOURCE_DATE_EPOCH"
_LATEST_DATE = 253_402_300_799
"""The last second of the year 9999."""


@contextmanager
def errors_in_one_line(*, debug: bool) -> Iterator[None]:
    """End with exit code 1 and without a traceback, unless that is asked for."""
    try:
        yield
    except (typer.Exit, OutputError):
        raise
    except Exception as error:
        if debug or interrupts.is_stopping():
            raise
        print(f"error: {_line(error)}", file=sys.stderr)
        raise typer.Exit(1) from None


def _line(error: Exception) -> str:
    if isinstance(error, ConfigError):  # a line for each mistake
        return str(error)
    if isinstance(error, TokvizError):
        return visible_piece(with_short_paths(str(error)))
    if isinstance(error, MemoryError):
        return (
            "expected more memory than there is; end other programs, take a smaller --jobs, or run on another machine"
        )
    if isinstance(error, OSError) and error.strerror:
        return _refused(error)
    return f"a fault in tokviz: {error_line(error)}; please report it, with what --debug shows"


def _refused(error: OSError) -> str:
    """What the system said of a file or, of anything else, that it is short of."""
    reason = error.strerror or ""
    if error.filename is None:
        return f"the system refused: {one_line(reason)}; mend that and run again (--debug shows what it was asked for)"
    place = path_in_line(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else error.filename
    return f"{place}: expected to read or write there, can't: {one_line(reason)}; change that, or name another place"


def require_date() -> None:
    """Raise ``ConfigError`` for a mistaken ``SOURCE_DATE_EPOCH``, which libraries read, too; an empty one is none."""
    text = os.environ.get(_DATE, "").strip()
    if not text:
        os.environ.pop(_DATE, None)
    elif not (text.isascii() and text.isdigit() and len(text) <= len(str(_LATEST_DATE)) and int(text) <= _LATEST_DATE):
        raise ConfigError(f"{_DATE}: expected seconds since 1970, got {shown(text)}; correct or unset it")
