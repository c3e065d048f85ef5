"""The tree of a report, model → context → projections, measures and pictures: what each part is, and why it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokviz.config import ModelConfig
from tokviz.records import AddedMeasure, Context, HiddenStates, Picture, Projection
from tokviz.run.plan.controls import Control
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.lenses import Fit
from tokviz.run.plan.pictures import Subject
from tokviz.run.plan.steps import Step


@dataclass(frozen=True, kw_only=True)
class PictureJob:
    """One image of the site."""

    subject: Subject
    form: str
    path: str
    """From the site's root."""
    picture: Picture
    key: str
    due: str | None
    """Why it must be drawn, or None when the store has it."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What follows from the stored states of one model × context."""

    inputs: Inputs
    projections: Mapping[str, Step[Projection]]
    """By name, in the order of the configuration."""
    drawn: tuple[str, ...]
    """The projections that the report has pictures of."""
    measures: Mapping[str, Step[Any]]
    """By the names of their fields in ``ContextReport``, those that are asked for."""
    added: tuple[Step[AddedMeasure], ...]
    """Of other packages; none of what others are only compared with."""

    @property
    def states(self) -> HiddenStates:
        return self.inputs.states

    @property
    def all_measures(self) -> tuple[Step[Any], ...]:
        return (*self.measures.values(), *self.added)


@dataclass(frozen=True, kw_only=True)
class InterventionPlan:
    """A context's words with neurons set to a value."""

    wanted: Wanted
    context: Context
    """With a name and a label of its own."""
    key: str
    """Of the states."""
    due: str | None
    """Why the states must be captured, or None when the store has them, or why there can't be any."""
    failure: str | None
    """Why the model gave no states so."""
    captured: Captured | None


@dataclass(frozen=True, kw_only=True)
class ControlPlan:
    """A context's words in an untrained model."""

    control: Control
    key: str
    """Of the states."""
    states: HiddenStates | None
    due: str | None
    """Why the states must be captured, or None when the store has them, or why there can't be any, or the model isn't here."""
    failure: str | None
    """Why it gave no states."""


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """Directions of a model's lens."""

    fit: Fit
    states: HiddenStates | None
    """As they are stored."""
    due: str | None
    """Why they must be fitted, or None when the store has them, or why there can't be any, or the model isn't here."""
    failure: str | None
    """Why there are none."""


@dataclass(frozen=True, kw_only=True)
class LossPlan:
    """The next-token loss of a model."""

    key: str
    due: str | None
    """Why it must be measured, or None when the store has it, or the model can't be loaded here."""


@dataclass(frozen=True, kw_only=True)
class TemplatePlan:
    """A context's words in one of its templates."""

    context: Context
    """With this template; of the first one with all."""
    key: str
    """Of the states."""
    states: HiddenStates | None
    """None where none are stored."""
    due: str | None
    """Why the states must be captured, or None when the store has them."""


@dataclass(frozen=True, kw_only=True)
class ContextPlan:
    """One model × context."""

    model: ModelConfig
    context: Context
    key: str
    """Of the states."""
    due: str | None
    """Why the states must be captured, or None when the store has them."""
    captured: Captured | None
    """None where no states are stored; those of files that have changed since count until they are captured again."""
    may_break: bool
    """Whether a break in it is to be switched off: the first one of a model is."""
    further: tuple[TemplatePlan, ...] = ()
    """The templates that are measured only."""
    interventions: tuple[InterventionPlan, ...] = ()
    """As far as they are known; those of a break follow from the states."""
    controls: tuple[ControlPlan, ...] = ()
    """As far as it is known whether there are any; that may follow from the model's size."""
    fits: tuple[FitPlan, ...] = ()
    """Of the model's lens, in its first context; as far as it is known what is read, once all contexts are captured."""
    loss: LossPlan | None = None
    """Of the model with the break's neurons set to a value; None where they aren't."""

    @property
    def all_captured(self) -> dict[str, Captured]:
        """What follows from the states, and from those with neurons set to a value; by their keys."""
        if self.captured is None:
            return {}
        others = {each.key: each.captured for each in self.interventions if each.captured is not None}
        return {self.key: self.captured, **others}

    @property
    def states_keys(self) -> tuple[str, ...]:
        """Of all states that belong to it, whether they are stored or not."""
        others = (self.further, self.interventions, self.controls)
        return (self.key, *(each.key for those in others for each in those), *(each.fit.key for each in self.fits))

    @property
    def intact_due(self) -> str | None:
        """Why states of the model as it is must be captured in one of the templates, or None."""
        return self.due or next((each.due for each in self.further if each.due), None)

    @property
    def all_due(self) -> str | None:
        """Why the model must run for this context, or None."""
        return self.first_due or self.intact_due

    @property
    def first_due(self) -> str | None:
        """The same in the template that is drawn."""
        others = (each.due for those in (self.interventions, self.controls, self.fits) for each in those)
        return self.due or next(filter(None, others), None) or (self.loss.due if self.loss else None)


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A model in all contexts."""

    model: ModelConfig
    contexts: tuple[ContextPlan, ...]

    @property
    def due(self) -> list[ContextPlan]:
        """The contexts that the model must run for."""
        return [context for context in self.contexts if context.all_due]

    @property
    def captured(self) -> dict[str, Captured]:
        """What follows from all states that are stored: of each context, and of it with neurons set to a value."""
        return {key: captured for context in self.contexts for key, captured in context.all_captured.items()}

    @property
    def inputs(self) -> list[Inputs]:
        """What models are compared by: the contexts whose states are stored and up to date."""
        return [each.captured.inputs for each in self.contexts if each.captured and not each.intact_due]
