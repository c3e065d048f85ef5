"""The story of a context by stages, and why two contexts differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tokviz.pages.parts import Link, Picture, Section
from tokviz.pages.pictures import picture, slide_id
from tokviz.pages.sentences import depths_name, stage_sentence
from tokviz.pages.wording import NBSP, joined, rounded, size, whole_percent
from tokviz.records import ContextReport, Geometry, MassiveActivations, ModelReport, Report, Stage, depth_name


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
    """``Stage 2``."""
    span: str
    """``layers 11–27``."""
    sentence: str
    badges: tuple[Badge, ...]
    recurrence: str | None
    plates: tuple[Thumbnail, ...]
    plates_label: str
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """One context by stages."""

    context: str
    heading: str
    current: bool
    stages: tuple[StageSection, ...]


MOST_DIMENSIONS = 6


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
    plates = []
    for depth in range(stage.first_depth, stage.last_depth + 1):
        renditions = context.projections[0].plates[depth]
        if renditions:
            alt = f"{model.display_name}, {state.context.label}: the words at this depth"
            plates.append(
                Thumbnail(link=_slide(context, depth, depth_name(depth)), picture=picture(page, renditions, alt))
            )
    return StageSection(
        id=stage_id(state.context.name, number),
        note=model.notes.get(stage_id(state.context.name, number)),
        name=f"Stage {number + 1}",
        span=depths_name(stage.first_depth, stage.last_depth),
        sentence=stage_sentence(
            geometry,
            stage,
            context.projections[0].projection,
            at_position_0=state.tokenization.reads_position_0,
        ),
        badges=_badges(context, geometry, stage),
        recurrence=None
        if np.isnan(stage.recurrence)
        else f"It begins here in {whole_percent(stage.recurrence)} of subsamples of the words.",
        plates=tuple(plates),
        plates_label=f"Plates of stage {number + 1}, {state.context.label}",
    )


def stage_id(context: str, number: int) -> str:
    """``alone/stage-1`` for the first, number 0."""
    return f"{context}/stage-{number + 1}"


def _slide(context: ContextReport, depth: int, text: str) -> Link:
    return Link(text=text, href=f"#{slide_id(context.states.context.name, depth)}")


# --- events --------------------------------------------------------------------------------------------------------


def _badges(context: ContextReport, geometry: Geometry, stage: Stage) -> tuple[Badge, ...]:
    words, at_start = geometry.massive, geometry.position0
    events: list[tuple[int, str, str]] = []
    if words.emergence_depth is not None:
        events.append((words.emergence_depth, "massive activations emerge", _size(words, words.emergence_depth)))
    elif at_start.emergence_depth is not None and not context.states.tokenization.reads_position_0:
        depth = at_start.emergence_depth
        events.append((depth, "massive activations emerge at position 0, not in the words", _size(at_start, depth)))
    if words.step_down_depth is not None:
        events.append((words.step_down_depth, "massive activations step down", _size(words, words.step_down_depth)))
    badges = [
        Badge(link=_slide(context, depth, f"{_capital(depth_name(depth))}: {what}"), detail=detail)
        for depth, what, detail in events
        if stage.first_depth <= depth <= stage.last_depth
    ]
    for first, last in words.lesser_runs:
        if stage.first_depth <= first <= stage.last_depth and first != words.step_down_depth:
            peak = first + int(np.argmax(words.largest[first : last + 1]))
            text = f"{_capital(depths_name(first, last))}: a lesser outbreak"
            badges.append(Badge(link=_slide(context, first, text), detail=_size(words, peak)))
    return tuple(badges)


def _size(activations: MassiveActivations, depth: int) -> str:
    """``largest |x| 24,108, 13,500 × an ordinary token’s median, dimensions 12, 45``."""
    whose = "an ordinary token’s median" if activations.yardstick_is_ordinary else "the words’ own median"
    times = f"{rounded(activations.ratio[depth])}{NBSP}×{NBSP}{whose}"
    parts = [f"largest{NBSP}|x| {size(activations.largest[depth])}", times]
    dimensions = activations.dimensions[depth]
    if dimensions:
        parts.append(_dimensions(dimensions))
    return ", ".join(parts)


def _dimensions(dimensions: tuple[int, ...]) -> str:
    shown = joined(str(dimension) for dimension in dimensions[:MOST_DIMENSIONS])
    more = f" and {len(dimensions) - MOST_DIMENSIONS} more" if len(dimensions) > MOST_DIMENSIONS else ""
    return f"dimension{'s' if len(dimensions) > 1 else ''} {shown}{more}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- why contexts differ -------------------------------------------------------------------------------------------


def difference(model: ModelReport) -> Section | None:
    """In plain words, when massive activations at position 0 are what tells one context from another; else None."""
    sink = _first(model, sink=True)
    ordinary = _first(model, sink=False)
    if sink is None or ordinary is None:
        return None
    (context, geometry), (other, others) = sink, ordinary
    depth = geometry.massive.emergence_depth
    if depth is None:
        return None
    label, other_label = context.states.context.label, other.states.context.label
    return Section(
        heading=f"Why the words {label} and {other_label} differ",
        paragraphs=(
            _growth(geometry, others, depth, label, other_label),
            _meaning(geometry, others, depth, label, other_label),
        ),
    )


def _first(model: ModelReport, *, sink: bool) -> tuple[ContextReport, Geometry] | None:
    """The first context whose words are at position 0 and become massive there, or are elsewhere and don't."""
    for context in model.contexts:
        geometry = context.geometry
        if geometry is None:
            continue
        stands_at_0, grows = context.states.tokenization.reads_position_0, geometry.massive.emergence_depth is not None
        if (stands_at_0, grows) == (sink, sink):
            return context, geometry
    return None


