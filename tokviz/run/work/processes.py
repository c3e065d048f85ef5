"""Where independent work runs: an executor with the interface of ``concurrent.futures``.

Processes of this machine, or the workers of a Dask or Ray cluster, which do the distributing. Work that was lost with its
worker is done again, by any other worker, a few times.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from tokviz.errors import BackendError, LostWorkError, UnguardedScriptError

MOST_RESTARTS = 3
"""How many times local processes are restarted, and how many times Ray repeats lost work; Dask has a setting of its own,
``distributed.scheduler.allowed-failures``, and the same default."""

_OF_PROCESSES = {"PYTHONSAFEPATH": "1", "MPLBACKEND": "agg"}
"""They import nothing from the current folder, which may be a model's; and open no windows, by whatever a user has set for them, which
may be of another version of Matplotlib."""

Describe = Callable[[], tuple[str, ...]]
"""Gives what must be alike on a worker and here."""


_FILES, _FILES_PER_PROCESS = 32, 4
"""Files that a run has open at least, and pipes to each of its processes."""


def require_open_files(jobs: int) -> None:
    """Have this process open as many files as a run takes; raises ``BackendError`` where the system doesn't let it.

    Without them it would wait for processes that can't start.
    """
    try:
        import resource  # not for Windows, which has no such limit
    except ImportError:
        return
    needed = _FILES + _FILES_PER_PROCESS * jobs
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise BackendError(
            f"expected a system that lets a run open {needed} files at once, got a limit of {hard}; raise it (ulimit -n), or take a "
            "smaller --jobs"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def default_jobs() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


# --- processes of this machine -----------------------------------------------------------------------------------


class Processes(Executor):
    """A pool that is restarted when one of its processes dies; what wasn't done then is done again.

    The processes begin at once, so that they are ready when the first work comes. They are never forked from this one,
    whose threads (torch's, for one) could leave a fork in a deadlock. On Linux they are forked from a process that has
    loaded ``libraries`` and does nothing else, which takes one import instead of one each; elsewhere they are spawned.

    Raises
    ------
    UnguardedScriptError : the script that runs would run once more in each process.
    """

    def __init__(self, jobs: int, libraries: Sequence[str] = (), prepare: Callable[[], None] | None = None) -> None:
        if line := unguarded_line():
            raise UnguardedScriptError(
                f'{line}: expected it below `if __name__ == "__main__":`; the processes that are started import this '
                "script, and would begin its work again"
            )
        self.jobs = jobs
        self._begin = (tuple(libraries), prepare)
        self._lock = threading.Lock()
        self._n_restarts = 0
        self._closed = False
        with children_ignore_interrupts():
            self._context = _context(libraries)
            self._pool = self._new_pool()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        self._send(outer, fn, args, kwargs)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _new_pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(self.jobs, mp_context=self._context, initializer=_begin, initargs=self._begin)
        if self._context.get_start_method() == "forkserver":
            # Who asks for a fork waits until the libraries are loaded; this process has other things to do meanwhile.
            threading.Thread(target=_fill, args=(pool, self.jobs), daemon=True).start()
        else:
            _fill(pool, self.jobs)
        return pool

    def _send(self, outer: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
        with self._lock:
            pool = self._pool
            try:
                inner = pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool as error:
                inner = Future()
                inner.set_exception(error)

        def hand_on(done: Future[Any]) -> None:
            if not done.cancelled() and isinstance(done.exception(), BrokenProcessPool) and self._restarted(pool):
                self._send(outer, fn, args, kwargs)
            else:
                pass_on(done, outer, _explained_process)

        inner.add_done_callback(hand_on)

    def _restarted(self, broken: ProcessPoolExecutor) -> bool:
        """Whether there is a new pool in the place of the broken one."""
        with self._lock:
            if self._pool is broken and self._n_restarts < MOST_RESTARTS and not self._closed:
                self._n_restarts += 1
                self._pool = self._new_pool()
            return self._pool is not broken


def unguarded_line() -> str | None:
    """Where the script that runs isn't guarded: a process that starts imports it, and would begin its work once more.

    ``script.py, line 7``; None in a notebook, at a prompt, and below ``if __name__ == "__main__":``.
    """
    main = sys.modules["__main__"]
    frame = inspect.currentframe()
    while frame is not None and not (frame.f_globals is vars(main) and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    file = getattr(main, "__file__", None)
    if frame is None or file is None:  # a notebook, a prompt, ``python -c``, another thread
        return None
    try:
        nodes = list(ast.walk(ast.parse(Path(file).read_bytes())))
    except (OSError, SyntaxError, ValueError):  # no source at hand
        return None
    line = frame.f_lineno
    guards = [node for node in nodes if isinstance(node, ast.If) and "__name__" in ast.dump(node.test)]
    is_guarded = any(node.lineno <= line <= (node.end_lineno or node.lineno) for node in guards)
    return None if is_guarded else f"{file}, line {line}"


def _context(libraries: Sequence[str]) -> BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker  # not for Windows

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(libraries))
    try:
        with _environment(_OF_PROCESSES):
            resource_tracker.ensure_running()
            forkserver.ensure_running()
    except OSError:  # the temporary folder's path is too long for a socket
        return multiprocessing.get_context("spawn")
    return context


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """What the environment of a process says that starts within the block."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name)
        os.environ.update(before)


def _fill(pool: ProcessPoolExecutor, jobs: int) -> None:
    """A process starts when there is work for it."""
    with suppress(RuntimeError):  # the pool may be closed or broken by now
        for _ in range(jobs):
            pool.submit(os.getpid)


def _begin(libraries: Sequence[str], prepare: Callable[[], None] | None) -> None:
    # Ctrl-C reaches every process of a terminal: the main one answers it, the others are ended in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    os.environ.update(_OF_PROCESSES)  # where they aren't forked from one that began so
    for library in libraries:
        importlib.import_module(library)
    if prepare:
        prepare()
    if sys.platform == "linux":
        from tokviz.capture import memory

        memory.keep_freed_memory()
    gc.freeze()  # what was loaded stays: searches for unused objects need not go through it, again and again


def end_with_parent() -> None:
    """A process whose parent is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def children_ignore_interrupts() -> Iterator[None]:
    """From their very start, before ``_begin``: their first seconds go into imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _explained_process(error: BaseException) -> BaseException:
    if isinstance(error, BrokenProcessPool):
        return LostWorkError(
            f"the process that worked on it died, {MOST_RESTARTS + 1} times, perhaps because memory ran out; run again "
            "with a smaller --jobs (what was captured and drawn is kept)"
        )
    return error


# --- clusters ----------------------------------------------------------------------------------------------------


def pass_on(done: Future[Any], outer: Future[Any], explained: Callable[[BaseException], BaseException]) -> None:
    """Pass an outcome on, a library's errors as ours."""
    with suppress(InvalidStateError):  # whoever waited may have given up
        if done.cancelled():
            outer.set_exception(explained(CancelledError()))
        elif (error := done.exception()) is not None:
            outer.set_exception(explained(error))
        else:
            outer.set_result(done.result())
