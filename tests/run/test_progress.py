"""What is said of steps that are mostly over at once."""

from __future__ import annotations

import threading

import pytest

from tokviz.run.work import progress
from tokviz.run.work.progress import told_if_long


class Recorded:
    """A reporter, and the step that it begins, which keeps its messages."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.has_begun = threading.Event()

    def say(self, text: str) -> None:
        self.told.append(text)

    def step(self, name: str, total: int | None = None) -> Recorded:
        self.told.append(name)
        self.has_begun.set()
        return self

    def advance(self, count: int = 1, detail: str = "") -> None:
        self.told.append("over")


def test_a_step_that_is_over_at_once_is_not_spoken_of() -> None:
    reporter = Recorded()
    with told_if_long(reporter, "Comparing"):
        pass
    assert reporter.told == []


def test_a_long_step_is_told_while_it_lasts_and_ends_even_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONG_SECONDS", 0.001)
    reporter = Recorded()

    def compare() -> None:
        with told_if_long(reporter, "Comparing"):
            assert reporter.has_begun.wait(60)
            assert reporter.told == ["Comparing"]
            raise OSError("in the midst")

    with pytest.raises(OSError, match="in the midst"):
        compare()
    assert reporter.told == ["Comparing", "over"]
