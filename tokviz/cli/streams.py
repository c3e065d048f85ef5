"""Standard output and error as the command finds them: closed, full, without a reader, in an encoding that lacks characters.

What can't be written to standard output is an error. What can't be written to standard error is lost.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from tokviz.text import with_visible_directions

_ERRORS = "backslashreplace"


class OutputError(Exception):
    """Standard output can't be written."""


def prepare() -> None:
    """Make all three streams fit for what a command does; before it opens a file."""
    _fill_closed()
    sys.stdout = _firm(sys.stdout, _Told)
    sys.stderr = _firm(sys.stderr, _Firm)


def say(text: str, stands: str) -> None:
    """Print what was done.

    Parameters
    ----------
    stands : what there is even if nobody can be told.

    Raises
    ------
    OutputError : the text can't be written.
    """
    try:
        print(text, flush=True)
    except OutputError as error:
        raise OutputError(f"{error}; {stands}") from None


def _fill_closed() -> None:
    # The next file to be opened would take a closed one's number, and get what libraries print.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


class _Firm(io.RawIOBase):
    """Hands on what is written until that fails; then no more, so that the interpreter ends without words of its own."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._has_failed = False

    def write(self, data: Any) -> int:
        if not self._has_failed:
            try:
                self._write_all(memoryview(data))
            except OSError as error:
                self._has_failed = True
                self._refuse(error)
        return len(data)

    def _write_all(self, data: memoryview) -> None:
        while data:
            written = self._inner.write(data)
            if written is None:  # another program has made the pipe one that doesn't wait
                import select

                select.select([], [self], [])
            data = data[written or 0 :]

    def _refuse(self, error: OSError) -> None:
        """Nobody is to know."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._inner.isatty())

    def fileno(self) -> int:
        return int(self._inner.fileno())


class _Told(_Firm):
    """The same, but what comes first of it is an error."""

    def _refuse(self, error: OSError) -> None:
        raise OutputError(f"can't write to standard output: {error.strerror or 'it is closed'}")


class _Text(io.TextIOWrapper):
    """Shows signs that change the direction of writing: what a label holds turns no line of a terminal around."""

    def write(self, text: str) -> int:
        super().write(with_visible_directions(text))
        return len(text)


def _firm(stream: TextIO | None, kind: type[_Firm]) -> TextIO:
    """A stream in its place; of a character that its encoding lacks the code point is written."""
    if stream is None:  # closed when Python began
        return _Text(io.BufferedWriter(kind(io.FileIO(os.devnull))), encoding="utf-8", errors=_ERRORS)
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw: Any = getattr(stream.buffer, "raw", None)  # none if Python is to write everything at once
    firm: Any = kind(stream.buffer) if raw is None else io.BufferedWriter(kind(raw))
    return _Text(
        firm,
        encoding=stream.encoding,
        errors=_ERRORS,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