def _growth(geometry: Geometry, others: Geometry, depth: int, label: str, other_label: str) -> str:
    massive = geometry.massive
    until = massive.step_down_depth
    span = f"From {depth_name(depth)} to {depth_name(until - 1)}" if until else f"From {depth_name(depth)} on"
    text = (
        f"The words {label} are the first token of their text, position{NBSP}0. {span} the largest value of such a token "
        f"is of another order: {size(massive.largest[depth])} at {depth_name(depth)}, against "
        f"{size(massive.largest[depth - 1]) if depth else '–'} one depth before. The words {other_label} are read further on, "
        f"and theirs never exceeds {size(float(np.nanmax(others.massive.largest)))}."
    )
    shared = _shared_dimensions(geometry, others, depth)
    if shared:
        where = f"in the same {_dimensions(shared)}, from {depth_name(others.position0.emergence_depth or 0)} on"
        text += f" What stands at position{NBSP}0 of their texts grows in their place, {where}."
    return text


def _shared_dimensions(geometry: Geometry, others: Geometry, depth: int) -> tuple[int, ...]:
    """Those massive in the words of one context, and at position 0 of the texts of the other."""
    first = others.position0.emergence_depth
    if first is None:
        return ()
    return tuple(sorted(set(geometry.massive.dimensions[depth]) & set(others.position0.dimensions[first])))


def _meaning(geometry: Geometry, others: Geometry, depth: int, label: str, other_label: str) -> str:
    def purity(measured: Geometry, *, pictured: bool) -> str:
        measure = measured.pictures[0].purity if pictured else measured.purity
        return whole_percent(measure.value[depth])

    conclusion = "So the break belongs to the place in the text, not to the words. "
    text = conclusion if _shared_dimensions(geometry, others, depth) else ""
    text += (
        f"At {depth_name(depth)}, of the nearest neighbours of a word {label} {purity(geometry, pictured=False)} are of its "
        f"category in all dimensions, of a word {other_label} {purity(others, pictured=False)}"
    )
    if geometry.pictures and others.pictures:
        text += f"; in the picture {purity(geometry, pictured=True)} and {purity(others, pictured=True)}"
    return text + "."
