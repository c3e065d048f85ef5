"""Ctrl-C and the wish of a system to end the command, answered within two seconds by one line.

Python handles a signal between two of its own instructions, so that a long computation in a library or a wait for other
processes would delay the end. A thread that is woken by the signal itself ends the process and its children when that takes
too long: what is stored is whole at any moment, so nothing is lost by it.
"""

from __future__ import annotations

import _thread
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

LINE = "stopped; what was captured and drawn is kept, and the site is complete: run again to continue"
_SECONDS = 1.2
"""What the process has to end by itself; the rest of the two seconds is for ending its children."""
_A_MOMENT = 0.05
"""What the main thread takes at most to leave a hook."""
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]  # the last: Windows

_said = threading.Lock()
_swallowed = threading.Event()


class Interrupted(BaseException):
    """The command is to end; no handler of errors is to catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.exit_code = 128 + number
        """As shells give it: 130 for Ctrl-C, 143 for SIGTERM."""


@contextmanager
def heeded() -> Iterator[None]:
    """Within the block, which is in the main thread, a signal ends the process."""
    # A shell lets what it starts in the background ignore interrupts.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    ours, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, heard), daemon=True).start()
    for number in heard:
        signal.signal(number, _raise)
    sys.unraisablehook = _raise_again
    try:
        yield
    except Interrupted as interrupted:
        _end(interrupted.exit_code)
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)  # nothing but the interpreter's own end follows
        signal.set_wakeup_fd(-1)
        sys.unraisablehook = sys.__unraisablehook__


def _raise(number: int, _: object) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # one is enough: a second would interrupt what the first one ends
    raise Interrupted(number)


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """A signal that came while an object was being deleted has nobody to catch it there."""
    interrupted = unraisable.exc_value
    if not isinstance(interrupted, Interrupted):
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(interrupted.number, _raise)
    _swallowed.set()


def _watch(ours: socket.socket, heard: list[signal.Signals]) -> None:
    number = 0
    while number not in heard:
        received = ours.recv(1)
        if not received:  # the block has ended
            return
        number = received[0]
    latest = time.monotonic() + _SECONDS
    while (left := latest - time.monotonic()) > 0:  # if the process ends by itself meanwhile, this thread ends with it
        if _swallowed.wait(left):
            _swallowed.clear()
            time.sleep(_A_MOMENT)
            _thread.interrupt_main(signal.Signals(number))
    _end(128 + number)


def _end(exit_code: int) -> NoReturn:
    """At once: the interpreter's own end would wait for threads and processes."""
    _say()
    _end_children()
    os._exit(exit_code)


def _say() -> None:
    if _said.acquire(blocking=False):
        with suppress(OSError, ValueError):
            # A progress bar hides the cursor.
            print(f"\033[?25h{LINE}" if sys.stderr.isatty() else LINE, file=sys.stderr, flush=True)


def _end_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
