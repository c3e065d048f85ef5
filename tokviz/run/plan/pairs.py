"""What is made of two captures or of several: models compared with each other, and the checkpoints of a series.

What changed between two is asked dimension by dimension and word by word, of captures of one form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from tokviz.records import (
    Changed,
    Differences,
    Drift,
    HiddenStates,
    LayerSimilarity,
    ModelDifferences,
    ModelSimilarity,
    NotCompared,
    OrderRows,
    PairedMeasures,
    PairRows,
    StepAxes,
)
from tokviz.run.plan.added import Groups, Memberships
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.steps import Step, Steps, Unmade, measured_by, one_thread
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.text import shown

if TYPE_CHECKING:
    from tokviz.measure.profile import Side

NOT_COMPARED = "not compared yet"
_AT_ONCE = 8
Kept = TypeVar("Kept")
_Words = tuple[tuple[HiddenStates, ...], Memberships]
_Side = tuple[tuple[HiddenStates, ...], Memberships, tuple[PairRows, ...], tuple[OrderRows, ...]]


class Comparer:
    """Compares captures; what each brings to a comparison is kept for the next ones in the same process."""

    def __init__(self) -> None:
        self._kept: dict[type, Any] = {}

    def _of(self, kind: type[Kept]) -> Kept:
        made: Kept = self._kept.setdefault(kind, kind())
        return made

    def similarity(
        self, a: HiddenStates, b: HiddenStates, memberships: Memberships, shared: LayerSimilarity | None
    ) -> LayerSimilarity:
        """The layers of two models over the words that they share.

        Parameters
        ----------
        shared : what is known of these; then it is of those words alone that are one token in both.
        """
        from tokviz.measure.similarity import LayerComparer, shared_rows

        rows = shared_rows(a, b, single_token=shared is not None)
        if shared is not None and len(rows[0]) == len(shared_rows(a, b, single_token=False)[0]):
            return shared
        return one_thread(self._of(LayerComparer).compare)(a, b, rows, memberships)

    def differences(self, a: _Side, b: _Side, groups: Groups) -> Differences:
        """Between the profiles of two models, over the words and pairs that they share; ``groups``: words that belong together."""
        from tokviz.measure.profile import ProfileComparer

        one, other = (_side(*each, groups=groups) for each in (a, b))
        return one_thread(self._of(ProfileComparer).compare)(one, other)

    def paired(self, a: _Words, b: _Words, groups: Groups) -> PairedMeasures:
        """Two models word by word, at equal relative depth; ``groups``: words that belong together."""
        from tokviz.measure.paired_captures import PairedComparer

        one, other = (_side(*each, groups=groups) for each in (a, b))
        return one_thread(self._of(PairedComparer).compare)(one, other)


def _side(
    templates: tuple[HiddenStates, ...],
    memberships: Memberships,
    pairs: tuple[PairRows, ...] = (),
    orders: tuple[OrderRows, ...] = (),
    groups: Groups = (),
) -> Side:
    from tokviz.measure.profile import Side

    return Side(templates=templates, memberships=memberships, pairs=pairs, orders=orders, groups=groups)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models in one context."""

    slugs: tuple[str, str]
    inputs: tuple[Inputs, Inputs]
    in_detail: bool
    """Whether the words that are one token in both are compared by themselves, too."""
    comparer: Comparer
    is_change: bool = False
    """Whether the first is what the second was before a training, or the like."""
    misfit: str | None = None
    """Why that can't be asked of the two, though it was to be."""

    @property
    def context(self) -> str:
        return self.inputs[0].states.context.name

    @cached_property
    def shared(self) -> Step[LayerSimilarity]:
        return self._similarity(None)

    @cached_property
    def single_token(self) -> Step[LayerSimilarity] | None:
        """Over those that are one token in both; None where the pair isn't compared in detail."""
        return self._similarity(self.shared) if self.in_detail else None

    def _similarity(self, shared: Step[LayerSimilarity] | None) -> Step[LayerSimilarity]:
        a, b = self.inputs
        of = (a.states, b.states, a.words.memberships, shared)
        return Step(what="similarity", kind=LayerSimilarity, of=of, make=self.comparer.similarity, is_new=NOT_COMPARED)

    @cached_property
    def differences(self) -> Step[Differences]:
        sides = (
            (each.templates, each.words.memberships, each.related.pairs, each.related.orders) for each in self.inputs
        )
        of = (*sides, self.inputs[0].words.groups)
        return Step(what="differences", kind=Differences, of=of, make=self.comparer.differences, is_new=NOT_COMPARED)

    @cached_property
    def paired(self) -> Step[PairedMeasures] | None:
        """Word by word; None without categories to tell apart."""
        if len(self.inputs[0].words.categories) < 2:
            return None
        sides = ((each.templates, each.words.memberships) for each in self.inputs)
        of = (*sides, self.inputs[0].words.groups)
        return Step(what="paired models", kind=PairedMeasures, of=of, make=self.comparer.paired, is_new=NOT_COMPARED)

    @cached_property
    def changed(self) -> Step[Changed] | None:
        """What changed from the first to the second; None where that isn't asked."""
        if not self.is_change:
            return None
        of = tuple(each.templates for each in self.inputs)
        make = measured_by("common_axes.changed")
        return Step(what="changed", kind=Changed, of=of, make=make, is_new=NOT_COMPARED)

    @property
    def steps(self) -> list[Step[Any]]:
        every = (self.shared, self.single_token, self.differences, self.paired, self.changed)
        return [step for step in every if step is not None]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of comparisons, in their order."""

    similarities: tuple[ModelSimilarity, ...] = ()
    differences: tuple[ModelDifferences, ...] = ()
    failed: tuple[NotCompared, ...] = ()


def compare(comparisons: Sequence[Comparison], steps: Steps, queue: PictureQueue | None) -> Compared:
    """Make all that is made of comparisons; what a library makes of two models' numbers costs that pair only.

    A few models with all others are a piece of work for one process, then the next few: what each capture brings is worked out once
    for them, and is gone before their profiles are compared.
    """
    number = {
        slug: index for index, slug in enumerate(dict.fromkeys(slug for each in comparisons for slug in each.slugs))
    }

    def place(each: Comparison) -> tuple[str, int, int, int]:
        a, b = (number[slug] for slug in each.slugs)
        return each.context, a // _AT_ONCE, b, a

    near = [list(some) for _, some in groupby(sorted(comparisons, key=place), key=lambda each: place(each)[:2])]
    pieces: list[list[Step[Any]]] = [
        [step for each in some for step in (each.shared, each.single_token) if step] for some in near
    ]
    pieces += [
        [step for each in some for step in (each.differences, each.paired, each.changed) if step] for some in near
    ]
    begun = [steps.meanwhile({step.key: step for step in piece}, queue, each_alone=True) for piece in pieces]
    lacking = {key: made.reason for each in begun for key, made in each.wait().items() if isinstance(made, Unmade)}
    failed = [
        (each, next((lacking[step.key] for step in each.steps if step.key in lacking), None)) for each in comparisons
    ]
    whole = [each for each, reason in failed if reason is None]
    return Compared(
        similarities=compare_layers(whole, steps),
        differences=compare_profiles(whole, steps),
        failed=(
            *(_not_compared(each, each.misfit) for each in comparisons if each.misfit),
            *(
                _not_compared(
                    each,
                    f"expected two models that can be compared, got {reason} on the way; where memory ran out, ask for fewer words or "
                    "free some, or else leave one of the two out",
                )
                for each, reason in failed
                if reason is not None
            ),
        ),
    )


def _not_compared(comparison: Comparison, failure: str) -> NotCompared:
    model_a, model_b = comparison.slugs
    return NotCompared(model_a=model_a, model_b=model_b, context=comparison.context, failure=failure)


def compare_layers(comparisons: Sequence[Comparison], steps: Steps) -> tuple[ModelSimilarity, ...]:
    """In their order."""
    return tuple(similarity(each, steps) for each in comparisons)


def similarity(comparison: Comparison, steps: Steps) -> ModelSimilarity:
    """The layers of two models in one context, over the words they share; in detail also over those of one token."""
    return ModelSimilarity(
        model_a=comparison.slugs[0],
        model_b=comparison.slugs[1],
        context=comparison.context,
        shared=steps(comparison.shared),
        single_token=steps(comparison.single_token) if comparison.single_token else None,
    )


def compare_profiles(comparisons: Sequence[Comparison], steps: Steps) -> tuple[ModelDifferences, ...]:
    """In their order."""
    return tuple(
        ModelDifferences(
            model_a=each.slugs[0],
            model_b=each.slugs[1],
            context=each.context,
            differences=steps(each.differences),
            paired=steps(each.paired) if each.paired else None,
            changed=steps(each.changed) if each.changed else None,
        )
        for each in comparisons
    )


# --- of one form -----------------------------------------------------------------------------------------------------


def misfit(templates: Sequence[HiddenStates], reference: Sequence[HiddenStates], name: str) -> str | None:
    """What was expected of a capture and what it has; None where it is of one form with the reference, which has that name.

    Parameters
    ----------
    templates, reference : in each template of a context.
    """
    every = (_misfit(*each, name) for each in zip(templates, reference, strict=False))
    return next(filter(None, every), None)


def _misfit(states: HiddenStates, reference: HiddenStates, name: str) -> str | None:
    for what, expected, got in (
        ("layers", reference.n_depths - 1, states.n_depths - 1),
        ("dimensions", reference.card.width, states.card.width),
        ("dimensions at the embedding", reference.card.embedding_width, states.card.embedding_width),
    ):
        if got != expected:
            return f"expected the {expected} {what} of {name}, got {got}"
    if states.tokenization.read != reference.tokenization.read:
        return f"expected words read as in {name} ({reference.tokenization.read}), got {states.tokenization.read}"
    words, expected_words = states.tokenization.words, reference.tokenization.words
    for own, first in zip(words, expected_words, strict=False):
        if own.ids != first.ids:
            return f"expected the tokens of {name}, got others for {shown(own.word)} (name one tokenizer for all)"
    if len(words) != len(expected_words):  # of whole vocabularies
        return f"expected the {len(expected_words):,} words of {name}, got {len(words):,} (name one tokenizer for all)"
    return None


def side_by_side(a: Sequence[Inputs], b: Sequence[Inputs]) -> Iterator[tuple[Inputs, Inputs]]:
    """Both models' captures in each context that both have."""
    by_name = {each.states.context.name: each for each in b}
    return ((each, by_name[each.states.context.name]) for each in a if each.states.context.name in by_name)


