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
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

LINE = "stopped; run again to continue"
"""As ``generate.py`` and ``tokviz.__main__`` say it before this module is there: nobody has looked at what is done by now."""
_SECONDS = 1.2
"""What the process has to end by itself; the rest of the two seconds is for ending its children."""
_A_MOMENT = 0.05
"""What the main thread takes at most to leave a hook."""
_SECONDS_TO_TIDY = 0.3
"""What its children have."""
_SECONDS_TO_SAY = 0.5
"""What a line takes at most, if somebody reads it."""
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


_struck: Interrupted | None = None


def heed(work: Callable[[], None]) -> None:
    """Do the work, in the main thread; a signal ends the process meanwhile."""
    # A shell lets what it starts in the background ignore interrupts.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    ours, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, heard), daemon=True).start()
    sys.unraisablehook = _raise_again
    try:
        try:
            for number in heard:
                signal.signal(number, _raise)
            work()
        finally:  # one that comes here, or just before, is caught below
            if not is_stopping():
                _leave_to_system(heard)
                wakes.close()
    except (Interrupted, Exception):  # some libraries make an error of their own of the first
        if _struck is None:
            raise
        _end(_struck.number)


def is_stopping() -> bool:
    """Whether a signal has come, so that no error since then is a fault."""
    return _struck is not None


def _leave_to_system(heard: Sequence[signal.Signals]) -> None:
    """Nothing but the interpreter's own end follows."""
    for number in heard:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    sys.unraisablehook = sys.__unraisablehook__


def _raise(number: int, _: object) -> None:
    global _struck
    for each in _SIGNALS:
        # One is enough: a second would interrupt what the first one ends. Python complains of one that it has noted and finds ignored.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _pass_over)
    _struck = Interrupted(number)
    raise _struck


def _pass_over(_number: int, _frame: object) -> None:
    pass


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
        if not received:  # the work has ended
            ours.close()
            return
        number = received[0]
    # Left open: Python complains of a further signal that it can't write there.
    latest = time.monotonic() + _SECONDS
    while (left := latest - time.monotonic()) > 0:  # if the process ends by itself meanwhile, this thread ends with it
        if _swallowed.wait(left):
            _swallowed.clear()
            time.sleep(_A_MOMENT)
            _thread.interrupt_main(signal.Signals(number))
    _end(number)


def _end(number: int) -> NoReturn:
    """At once: the interpreter's own end would wait for threads and processes. The exit code is as shells give it, 130 for Ctrl-C."""
    _say()
    _end_children()
    os._exit(128 + number)


def _say() -> None:
    if _said.acquire(timeout=_SECONDS_TO_SAY):  # for ever: whoever comes second leaves the first that time
        saying = threading.Thread(target=_write, daemon=True)
        saying.start()
        saying.join(_SECONDS_TO_SAY)


def _write() -> None:
    """Past ``sys.stderr``, which the main thread may hold."""
    with suppress(OSError):
        # A progress bar hides the cursor.
        os.write(2, f"\033[?25h{LINE}\n".encode() if os.isatty(2) else f"{LINE}\n".encode())


def _end_children() -> None:
    """What keeps account of semaphores last: were it gone, a thread that tidies up after the others would begin it anew."""
    from multiprocessing import resource_tracker

    import psutil

    last = getattr(resource_tracker, "_resource_tracker", None)
    children = psutil.Process().children(recursive=True)
    # Those that heard the signal tidy up.
    psutil.wait_procs(children, timeout=_SECONDS_TO_TIDY)
    for child in sorted(children, key=lambda each: each.pid == getattr(last, "_pid", None)):
        with suppress(psutil.Error):
            child.kill()
