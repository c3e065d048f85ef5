"""Where independent work runs: an executor with the interface of ``concurrent.futures``."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


def default_jobs() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def start(jobs: int, warm_up: Callable[[], None]) -> Executor:
    """Processes that begin to warm up at once, so that they are ready when the first work comes.

    They are spawned, not forked: a fork of a process that runs threads (torch's, for one) can deadlock.
    """
    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=warm_up)
    with _children_ignore_interrupts():
        for _ in range(jobs):
            executor.submit(os.getpid)  # a process starts, and warms up, when there is work for it
    return executor


@contextmanager
def _children_ignore_interrupts() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal: the main one answers it, the others are ended in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
