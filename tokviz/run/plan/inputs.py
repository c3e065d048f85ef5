"""What the products of one capture are made of."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.records import HiddenStates, InterventionRule, WordList
from tokviz.run.plan.controls import Controls
from tokviz.run.plan.lenses import LensInputs
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
    controls: Controls | None = None
    """The same words in untrained models; None where that isn't asked for."""
    lens: LensInputs | None = None
    """What the states are read with; None where that isn't asked for."""
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
        return (self.states, *self.further)

    @property
    def rule(self) -> InterventionRule | None:
        """How the neurons that were set to a value were chosen; None for the model as it is."""
        done = self.states.intervention
        return done.rule if done else None
