"""Pictures on their way to the processes that draw them."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Quiet


class Slow(Executor):
    """Ends nothing before it is asked to."""

    def __init__(self) -> None:
        self.submitted: list[Future[Any]] = []

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        self.submitted.append(Future())
        return self.submitted[-1]


def test_a_picture_that_two_models_share_is_drawn_once() -> None:
    kept: dict[str, bytes] = {}
    executor, picture = Slow(), object()
    queue = PictureQueue(lambda _: executor, kept.__setitem__, Quiet())
    for key in ("a", "b", "a"):
        queue.submit(key, picture)  # type: ignore[arg-type] # nothing is drawn
    for number, future in enumerate(executor.submitted):
        future.set_result(bytes([number]))
    assert queue.finish() == 2
    assert kept == {"a": b"\0", "b": b"\1"}
