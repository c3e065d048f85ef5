"""Under the compare page’s plots: how far each model is above chance, measure by measure, as dots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tokviz.pages.frame.frame import relative
from tokviz.pages.model.profile_found import Compared, Found, ProfileMeasure, compared
from tokviz.pages.model.profile_sentences import MOST_NAMED, sentences
from tokviz.pages.model.profile_tables import FILES
from tokviz.pages.text import paired_facts
from tokviz.pages.text.parts import Link
from tokviz.records import Report

ZERO, MOST = 24.0, 90.0
"""Where chance is in a dot's plot, and the largest value of a measure, in pixels; ``compare.css`` has the first, too."""
_RADIUS = 4.0
_LEAST = 1.0
"""What a scale shows at least: the whole way from chance to the highest value, so that dots of all measures compare."""


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
        "blocks": [(each, _ranked(each, first), [*_word_by_word(report, each), *sentences(each)]) for each in found],
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
    every = [(pair.paired, tuple(found.models[index].name for index in (pair.a, pair.b))) for pair in found.pairs]
    n = len(found.models)
    return tuple(
        paired_facts.of_models(report, paired, (names[0], names[1]))
        for paired, names in every
        if paired and n <= MOST_NAMED and (n == 2 or paired.purity.overall.holds.any())
    )
