"""What differs between the models of one context, and what isn't above chance: facts of ``catalogue/model.toml``, one a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, repeat

from tokviz.pages.model.profile_found import Compared, ProfilePair
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.facts import Fact
from tokviz.records import Difference, Differences

MOST_NAMED = 8
"""Of more models sentences give numbers instead of names."""


def sentences(found: Compared) -> tuple[str, ...]:
    """What is said of a context, sentence by sentence."""
    return tuple(map(text, facts(found)))


def facts(found: Compared) -> tuple[Fact, ...]:
    """What is stated, sentence by sentence."""
    if len(found.models) > MOST_NAMED:
        return tuple(_counts(found))
    ahead = _of_two(found) if len(found.models) == 2 else _of_several(found)
    return tuple(chain(ahead, _no_difference(found), _near_chance(found)))


def _shown(found: Compared, index: int) -> list[tuple[ProfilePair, Difference]]:
    """Differences that are shown, and whose higher model is itself shown to be above chance: else it isn't above it any further."""
    above = _are_above(found, index)
    return [
        (pair, each)
        for pair in found.pairs
        if (each := pair.differences[index]).is_shown and above[pair.a if each.value > 0 else pair.b]
    ]


def _are_above(found: Compared, index: int) -> list[bool]:
    """Of each model, whether it is shown to be above chance in a measure."""
    return [model.values[index].kind == "above" for model in found.models]


def _kind(name: str, index: int, difference: Difference) -> str:
    """With too few categories a difference holds on this list only, and the sentence says so."""
    is_of_list = index < Differences.N_OF_CATEGORIES and difference.unit == "word"
    return f"model.profile.{name}{'_on_this_list' if is_of_list else ''}"


def _of_two(found: Compared) -> Iterator[Fact]:
    """A sentence for each of them, with the measures in which it is ahead; another for what holds on this list only."""
    ahead: dict[tuple[str, int, int], list[Fact]] = {}
    for index, measure in enumerate(found.measures[:-1]):
        for pair, each in _shown(found, index):
            first, second, bounds = pair.a, pair.b, (each.low, each.high)
            if each.value <= 0:
                first, second, bounds = pair.b, pair.a, (-each.high, -each.low)
            by = Fact("model.profile.by", measure=measure.said, size=abs(each.value), bounds=bounds)
            ahead.setdefault((_kind("ahead", index, each), first, second), []).append(by)
    for (kind, first, second), measures in ahead.items():
        yield Fact(kind, ahead=found.models[first].name, behind=found.models[second].name, measures=tuple(measures))


def _of_several(found: Compared) -> Iterator[Fact]:
    """Who is ahead of whom, measure by measure; who is ahead of most comes first."""
    for index, measure in enumerate(found.measures[:-1]):
        behind: dict[int, list[Fact]] = {}
        for pair, each in _shown(found, index):
            first, second = (pair.a, pair.b) if each.value > 0 else (pair.b, pair.a)
            other = Fact(_kind("other", index, each), behind=found.models[second].name, size=abs(each.value))
            behind.setdefault(first, []).append(other)
        most_first = sorted(behind.items(), key=lambda item: (-len(item[1]), item[0]))
        kinds = chain(["model.profile.lead"], repeat("model.profile.further_lead"))
        leads = tuple(
            Fact(kind, ahead=found.models[first].name, others=tuple(others))
            for kind, (first, others) in zip(kinds, most_first, strict=False)
        )
        if leads:
            yield Fact("model.profile.ahead_of_several", measure=measure.said, leads=leads)


def _no_difference(found: Compared) -> Iterator[Fact]:
    """In which measures several models are above chance, and none is ahead."""
    open_ones = []
    for index, measure in enumerate(found.measures[:-1]):
        above = _are_above(found, index)
        compared = [pair for pair in found.pairs if above[pair.a] and above[pair.b] and _is_known(pair, index)]
        is_answered = index < Differences.N_OF_CATEGORIES and any(each.paired for each in found.pairs)
        if compared and not is_answered and not _shown(found, index):
            open_ones.append(measure.said)
    if open_ones:
        yield Fact("model.profile.no_difference", measures=tuple(open_ones))


def _is_known(pair: ProfilePair, index: int) -> bool:
    return math.isfinite(pair.differences[index].value)


def _counts(found: Compared) -> Iterator[Fact]:
    """How many are above chance, and how many pairs differ."""
    for index, measure in enumerate(found.measures[:-1]):
        known = [model.values[index] for model in found.models if model.values[index].is_known]
        n_compared = sum(_is_known(each, index) for each in found.pairs)
        if known:
            n_above = sum(each.kind == "above" for each in known)
            pairs = Fact("model.profile.pairs_differ", n=len(_shown(found, index)), of=n_compared) if n_compared else ()
            yield Fact("model.profile.above_chance", measure=measure.said, n=n_above, of=len(known), pairs=pairs)


def _near_chance(found: Compared) -> Iterator[Fact]:
    """What isn't claimed at any depth."""
    near = []
    for index, measure in enumerate(found.measures[:-1]):
        known = [model for model in found.models if model.values[index].is_known]
        names = tuple(model.name for model in known if model.values[index].kind == "chance")
        if len(names) == len(known) and len(names) > 2:
            near.append(Fact("model.profile.near_in_all", measure=measure.said, n=len(names)))
        elif names:
            near.append(Fact("model.profile.near", measure=measure.said, names=names))
    if near:
        yield Fact("model.profile.near_chance", measures=tuple(near))
