"""Progress on standard error: bars on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

LONG_SECONDS = 1.0
_LOGGER = logging.getLogger("tokviz")


class Step(Protocol):
    """A piece of work that advances."""

    def advance(self, count: int = 1, detail: str = "") -> None: ...


class Reporter(Protocol):
    """How the pipeline speaks of its progress."""

    def say(self, text: str) -> None: ...

    def step(self, name: str, total: int | None = None) -> Step:
        """A step begins; it ends when its total is reached, or with the reporter when the total isn't known."""
        ...


@contextmanager
def told_if_long(reporter: Reporter, name: str) -> Iterator[None]:
    """A step that most often is over at once, as nothing of it is due: it is spoken of once it has taken a second."""
    begun: list[Step] = []
    timer = threading.Timer(LONG_SECONDS, lambda: begun.append(reporter.step(name)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for step in begun:
            step.advance()


@contextmanager
def counted_step(reporter: Reporter, name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A step that is over with the block, as far as it has come by then; what is given counts on."""
    step, n_left = reporter.step(name, total), total

    def advance(count: int) -> None:
        nonlocal n_left
        if 0 < count <= n_left:
            n_left -= count
            step.advance(count)

    try:
        yield advance
    finally:
        if n_left or not total:
            step.advance(max(1, n_left))


class _NoStep:
    def advance(self, count: int = 1, detail: str = "") -> None:
        pass


class Quiet:
    """Says nothing, but to those who listen to the logger ``tokviz``."""

    def say(self, text: str) -> None:
        _LOGGER.info("%s", text)

    def step(self, name: str, total: int | None = None) -> Step:
        _LOGGER.info("%s …", name)
        return _NoStep()


class Lines:
    """For logs: a line as each step begins."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, name: str, total: int | None = None) -> Step:
        self.say(f"{name} …")
        return _NoStep()


class Bars(Lines):
    """For people: what is being done, how far it is, how long it has taken."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress.console)
        self._progress = progress

    def step(self, name: str, total: int | None = None) -> Step:
        return _Bar(self._progress, name, total)


class _Bar:
    """A bar that becomes a line when its step is over: fifty models would fill the screen with bars."""

    def __init__(self, progress: Progress, name: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=total, detail="")

    def advance(self, count: int = 1, detail: str = "") -> None:
        self._progress.update(self._task, advance=count, detail=detail)
        task = next(task for task in self._progress.tasks if task.id == self._task)
        # A step of unknown length is over when it is advanced.
        if task.total is None or task.completed >= task.total:
            line = f"{task.description}: {task.elapsed or 0:.1f} s"
            self._progress.remove_task(self._task)
            self._progress.console.print(line, markup=False, highlight=False)


@contextmanager
def reporter(*, quiet: bool) -> Iterator[Reporter]:
    """The reporter that fits where standard error goes."""
    console = Console(stderr=True)
    if quiet:
        yield Quiet()
    elif not console.is_terminal:
        yield Lines(console)
    else:
        # Braille, which older encodings lack.
        spinner = "dots" if console.encoding.startswith("utf") else "line"
        columns = (
            SpinnerColumn(spinner, finished_text=" "),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", markup=False, style="dim"),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield Bars(progress)
