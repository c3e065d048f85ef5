"""The story of a context by stages: what happens at which depth, and why stages begin where they do; facts of ``catalogue/stages.toml``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from tokviz.pages.frame.pictures import picture
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.stage_facts import lead_facts, size, stage_facts, whose
from tokviz.records import ContextReport, Geometry, MassiveActivations, ModelReport

MOST_DIMENSIONS = 6
"""Of more of them the rest is counted."""


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


# --- what happens at which depth -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that begins at a depth."""

    depth: int
    what: Fact
    numbers: tuple[Fact, ...]


def events(geometry: Geometry, *, at_position_0: bool) -> tuple[Event, ...]:
    """Of a context, in the order of depths.

    Parameters
    ----------
    at_position_0 : whether the words are read there.
    """
    found = [
        *_turns(geometry, at_position_0=at_position_0),
        *_moderate(geometry.massive),
        *_dominance(geometry.massive),
    ]
    return tuple(sorted(found, key=lambda event: event.depth))


def _turns(geometry: Geometry, *, at_position_0: bool) -> Iterator[Event]:
    """Where massive activations emerge, in the words or at position 0 of their texts only, and where they cease."""
    words, at_start = geometry.massive, geometry.position0
    if words.emergence_depth is not None:
        yield _event("stages.events.emerge", words, [words.emergence_depth])
    elif at_start.emergence_depth is not None and not at_position_0:
        yield _event("stages.events.emerge_at_position_0", at_start, [at_start.emergence_depth])
    end = words.end_depth
    if words.step_down_depth is not None:
        yield _event("stages.events.end", words, [words.step_down_depth])
    elif end is not None:
        is_larger = words.largest[end] > words.largest[end - 1]
        kind = "stages.events.outgrown_though_larger" if is_larger else "stages.events.outgrown"
        yield _event(kind, words, [end], whose=whose(words, several=True))


def _moderate(words: MassiveActivations) -> Iterator[Event]:
    """Runs of depths, but for one that begins where massive activations end: that event names it."""
    for first, last in words.moderate_runs:
        if first != words.end_depth:
            yield _event("stages.events.moderate", words, range(first, last + 1))


def _dominance(words: MassiveActivations) -> Iterator[Event]:
    """Runs of depths at which a dimension is dominant without being large against other tokens."""

    def alone(depth: int) -> int | None:
        flagged = words.massive[depth] or words.moderate[depth]
        return None if flagged else words.dominant[depth]

    for dimension, run in groupby(range(len(words.dominant)), key=alone):
        if dimension is not None:
            depths = list(run)
            shares = words.top_share[depths]
            share = Fact("stages.events.dominance", shares=(float(shares.min()), float(shares.max())))
            event = _event("stages.events.dominant", words, depths, dimension=dimension)
            yield replace(event, numbers=(share, *event.numbers))


def _event(kind: str, activations: MassiveActivations, depths: Sequence[int], **of: Any) -> Event:
    """``of`` : what the fact is about beside the depths."""
    depth = max(depths, key=lambda each: float(activations.largest[each]))
    in_dimensions = [dimensions(which)] if (which := activations.dimensions[depth]) else []
    return Event(
        depth=depths[0],
        what=Fact(kind, depths=(depths[0], depths[-1]), **of),
        numbers=(size(activations, depths, n_depths=len(depths)), *in_dimensions),
    )


def dimensions(which: Sequence[int]) -> Fact:
    """The first of them, and how many more there are."""
    n_more = len(which) - MOST_DIMENSIONS
    more = Fact("stages.more", n=n_more) if n_more > 0 else ()
    return Fact("stages.dimensions", which=tuple(which[:MOST_DIMENSIONS]), more=more)


# --- where stages begin ----------------------------------------------------------------------------------------------


def beginning_facts(geometry: Geometry, number: int) -> tuple[Fact, ...]:
    """Why a stage begins there; empty of the first, which has the number 0."""
    stage, words = geometry.stages[number], geometry.massive
    if not math.isnan(stage.recurrence):
        return (Fact("stages.begins.found", share=stage.recurrence),)
    if not number:
        return ()
    emerges = stage.first_depth == words.emergence_depth
    is_known = geometry.n_compared >= geometry.stage_criteria.least_words
    return (
        Fact("stages.begins.emerge" if emerges else "stages.begins.end"),
        *([Fact("stages.begins.not_found")] if is_known else []),
    )
