"""What is made in other processes: with which part of the memory, and what of it can't be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tokviz.errors import StoreError
from tokviz.records import Drift
from tokviz.run.plan import steps as made_of_steps
from tokviz.run.plan.steps import Step, Steps, Unmade
from tokviz.run.store.artefacts import Store
from tokviz.run.work.picture_queue import OtherWork

SHARES: list[float] = []


class Queue:
    """Two processes, of which this one does the work at once."""

    is_running, n_processes = True, 2

    def submit_other(self, work: Callable[[], Any], keep: Callable[[Any], None]) -> OtherWork:
        future: Future[Any] = Future()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return OtherWork(future=future, keep=keep)


@contextmanager
def noted(_device: None, share: float) -> Iterator[None]:
    SHARES.append(share)
    yield
    SHARES.append(0.0)


@pytest.fixture(autouse=True)
def _noted(monkeypatch: pytest.MonkeyPatch) -> None:
    SHARES.clear()
    monkeypatch.setattr(made_of_steps, "limited_to_free_memory", noted)


DRIFT = Drift(distance=np.zeros((2, 2)))


def of_any_memory(*_: object) -> Drift:
    return DRIFT


def of_much_memory(*_: object) -> Drift:
    """Fits into all of the free memory, and not into half of it."""
    if SHARES[-1] < 0.5:
        raise MemoryError("Unable to allocate 3.2 TiB")
    return DRIFT


def of_more_than_there_is(*_: object) -> Drift:
    raise MemoryError("Unable to allocate 3.2 EiB")


def of_a_faulty_library(*_: object) -> Drift:
    raise ZeroDivisionError("division by zero")


def without_room(*_: object) -> Drift:
    raise StoreError("there is no room")


def step(make: Callable[..., Drift], *of: object) -> Step[Drift]:
    return Step(what=make.__name__, kind=Drift, of=of, make=make)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(Store(tmp_path))


def test_what_needs_more_than_its_part_of_the_memory_is_made_once_more_with_all(steps: Steps) -> None:
    wanted = {"small": step(of_any_memory), "large": step(of_much_memory), "of it": step(of_any_memory, "large")}
    for each_alone in (False, True):
        found = steps.meanwhile(wanted, Queue(), each_alone=each_alone).wait()  # type: ignore[arg-type] # as far as it is used
        assert {name: type(each) for name, each in found.items()} == dict.fromkeys(wanted, Drift)
    assert {share for share in SHARES if share} == {0.45, 0.9}


def test_what_can_not_be_made_costs_what_depends_on_it_alone(steps: Steps) -> None:
    too_large = step(of_more_than_there_is)
    wanted = {
        "faulty": step(of_a_faulty_library),
        "too large": too_large,
        "of it": step(of_any_memory, too_large),
        "small": step(of_any_memory),
    }
    queue: Any = Queue()
    for where in (queue, None):
        found = steps.meanwhile(wanted, where, each_alone=True).wait()
        assert found["faulty"] == Unmade(reason="ZeroDivisionError: division by zero", is_for_memory=False)
        assert found["too large"] == found["of it"]
        assert found["too large"] == Unmade(reason="MemoryError: Unable to allocate 3.2 EiB", is_for_memory=True)
        assert isinstance(found["small"], Drift)
    with pytest.raises(MemoryError, match="EiB"):
        steps.meanwhile(wanted | {"faulty": step(of_any_memory)}, queue).wait()


def test_an_error_of_ones_own_ends_the_run(steps: Steps) -> None:
    queue: Any = Queue()
    with pytest.raises(StoreError, match="no room"):
        steps.meanwhile({"a": step(without_room)}, queue, each_alone=True).wait()
