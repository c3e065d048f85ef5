"""Under the compare page’s plots: how far each model is above chance, measure by measure, as dots."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokviz.pages.frame.frame import relative
from tokviz.pages.model.profile_found import Compared, Found, ProfileMeasure, Value, compared
from tokviz.pages.model.profile_sentences import MOST_NAMED, sentences
from tokviz.pages.model.profile_tables import FILES
from tokviz.pages.text import paired_facts
from tokviz.pages.text.parts import Link
from tokviz.pages.text.wording import UNKNOWN, score
from tokviz.records import Report

ZERO, MOST = 24.0, 90.0
"""Where chance is in a dot's plot, and the largest value of a measure, in pixels; ``compare.css`` has the first, too."""
_RADIUS = 4.0
_LEAST = 1.0
"""What a scale shows at least: the whole way from chance to the highest value, so that dots of all measures compare."""


@dataclass(frozen=True, kw_only=True)
class ProfileColumn:
    """A measure: its heading, and the scale of its dots."""

    label: str
    unit: str
    """Small, under the label."""
    tick: str
    """Where a number stands on it, beside the 0 of chance, in pixels."""
    tick_label: str


@dataclass(frozen=True, kw_only=True)
class ProfileCell:
    """A dot, in pixels, and its number."""

    kind: str
    """``above``; ``chance``, a ring: not shown to be above it; ``untested``."""
    x: str
    """Empty where nothing is known."""
    text: str
    note: str
    """The depth."""
    sort: str
    """Empty where nothing is known, which comes last."""


@dataclass(frozen=True, kw_only=True)
class ProfileRow:
    """One model."""

    model: str
    sort: str
    cells: tuple[ProfileCell, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileBlock:
    """One context."""

    label: str
    sentences: tuple[str, ...]
    is_list: bool
    """Whether each sentence stands on a line of its own."""
    rows: tuple[ProfileRow, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileView:
    """The whole section."""

    notes: tuple[str, ...]
    columns: tuple[ProfileColumn, ...]
    blocks: tuple[ProfileBlock, ...]
    is_ranked: bool
    """Whether models stand in the order of the first column: some aren't at chance."""
    span: str
    """How many columns the table has."""
    is_tall: bool
    """Whether the table is scrolled in a frame, so that what follows stays near."""
    files: tuple[Link, ...]
    """The numbers."""


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """What the dots of a measure share, up to ``high``; chance is 0, and has the same place in all."""

    high: float

    def x(self, value: float) -> float:
        """In pixels."""
        return ZERO + value / self.high * (MOST - ZERO)

    @property
    def tick(self) -> float:
        """A round number near the upper end."""
        unit = 10.0 ** math.floor(math.log10(self.high))
        return math.floor(self.high / unit + 1e-9) * unit


def profile_view(report: Report, page: str) -> ProfileView | None:
    """None where nothing was measured."""
    found = compared(report)
    if not found:
        return None
    measures = found[0].measures
    values = [[model.values[index] for each in found for model in each.models] for index in range(len(measures))]
    shown = [index for index, of_measure in enumerate(values) if any(value.is_known for value in of_measure)]
    scales = {index: _scale(values[index]) for index in shown}
    return ProfileView(
        notes=_notes(
            found,
            has_similarity=len(measures) - 1 in shown,
            are_tested=any(each.single_token is not None for each in report.similarities),
        ),
        columns=tuple(_column(measures[index], scales[index]) for index in shown),
        blocks=tuple(
            ProfileBlock(
                label=each.label,
                sentences=(*_word_by_word(report, each), *sentences(each)),
                is_list=len(each.models) > 2,
                rows=tuple(_rows(each, scales)),
            )
            for each in found
        ),
        is_ranked=any(value.is_known and value.kind != "chance" for index in shown[:1] for value in values[index]),
        span=str(1 + len(shown)),
        is_tall=any(len(each.models) > MOST_NAMED for each in found),
        files=tuple(
            Link(text=name, href=relative(page, path)) for name, path in report.downloads.items() if name in FILES
        ),
    )


def _word_by_word(report: Report, found: Compared) -> tuple[str, ...]:
    """Of two models what they differ in, of several the pairs that are shown to differ in purity, of many nothing."""
    every = [(pair.paired, tuple(found.models[index].name for index in (pair.a, pair.b))) for pair in found.pairs]
    n = len(found.models)
    return tuple(
        paired_facts.of_models(report, paired, (names[0], names[1]))
        for paired, names in every
        if paired and n <= MOST_NAMED and (n == 2 or paired.purity.overall.holds.any())
    )


def _notes(found: Sequence[Compared], *, has_similarity: bool, are_tested: bool) -> tuple[str, ...]:
    dots = (
        "A dot is the effect of a metric at the layer where it is largest: 0 at that layer’s chance (of an order, at R² = 0), 1 at the "
        "highest possible value. The largest of many layers is above 0 by chance, too: a ring means that nothing is claimed at any layer."
    )
    if any(each.pairs for each in found):
        dots += " Models are compared on the words that both share, each at the best of as many layers as both have."
    if not has_similarity:
        return (dots,)
    others = "other models" if any(len(each.models) > 2 for each in found) else "other model"
    similarity = f"Similarity (squares) is the mean of each layer’s best match in the {others}: 0 with words permuted, 1 where all neighbors are shared."
    if are_tested:
        similarity += " Whether models are alike beyond categories is said where layers are compared."
    return (dots, similarity)


def _scale(values: Sequence[Value]) -> _Scale:
    return _Scale(high=max([_LEAST, *(value.effect for value in values if value.is_known)]))


def _column(measure: ProfileMeasure, scale: _Scale) -> ProfileColumn:
    return ProfileColumn(
        label=measure.label,
        unit=measure.unit,
        tick=_pixels(scale.x(scale.tick)),
        tick_label=f"{scale.tick:g}",
    )


def _rows(found: Compared, scales: dict[int, _Scale]) -> Iterator[ProfileRow]:
    """The largest effect in the first measure first; what is at chance in the report's order, for its own is chance's."""
    first = next(iter(scales), 0)

    def rank(model: Found) -> float:
        value = model.values[first]
        if value.kind == "chance":
            return 0.0
        return -value.effect if value.is_known else math.inf

    for model in sorted(found.models, key=rank):
        yield ProfileRow(
            model=model.name,
            sort=model.name.lower(),
            cells=tuple(_cell(model.values[index], scale) for index, scale in scales.items()),
        )


def _cell(value: Value, scale: _Scale) -> ProfileCell:
    known = value.is_known
    return ProfileCell(
        kind=value.kind,
        x=_pixels(max(scale.x(value.effect), _RADIUS)) if known else "",
        text=score(value.effect) if known else UNKNOWN,
        note=value.note,
        sort=f"{value.effect:.3g}" if known else "",
    )


def _pixels(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
