"""What differs between the models of one context, and what isn't above chance: facts, and sentences made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from tokviz.pages.model.profile_found import Compared, ProfilePair
from tokviz.pages.model.unnamed import UnnamedFact, the_same
from tokviz.pages.text.wording import capitalized, count, finer, in_words, joined_by_and, ranged, score
from tokviz.records import Difference, Differences

MOST_NAMED = 8
"""Of more models sentences give numbers instead of names."""
Facts = tuple[UnnamedFact, ...]
"""Those of one sentence."""


def sentences(found: Compared) -> tuple[str, ...]:
    """Empty parts are left out."""
    return tuple(map(sentence, facts(found)))


def facts(found: Compared) -> tuple[Facts, ...]:
    """What is to be said, sentence by sentence."""
    if len(found.models) > MOST_NAMED:
        stated = [*_counts(found)]
    else:
        ahead = _of_two(found) if len(found.models) == 2 else _of_several(found)
        stated = [*ahead, _no_difference(found), _near_chance(found)]
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


def _of_two(found: Compared) -> list[list[UnnamedFact]]:
    ahead: dict[tuple[str, str, str], list[UnnamedFact]] = {}
    for index, measure in enumerate(found.measures[:-1]):
        for pair, each in _shown(found, index):
            names = found.models[pair.a].name, found.models[pair.b].name
            ordered, bounds = (
                (names, (each.low, each.high)) if each.value > 0 else (names[::-1], (-each.high, -each.low))
            )
            kind = f"ahead{_where(index, each)}"
            fact = UnnamedFact(kind=kind, subject=(*ordered, measure.said), values=(abs(each.value),), bounds=bounds)
            ahead.setdefault((kind, *ordered), []).append(fact)
    return list(ahead.values())


def _shown(found: Compared, index: int) -> list[tuple[ProfilePair, Difference]]:
    """Differences that are shown, and whose higher model is itself shown to be above chance: else it isn't above it any further."""
    above = [model.values[index].kind == "above" for model in found.models]
    return [
        (pair, each)
        for pair in found.pairs
        if (each := pair.differences[index]).is_shown and above[pair.a if each.value > 0 else pair.b]
    ]


def _where(index: int, difference: Difference) -> str:
    """Part of a fact's kind: with too few categories a difference holds on this list only."""
    return " on this list" if index < Differences.N_OF_CATEGORIES and difference.unit == "word" else ""


def _say_ahead(stated: Facts) -> str:
    first, second, kind = the_same((*each.subject[:2], each.kind) for each in stated)
    parts = []
    for each in stated:
        (_, _, said), (size,) = each.subject, each.values
        if each.bounds is None:
            raise ValueError(each)
        parts.append(f"{said} (by {score(size)}, interval {ranged(np.array(each.bounds), finer)})")
    said = f"{first} is further above chance than {second} in {joined_by_and(parts)}."
    return f"On this list of words, {said}" if kind.endswith(" on this list") else said


# --- several models --------------------------------------------------------------------------------------------------


def _of_several(found: Compared) -> Iterator[list[UnnamedFact]]:
    """Who is ahead of whom, measure by measure; who is ahead of most comes first."""
    for index, measure in enumerate(found.measures[:-1]):
        behind: dict[int, list[tuple[int, Difference]]] = {}
        for pair, each in _shown(found, index):
            first, second = (pair.a, pair.b) if each.value > 0 else (pair.b, pair.a)
            behind.setdefault(first, []).append((second, each))
        yield [
            UnnamedFact(
                kind=f"ahead of several{_where(index, each)}",
                subject=(found.models[first].name, found.models[other].name, measure.said),
                values=(abs(each.value),),
            )
            for first, others in sorted(behind.items(), key=lambda item: (-len(item[1]), item[0]))
            for other, each in others
        ]


def _say_ahead_of_several(stated: Facts) -> str:
    """``A is further above chance than B (by 0.13) and C (by 0.20); D than E (by 0.10)``."""
    measure = the_same(each.subject[-1] for each in stated)
    parts: list[str] = []
    for first, own in groupby(stated, key=lambda each: each.subject[0]):
        verb = "than" if parts else "is further above chance than"
        behind = [f"{each.subject[1]} (by {score(each.values[0])}{_here(each)})" for each in own]
        parts.append(f"{first} {verb} {joined_by_and(behind)}")
    return f"{capitalized(measure)}: {'; '.join(parts)}."


