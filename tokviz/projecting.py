"""Projections of captured states: taken from the store, or made anew and stored."""

from __future__ import annotations

from tokviz import measuring, plan
from tokviz.records import HiddenStates, Projection
from tokviz.store import Store


def projection_of(
    states: HiddenStates, name: str, ordinary: HiddenStates | None, store: Store, *, force: bool
) -> Projection:
    """One projection of one model × context; ``ordinary`` as for ``plan.projection_key``."""
    key = plan.projection_key(states, name, ordinary)
    projection = None if force else store.find_projection(key)
    if projection is None:
        from tokviz.projection import project

        massive = measuring.massive_dimensions(states, ordinary) if name == plan.WITHOUT_MASSIVE else None
        projection = project(states.states, states.tokenization.reference, name, massive)
        store.put_projection(key, projection)
    return projection
