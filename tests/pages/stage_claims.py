"""What must be stated of stages, of what happens where, and of contexts that differ: worked out from arrays and thresholds alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from claims import depths_where, end_of, is_dominant, is_massive, is_moderate, require, steps_down
from fact_checks import Sentence, check_sentence

from tokviz.pages.model.difference import difference_facts, paragraph
from tokviz.pages.model.events import Event, beginning, beginning_facts, event_numbers, event_text, events
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.stage_facts import lead_facts, stage_facts
from tokviz.pages.text.stage_sentences import stage_lead, stage_sentence
from tokviz.pages.text.wording import joined_by_and, projection_label, the_depth
from tokviz.records import Geometry, MassiveActivations, ModelReport, Projection, Stage

Depths = Sequence[int]


def check_stages(model: ModelReport) -> None:
    for context in model.contexts:
        if (geometry := context.geometry) is None:
            continue
        at_0 = context.states.tokenization.reads_position_0
        for number, stage in enumerate(geometry.stages):
            lead = lead_facts(geometry, number, at_position_0=at_0)
            check_facts(lead, lead_of(geometry, stage, at_position_0=at_0), stage_lead)
            begins = beginning_facts(geometry, number)
            check_facts(begins, beginning_of(geometry, number), beginning)
            for shown in (context.projections[0].projection, None):
                stated = stage_facts(geometry, stage, shown, at_position_0=at_0)
                check_facts(stated, stage_of(geometry, stage, shown, at_position_0=at_0), stage_sentence)
        found = events(geometry, at_position_0=at_0)
        expected = sorted(events_of(geometry, at_position_0=at_0), key=lambda event: event.depth)
        require(found == tuple(expected), str(found), expected)
        for event in found:
            check_sentence([event.what], event_text(event.what))
            check_sentence(event.numbers, event_numbers(event.numbers))


def check_difference(model: ModelReport) -> None:
    stated = difference_facts(model)
    require([fact for facts in stated for fact in facts] == [*contexts_apart(model)], str(stated))
    for facts in stated:
        check_sentence(facts, paragraph(facts))


def check_facts(stated: tuple[Fact, ...], expected: Iterator[Fact], sentence: Sentence) -> None:
    """None is missing, none is false, and the sentence has them."""
    require(stated == (facts := tuple(expected)), str(stated), facts)
    check_sentence(stated, sentence(stated))


def some(flagged: Depths, depths: Depths) -> tuple[int, ...]:
    return () if len(flagged) == len(depths) else (len(flagged), len(depths))


def ends(values: np.ndarray) -> tuple[float, float] | None:
    return (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else None


def whose(each: MassiveActivations) -> str:
    return "typical tokens’" if each.typical_is_ordinary else "the words’ own"


def largest(each: MassiveActivations, flagged: Depths, depths: Depths, kind: str = "largest") -> Fact:
    top = max(each.largest[list(flagged)])
    depth = next(depth for depth in flagged if each.largest[depth] == top)
    median = each.typical[depth]
    of = f"{'a typical token’s' if each.typical_is_ordinary else 'the words’ own'} median"
    where = (the_depth(depth),) if len(depths) > 1 else ()
    return Fact(kind=kind, subject=(of, *where), values=(top, median, *([top / median] if median else [])))


# --- stages ----------------------------------------------------------------------------------------------------------


def lead_of(geometry: Geometry, stage: Stage, *, at_position_0: bool) -> Iterator[Fact]:
    depths = range(stage.first_depth, stage.last_depth + 1)
    there = [] if at_position_0 else depths_where(is_massive, geometry.position0, depths)
    large, purity = large_of(geometry.massive, depths), [*purity_of(geometry, depths, ())]
    if there and not large:
        large = Fact(kind="massive activations at position 0", values=some(there, depths))
    yield from [large] if large else []
    yield from purity
    yield from [] if large or purity else [Fact(kind="nothing large")]


def large_of(words: MassiveActivations, depths: Depths) -> Fact | None:
    massive, moderate = (depths_where(test, words, depths) for test in (is_massive, is_moderate))
    before = depths_where(is_massive, words, range(depths[0]))
    if massive and not before:
        return Fact(kind="emerge", subject=(the_depth(massive[0]),))
    if massive or moderate:
        kind = "massive activations" if massive else "moderately large activations"
        return Fact(kind=kind, values=some(massive or moderate, depths))
    if not before:
        return None
    mark = max(words.large, words.massive_ratio * words.typical[before[-1]])
    above = [depth for depth in depths if words.largest[depth] > mark]
    if above:
        return Fact(kind="outgrown", subject=(whose(words),)) if len(above) == len(depths) else None
    return Fact(kind="no longer massive")


def stage_of(geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool) -> Iterator[Fact]:
    words, depths = geometry.massive, range(stage.first_depth, stage.last_depth + 1)
    kind, test = (
        ("massive", is_massive) if depths_where(is_massive, words, depths) else ("moderately large", is_moderate)
    )
    large, dominant = [*dimensions_of(words, kind, test, depths)], depths_where(is_dominant, words, depths)
    yield from large
    if dominant:
        which = {words.dominant[depth] for depth in dominant}
        name = f"dimension {which.pop()}" if len(which) == 1 else "one dimension, not always the same,"
        share = ends(words.top_share[dominant])
        yield Fact(kind="dominant", subject=(name,), values=some(dominant, depths), bounds=share)
    if not large:
        yield from [] if dominant else [Fact(kind="none massive")]
        yield largest(words, dominant or depths, depths, f"largest{', not massive' if dominant else ''}")
    if not at_position_0:
        yield from dimensions_of(geometry.position0, "massive at position 0", is_massive, depths)
    if projection and (shares := ends(projection.explained_variance_ratio[depths, 0])):
        yield Fact(kind="variance", subject=(projection_label(projection.name),), bounds=shares)
    yield from purity_of(geometry, depths, (geometry.n_neighbours,))
    places = {"within the stage": stage.cka_within, "with the previous stage": stage.cka_before}
    if known := {where: value for where, value in places.items() if math.isfinite(value)}:
        yield Fact(kind="CKA", subject=tuple(known), values=tuple(known.values()))


def dimensions_of(
    each: MassiveActivations, kind: str, test: Callable[[MassiveActivations, int], bool], depths: Depths
) -> Iterator[Fact]:
    if flagged := depths_where(test, each, depths):
        sets = [set(each.dimensions[depth]) for depth in flagged]
        shared, same = sorted(set.intersection(*sets)), all(one == sets[0] for one in sets)
        which = "dimensions that differ " + ("from word to word" if same else "between depths or words")
        if shared:
            which = f"dimension{'s' * (len(shared) > 1)} {joined_by_and([str(one) for one in shared])}"
        which = which if len(shared) < 5 else f"{len(shared)} dimensions"
        others = ("others at some of these",) if shared and not same else ()
        yield Fact(kind=kind, subject=(which, *others), values=some(flagged, depths))
        yield largest(each, flagged, depths)


def purity_of(geometry: Geometry, depths: Depths, values: tuple[int, ...]) -> Iterator[Fact]:
    purity, where = geometry.purity, "in all dimensions"
    for picture in geometry.pictures[:1]:
        purity, where = picture.purity, "in the plot"
    if shares := ends(purity.value[depths]):
        yield Fact(kind="purity", subject=(where,), values=values, bounds=shares)
        yield Fact(kind="by chance", bounds=ends(purity.null_mean[depths]))


def beginning_of(geometry: Geometry, number: int) -> Iterator[Fact]:
    """Found by CKA, or set by rule where massive activations come and go."""
    stage = geometry.stages[number]
    if math.isfinite(stage.recurrence):
        yield Fact(kind="found", values=(stage.recurrence,))
    elif number:
        emerges = depths_where(is_massive, geometry.massive)[:1] == [stage.first_depth]
        yield Fact(kind="emerge" if emerges else "end")
        if geometry.n_compared >= geometry.stage_criteria.least_words:
            yield Fact(kind="not found")


# --- what happens where ----------------------------------------------------------------------------------------------


def events_of(geometry: Geometry, *, at_position_0: bool) -> Iterator[Event]:
    words, before = geometry.massive, geometry.position0
    massive, there = (depths_where(is_massive, each) for each in (words, before))
    if massive:
        yield event("emerge", words, massive[:1])
    elif there and not at_position_0:
        yield event("emerge at position 0", before, there[:1])
    end = end_of(words)
    if end and end == steps_down(words):
        yield event("end", words, [end])
    elif end:
        larger = ", though larger" if words.largest[end] > words.largest[end - 1] else ""
        yield event(f"outgrown{larger}", words, [end], whose(words))
    for _, depths in runs(words, lambda depth: is_moderate(words, depth)):
        if depths[0] != end:
            yield event("moderately large", words, depths)
    for dimension, depths in runs(words, lambda depth: dominant_alone(words, depth)):
        share = Fact(kind="share", bounds=ends(words.top_share[depths]))
        yield event("dominant", words, depths, str(dimension), share=[share])


def dominant_alone(words: MassiveActivations, depth: int) -> str:
    large = is_massive(words, depth) or is_moderate(words, depth)
    return f"dimension {words.dominant[depth]}" if is_dominant(words, depth) and not large else ""


def runs(words: MassiveActivations, key: Callable[[int], object]) -> Iterator[tuple[object, list[int]]]:
    """Neighboring depths of which the same holds, if anything."""
    return ((same, [*run]) for same, run in groupby(range(len(words.largest)), key=key) if same)


def event(kind: str, each: MassiveActivations, depths: Depths, *of: str, share: Sequence[Fact] = ()) -> Event:
    top = next(depth for depth in depths if each.largest[depth] == max(each.largest[list(depths)]))
    what = Fact(kind=kind, subject=(depths_name(depths[0], depths[-1]), *of))
    numbers = (*share, largest(each, depths, depths), *listed(each.dimensions[top]))
    return Event(depth=depths[0], what=what, numbers=numbers)


def listed(which: Sequence[int]) -> Iterator[Fact]:
    if which:
        more = (len(which) - 6,) if len(which) > 6 else ()
        yield Fact(kind="dimensions", subject=tuple(map(str, which[:6])), values=more)


# --- why contexts differ ---------------------------------------------------------------------------------------------


def contexts_apart(model: ModelReport) -> Iterator[Fact]:
    found: dict[tuple[bool, bool], tuple[str, Geometry]] = {}
    for context in model.contexts:
        if context.geometry:
            grows = bool(depths_where(is_massive, context.geometry.massive))
            where = context.states.tokenization.reads_position_0
            found.setdefault((where, grows), (context.states.context.label, context.geometry))
    if {(True, True), (False, False)} <= set(found):
        (label, geometry), (other_label, others) = found[True, True], found[False, False]
        yield from growth_of(geometry, others, label, other_label)
        yield from meaning_of(geometry, others, label, other_label)


def growth_of(geometry: Geometry, others: Geometry, label: str, other_label: str) -> Iterator[Fact]:
    words, depth = geometry.massive, depths_where(is_massive, geometry.massive)[0]
    last = (end_of(words) or len(words.largest)) - 1
    of = largest(words, [depth], [depth]).subject
    span = dict.fromkeys([the_depth(depth), the_depth(last)])
    yield Fact(kind="read first", subject=(label,))
    yield Fact(kind="massive", subject=(*of, *span), values=(words.massive_ratio, words.largest[depth]))
    yield from [Fact(kind="before", values=(words.largest[depth - 1],))] if depth else []
    most = others.massive.largest.tolist()
    yield Fact(kind="read later", subject=(other_label, the_depth(most.index(max(most)))), values=(max(most),))
    there, shared = shared_of(geometry, others, depth)
    if shared:
        yield Fact(kind="instead", subject=(the_depth(there[0]),))
        yield from listed(shared)
    yield Fact(kind="medians")


def shared_of(geometry: Geometry, others: Geometry, depth: int) -> tuple[list[int], list[int]]:
    """Where position 0 of the other texts is massive, and in which dimensions that become massive in the words, too."""
    there = depths_where(is_massive, others.position0)
    shared = {each for first in there[:1] for each in others.position0.dimensions[first]}
    return there, sorted(shared & {*geometry.massive.dimensions[depth]})


def meaning_of(geometry: Geometry, others: Geometry, label: str, other_label: str) -> Iterator[Fact]:
    depth = depths_where(is_massive, geometry.massive)[0]
    pictures = [[each.purity for each in measured.pictures[:1]] for measured in (geometry, others)]
    about: tuple[str, ...] = (label, other_label)
    for where, measures in (
        ("in all dimensions", [geometry.purity, others.purity]),
        ("in the plot", pictures[0] + pictures[1]),
    ):
        values = tuple(each.value[depth] for each in measures)
        is_shown = any(each.above_chance.holds[depth] for each in measures)
        if len(values) == 2 and np.isfinite(values).all() and is_shown:
            kind, subject = ("neighbors", (the_depth(depth), where, *about)) if about else ("neighbors there", (where,))
            yield Fact(kind=kind, subject=subject, values=values)
            about = ()
