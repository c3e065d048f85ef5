"""What is said of steps that are mostly over at once."""

from __future__ import annotations

import threading

import pytest
from rich.console import Console
from rich.progress import Progress

from tokviz.run.work import progress
from tokviz.run.work.progress import Bars, counted_step, told_if_long


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


@pytest.mark.parametrize("counts", [[], [2, 3], [5], [2, 9], [4, 1, 1]])
def test_a_counted_step_is_over_once_whatever_came_of_it(counts: list[int]) -> None:
    console = Console(force_terminal=True, width=80)
    with console.capture() as said, Progress(console=console) as progress, counted_step(Bars(progress), "Fit", 5) as go:
        for count in counts:
            go(count)
    assert said.get().count("Fit: ") == 1
    assert not progress.tasks


def test_a_counted_step_ends_with_an_error_and_without_anything_to_count() -> None:
    reporter = Recorded()
    with pytest.raises(OSError, match="midst"), counted_step(reporter, "Fitting", 3):
        raise OSError("in the midst")
    with counted_step(reporter, "Nothing", 0):
        pass
    assert reporter.told == ["Fitting", "over", "Nothing", "over"]
