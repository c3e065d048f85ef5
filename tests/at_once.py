"""Runs within the process of a test: what is drawn there, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

import pytest

from tokviz.run import pipeline
from tokviz.run.work.progress import Quiet

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class AtOnce(Executor):
    """Draws in this process: for tests that are about what is drawn, not where."""

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def draw_at_once(patch: pytest.MonkeyPatch) -> None:
    """From now on runs draw in this process, at a time that is the same in all of them."""
    patch.setattr(pipeline, "_start", lambda *_: AtOnce())
    patch.setenv("SOURCE_DATE_EPOCH", "1700000000")


class Listening(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)
