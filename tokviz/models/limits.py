"""Limits of time and memory while libraries read a model's settings: a number in them may ask for any amount of both."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tokviz.errors import SourceError

SECONDS = 180
"""Of the process's time: what is made of settings takes some tenths of one, with a tokenizer out of a GGUF file some seconds."""
MORE_BYTES = 3 << 30
"""By how much the memory of the process's own may grow: that which it may write, used or not."""
MORE_WITHOUT_VALUES = 640 << 20
"""The same while a model is made without its values."""


PER_GB = 600
"""Seconds of a processor that a gigabyte of weights may take besides: of a GGUF file it takes a hundred or two."""
_ends_the_process = False


def let_time_end_the_process() -> None:
    """From now on a load that takes far too long ends this process by a signal of the system's, whatever library is at work."""
    global _ends_the_process
    _ends_the_process = True


def is_apart() -> bool:
    """Whether this process has models alone, so that limits of its own harm nothing else."""
    return _ends_the_process


@contextmanager
def ended_after(n_bytes: int, seconds: float | None = None) -> Iterator[None]:
    """Within the block this process may be ended by SIGXCPU, where ``let_time_end_the_process`` was called.

    Parameters
    ----------
    n_bytes : that the weights take in memory.
    seconds : of a processor, that it may take besides; by default what reading settings does.
    """
    if not _ends_the_process or not hasattr(signal, "SIGXCPU"):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(time.process_time() + (2 * SECONDS if seconds is None else seconds)) + PER_GB * n_bytes // 10**9
    most = min([most, *(each for each in (soft, hard) if each != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


@contextmanager
def limited(source: str, n_mapped: int | None = None) -> Iterator[None]:
    """Within the block a run of endless or boundless code ends with an error, as far as the system has such limits.

    They are the process's: one thread at a time may be within.

    Parameters
    ----------
    n_mapped : where a model is made without its values: bytes of the safetensors files that torch maps into memory which the process
        might write. Settings are read without any.

    Raises
    ------
    SourceError : it took too long. MemoryError, or a library's own error, where it took too much memory.
    """
    with ExitStack() as limits:
        limits.enter_context(_memory(MORE_BYTES if n_mapped is None else n_mapped + MORE_WITHOUT_VALUES))
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
            limits.enter_context(_time(source))
        yield


@contextmanager
def _memory(n_more: int) -> Iterator[None]:
    if _has_gpu():  # its driver reserves any number of addresses
        yield
        return
    try:
        import resource

        # Not of addresses, of which files that are only read take as many as they have bytes, some libraries twice.
        status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        n_now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = min([n_now + n_more, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    except (ImportError, OSError, ValueError, StopIteration):  # only Linux has all of this
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available() or torch.xpu.is_available()


@contextmanager
def _time(source: str) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise SourceError(
            f"{source}: expected settings of which a model is made in seconds, got some that take more than {SECONDS}; check "
            "config.json and tokenizer_config.json for numbers that no model has"
        )

    began, before = time.process_time(), signal.signal(signal.SIGPROF, end)
    left, interval = signal.setitimer(signal.ITIMER_PROF, SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL if before is None else before)
        if left:
            signal.setitimer(signal.ITIMER_PROF, max(left - (time.process_time() - began), 1e-6), interval)
