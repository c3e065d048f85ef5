"""Models captured, or looked at, in a process of their own: whatever one of them makes of a library ends that process, and not the report.

It lives as long as models go well, so that libraries are loaded once; where processes can be forked it begins with all that this
one has imported.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from tokviz import models
from tokviz.errors import ModelError, TokvizError
from tokviz.run.capturing.one_model import capture_here, failing_elsewhere
from tokviz.run.plan.request import Request
from tokviz.run.store import entries
from tokviz.run.store.artefacts import Store
from tokviz.run.work.processes import children_ignore_interrupts, end_with_parent
from tokviz.run.work.progress import Reporter, Step

_SECONDS_TO_END = 0.6
"""What it gets to remove what it has half made, before it is killed."""
_SECONDS_BETWEEN, _MOST_SECONDS_WITHOUT_WORK = 5.0, 900.0
"""How often it is looked whether it works, and how long it may wait for a network or a disk without any work of its own."""
_ENDED = 128 + signal.SIGTERM
"""The exit code of one that was asked to end, as of a program that a shell ran."""
Result = TypeVar("Result")
_LOST = (EOFError, ConnectionError, BrokenPipeError)


@dataclass(kw_only=True, eq=False)
class Apart:
    """One process that loads models, begun with the first one, and again after one that has ended it."""

    reporter: Reporter
    _process: BaseProcess | None = None
    _connection: Connection[Any, Any] | None = None
    _steps: dict[int, Step] = field(default_factory=dict)
    _beginning: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    def capture(self, request: Request, store: Store) -> None:
        """Have it capture one model; raises as ``do`` does. What a process that ended had half made is removed."""
        try:
            self.do(request.model.source, partial(capture_here, request, store))
        except ModelError:
            if self._process is None:
                entries.remove_half_made(store.root, self._beginning)
            raise

    def do(self, source: str, work: Callable[[Reporter], Result]) -> Result:
        """Have it do some work on one model, and say what that says of its progress.

        Raises
        ------
        TokvizError : as the work does. ModelError : it raised anything else, or the process has ended.
        """
        connection = self.begin()
        try:
            connection.send((source, work))
            while (message := self._next(connection))[0] != "done":
                self._pass_on(*message)
        except _LOST:
            raise ModelError(f"{source}: {self._why_it_ended()}") from None
        except TimeoutError:
            self.close()
            raise ModelError(
                f"{source}: expected a model that its libraries can load and run, but the process that tried waited for "
                "something that didn't come, such as a file of a disk that is gone; run again"
            ) from None
        error, result = message[1:]
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return] # as it was sent

    def _next(self, connection: Connection[Any, Any]) -> Any:
        """What the process says next; raises ``TimeoutError`` where it has done nothing at all for minutes."""
        import psutil

        assert self._process is not None
        begun, worked = time.monotonic(), None
        while not connection.poll(_SECONDS_BETWEEN):
            with suppress(psutil.Error):  # it has ended, as the pipe will say
                times = psutil.Process(self._process.pid).cpu_times()
                if (now := times.user + times.system) != worked:
                    begun, worked = time.monotonic(), now
            if time.monotonic() - begun > _MOST_SECONDS_WITHOUT_WORK:
                raise TimeoutError
        return connection.recv()

    def close(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if process is not None:
            process.terminate()
            process.join(_SECONDS_TO_END)
            process.kill()
            process.join()

    def begin(self) -> Connection[Any, Any]:
        """Start the process, if it hasn't begun."""
        if self._connection is not None:
            return self._connection
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._connection, self._beginning), daemon=True)
        with children_ignore_interrupts(), warnings.catch_warnings():
            # That threads of this process don't go with it: those that there may be keep account of other processes.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        self._process = process
        theirs.close()
        return self._connection

    def _pass_on(self, kind: str, *arguments: Any) -> None:
        if kind == "say":
            self.reporter.say(*arguments)
        elif kind == "step":
            number, name, total = arguments
            self._steps[number] = self.reporter.step(name, total)
        else:
            number, count, detail = arguments
            self._steps[number].advance(count, detail)

    def _why_it_ended(self) -> str:
        assert self._process is not None
        self._process.join()
        code = self._process.exitcode or 0
        self.close()
        expected = "expected a model that its libraries can load and run, but the process that tried"
        if code == _ENDED:
            return f"{expected} was ended from outside; run the same command again"
        if code == -getattr(signal, "SIGXCPU", 0):
            return f"{expected} took far too long for its size; fetch its files again, or choose another model"
        if code < 0:
            more = ", perhaps as memory ran out" if code == -getattr(signal, "SIGKILL", 9) else ""
            return f"{expected} was ended by signal {-code}{more}; fetch its files again, or choose another model"
        return f"{expected} ended with exit code {code}; fetch its files again, or choose another model"


class _Relay:
    """Says in the other process what is said in this one."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection, self._numbers = connection, itertools.count()

    def say(self, text: str) -> None:
        self._connection.send(("say", text))

    def step(self, name: str, total: int | None = None) -> Step:
        number = next(self._numbers)
        self._connection.send(("step", number, name, total))
        return _RelayedStep(self._connection, number)


class _RelayedStep:
    def __init__(self, connection: Connection[Any, Any], number: int) -> None:
        self._connection, self._number = connection, number

    def advance(self, count: int = 1, detail: str = "") -> None:
        self._connection.send(("advance", self._number, count, detail))


def _serve(connection: Connection[Any, Any], theirs: Connection[Any, Any], beginning: str) -> None:
    """What the process does: one model after the other, until nobody is there to ask."""
    with suppress(ValueError):  # there is none but in a fork
        signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    sys.unraisablehook = _end_all_the_same
    threading.Thread(target=end_with_parent, daemon=True).start()
    theirs.close()
    # Torch's threads would spin for long while others need the processors. Without any, to wake them takes as long as they save: they
    # spin for microseconds, where torch's OpenMP is GNU's. It reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # No model's settings have torch run a compiler, which would write files of its own.
    os.environ["TORCH_COMPILE_DISABLE"] = "1"
    models.let_time_end_the_process()
    entries.begin_half_made(beginning)
    relay = _Relay(connection)
    with suppress(*_LOST):
        while True:
            source, work = connection.recv()
            connection.send(("done", *_outcome(source, partial(work, relay))))


def _outcome(source: str, work: Callable[[], Any]) -> tuple[TokvizError | None, Any]:
    """The error, or what was made."""
    try:
        with failing_elsewhere(source):
            return None, work()
    except TokvizError as error:
        return error, None


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(_ENDED)


def _end_all_the_same(lost: Any) -> None:
    """What ``_end`` raises is lost where it comes as something is finalized."""
    if isinstance(lost.exc_value, SystemExit):
        os._exit(_ENDED)
    sys.__unraisablehook__(lost)
