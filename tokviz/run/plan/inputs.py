"""What the products of one capture are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokviz.records import HiddenStates, InterventionRule, WordList
from tokviz.run.kinds.base import Given, Kind
from tokviz.run.plan.related import Related


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """States, and what they are measured with or held against."""

    states: HiddenStates
    further: tuple[HiddenStates, ...] = ()
    """The same words in the context's further templates."""
    against: tuple[HiddenStates, ...] = ()
    """What they are held against word by word: where neurons were set to a value, the model as it is; in a further context, the
    words in all templates of the model's first one."""
    given: Mapping[type[Kind[Any, Any]], Any] = field(default_factory=dict)
    """What is captured of the model beside the states, by kind."""
    ordinary: HiddenStates | None
    """The states themselves or those of another context of the model: words that are read away from position 0."""
    words: WordList
    related: Related
    measured: tuple[str, ...]
    """The projections whose pictures are measured."""
    is_checkpoint: bool = False
    """Whether it is of a checkpoint in a series."""

    def of(self, kind: type[Kind[Any, Given]]) -> Given | None:
        """What measures get from the captures of a kind; None where it isn't asked for."""
        return self.given.get(kind)

    @property
    def templates(self) -> tuple[HiddenStates, ...]:
        """The words in each of the context's templates, the one that is drawn first."""
        return (self.states, *self.further)

    @property
    def rule(self) -> InterventionRule | None:
        """How the neurons that were set to a value were chosen; None for the model as it is."""
        done = self.states.intervention
        return done.rule if done else None
