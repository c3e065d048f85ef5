"""All that a decided report announces, read from its records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tokviz.pages.findings.change_evidence import LEAST
from tokviz.pages.findings.changes import Shift, shifts
from tokviz.pages.text.findings import finding_of
from tokviz.records import (
    Claim,
    ContextReport,
    Lens,
    ModelDifferences,
    ModelPair,
    ModelSimilarity,
    OrderMeasures,
    RelationMeasures,
    Report,
    SeriesReport,
)

BOUNDARY, NEURONS, FAULT = "stages", "neurons", "fault"
CHANGE, IDENTICAL, AT_MOST = "change", "identical", "at most "
ALL_WORDS, LESS, MORE, SHOWN = "all words", "less", "more", "shown: purity of "
"""``SHOWN``: by the band of a category, whether or not all of it is beyond what headlines ask."""
READABLE, BEYOND, ENDS_MEET, CIRCLE = "readable", "beyond looks", "ends meet", "circle"


@dataclass(frozen=True)
class Announcement:
    """One statement on one capture, or on a pair of models."""

    kind: str
    """The family of tests, for a relation or an order without its number, or ``stages``, ``neurons``, ``change`` or ``fault``."""
    what: str
    """Of these, such as the measure."""
    where: str
    """``MODEL/CONTEXT`` or ``MODEL-MODEL/CONTEXT``."""
    depths: tuple[int, ...] = ()
    """At which depths it is stated; none where it isn't of depths."""

    def __str__(self) -> str:
        depths = f" at depths {', '.join(map(str, self.depths))}" if self.depths else ""
        return f"{self.kind}: {self.what} ({self.where}){depths}"


def announcements(report: Report) -> list[Announcement]:
    """All of them: claims, boundaries between stages that aren't set by rule, and who writes massive values."""
    found: list[Announcement] = []
    for model in report.models:
        for intact in model.contexts:
            for context in (intact, *intact.interventions):
                found += _of_capture(context, f"{model.slug}/{context.states.context.name}")
        if (finding := finding_of(model)) is not None:
            who = f"neurons {finding.neurons}" if finding.neurons else f"expert {finding.expert}"
            found.append(Announcement(NEURONS, who, f"{model.slug}/{finding.context.name}", (finding.layer + 1,)))
    for series in report.series:
        found += _of_series(series)
    changes = (each for series in report.series for each in series.changes)
    pairs: tuple[ModelSimilarity | ModelPair, ...] = (*report.similarities, *report.differences, *changes)
    for pair in pairs:
        found += _of_pair(pair)
    for shift in shifts(report):
        found += _of_change(shift)
    return found


def _of_pair(pair: ModelSimilarity | ModelPair) -> Iterator[Announcement]:
    """Differences over categories only where they are shown word by word, too."""
    told = dict(zip(("purity", "silhouette"), pair.shown, strict=False)) if isinstance(pair, ModelDifferences) else {}
    for each in _of_claims(pair, f"{pair.model_a}-{pair.model_b}/{pair.context}", with_depths=False):
        if told.get(each.what.removeprefix("differences.").removesuffix(".claim"), True):
            yield each


def _of_change(shift: Shift) -> Iterator[Announcement]:
    """Which categories, or else all words, are kept less or further apart and where, and what bands show; or how large any change may be."""
    where = f"{shift.pair.model_a}-{shift.pair.model_b}/{shift.pair.context}"
    kind, values = shift.headline.kind.removeprefix("change."), shift.headline.values
    if kind.startswith(IDENTICAL):  # also in the layers that were captured
        yield Announcement(CHANGE, IDENTICAL, where)
    elif kind in ("within", "not_shown"):
        yield Announcement(CHANGE, f"{AT_MOST}{values['least' if kind == 'within' else 'most']}", where)
    elif shift.pair.paired is not None:
        of_categories = shift.signs_of(shift.measure, by_category=True)
        rows = [*zip(shift.labels, of_categories, strict=True)]
        if not of_categories.any():
            (low,), _, (high,) = shift.band(shift.measure, by_category=False)
            holds = getattr(shift.pair.paired, shift.measure).overall.holds[0]
            rows.append((ALL_WORDS, holds * ((low > LEAST).astype(int) - (high < -LEAST))))
        for label, signs in rows:
            for sign, side in ((-1, LESS), (1, MORE)):
                yield from _at_depths(CHANGE, f"{shift.measure} of {label} {side}", where, signs == sign)
        purity = shift.pair.paired.purity.by_category
        for label, holds, value in zip(shift.labels, purity.holds, -purity.value, strict=True):
            for sign, side in ((-1, LESS), (1, MORE)):
                yield from _at_depths(CHANGE, f"{SHOWN}{label} {side}", where, holds & (np.sign(value) == sign))


