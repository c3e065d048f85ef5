"""The story of a context by stages."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.model.events import Event, beginning_facts, events
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.stage_facts import lead_facts, stage_facts
from tokviz.records import ContextReport, Geometry, ModelReport, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A plate in small, linked to its slide."""

    link: Link
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class StageSection:
    """One stage of a context: what its sentences state."""

    id: str
    depths: tuple[int, int]
    """The first and the last."""
    lead: tuple[Fact, ...]
    numbers: tuple[Fact, ...]
    events: tuple[Event, ...]
    begins: tuple[Fact, ...]
    """Why a stage begins here; empty for the first."""
    plate: Thumbnail | None
    """The one of its middle."""
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """One context by stages."""

    context: str
    heading: str
    current: bool
    stages: tuple[StageSection, ...]

    @property
    def has_plates(self) -> bool:
        return any(stage.plate for stage in self.stages)


def stories(report: Report, model: ModelReport, page: str) -> tuple[Story, ...]:
    """Of every context that has been measured."""
    return tuple(
        Story(
            context=context.states.context.name,
            heading=context.states.context.label,
            current=index == 0,
            stages=tuple(
                _stage(model, context, context.geometry, number, page) for number in range(len(context.geometry.stages))
            ),
        )
        for index, context in enumerate(model.contexts)
        if context.geometry is not None
    )


def _stage(model: ModelReport, context: ContextReport, geometry: Geometry, number: int, page: str) -> StageSection:
    stage, state = geometry.stages[number], context.states
    at_position_0 = state.tokenization.reads_position_0
    depth = (stage.first_depth + stage.last_depth) // 2
    renditions = context.projections[0].plates[depth]
    slide = Link(text=depth_name(depth), href=f"#{slide_id(state.context.name, depth)}")
    alt = f"{model.display_name}, {state.context.label}: the words at this depth"
    return StageSection(
        id=stage_id(state.context.name, number),
        note=model.notes.get(stage_id(state.context.name, number)),
        depths=(stage.first_depth, stage.last_depth),
        lead=lead_facts(geometry, number, at_position_0=at_position_0),
        numbers=stage_facts(geometry, stage, context.projections[0].projection, at_position_0=at_position_0),
        events=tuple(
            event
            for event in events(geometry, at_position_0=at_position_0)
            if stage.first_depth <= event.depth <= stage.last_depth
        ),
        begins=beginning_facts(geometry, number),
        plate=Thumbnail(link=slide, picture=picture(page, renditions, alt)) if renditions else None,
    )


def stage_id(context: str, number: int) -> str:
    """``alone/stage-1`` for the first, number 0."""
    return f"{context}/stage-{number + 1}"
