"""Loaded by Python itself in a run that a trial watches: logs what changes files, and strikes at the moment asked for.

The command stays ``python generate.py``: this folder stands in ``PYTHONPATH``, and ``TOKVIZ_WATCH`` says what to do (a
JSON object with ``log``, ``root``, ``stage``, ``nth``, ``signal``, ``torn``). Other processes of the run aren't watched.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import time
from pathlib import Path
from typing import Any

_STAGES = (
    (r"/\.[^/]*\.tokviz-[^/]*/old(/|$)", "emptying the old site"),
    (r"/\.[^/]*\.tokviz-[^/]*/(new|tokviz\.json)(/|$)", "writing the site"),
    (r"/\.[^/]*\.tokviz-[^/]*$", "writing the site"),
    (r"/locks(/|$)|\.lock$", "locking"),
    (r"/reports(/|$)", "noting the use"),
    (r"/states(/|$)", "capturing"),
    (r"/projections(/|$)", "projecting"),
    (r"/measures(/|$)", "measuring"),
    (r"/fonts(/|$)", "keeping fonts"),
    (r"/images(/|$)", "drawing"),
)
_PATTERNS = [(re.compile(pattern), stage) for pattern, stage in _STAGES]
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_DIRECTORY_ARGUMENT = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2, "os.rename": 2}
"""Where these events have the descriptor of the folder that a relative path starts from."""


class Watch:
    """Counts the events below a folder by stage."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked
        self._log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._counts: dict[str, int] = {}
        self._stage_now = "start"
        self._inside = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._inside or (event != "import" and event != "open" and event not in _DIRECTORY_ARGUMENT):
            return
        self._inside = True
        try:
            if event == "import":
                if arguments[0] in ("tokviz.cli", "torch"):
                    self._happened("start" if arguments[0] != "torch" else "loading", event, str(arguments[0]))
            elif (path := _path(event, arguments)) is not None and path.startswith(self._asked["root"]):
                self._happened(self._stage(event, path, arguments), event, path)
        finally:
            self._inside = False

    def _stage(self, event: str, path: str, arguments: tuple[Any, ...]) -> str:
        if event == "os.rename" and Path(path).is_dir():
            target = os.fspath(arguments[1])
            # site → old, or new → site; what is moved out of the old site is further down.
            if re.search(r"\.tokviz-[^/]*/old$", target) or re.search(r"\.tokviz-[^/]*/new$", path):
                return "swapping"
        if event in ("os.remove", "os.rmdir") and re.search(r"/\.[^/]*\.tokviz-", path):
            return "emptying the old site"
        return next((stage for pattern, stage in _PATTERNS if pattern.search(path)), self._stage_now)

    def _happened(self, stage: str, event: str, path: str) -> None:
        if stage != "locking":  # taken and released in the midst of others
            self._stage_now = stage
        self._counts[stage] = self._counts.get(stage, 0) + 1
        strikes = stage == self._asked["stage"] and self._counts[stage] == self._asked["nth"]
        line = f"{time.monotonic()}\t{stage}\t{event}\t{path}\t{'struck' if strikes else ''}\n"
        os.write(self._log, line.encode())
        if strikes:
            if self._asked["torn"] and event == "open":
                _tear(path)
            os.kill(os.getpid(), self._asked["signal"])


def _tear(path: str) -> None:
    """Leave the file that is about to be written half-written."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, b"half")
    os.close(file)


def _path(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Absolute, of what is changed; None where nothing is."""
    first = arguments[0]
    if event == "open":
        writes = isinstance(first, (str, bytes, os.PathLike)) and arguments[2] & _WRITING
        if not writes:
            return None
    path = os.fsdecode(first) if not isinstance(first, int) else ""
    folder = arguments[_DIRECTORY_ARGUMENT[event]] if event in _DIRECTORY_ARGUMENT else -1
    if isinstance(folder, int) and folder >= 0:
        return str(Path(f"/proc/self/fd/{folder}").readlink() / path)
    return str(Path(path).absolute())


if any(argument.endswith("generate.py") for argument in sys.orig_argv) and "multiprocessing" not in sys.orig_argv[-1]:
    if "TOKVIZ_FAULT" in os.environ:  # the tests of the trials plant one, to see that it is found
        runpy.run_path(os.environ["TOKVIZ_FAULT"])
    if "TOKVIZ_WATCH" in os.environ:
        sys.addaudithook(Watch(json.loads(os.environ["TOKVIZ_WATCH"])))
