"""``python generate.py`` as a fork of a process that has imported its libraries already, which takes longer than most runs.

There is one such process for all that run tests side by side, which listens at a socket. The processes that draw are forked from one process with their libraries, too, which all runs share; a user's run starts its own.
tokviz is imported with the libraries; that a run loads no more than it needs, and does so from the first line on, is tested with
processes that begin as a user's do. Where processes can't be forked, where coverage is
counted, and for what is read as Python starts, tests start the command as users do.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import psutil
from filelock import FileLock

SCRIPT = Path(__file__).parent.parent / "generate.py"
LIBRARIES = """
accelerate jinja2 markdown_it matplotlib.backends.backend_agg matplotlib.figure PIL.ImageDraw PIL.WebPImagePlugin psutil
pydantic.json_schema pydantic.main pydantic.type_adapter safetensors.numpy safetensors.torch sklearn.decomposition tomllib torch
transformers transformers.modeling_utils transformers.models.auto.modeling_auto transformers.models.auto.tokenization_auto typer
"""
OF_DRAWING = """
matplotlib.backends.backend_agg matplotlib.figure PIL.Image PIL.WebPImagePlugin scipy.linalg scipy.spatial.distance scipy.special
sklearn.decomposition sklearn.preprocessing tokviz.draw tokviz.measure tokviz.run.pipeline
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


_server: subprocess.Popen[bytes] | None = None


def run(
    arguments: list[str], folder: Path, environment: dict[str, str], *, blank: bool = False, script: Path = SCRIPT
) -> Ran:
    """Run the command, or another script, in a folder; ``blank`` leaves its pictures so, and starts no processes to draw them."""
    sys.audit(STARTS)
    with TemporaryDirectory() as written, _connect() as connection:
        out, err = Path(written, "out"), Path(written, "err")
        task = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "out": str(out),
            "err": str(err),
            "blank": blank,
            "script": str(script),
        }
        connection.sendall(f"{json.dumps(task)}\n".encode())
        code, seconds, kilobytes = connection.makefile().readline().split()
        if int(code) == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(arguments, SECONDS)
        ran = Ran(arguments, int(code), out.read_text("utf-8"), err.read_text("utf-8"))
        ran.seconds, ran.peak = float(seconds), int(kilobytes) / 1e3
        return ran


def _connect() -> socket.socket:
    """To the server, which the first process that needs it starts for all others."""
    global _server
    is_one_of_several = "PYTEST_XDIST_TESTRUNUID" in os.environ
    lives_with = os.getppid() if is_one_of_several else os.getpid()
    address = Path(gettempdir(), f"tokviz-warm-{lives_with}-{psutil.Process(lives_with).create_time():.2f}")
    with FileLock(f"{address}.lock"):
        with suppress(FileNotFoundError, ConnectionRefusedError):
            return _connected(address)
        address.unlink(missing_ok=True)
        command = [sys.executable, __file__, str(address), str(lives_with)]
        # A session of its own: an interrupt of the tests is not for it.
        _server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=SCRIPT.parent, start_new_session=True
        )
        assert _server.stdout is not None
        _server.stdout.readline()  # it listens
        return _connected(address)


def _connected(address: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def _fork_for_each_task(listener: socket.socket, lives_with: int) -> dict[str, Any]:
    """Returns in the processes that are forked, each with its task; the server ends with the process that it lives with."""
    while psutil.pid_exists(lives_with):
        # What has answered its task is gone.
        os.waitpid(-1, os.WNOHANG)
        if not select.select([listener], [], [], 2)[0]:
            continue
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        listener.close()
        task: dict[str, Any] = json.loads(connection.makefile().readline())
        process = os.fork()
        if process == 0:
            connection.close()
            return task
        _answer(connection, process)
    address = listener.getsockname()
    for file in (address, f"{address}.lock"):
        Path(file).unlink(missing_ok=True)
    raise SystemExit


def _answer(connection: socket.socket, process: int) -> None:
    """With exit code, seconds and peak, once the task has ended; one that never does is ended."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGALRM))
    signal.alarm(SECONDS)
    _, status, used = os.wait4(process, 0)
    code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
    with suppress(OSError):
        connection.sendall(f"{code} {seconds} {used.ru_maxrss}\n".encode())
    os._exit(0)


def _modules_of_a_run() -> Iterator[str]:
    """tokviz, but for the other ways in; what draws is in processes of its own."""
    tokviz = importlib.import_module("tokviz")
    for module in pkgutil.walk_packages(tokviz.__path__, "tokviz."):
        if not module.name.startswith(("tokviz.__main__", "tokviz.notebook", "tokviz.serve", "tokviz.starters")):
            yield module.name


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


def main(address: Path, lives_with: int) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen()
    print("listening", flush=True)
    ending = _Ending()
    import resource  # not for Windows, nor is the next
    from multiprocessing import forkserver

    # The folder of this file, which Python puts first, is not on the command's path.
    sys.path[0] = str(SCRIPT.parent)
    multiprocessing.get_context("forkserver").set_forkserver_preload(OF_DRAWING.split())
    forkserver.ensure_running()
    for library in (*LIBRARIES.split(), *_modules_of_a_run()):
        importlib.import_module(library)
    sys.path.append(str(Path(__file__).parent))
    at_once = importlib.import_module("at_once")
    sys.path.pop()
    # As it ends, each run would look through all that was imported here, and copy it: longer than many a run takes.
    gc.freeze()
    task = _fork_for_each_task(listener, lives_with)
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
    if os.environ.get("HF_HUB_OFFLINE"):  # read as the library is imported
        importlib.import_module("huggingface_hub.constants").HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
    if task["blank"]:
        pipeline = importlib.import_module("tokviz.run.pipeline")
        vars(pipeline)["_start"] = at_once.begin
    sys.argv = [task["script"], *task["arguments"]]
    # Python does so as it starts.
    sys.orig_argv = [sys.executable, *sys.argv]
    for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        if folder and Path(folder, "sitecustomize.py").is_file():
            runpy.run_path(str(Path(folder, "sitecustomize.py")))
    try:
        runpy.run_path(task["script"], run_name="__main__")
        ending.code = 0
    except SystemExit as end:
        ending.code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
