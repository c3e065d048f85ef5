"""A file that a config names → its text, read only once it is known to be a regular file of a fit size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LARGEST_TOML = 1_000_000
"""Bytes of a config or of a file of words: twice what 50,000 words take.

The worst content of this size that was found takes tomllib 1.4 s and 175 MB (150 bytes for each digit of a number).
"""

LARGEST_TEXT = 2_000_000
"""Bytes of the text that a model is to predict: far more than is taken of it."""
LARGEST_FONT = 2_000_000
"""Bytes of the author's font, which every reader of the pages fetches."""
FONT_FILES = (".ttf", ".otf")
_FONT_STARTS = (b"\x00\x01\x00\x00", b"OTTO", b"true")
"""Of TrueType and OpenType files."""

FOLDER, FILE, NOTHING = "a folder", "a file", "nothing of that name"
IRREGULAR = "a pipe, a device or the like"
"""What isn't opened: a pipe would be waited for, and a device never ends."""
_BYTES_PER_CHARACTER = 4
"""Of UTF-8, at most."""


class UnfitFileError(Exception):
    """What was expected of a file, and what it is instead."""


def expanded(path: Path | str) -> Path:
    """A path as a person writes it, ``~`` being the home of the user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~someone who has no home
        return Path(path)


def exists(path: Path) -> bool:
    """Whether anything can be found at a path, and no matter why not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, in a closed folder, or with a character that no path has
        return False


def kind_of_place(path: Path) -> str:
    """What is at a path, for a message: ``a folder``, ``a link to nothing``."""
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        return f"what can't be looked at ({error.strerror})"
    except (OSError, ValueError):
        return "a link to nothing" if os.path.lexists(path) else NOTHING
    return FOLDER if stat.S_ISDIR(mode) else FILE if stat.S_ISREG(mode) else IRREGULAR


def read_toml_text(path: Path) -> str:
    """The text of a config or of a file of words; raises ``UnfitFileError``, and ``FileNotFoundError`` for none."""
    return _text(_content(path, LARGEST_TOML))


def read_markdown(path: Path, most_characters: int) -> str:
    """The text of a note; raises ``UnfitFileError``, for a missing file, too."""
    try:
        return _text(_content(path, most_characters * _BYTES_PER_CHARACTER))
    except FileNotFoundError:
        raise UnfitFileError("expected a file, found none; create it or name another") from None


def read_long_text(path: Path, least_characters: int) -> str:
    """A text that a model is to predict; raises ``UnfitFileError``, for a missing file, too."""
    try:
        text = _text(_content(path, LARGEST_TEXT))
    except FileNotFoundError:
        raise UnfitFileError("expected a text file, found none; create it or name another") from None
    n_characters = len(text.strip())
    if n_characters < least_characters:
        raise UnfitFileError(
            f"expected a text of at least {least_characters:,} characters, got {n_characters:,}; take a longer one"
        )
    return text


def refuse_link_out(path: Path, folder: Path) -> None:
    """Raise ``UnfitFileError`` for a path in ``folder`` that a symbolic link takes elsewhere.

    A page would show what it leads to, on whatever machine the report is made; whoever names a place elsewhere means it.
    """
    within, named = (
        Path(os.path.abspath(each))  # noqa: PTH100 - as they are named
        for each in (folder, path)
    )
    try:
        leads_out = named.is_relative_to(within) and not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # as reading says; the second of links that lead to each other
        return
    if leads_out:
        raise UnfitFileError(
            "expected a file in the folder of the configuration, got a link out of it; name what it leads to, or copy that here"
        )


def check_font(path: Path) -> None:
    """Whether a file looks like a font; raises ``UnfitFileError``, for a missing file, too."""
    try:
        content = _content(path, LARGEST_FONT)
    except FileNotFoundError:
        raise UnfitFileError("expected a .ttf or .otf file, found none; create it or name another") from None
    if path.suffix.lower() not in FONT_FILES or not content.startswith(_FONT_STARTS):
        raise UnfitFileError("expected a TrueType or OpenType font, a .ttf or .otf file, got another kind of file")


def _content(path: Path, most_bytes: int) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        _refuse_unfit(path.stat(), most_bytes)
        with os.fdopen(os.open(path, flags), "rb") as file:
            _refuse_unfit(os.fstat(file.fileno()), most_bytes)  # another may have taken its place
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnfitFileError(f"expected a file that can be read: {error.strerror or error}") from None
    except ValueError:  # NUL, or what the file system's encoding doesn't have
        raise UnfitFileError("expected the path of a file, got one with characters that no path has") from None
    if len(content) > most_bytes:  # some files of the system don't know their size
        raise UnfitFileError(f"expected a file of at most {_megabytes(most_bytes)}, got a larger one")
    return content


def _refuse_unfit(facts: os.stat_result, most_bytes: int) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise UnfitFileError("expected a file, got a folder")
    if not stat.S_ISREG(facts.st_mode):
        raise UnfitFileError(f"expected a regular file, got {IRREGULAR}")
    if facts.st_size > most_bytes:
        raise UnfitFileError(f"expected a file of at most {_megabytes(most_bytes)}, got {_megabytes(facts.st_size)}")


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnfitFileError(
            f"expected UTF-8 text, got byte 0x{content[error.start]:02x} in line {line:,}; save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.3g} MB" if n_bytes < 1e9 else f"{n_bytes / 1e6:,.0f} MB"
