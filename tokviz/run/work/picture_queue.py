"""Pictures drawn, and captures measured, in other processes while the rest goes on.

The main process loads neither Matplotlib nor scikit-learn for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from typing import Any

from tokviz.draw import LIBRARIES, draw_image
from tokviz.errors import TokvizError
from tokviz.records import Picture
from tokviz.run.work.processes import Processes
from tokviz.run.work.progress import Reporter
from tokviz.text import counted, error_line


@dataclass(kw_only=True, eq=False)
class OtherWork:
    """What the same processes do besides; what it gives is kept once."""

    future: Future[Any]
    keep: Callable[[Any], None]
    is_kept: bool = False

    def wait(self) -> None:
        made = self.future.result()
        if not self.is_kept:
            self.keep(made)
            self.is_kept = True


class PictureQueue:
    """Pictures on their way; the executor starts when ``start`` says that there will be work, or with the first one."""

    def __init__(
        self, begin: Callable[[Sequence[str]], Executor], keep: Callable[[str, bytes], None], reporter: Reporter
    ) -> None:
        self._begin = begin
        self._keep = keep
        self._reporter = reporter
        self._executor: Executor | None = None
        self._waiting: dict[Future[bytes], str] = {}
        self._others: list[OtherWork] = []
        self._n_kept = 0
        self.failed: dict[str, str] = {}
        """Of each picture that can't be drawn, by its key, what was raised."""

    def start(self, more_libraries: Sequence[str] = ()) -> Executor:
        """The executor; its processes load these libraries besides, if it hasn't started yet."""
        if self._executor is None:
            self._executor = self._begin((*LIBRARIES, *more_libraries))
        return self._executor

    @property
    def is_running(self) -> bool:
        return self._executor is not None

    @property
    def n_processes(self) -> int | None:
        """How many of this machine's have started; None where its work is done elsewhere, or in this process."""
        return self._executor.jobs if isinstance(self._executor, Processes) else None

    @property
    def idle(self) -> Executor | None:
        underway = (*self._waiting, *(each.future for each in self._others))
        return self._executor if all(future.done() for future in underway) else None

    def submit_other(self, work: Callable[[], Any], keep: Callable[[Any], None]) -> OtherWork:
        """Has the same processes do other work; ``keep`` gets what it gives, here."""
        other = OtherWork(future=self.start().submit(work), keep=keep)
        self._others.append(other)
        return other

    def submit(self, key: str, picture: Picture) -> None:
        """Have a picture drawn, unless it is on its way already: two models of a report may share it."""
        if key not in self._waiting.values() and key not in self.failed:
            self._waiting[self.start().submit(draw_image, picture)] = key

    def keep_finished(self) -> None:
        """Store what is done, so that a run which is killed later need not do it again."""
        self._keep_all([future for future in self._waiting if future.done()])
        for each in self._others:
            if each.future.done() and each.future.exception() is None:
                each.wait()

    def finish(self) -> int:
        """Wait for every picture and store it; how many were drawn in all."""
        n_pictures = self._n_kept + len(self._waiting)
        step = self._reporter.step(f"Drawing {counted(n_pictures, 'image')}", n_pictures) if self._waiting else None
        if step:
            step.advance(self._n_kept)
        for future in as_completed(list(self._waiting)):
            self._keep_all([future])
            if step:
                step.advance()
        return self._n_kept

    def close(self) -> None:
        """End the processes; what has not begun is given up."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def _keep_all(self, futures: Iterable[Future[bytes]]) -> None:
        for future in futures:
            key = self._waiting.pop(future)
            try:
                image = future.result()
            except TokvizError:  # of the processes, and so of all pictures
                raise
            except Exception as error:  # noqa: BLE001 - whatever one picture does to a library costs that picture only
                self.failed[key] = error_line(error)
                continue
            self._keep(key, image)
            self._n_kept += 1
