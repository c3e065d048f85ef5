"""A file that a command makes where it is asked to."""

from __future__ import annotations

from pathlib import Path

from tokviz.config import exists, file_name, kind_of_place
from tokviz.errors import TokvizError


def require_output(file: Path) -> None:
    """Before the work: raise ``TokvizError`` where what ``--output`` names is something else than a file."""
    if exists(file) and not file.is_file():
        raise TokvizError(f"{_expected(file)}, got {kind_of_place(file)}; name another")


def write_output(file: Path, content: bytes) -> None:
    """Write what ``--output`` names; a file that is there is replaced.

    Raises
    ------
    TokvizError : there is something else, or it can't be written.
    """
    require_output(file)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise TokvizError(f"{_expected(file)}, can't write it: {error.strerror or error}; name another") from error


def _expected(file: Path) -> str:
    return f"--output {file_name(file)}: expected a file to write, or nothing"
