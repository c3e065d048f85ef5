"""What must be stated of stages, of what happens where, and of contexts that differ: worked out from arrays and thresholds alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from claims import depths_where, end_of, is_dominant, is_massive, is_moderate, require, steps_down
from fact_checks import check_sentence

from tokviz.pages.model.story import Event, beginning_facts, difference_facts, events
from tokviz.pages.text.catalogue import Fact, sentence, text
from tokviz.pages.text.stage_facts import lead_facts, stage_facts
from tokviz.pages.text.wording import projection_label
from tokviz.records import Geometry, MassiveActivations, ModelReport, Projection, Stage

Depths = Sequence[int]
Part = Fact | tuple[()]


def check_stages(model: ModelReport) -> None:
    for context in model.contexts:
        if (geometry := context.geometry) is None:
            continue
        at_0 = context.states.tokenization.reads_position_0
        for number, stage in enumerate(geometry.stages):
            lead = lead_facts(geometry, number, at_position_0=at_0)
            check_facts(lead, lead_of(geometry, stage, at_position_0=at_0))
            check_facts(beginning_facts(geometry, number), beginning_of(geometry, number))
            for shown in (context.projections[0].projection, None):
                stated = stage_facts(geometry, stage, shown, at_position_0=at_0)
                check_facts(stated, stage_of(geometry, stage, shown, at_position_0=at_0))
        found = events(geometry, at_position_0=at_0)
        expected = sorted(events_of(geometry, at_position_0=at_0), key=lambda event: event.depth)
        require(found == tuple(expected), str(found), expected)
        for event in found:
            check_sentence([event.what], text(event.what))
            check_sentence(event.numbers, ", ".join(map(text, event.numbers)))


def check_difference(model: ModelReport) -> None:
    stated = difference_facts(model)
    require([fact for facts in stated for fact in facts] == [*contexts_apart(model)], str(stated))
    for facts in stated:
        check_sentence(facts, sentence(facts))


def check_facts(stated: tuple[Fact, ...], expected: Iterator[Fact]) -> None:
    """None is missing, none is false, and the sentence has them."""
    require(stated == (facts := tuple(expected)), str(stated), facts)
    check_sentence(stated, sentence(stated))


def some(flagged: Depths, depths: Depths) -> Part:
    return () if len(flagged) == len(depths) else Fact("stages.some", n=len(flagged), of=len(depths))


def ends(values: np.ndarray) -> tuple[float, float] | None:
    return (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else None


def whose(each: MassiveActivations, typical: str) -> Fact:
    return Fact(typical if each.typical_is_ordinary else "stages.own")


def largest(each: MassiveActivations, flagged: Depths, depths: Depths) -> Fact:
    top = max(each.largest[list(flagged)])
    depth = next(depth for depth in flagged if each.largest[depth] == top)
    compared = {"whose": whose(each, "stages.a_typical_token"), "median": each.typical[depth]}
    times = Fact("stages.median_is_0", **compared)
    if compared["median"]:
        times = Fact("stages.times", **compared, ratio=top / compared["median"])
    where = Fact("stages.size_at", depth=depth) if len(depths) > 1 else ()
    return Fact("stages.size", largest=top, where=where, median=times)


# --- stages ----------------------------------------------------------------------------------------------------------


LEAD = ("stages.lead.purity", "stages.lead.chance")
NUMBERS = ("stages.numbers.purity", "stages.numbers.chance")


def lead_of(geometry: Geometry, stage: Stage, *, at_position_0: bool) -> Iterator[Fact]:
    depths = range(stage.first_depth, stage.last_depth + 1)
    there = [] if at_position_0 else depths_where(is_massive, geometry.position0, depths)
    large, purity = large_of(geometry.massive, depths), [*purity_of(geometry, depths, LEAD)]
    if there and not large:
        large = Fact("stages.lead.position_0", some=some(there, depths))
    yield from [large] if large else []
    yield from purity
    yield from [] if large or purity else [Fact("stages.lead.nothing_large")]


def large_of(words: MassiveActivations, depths: Depths) -> Fact | None:
    massive, moderate = (depths_where(test, words, depths) for test in (is_massive, is_moderate))
    before = depths_where(is_massive, words, range(depths[0]))
    if massive and not before:
        return Fact("stages.lead.emerge", depth=massive[0])
    if massive or moderate:
        kind = "stages.lead.massive" if massive else "stages.lead.moderate"
        return Fact(kind, some=some(massive or moderate, depths))
    if not before:
        return None
    mark = max(words.large, words.massive_ratio * words.typical[before[-1]])
    above = [depth for depth in depths if words.largest[depth] > mark]
    if above:
        outgrown = Fact("stages.lead.outgrown", whose=whose(words, "stages.typical_tokens"))
        return outgrown if len(above) == len(depths) else None
    return Fact("stages.lead.no_longer")


def stage_of(geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool) -> Iterator[Fact]:
    words, depths = geometry.massive, range(stage.first_depth, stage.last_depth + 1)
    kind, test = "stages.numbers.moderate", is_moderate
    if depths_where(is_massive, words, depths):
        kind, test = "stages.numbers.massive", is_massive
    large, dominant = [*dimensions_of(words, kind, test, depths)], depths_where(is_dominant, words, depths)
    yield from large
    if dominant:
        which = {words.dominant[depth] for depth in dominant}
        name = Fact("stages.numbers.several_dominant")
        if len(which) == 1:
            name = Fact("stages.numbers.one_dominant", dimension=which.pop())
        share = ends(words.top_share[dominant])
        alone = {words.carriers[depth] for depth in dominant} if words.carriers else {None}
        word = next(iter(alone)) if len(alone) == 1 else None
        carried = Fact("stages.numbers.carried", word=word) if word else ()
        yield Fact("stages.numbers.dominant", which=name, some=some(dominant, depths), shares=share, carried=carried)
    if not large:
        yield from [] if dominant else [Fact("stages.numbers.none_massive")]
        peak = "stages.numbers.largest_not_massive" if dominant else "stages.numbers.largest"
        yield Fact(peak, size=largest(words, dominant or depths, depths))
    if not at_position_0:
        yield from dimensions_of(geometry.position0, "stages.numbers.position_0", is_massive, depths)
    if projection and (shares := ends(projection.explained_variance_ratio[depths, 0])):
        yield Fact("stages.numbers.variance", projection=projection_label(projection.name), shares=shares)
    yield from purity_of(geometry, depths, NUMBERS, n=geometry.n_neighbours)
    places = {"within": stage.cka_within, "before": stage.cka_before}
    if known := {where: value for where, value in places.items() if math.isfinite(value)}:
        yield Fact("_".join(["stages.numbers.cka", *([] if len(known) == 2 else known)]), **known)


def dimensions_of(
    each: MassiveActivations, kind: str, test: Callable[[MassiveActivations, int], bool], depths: Depths
) -> Iterator[Fact]:
    if flagged := depths_where(test, each, depths):
        sets = [set(each.dimensions[depth]) for depth in flagged]
        shared, same = sorted(set.intersection(*sets)), all(one == sets[0] for one in sets)
        which = Fact("stages.numbers.from_word_to_word" if same else "stages.numbers.between_depths")
        if shared:
            which = Fact("stages.numbers.named", which=tuple(shared))
        which = which if len(shared) < 5 else Fact("stages.numbers.counted", n=len(shared))
        others = Fact("stages.numbers.others") if shared and not same else ()
        yield Fact(kind, which=which, some=some(flagged, depths), others=others)
        yield Fact("stages.numbers.largest", size=largest(each, flagged, depths))


def purity_of(geometry: Geometry, depths: Depths, kinds: tuple[str, str], **n: int) -> Iterator[Fact]:
    purity, where = geometry.purity, Fact("stages.in_all_dimensions")
    for picture in geometry.pictures[:1]:
        purity, where = picture.purity, Fact("stages.in_the_plot")
    if shares := ends(purity.value[depths]):
        yield Fact(kinds[0], where=where, shares=shares, **n)
        yield Fact(kinds[1], shares=ends(purity.null_mean[depths]))


def beginning_of(geometry: Geometry, number: int) -> Iterator[Fact]:
    """Found by CKA, or set by rule where massive activations come and go."""
    stage = geometry.stages[number]
    if math.isfinite(stage.recurrence):
        yield Fact("stages.begins.found", share=stage.recurrence)
    elif number:
        emerges = depths_where(is_massive, geometry.massive)[:1] == [stage.first_depth]
        yield Fact("stages.begins.emerge" if emerges else "stages.begins.end")
        if geometry.n_compared >= geometry.stage_criteria.least_words:
            yield Fact("stages.begins.not_found")


# --- what happens where ----------------------------------------------------------------------------------------------


def events_of(geometry: Geometry, *, at_position_0: bool) -> Iterator[Event]:
    words, before = geometry.massive, geometry.position0
    massive, there = (depths_where(is_massive, each) for each in (words, before))
    if massive:
        yield event("stages.events.emerge", words, massive[:1])
    elif there and not at_position_0:
        yield event("stages.events.emerge_at_position_0", before, there[:1])
    end = end_of(words)
    if end and end == steps_down(words):
        yield event("stages.events.end", words, [end])
    elif end:
        larger = "_though_larger" if words.largest[end] > words.largest[end - 1] else ""
        yield event(f"stages.events.outgrown{larger}", words, [end], whose=whose(words, "stages.typical_tokens"))
    for _, depths in runs(words, lambda depth: is_moderate(words, depth)):
        if depths[0] != end:
            yield event("stages.events.moderate", words, depths)
    for dimension, depths in runs(words, lambda depth: dominant_alone(words, depth)):
        share = Fact("stages.events.dominance", shares=ends(words.top_share[depths]))
        yield event("stages.events.dominant", words, depths, [share], dimension=dimension)


def dominant_alone(words: MassiveActivations, depth: int) -> int | None:
    large = is_massive(words, depth) or is_moderate(words, depth)
    return words.dominant[depth] if is_dominant(words, depth) and not large else None


def runs(words: MassiveActivations, key: Callable[[int], object]) -> Iterator[tuple[object, list[int]]]:
    """Neighboring depths of which the same holds, if anything."""
    found = groupby(range(len(words.largest)), key=key)
    return ((same, [*run]) for same, run in found if same is not None and same is not False)


def event(kind: str, each: MassiveActivations, depths: Depths, share: Sequence[Fact] = (), **of: object) -> Event:
    top = next(depth for depth in depths if each.largest[depth] == max(each.largest[list(depths)]))
    which = each.dimensions[top]
    numbers = (*share, largest(each, depths, depths), *([listed(which)] if which else []))
    return Event(depth=depths[0], what=Fact(kind, depths=(depths[0], depths[-1]), **of), numbers=numbers)


def listed(which: Sequence[int]) -> Fact:
    more = Fact("stages.more", n=len(which) - 6) if len(which) > 6 else ()
    return Fact("stages.dimensions", which=tuple(which[:6]), more=more)


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
    values = {"times": words.massive_ratio, "largest": words.largest[depth], "first": depth}
    values["whose"] = whose(words, "stages.a_typical_token")
    to = {"last": last} if last != depth else {}
    yield Fact("stages.difference.read_first", context=label)
    yield Fact(f"stages.difference.massive_{'from' if to else 'at'}", **values, **to)
    yield from [Fact("stages.difference.before", largest=words.largest[depth - 1])] if depth else []
    most = others.massive.largest.tolist()
    peak = most.index(max(most))
    yield Fact("stages.difference.read_later", context=other_label, depth=peak, largest=max(most))
    there, shared = shared_of(geometry, others, depth)
    if shared:
        yield Fact("stages.difference.instead", depth=there[0], dimensions=listed(shared))
    yield Fact("stages.difference.medians")


def shared_of(geometry: Geometry, others: Geometry, depth: int) -> tuple[list[int], list[int]]:
    """Where position 0 of the other texts is massive, and in which dimensions that become massive in the words, too."""
    there = depths_where(is_massive, others.position0)
    shared = {each for first in there[:1] for each in others.position0.dimensions[first]}
    return there, sorted(shared & {*geometry.massive.dimensions[depth]})


def meaning_of(geometry: Geometry, others: Geometry, label: str, other_label: str) -> Iterator[Fact]:
    depth = depths_where(is_massive, geometry.massive)[0]
    pictures = [[each.purity for each in measured.pictures[:1]] for measured in (geometry, others)]
    begins = {"depth": depth, "one_context": label, "other_context": other_label}
    for where, measures in (
        ("stages.in_all_dimensions", [geometry.purity, others.purity]),
        ("stages.in_the_plot", pictures[0] + pictures[1]),
    ):
        values = tuple(each.value[depth] for each in measures)
        is_shown = any(each.above_chance.holds[depth] for each in measures)
        if len(values) == 2 and np.isfinite(values).all() and is_shown:
            kind = "stages.difference.neighbors" if begins else "stages.difference.neighbors_there"
            yield Fact(kind, where=Fact(where), one=values[0], other=values[1], **begins)
            begins = {}
