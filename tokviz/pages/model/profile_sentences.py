"""What differs between the models of one context, and what isn't shown to: facts, and sentences made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from tokviz.pages.model.profile_found import Compared, Found, ProfilePair
from tokviz.pages.text.facts import Fact, the_same
from tokviz.pages.text.wording import capitalized, count, in_words, joined_by_and, ranged, score
from tokviz.records import Difference

MOST_NAMED = 8
"""Of more models sentences name the first and the last."""
Facts = tuple[Fact, ...]
"""Those of one sentence."""


def sentences(found: Compared) -> tuple[str, ...]:
    """Empty parts are left out."""
    return tuple(map(sentence, facts(found)))


def facts(found: Compared) -> tuple[Facts, ...]:
    """What is to be said, sentence by sentence."""
    if len(found.models) > MOST_NAMED:
        stated = [*_extremes(found)]
    elif len(found.models) > 2:
        stated = [*_among_several(found), *_near_chance(found)]
    else:
        stated = [*_of_two(found), *_near_chance(found)]
    return tuple(tuple(each) for each in stated if each)


def sentence(stated: Facts) -> str:
    """The sentence that states these facts, which belong together.

    Raises
    ------
    KeyError, ValueError : facts that no sentence states together.
    """
    write, others = _SENTENCES[stated[0].kind]
    if not {each.kind for each in stated[1:]} <= {stated[0].kind, *others}:
        raise ValueError(stated)
    return write(stated)


# --- two models ------------------------------------------------------------------------------------------------------


def _of_two(found: Compared) -> Iterator[list[Fact]]:
    if not found.pairs:
        return
    pair = found.pairs[0]
    names = found.models[pair.a].name, found.models[pair.b].name
    of = [(measure.said, each) for measure, each in zip(found.measures, pair.differences, strict=False)]
    shown = [(said, each) for said, each in of if each.is_shown]
    for is_first, ordered in ((True, names), (False, names[::-1])):
        yield [
            Fact(kind="ahead", subject=(*ordered, said), values=(abs(each.value),), bounds=_interval(each))
            for said, each in shown
            if (each.value > 0) == is_first
        ]
    yield [
        Fact(kind="not shown to differ", subject=(said,), values=_possible(each))
        for said, each in of
        if math.isfinite(each.value) and not each.is_shown
    ]
    yield [_not_compared(said) for said, each in of if not math.isfinite(each.value)]


def _interval(difference: Difference) -> tuple[float, float]:
    """Of the size, whichever model is ahead."""
    low, high = difference.low, difference.high
    return (low, high) if difference.value > 0 else (-high, -low)


def _possible(difference: Difference) -> tuple[float, ...]:
    """How large a difference the interval leaves open; nothing where it may be of any size."""
    most = max(abs(difference.low), abs(difference.high))
    return (most,) if most < 1 else ()


def _not_compared(measure: str) -> Fact:
    return Fact(kind="not compared", subject=(measure,))


def _say_ahead(stated: Facts) -> str:
    first, second = the_same(each.subject[:2] for each in stated)
    parts = []
    for each in stated:
        (_, _, said), (size,) = each.subject, each.values
        parts.append(f"{said} (by {score(size)}, 95 % interval {ranged(np.array(each.bounds), score)})")
    return f"{first} is further above chance than {second} in {joined_by_and(parts)}."


def _say_not_shown_to_differ(stated: Facts) -> str:
    parts = []
    for each in stated:
        size = f"up to {score(each.values[0])}" if each.values else "of any size"
        parts.append(f"{each.subject[0]} (it may be {size})")
    return f"No difference is shown in {joined_by_and(parts)}."


def _say_not_compared(stated: Facts) -> str:
    measures = [each.subject[0] for each in stated]
    return f"Not compared, as the models share too few words or have no value: {joined_by_and(measures)}."


# --- several models --------------------------------------------------------------------------------------------------


def _among_several(found: Compared) -> Iterator[list[Fact]]:
    """Who is ahead of whom, measure by measure; then where nobody is."""
    none, unknown = [], []
    for index, measure in enumerate(found.measures[:-1]):
        known = _known(found.pairs, index)
        shown = [(pair, each) for pair, each in known if each.is_shown]
        if not known:
            unknown.append(_not_compared(measure.said))
        elif not shown:
            none.append(Fact(kind="no two differ", subject=(measure.said,)))
        else:
            others = Fact(kind="other pairs", subject=(measure.said,), values=(len(known) - len(shown),))
            yield [*_ahead(found.models, shown, measure.said), *([others] if others.values[0] else [])]
    yield none
    yield unknown if found.pairs else []


def _known(pairs: Sequence[ProfilePair], index: int) -> list[tuple[ProfilePair, Difference]]:
    return [(pair, pair.differences[index]) for pair in pairs if math.isfinite(pair.differences[index].value)]


def _ahead(models: Sequence[Found], shown: Sequence[tuple[ProfilePair, Difference]], measure: str) -> Iterator[Fact]:
    """Who is ahead of most comes first."""
    behind: dict[int, list[tuple[int, Difference]]] = {}
    for pair, difference in shown:
        first, second = (pair.a, pair.b) if difference.value > 0 else (pair.b, pair.a)
        behind.setdefault(first, []).append((second, difference))
    for first, others in sorted(behind.items(), key=lambda item: (-len(item[1]), item[0])):
        for other, each in others:
            names = models[first].name, models[other].name
            yield Fact(kind="ahead of several", subject=(*names, measure), values=(abs(each.value),))


def _say_ahead_of_several(stated: Facts) -> str:
    """``A is further above chance than B (by 0.13) and C (by 0.20); D than E (by 0.10)``."""
    measure = the_same(each.subject[-1] for each in stated)
    *ahead, last = stated
    others = ""
    if last.kind == "other pairs":
        the_same([last.subject, (measure,)])
        others = f" No difference is shown between the other {count(int(last.values[0]), 'pair')}."
    else:
        ahead.append(last)
    the_same(each.kind for each in ahead)
    parts: list[str] = []
    for first, own in groupby(ahead, key=lambda each: each.subject[0]):
        verb = "than" if parts else "is further above chance than"
        behind = [f"{each.subject[1]} (by {score(each.values[0])})" for each in own]
        parts.append(f"{first} {verb} {joined_by_and(behind)}")
    return f"{capitalized(measure)}: {'; '.join(parts)}.{others}"


def _say_no_two_differ(stated: Facts) -> str:
    return f"No two models are shown to differ in {joined_by_and([each.subject[0] for each in stated])}."


def _begin(measure: str) -> str:
    return f"{measure[0].upper()}{measure[1:]}"


# --- many models -----------------------------------------------------------------------------------------------------


def _extremes(found: Compared) -> Iterator[list[Fact]]:
    """The first and the last of many, and how many pairs differ."""
    for index, measure in enumerate(found.measures[:-1]):
        ranked = _ranked(found, index)
        if len(ranked) < 2:
            continue
        known = _known(found.pairs, index)
        n_above = sum(found.models[each].values[index].kind == "above" for each in ranked)
        n_shown = sum(each.is_shown for _, each in known)
        first, last = ranked[0], ranked[-1]
        of_both = [each for pair, each in known if {pair.a, pair.b} == {first, last}]
        said, names = measure.said, (found.models[first].name, found.models[last].name)
        yield [
            _with_value("furthest", (said,), found.models[first], index),
            _with_value("least", (said,), found.models[last], index),
            *(Fact(kind=_AS_A_PAIR[each.is_shown], subject=(said, *names)) for each in of_both),
            Fact(kind="above chance", subject=(said,), values=(n_above, len(ranked))),
            *([Fact(kind="pairs differ", subject=(said,), values=(n_shown, len(known)))] if known else []),
        ]


_AS_A_PAIR = {True: "both differ", False: "both not shown to differ"}


def _ranked(found: Compared, index: int) -> list[int]:
    """Models with a value, the furthest above chance first."""
    known = [place for place, model in enumerate(found.models) if model.values[index].is_known]
    return sorted(known, key=lambda place: -found.models[place].values[index].above)


def _with_value(kind: str, of: tuple[str, ...], model: Found, index: int) -> Fact:
    return Fact(kind=kind, subject=(*of, model.name), values=(model.values[index].above,))


def _say_extremes(stated: Facts) -> str:
    measure = the_same(each.subject[0] for each in stated)
    by_kind = {each.kind: each for each in stated}
    the_same([len(by_kind), len(stated)])
    first, last, (n_above, n_models) = by_kind["furthest"], by_kind["least"], by_kind["above chance"].values
    apart = pairs = ""
    if both := next((each for each in stated if each.kind in _AS_A_PAIR.values()), None):
        the_same([both.subject[1:], (first.subject[1], last.subject[1])])
        apart = f" (these two {'are' if both.kind == _AS_A_PAIR[True] else 'aren’t'} shown to differ)"
    if "pairs differ" in by_kind:
        n_shown, n_pairs = by_kind["pairs differ"].values
        pairs = f" {int(n_shown):,} of {count(int(n_pairs), 'pair')} of models are shown to differ."
    return (
        f"{capitalized(measure)}: furthest above chance is {_valued(first)}, least {_valued(last)}{apart}; "
        f"{int(n_above):,} of {count(int(n_models), 'model')} are shown to be above chance.{pairs}"
    )


def _valued(fact: Fact) -> str:
    return f"{fact.subject[-1]} ({score(fact.values[0])})"


# --- one model by itself ---------------------------------------------------------------------------------------------


def _near_chance(found: Compared) -> Iterator[list[Fact]]:
    """What isn't shown to be above chance."""
    near = []
    for index, measure in enumerate(found.measures[:-1]):
        known = [model for model in found.models if model.values[index].is_known]
        names = [model.name for model in known if model.values[index].kind == "chance"]
        if len(names) == len(known) and len(names) > 2:
            near.append(Fact(kind="near chance", subject=(measure.said,), values=(len(names),)))
        elif names:
            near.append(Fact(kind="near chance", subject=(measure.said, *names)))
    yield near
    if not near and any(value.is_known for model in found.models for value in model.values[:-1]):
        yield [Fact(kind="all above chance")]


def _say_near_chance(stated: Facts) -> str:
    parts = []
    for each in stated:
        measure, *names = each.subject
        whose = joined_by_and(names) if names else f"all {in_words(int(each.values[0]))} models"
        parts.append(f"{measure} in {whose}")
    return f"Not shown to be above chance: {'; '.join(parts)}."


def _say_all_above_chance(_: Facts) -> str:
    return "All values are shown to be above chance."


_SENTENCES: dict[str, tuple[Callable[[Facts], str], tuple[str, ...]]] = {
    "ahead": (_say_ahead, ()),
    "not shown to differ": (_say_not_shown_to_differ, ()),
    "not compared": (_say_not_compared, ()),
    "ahead of several": (_say_ahead_of_several, ("other pairs",)),
    "no two differ": (_say_no_two_differ, ()),
    "furthest": (_say_extremes, ("least", *_AS_A_PAIR.values(), "above chance", "pairs differ")),
    "near chance": (_say_near_chance, ()),
    "all above chance": (_say_all_above_chance, ()),
}
"""By the kind of a sentence's first fact: what writes it, and which other kinds it has."""
