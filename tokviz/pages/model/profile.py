"""Under the compare page’s plots: how far each model is above chance, measure by measure, as dots; and what differs between them.

What is said are facts of ``catalogue/model.toml``, one a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat
from typing import Any

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.frame.frame import relative
from tokviz.pages.model.profile_tables import FILES, ProfileMeasure, measures
from tokviz.pages.text import paired_facts
from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.parts import Link
from tokviz.records import Context, Difference, Differences, ModelDifferences, ModelReport, Peak, Report
from tokviz.records.measures import effect_of

ZERO, MOST = 24.0, 90.0
"""Where chance is in a dot's plot, and the largest value of a measure, in pixels; ``compare.css`` has the first, too."""
_RADIUS = 4.0
_LEAST = 1.0
"""What a scale shows at least: the whole way from chance to the highest value, so that dots of all measures compare."""
MOST_NAMED = 8
"""Of more models sentences give numbers instead of names."""
_UNMEASURED = Peak(depth=None, value=math.nan, chance=math.nan, effect=math.nan, is_above_chance=False)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """All models of one context that were measured."""

    label: str
    measures: tuple[ProfileMeasure, ...]
    """The last one is the similarity to the others, which isn't tested."""
    names: Mapping[str, str]
    """Of the models, by slug."""
    peaks: Mapping[str, tuple[Peak, ...]]
    """By slug, one for each measure."""
    pairs: tuple[ModelDifferences, ...]

    def known(self, index: int) -> dict[str, Peak]:
        """By slug, of the models of which a measure is known."""
        return {slug: own[index] for slug, own in self.peaks.items() if math.isfinite(own[index].effect)}


def compared(report: Report) -> tuple[Compared, ...]:
    """Of each context the models that were measured; contexts without any are left out."""
    found = (_of_context(report, context) for context in report.contexts)
    return tuple(each for each in found if each.peaks)


def _of_context(report: Report, context: Context) -> Compared:
    named = measures(report)
    peaks = {
        model.slug: (
            *each.profile.peaks,
            *[_UNMEASURED] * (len(named) - 1 - len(each.profile.peaks)),
            replace(_UNMEASURED, effect=_similarity(report, model, context)),
        )
        for model in report.models
        for each in model.contexts
        if each.states.context.name == context.name and each.profile is not None
    }
    of_context = (each for each in report.differences if each.context == context.name)
    return Compared(
        label=context.label,
        measures=named,
        names={model.slug: model.display_name for model in report.models if model.slug in peaks},
        peaks=peaks,
        pairs=tuple(each for each in of_context if {each.model_a, each.model_b} <= peaks.keys()),
    )


def _similarity(report: Report, model: ModelReport, context: Context) -> float:
    """Mean over the other models; of many the similarity to the first one, which has none itself."""
    first = next(each for each in report.models if each.contexts)
    are_many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    pair = {model.slug, first.slug} if are_many else {model.slug}
    best = [
        each.shared.neighbours_summary
        for each in report.similarities
        if each.context == context.name and pair <= {each.model_a, each.model_b} and not (are_many and model is first)
    ]
    both = np.array([(each.value, each.chance) for each in best]).reshape(-1, 2)
    value, chance = both[np.isfinite(both).all(axis=1)].T
    return float(np.mean(effect_of(value, chance, 1.0))) if len(value) else math.nan


# --- dots ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Column:
    """A measure of which something is known, and the scale of its dots; chance is 0, and has the same place in all."""

    index: int
    measure: ProfileMeasure
    is_tested: bool
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

    def rank(self, found: Compared, slug: str) -> float:
        """The largest effect first; what is at chance in the report's order, for its own is chance's."""
        peak = found.peaks[slug][self.index]
        if self.is_tested and not peak.is_above_chance and peak is not _UNMEASURED:
            return 0.0
        return -peak.effect if math.isfinite(peak.effect) else math.inf


def profile_view(report: Report, page: str) -> dict[str, Any] | None:
    """What the template takes; None where nothing was measured.

    A block is a context: what was found, the slugs of its models in their order, which is that of the first column, and what is said of
    them. With many models the table is tall, and is scrolled in a frame, so that what follows stays near.
    """
    found = compared(report)
    if not found:
        return None
    named = found[0].measures
    columns = [
        Column(index=index, measure=measure, is_tested=measure is not named[-1], high=max([_LEAST, *known]))
        for index, measure in enumerate(named)
        if (known := [peak.effect for each in found for peak in each.known(index).values()])
    ]
    first = columns[0] if columns else None
    return {
        "are_several": any(len(each.names) > 2 for each in found),
        "has_pairs": any(each.pairs for each in found),
        "are_tested": any(each.single_token is not None for each in report.similarities),
        "columns": columns,
        "blocks": [
            (
                each,
                sorted(each.names, key=partial(first.rank, each)) if first else [*each.names],
                [*_word_by_word(report, each), *map(text, facts(each))],
            )
            for each in found
        ],
        # Models stand in the order of the first column: some aren't at chance.
        "is_ranked": first is not None
        and any(
            peak.is_above_chance or not first.is_tested for each in found for peak in each.known(first.index).values()
        ),
        "is_tall": any(len(each.names) > MOST_NAMED for each in found),
        "files": [
            Link(text=name, href=relative(page, path)) for name, path in report.downloads.items() if name in FILES
        ],
    }


