"""Models that were compared word by word: one sentence a context, a matrix of several, rows of many, and what the viewer opens with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from urllib.parse import quote

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.charts.scale import OF_ALL_MODELS
from tokviz.pages.findings.changes import shifts
from tokviz.pages.findings.lines import lines
from tokviz.pages.findings.standings import Lead, Standing, standings, told
from tokviz.pages.text.parts import Link
from tokviz.pages.text.short_names import short_names
from tokviz.pages.text.wording import score
from tokviz.records import ContextReport, ModelReport, Paired, ProjectionReport, Report

PATH = "compare/index.html"
Capture = tuple[ModelReport, ContextReport, ProjectionReport]
HALFWAY = 0.5
"""The relative depth that the page opens at where no difference is shown."""
MOST_CHANGES = 3
"""Pairs of models before and after that are named, the surest first."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How much more one model has than another."""

    shown: tuple[Link, ...] = ()
    """Differences that are shown, one or one of each sign; they open the plots."""
    is_tested: bool = True
    ends: tuple[float, ...] = ()
    """Lower end, value and upper end where the difference is surest, else furthest from 0 for its error; none where they aren't known."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """The models of one context."""

    standing: Standing
    cells: Mapping[tuple[str, str], Cell]
    """By the slugs of two models: the first less the second."""
    purity: Mapping[str, tuple[float, tuple[float, float], int]]
    """By slug, where it is highest: the value, its interval and the depth; of models that were measured."""


@dataclass(frozen=True, kw_only=True)
class Differing:
    """All of it."""

    told: tuple[tuple[str, str, str], ...]
    """Of each context what its models differ in, on what that rests, and the address of the plots that show it; the surest first."""
    contexts: tuple[Against, ...]
    names: Mapping[str, str]
    """Short ones, by slug."""
    pairs: tuple[tuple[ModelReport, ModelReport], ...]
    """Of many models those with a row: each against the one that most are held against, then what the author asked for beside these."""
    size: float
    """The largest end of an interval."""
    opening: tuple[Capture, ...]
    """Two."""
    share: float
    """The relative depth."""

    @property
    def tested(self) -> dict[str, list[list[str]]]:
        """By context the slugs of each pair of models that was tested."""
        return {
            each.standing.context.name: [
                [one, other] for (one, other), cell in each.cells.items() if one < other and cell.is_tested
            ]
            for each in self.contexts
        }


def differing(report: Report, models: Sequence[ModelReport]) -> Differing:
    """``models``: two or more that were captured."""
    margins = [(each.leads[0].shown.margin if each.leads else -math.inf, each) for each in standings(report)]
    found = [each for _, each in sorted(margins, key=itemgetter(0), reverse=True)]
    many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    lead = found[0].leads[0] if found and found[0].leads else None
    contexts = tuple(
        _against(report, each) for each in sorted(found, key=lambda each: report.contexts.index(each.context))
    )
    told_of = {each.slug for each in models}
    changed = [each for each in shifts(report) if {each.before.slug, each.after.slug} <= told_of]
    changes = lines(sorted((each.found() for each in changed), key=lambda each: each.rank, reverse=True), PATH)
    # Of two models before and after, these say it.
    contexts_told = {each.pair.context for each in changed}
    others = [each for each in found if len(each.models) > 2 or each.context.name not in contexts_told]
    ends = (abs(end) for each in contexts for cell in each.cells.values() for end in cell.ends)
    return Differing(
        told=(
            *((each.sentence, each.evidence, each.href or "") for each in changes[:MOST_CHANGES]),
            *((*told(report, each), _address(report, each.leads[0]) if each.leads else "") for each in others),
        ),
        contexts=contexts,
        names=dict(zip((each.slug for each in models), short_of(models), strict=True)),
        pairs=tuple(_pairs(contexts[0].standing, models)) if many and contexts else (),
        size=max(ends, default=0.0) or 1.0,
        opening=_captures(report, lead)
        if lead
        else tuple((model, model.contexts[0], model.contexts[0].projections[0]) for model in models[:2]),
        share=lead.share if lead else HALFWAY,
    )


def short_of(models: Sequence[ModelReport]) -> tuple[str, ...]:
    """Their names where space is scarce."""
    return short_names([each.name for each in models], OF_ALL_MODELS.longest_name)


def _captures(report: Report, lead: Lead) -> tuple[Capture, ...]:
    """Of both models, in the report's order."""
    slugs, name = (lead.pair.model_a, lead.pair.model_b), lead.pair.context
    return tuple(
        (model, context, context.projections[0])
        for model in report.models
        if model.slug in slugs
        for context in model.contexts
        if context.states.context.name == name
    )


def _address(report: Report, lead: Lead) -> str:
    """Of the plots that show it, for the page's script."""
    parts = (
        f"{letter}={'/'.join(map(quote, (model.slug, context.states.context.name, shown.projection.name)))}"
        for letter, (model, context, shown) in zip("ab", _captures(report, lead), strict=True)
    )
    return f"#{'&'.join(parts)}&by=relative&at={round(lead.share, 4):g}"


# --- two models of one context ---------------------------------------------------------------------------------------


def _against(report: Report, standing: Standing) -> Against:
    return Against(
        standing=standing,
        cells={
            (one.slug, other.slug): _cell(report, standing, one, other)
            for one in standing.models
            for other in standing.models
            if one is not other
        },
        purity={each.slug: found for each in standing.models if (found := _purity(standing, each))},
    )


def _cell(report: Report, standing: Standing, one: ModelReport, other: ModelReport) -> Cell:
    found = standing.compared(one, other)
    if found is None:
        return Cell(is_tested=False)
    leads = {1: standing.ahead(one, other), -1: standing.ahead(other, one)}
    shown = {sign: lead for sign, lead in leads.items() if lead}
    paired: Paired = getattr(found, standing.measure).overall
    of = np.array([paired.low[0], paired.value[0], paired.high[0]])
    known = np.isfinite(of).all(axis=0)
    surest = max(shown.values(), key=lambda lead: lead.shown.margin, default=None)
    at = surest.shown.at if surest else int(np.where(known, np.abs(paired.t[0]), -1.0).argmax())
    ends = of[:, at] if (one.slug, other.slug) in standing.pairs else -of[::-1, at]
    return Cell(
        shown=tuple(
            Link(text=signed(sign * lead.shown.size), href=_address(report, lead)) for sign, lead in shown.items()
        ),
        ends=tuple(ends.tolist()) if known[at] else (),
    )


def signed(value: float) -> str:
    """``+0.25``, ``−0.04``."""
    return f"{'+' if value > 0 else ''}{score(value)}"


def _purity(standing: Standing, model: ModelReport) -> tuple[float, tuple[float, float], int] | None:
    contexts = (each for each in model.contexts if each.states.context.name == standing.context.name)
    geometry = next((each.geometry for each in contexts), None)
    if geometry is None or not np.isfinite(geometry.purity.value).any():
        return None
    purity, depth = geometry.purity, int(np.nanargmax(geometry.purity.value))
    return float(purity.value[depth]), (float(purity.low[depth]), float(purity.high[depth])), depth


def _pairs(standing: Standing, models: Sequence[ModelReport]) -> Iterator[tuple[ModelReport, ModelReport]]:
    reference, by_slug = standing.reference, {model.slug: model for model in models}
    yield from ((model, reference) for model in models)
    yield from ((by_slug[one], by_slug[other]) for one, other in standing.pairs if reference.slug not in (one, other))
