"""Whether the words lie by category, in which capture most clearly, and where."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tokviz.pages.findings.finding import Found, short, strongest
from tokviz.pages.text import paired_facts
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.extent import is_partial
from tokviz.pages.text.sentences import depths_where
from tokviz.records import CategoryMeasure, Context, ContextReport, ModelReport, Report


def of_words(report: Report, models: Sequence[ModelReport]) -> Found | None:
    """The clearest grouping that is more than the words' surface, else more than chance, else that none is shown."""
    measured = [
        (model, context, context.geometry.purity) for model in models for context in model.contexts if context.geometry
    ]
    known = [each for each in measured if np.isfinite(each[2].value).any()]
    for kind, is_beyond in (("findings.words.beyond_surface", True), ("findings.words.above_chance", False)):
        found = strongest([*_grouped(report, known, kind, is_beyond=is_beyond)])
        if found is not None:
            return found
    return _none_shown(models, known)


_Measured = tuple[ModelReport, ContextReport, CategoryMeasure]


def _grouped(report: Report, measured: Sequence[_Measured], kind: str, *, is_beyond: bool) -> Iterator[Found]:
    for model, context, purity in measured:
        claim, holds = purity.above_chance, _holds(context, is_beyond=is_beyond)
        if not holds.any():
            continue
        margins = np.where(
            holds, purity.value - purity.null_mean - np.nan_to_num(claim.threshold) * purity.null_spread, -np.inf
        )
        depth = int(margins.argmax())
        read = of_context(report, context.states.context)
        where = at_depths(context, holds)
        elsewhere = [each for each in model.contexts if each is not context]
        if elsewhere and all(_holds(each, is_beyond=is_beyond).all() for each in model.contexts):
            read, where = "", Fact("findings.in_each_context", where=where)
        else:
            elsewhere = []
        each = paired_facts.categories_that_hold(report, context)
        yield Found(
            slot="words",
            headline=short(Fact(kind, context=read, where=where), Fact(kind, context=read, where=at_depth(depth))),
            evidence=(_evidence(purity, depth), *([each] if each else []), *map(_least, elsewhere)),
            model=model,
            context=context,
            depth=depth,
            margin=float(margins[depth]),
        )


def _holds(context: ContextReport, *, is_beyond: bool) -> np.ndarray:
    """``(n_depths,)`` bool: where it is claimed to be above chance, and more than the words' surface."""
    if context.geometry is None:
        return np.zeros(context.states.n_depths, dtype=bool)
    purity = context.geometry.purity
    above = purity.above_chance.holds
    return np.asarray(above & purity.above_surface.holds if is_beyond else above)


def _evidence(purity: CategoryMeasure, depth: int) -> Fact:
    numbers = {"depth": depth, "value": float(purity.value[depth]), "chance": float(purity.null_mean[depth])}
    if math.isnan(purity.surface):
        return Fact("findings.words.neighbors", **numbers)
    return Fact("findings.words.neighbors_and_surface", **numbers, surface=purity.surface)


def _least(context: ContextReport) -> Fact:
    """Of another context in which the same holds at all depths."""
    values = context.geometry.purity.value if context.geometry else np.array([np.nan])
    return Fact("findings.words.elsewhere", label=context.states.context.label, value=float(np.nanmin(values)))


def _none_shown(models: Sequence[ModelReport], measured: Sequence[_Measured]) -> Found | None:
    """Which measure was tried, and that it shows nothing; None where there are no captures of several depths."""
    if not measured:
        model = next((each for each in models if each.contexts), None)
        if model is None or model.contexts[0].states.n_depths < 2:
            return None
        context = model.contexts[0]
        last = Fact("findings.depth", depth=context.states.n_depths - 1)
        after = last if is_partial(context) else Fact("findings.words.the_last")
        headline = Fact("findings.words.not_measured", after=after)
        return Found(
            slot="words", headline=headline, evidence=(), model=model, context=context, depth=None, is_announced=False
        )
    model, context, _ = measured[0]
    tests = [purity.above_chance for *_, purity in measured]
    is_tested = any(each.can_be_tested and bool(np.isfinite(each.p_value).any()) for each in tests)
    none = Found(
        slot="words",
        headline=Fact("findings.words.none" if is_tested else "findings.words.not_tested"),
        evidence=(),
        model=model,
        context=context,
        depth=None,
        is_announced=False,
        is_of_all=len({model.slug for model, *_ in measured}) > 1,
    )
    if not is_tested:
        return none
    values = [(purity.value, purity.null_mean) for *_, purity in measured]
    highest, chance = (float(np.nanmax(np.concatenate(each))) for each in zip(*values, strict=True))
    return replace(none, evidence=(Fact("findings.words.at_most", highest=highest, chance=chance),))


def of_context(report: Report, context: Context, *, in_brackets: bool = False) -> Fact | str:
    """`` in a sentence``, or `` (words in a sentence)``; empty where there is one context only."""
    kind = "findings.in_brackets" if in_brackets else "findings.context"
    return Fact(kind, label=context.label) if len(report.contexts) > 1 else ""


def at_depths(context: ContextReport, holds: np.ndarray) -> Fact:
    """``at every layer``, ``at layers 2–8``; ``holds``: ``(n_depths,)`` bool."""
    if holds.all() and len(holds) > 1:
        return Fact("findings.at_every_captured_layer" if is_partial(context) else "findings.at_every_layer")
    return Fact("findings.at", where=depths_where(holds)) if len(holds) > 1 else at_depth(0)


def at_depth(depth: int) -> Fact:
    """``at layer 5``."""
    return Fact("findings.at", where=Fact("findings.depth", depth=depth))
