"""The command ``tokviz`` in the process of the tests."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner, Result

from tokviz.cli.application import application


def run(*arguments: str) -> Result:
    """Exit code and output of the command with these arguments, on a plain terminal."""
    return CliRunner().invoke(application, list(arguments), env={"COLUMNS": "120", "TERM": "dumb"})


def run_in(folder: Path, *arguments: str) -> Result:
    """The same with a folder as the current one."""
    with chdir(folder):
        return run(*arguments)


def foreseen(folder: Path, *arguments: str) -> str:
    """What a dry run says of the report in a folder of which no model will fail."""
    planned = run_in(folder, "--dry-run", *arguments)
    assert planned.exit_code == 0, planned.output
    return planned.stdout
