"""The worst that can stand where the command reads: told in short lines, with little time and memory, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import warm

from tokviz.config.fields import LONGEST_MARKDOWN
from tokviz.config.files import LARGEST_TOML

MOST_TIMES = 100
"""As long as a command that only says its version, of the processor; each case takes less than 40 times as long when alone."""
MOST_MEMORY = 500
"""MB beyond those of that command."""
WORDS = '[words]\nmonths = ["May"]\n'
MODEL = '[[models]]\nsource = "org/one"\n'
VALID = WORDS + MODEL

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.process,
    pytest.mark.skipif(not warm.CAN_FORK, reason="only a run that is forked says what it took"),
]


def ran(folder: Path, *arguments: str | bytes) -> warm.Ran:
    return warm.run([os.fsdecode(argument) for argument in arguments], folder, dict(os.environ))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> warm.Ran:
    return ran(tmp_path_factory.mktemp("usual"), "--version")


def filled(unit: str, size: int) -> str:
    return unit * (size // len(unit))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000_000)


Made = str | bytes | Callable[[Path], object] | None
FILL = LARGEST_TOML - 200
CONFIGS: dict[str, tuple[Made, str]] = {
    "none": (None, "found none; make one with tokviz init"),
    "a folder": (Path.mkdir, "got a folder"),
    "a pipe": (os.mkfifo, "got a pipe"),
    "a device": (device, "got a pipe, a device"),
    "a file of 50 GB": (sparse, "at most 1 MB, got 50,000 MB"),
    "no UTF-8": (b'title = "\xff"\n' + VALID.encode(), "got byte 0xff in line 1"),
    "a surrogate": (b'title = "\xed\xa0\x80"\n' + VALID.encode(), "got byte 0xed"),
    "NUL": (b"\0" + VALID.encode(), "not valid TOML"),
    "a NUL in a path": ('intro = "a\\u0000.md"\n' + VALID, "intro: 'a\\x00.md': expected the path of a file"),
    "5,000 digits": (f"token_budget = {'9' * 5_000}\n{VALID}", "4,300 digits"),
    "5,000 hexadecimal digits": (f"token_budget = 0x{'f' * 5_000}\n{VALID}", "got a number of 20,000 bits"),
    "5,000 brackets": (f"title = {'[' * 5_000}\n{VALID}", "brackets within each other"),
    "20 brackets": (f"title = {'[' * 20}{']' * 20}\n{VALID}", "title: expected text in quotes"),
    "a key of 50,000 parts": (f"{'a.' * 50_000}a = 1\n{VALID}", "parts of a dotted key"),
    "many short numbers": (f"[words]\nmonths = [{filled('1,', FILL)}]\n{MODEL}", "at most 50,000 words"),
    "many wrong words": (f"[words]\nmonths = [{filled('1,', 90_000)}]\n{MODEL}", "and 44,980 more"),
    "many unknown keys": ("".join(f"k{index} = 1\n" for index in range(80_000)) + VALID, "and 79,980 more"),
    "a title of 1 MB": (f'title = "{filled("x", FILL)}"\n{VALID}', "at most 1,000 characters, got 999,800"),
    "names of 50,000 characters": (f'{WORDS}{MODEL}name = "{"x" * 50_000}"\n', "at most 200 characters"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_hostile_config_is_told(tmp_path: Path, usual: warm.Ran, name: str) -> None:
    made, said = CONFIGS[name]
    put(tmp_path / "report.toml", made)
    check(tmp_path, usual, said)


@pytest.mark.parametrize(
    "made", [Path.mkdir, os.mkfifo, device, sparse, b"\xff"], ids=["folder", "pipe", "device", "large", "bytes"]
)
@pytest.mark.parametrize("name", ["words.toml", "note.md"])
def test_a_hostile_file_that_a_config_names_is_told(tmp_path: Path, usual: warm.Ran, name: str, made: Made) -> None:
    put(
        tmp_path / "report.toml",
        f'words = "words.toml"\n{MODEL}' if name == "words.toml" else f'{VALID}note = "note.md"\n',
    )
    put(tmp_path / name, made)
    check(tmp_path, usual, f"{name}: expected")


@pytest.mark.parametrize(
    "address", ["foo", "https://", "http://[", "https://a b/", "https://a/\n", "https://a/?x", b"https://\xff/"]
)
def test_an_address_that_is_none_is_told(tmp_path: Path, usual: warm.Ran, address: str | bytes) -> None:
    put(tmp_path / "report.toml", VALID)
    check(tmp_path, usual, "error: --site-url: expected ", "--site-url", address)


def test_the_worst_note_is_told_soon(tmp_path: Path, usual: warm.Ran) -> None:
    """Brackets take a parser of Markdown longest."""
    put(tmp_path / "report.toml", f'{VALID}note = "note.md"\n')
    put(tmp_path / "note.md", filled("![", LONGEST_MARKDOWN - 20) + "\n\n![x](//x.org/a)")
    check(tmp_path, usual, "expected images of this report")


def put(path: Path, made: Made) -> None:
    if isinstance(made, str | bytes):
        path.write_bytes(made if isinstance(made, bytes) else made.encode())
    elif made is not None:
        made(path)


def check(folder: Path, usual: warm.Ran, said: str, *arguments: str | bytes) -> None:
    before = set(folder.iterdir())
    made = ran(folder, *arguments)
    errors = made.stderr
    assert made.returncode == 1, errors
    assert "Traceback" not in errors
    assert errors.startswith("error: ")
    assert said in errors
    assert all(len(line) <= 300 for line in errors.removeprefix("error: ").split("\n"))
    assert made.peak - usual.peak < MOST_MEMORY
    assert made.seconds < MOST_TIMES * usual.seconds
    assert set(folder.iterdir()) == before
