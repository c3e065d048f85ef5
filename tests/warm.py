"""``python generate.py`` as a fork of a process that has imported its libraries already, which takes longer than most runs.

The processes that draw are forked from one process with their libraries, too, which all runs share; a user's run starts its own.
Nothing of tokviz is among the libraries: each run imports it from its files. Where processes can't be forked, where coverage is
counted, and for what is read as Python starts, tests start the command as users do.
"""

from __future__ import annotations

import atexit
import gc
import json
import multiprocessing
import os
import runpy
import select
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SCRIPT = Path(__file__).parent.parent / "generate.py"
LIBRARIES = """
accelerate jinja2 markdown_it matplotlib.backends.backend_agg matplotlib.figure PIL.ImageDraw PIL.WebPImagePlugin psutil
pydantic.json_schema pydantic.main pydantic.type_adapter safetensors.numpy safetensors.torch sklearn.decomposition tomllib torch
transformers transformers.modeling_utils transformers.models.auto.modeling_auto transformers.models.auto.tokenization_auto typer
"""
OF_DRAWING = """
matplotlib.backends.backend_agg matplotlib.figure PIL.Image PIL.WebPImagePlugin scipy.linalg scipy.spatial.distance scipy.special
sklearn.decomposition sklearn.preprocessing
"""
COUNTS_COVERAGE = any(name.startswith(("COV_CORE", "COVERAGE_PROCESS")) for name in os.environ)
CAN_FORK = sys.platform == "linux" and not COUNTS_COVERAGE
SECONDS = 300
STARTS = "tokviz.tests.warm"
"""The audit event of each run: the server may have been started by an earlier test, and forks where no audit hook sees it."""


class Ran(subprocess.CompletedProcess[str]):
    """What ``subprocess.run`` returns, and what the process took."""

    seconds: float
    """Of the processor."""
    peak: float
    """Of memory, in MB: that of the server, which each run begins with, included."""


_server: subprocess.Popen[str] | None = None


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> Ran:
    """Run the command in a folder."""
    sys.audit(STARTS)
    server = _running_server()
    assert server.stdin is not None
    assert server.stdout is not None
    with TemporaryDirectory() as written:
        out, err = Path(written, "out"), Path(written, "err")
        task = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "out": str(out),
            "err": str(err),
        }
        print(json.dumps(task), file=server.stdin, flush=True)
        if not select.select([server.stdout], [], [], SECONDS)[0]:
            server.kill()
            raise subprocess.TimeoutExpired(arguments, SECONDS)
        code, seconds, kilobytes = server.stdout.readline().split()
        ran = Ran(arguments, int(code), out.read_text("utf-8"), err.read_text("utf-8"))
        ran.seconds, ran.peak = float(seconds), int(kilobytes) / 1e3
        return ran


def _running_server() -> subprocess.Popen[str]:
    global _server
    if _server is None or _server.poll() is not None:
        _server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=SCRIPT.parent
        )
        atexit.register(_server.kill)
    return _server


def _fork_for_each_task() -> dict[str, Any]:
    """Returns in the processes that are forked, each with its task; the parent answers with exit code, seconds and peak."""
    for line in sys.stdin:
        task: dict[str, Any] = json.loads(line)
        process = os.fork()
        if process == 0:
            return task
        _, status, used = os.wait4(process, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss, flush=True)
    raise SystemExit


class _Ending:
    """Ends a process after all that is registered for its end, without the libraries' memory being taken apart, which takes longest."""

    def __init__(self) -> None:
        self.code = 1
        # The first that is registered is the last that is called.
        atexit.register(self.end)

    def end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def main() -> None:
    ending = _Ending()
    import resource  # not for Windows, nor is the next
    from multiprocessing import forkserver

    multiprocessing.get_context("forkserver").set_forkserver_preload(OF_DRAWING.split())
    forkserver.ensure_running()
    for library in LIBRARIES.split():
        __import__(library)
    # As it ends, each run would look through all that was imported here, and copy it: longer than many a run takes.
    gc.freeze()
    # The folder of this file, which Python puts first, is not on the command's path.
    sys.path[0] = str(SCRIPT.parent)
    task = _fork_for_each_task()
    # It runs; to ask whether it still does is only possible in its parent.
    for each in (forkserver, forkserver._forkserver):
        vars(each)["ensure_running"] = lambda: None
    # What never ends is ended though the server is no more.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    for name, descriptor in (("out", 1), ("err", 2)):
        file = os.open(task[name], os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = [str(SCRIPT), *task["arguments"]]
    try:
        runpy.run_path(str(SCRIPT), run_name="__main__")
        ending.code = 0
    except SystemExit as end:
        ending.code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


if __name__ == "__main__":
    main()
