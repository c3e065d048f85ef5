"""Surroundings and arguments that nobody expects: one line, exit code 1, and no wait."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer
from command import GENERATE, ROOT, done, generate, python
from invoking import run

from tokviz.cli.errors import errors_in_one_line
from tokviz.run.work import interrupts

NO_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Other systems refuse such names")
NO_TEXT = os.fsdecode(b"\xff")
CONFIG = '[words]\nnames = ["cat", "Mary", "word"]\n[[models]]\nsource = "llama"\n'
SOURCE = 'source = "llama"\n'
IRREGULAR = "a pipe, a device or the like"


@pytest.fixture
def project(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config and a tiny model, which is the current one."""
    (tmp_path / "report.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*arguments: str) -> str:
    """What is said by a command that ends with exit code 1: one line."""
    done = run(*arguments)
    assert done.exit_code == 1, done.output
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "a fault in tokviz" not in done.stderr
    return done.stderr


# --- the current folder ------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the folder that a program is in")
@pytest.mark.parametrize(
    "command",
    [(GENERATE, "--config", "/report.toml"), ("-m", "tokviz", "serve"), ("-m", "tokviz", "init")],
)
def test_a_current_folder_that_was_removed_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    made = subprocess.run(
        ["sh", "-c", 'rmdir "$0" && "$@"', str(gone), sys.executable, *command],
        cwd=gone, check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == (
        "error: expected a current folder, got one that was removed; change to another (cd), and run again\n"
    )


@pytest.mark.process
@pytest.mark.parametrize("arguments", [("--words", ""), ("--output=",)], ids=str)
def test_an_empty_path_is_not_the_current_folder(project: Path, arguments: tuple[str, ...]) -> None:
    made = generate(project, *arguments)
    option = arguments[0].removesuffix("=")
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == f"error: {option}: expected a path, got an empty one; name one, or leave the option out\n"


def test_an_empty_folder_for_a_new_report_is_not_the_current_one(project: Path) -> None:
    before = sorted(project.rglob("*"))
    assert "DIR: expected a path, got an empty one; name one" in refused("init", "")
    assert sorted(project.rglob("*")) == before


# --- variables of the environment ----------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.thorough
def test_neither_a_long_temporary_folder_nor_windows_that_matplotlib_is_to_open_end_a_run(
    project: Path, tmp_path: Path
) -> None:
    """In such a folder, as clusters make them, the address of a socket would have more than the 108 bytes that a system takes.

    The windows are those of a shell's settings that name what only an older version of matplotlib had.
    """
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    done(generate(project, "--capture-only"))
    made = generate(project, "--draft", "--jobs", "1", TMPDIR=str(folder), MPLBACKEND="Qt4Agg")
    assert "Traceback" not in made.stderr
    done(made)
    assert list(project.glob("site/images/**/*.webp"))


# --- names that are no text ----------------------------------------------------------------------------------------------


@ON_LINUX
@pytest.mark.process
def test_names_that_are_no_text_work_or_are_told(project: Path) -> None:
    folder = project / NO_TEXT
    folder.mkdir()
    shutil.copy("report.toml", folder)
    shutil.copytree("llama", folder / "llama")
    (folder / "words.toml").write_text('names = ["cat", "Mary"]\n', encoding="utf-8")
    planned = run("plan", "--words", f"{NO_TEXT}/words.toml", "--cache", f"{NO_TEXT}/cache")
    assert planned.exit_code == 0, planned.output
    assert run("schema", "--output", f"{NO_TEXT}/schema.json").exit_code == 0
    assert "none.toml': expected a TOML file, found none" in refused("plan", "--config", f"{NO_TEXT}/none.toml")
    assert "expected text in UTF-8, got " in refused("plan", "--model", f"./{NO_TEXT}/llama")
    assert "expected text in UTF-8, got " in refused("plan", "--model", f"{NO_TEXT}=llama")
    assert "expected text in UTF-8, got " in refused("models", f"./{NO_TEXT}/llama")
    elsewhere = run("models", "--config", f"{NO_TEXT}/report.toml")
    assert elsewhere.exit_code == 1
    assert "llama: expected a path of utf-8 text, as the library of tokenizers takes no other" in elsewhere.stdout


# --- what is no file -----------------------------------------------------------------------------------------------------


@NO_PIPES
@pytest.mark.process
def test_pipes_and_devices_are_never_opened(project: Path) -> None:
    os.mkfifo("pipe")
    os.mkfifo("pipe.gguf")
    for arguments in (("--config", "pipe"), ("--words", "pipe"), ("--words", "/dev/zero"), ("--words", "/dev/null")):
        assert f"expected a regular file, got {IRREGULAR}" in refused("plan", *arguments)
    for source in ("./pipe", "pipe.gguf", "/dev/zero", "/dev/null"):
        described = run("models", source)
        assert described.exit_code == 1
        assert f"got {IRREGULAR}; paths are relative to the config's folder" in described.stdout
    for output in ("pipe", "/dev/null", "/dev/full"):
        assert f"expected a file to write, or nothing, got {IRREGULAR}; name another" in refused(
            "schema", "--output", output
        )
    assert f"pipe: expected a folder, got {IRREGULAR}; move it" in refused("init", "pipe")
    Path("new").mkdir()
    os.mkfifo("new/.gitignore")
    assert f"expected a file or nothing, got {IRREGULAR}; move it" in refused("init", "new")


@NO_PIPES
@pytest.mark.parametrize(
    ("key", "name"), [("words", "words.toml"), ("intro", "intro.md"), ("font", "font.ttf"), ("theme", "theme")]
)
def test_a_pipe_that_a_config_names_is_never_opened(project: Path, key: str, name: str) -> None:
    text = CONFIG if key != "words" else CONFIG.partition("\n[[")[2].join(("[[", ""))
    Path("report.toml").write_text(f'{key} = "{name}"\n{text}', encoding="utf-8")
    os.mkfifo(name)
    assert f"got {IRREGULAR}" in refused("plan")


def test_what_can_be_no_path_is_told(project: Path) -> None:
    long = "x" * 300
    for arguments in (
        ("plan", "--config", long),
        ("plan", "--words", long),
        ("schema", "--output", long),
        ("init", long),
    ):
        assert "name too long" in refused(*arguments).lower()
    Path("loop").symlink_to("loop")
    assert "expected a folder, got a link to nothing" in refused("init", "loop")
    assert "expected a file to write, or nothing, can't write it" in refused("schema", "--output", "loop")
    assert "expected a file to write, or nothing, can't write it" in refused(
        "schema", "--output", "nowhere/schema.json"
    )


DEEP = "folder/" * 2_000
"""Longer than any system takes, in a few names that each would do."""


@pytest.mark.parametrize(
    "arguments",
    [
        *(("plan", option, DEEP) for option in ("--config", "--output", "--cache", "--words")),
        *((command, path) for command in ("init", "models") for path in (DEEP, "a\0b")),
        *((command, "--output", DEEP) for command in ("schema", "serve")),
        ("prune", "--cache", DEEP),
    ],
    ids=lambda arguments: " ".join(arguments)[:20],
)
def test_a_path_that_no_system_takes_is_one_short_line(project: Path, arguments: tuple[str, ...]) -> None:
    before = sorted(project.rglob("*"))
    said = refused(*arguments)
    assert "expected" in said
    assert len(said) < 320
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("option", ["--output", "--cache"])
def test_a_path_without_room_below_it_is_told_before_any_work(project: Path, option: str) -> None:
    """Folders of it could be made, but not the files in them."""
    assert "expected a path with room for what is written below it" in refused("build", option, "f/" * 1_900)
    assert not Path("f").exists()


@pytest.mark.process
@pytest.mark.parametrize("key", ["source", "tokenizer"])
def test_what_is_said_of_a_source_with_a_long_path_is_short(project: Path, key: str) -> None:
    table = f'[[models]]\nname = "One"\n{"" if key == "source" else SOURCE}{key} = "./{DEEP[:3_900]}x"\n'
    Path("report.toml").write_text(CONFIG.partition("[[")[0] + table, encoding="utf-8")
    for command in ("plan", "models", "build"):
        done = run(command)
        assert done.exit_code == 1
        lines = done.output.splitlines()
        assert any("expected a folder" in line for line in lines)
        assert max(map(len, lines)) < 450


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other permissions")
def test_a_closed_folder_is_told(llama: Path) -> None:
    """By a user whom permissions bind: tests may be run by the one whom none does, who alone may enter pytest's folder."""
    with TemporaryDirectory() as project:
        Path(project).chmod(0o755)
        _require_told(Path(project), llama)


@pytest.mark.process
@pytest.mark.thorough
def test_nothing_is_imported_from_a_models_folder_that_is_the_current_one(llama: Path, tmp_path: Path) -> None:
    """By the processes that draw, which begin before anything is imported."""
    (tmp_path / "words.json").write_text('{"names": ["cat", "Mary", "word"]}')
    places = {"--words": "words.json", "--output": "site", "--cache": "cache"}
    arguments = ["--model", ".", *(each for name, place in places.items() for each in (name, str(tmp_path / place)))]
    done(generate(llama, *arguments, "--capture-only"))  # with PyTorch, which is not what this is about
    (llama / "selectors.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise SystemExit")
    done(python(GENERATE, *arguments, "--draft", "--jobs", "1", folder=llama))
    assert list(tmp_path.glob("site/images/**/*.webp"))
    assert not (tmp_path / "ran").exists()


def _require_told(project: Path, llama: Path) -> None:
    closed = project / "closed"
    shutil.copytree(llama, closed / "llama")
    closed.chmod(0)
    code = (
        "import multiprocessing.popen_fork, os, psutil, sys, tokviz.cli.application, tokviz.cli.looking, tokviz.run.work.interrupts; "
        "os.geteuid() or os.setuid(65534); "
        "from tokviz.__main__ import main; main()"
    )
    try:
        for arguments, said in (
            (("init", "closed/new"), f"{closed}: expected to be allowed to write there"),
            (("models", "./closed/llama"), "got what can't be looked at (Permission denied)"),
            (("models", "./closed"), "expected a folder that may be read, got a closed one; change its permissions"),
        ):
            made = python("-c", code, *arguments, folder=project)
            assert made.returncode == 1
            assert said in made.stdout + made.stderr
            assert "a fault in tokviz" not in made.stderr
    finally:
        closed.chmod(0o700)


# --- dates ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["-1", "1.5", "text", "١٢", "1_000", "253402300800", "9" * 5_000])
def test_a_mistaken_date_is_told_before_any_work(project: Path, monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    for command in ("plan", "build"):
        said = refused(command)
        assert said.startswith("error: SOURCE_DATE_EPOCH: expected seconds since 1970, got ")
        assert len(said) < 200
    assert date != "text" or said.endswith(", got 'text'; correct or unset it\n")


@pytest.mark.parametrize("date", ["", " ", "0", "253402300799"])
def test_any_other_date_is_taken_and_an_empty_one_is_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    assert run("plan").exit_code == 0
    assert os.environ.get("SOURCE_DATE_EPOCH", "") == date.strip(), "libraries read it, too"


# --- what is no fault ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EACCES, "Permission denied", "some/where"),
            "some/where: expected to read or write there, can't: ",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "the system refused: Too many open files; "),
        (MemoryError(), "expected more memory than there is; "),
        (ValueError("odd"), "a fault in tokviz: ValueError: odd; please report it"),
    ],
)
def test_what_a_machine_refuses_is_no_fault_of_tokviz(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit), errors_in_one_line(debug=False):
        raise error
    assert capsys.readouterr().err.startswith(f"error: {said}")


def test_what_a_library_makes_of_a_signal_is_no_fault_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_struck", interrupts.Interrupted(2))
    with pytest.raises(RuntimeError), errors_in_one_line(debug=False):
        raise RuntimeError("Error calling __set_name__")
