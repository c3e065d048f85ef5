"""The story of a context by stages, and why two contexts differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.text.parts import Link, Picture, Section
from tokviz.pages.text.sentences import depths_name, of_whom, size, stage_lead, stage_sentence, typical
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import NBSP, capitalized, joined, number, ranged, the_depth, whole_percent
from tokviz.records import (
    CategoryMeasure,
    ContextReport,
    Geometry,
    MassiveActivations,
    ModelReport,
    Report,
    Stage,
    depth_name,
)


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
    depth = (stage.first_depth + stage.last_depth) // 2
    renditions = context.projections[0].plates[depth]
    alt = f"{model.display_name}, {state.context.label}: the words at this depth"
    return StageSection(
        id=stage_id(state.context.name, number),
        note=model.notes.get(stage_id(state.context.name, number)),
        name=f"{number + 1}",
        span=depths_name(stage.first_depth, stage.last_depth),
        lead=stage_lead(geometry, number, at_position_0=state.tokenization.reads_position_0),
        sentence=stage_sentence(
            geometry,
            stage,
            context.projections[0].projection,
            at_position_0=state.tokenization.reads_position_0,
        ),
        badges=_badges(context, geometry, stage),
        beginning=_beginning(geometry, number),
        plate=Thumbnail(link=_slide(context, depth, depth_name(depth)), picture=picture(page, renditions, alt))
        if renditions
        else None,
    )


def _beginning(geometry: Geometry, number: int) -> str | None:
    stage, words = geometry.stages[number], geometry.massive
    if not np.isnan(stage.recurrence):
        share = whole_percent(stage.recurrence)
        return f"In {share} of subsamples of the words, CKA shows that a stage begins here or one layer away."
    if not number:
        return None
    turn = "emerge" if stage.first_depth == words.emergence_depth else "end"
    is_known = geometry.n_compared >= geometry.stage_criteria.least_words
    shown = "; CKA alone shows no boundary here" if is_known else ""
    return f"This stage begins where massive activations {turn}, by rule{shown}."


def stage_id(context: str, number: int) -> str:
    """``alone/stage-1`` for the first, number 0."""
    return f"{context}/stage-{number + 1}"


def _slide(context: ContextReport, depth: int, text: str) -> Link:
    return Link(text=text, href=f"#{slide_id(context.states.context.name, depth)}")


# --- events --------------------------------------------------------------------------------------------------------


def _badges(context: ContextReport, geometry: Geometry, stage: Stage) -> tuple[Badge, ...]:
    words = geometry.massive
    found = [
        *_turns(geometry, at_position_0=context.states.tokenization.reads_position_0),
        *(
            (first, f"{depths_name(first, last)}: moderately large activations", _peak(words, first, last))
            for first, last in words.moderate_runs
            if first != words.end_depth
        ),
        *_dominance(words),
    ]
    return tuple(
        Badge(link=_slide(context, depth, capitalized(what)), detail=detail)
        for depth, what, detail in sorted(found, key=lambda event: event[0])
        if stage.first_depth <= depth <= stage.last_depth
    )


_Event = tuple[int, str, str]
"""Where it begins, what it is, its numbers."""


def _turns(geometry: Geometry, *, at_position_0: bool) -> Iterator[_Event]:
    """Where massive activations emerge, in the words or at position 0 of their texts only, and where they cease."""
    words, at_start = geometry.massive, geometry.position0
    if words.emergence_depth is not None:
        yield _event(words, words.emergence_depth, "massive activations emerge")
    elif at_start.emergence_depth is not None and not at_position_0:
        yield _event(at_start, at_start.emergence_depth, "massive activations emerge at position 0, not in the words")
    if words.step_down_depth is not None:
        yield _event(words, words.step_down_depth, "massive activations end")
    elif words.end_depth is not None:
        end, whose = words.end_depth, of_whom(words)
        if words.largest[end] > words.largest[end - 1]:
            what = f"no longer massive by the ratio, though the largest |x| is larger: {whose} median has grown more"
        else:
            what = f"no longer massive, because {whose} median has risen"
        yield _event(words, end, what)


def _event(activations: MassiveActivations, depth: int, what: str) -> _Event:
    return depth, f"{depth_name(depth)}: {what}", _detail(activations, depth)


def _dominance(words: MassiveActivations) -> Iterator[_Event]:
    """Runs of depths at which a dimension is dominant without being large against other tokens."""

    def alone(depth: int) -> int | None:
        flagged = words.massive[depth] or words.moderate[depth]
        return None if flagged else words.dominant[depth]

    for dimension, run in groupby(range(len(words.dominant)), key=alone):
        if dimension is not None:
            depths = list(run)
            first, last = depths[0], depths[-1]
            shares = ranged(words.top_share[depths], whole_percent)
            what = f"{depths_name(first, last)}: dimension {dimension} is dominant, not massive"
            yield first, what, f"{shares} of Σ{NBSP}x², {_peak(words, first, last)}"


def _peak(activations: MassiveActivations, first: int, last: int) -> str:
    """Of a run of depths."""
    depth = first + int(np.argmax(activations.largest[first : last + 1]))
    return _detail(activations, depth, where=f" at {the_depth(depth)}" if last > first else "")


def _detail(activations: MassiveActivations, depth: int, *, where: str = "") -> str:
    """``largest |x| 24,113, 13,533 × a typical token’s median of 1.78, dimensions 12, 45``."""
    text, dimensions = size(activations, depth, where=where), activations.dimensions[depth]
    return f"{text}, {_dimensions(dimensions)}" if dimensions else text


def _dimensions(dimensions: tuple[int, ...]) -> str:
    shown = joined(str(dimension) for dimension in dimensions[:MOST_DIMENSIONS])
    more = f" and {len(dimensions) - MOST_DIMENSIONS} more" if len(dimensions) > MOST_DIMENSIONS else ""
    return f"dimension{'s' if len(dimensions) > 1 else ''} {shown}{more}"


# --- why contexts differ -------------------------------------------------------------------------------------------


def difference(model: ModelReport) -> Section | None:
    """In plain words, when massive activations at position 0 are what tells one context from another; else None."""
    first, further = _first(model, at_position_0=True), _first(model, at_position_0=False)
    if first is None or further is None:
        return None
    (context, geometry), (other, others) = first, further
    geometry, others = geometry.in_first_template, others.in_first_template
    depth = geometry.massive.emergence_depth
    if depth is None:
        return None
    labels = context.states.context.label, other.states.context.label
    of_first = labels[0] + _which(context), labels[1] + _which(other)
    paragraphs = (_growth(geometry, others, depth, labels), _meaning(geometry, others, depth, of_first))
    return Section(
        heading=f"Why words {labels[0]} and words {labels[1]} differ",
        paragraphs=tuple(text for text in paragraphs if text),
    )


def _which(context: ContextReport) -> str:
    """What stands beside plots is of the first template, which they show."""
    return " (first sentence)" if context.has_templates else ""


def _first(model: ModelReport, *, at_position_0: bool) -> tuple[ContextReport, Geometry] | None:
    """The first context whose words are at position 0 and become massive there, or are elsewhere and don't."""
    for context in model.contexts:
        geometry = context.geometry
        if geometry is None:
            continue
        stands_at_0, grows = context.states.tokenization.reads_position_0, geometry.massive.emergence_depth is not None
        if (stands_at_0, grows) == (at_position_0, at_position_0):
            return context, geometry
    return None


