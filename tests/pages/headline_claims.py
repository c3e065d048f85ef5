"""What the first page opens with: its facts, held against the records and not against the code that gathers them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from claims import depth_of, require
from fact_checks import check_sentence
from writers_claims import breaking_context, check_found, flattens, stated, without

from tokviz.pages.first.choice import Choice
from tokviz.pages.first.row_sentences import row_facts, row_sentences, sentence
from tokviz.pages.model.headline import (
    Headline,
    fact_sentence,
    finding_sentence,
    opening_facts,
    where_categories_hold,
)
from tokviz.pages.model.unnamed import UnnamedFact
from tokviz.records import ContextReport, Geometry, ModelReport, Report

MOST_WORDS = 25


class Purity(NamedTuple):
    """Of one depth."""

    slug: str
    model: str
    depth: int
    values: tuple[float, float]
    """The share of neighbors, and chance."""
    effect: float
    is_clear: bool
    is_tested: bool


def purities(models: tuple[ModelReport, ...]) -> list[Purity]:
    """Those that are known."""
    return [
        Purity(
            slug=model.slug,
            model=model.display_name,
            depth=int(depth),
            values=(float(each.value[depth]), float(each.null_mean[depth])),
            effect=float(np.nan_to_num(each.effect[depth])),
            is_clear=bool(each.above_chance.holds[depth]),
            is_tested=bool(each.above_chance.can_be_tested and np.isfinite(each.above_chance.p_value[depth])),
        )
        for model in models
        for each in (context.geometry.purity for context in model.contexts if context.geometry)
        for depth in np.flatnonzero(np.isfinite(each.value))
    ]


def check_headline(said: Headline | None, report: Report) -> None:
    """Also that what was found is said, and nothing else in its place."""
    found = [(model, found) for model in report.models if (found := breaking_context(model))]
    if said is None:
        return require(not found and not purities(report.models), "nothing is said", found)
    require(len(said.sentence.split()) <= MOST_WORDS, said.sentence)
    require((said.finding is not None) == bool(found), said.sentence, found)
    if said.finding is None:
        check_stated(said.stated, report.models)
        return require(said.stated and said.sentence == fact_sentence(said.stated), said.sentence, said.stated)
    flat = [model for model, (context, *_, layer) in found if flattens(context, layer)]
    undone = [model for model, (context, *_, layer) in found if _is_undone(context, layer)]
    model = (flat or undone or [model for model, _ in found])[0]
    require(said.model is model and said.sentence == finding_sentence(model, said.finding), said.sentence, model.slug)
    check_found(said.finding, model)
    fact = stated(said.finding)  # there may be no room for the label, nor for what comes after the first number or two
    first = UnnamedFact(kind="", subject=fact.subject[:1], values=fact.values[: 2 if fact.kind == "raise" else 1])
    check_sentence([first], said.sentence)


def _is_undone(context: ContextReport, layer: int) -> bool:
    norms = context.geometry.spread.mean_norm[layer : layer + 2] if context.geometry else (0.0, 0.0)
    return bool(norms[0] < norms[1] and without(context, layer) < norms[1] / 2)


def check_stated(fact: UnnamedFact | None, models: tuple[ModelReport, ...]) -> None:
    """Where categories hold, that they don't, or that it isn't known."""
    known = purities(models)
    clear = [each for each in known if each.is_clear]
    best = [each for each in clear if each.effect == max(clear, key=lambda one: one.effect).effect]
    if best:
        named = [(("the embedding" if each.depth == 0 else f"layer {each.depth - 1}"), each.model) for each in best]
        subjects = [subject[: len(fact.subject) if fact else 0] for subject in named]
        expected = [
            UnnamedFact(kind="hold", subject=subject, values=each.values)
            for subject, each in zip(subjects, best, strict=True)
        ]
    elif any(each.is_tested for each in known):
        expected = [UnnamedFact(kind="none hold", values=(len({each.slug for each in known}),))]
    else:
        states = models[0].contexts[0].states
        further = states.card.n_layers >= states.n_depths  # than what was captured, which then is named
        last = (f"layer {states.n_depths - 2}",) if further else ()
        expected = [UnnamedFact(kind="not tested") if known else UnnamedFact(kind="nothing", subject=last)]
    require(fact in expected, str(fact), expected)
    if best and fact:
        check_sentence([fact], fact_sentence(fact))


def check_opening(model: ModelReport) -> None:
    """What the page of a model without a finding opens with."""
    facts = opening_facts(model)
    require(bool(facts) == bool(purities((model,))), str(facts))
    if not facts:
        return require(where_categories_hold(model) is None, model.slug)
    check_stated(facts[0], (model,))
    jump = _jump(model.contexts[0].geometry)
    require(len(facts) == (1 if jump is None else 2), str(facts), jump)
    if jump is not None and (geometry := model.contexts[0].geometry):
        named, norms = (f"layer {jump - 1}", model.contexts[0].states.context.label), geometry.spread.mean_norm
        require(
            facts[1] == UnnamedFact(kind="jump", subject=named, values=(norms[jump - 1], norms[jump])),
            str(facts),
            norms,
        )
        check_sentence(facts[1:], fact_sentence(facts[1]))


def _jump(geometry: Geometry | None) -> int | None:
    """The depth of the largest growth after layer 0, if it is by ten times at least."""
    norms = geometry.spread.mean_norm[1:].tolist() if geometry else []
    growth = [after / before if before > 0 and math.isfinite(after) else 0.0 for before, after in pairwise(norms)]
    return growth.index(max(growth)) + 2 if growth and max(growth) >= 10 else None


# --- the rows of the picture -----------------------------------------------------------------------------------------


def check_rows(said: Headline, chosen: Choice) -> None:
    """Each row's facts, and that neighbors are counted only where they are claimed to be above chance somewhere."""
    told = [(row, tuple(row_facts(said, chosen, row))) for row in chosen.rows]
    for row, facts in told:
        check_row(facts, row, said, chosen)
    require(row_sentences(said, chosen) == tuple(sentence(facts) for _, facts in told if facts), "sentences")


