"""Models that were compared word by word: one sentence a context, a matrix of several, rows of many, and what the viewer opens with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.charts.scale import OF_ALL_MODELS
from tokviz.pages.findings.standings import Lead, Standing, standings, told
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.text.parts import Link
from tokviz.pages.text.short_names import short_names
from tokviz.pages.text.wording import UNKNOWN, ranged, score
from tokviz.records import ContextReport, ModelReport, Paired, ProjectionReport, Report, depth_name

PATH = "compare/index.html"
Capture = tuple[ModelReport, ContextReport, ProjectionReport]
HALFWAY = 0.5
"""The relative depth that the page opens at where no difference is shown."""
WIDTH = 96.0
"""Of the plot of an interval, in pixels; 0 is in its middle."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a context's models differ in."""

    sentence: str
    evidence: str
    """Empty where nothing is shown, and so is the address of the plots that show it."""
    opens: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How much more one model has than another."""

    shown: tuple[Link, ...] = ()
    """Differences that are shown, one or one of each sign; they open the plots."""
    why: str = ""
    """There is none."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Model × model in one context."""

    standing: Standing
    names: tuple[str, ...]
    """Short ones."""
    rows: tuple[tuple[Cell, ...], ...]
    """Each model less each other one."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """One model in one context: its purity where that is highest, and the difference that is surest, with its interval."""

    purity: str
    where: str
    """The depth, after an interval."""
    cell: Cell
    interval: str
    sort: str
    places: tuple[str, ...]
    """Of the interval's lower end, the difference and the upper end, in pixels; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model against another."""

    model: Link
    other: str
    """The other's name; empty where that is the one that most are held against."""
    of: tuple[Against, ...]
    """In each context."""


@dataclass(frozen=True, kw_only=True)
class Differing:
    """All of it."""

    told: tuple[Told, ...]
    """The surest first."""
    standings: tuple[Standing, ...]
    matrices: tuple[Matrix, ...]
    """Of three models or more, but not of many."""
    reference: str
    """Its name; empty but of many."""
    rows: tuple[Row, ...]
    opening: tuple[Capture, ...]
    """Two."""
    share: float
    """The relative depth."""

    @property
    def tested(self) -> dict[str, list[list[str]]]:
        """By context the slugs of each pair of models that was tested."""
        return {
            each.context.name: [
                [one.slug, other.slug]
                for at, one in enumerate(each.models)
                for other in each.models[at + 1 :]
                if each.compared(one, other)
            ]
            for each in self.standings
        }


def differing(report: Report, models: Sequence[ModelReport]) -> Differing:
    """``models``: two or more that were captured."""
    found = sorted(standings(report), key=_surest, reverse=True)
    many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    names = dict(zip((each.slug for each in models), short_of(models), strict=True))
    in_order = sorted(found, key=lambda each: report.contexts.index(each.context))
    lead = found[0].leads[0] if found and found[0].leads else None
    return Differing(
        told=tuple(_told(report, each) for each in found),
        standings=tuple(in_order),
        matrices=() if many else tuple(_matrix(report, each, names) for each in in_order if len(each.models) > 2),
        reference=in_order[0].reference.display_name if many and in_order else "",
        rows=tuple(_rows(report, in_order, models)) if many and in_order else (),
        opening=_captures(report, lead) if lead else tuple(_first(model) for model in models[:2]),
        share=lead.share if lead else HALFWAY,
    )


def _surest(standing: Standing) -> float:
    return standing.leads[0].shown.margin if standing.leads else -math.inf


def short_of(models: Sequence[ModelReport]) -> tuple[str, ...]:
    """Their names where space is scarce."""
    return short_names([each.name for each in models], OF_ALL_MODELS.longest_name)


def _told(report: Report, standing: Standing) -> Told:
    said, evidence = told(report, standing)
    return Told(
        sentence=said,
        evidence=evidence,
        opens=_address(report, standing.leads[0]) if standing.leads else "",
    )


def _first(model: ModelReport) -> Capture:
    context = model.contexts[0]
    return model, context, context.projections[0]


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


# --- several models --------------------------------------------------------------------------------------------------


