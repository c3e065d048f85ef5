"""Any old site, any new one, and a failure at any step: the site is the old one whole or the new one whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from failing import Killed, failing
from hypothesis import assume, given
from hypothesis import strategies as st

from tokviz.errors import PublishError
from tokviz.run.publishing.publish import publish, recover

MARKER = "data/report.json"
OURS = b'{"generator": "tokviz 1"}'
NAMES = st.sampled_from(["a", "b.html", "images", ".nojekyll", "é ü"])
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
    """All files but the manifest."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop("data/manifest.json", None)
    return files


FOREIGN = {"CNAME": b"report.example.org", ".git/HEAD": b"ref", "data/mine.txt": b"mine", "own/index.html": b"mine"}
"""What somebody has put into the site; no report has files of these names."""


def add_foreign(site: Path) -> None:
    for path, content in FOREIGN.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)


def all_files(folder: Path) -> Tree:
    """Of the site and of what stands beside it, by their paths in the site that they belong to."""
    return {path.split("/old/", 1)[-1].removeprefix("site/"): content for path, content in tree(folder).items()}


def given_as(data: st.DataObject, files: Tree, elsewhere: Path) -> dict[str, str | bytes | Path]:
    """Each file as a text, as bytes or as a file to copy."""
    contents: dict[str, str | bytes | Path] = {}
    for index, (path, content) in enumerate(files.items()):
        source = elsewhere / str(index)
        source.write_bytes(content)
        ways: tuple[str | bytes | Path, ...] = (content.decode(), content, source)
        contents[path] = data.draw(st.sampled_from(ways))
    return contents


@pytest.mark.slow
@given(st.data(), TREES, TREES, st.booleans())
def test_after_publishing_the_site_is_exactly_the_new_one_and_what_was_not_tokvizs(
    data: st.DataObject, old: Tree, new: Tree, has_more: bool
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as elsewhere:
        site = Path(folder, "site")
        publish(given_as(data, old, Path(elsewhere)), site)
        assert tree(site) == old
        if has_more:
            add_foreign(site)
        publish(given_as(data, new, Path(elsewhere)), site)
        assert tree(site) == {**new, **(FOREIGN if has_more else {})}
        assert [path.name for path in Path(folder).iterdir()] == ["site"]


@pytest.mark.slow
@given(st.data(), TREES, TREES, st.integers(0, 40))
def test_a_failing_step_leaves_the_old_site_or_the_new_one(
    data: st.DataObject, old: Tree, new: Tree, step: int
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as elsewhere:
        site = Path(folder, "site")
        publish(dict(old), site)
        add_foreign(site)
        contents = given_as(data, new, Path(elsewhere))
        with failing(step, OSError(28, "No space left on device")) as steps, suppress(PublishError):
            publish(contents, site)
        assume(steps.done > step)
        found = {path: content for path, content in tree(site).items() if path not in FOREIGN}
        assert found in (old, new)
        assert FOREIGN.items() <= all_files(Path(folder)).items()
        publish(contents, site)
        assert tree(site) == {**new, **FOREIGN}
        assert [path.name for path in Path(folder).iterdir()] == ["site"]


@pytest.mark.slow
@given(TREES, TREES, TREES, st.integers(0, 40), st.booleans())
def test_after_a_kill_at_any_step_one_whole_site_is_there_and_the_next_run_publishes(
    old: Tree, new: Tree, next_one: Tree, step: int, fails_again: bool
) -> None:
    with TemporaryDirectory() as folder:
        site = Path(folder, "site")
        publish(dict(old), site)
        add_foreign(site)
        with failing(step, Killed()) as steps, suppress(Killed):
            publish(dict(new), site)
        assume(steps.done > step)
        assert FOREIGN.items() <= all_files(Path(folder)).items()
        if not site.exists():
            # Between the two renames the old site stands beside its place.
            (beside,) = Path(folder).glob(".site.tokviz-*/old")
            assert tree(beside) == {**old, **FOREIGN}
        if fails_again:
            with pytest.raises(PublishError):
                publish({**next_one, "z": Path(folder, "missing")}, site)
        else:
            recover(site)
        found = tree(site)
        assert found in ({**old, **FOREIGN}, {**new, **FOREIGN})
        publish(dict(next_one), site)
        assert tree(site) == {**next_one, **FOREIGN}


def test_the_steps_that_fail_are_those_that_publishing_takes(tmp_path: Path) -> None:
    """Else the failures above would be of nothing."""
    with failing(-1, Killed()) as steps:
        publish({MARKER: OURS}, tmp_path / "site")
    assert steps.done >= 3  # a folder, a file, a rename
    with failing(0, Killed()), pytest.raises(Killed):
        publish({MARKER: OURS}, tmp_path / "site")
