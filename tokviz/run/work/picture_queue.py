"""Pictures drawn, and captures measured, in other processes while the rest goes on.

The main process loads neither Matplotlib nor scikit-learn for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from typing import Any

from tokviz.draw import LIBRARIES, draw_image
from tokviz.records import Picture
from tokviz.run.work.progress import Reporter


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
        self._others: dict[Future[Any], Callable[[Any], None]] = {}
        self._n_kept = 0

    def start(self, more_libraries: Sequence[str] = ()) -> Executor:
        """The executor; its processes load these libraries besides, if it hasn't started yet."""
        if self._executor is None:
            self._executor = self._begin((*LIBRARIES, *more_libraries))
        return self._executor

    @property
    def idle(self) -> Executor | None:
        """The executor, if it has started and nothing is waiting for it."""
        return self._executor if all(future.done() for future in (*self._waiting, *self._others)) else None

    @property
    def submit_other(self) -> Callable[[Callable[[], Any], Callable[[Any], None]], Callable[[], Any]] | None:
        """Has the same processes do other work, if they have started, and keeps what it gives; the call waits for it."""
        return None if self._executor is None else self._submit_other

    def _submit_other(self, work: Callable[[], Any], keep: Callable[[Any], None]) -> Callable[[], Any]:
        future = self.start().submit(work)
        self._others[future] = keep

        def result() -> Any:
            made = future.result()
            self._keep_other(future)
            return made

        return result

    def submit(self, key: str, picture: Picture) -> None:
        self._waiting[self.start().submit(draw_image, picture)] = key

    def keep_finished(self) -> None:
        """Store what is done, so that a run which is killed later need not do it again."""
        self._keep_all([future for future in self._waiting if future.done()])
        for future in [each for each in self._others if each.done() and each.exception() is None]:
            self._keep_other(future)

    def finish(self) -> int:
        """Wait for every picture and store it; how many were drawn in all."""
        step = self._reporter.step("Drawing", self._n_kept + len(self._waiting)) if self._waiting else None
        if step:
            step.advance(self._n_kept)
        for future in as_completed(list(self._waiting)):
            self._keep_all([future])
            if step:
                step.advance()
        return self._n_kept

    def stop(self) -> None:
        """End the processes; what has not begun is given up."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def _keep_other(self, future: Future[Any]) -> None:
        keep = self._others.pop(future, None)
        if keep is not None:  # else it is kept already
            keep(future.result())

    def _keep_all(self, futures: Iterable[Future[bytes]]) -> None:
        for future in futures:
            self._keep(self._waiting.pop(future), future.result())
            self._n_kept += 1


@contextmanager
def picture_queue(
    begin: Callable[[Sequence[str]], Executor], keep: Callable[[str, bytes], None], reporter: Reporter
) -> Iterator[PictureQueue]:
    """A ``PictureQueue`` whose processes end with the block, whatever happens."""
    queue = PictureQueue(begin, keep, reporter)
    try:
        yield queue
    finally:
        queue.stop()
