"""A step of what changes files fails, or the process ends there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


class Killed(BaseException):
    """The process ends here."""


class Steps:
    """Counts what is done to the disk; instead of step ``failing`` an error is raised."""

    def __init__(self, failing: int, error: BaseException) -> None:
        self.failing, self.error, self.done = failing, error, 0

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self.done += 1
            if self.done - 1 != self.failing:
                return function(*arguments, **options)
            if options.get("ignore_errors") and isinstance(self.error, OSError):
                return None
            raise self.error

        return step


@contextmanager
def failing(step: int, error: BaseException) -> Iterator[Steps]:
    """Instead of the given step of what changes files, counted from 0, ``error`` is raised."""
    steps = Steps(step, error)
    with (
        patch.object(Path, "write_bytes", steps.counted(Path.write_bytes)),
        patch.object(Path, "mkdir", steps.counted(Path.mkdir)),
        patch.object(Path, "replace", steps.counted(Path.replace)),
        patch.object(Path, "unlink", steps.counted(Path.unlink)),
        patch.object(Path, "rmdir", steps.counted(Path.rmdir)),
        patch.object(shutil, "copyfile", steps.counted(shutil.copyfile)),
        patch.object(shutil, "rmtree", steps.counted(shutil.rmtree)),
    ):
        yield steps
