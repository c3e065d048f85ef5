"""Who writes a break of a model, and what it does to the words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tokviz.pages.findings.finding import Found
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.findings import finding_of, flattening, is_line, who_writes
from tokviz.records import Finding, ModelReport, Report

LEAST_CHANGE = 1e-4
"""Smaller shares aren't told apart."""
_RANDOM = {0: "findings.break.random_set", 1: "findings.break.random_one", 2: "findings.break.random_pair"}
"""How draws of so many neurons are called; 0 for others."""
PLAIN = "centered"
"""The projection that shows the states as they are, with a line where there is one."""


def of_break(report: Report, model: ModelReport) -> Iterator[Found]:
    """What is undone without its neurons says most."""
    found = finding_of(model)
    if found is None:
        return
    context = next(each for each in model.contexts if each.states.context == found.context)
    random = _random(model, found)
    yield Found(
        slot="break",
        headline=headline(found),
        evidence=(evidence(found), *([random] if random else [])),
        model=model,
        context=context,
        depth=found.layer + 1,
        projection=PLAIN if PLAIN in report.projections[1:] else None,
        margin=1.0 if found.flattens else 0.5 if found.is_undone else 0.0,
        breaks=found,
    )


def headline(found: Finding) -> Fact:
    """``at layer 11, two neurons stretch words alone into a line``."""
    if found.n_neurons is None:
        who, how_many = Fact("findings.break.expert", expert=found.expert), 1
    else:
        who, how_many = Fact("findings.break.neurons", n=len(found.neurons)), len(found.neurons)
    values = {"layer": found.layer, "who": who, "how_many": how_many}
    if found.flattens:
        kind = "findings.break.flattens" if is_line(found) else "findings.break.stretches"
        return Fact(kind, context=found.context.label, **values)
    if found.is_undone:
        return Fact("findings.break.raises", before=found.before, after=found.after, **values)
    return Fact("findings.break.writes", dimension=found.dimension, share=found.share, **values)


def evidence(found: Finding) -> Fact:
    """What the neurons do to the words, and what is without it."""
    values = {"who": who_writes(found), "how_many": max(1, len(found.neurons))}
    if found.flattens:
        flattens, without = flattening(found)
        return Fact("findings.break.flattening", who=values["who"], flattens=flattens, without=without)
    if found.is_undone:
        return Fact("findings.break.raising", after=found.after, without=found.without, **values)
    return Fact("findings.break.writing", before=found.before, after=found.after, **values)


def _random(model: ModelReport, found: Finding) -> Fact | None:
    """What as many neurons change that are drawn at random."""
    of_context = (each.states.updates for each in model.contexts if each.states.context == found.context)
    random = next((each.random for each in of_context if each), None)
    if random is None or not found.flattens or not math.isfinite(random.pc1_change):
        return None
    which = _RANDOM.get(len(found.neurons), _RANDOM[0])
    drawn = Fact(which, draws=random.n_draws)
    if random.pc1_change < LEAST_CHANGE:
        return Fact("findings.break.random_less", change=100 * LEAST_CHANGE, which=drawn, pc1=found.pc1_after)
    return Fact("findings.break.random_most", change=random.pc1_change, which=drawn, pc1=found.pc1_after)
