"""Streams that can't be written, and encodings that lack characters: one line, the right exit code, and whole files."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import ROOT

from tokviz.cli import entry, streams

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="The streams are made by a POSIX shell"),
]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has /dev/full")
GENERATE = (str(ROOT / "generate.py"),)
TOKVIZ = ("-m", "tokviz")
BUILT = """
from tokviz.run import pipeline
def run(report, options, progress):
    progress.say("Writing site …")
    return pipeline.Outcome(place=options.output / "index.html", n_models=1, failures=(), n_captured=0, n_drawn=0, n_images=8)
pipeline.run = run
from tokviz.cli import run
run()
"""
"""A build that is over at once."""
SAID = "site/index.html: 1 model, 8 images (0 new captures, 0 new images)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A config in a folder with letters beyond Latin."""
    folder = tmp_path / "é漢"
    folder.mkdir()
    (folder / "report.toml").write_text('[words]\nnames = ["cat"]\n[[models]]\nsource = "org/name"\n', encoding="utf-8")
    return folder


def run(
    project: Path, redirected: str, *command: str | bytes, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """A command of which a shell has redirected streams."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirected}', "sh", sys.executable, *command],
        cwd=project, check=False, capture_output=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1700000000", **environment},
    )  # fmt: skip


def lost(reason: str) -> str:
    return f"error: can't write to standard output: {reason}"


# --- standard output ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("redirected", "reason"),
    [
        pytest.param(">/dev/full", "No space left on device", marks=ON_LINUX),
        (">&-", "it is closed"),
    ],
)
def test_a_report_that_nobody_can_be_told_of_stands(project: Path, redirected: str, reason: str) -> None:
    made = run(project, redirected, "-c", BUILT)
    assert (made.returncode, made.stderr.decode()) == (
        1,
        f"Writing site …\n{lost(reason)}; the report stands in site\n",
    )


def test_a_reader_that_has_ended_is_told_of(project: Path) -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    command = [sys.executable, *GENERATE, "--dry-run"]
    made = subprocess.run(command, cwd=project, check=False, stdout=ours, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(ours)
    assert (made.returncode, made.stderr) == (1, f"{lost('Broken pipe')}\n")


@ON_LINUX
@pytest.mark.parametrize(
    ("command", "stands"),
    [
        ((*TOKVIZ, "--help"), ""),
        ((*TOKVIZ, "prune"), "; pruning itself is done"),
        ((*TOKVIZ, "init", "new"), "; the files are written, in new"),
    ],
)
def test_what_no_command_can_say_is_told(project: Path, command: tuple[str, ...], stands: str) -> None:
    made = run(project, ">/dev/full", *command)
    assert (made.returncode, made.stderr.decode()) == (1, f"{lost('No space left on device')}{stands}\n")


def test_what_is_not_said_cant_be_lost(project: Path) -> None:
    made = run(project, ">&- <&-", "-c", BUILT, "--quiet")
    assert (made.returncode, made.stderr) == (0, b"")


# --- standard error ----------------------------------------------------------------------------------------------------


@ON_LINUX
def test_without_room_for_standard_error_the_exit_code_is_that_of_the_work(project: Path) -> None:
    made = run(project, "2>/dev/full", "-c", BUILT)
    assert (made.returncode, made.stdout.decode()) == (0, SAID)


def test_without_standard_error_nothing_of_it_goes_elsewhere(project: Path) -> None:
    refused = run(project, "2>&-", *TOKVIZ, "plan", "--words", "none.toml")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, b"", b"")


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os; from tokviz.cli import streams; streams.prepare(); file = open('kept', 'wb', buffering=0); "
        "[os.write(number, b'of a library') for number in (0, 1, 2)]; file.write(str(file.fileno()).encode())"
    )
    made = run(tmp_path, "<&- >&- 2>&-", "-c", code)
    assert made.returncode == 0
    assert int((tmp_path / "kept").read_text()) > 2


# --- encodings and names -----------------------------------------------------------------------------------------------

IN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii:strict"}, IN_C], ids=["ascii", "C"])
def test_whatever_the_encoding_every_name_is_printed(project: Path, environment: dict[str, str]) -> None:
    output = "漢".encode() + (b"\xff" if sys.platform == "linux" else b"")  # other systems refuse what is no text
    planned = run(project, "", *TOKVIZ, "plan", "--output", output, **environment)
    assert planned.returncode == 0, planned.stderr
    assert b"name (org/name)" in planned.stdout.splitlines()
    refused = run(project, "", *GENERATE, "--output", output, "--words", output + b".toml", **environment)
    assert refused.returncode == 1
    assert refused.stderr.isascii()
    assert re.fullmatch(rb"error: .*\.toml'?: expected a TOML file, found none; .*\n", refused.stderr)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_written_as_code_points(tmp_path: Path, encoding: str) -> None:
    with (tmp_path / "said").open("w", encoding=encoding) as file:
        firm = streams._firm(file, streams._Told)
        print("a é 漢 \udcff …", file=firm, flush=True)
    said = (tmp_path / "said").read_text(encoding)
    assert said.startswith("a ")
    assert "\\udcff" in said
    assert ("\\u6f22" in said) == (encoding != "utf-8")


# --- what is beneath -----------------------------------------------------------------------------------------------------


def test_a_pipe_that_does_not_wait_gets_everything() -> None:
    """Node and some terminals make the pipes of what they start so."""
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)
    text = "a line of some length\n" * 20_000
    got: list[bytes] = []
    reader = threading.Thread(target=read_slowly, args=(theirs, got))
    reader.start()
    with os.fdopen(ours, "w") as file:
        firm = streams._firm(file, streams._Told)
        firm.write(text)
        firm.flush()
    reader.join(30)
    assert b"".join(got).decode() == text


def read_slowly(number: int, got: list[bytes]) -> None:
    time.sleep(0.2)
    with os.fdopen(number, "rb") as file:
        while part := file.read(1 << 16):
            got.append(part)


def test_after_a_failure_nothing_more_is_tried(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb", buffering=0) as raw:
        firm = io.TextIOWrapper(io.BufferedWriter(streams._Told(raw)))
        firm.write("lost")
        with pytest.raises(streams.OutputError):
            firm.flush()
        firm.write("lost, too")
        firm.close()


def missing(_: str) -> None:
    raise ModuleNotFoundError("No module named 'typer'", name="typer")


def test_a_python_without_the_packages_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streams, "prepare", lambda: None)
    monkeypatch.setattr(entry, "import_module", missing)
    with pytest.raises(SystemExit) as ended:
        entry.run()
    assert ended.value.code == 1
    assert "expected the packages that tokviz needs, found no typer; install them" in capsys.readouterr().err


def test_an_older_python_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(streams, "prepare", lambda: None)
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit):
        entry.run()
    assert "expected Python 3.11 or newer, got " in capsys.readouterr().err


def test_a_label_turns_no_line_of_a_terminal_around(project: Path) -> None:
    """A folder may have any name, and so may the model in it."""
    (project / "report.toml").write_text(
        '[words]\nnames = ["cat"]\n[[models]]\nsource = "./a\\u202Eb"\nname = "שלום\\u200F"\n', encoding="utf-8"
    )
    for arguments in (("models",), ("build", "--words", "no\u2067ne.toml"), ("init", "\u2066x"), ("plan",)):
        done = run(project, "", *TOKVIZ, *arguments, PYTHONUTF8="1")
        said = (done.stdout + done.stderr).decode()
        assert "⟨U+" in said or "\\u2067" in said
        assert not re.search("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]", said)
    assert "שלום" in done.stdout.decode()
