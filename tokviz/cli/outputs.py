"""A file that a command makes where it is asked to."""

from __future__ import annotations

from pathlib import Path

from tokviz.config import exists, file_name, kind_of_place
from tokviz.errors import TokvizError

MARKS = (b'<meta name="generator" content="tokviz">', b"made by tokviz", b'"title": "report.toml of tokviz"')
"""Of pages, of animations, and of the schema."""
_MOST_BYTES = 100_000_000
"""Far more than any of these has: a larger file is somebody's, and isn't read."""


def require_output(file: Path) -> None:
    """Before the work: raise ``TokvizError`` where what is named is something else than a file, or one that is somebody's."""
    if exists(file) and not file.is_file():
        raise TokvizError(f"{_expected(file)}, got {kind_of_place(file)}; name another")
    try:
        n_bytes = file.stat().st_size if file.exists() else 0
        content = file.read_bytes() if 0 < n_bytes <= _MOST_BYTES else b""
    except OSError as error:
        raise TokvizError(f"{_expected(file)}, can't read it: {error.strerror or error}; name another") from error
    if n_bytes and not any(mark in content for mark in MARKS):
        raise TokvizError(f"{_expected(file)}, got one that tokviz didn't write; name another, or move it away")


def write_output(file: Path, content: bytes) -> None:
    """Write what is named; in the place of an earlier one.

    Raises
    ------
    TokvizError : there is something else, or somebody's file, or it can't be written.
    """
    require_output(file)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise TokvizError(f"{_expected(file)}, can't write it: {error.strerror or error}; name another") from error


def _expected(file: Path) -> str:
    return f"{file_name(file)}: expected a file to write, or nothing"