def check_row(facts: tuple[UnnamedFact, ...], row: ContextReport, said: Headline, chosen: Choice) -> None:
    """Of one row."""
    if row.geometry is None:
        return require(not facts, str(facts))
    require([each.subject[0] for each in facts] == [row.states.context.label] * len(facts), str(facts))
    for fact in facts:
        _check_row_fact(fact, row.geometry, chosen)
    _require_nothing_left_out(facts, row.geometry, said, chosen)
    if facts:
        check_sentence(facts, sentence(facts))


def _check_row_fact(fact: UnnamedFact, geometry: Geometry, chosen: Choice) -> None:
    depth, spread, purity = depth_of(fact.subject[1]), geometry.spread, geometry.purity
    require(depth in chosen.depths, str(fact), chosen.depths)
    values = {
        "variance": (spread.pc1_share[depth],),
        "norm": (spread.mean_norm[depth],),
        "jump": (spread.mean_norm[depth - 1], spread.mean_norm[depth], spread.pc1_share[depth]),
        "neighbors": (purity.value[depth], purity.null_mean[depth]),
    }
    np.testing.assert_equal(fact.values, values[fact.kind])
    require(fact.kind not in ("variance", "norm") or depth == chosen.marked, str(fact), chosen.marked)
    require(fact.kind != "jump" or depth == _jump(geometry), str(fact), spread.mean_norm)


def _require_nothing_left_out(
    facts: tuple[UnnamedFact, ...], geometry: Geometry, said: Headline, chosen: Choice
) -> None:
    kinds, holds = [each.kind for each in facts], geometry.purity.above_chance.holds
    shares = [each.values[0] for each in facts if each.kind == "neighbors"]
    if said.finding and chosen.marked is not None:
        first = "variance" if said.finding.flattens else "norm"
        require(kinds == [first, *(["neighbors"] if holds[chosen.marked] else [])], str(facts), holds)
        return
    shown = geometry.purity.value[list(chosen.depths)]
    clear = [float(geometry.purity.value[each]) for each in chosen.depths if holds[each]]
    extremes = list(dict.fromkeys([max(clear), float(np.nanmin(shown))])) if clear else []
    require((shares[:1], shares[-1:]) == (extremes[:1], extremes[-1:]), str(facts), shown)
    jumps = _jump(geometry) in chosen.depths
    require(kinds == ["neighbors"] * len(shares) + ["jump"] * jumps, str(facts), geometry.spread.mean_norm)
