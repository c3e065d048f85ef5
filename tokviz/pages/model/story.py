"""The story of a context by stages, and why two contexts of a model differ: facts of ``catalogue/stages.toml``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from tokviz.pages.frame.pictures import picture
from tokviz.pages.text.catalogue import Fact, sentence, text
from tokviz.pages.text.stage_facts import lead_facts, size, stage_facts, whose
from tokviz.pages.text.trust import purity_in_plot
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


# --- why two contexts differ -----------------------------------------------------------------------------------------


def difference(model: ModelReport) -> tuple[str, tuple[str, ...]] | None:
    """A heading and paragraphs under it. In plain words, when massive activations at position 0 are what tells one context from another; else None."""
    stated = difference_facts(model)
    if not stated:
        return None
    one, other = (fact.values["context"] for fact in stated[0] if "context" in fact.values)
    heading = text(Fact("stages.difference.heading", one=one, other=other))
    return heading, tuple(map(sentence, stated))


def difference_facts(model: ModelReport) -> tuple[tuple[Fact, ...], ...]:
    """By paragraph: how the largest |x| grows, and what follows for the words, as far as it is defined; empty with no such contexts."""
    first, further = _first(model, at_position_0=True), _first(model, at_position_0=False)
    if first is None or further is None:
        return ()
    (one, geometry), (other, others) = first, further
    depth = geometry.massive.emergence_depth
    if depth is None:
        return ()
    labels = one.states.context.label, other.states.context.label
    in_plots = labels[0] + _which(one), labels[1] + _which(other)
    paragraphs = _growth(geometry, others, depth, labels), _meaning(geometry, others, depth, in_plots)
    return tuple(stated for facts in paragraphs if (stated := tuple(facts)))


def _which(context: ContextReport) -> str:
    """What stands beside plots is of the first template, which they show."""
    return " (first sentence)" if context.has_templates else ""


def _first(model: ModelReport, *, at_position_0: bool) -> tuple[ContextReport, Geometry] | None:
    """The first context whose words are at position 0 and become massive there, or are elsewhere and don't; of its first template."""
    for context in model.contexts:
        geometry = context.geometry
        if geometry is None:
            continue
        stands_at_0, grows = context.states.tokenization.reads_position_0, geometry.massive.emergence_depth is not None
        if (stands_at_0, grows) == (at_position_0, at_position_0):
            return context, geometry.in_first_template
    return None


def _growth(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> Iterator[Fact]:
    massive, largest = geometry.massive, geometry.massive.largest
    last = len(largest) - 1 if massive.end_depth is None else massive.end_depth - 1
    values = {"times": massive.massive_ratio, "whose": whose(massive), "largest": float(largest[depth])}
    yield Fact("stages.difference.read_first", context=labels[0])
    if last > depth:
        yield Fact("stages.difference.massive_from", first=depth, last=last, **values)
    else:
        yield Fact("stages.difference.massive_at", first=depth, **values)
    if depth:
        yield Fact("stages.difference.before", largest=float(largest[depth - 1]))
    peak = int(np.argmax(others.massive.largest))
    most = float(others.massive.largest[peak])
    yield Fact("stages.difference.read_later", context=labels[1], largest=most, depth=peak)
    start = others.position0.emergence_depth
    # Massive in the words of one context, and at position 0 of the texts of the other.
    if start is not None and (shared := {*geometry.massive.dimensions[depth]} & {*others.position0.dimensions[start]}):
        yield Fact("stages.difference.instead", depth=start, dimensions=dimensions(sorted(shared)))
    yield Fact("stages.difference.medians")


def _meaning(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> Iterator[Fact]:
    """How well categories hold there in both; nothing where they are in neither shown to be above chance."""
    kind, first = "stages.difference.neighbors", {"depth": depth, "one_context": labels[0], "other_context": labels[1]}
    for where, one, other in (
        ("stages.in_all_dimensions", geometry.purity, others.purity),
        ("stages.in_the_plot", purity_in_plot(geometry), purity_in_plot(others)),
    ):
        if one and other and (one.above_chance.holds[depth] or other.above_chance.holds[depth]):
            values = {"one": float(one.value[depth]), "other": float(other.value[depth])}
            if np.isfinite([*values.values()]).all():
                yield Fact(kind, where=Fact(where), **values, **first)
                kind, first = "stages.difference.neighbors_there", {}
