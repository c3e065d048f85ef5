"""What is measured of one capture: a table from which follow its jobs, what is due, what pruning keeps and what reports hold.

Projections, which pictures need, come before: each has a key and a maker of its own (``results.project``). Nothing here is made
in a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal

from tokviz.records import (
    Geometry,
    HiddenStates,
    InterventionRule,
    Lens,
    Neighbours,
    Projection,
    Relations,
    Untrained,
    WordList,
    WordScores,
)
from tokviz.run.plan.controls import Controls
from tokviz.run.plan.lenses import LensInputs
from tokviz.run.plan.related import Related
from tokviz.run.store import keys
from tokviz.run.store.plain import Record


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the states of a capture are measured with, or held against."""

    further: tuple[HiddenStates, ...] = ()
    """The same words in the context's further templates."""
    controls: Controls | None = None
    """The same words in untrained models; None where that isn't asked for."""
    lens: LensInputs | None = None
    """What the states are read with; None where that isn't asked for."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the products of one capture are made of."""

    states: HiddenStates
    beside: Beside = Beside()
    ordinary: HiddenStates | None
    """The states themselves or those of another context of the model: words that are read away from position 0."""
    words: WordList
    related: Related
    measured: tuple[str, ...]
    """The projections whose pictures are measured."""
    is_checkpoint: bool = False
    """Whether it is of a checkpoint in a series."""

    @property
    def templates(self) -> tuple[HiddenStates, ...]:
        """The words in each of the context's templates, the one that is drawn first."""
        return (self.states, *self.beside.further)

    @property
    def rule(self) -> InterventionRule | None:
        """How the neurons that were set to a value were chosen; None for the model as it is."""
        done = self.states.intervention
        return done.rule if done else None


@dataclass(frozen=True, kw_only=True)
class CaptureMeasure(Generic[Record]):
    """One of the fields of ``ContextReport``."""

    record: type[Record]
    key: Callable[[Inputs], str | None]
    """None where it isn't asked for."""
    make: Callable[[Inputs, Sequence[Projection], Mapping[str, Any]], Record]
    """Of the projections whose pictures are measured, and of the measures that stand before it."""
    of: Literal["all captures", "shown", "intact"] = "shown"
    """Whether captures are left out that others are only compared with."""

    of_checkpoints: bool = False
    """Whether it is made of the checkpoints in a series."""

    def is_of(self, inputs: Inputs) -> bool:
        """Whether it is made of such a capture."""
        if inputs.is_checkpoint:
            return self.of_checkpoints
        return self.of == "all captures" or inputs.rule != "control"


def measure_keys(inputs: Inputs) -> dict[str, str]:
    """Under which keys the measures of a capture are stored, by their names."""
    asked = {name: each.key(inputs) for name, each in MEASURES.items() if each.is_of(inputs)}
    return {name: key for name, key in asked.items() if key is not None}


# --- the keys ------------------------------------------------------------------------------------------------------


def _geometry_key(inputs: Inputs) -> str:
    states, ordinary = inputs.states, inputs.ordinary
    of_projections = tuple(keys.projection_key(states, name, ordinary) for name in inputs.measured)
    return keys.geometry_key(states, inputs.beside.further, ordinary, of_projections, inputs.words)


def _neighbours_key(inputs: Inputs) -> str | None:
    few = len(inputs.states.tokenization.words) <= Neighbours.MOST_WORDS
    return keys.neighbours_key(inputs.states) if few else None


def _same_category_key(inputs: Inputs) -> str:
    return keys.same_category_key(inputs.states, inputs.words)


def _relations_key(inputs: Inputs) -> str | None:
    asked = inputs.related
    return keys.relations_key(inputs.templates, asked.pairs, asked.orders) if asked else None


def _untrained_key(inputs: Inputs) -> str | None:
    controls, asked = inputs.beside.controls, inputs.related
    if controls is None:
        return None
    every = (controls.random, *controls.own_embedding)
    return keys.untrained_key(
        inputs.templates, every, (*controls.problems, controls.note), inputs.words, asked.pairs, asked.orders
    )


def _lens_key(inputs: Inputs) -> str | None:
    lens = inputs.beside.lens
    if lens is None:
        return None
    directions = [None if each is None else each.states for each in (lens.names, lens.words, lens.random)]
    controls = inputs.beside.controls
    random = None if controls is None else controls.random
    return keys.lens_measures_key(inputs.templates, directions, random, lens.reason, inputs.words, inputs.related.pairs)


# --- the makers: what measures is loaded only when something must be measured, as scipy takes a while ---------------


def _geometry(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> Geometry:
    from tokviz.measure.geometry import measure

    return measure(inputs.states, shown, inputs.words.memberships, inputs.ordinary, inputs.beside.further)


def _neighbours(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> Neighbours:
    from tokviz.measure import neighbours

    return neighbours.neighbours(inputs.states)


def _same_category(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> WordScores:
    from tokviz.measure.word_scores import same_category

    # Of a vocabulary, tokens with a category are few: only these are looked at.
    found = others.get("neighbours") if inputs.words.vocabulary is None else None
    return same_category(inputs.states, inputs.words.memberships, found)


def _relations(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> Relations:
    from tokviz.measure.relations import measure

    return measure(inputs.states, inputs.related.pairs, inputs.related.orders, inputs.beside.further)


def _untrained(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> Untrained:
    from tokviz.measure.profile import Side
    from tokviz.measure.untrained import measure

    controls = inputs.beside.controls
    if controls is None:
        raise ValueError("controls: expected some, as there is a key")
    side = Side(
        templates=inputs.templates,
        memberships=inputs.words.memberships,
        pairs=inputs.related.pairs,
        orders=inputs.related.orders,
    )
    return measure(side, controls.random, controls.own_embedding, problems=controls.problems, note=controls.note)


def _lens(inputs: Inputs, shown: Sequence[Projection], others: Mapping[str, Any]) -> Lens:
    from tokviz.measure.lens import Read, measure, unread

    lens, controls = inputs.beside.lens, inputs.beside.controls
    if lens is None:
        raise ValueError("lens: expected directions, as there is a key")
    if lens.names is None:
        return unread(inputs.states, lens.reason)
    random = None if controls is None else controls.random
    read = Read(templates=inputs.templates, memberships=inputs.words.memberships, pairs=inputs.related.pairs)
    untrained = (random, lens.random) if random and lens.random else None
    return measure(read, lens.names, lens.words, untrained)


MEASURES: Mapping[str, CaptureMeasure[Any]] = {
    "geometry": CaptureMeasure(
        record=Geometry, key=_geometry_key, make=_geometry, of="all captures", of_checkpoints=True
    ),
    "neighbours": CaptureMeasure(record=Neighbours, key=_neighbours_key, make=_neighbours),
    "same_category": CaptureMeasure(record=WordScores, key=_same_category_key, make=_same_category),
    "relations": CaptureMeasure(record=Relations, key=_relations_key, make=_relations, of_checkpoints=True),
    "untrained": CaptureMeasure(record=Untrained, key=_untrained_key, make=_untrained, of_checkpoints=True),
    "lens": CaptureMeasure(record=Lens, key=_lens_key, make=_lens),
}
"""By the name of its field in ``ContextReport``; what other packages add is in ``added.py``."""
