"""What differs between the models of one context, and what isn't shown to: sentences made of the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.model.profile_found import Compared, Found, Pair
from tokviz.pages.text.wording import count, in_words, joined_by_and, ranged, score
from tokviz.records import Difference

MOST_NAMED = 8
"""Of more models sentences name the first and the last."""


def sentences(found: Compared) -> tuple[str, ...]:
    """Empty parts are left out."""
    if len(found.models) > MOST_NAMED:
        return (*_extremes(found), *_similarities(found))
    if len(found.models) > 2:
        return (*_among_several(found), *_near_chance(found), *_similarities(found))
    return (*_of_two(found), *_near_chance(found))


# --- two models ------------------------------------------------------------------------------------------------------


def _of_two(found: Compared) -> Iterator[str]:
    if not found.pairs:
        return
    pair = found.pairs[0]
    names = found.models[pair.a].name, found.models[pair.b].name
    of = list(zip(found.measures, pair.differences, strict=False))
    shown = [(measure.said, each) for measure, each in of if each.is_shown]
    for first, (name, other) in ((True, names), (False, names[::-1])):
        own = [(said, each) for said, each in shown if (each.value > 0) == first]
        if own:
            parts = [f"{said} (by {_size(each)}, 95 % interval {_interval(each)})" for said, each in own]
            yield f"{name} is further above chance than {other} in {joined_by_and(parts)}."
    open_ones = [(measure.said, each) for measure, each in of if math.isfinite(each.value) and not each.is_shown]
    if open_ones:
        parts = [f"{said} ({_possible(each)})" for said, each in open_ones]
        yield f"No difference is shown in {joined_by_and(parts)}."
    unknown = [measure.said for measure, each in of if not math.isfinite(each.value)]
    if unknown:
        yield f"Not compared, as the models share too few words or have no value: {joined_by_and(unknown)}."


def _size(difference: Difference) -> str:
    return score(abs(difference.value))


def _interval(difference: Difference) -> str:
    """Of the size, whichever model is ahead."""
    ends = np.array([difference.low, difference.high])
    return ranged(ends if difference.value > 0 else -ends, score)


def _possible(difference: Difference) -> str:
    """How large a difference the interval leaves open."""
    most = max(abs(difference.low), abs(difference.high))
    return f"it may be up to {score(most)}" if most < 1 else "it may be of any size"


# --- several models --------------------------------------------------------------------------------------------------


def _among_several(found: Compared) -> Iterator[str]:
    """Who is ahead of whom, measure by measure; then where nobody is."""
    none, unknown = [], []
    for index, measure in enumerate(found.measures[:-1]):
        known = _known(found.pairs, index)
        shown = [(pair, each) for pair, each in known if each.is_shown]
        if not known:
            unknown.append(measure.said)
        elif not shown:
            none.append(measure.said)
        else:
            rest = len(known) - len(shown)
            others = f" No difference is shown between the other {count(rest, 'pair')}." if rest else ""
            said = f"{measure.said[0].upper()}{measure.said[1:]}"
            yield f"{said}: {'; '.join(_ahead(found.models, shown))}.{others}"
    if none:
        yield f"No two models are shown to differ in {joined_by_and(none)}."
    if unknown and found.pairs:
        yield f"Not compared, as the models share too few words or have no value: {joined_by_and(unknown)}."


def _known(pairs: Sequence[Pair], index: int) -> list[tuple[Pair, Difference]]:
    return [(pair, pair.differences[index]) for pair in pairs if math.isfinite(pair.differences[index].value)]


def _ahead(models: Sequence[Found], shown: Sequence[tuple[Pair, Difference]]) -> Iterator[str]:
    """``A is further above chance than B (by 0.13) and C (by 0.20)``; who is ahead of most comes first."""
    behind: dict[int, list[tuple[int, Difference]]] = {}
    for pair, difference in shown:
        first, second = (pair.a, pair.b) if difference.value > 0 else (pair.b, pair.a)
        behind.setdefault(first, []).append((second, difference))
    for number, (first, others) in enumerate(sorted(behind.items(), key=lambda item: (-len(item[1]), item[0]))):
        parts = [f"{models[other].name} (by {_size(each)})" for other, each in others]
        verb = "is further above chance than" if number == 0 else "than"
        yield f"{models[first].name} {verb} {joined_by_and(parts)}"


def _extremes(found: Compared) -> Iterator[str]:
    """The first and the last of many, and how many pairs differ."""
    for index, measure in enumerate(found.measures[:-1]):
        ranked = _ranked(found, index)
        if len(ranked) < 2:
            continue
        first, last = ranked[0], ranked[-1]
        known = _known(found.pairs, index)
        n_shown = sum(each.is_shown for _, each in known)
        n_above = sum(found.models[each].values[index].kind == "above" for each in ranked)
        of_both = next((each for pair, each in known if {pair.a, pair.b} == {first, last}), None)
        said = f"{measure.said[0].upper()}{measure.said[1:]}"
        apart = "" if of_both is None else _AS_A_PAIR[of_both.is_shown]
        pairs = f" {n_shown:,} of {count(len(known), 'pair')} of models are shown to differ." if known else ""
        yield (
            f"{said}: furthest above chance is {_with_value(found, first, index)}, least {_with_value(found, last, index)}"
            f"{apart}; {n_above:,} of {count(len(ranked), 'model')} are shown to be above chance.{pairs}"
        )


_AS_A_PAIR = {True: " (these two are shown to differ)", False: " (these two aren’t shown to differ)"}


def _ranked(found: Compared, index: int) -> list[int]:
    """Models with a value, the furthest above chance first."""
    known = [place for place, model in enumerate(found.models) if model.values[index].is_known]
    return sorted(known, key=lambda place: -found.models[place].values[index].above)


def _with_value(found: Compared, place: int, index: int) -> str:
    model = found.models[place]
    return f"{model.name} ({score(model.values[index].above)})"


def _similarities(found: Compared) -> Iterator[str]:
    last = len(found.measures) - 1
    ranked = _ranked(found, last)
    if len(ranked) > 2:
        most, least = (_with_value(found, place, last) for place in (ranked[0], ranked[-1]))
        yield f"On average most like the others is {most}, least {least}; whether that differs isn’t tested."


# --- one model by itself ---------------------------------------------------------------------------------------------


def _near_chance(found: Compared) -> Iterator[str]:
    """What isn't shown to be above chance."""
    near = []
    for index, measure in enumerate(found.measures[:-1]):
        known = [model for model in found.models if model.values[index].is_known]
        names = [model.name for model in known if model.values[index].kind == "chance"]
        if names:
            all_of_them = len(names) == len(known) and len(names) > 1
            whose = f"all {in_words(len(names))} models" if all_of_them and len(names) > 2 else joined_by_and(names)
            near.append(f"{measure.said} in {whose}")
    if near:
        yield f"Not shown to be above chance: {'; '.join(near)}."
    elif any(value.is_known for model in found.models for value in model.values[:-1]):
        yield "All values are shown to be above chance."
