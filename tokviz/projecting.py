"""Projections of captured states: taken from the store, or made anew and stored."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from tokviz import measuring, plan
from tokviz.records import HiddenStates, Projection
from tokviz.store import Store

LIBRARIES = ("sklearn.decomposition", "sklearn.preprocessing", "scipy.linalg")
"""What projecting takes a while to load."""


def projection_of(
    states: HiddenStates, name: str, ordinary: HiddenStates | None, store: Store, *, force: bool
) -> Projection:
    """One projection of one model × context; ``ordinary`` as for ``plan.projection_key``."""
    [[projection]] = projections_of([(states, ordinary)], [name], store, force=force)
    return projection


def projections_of(
    contexts: Sequence[tuple[HiddenStates, HiddenStates | None]],
    names: Sequence[str],
    store: Store,
    *,
    force: bool,
    executor: Executor | None = None,
) -> list[list[Projection]]:
    """Per context the projections of these names.

    Parameters
    ----------
    contexts : the states of a model in each, and those that massive activations are measured against.
    executor : processes that see the store's files, to project side by side; else it is done here, one after the other.
    """
    asked = [(states, name, ordinary) for states, ordinary in contexts for name in names]
    keys = [plan.projection_key(*each) for each in asked]
    found = [None if force else store.find_projection(key) for key in keys]
    due = [index for index, projection in enumerate(found) if projection is None]
    made = (executor.map if executor else map)(_project, [asked[index] for index in due])
    for index, projection in zip(due, made, strict=True):
        store.put_projection(keys[index], projection)
        found[index] = projection
    every = iter([projection for projection in found if projection is not None])
    return [[next(every) for _ in names] for _ in contexts]


def _project(asked: tuple[HiddenStates, str, HiddenStates | None]) -> Projection:
    from tokviz.projection import project

    states, name, ordinary = asked
    massive = measuring.massive_dimensions(states, ordinary) if name == plan.WITHOUT_MASSIVE else None
    return project(states.states, states.tokenization.reference, name, massive)
