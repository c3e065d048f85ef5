"""The story of a context by stages."""

from __future__ import annotations

from typing import Any

from tokviz.pages.frame.pictures import picture
from tokviz.pages.model.events import beginning_facts, events
from tokviz.pages.text.stage_facts import lead_facts, stage_facts
from tokviz.records import ContextReport, Geometry, ModelReport


def stories(model: ModelReport, page: str) -> list[dict[str, Any]]:
    """Of every context that has been measured its stages; the first context of all is seen before a reader chooses one."""
    return [
        {
            "context": context.states.context,
            "is_first": context is model.contexts[0],
            "stages": [
                _stage(model, context, context.geometry, number, page) for number in range(len(context.geometry.stages))
            ],
        }
        for context in model.contexts
        if context.geometry is not None
    ]


def _stage(model: ModelReport, context: ContextReport, geometry: Geometry, number: int, page: str) -> dict[str, Any]:
    """What its sentences state; why it begins where it does, empty for the first; and the plate of its middle."""
    stage, state = geometry.stages[number], context.states
    at_position_0 = state.tokenization.reads_position_0
    middle = (stage.first_depth + stage.last_depth) // 2
    renditions = context.projections[0].plates[middle]
    alt = f"{model.display_name}, {state.context.label}: the words at this depth"
    return {
        "id": stage_id(state.context.name, number),
        "note": model.notes.get(stage_id(state.context.name, number)),
        "depths": (stage.first_depth, stage.last_depth),
        "lead": lead_facts(geometry, number, at_position_0=at_position_0),
        "numbers": stage_facts(geometry, stage, context.projections[0].projection, at_position_0=at_position_0),
        "events": [
            event
            for event in events(geometry, at_position_0=at_position_0)
            if stage.first_depth <= event.depth <= stage.last_depth
        ],
        "begins": beginning_facts(geometry, number),
        "middle": middle,
        "plate": picture(page, renditions, alt) if renditions else None,
    }


def stage_id(context: str, number: int) -> str:
    """``alone/stage-1`` for the first, number 0."""
    return f"{context}/stage-{number + 1}"
