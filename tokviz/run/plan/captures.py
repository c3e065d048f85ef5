"""What is made of one capture: its projections, and each measure as a step; nothing is measured in a draft.

What projects and measures is loaded only when something must be made: scipy and scikit-learn take a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tokviz.records import (
    AddedMeasure,
    Geometry,
    HiddenStates,
    Lens,
    Neighbours,
    OrderRows,
    PairedCapture,
    PairRows,
    Projection,
    Relations,
    Untrained,
    WordScores,
)
from tokviz.run.kinds.controls import Controls, UntrainedModels
from tokviz.run.kinds.lenses import Lenses, LensInputs
from tokviz.run.plan.added import Groups, Memberships, added_measures
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.steps import Step, measured_by, one_thread

LIBRARIES = (__name__, "sklearn.decomposition", "sklearn.preprocessing", "scipy.linalg")
"""What projecting takes a while to load; this module, since processes that are forked then need not each load it."""
MEASURING_LIBRARIES = ("scipy.spatial.distance", "scipy.special")
"""And what measuring does."""
WITHOUT_MASSIVE = "without_massive"
"""The projection that needs to know which dimensions are massive or dominant."""


def projection(inputs: Inputs, name: str) -> Step[Projection]:
    """All depths in two dimensions."""
    # That says which dimensions are left out; others are kept as they are whatever it says.
    ordinary = inputs.ordinary if name == WITHOUT_MASSIVE else None
    return Step(
        what="projection",
        kind=Projection,
        of=(inputs.states, name, ordinary),
        make=_project,
        is_new="not projected yet",
    )


def _project(states: HiddenStates, name: str, ordinary: HiddenStates | None) -> Projection:
    from tokviz.measure import massive, pca

    left_out = massive.outstanding(states, ordinary) if name == WITHOUT_MASSIVE else None
    return pca.project(states.states, states.tokenization.reference, name, left_out)


# --- the measures ----------------------------------------------------------------------------------------------------


def geometry(inputs: Inputs) -> Step[Geometry]:
    """Spread, neighbors, categories and stages."""
    shown = (projection(inputs, name) for name in inputs.measured)
    ordinary = inputs.ordinary
    named = ordinary and ordinary.context.name  # which the record says
    of = (inputs.states, inputs.further, ordinary, named, inputs.words.memberships, inputs.words.groups, *shown)
    return Step(what="geometry", kind=Geometry, of=of, make=_geometry)


@one_thread
def _geometry(
    states: HiddenStates,
    further: tuple[HiddenStates, ...],
    ordinary: HiddenStates | None,
    _: str,
    memberships: Memberships,
    groups: Groups,
    *shown: Projection,
) -> Geometry:
    from tokviz.measure.geometry import measure

    return measure(states, shown, memberships, ordinary, further, groups)


def neighbours(inputs: Inputs) -> Step[Neighbours] | None:
    """Each word's nearest words; None of a long list."""
    if len(inputs.states.tokenization.words) > Neighbours.MOST_WORDS:
        return None
    make = measured_by("neighbours.neighbours")
    return Step(what="neighbours", kind=Neighbours, of=(inputs.states,), make=make)


def same_category(inputs: Inputs) -> Step[WordScores]:
    """How many of a word's nearest words share its category."""
    # Of a vocabulary, tokens with a category are few: only these are looked at.
    found = neighbours(inputs) if inputs.words.vocabulary is None else None
    of = (inputs.states, inputs.words.memberships, found)
    return Step(what="same_category", kind=WordScores, of=of, make=measured_by("word_scores.same_category"))


def relations(inputs: Inputs) -> Step[Relations] | None:
    """The relations and orders of the words; None where none are asked for."""
    asked = inputs.related
    of = (inputs.states, asked.pairs, asked.orders, inputs.further, inputs.words.groups)
    return Step(what="relations", kind=Relations, of=of, make=measured_by("relations.measure")) if asked else None


def untrained(inputs: Inputs) -> Step[Untrained] | None:
    """The same in untrained models; None where that isn't asked for."""
    controls, asked = inputs.of(UntrainedModels), inputs.related
    if controls is None:
        return None
    of = (inputs.templates, inputs.words.memberships, asked.pairs, asked.orders, controls, inputs.words.groups)
    return Step(what="untrained", kind=Untrained, of=of, make=_untrained)


