"""Under the compare page’s plots: how far each model is above chance, measure by measure, as dots; and what differs between them.

What is said are facts of ``catalogue/model.toml``, one a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from tokviz.pages.frame.frame import relative
from tokviz.pages.model.profile_found import Compared, Found, ProfileMeasure, ProfilePair, compared
from tokviz.pages.model.profile_tables import FILES
from tokviz.pages.text import paired_facts
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Link
from tokviz.records import Difference, Differences, Report

ZERO, MOST = 24.0, 90.0
"""Where chance is in a dot's plot, and the largest value of a measure, in pixels; ``compare.css`` has the first, too."""
_RADIUS = 4.0
_LEAST = 1.0
"""What a scale shows at least: the whole way from chance to the highest value, so that dots of all measures compare."""
MOST_NAMED = 8
"""Of more models sentences give numbers instead of names."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A measure of which something is known, and the scale of its dots; chance is 0, and has the same place in all."""

    index: int
    measure: ProfileMeasure
    high: float
    """The largest value that has room."""

    def x(self, value: float) -> str:
        """In pixels."""
        return f"{max(ZERO + value / self.high * (MOST - ZERO), _RADIUS):.1f}".removesuffix(".0")

    @property
    def tick(self) -> float:
        """A round number near the upper end."""
        unit = 10.0 ** math.floor(math.log10(self.high))
        return math.floor(self.high / unit + 1e-9) * unit


def profile_view(report: Report, page: str) -> dict[str, Any] | None:
    """What the template takes; None where nothing was measured.

    A block is a context: what was found, its models in their order, and what is said of them. With many models the table is tall, and is
    scrolled in a frame, so that what follows stays near.
    """
    found = compared(report)
    if not found:
        return None
    measures = found[0].measures
    values = [[model.values[index] for each in found for model in each.models] for index in range(len(measures))]
    columns = [
        Column(index=index, measure=measures[index], high=max([_LEAST, *known]))
        for index, of_measure in enumerate(values)
        if (known := [value.effect for value in of_measure if value.is_known])
    ]
    first = columns[0].index if columns else 0
    return {
        "are_several": any(len(each.models) > 2 for each in found),
        "has_pairs": any(each.pairs for each in found),
        "has_similarity": any(each.index == len(measures) - 1 for each in columns),
        "are_tested": any(each.single_token is not None for each in report.similarities),
        "columns": columns,
        "blocks": [
            (each, _ranked(each, first), [*_word_by_word(report, each), *map(text, facts(each))]) for each in found
        ],
        # Models stand in the order of the first column: some aren't at chance.
        "is_ranked": bool(columns) and any(value.is_known and value.kind != "chance" for value in values[first]),
        "is_tall": any(len(each.models) > MOST_NAMED for each in found),
        "files": [
            Link(text=name, href=relative(page, path)) for name, path in report.downloads.items() if name in FILES
        ],
    }


def _ranked(found: Compared, first: int) -> list[Found]:
    """The largest effect in the first measure first; what is at chance in the report's order, for its own is chance's."""

    def rank(model: Found) -> float:
        value = model.values[first]
        if value.kind == "chance":
            return 0.0
        return -value.effect if value.is_known else math.inf

    return sorted(found.models, key=rank)


def _word_by_word(report: Report, found: Compared) -> tuple[str, ...]:
    """Of two models what they differ in, of several the pairs that are shown to differ in purity, of many nothing."""
    n = len(found.models)
    return tuple(
        paired_facts.of_models(report, each.paired, (each.a.name, each.b.name))
        for each in found.pairs
        if each.paired and n <= MOST_NAMED and (n == 2 or each.paired.purity.overall.holds.any())
    )


# --- what is said ----------------------------------------------------------------------------------------------------


def facts(found: Compared) -> tuple[Fact, ...]:
    """What is stated, sentence by sentence."""
    if len(found.models) > MOST_NAMED:
        return tuple(_counts(found))
    ahead = _of_two(found) if len(found.models) == 2 else _of_several(found)
    return tuple(chain(ahead, _no_difference(found), _near_chance(found)))


def _shown(found: Compared, index: int) -> Iterator[tuple[Found, Found, Difference]]:
    """Of the pairs that are shown to differ in a measure the higher model, the lower one, and by how much the first differs.

    Only where the higher one is itself shown to be above chance: else it isn't above it any further.
    """
    for pair in found.pairs:
        each = pair.differences[index]
        higher, lower = (pair.a, pair.b) if each.value > 0 else (pair.b, pair.a)
        if each.is_shown and higher.values[index].kind == "above":
            yield higher, lower, each


def _is_of_list(index: int, difference: Difference) -> bool:
    """With too few categories a difference holds on this list only, and the sentence says so."""
    return index < Differences.N_OF_CATEGORIES and difference.unit == "word"


def _of_two(found: Compared) -> Iterator[Fact]:
    """A sentence for each of them, with the measures in which it is ahead; another for what holds on this list only."""
    ahead: dict[tuple[str, Found, Found], list[Fact]] = {}
    for index, measure in enumerate(found.measures[:-1]):
        for higher, lower, each in _shown(found, index):
            bounds = (each.low, each.high) if each.value > 0 else (-each.high, -each.low)
            by = Fact("model.profile.by", measure=measure.said, size=abs(each.value), bounds=bounds)
            kind = "model.profile.ahead_on_this_list" if _is_of_list(index, each) else "model.profile.ahead"
            ahead.setdefault((kind, higher, lower), []).append(by)
    for (kind, higher, lower), measures in ahead.items():
        yield Fact(kind, ahead=higher.name, behind=lower.name, measures=tuple(measures))


def _of_several(found: Compared) -> Iterator[Fact]:
    """Who is ahead of whom, measure by measure; who is ahead of most comes first."""
    for index, measure in enumerate(found.measures[:-1]):
        behind: dict[Found, list[Fact]] = {}
        for higher, lower, each in _shown(found, index):
            kind = "model.profile.other_on_this_list" if _is_of_list(index, each) else "model.profile.other"
            behind.setdefault(higher, []).append(Fact(kind, behind=lower.name, size=abs(each.value)))
        most_first = sorted(filter(behind.get, found.models), key=lambda each: -len(behind[each]))
        kinds = chain(["model.profile.lead"], repeat("model.profile.further_lead"))
        leads = tuple(
            Fact(kind, ahead=each.name, others=tuple(behind[each]))
            for kind, each in zip(kinds, most_first, strict=False)
        )
        if leads:
            yield Fact("model.profile.ahead_of_several", measure=measure.said, leads=leads)


def _no_difference(found: Compared) -> Iterator[Fact]:
    """In which measures several models are above chance, and none is ahead."""
    open_ones = []
    for index, measure in enumerate(found.measures[:-1]):
        are_compared = any(
            pair.a.values[index].kind == pair.b.values[index].kind == "above" and _is_known(pair, index)
            for pair in found.pairs
        )
        is_answered = index < Differences.N_OF_CATEGORIES and any(each.paired for each in found.pairs)
        if are_compared and not is_answered and not [*_shown(found, index)]:
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
            pairs = (
                Fact("model.profile.pairs_differ", n=len([*_shown(found, index)]), of=n_compared) if n_compared else ()
            )
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
