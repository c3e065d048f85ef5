"""Each planted mistake names a test that is there; only where that doesn't fail, other tests are run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults import faults

NAMED, OTHER = "tests/pages/test_text.py::test_a_name", "tests/pages/test_text.py::test_another"


def test_each_names_a_test_that_is_there() -> None:
    named = {number: faults.heading(patch, "Caught by") for number, patch in faults.PATCHES.items()}
    assert {number: test for number, test in named.items() if not faults.is_there(test, faults.ROOT)} == {}


class Tried:
    """Calls of the script with one mistake, as if its tests were run: what they print, and which are run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: list[str] = []
        self._failing: dict[str, str] = {}
        self._patch = folder / "001-a.patch"
        monkeypatch.setattr(faults, "PATCHES", {"001": self._patch})
        monkeypatch.setattr(faults, "RESULTS", folder / ".faults" / "results.jsonl")
        monkeypatch.setattr(faults, "run", self._run)
        monkeypatch.setattr(faults, "working_tree", self._tree)
        monkeypatch.setattr("signal.signal", lambda *_: None)
        monkeypatch.setattr(sys, "argv", ["faults.py"])

    def __call__(self, caught_by: str, failing: dict[str, str]) -> int:
        """The exit code, where ``failing`` has the test that fails in each step, such as ``{"named": …, "named, sound": …}``."""
        self._patch.write_text(f"Place: pages\nCaught by: {caught_by}\n", encoding="utf-8")
        self._failing = failing
        return faults.main()

    @staticmethod
    @contextmanager
    def _tree(tree: Path, _: str) -> Iterator[None]:
        (tree / "tests" / "pages").mkdir(parents=True, exist_ok=True)
        (tree / "tests" / "pages" / "test_text.py").write_text("def test_a_name(): ...", encoding="utf-8")
        (tree / "Makefile").write_text("USUAL = not alone\nQUICK = $(USUAL) and not slow\n", encoding="utf-8")
        yield

    def _run(self, command: str, folder: Path) -> tuple[int, str]:
        if command.startswith("git"):
            return 0, "commit"
        step = "ring" if command.startswith("make") else "named" if "::" in command else "place"
        step += ", sound" if folder.name == faults.BASE else ""
        self.ran.append(step)
        return (1, f"FAILED {self._failing[step]} - why") if step in self._failing else (0, "")


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tried:
    return Tried(tmp_path, monkeypatch)


def test_a_test_that_fails_with_its_mistake_is_all_that_runs(tried: Tried) -> None:
    assert tried(NAMED, {"named": NAMED}) == 0
    assert tried.ran == ["named, sound", "named"]


def test_a_test_that_fails_without_it_catches_nothing(tried: Tried, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(NAMED, {"named": NAMED, "named, sound": NAMED}) == 2
    assert tried.ran == ["named, sound"]
    assert "fails without any mistake" in capsys.readouterr().err


@pytest.mark.parametrize("gone", [False, True])
def test_where_it_passes_or_is_gone_others_run_and_both_are_named(
    tried: Tried, gone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    named = NAMED.replace("a_name", "gone") if gone else NAMED
    assert tried(named, {"place": OTHER}) == 0
    steps = [] if gone else ["named, sound", "named"]
    assert tried.ran == [*steps, "ring, sound", "place"]
    assert f"{OTHER}; no longer by {named}" in capsys.readouterr().out


def test_what_none_catches_survives(tried: Tried) -> None:
    assert tried(NAMED, {}) == 1
    assert tried.ran == ["named, sound", "named", "ring, sound", "place", "place", "ring"]