def of_one_form(captured: Mapping[str, Sequence[Inputs]]) -> Iterator[tuple[str, str]]:
    """Each model with the first one of its architecture and, in any context, its form, by their slugs."""
    firsts: dict[str, Sequence[Inputs]] = {}
    for slug, own in captured.items():
        found = next(
            (first for first, others in firsts.items() if any(_are_alike(*each) for each in side_by_side(own, others))),
            None,
        )
        if found is None:
            firsts[slug] = own
        else:
            yield found, slug


def _are_alike(one: Inputs, other: Inputs) -> bool:
    """Small models of different architectures may have one form, but none of them came of the other."""
    is_of_one_type = one.states.card.model_type == other.states.card.model_type
    return is_of_one_type and misfit(one.templates, other.templates, "") is None


# --- series ----------------------------------------------------------------------------------------------------------


def axes(own: Inputs, reference: Inputs, projection: str) -> Step[StepAxes]:
    """The words of a checkpoint on the axes of another one."""
    of = (own.states, reference.states, projection)
    return Step(what="axes", kind=StepAxes, of=of, make=_axes, is_new="not on the axes of the series yet")


def _axes(states: HiddenStates, reference: HiddenStates, projection: str) -> StepAxes:
    from tokviz.measure.series import step_axes

    return step_axes(states, reference, projection)


def drift(checkpoints: Sequence[Inputs]) -> Step[Drift]:
    """How far the checkpoints of a series are apart in one context, in their order."""
    return Step(
        what="drift", kind=Drift, of=tuple(each.states for each in checkpoints), make=_drift, is_new=NOT_COMPARED
    )


def _drift(*states: HiddenStates) -> Drift:
    from tokviz.measure.series import drift

    return drift(states)
