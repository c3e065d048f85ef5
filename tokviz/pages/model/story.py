"""The story of a context by stages."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.model.events import beginning, beginning_facts, event_numbers, event_text, events
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.stage_facts import lead_facts, stage_facts
from tokviz.pages.text.stage_sentences import stage_lead, stage_sentence
from tokviz.records import ContextReport, Geometry, ModelReport, Report, Stage, depth_name


@dataclass(frozen=True, kw_only=True)
class Badge:
    """An event in a model's depth, linked to its slide."""

    link: Link
    """``Layer 11: massive activations emerge``."""
    detail: str


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A plate in small, linked to its slide."""

    link: Link
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class StageSection:
    """One stage of a context."""

    id: str
    name: str
    """``2``."""
    span: str
    """``layers 11–27``."""
    lead: str
    """One plain sentence."""
    sentence: str
    """With all its numbers."""
    badges: tuple[Badge, ...]
    beginning: str | None
    """Why a stage begins here; None of the first."""
    plate: Thumbnail | None
    """Of its middle."""
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
    alt = f"{model.display_name}, {state.context.label}: the words at this depth"
    return StageSection(
        id=stage_id(state.context.name, number),
        note=model.notes.get(stage_id(state.context.name, number)),
        name=f"{number + 1}",
        span=depths_name(stage.first_depth, stage.last_depth),
        lead=stage_lead(lead_facts(geometry, number, at_position_0=at_position_0)),
        sentence=stage_sentence(
            stage_facts(geometry, stage, context.projections[0].projection, at_position_0=at_position_0)
        ),
        badges=_badges(context, geometry, stage),
        beginning=beginning(begins) if (begins := beginning_facts(geometry, number)) else None,
        plate=Thumbnail(link=_slide(context, depth, depth_name(depth)), picture=picture(page, renditions, alt))
        if renditions
        else None,
    )


def stage_id(context: str, number: int) -> str:
    """``alone/stage-1`` for the first, number 0."""
    return f"{context}/stage-{number + 1}"


def _slide(context: ContextReport, depth: int, text: str) -> Link:
    return Link(text=text, href=f"#{slide_id(context.states.context.name, depth)}")


def _badges(context: ContextReport, geometry: Geometry, stage: Stage) -> tuple[Badge, ...]:
    return tuple(
        Badge(link=_slide(context, event.depth, event_text(event.what)), detail=event_numbers(event.numbers))
        for event in events(geometry, at_position_0=context.states.tokenization.reads_position_0)
        if stage.first_depth <= event.depth <= stage.last_depth
    )
