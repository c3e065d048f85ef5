"""What is measured of captured states: taken from the store, or measured anew and stored.

The rooms that measure import scikit-learn; they are loaded only when something must be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

from tokviz.records import Geometry, HiddenStates, LayerSimilarity, ModelSimilarity, Neighbours, Projection, WordList
from tokviz.run import keys
from tokviz.run.store import Store

PROJECTING_LIBRARIES = ("sklearn.decomposition", "sklearn.preprocessing", "scipy.linalg")
"""What projecting takes a while to load."""


def projection_of(
    states: HiddenStates, name: str, ordinary: HiddenStates | None, store: Store, *, force: bool
) -> Projection:
    """One projection of one model × context; ``ordinary`` as for ``keys.projection_key``."""
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
    wanted = [keys.projection_key(*each) for each in asked]
    found = [None if force else store.find_projection(key) for key in wanted]
    due = [index for index, projection in enumerate(found) if projection is None]
    made = (executor.map if executor else map)(_project, [asked[index] for index in due])
    for index, projection in zip(due, made, strict=True):
        store.put_projection(wanted[index], projection)
        found[index] = projection
    every = iter([projection for projection in found if projection is not None])
    return [[next(every) for _ in names] for _ in contexts]


def _project(asked: tuple[HiddenStates, str, HiddenStates | None]) -> Projection:
    from tokviz.measure.pca import project

    states, name, ordinary = asked
    massive = massive_dimensions(states, ordinary) if name == keys.WITHOUT_MASSIVE else None
    return project(states.states, states.tokenization.reference, name, massive)


_AT_ONCE = 8


def ordinary_states(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    That is where attention sinks form: massive is measured against words that are none.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if not candidate.tokenization.reads_position_0), None)


def massive_dimensions(states: HiddenStates, ordinary: HiddenStates | None) -> tuple[tuple[int, ...], ...]:
    """Per depth, what the projection ``without_massive`` leaves out."""
    from tokviz.measure import geometry

    return geometry.massive_dimensions(states, ordinary)


def geometry_key(
    states: HiddenStates, ordinary: HiddenStates | None, projections: Sequence[str], words: WordList
) -> str:
    projection_keys = tuple(keys.projection_key(states, name, ordinary) for name in projections)
    return keys.geometry_key(states, ordinary, projection_keys, words)


def geometry_of(
    states: HiddenStates,
    ordinary: HiddenStates | None,
    projections: Sequence[Projection],
    words: WordList,
    store: Store,
    *,
    force: bool,
) -> Geometry:
    """All measures of one model × context."""
    key = geometry_key(states, ordinary, [projection.name for projection in projections], words)
    found = None if force else store.find_measures(key, Geometry)
    if found is None:
        from threadpoolctl import threadpool_limits

        from tokviz.measure import geometry

        # Small matrices gain nothing from several threads, which would take the processors from those who draw at the same
        # time; and one thread adds in the same order on every machine.
        with threadpool_limits(1, "blas"):
            found = geometry.measure(states, projections, words.memberships, ordinary)
        store.put_measures(key, found)
    return found


def neighbours_key(states: HiddenStates) -> str | None:
    """None when there are too many words to look for each one's nearest."""
    return keys.neighbours_key(states) if len(states.tokenization.words) <= Neighbours.MOST_WORDS else None


def neighbours_of(states: HiddenStates, store: Store, *, force: bool) -> Neighbours | None:
    """Every word's nearest words in the full space; None when there are too many."""
    key = neighbours_key(states)
    if key is None:
        return None
    found = None if force else store.find_measures(key, Neighbours)
    if found is None:
        from tokviz.measure import geometry

        found = geometry.neighbours(states)
        store.put_measures(key, found)
    return found


def similarities_of(
    pairs: Sequence[tuple[tuple[str, str], bool]],
    captured: Mapping[str, Sequence[HiddenStates]],
    store: Store,
    *,
    force: bool,
) -> tuple[ModelSimilarity, ...]:
    """Every pair in every context that both have, in their order; ``captured`` is each model's contexts, none if it failed.

    Compared are a few models with all others, then the next few: what each capture brings is worked out once for them.
    """
    number = {slug: index for index, slug in enumerate(captured)}
    tasks = [
        (context, slugs, in_detail, states)
        for slugs, in_detail in pairs
        for context, states in enumerate(zip(captured[slugs[0]], captured[slugs[1]], strict=False))
    ]

    def near_in_time(task: int) -> tuple[int, ...]:
        context, (a, b), _, _ = tasks[task]
        return context, number[a] // _AT_ONCE, number[b], number[a]

    found = {
        task: similarity_of(tasks[task][1], tasks[task][3], store, in_detail=tasks[task][2], force=force)
        for task in sorted(range(len(tasks)), key=near_in_time)
    }
    return tuple(found[task] for task in range(len(tasks)))


def similarity_of(
    slugs: tuple[str, str], states: tuple[HiddenStates, HiddenStates], store: Store, *, in_detail: bool, force: bool
) -> ModelSimilarity:
    """The layers of two models in one context, over the words they share; in detail also over those of one token."""

    def compared(*, single_token: bool) -> LayerSimilarity:
        key = keys.similarity_key(*states, single_token=single_token)
        found = None if force else store.find_measures(key, LayerSimilarity)
        if found is None:
            from tokviz.measure import similarity

            found = similarity.layers(*states, *similarity.shared_rows(*states, single_token=single_token))
            store.put_measures(key, found)
        return found

    return ModelSimilarity(
        model_a=slugs[0],
        model_b=slugs[1],
        context=states[0].context.name,
        shared=compared(single_token=False),
        single_token=compared(single_token=True) if in_detail else None,
    )