def _word_by_word(report: Report, found: Compared) -> tuple[str, ...]:
    """Of two models what they differ in, of several the pairs that are shown to differ in purity, of many nothing."""
    n = len(found.names)
    return tuple(
        paired_facts.of_models(report, each.paired, (found.names[each.model_a], found.names[each.model_b]))
        for each in found.pairs
        if each.paired and n <= MOST_NAMED and (n == 2 or each.paired.purity.overall.holds.any())
    )


# --- what is said ----------------------------------------------------------------------------------------------------


def facts(found: Compared) -> tuple[Fact, ...]:
    """What is stated, sentence by sentence."""
    if len(found.names) > MOST_NAMED:
        return tuple(_counts(found))
    ahead = _of_two(found) if len(found.names) == 2 else _of_several(found)
    return tuple(chain(ahead, _no_difference(found), _near_chance(found)))


def _shown(found: Compared, index: int) -> Iterator[tuple[str, str, Difference]]:
    """Of the pairs that are shown to differ in a measure the higher model, the lower one, and by how much the first differs.

    Only where the higher one is itself shown to be above chance: else it isn't above it any further.
    """
    for pair in found.pairs:
        each = pair.differences.all[index]
        higher, lower = (pair.model_a, pair.model_b) if each.value > 0 else (pair.model_b, pair.model_a)
        if pair.shown[index] and found.peaks[higher][index].is_above_chance:
            yield higher, lower, each


def _of_two(found: Compared) -> Iterator[Fact]:
    """A sentence for each of them, with the measures in which it is ahead."""
    ahead: dict[tuple[str, str], list[Fact]] = {}
    for index, measure in enumerate(found.measures[:-1]):
        for higher, lower, each in _shown(found, index):
            bounds = (each.low, each.high) if each.value > 0 else (-each.high, -each.low)
            by = Fact("model.profile.by", measure=measure.said, size=abs(each.value), bounds=bounds)
            ahead.setdefault((higher, lower), []).append(by)
    for (higher, lower), by_measure in ahead.items():
        yield Fact(
            "model.profile.ahead", ahead=found.names[higher], behind=found.names[lower], measures=tuple(by_measure)
        )


def _of_several(found: Compared) -> Iterator[Fact]:
    """Who is ahead of whom, measure by measure; who is ahead of most comes first."""
    for index, measure in enumerate(found.measures[:-1]):
        behind: dict[str, list[Fact]] = {}
        for higher, lower, each in _shown(found, index):
            other = Fact("model.profile.other", behind=found.names[lower], size=abs(each.value))
            behind.setdefault(higher, []).append(other)
        most_first = sorted(filter(behind.get, found.names), key=lambda each: -len(behind[each]))
        kinds = chain(["model.profile.lead"], repeat("model.profile.further_lead"))
        leads = tuple(
            Fact(kind, ahead=found.names[each], others=tuple(behind[each]))
            for kind, each in zip(kinds, most_first, strict=False)
        )
        if leads:
            yield Fact("model.profile.ahead_of_several", measure=measure.said, leads=leads)


def _no_difference(found: Compared) -> Iterator[Fact]:
    """The relations and orders in which several models are above chance and none is ahead. Of categories that is told word by word."""
    open_ones = []
    for index in range(Differences.N_OF_CATEGORIES, len(found.measures) - 1):
        above = {slug for slug, peak in found.known(index).items() if peak.is_above_chance}
        are_compared = any({each.model_a, each.model_b} <= above and _is_known(each, index) for each in found.pairs)
        if are_compared and not [*_shown(found, index)]:
            open_ones.append(found.measures[index].said)
    if open_ones:
        yield Fact("model.profile.no_difference", measures=tuple(open_ones))


def _is_known(pair: ModelDifferences, index: int) -> bool:
    """Whether it could be told: in categories only where it can be word by word."""
    by_word = pair.paired is not None and not pair.paired.purity.overall.is_too_few[0]
    is_tested = index >= Differences.N_OF_CATEGORIES or by_word
    return is_tested and math.isfinite(pair.differences.all[index].value)


def _counts(found: Compared) -> Iterator[Fact]:
    """How many are above chance, and how many pairs differ."""
    for index, measure in enumerate(found.measures[:-1]):
        known = found.known(index).values()
        n_compared = sum(_is_known(each, index) for each in found.pairs)
        if known:
            n_shown, n_above = len([*_shown(found, index)]), sum(peak.is_above_chance for peak in known)
            pairs = Fact("model.profile.pairs_differ", n=n_shown, of=n_compared) if n_compared else ()
            yield Fact("model.profile.above_chance", measure=measure.said, n=n_above, of=len(known), pairs=pairs)


def _near_chance(found: Compared) -> Iterator[Fact]:
    """What isn't claimed at any depth."""
    near = []
    for index, measure in enumerate(found.measures[:-1]):
        known = found.known(index)
        names = tuple(found.names[slug] for slug, peak in known.items() if not peak.is_above_chance)
        if len(names) == len(known) and len(names) > 2:
            near.append(Fact("model.profile.near_in_all", measure=measure.said, n=len(names)))
        elif names:
            near.append(Fact("model.profile.near", measure=measure.said, names=names))
    if near:
        yield Fact("model.profile.near_chance", measures=tuple(near))
