"""Any old site, any new one, and a failure at any step: the site is the old one whole or the new one whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tokviz.errors import PublishError
from tokviz.run.publish import publish

MARKER = "data/report.json"
OURS = b'{"generator": "tokviz 1"}'
NAMES = st.sampled_from(["a", "b.html", "data", "images", ".nojekyll", "é ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
Tree = dict[str, bytes]


def is_a_tree(paths: set[str]) -> bool:
    """No file is also a folder."""
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


TREES: st.SearchStrategy[Tree] = (
    st.dictionaries(PATHS, st.text(max_size=5).map(str.encode), max_size=6)
    .map(lambda files: {**files, MARKER: OURS})
    .filter(lambda files: is_a_tree(set(files)))
)


def tree(folder: Path) -> Tree:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def given_as(data: st.DataObject, files: Tree, elsewhere: Path) -> dict[str, str | bytes | Path]:
    """Each file as a text, as bytes or as a file to copy."""
    contents: dict[str, str | bytes | Path] = {}
    for index, (path, content) in enumerate(files.items()):
        source = elsewhere / str(index)
        source.write_bytes(content)
        ways: tuple[str | bytes | Path, ...] = (content.decode(), content, source)
        contents[path] = data.draw(st.sampled_from(ways))
    return contents


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
        patch.object(shutil, "copyfile", steps.counted(shutil.copyfile)),
        patch.object(shutil, "rmtree", steps.counted(shutil.rmtree)),
    ):
        yield steps


@given(st.data(), TREES, TREES, st.booleans())
def test_after_publishing_the_site_is_exactly_the_new_one(
    data: st.DataObject, old: Tree, new: Tree, has_domain: bool
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as elsewhere:
        site = Path(folder, "site")
        publish(given_as(data, old, Path(elsewhere)), site)
        assert tree(site) == old
        domain = {"CNAME": b"report.example.org"} if has_domain else {}
        for path, content in domain.items():
            (site / path).write_bytes(content)
        publish(given_as(data, new, Path(elsewhere)), site)
        assert tree(site) == {**new, **domain}
        assert [path.name for path in Path(folder).iterdir()] == ["site"]


@given(st.data(), TREES, TREES, st.integers(0, 20))
def test_a_failing_step_leaves_the_old_site_or_the_new_one(
    data: st.DataObject, old: Tree, new: Tree, step: int
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as elsewhere:
        site = Path(folder, "site")
        publish(dict(old), site)
        contents = given_as(data, new, Path(elsewhere))
        expected = new
        with failing(step, OSError(28, "No space left on device")) as steps:
            try:
                publish(contents, site)
            except PublishError:
                expected = old
        assume(steps.done > step)
        assert tree(site) == expected
        publish(contents, site)
        assert tree(site) == new
        assert [path.name for path in Path(folder).iterdir()] == ["site"]


@given(TREES, TREES, TREES, st.integers(0, 20), st.booleans())
def test_after_a_kill_at_any_step_one_whole_site_is_there_and_the_next_run_publishes(
    old: Tree, new: Tree, next_one: Tree, step: int, fails_again: bool
) -> None:
    with TemporaryDirectory() as folder:
        site = Path(folder, "site")
        publish(dict(old), site)
        with failing(step, Killed()) as steps, suppress(Killed):
            publish(dict(new), site)
        assume(steps.done > step)
        # Between the two renames the old site stands beside its place, where the next run finds it, even one that fails.
        assert tree(site if site.exists() else site.with_name(".site-old")) in (old, new)
        if fails_again:
            with pytest.raises(PublishError):
                publish({**next_one, "z": Path(folder, "missing")}, site)
            assert tree(site) in (old, new)
        publish(dict(next_one), site)
        assert tree(site) == next_one
        assert [path.name for path in Path(folder).iterdir()] == ["site"]


def test_the_steps_that_fail_are_those_that_publishing_takes(tmp_path: Path) -> None:
    """Else the failures above would be of nothing."""
    with failing(-1, Killed()) as steps:
        publish({MARKER: OURS}, tmp_path / "site")
    assert steps.done >= 3  # a folder, a file, a rename
    with failing(0, Killed()), pytest.raises(Killed):
        publish({MARKER: OURS}, tmp_path / "site")