def _matrix(report: Report, standing: Standing, names: Mapping[str, str]) -> Matrix:
    models = standing.models
    return Matrix(
        standing=standing,
        names=tuple(names[each.slug] for each in models),
        rows=tuple(tuple(_cell(report, standing, one, other) for other in models) for one in models),
    )


def _cell(report: Report, standing: Standing, one: ModelReport, other: ModelReport) -> Cell:
    """The first less the second."""
    if one is other:
        return Cell()
    if standing.compared(one, other) is None:
        return Cell(why="not tested")
    leads = {1: standing.ahead(one, other), -1: standing.ahead(other, one)}
    shown = tuple(
        Link(text=signed(sign * lead.shown.size), href=_address(report, lead)) for sign, lead in leads.items() if lead
    )
    return Cell(shown=shown, why="" if shown else "not shown")


def signed(value: float) -> str:
    """``+0.25``, ``−0.04``."""
    return f"{'+' if value > 0 else ''}{score(value)}"


# --- many models -----------------------------------------------------------------------------------------------------

_Pair = tuple[ModelReport, ModelReport]
_Interval = tuple[float, float, float]
"""The lower end, the difference and the upper end."""


def _rows(report: Report, every: Sequence[Standing], models: Sequence[ModelReport]) -> Iterator[Row]:
    """Each model against the one that most are held against, then the pairs that the author asked for beside these."""
    reference = every[0].reference
    by_slug = {model.slug: model for model in models}
    further = dict.fromkeys(slugs for each in every for slugs in each.pairs if reference.slug not in slugs)
    pairs = [*((model, reference) for model in models), *((by_slug[one], by_slug[other]) for one, other in further)]
    found = [[_interval(each, pair) for each in every] for pair in pairs]
    size = max((abs(end) for row in found for each in row if each for end in each), default=0.0) or 1.0
    for pair, intervals in zip(pairs, found, strict=True):
        one, other = pair
        yield Row(
            model=Link(text=one.display_name, href=relative(PATH, model_path(one.slug))),
            other="" if other is reference else other.display_name,
            of=tuple(
                _against(standing, one, _cell(report, standing, *pair), interval, size)
                for standing, interval in zip(every, intervals, strict=True)
            ),
        )


def _against(standing: Standing, model: ModelReport, cell: Cell, interval: _Interval | None, size: float) -> Against:
    purity, where = _purity(standing, model)
    ends = np.array([interval[0], interval[2]]) if interval else None
    return Against(
        purity=purity,
        where=where,
        cell=cell,
        interval="" if ends is None else ranged(ends, score),
        sort=f"{interval[1]:.4g}" if interval else "",
        places=tuple(f"{WIDTH / 2 * (1 + each / size):.1f}" for each in interval or ()),
    )


def _purity(standing: Standing, model: ModelReport) -> tuple[str, str]:
    """Where it is highest; its interval and the depth."""
    contexts = (each for each in model.contexts if each.states.context.name == standing.context.name)
    geometry = next((each.geometry for each in contexts), None)
    if geometry is None or not np.isfinite(geometry.purity.value).any():
        return UNKNOWN, ""
    purity, depth = geometry.purity, int(np.nanargmax(geometry.purity.value))
    ends = np.array([purity.low[depth], purity.high[depth]])
    interval = f"{ranged(ends, score)}, " if np.isfinite(ends).all() else ""
    return score(purity.value[depth]), f"{interval}{depth_name(depth)}"


def _interval(standing: Standing, pair: _Pair) -> _Interval | None:
    """Of the first less the second, where that is surest, or else furthest from 0 for its error."""
    one, other = pair
    found = standing.compared(one, other) if one is not other else None
    if found is None:
        return None
    leads = [lead for lead in (standing.ahead(one, other), standing.ahead(other, one)) if lead]
    paired: Paired = getattr(found, standing.measure).overall
    of = np.array([paired.low[0], paired.value[0], paired.high[0]])
    known = np.isfinite(of).all(axis=0)
    if not known.any():
        return None
    surest = max(leads, key=lambda lead: lead.shown.margin, default=None)
    at = surest.shown.at if surest else int(np.where(known, np.abs(paired.t[0]), -1.0).argmax())
    low, value, high = of[:, at].tolist()
    return (low, value, high) if (one.slug, other.slug) in standing.pairs else (-high, -value, -low)
