"""Runs within one process: what is drawn there, or left blank, and what is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from unittest.mock import patch

from PIL import Image

from tokviz.config import ReportConfig
from tokviz.draw import draw_image
from tokviz.records import Picture, Plate
from tokviz.run import pipeline
from tokviz.run.plan.options import Options
from tokviz.run.store.keys import picture_key
from tokviz.run.work.progress import Quiet

if TYPE_CHECKING:  # the process that forks runs has no tests
    import pytest

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class AtOnce(Executor):
    """Works in this process, and leaves pictures blank: for tests that are about what is drawn, not how or where."""

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        future: Future[Result] = Future()
        future.set_result(self.drawn(*args, **kwargs) if fn is draw_image else fn(*args, **kwargs))  # type: ignore[arg-type]
        return future

    def drawn(self, picture: Picture) -> bytes:
        """What stands in the place of a picture."""
        return leave_blank(picture)


SIZES = {"phone": (716, 1000), "draft": (640, 480), "wide": (1000, 500)}


def leave_blank(picture: Picture) -> bytes:
    """A picture of the form and size of what would be drawn, white, and different where that would differ."""
    key = picture_key(picture)
    if picture.form == "svg":
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="750" height="600"><desc>{key}</desc></svg>'.encode()
    size = picture.size if isinstance(picture, Plate) and picture.form == "wide" else SIZES[picture.form]
    return _blank(size, len(key)).replace(b"?" * len(key), key.encode())


@cache
def _blank(size: tuple[int, int], n_noted: int) -> bytes:
    """With room for a note."""
    content = BytesIO()
    Image.new("L", size, 255).save(content, "WEBP", lossless=True, method=0, quality=0, xmp=b"?" * n_noted)
    return content.getvalue()


def begin(*_: object) -> AtOnce:
    """In the place of what starts the processes of a run."""
    return AtOnce()


A_DATE = ("SOURCE_DATE_EPOCH", "1700000000")


def leave_pictures_blank(patch: pytest.MonkeyPatch) -> None:
    """From now on runs are within this process and draw nothing, at a time that is the same in all of them."""
    patch.setattr(pipeline, "_start", begin)
    patch.setenv(*A_DATE)


def options(folder: Path, **changes: Any) -> Options:
    """Of a report whose config, models, site and cache are in one folder."""
    return replace(Options(base=folder, output=folder / "site", cache=folder / "cache"), **changes)


def run_at_once(config: ReportConfig, folder: Path, reporter: Quiet | None = None, **changes: Any) -> pipeline.Outcome:
    """Make the report in a folder within this process, with blank pictures; ``changes`` are of ``options``."""
    with patch.object(pipeline, "_start", begin), patch.dict(os.environ, [A_DATE]):
        return pipeline.run(config, options(folder, **changes), reporter or Quiet())


class Listening(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)
