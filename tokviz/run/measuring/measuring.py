"""The measures of one capture: taken from the store, or made and stored; here, or in another process meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tokviz.records import AddedMeasure, Projection
from tokviz.run.measuring.results import recall, stored
from tokviz.run.plan.added import added_measures, measure_added
from tokviz.run.plan.products import MEASURES, Inputs
from tokviz.run.plan.tree import Captured
from tokviz.run.store.store import Store
from tokviz.run.work.picture_queue import PictureQueue

LIBRARIES = ("scipy.spatial.distance", "scipy.special")
"""What measuring takes a while to load."""


class Measurements:
    """The measures of one capture; what is due of them is made at once, or meanwhile.

    Parameters
    ----------
    shown : the projections whose plots are measured.
    queue : whose processes measure, if they have started and see the store's files; else it is done here, now.
    """

    def __init__(
        self, captured: Captured, shown: Sequence[Projection], store: Store, queue: PictureQueue | None
    ) -> None:
        self._captured, self._store = captured, store
        self.records: dict[str, Any] = {
            name: record for name, job in captured.measures.items() if (record := stored(store, job)) is not None
        }
        """By the names of the fields of ``ContextReport``; all of them once they have been waited for."""
        missing = [name for name in captured.measures if name not in self.records]
        work = partial(_make, captured.inputs, shown, dict(self.records), missing)
        self._elsewhere = None
        if missing and queue is not None and queue.is_running:
            self._elsewhere = queue.submit_other(work, self._keep)
        elif missing:
            self._keep(work())

    def _keep(self, made: Mapping[str, Any]) -> None:
        for name, record in made.items():
            self._store.put(self._captured.measures[name].key, record)
        self.records |= made

    def wait(self) -> None:
        """Wait for what is measured meanwhile, and add what other packages measure."""
        if self._elsewhere is not None:
            self._elsewhere.wait()
        self.records["added"] = recall_added(self._captured, self._store)


def _make(
    inputs: Inputs, shown: Sequence[Projection], found: Mapping[str, Any], missing: Sequence[str]
) -> dict[str, Any]:
    """The measures that are ``missing``, by their names."""
    from threadpoolctl import threadpool_limits

    made: dict[str, Any] = {}
    # Small matrices gain nothing from several threads, which would take the processors from those who draw at the same
    # time; and one thread adds in the same order on every machine.
    with threadpool_limits(1, "blas"):
        for name in missing:
            made[name] = MEASURES[name].make(inputs, shown, {**found, **made})
    return made


def recall_measure(name: str, captured: Captured, store: Store, shown: Sequence[Projection] = ()) -> Any:
    """One that is made of states alone, and of the projections whose plots are measured; None where it isn't asked for."""
    job = captured.measures.get(name)
    return recall(store, job, lambda: _make(captured.inputs, shown, {}, [name])[name]) if job else None


def recall_added(captured: Captured, store: Store) -> tuple[AddedMeasure, ...]:
    """What other packages measure of one model × context."""
    return tuple(
        recall(store, job, partial(measure_added, each, captured.inputs.states, captured.inputs.words))
        for each, job in zip(added_measures(), captured.added, strict=False)
    )
