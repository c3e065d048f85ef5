"""Projections, and what is measured between captures: taken from the store, or made and stored.

What projects and measures is loaded only when something must be made: scipy and scikit-learn take a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tokviz.records import Differences, LayerSimilarity, ModelDifferences, ModelSimilarity, Projection
from tokviz.run.plan.products import Inputs
from tokviz.run.plan.tree import Captured, Comparison, Job
from tokviz.run.store import keys
from tokviz.run.store.plain import Record
from tokviz.run.store.store import Store

if TYPE_CHECKING:
    import numpy as np

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


def project(captured: Sequence[Captured], store: Store, executor: Executor | None = None) -> list[list[Projection]]:
    """Per capture of a model all its projections.

    Parameters
    ----------
    executor : processes that see the store's files, to project side by side; else it is done here, one after the other.
    """
    asked = [(each.inputs, name) for each in captured for name in each.projections]
    jobs = [job for each in captured for job in each.projections.values()]
    do = executor.map if executor else map
    found = iter(recall_all(store, jobs, lambda due: do(_project, [asked[index] for index in due])))
    return [[next(found) for _ in each.projections] for each in captured]


def project_one(inputs: Inputs, name: str, job: Job[Projection], store: Store) -> Projection:
    """One projection of one capture."""
    return recall(store, job, lambda: _project((inputs, name)))


def _project(asked: tuple[Inputs, str]) -> Projection:
    from tokviz.measure import massive, pca

    inputs, name = asked
    states = inputs.states
    left_out = massive.outstanding(states, inputs.ordinary) if name == keys.WITHOUT_MASSIVE else None
    return pca.project(states.states, states.tokenization.reference, name, left_out)


# --- two captures --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is measured between models."""

    similarities: tuple[ModelSimilarity, ...]
    differences: tuple[ModelDifferences, ...]


def compare(comparisons: Sequence[Comparison], store: Store) -> Compared:
    """All comparisons, in their order."""
    return Compared(similarities=compare_layers(comparisons, store), differences=compare_profiles(comparisons, store))


def compare_layers(comparisons: Sequence[Comparison], store: Store) -> tuple[ModelSimilarity, ...]:
    """All comparisons, in their order.

    Compared are a few models with all others, then the next few: what each capture brings is worked out once for them.
    """
    comparer = Comparer(store)
    slugs = dict.fromkeys(slug for comparison in comparisons for slug in comparison.slugs)
    number = {slug: index for index, slug in enumerate(slugs)}

    def near_in_time(index: int) -> tuple[str, int, int, int]:
        a, b = (number[slug] for slug in comparisons[index].slugs)
        return comparisons[index].context, a // _AT_ONCE, b, a

    order = sorted(range(len(comparisons)), key=near_in_time)
    found = {index: comparer.similarity(comparisons[index]) for index in order}
    return tuple(found[index] for index in range(len(comparisons)))


def compare_profiles(comparisons: Sequence[Comparison], store: Store) -> tuple[ModelDifferences, ...]:
    """Between the profiles of all pairs, in their order."""
    comparer = Comparer(store)
    return tuple(
        ModelDifferences(
            model_a=each.slugs[0], model_b=each.slugs[1], context=each.context, differences=comparer.differences(each)
        )
        for each in comparisons
    )


class Comparer:
    """Compares captures; what each brings to a comparison is kept for the next ones."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _compared(self, comparison: Comparison, *, single_token: bool) -> LayerSimilarity:
        from threadpoolctl import threadpool_limits

        rows = _shared(comparison, single_token=single_token)
        with threadpool_limits(1, "blas"):  # thousands of small products: threads would only wait for each other
            return self._layers.compare(*comparison.states, rows, comparison.inputs[0].words.memberships)

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
                Side(
                    templates=each.templates,
                    memberships=each.words.memberships,
                    pairs=each.related.pairs,
                    orders=each.related.orders,
                )
                for each in comparison.inputs
            )
            with threadpool_limits(1, "blas"):  # as for the measures of one capture
                return self._profiles.compare(a, b)

        return recall(self._store, comparison.differences, make)

    def similarity(self, comparison: Comparison) -> ModelSimilarity:
        """The layers of two models in one context, over the words they share; in detail also over those of one token."""

        def of_one_token() -> LayerSimilarity:
            n_all, n_single = (len(_shared(comparison, single_token=each)[0]) for each in (False, True))
            return shared if n_all == n_single else self._compared(comparison, single_token=True)

        shared = recall(self._store, comparison.shared, lambda: self._compared(comparison, single_token=False))
        return ModelSimilarity(
            model_a=comparison.slugs[0],
            model_b=comparison.slugs[1],
            context=comparison.context,
            shared=shared,
            single_token=recall(self._store, comparison.single_token, of_one_token)
            if comparison.single_token
            else None,
        )


def _shared(comparison: Comparison, *, single_token: bool) -> tuple[np.ndarray, np.ndarray]:
    from tokviz.measure.similarity import shared_rows

    return shared_rows(*comparison.states, single_token=single_token)