@one_thread
def _untrained(
    templates: tuple[HiddenStates, ...],
    memberships: Memberships,
    pairs: tuple[PairRows, ...],
    orders: tuple[OrderRows, ...],
    controls: Controls,
    groups: Groups,
) -> Untrained:
    from tokviz.measure.profile import Side
    from tokviz.measure.untrained import measure

    side = Side(templates=templates, memberships=memberships, pairs=pairs, orders=orders, groups=groups)
    found = measure(side, controls.random, controls.own_embedding, controls.permuted)
    return replace(found, problems=controls.problems, note=controls.note, scaling=controls.scaling)


def paired(inputs: Inputs) -> Step[PairedCapture] | None:
    """What the states are held against word by word; None where there are no categories to tell apart."""
    if len(inputs.words.categories) < 2:
        return None
    controls = inputs.of(UntrainedModels)
    untrained = () if controls is None else (*controls.own_embedding, *controls.permuted)
    of = (inputs.templates, inputs.words.memberships, inputs.against, untrained, inputs.words.groups)
    return Step(what="paired", kind=PairedCapture, of=of, make=_paired)


@one_thread
def _paired(
    templates: tuple[HiddenStates, ...],
    memberships: Memberships,
    against: tuple[HiddenStates, ...],
    untrained: tuple[HiddenStates, ...],
    groups: Groups,
) -> PairedCapture:
    from tokviz.measure.paired_captures import of_capture, of_intervention
    from tokviz.measure.profile import Side

    side = Side(templates=templates, memberships=memberships, groups=groups)
    if side.states.intervention is not None:
        return of_intervention(side, against[0])
    return of_capture(side, against, untrained)


def lens(inputs: Inputs) -> Step[Lens] | None:
    """What each layer would say; None where no lens is asked for."""
    read, controls = inputs.of(Lenses), inputs.of(UntrainedModels)
    if read is None:
        return None
    random = None if controls is None else controls.random
    of = (inputs.templates, inputs.words.memberships, inputs.related.pairs, read, random, inputs.words.groups)
    return Step(what="lens", kind=Lens, of=of, make=_lens)


@one_thread
def _lens(
    templates: tuple[HiddenStates, ...],
    memberships: Memberships,
    pairs: tuple[PairRows, ...],
    lens: LensInputs,
    random: HiddenStates | None,
    groups: Groups,
) -> Lens:
    from tokviz.measure.lens import Read, measure, unread

    if lens.names is None:
        return unread(templates[0], lens.reason)
    read = Read(templates=templates, memberships=memberships, pairs=pairs, groups=groups)
    return measure(read, lens.names, lens.words, (random, lens.random) if random and lens.random else None)


MEASURES: Mapping[str, Callable[[Inputs], Step[Any] | None]] = {
    "geometry": geometry,
    "neighbours": neighbours,
    "same_category": same_category,
    "relations": relations,
    "paired": paired,
    "untrained": untrained,
    "lens": lens,
}
"""By the name of its field in ``ContextReport``; each stands after those that it depends on."""
_OF_CHECKPOINTS = ("geometry", "relations", "untrained")
_OF_WHAT_OTHERS_ARE_COMPARED_WITH = ("geometry", "paired")


def measures(inputs: Inputs) -> dict[str, Step[Any]]:
    """Those that are made of a capture, by their names."""
    asked = tuple(MEASURES)
    if inputs.is_checkpoint:
        asked = _OF_CHECKPOINTS
    elif inputs.rule == "control":
        asked = _OF_WHAT_OTHERS_ARE_COMPARED_WITH
    return {name: step for name in asked if (step := MEASURES[name](inputs)) is not None}


def added(inputs: Inputs) -> tuple[Step[AddedMeasure], ...]:
    """What other packages measure."""
    if inputs.rule == "control":
        return ()
    return tuple(
        Step(
            what="added",
            kind=AddedMeasure,
            of=(inputs.states, inputs.words.memberships, each.key_parts),
            make=each.measured,
        )
        for each in added_measures()
    )
