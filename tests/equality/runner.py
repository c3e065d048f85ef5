"""Runs commands of one checkout, each in a fork of this process: to import the libraries takes longer than a tiny report.

    python runner.py CHECKOUT

A task is a line of JSON on standard input, with ``arguments``, the ``folder`` to run in, and the files ``out`` and ``err``; the answer
is a line with the exit code. Nothing of tokviz is named but its two ways in, as all else may move. Not for
Windows, which has no forks.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.util
import json
import multiprocessing
import os
import pkgutil
import runpy
import signal
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

SECONDS = 3600
"""What takes longer is ended."""
LIBRARIES = """
accelerate jinja2 markdown_it matplotlib.backends.backend_agg matplotlib.figure PIL.ImageDraw PIL.WebPImagePlugin psutil
pydantic.json_schema pydantic.main pydantic.type_adapter safetensors.numpy safetensors.torch sklearn.decomposition tomllib torch
transformers transformers.modeling_utils transformers.models.auto.modeling_auto transformers.models.auto.tokenization_auto typer
"""
OF_DRAWING = (
    "matplotlib.backends.backend_agg matplotlib.figure PIL.Image PIL.WebPImagePlugin scipy.linalg sklearn.decomposition"
)


class _Ending:
    """Ends a process after all else that is registered for its end, without taking the libraries' memory apart."""

    def __init__(self) -> None:
        self.code = 1
        # The first that is registered is the last that is called.
        atexit.register(self.end)

    def end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def _modules_of(tokviz: ModuleSpec) -> Iterator[str]:
    """All of the checkout, whatever their names are, but what runs when it is imported."""
    for module in pkgutil.walk_packages(tokviz.submodule_search_locations, "tokviz."):
        if not module.name.endswith(".__main__"):
            yield module.name


def _next_task() -> dict[str, Any]:
    """Returns in forks only, each with its task."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            task: dict[str, Any] = json.loads(line)
            return task
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    os._exit(0)


def _enter(task: dict[str, Any]) -> None:
    os.chdir(task["folder"])
    opened = [os.open(task[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for name in ("out", "err")]
    for file, descriptor in zip((os.open(os.devnull, os.O_RDONLY), *opened), (0, 1, 2), strict=True):
        os.dup2(file, descriptor)
    signal.alarm(SECONDS)


def main(checkout: Path) -> None:
    ending = _Ending()
    # In place of this file's folder, as Python has it for the script that it runs.
    sys.path[0] = str(checkout)
    found = importlib.util.find_spec("tokviz")
    if found is None or Path(found.origin or "").parent.parent != checkout:
        raise SystemExit(f"{checkout}: expected tokviz to be imported from here, got {found and found.origin}")
    # What draws is forked from a process with its libraries, which all runs share; whether it still runs only its parent can ask.
    multiprocessing.get_context("forkserver").set_forkserver_preload(OF_DRAWING.split())
    forkserver.ensure_running()
    for module in (*LIBRARIES.split(), *_modules_of(found)):
        importlib.import_module(module)
    gc.freeze()
    print("ready", flush=True)
    task = _next_task()
    for each in (forkserver, forkserver._forkserver):
        vars(each)["ensure_running"] = lambda: None
    _enter(task)
    program, *arguments = task["arguments"]
    try:
        if program == "tokviz":
            sys.argv = [program, *arguments]
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            script = checkout / program if program == "generate.py" else Path(program)
            sys.argv = [str(script), *arguments]
            runpy.run_path(str(script), run_name="__main__")
        ending.code = 0
    except SystemExit as end:
        ending.code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