def _growth(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> str:
    massive, (label, other_label) = geometry.massive, labels
    last = len(massive.largest) - 1 if massive.end_depth is None else massive.end_depth - 1
    span = f"At {the_depth(depth)}" if last == depth else f"From {the_depth(depth)} to {the_depth(last)}"
    before = f", compared with {number(massive.largest[depth - 1])} at the previous depth" if depth else ""
    peak = int(np.argmax(others.massive.largest))
    text = (
        f"In the context “{label}”, the reference words are read at the first token of their text, position{NBSP}0. {span} the largest "
        f"|x| of such a token is more than {number(massive.massive_ratio)} times {typical(massive)}: "
        f"{number(massive.largest[depth])} at {the_depth(depth)}{before}. In the context “{other_label}”, they are "
        f"read later, and their largest |x| is at most {number(others.massive.largest[peak])}, at {the_depth(peak)}."
    )
    shared, start = _shared_dimensions(geometry, others, depth), others.position0.emergence_depth
    if shared and start is not None:
        text += (
            f" Instead, the token at position{NBSP}0 of their texts becomes massive, at {the_depth(start)} and in the "
            f"same {_dimensions(shared)}."
        )
    return f"{text} All these values are medians over words."


def _shared_dimensions(geometry: Geometry, others: Geometry, depth: int) -> tuple[int, ...]:
    """Those massive in the words of one context, and at position 0 of the texts of the other."""
    first = others.position0.emergence_depth
    if first is None:
        return ()
    return tuple(sorted(set(geometry.massive.dimensions[depth]) & set(others.position0.dimensions[first])))


def _meaning(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> str:
    """What follows for the words, as far as it is defined; may be empty."""
    same_place = others.position0.emergence_depth == depth and _shared_dimensions(geometry, others, depth)
    parts = []
    for where, read in _PURITIES:
        measured = read(geometry), read(others)
        if all(each is not None and np.isfinite(each.value[depth]) for each in measured):
            one, other = (whole_percent(each.value[depth]) for each in measured if each is not None)
            parts.append((where, one, other))
    text = "So the break is tied to the position in the text, not to the words. " if same_place else ""
    if parts:
        (where, one, other), *rest = parts
        text += (
            f"Nearest neighbors of the same category at {the_depth(depth)}, {where}: {one} for words {labels[0]}, "
            f"{other} for words {labels[1]}"
        )
        text += "".join(f"; {where}: {one} and {other}" for where, one, other in rest) + "."
    return text.strip()


_PURITIES: tuple[tuple[str, Callable[[Geometry], CategoryMeasure | None]], ...] = (
    ("in all dimensions", lambda geometry: geometry.purity),
    ("in the plot", purity_in_plot),
)