def _here(fact: UnnamedFact) -> str:
    return " on this list" if fact.kind.endswith(" on this list") else ""


def _no_difference(found: Compared) -> list[UnnamedFact]:
    """Where several models are above chance, and none is ahead."""
    stated = []
    for index, measure in enumerate(found.measures[:-1]):
        above = [model.values[index].kind == "above" for model in found.models]
        compared = [pair for pair in found.pairs if above[pair.a] and above[pair.b] and _is_known(pair, index)]
        is_answered = index < Differences.N_OF_CATEGORIES and any(each.paired for each in found.pairs)
        if compared and not is_answered and not _shown(found, index):
            stated.append(UnnamedFact(kind="no difference", subject=(measure.said,)))
    return stated


def _is_known(pair: ProfilePair, index: int) -> bool:
    return math.isfinite(pair.differences[index].value)


def _say_no_difference(stated: Facts) -> str:
    return f"No difference between models is shown in {joined_by_and([each.subject[0] for each in stated])}."


# --- many models -----------------------------------------------------------------------------------------------------


def _counts(found: Compared) -> Iterator[list[UnnamedFact]]:
    """How many are above chance, and how many pairs differ."""
    for index, measure in enumerate(found.measures[:-1]):
        values = [model.values[index] for model in found.models if model.values[index].is_known]
        n_above, n_compared = (
            sum(each.kind == "above" for each in values),
            sum(_is_known(each, index) for each in found.pairs),
        )
        said = (measure.said,)
        if values:
            n_shown = len(_shown(found, index))
            yield [
                UnnamedFact(kind="above chance", subject=said, values=(n_above, len(values))),
                *([UnnamedFact(kind="pairs differ", subject=said, values=(n_shown, n_compared))] if n_compared else []),
            ]


def _say_counts(stated: Facts) -> str:
    measure = the_same(each.subject[0] for each in stated)
    (n_above, n_models), *pairs = (each.values for each in stated)
    the_same([len(pairs), len({each.kind for each in stated}) - 1])
    said = f"{capitalized(measure)}: {int(n_above):,} of {count(int(n_models), 'model')} are shown to be above chance"
    for n_shown, n_pairs in pairs:
        said += f"; {int(n_shown):,} of {count(int(n_pairs), 'compared pair')} are shown to differ"
    return f"{said}."


# --- one model by itself ---------------------------------------------------------------------------------------------


def _near_chance(found: Compared) -> list[UnnamedFact]:
    """What isn't claimed at any depth."""
    near = []
    for index, measure in enumerate(found.measures[:-1]):
        known = [model for model in found.models if model.values[index].is_known]
        names = [model.name for model in known if model.values[index].kind == "chance"]
        if len(names) == len(known) and len(names) > 2:
            near.append(UnnamedFact(kind="near chance", subject=(measure.said,), values=(len(names),)))
        elif names:
            near.append(UnnamedFact(kind="near chance", subject=(measure.said, *names)))
    return near


def _say_near_chance(stated: Facts) -> str:
    parts = []
    for each in stated:
        measure, *names = each.subject
        whose = joined_by_and(names) if names else f"all {in_words(int(each.values[0]))} models"
        parts.append(f"{measure} in {whose}")
    return f"Not shown to be above chance at any layer: {'; '.join(parts)}."


_SENTENCES: dict[str, tuple[Callable[[Facts], str], tuple[str, ...]]] = {
    "ahead": (_say_ahead, ()),
    "ahead on this list": (_say_ahead, ()),
    "ahead of several": (_say_ahead_of_several, ("ahead of several on this list",)),
    "ahead of several on this list": (_say_ahead_of_several, ("ahead of several",)),
    "no difference": (_say_no_difference, ()),
    "above chance": (_say_counts, ("pairs differ",)),
    "near chance": (_say_near_chance, ()),
}
"""By the kind of a sentence's first fact: what writes it, and which other kinds it has."""
