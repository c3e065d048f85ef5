"""The tree of a report, model → context → projections, measures and pictures: what each part is, and why it is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokviz.config import ModelConfig
from tokviz.records import AddedMeasure, Context, HiddenStates, Picture, Projection
from tokviz.run.kinds.base import Capture, Kind, Made
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.pictures import Subject
from tokviz.run.plan.request import Request, Template
from tokviz.run.plan.steps import Step
from tokviz.run.store.artefacts import Use


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
class ContextPlan:
    """One model × context."""

    model: ModelConfig
    first: Capture[Template]
    """Of the template that is drawn; states of files that have changed since count until they are captured again."""
    further: tuple[Capture[Template], ...] = ()
    """Of the templates that are measured only."""
    may_break: bool = True
    """Whether a break in it is to be switched off: the first one of a model is."""
    beside: Mapping[type[Kind[Any, Any]], tuple[Capture[Any], ...]] = field(default_factory=dict)
    """What else the model runs for, by kind, as far as it is known; what is captured once of a model, in its first context."""
    all_captured: Mapping[str, Captured] = field(default_factory=dict)
    """What follows from the states, and from those with neurons set to a value; by their keys."""

    @property
    def key(self) -> str:
        """Of the states."""
        return self.first.key

    @property
    def due(self) -> str | None:
        """Why the states must be captured, or None when the store has them."""
        return self.first.due

    @property
    def context(self) -> Context:
        return self.first.what.context

    @property
    def captured(self) -> Captured | None:
        """What follows from the states; None where none are stored."""
        return self.all_captured.get(self.key)

    @property
    def templates(self) -> tuple[Capture[Template], ...]:
        return (self.first, *self.further)

    def of(self, kind: type[Kind[Made, Any]]) -> tuple[Made, ...]:
        found: tuple[Any, ...] = self.beside.get(kind, ())
        return found

    @property
    def _all_beside(self) -> tuple[Capture[Any], ...]:
        return tuple(each for found in self.beside.values() for each in found)

    @property
    def used(self) -> set[Use]:
        """All that belongs to it and takes the model itself, whether it is stored or not."""
        return {(each.folder, each.key) for each in (*self.templates, *self._all_beside)}

    @property
    def intact_due(self) -> str | None:
        """Why states of the model as it is must be captured in one of the templates, or None."""
        return _first_due(self.templates)

    @property
    def all_due(self) -> str | None:
        """Why the model must run for this context, or None."""
        return self.first_due or self.intact_due

    @property
    def first_due(self) -> str | None:
        """The same in the template that is drawn."""
        return _first_due((self.first, *self._all_beside))


def _first_due(captures: Iterable[Capture[Any]]) -> str | None:
    return next((each.due for each in captures if each.due), None)


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A model in all contexts."""

    request: Request
    """All that the report asks of it."""
    contexts: tuple[ContextPlan, ...]

    @property
    def model(self) -> ModelConfig:
        return self.request.model

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
