"""Projections, and what is measured between captures: taken from the store, or made and stored.

What projects and measures is loaded only when something must be made: scipy and scikit-learn take a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import TYPE_CHECKING

from tokviz.records import (
    Differences,
    HiddenStates,
    LayerSimilarity,
    ModelDifferences,
    ModelSimilarity,
    Projection,
)
from tokviz.run.measuring.correcting import corrected
from tokviz.run.plan.plan import Captured, Comparison, Job
from tokviz.run.store import keys
from tokviz.run.store.plain import Record
from tokviz.run.store.store import Store

if TYPE_CHECKING:
    from tokviz.measure.profile import ProfileComparer
    from tokviz.measure.similarity import LayerComparer

LIBRARIES = ("sklearn.decomposition", "sklearn.preprocessing", "scipy.linalg")
"""What projecting takes a while to load."""
_AT_ONCE = 8


def recall(store: Store, job: Job[Record], make: Callable[[], Record]) -> Record:
    """What the store has under the job's key, unless it is due; else it is made, and stored."""
    return recall_all(store, [job], lambda due: (make() for _ in due))[0]


def recall_all(
    store: Store, jobs: Sequence[Job[Record]], make: Callable[[list[int]], Iterable[Record]]
) -> list[Record]:
    """The same for several; ``make`` gets the indices of those to be made, and each is stored as soon as it comes."""
    found = {index: record for index, job in enumerate(jobs) if (record := stored(store, job)) is not None}
    missing = [index for index in range(len(jobs)) if index not in found]
    for index, record in zip(missing, make(missing), strict=True):
        store.put(jobs[index].key, record)
        found[index] = record
    return [found[index] for index in range(len(jobs))]


def stored(store: Store, job: Job[Record]) -> Record | None:
    """What the store has under the job's key; None where it is due."""
    return None if job.due else store.find(job.key, job.kind)


# --- projections ---------------------------------------------------------------------------------------------------


def projections(captured: Sequence[Captured], store: Store, executor: Executor | None = None) -> list[list[Projection]]:
    """Per context of a model all its projections.

    Parameters
    ----------
    executor : processes that see the store's files, to project side by side; else it is done here, one after the other.
    """
    asked = [(each.states, each.ordinary, name) for each in captured for name in each.projections]
    jobs = [job for each in captured for job in each.projections.values()]
    do = executor.map if executor else map
    found = iter(recall_all(store, jobs, lambda due: do(_project, [asked[index] for index in due])))
    return [[next(found) for _ in each.projections] for each in captured]


def projection(captured: Captured, name: str, job: Job[Projection], store: Store) -> Projection:
    """One projection of one model × context."""
    return recall(store, job, lambda: _project((captured.states, captured.ordinary, name)))


def _project(asked: tuple[HiddenStates, HiddenStates | None, str]) -> Projection:
    from tokviz.measure import massive, pca

    states, ordinary, name = asked
    left_out = massive.outstanding(states, ordinary) if name == keys.WITHOUT_MASSIVE else None
    return pca.project(states.states, states.tokenization.reference, name, left_out)


# --- two captures --------------------------------------------------------------------------------------------------


def similarities(comparisons: Sequence[Comparison], store: Store) -> tuple[ModelSimilarity, ...]:
    """All comparisons, in their order.

    Compared are a few models with all others, then the next few: what each capture brings is worked out once for them.
    """
    comparer = Comparer(store)
    slugs = dict.fromkeys(slug for comparison in comparisons for slug in comparison.slugs)
    number = {slug: index for index, slug in enumerate(slugs)}

    def near_in_time(index: int) -> tuple[str, int, int, int]:
        a, b = (number[slug] for slug in comparisons[index].slugs)
        return comparisons[index].states[0].context.name, a // _AT_ONCE, b, a

    order = sorted(range(len(comparisons)), key=near_in_time)
    found = {index: comparer.similarity(comparisons[index]) for index in order}
    return tuple(found[index] for index in range(len(comparisons)))


def differences(comparisons: Sequence[Comparison], store: Store) -> tuple[ModelDifferences, ...]:
    """Between the profiles of all pairs, in their order; p-values are corrected for the number of pairs."""
    comparer = Comparer(store)
    found = corrected([comparer.differences(each) for each in comparisons])
    return tuple(
        ModelDifferences(
            model_a=each.slugs[0], model_b=each.slugs[1], context=each.states[0].context.name, differences=of_it
        )
        for each, of_it in zip(comparisons, found, strict=True)
    )


class Comparer:
    """Compares captures; what each brings to a comparison is kept for the next ones."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _compared(self, comparison: Comparison, *, single_token: bool) -> LayerSimilarity:
        from tokviz.measure.similarity import shared_rows

        return self._layers.compare(*comparison.states, shared_rows(*comparison.states, single_token=single_token))

    @cached_property
    def _layers(self) -> LayerComparer:
        from tokviz.measure.similarity import LayerComparer

        return LayerComparer()

    @cached_property
    def _profiles(self) -> ProfileComparer:
        from tokviz.measure.profile import ProfileComparer

        return ProfileComparer()

    def differences(self, comparison: Comparison) -> Differences:
        """Between the profiles of two models, over the words and pairs that they share."""

        def make() -> Differences:
            from threadpoolctl import threadpool_limits

            from tokviz.measure.profile import Side

            a, b = (
                Side(states=states, memberships=words.memberships, pairs=asked.pairs, orders=asked.orders)
                for states, words, asked in zip(comparison.states, comparison.words, comparison.related, strict=True)
            )
            with threadpool_limits(1, "blas"):  # as for the measures of one capture
                return self._profiles.compare(a, b)

        return recall(self._store, comparison.differences, make)

    def similarity(self, comparison: Comparison) -> ModelSimilarity:
        """The layers of two models in one context, over the words they share; in detail also over those of one token."""

        def compared(job: Job[LayerSimilarity], *, single_token: bool) -> LayerSimilarity:
            return recall(self._store, job, lambda: self._compared(comparison, single_token=single_token))

        return ModelSimilarity(
            model_a=comparison.slugs[0],
            model_b=comparison.slugs[1],
            context=comparison.states[0].context.name,
            shared=compared(comparison.shared, single_token=False),
            single_token=compared(comparison.single_token, single_token=True) if comparison.single_token else None,
        )
