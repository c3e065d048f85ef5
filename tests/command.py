"""The command, as tests run it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import warm

ROOT = Path(__file__).parent.parent
GENERATE = str(ROOT / "generate.py")

CONFIG = """
title = "A test"
projections = ["standardized", "centered"]
plate_size = [750, 600] # drawn in less time

[words]
people = ["James", "Mary", "doctor", "nurse"]
times = ["January", "February", "Tuesday"]
rare = ["firefighter"]

[[contexts]]
name = "alone"
template = " {word}"

[[contexts]]
name = "sentence"
label = "in a sentence"
template = "The word is {word}"
"""

SMALL_CONFIG = """
projections = ["standardized"]
plate_size = [750, 600]
[words]
people = ["James", "Mary", "doctor", "nurse"]
times = ["January", "February", "Tuesday"]
[[contexts]]
name = "sentence"
template = "The word is {word}"
"""
A_DATE = {"SOURCE_DATE_EPOCH": "1700000000"}
COMMAND_IS_IN = {"method/index.html", "data/report.json", "data/manifest.json"}
"""Files that differ between two commands that make the same report."""


def python(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python that begins as a user's does, with tokviz in its path: a script, or code after ``-c``."""
    values = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=values, timeout=300)


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The modules that Python has after it ran some code."""
    return set(done(python("-c", f"{code}\nimport sys; print(*sys.modules)", *arguments)).split())


def generate(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python generate.py`` in ``folder``; in a process of its own from the beginning where ``environment`` is given."""
    if warm.CAN_FORK and not environment:
        return warm.run(list(arguments), folder, {**os.environ, **A_DATE})
    return python(GENERATE, *arguments, folder=folder, **A_DATE | environment)


def generate_forked(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same with variables that nothing reads before the command does, nor the processes that draw."""
    if warm.CAN_FORK:
        return warm.run(list(arguments), folder, {**os.environ, **A_DATE, **environment})
    return generate(folder, *arguments, **environment)


def generate_blank(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same with blank pictures, where what is drawn in them is of no concern; drawn where processes can't be forked."""
    if warm.CAN_FORK:
        return warm.run(list(arguments), folder, {**os.environ, **A_DATE}, blank=True)
    return generate(folder, *arguments)


def done(ran: subprocess.CompletedProcess[str]) -> str:
    """What was printed by a command that ended well."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def differing(a: Path, b: Path) -> set[str]:
    first, second = hashes(a), hashes(b)
    return {path for path in first | second if first.get(path) != second.get(path)}


Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], seconds: float) -> Found:
    latest = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < latest:
        time.sleep(0.05)
    return found
