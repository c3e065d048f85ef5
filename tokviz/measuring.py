"""What is measured of captured states: taken from the store, or measured anew and stored.

The rooms that measure import scikit-learn; they are loaded only when something must be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tokviz import plan
from tokviz.measures import Geometry, LayerSimilarity, Neighbours
from tokviz.records import HiddenStates, ModelSimilarity, Projection, WordList
from tokviz.store import Store

_AT_ONCE = 8


def ordinary_states(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    That is where attention sinks form: massive is measured against words that are none.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if not candidate.tokenization.reads_position_0), None)


def massive_dimensions(states: HiddenStates, ordinary: HiddenStates | None) -> tuple[tuple[int, ...], ...]:
    """Per depth, what the projection ``without_massive`` leaves out."""
    from tokviz import geometry

    return geometry.massive_dimensions(states, ordinary)


def geometry_key(
    states: HiddenStates, ordinary: HiddenStates | None, projections: Sequence[str], words: WordList
) -> str:
    projection_keys = tuple(plan.projection_key(states, name, ordinary) for name in projections)
    return plan.geometry_key(states, ordinary, projection_keys, words)


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

        from tokviz import geometry

        # Small matrices gain nothing from several threads, which would take the processors from those who draw at the same
        # time; and one thread adds in the same order on every machine.
        with threadpool_limits(1, "blas"):
            found = geometry.measure(states, projections, words.memberships, ordinary)
        store.put_measures(key, found)
    return found


def neighbours_key(states: HiddenStates) -> str | None:
    """None when there are too many words to look for each one's nearest."""
    return plan.neighbours_key(states) if len(states.tokenization.words) <= Neighbours.MOST_WORDS else None


def neighbours_of(states: HiddenStates, store: Store, *, force: bool) -> Neighbours | None:
    """Every word's nearest words in the full space; None when there are too many."""
    key = neighbours_key(states)
    if key is None:
        return None
    found = None if force else store.find_measures(key, Neighbours)
    if found is None:
        from tokviz import geometry

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
        key = plan.similarity_key(*states, single_token=single_token)
        found = None if force else store.find_measures(key, LayerSimilarity)
        if found is None:
            from tokviz import similarity

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
