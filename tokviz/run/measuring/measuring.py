"""The metrics of one capture: taken from the store, or measured and stored; here, or in another process meanwhile.

What measures is loaded only when something must be measured: scipy takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tokviz.records import AddedMeasure, Geometry, Neighbours, Profile, Projection, Relations
from tokviz.run.measuring.results import recall, stored
from tokviz.run.plan.added import added_measures, measured
from tokviz.run.plan.plan import Captured, Job
from tokviz.run.store.store import Store

LIBRARIES = ("scipy.spatial.distance", "scipy.special")
"""What measuring takes a while to load."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured of one model × context, without what other packages add; None where it isn't asked for."""

    geometry: Geometry
    neighbours: Neighbours | None = None
    relations: Relations | None = None
    profile: Profile | None = None


Submit = Callable[[Callable[[], Any], Callable[[Any], None]], Callable[[], Any]]
"""Has a function called in another process that sees the store's files, and another one keep what it gives; the call waits."""


def begin(
    captured: Captured, shown: Sequence[Projection], store: Store, submit: Submit | None = None
) -> Callable[[], Measures]:
    """Measure what is due of one capture; the call gives all of it, once it is there.

    Parameters
    ----------
    shown : the projections whose plots are measured.
    submit : who measures it meanwhile; without one it is done here, now.
    """
    jobs: dict[str, Job[Any] | None] = {name: getattr(captured, name) for name in _MEASURE}
    asked = {name: job for name, job in jobs.items() if job is not None}
    found = {name: record for name, job in asked.items() if (record := stored(store, job)) is not None}
    missing = [name for name in asked if name not in found]

    work = partial(_measured, captured, shown, found, missing)

    def keep(made: Mapping[str, Any]) -> None:
        for name, record in made.items():
            store.put(asked[name].key, record)

    if missing and submit is not None:
        result = submit(work, keep)
        return lambda: Measures(**found, **result())
    made = work()
    keep(made)
    return lambda: Measures(**found, **made)


def _measured(
    captured: Captured, shown: Sequence[Projection], found: Mapping[str, Any], missing: Sequence[str]
) -> dict[str, Any]:
    """Those of ``Measures`` that are ``missing``, by their names."""
    if not missing:
        return {}
    from threadpoolctl import threadpool_limits

    made: dict[str, Any] = {}
    # Small matrices gain nothing from several threads, which would take the processors from those who draw at the same
    # time; and one thread adds in the same order on every machine.
    with threadpool_limits(1, "blas"):
        for name in missing:
            made[name] = _MEASURE[name](captured, shown, {**found, **made})
    return made


def _geometry(captured: Captured, shown: Sequence[Projection], others: Mapping[str, Any]) -> Geometry:
    from tokviz.measure.geometry import measure

    return measure(captured.states, shown, captured.words.memberships, captured.ordinary)


def _neighbours(captured: Captured, shown: Sequence[Projection], others: Mapping[str, Any]) -> Neighbours:
    from tokviz.measure import neighbours

    return neighbours.neighbours(captured.states)


def _relations(captured: Captured, shown: Sequence[Projection], others: Mapping[str, Any]) -> Relations:
    from tokviz.measure.relations import measure

    return measure(captured.states, captured.related.pairs, captured.related.orders)


def _profile(captured: Captured, shown: Sequence[Projection], others: Mapping[str, Any]) -> Profile:
    from tokviz.measure.profile import profile

    return profile(captured.states, captured.words.memberships, others["geometry"], others.get("relations"))


_MEASURE = {"geometry": _geometry, "neighbours": _neighbours, "relations": _relations, "profile": _profile}
"""A profile follows from the geometry and the relations."""


# --- one of them, for notebooks ----------------------------------------------------------------------------------


def geometry(captured: Captured, job: Job[Geometry], shown: Sequence[Projection], store: Store) -> Geometry:
    """All metrics of the geometry; those of plots for the projections that are ``shown``."""
    made: Geometry = recall(store, job, lambda: _measured(captured, shown, {}, ["geometry"])["geometry"])
    return made


def neighbours(captured: Captured, store: Store) -> Neighbours | None:
    """Every word's nearest words in the full space; None when there are too many words."""
    job = captured.neighbours
    return recall(store, job, lambda: _measured(captured, (), {}, ["neighbours"])["neighbours"]) if job else None


def relations(captured: Captured, store: Store) -> Relations | None:
    """The relations and orders that are asked for; None without any."""
    job = captured.relations
    return recall(store, job, lambda: _measured(captured, (), {}, ["relations"])["relations"]) if job else None


def added(captured: Captured, store: Store) -> tuple[AddedMeasure, ...]:
    """What other packages measure of one model × context."""
    return tuple(
        recall(store, job, partial(measured, each, captured.states, captured.words))
        for each, job in zip(added_measures(), captured.added, strict=False)
    )
