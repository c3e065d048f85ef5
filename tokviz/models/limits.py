"""Limits of time and memory while libraries read a model's settings: a number in them may ask for any amount of both."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tokviz.errors import SourceError

SECONDS = 180
"""Of the process's time: what is made of settings takes some tenths of one, with a tokenizer out of a GGUF file some seconds."""
MORE_BYTES, PER_PROCESSOR = 3 << 30, 256 << 20
"""By how much the process may grow in addresses, which are more than memory: libraries and threads reserve some."""


@contextmanager
def limited(source: str, n_mapped: int) -> Iterator[None]:
    """Within the block a run of endless or boundless code ends with an error, as far as the system has such limits.

    They are the process's: one thread at a time may be within.

    Parameters
    ----------
    n_mapped : bytes of files that libraries map into memory meanwhile.

    Raises
    ------
    SourceError : it took too long. MemoryError, or a library's own error, where it took too much memory.
    """
    with ExitStack() as limits:
        limits.enter_context(_memory(2 * n_mapped + MORE_BYTES + PER_PROCESSOR * (os.cpu_count() or 1)))
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

        n_now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = min([n_now + n_more, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    except (ImportError, OSError, ValueError):  # only Linux has all of this
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


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

    before, timer = signal.signal(signal.SIGPROF, end), signal.setitimer(signal.ITIMER_PROF, SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL if before is None else before)
        signal.setitimer(signal.ITIMER_PROF, *timer)