def _of_series(series: SeriesReport) -> Iterator[Announcement]:
    for checkpoint in series.checkpoints:
        for context in checkpoint.model.contexts:
            yield from _of_capture(context, f"{checkpoint.model.slug}/{context.states.context.name}")
    for fault in series.faults:
        yield Announcement(FAULT, fault.kind, f"{series.slug} {fault.checkpoints}")


def _of_capture(context: ContextReport, where: str) -> Iterator[Announcement]:
    if context.geometry is not None:
        yield from _of_claims(context.geometry, where)
        for stage in context.geometry.stages:
            if np.isfinite(stage.recurrence):
                yield Announcement(BOUNDARY, "a stage begins", where, (stage.first_depth,))
    if context.untrained is not None:
        yield from _of_claims(context.untrained, where, with_depths=False)
    yield from _of_paired(context, where)
    if context.lens is not None:
        yield from _of_lens(context.lens, where)
    if context.relations is not None:
        for index, relation in enumerate(context.relations.relations):
            yield from _at_depths("relation", "a relation", f"{where} {index}", relation.holds)
            yield from _in_templates("relation", "a relation", f"{where} {index}", relation.template_holds)
        for index, order in enumerate(context.relations.orders):
            yield from _of_order(order, f"{where} {index}")


def _of_paired(context: ContextReport, where: str) -> Iterator[Announcement]:
    """Their values are of depths and of categories."""
    if context.paired is not None:
        yield from _of_claims(replace(context.paired, held=None), where, with_depths=False)
    if context.holds_categories is not None and context.holds_categories.any():
        yield Announcement("categories, each", "held.claim", where)


def _of_lens(lens: Lens, where: str) -> Iterator[Announcement]:
    measured = {"named": lens.named, "own": lens.own}
    measured |= {f"relations {index}": each for index, each in enumerate(lens.relations)}
    for name, each in measured.items():
        if each is not None:
            yield from _at_depths("lens", f"{name}.claim", where, each.holds)
            yield from _in_templates("lens", f"{name}.claim", where, each.template_holds)


def _of_order(order: OrderMeasures, where: str) -> Iterator[Announcement]:
    """Of each template whether it can be read; pages tell of the first one whether it closes, too."""
    yield from _at_depths("order", READABLE, where, order.holds)
    yield from _in_templates("order", READABLE, where, order.r2.claim.template_holds)
    yield from _at_depths("order", BEYOND, where, order.is_beyond)
    first = order.in_first_template
    for place, each in ((where, order), *(((f"{where}, template 0", first),) if first is not order else ())):
        yield from _at_depths("order", ENDS_MEET, place, each.ends_meet)
        yield from _at_depths("order", CIRCLE, place, each.is_circle)


def _of_claims(record: Any, where: str, *, with_depths: bool = True) -> Iterator[Announcement]:
    """Both families of differences are one kind."""
    for path, claim in claims_by_path(record):
        kind = claim.family.removesuffix(" of relations")
        if with_depths:
            yield from _at_depths(kind, path, where, claim.holds)
            yield from _in_templates(kind, path, where, claim.template_holds)
        elif claim.holds.any():
            yield Announcement(kind, path, where)


def _in_templates(kind: str, what: str, where: str, holds: np.ndarray | None) -> Iterator[Announcement]:
    """``holds``: ``(n_templates, n_depths)``."""
    for index, of_template in enumerate(() if holds is None else holds):
        yield from _at_depths(kind, what, f"{where}, template {index}", of_template)


def _at_depths(kind: str, what: str, where: str, holds: np.ndarray) -> Iterator[Announcement]:
    if holds.any():
        yield Announcement(kind, what, where, tuple(np.flatnonzero(holds).tolist()))


def claims_by_path(record: Any, path: str = "") -> Iterator[tuple[str, Claim]]:
    """All claims in a record, by the names of the fields that lead there; of relations and orders none, as each needs several."""
    if isinstance(record, Claim):
        yield path, record
    elif isinstance(record, (RelationMeasures, OrderMeasures)):
        return
    elif dataclasses.is_dataclass(record):
        for field in dataclasses.fields(record):
            yield from claims_by_path(getattr(record, field.name), f"{path}.{field.name}" if path else field.name)
    elif isinstance(record, tuple):
        for index, each in enumerate(record):
            yield from claims_by_path(each, f"{path} {index}")
