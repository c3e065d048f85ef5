"""The command ``tokviz`` in the process of the tests."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from tokviz.cli.application import application


def run(*arguments: str) -> Result:
    """Exit code and output of the command with these arguments, on a plain terminal."""
    return CliRunner().invoke(application, list(arguments), env={"COLUMNS": "120", "TERM": "dumb"})
