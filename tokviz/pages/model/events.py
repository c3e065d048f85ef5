"""What happens at which depth of a context, and why its stages begin where they do: facts, and sentences made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.stage_facts import of_whom, peak
from tokviz.pages.text.stage_sentences import range_of, size
from tokviz.pages.text.wording import NBSP, capitalized, joined, whole_percent
from tokviz.records import Geometry, MassiveActivations

MOST_DIMENSIONS = 6
"""Of more of them the rest is counted."""


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


def event_text(what: Fact) -> str:
    """``Layer 11: massive activations emerge``."""
    return capitalized(_EVENTS[what.kind].format(*what.subject))


def event_numbers(stated: tuple[Fact, ...]) -> str:
    """``largest |x| 24,113, 13,533 × a typical token’s median of 1.78, dimensions 12, 45``."""
    return ", ".join(_NUMBERS[fact.kind](fact) for fact in stated)


def _turns(geometry: Geometry, *, at_position_0: bool) -> Iterator[Event]:
    """Where massive activations emerge, in the words or at position 0 of their texts only, and where they cease."""
    words, at_start = geometry.massive, geometry.position0
    if words.emergence_depth is not None:
        yield _event("emerge", words, [words.emergence_depth])
    elif at_start.emergence_depth is not None and not at_position_0:
        yield _event("emerge at position 0", at_start, [at_start.emergence_depth])
    end = words.end_depth
    if words.step_down_depth is not None:
        yield _event("end", words, [words.step_down_depth])
    elif end is not None:
        is_larger = words.largest[end] > words.largest[end - 1]
        yield _event("outgrown, though larger" if is_larger else "outgrown", words, [end], of_whom(words))


def _moderate(words: MassiveActivations) -> Iterator[Event]:
    """Runs of depths, but for one that begins where massive activations end: that event names it."""
    for first, last in words.moderate_runs:
        if first != words.end_depth:
            yield _event("moderately large", words, range(first, last + 1))


def _dominance(words: MassiveActivations) -> Iterator[Event]:
    """Runs of depths at which a dimension is dominant without being large against other tokens."""

    def alone(depth: int) -> int | None:
        flagged = words.massive[depth] or words.moderate[depth]
        return None if flagged else words.dominant[depth]

    for dimension, run in groupby(range(len(words.dominant)), key=alone):
        if dimension is not None:
            depths = list(run)
            shares = words.top_share[depths]
            share = Fact(kind="share", bounds=(float(shares.min()), float(shares.max())))
            yield _event("dominant", words, depths, f"dimension {dimension}", numbers=[share])


def _event(
    kind: str, activations: MassiveActivations, depths: Sequence[int], *of: str, numbers: Sequence[Fact] = ()
) -> Event:
    """``of`` : what the fact is about beside the depths."""
    depth = max(depths, key=lambda each: float(activations.largest[each]))
    in_dimensions = [dimensions(which)] if (which := activations.dimensions[depth]) else []
    return Event(
        depth=depths[0],
        what=Fact(kind=kind, subject=(depths_name(depths[0], depths[-1]), *of)),
        numbers=(*numbers, peak(activations, depths), *in_dimensions),
    )


def dimensions(which: Sequence[int]) -> Fact:
    """The first of them, and how many more there are."""
    more = len(which) - MOST_DIMENSIONS
    shown = tuple(str(each) for each in which[:MOST_DIMENSIONS])
    return Fact(kind="dimensions", subject=shown, values=(more,) if more > 0 else ())


def dimensions_named(fact: Fact) -> str:
    """``dimensions 12, 45``, ``dimensions 1, 2, 3, 4, 5, 6 and 2 more``."""
    more = "".join(f" and {n_more} more" for n_more in fact.values)
    return f"dimension{'s' if len(fact.subject) > 1 else ''} {joined(fact.subject)}{more}"


_EVENTS = {
    "emerge": "{}: massive activations emerge",
    "emerge at position 0": "{}: massive activations emerge at position 0, not in the words",
    "end": "{}: massive activations end",
    "outgrown": "{}: no longer massive, because {} median has risen",
    "outgrown, though larger": (
        "{}: no longer massive by the ratio, though the largest |x| is larger: {} median has grown more"
    ),
    "moderately large": "{}: moderately large activations",
    "dominant": "{}: {} is dominant, not massive",
}
_NUMBERS: dict[str, Callable[[Fact], str]] = {
    "share": lambda fact: f"{range_of(fact, whole_percent)} of Σ{NBSP}x²",
    "largest": size,
    "dimensions": dimensions_named,
}


# --- where stages begin ----------------------------------------------------------------------------------------------


def beginning_facts(geometry: Geometry, number: int) -> tuple[Fact, ...]:
    """Why a stage begins there; empty of the first, which has the number 0."""
    stage, words = geometry.stages[number], geometry.massive
    if not math.isnan(stage.recurrence):
        return (Fact(kind="found", values=(stage.recurrence,)),)
    if not number:
        return ()
    turn = "emerge" if stage.first_depth == words.emergence_depth else "end"
    is_known = geometry.n_compared >= geometry.stage_criteria.least_words
    return (Fact(kind=turn), *([Fact(kind="not found")] if is_known else []))


def beginning(stated: tuple[Fact, ...]) -> str:
    """Why a stage begins there: ``In 96 % of subsamples of the words, CKA shows that a stage begins here or one layer away.``."""
    return f"{''.join(_BEGINNINGS[fact.kind](fact) for fact in stated)}."


_BEGINNINGS: dict[str, Callable[[Fact], str]] = {
    "found": lambda fact: (
        f"In {whole_percent(fact.value)} of subsamples of the words, CKA shows that a stage begins here or one layer away"
    ),
    "emerge": lambda _: "This stage begins where massive activations emerge, by rule",
    "end": lambda _: "This stage begins where massive activations end, by rule",
    "not found": lambda _: "; CKA alone shows no boundary here",
}
