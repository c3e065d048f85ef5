"""What a report found of a model, in one sentence: who writes its massive values, and what is without them."""

from __future__ import annotations

import math
from typing import Any

from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.data_text import rounded
from tokviz.records import TWIN_RULES, ContextReport, Finding, Geometry, LayerUpdate, ModelReport, Updates


def finding_of(model: ModelReport) -> Finding | None:
    """The finding of the first context in which massive activations emerge; None where no few neurons and no expert write them.

    Where no context has typical tokens nothing is known to be massive: of the first in which a layer puts the words onto a line.
    """
    for context in model.contexts:
        geometry, updates = context.geometry, context.states.updates
        # Massive in the embedding already is nothing that a layer does.
        if geometry is not None and geometry.massive.emergence_depth:
            return _finding(context, geometry, updates, geometry.massive.emergence_depth) if updates else None
    for context in model.contexts:
        geometry, updates = context.geometry, context.states.updates
        if geometry and updates and not geometry.massive.typical_is_ordinary and (jump := norm_jump(geometry)):
            found = _finding(context, geometry, updates, jump)
            return found if found and found.flattens else None
    return None


def _finding(context: ContextReport, geometry: Geometry, updates: Updates, depth: int) -> Finding | None:
    """What was found of a depth."""
    breaking, expert = updates.breaking, updates.breaking_expert
    writer = breaking or expert
    if writer is None or depth != writer.layer + 1:
        return None
    if writer.dimension not in geometry.massive.dimensions[depth]:
        return None
    added = added_by(updates.layers[writer.layer]).get(writer.dimension, math.inf)
    if abs(added) < geometry.massive.largest[depth] / 2:
        return None  # it comes from elsewhere, such as an embedding of the position
    known = updates.layers[writer.layer].mlp_and_neurons
    if breaking is not None and known is None:
        return None
    before, after = geometry.spread.mean_norm[depth - 1 : depth + 1]
    if not math.isfinite(before) or not math.isfinite(after):
        return None
    tried = {rule: each.geometry.spread for rule in TWIN_RULES if (each := context.intervened(rule)) and each.geometry}
    changed = next((tried[rule] for rule in TWIN_RULES if rule in tried), None)
    pc1 = geometry.spread.pc1_share
    return Finding(
        context=context.states.context,
        layer=writer.layer,
        dimension=writer.dimension,
        neurons=breaking.neurons if breaking else (),
        n_neurons=known[1].n_neurons if breaking and known else None,
        expert=None if breaking or expert is None else expert.expert,
        n_experts=None if breaking or expert is None else expert.n_experts,
        share=writer.share,
        before=float(before),
        after=float(after),
        without=float(tried["off"].mean_norm[depth]) if "off" in tried else math.nan,
        pc1_before=float(pc1[depth - 1]),
        pc1_after=float(pc1[depth]),
        pc1_without=float(changed.pc1_share[depth]) if changed else math.nan,
        at_mean="mean" in tried,
    )


JUMP = 10.0
"""The mean norm jumps where it is so many times that of the depth before, or more."""


def norm_jump(geometry: Geometry) -> int | None:
    """The depth at which the mean norm grows most, if it jumps there; it may where what is massive isn't known, with one context.

    From the embedding to layer 0 it does in many models: an embedding is no layer's sum.
    """
    norms = geometry.spread.mean_norm[1:]
    growth = [
        after / before if before > 0 and math.isfinite(after) else 0.0
        for before, after in zip(norms[:-1].tolist(), norms[1:].tolist(), strict=True)
    ]
    largest = max(range(len(growth)), key=growth.__getitem__, default=None)
    return None if largest is None or growth[largest] < JUMP else largest + 2


def added_by(layer: LayerUpdate) -> dict[int, float]:
    """What the parts of a layer add to each of its dimensions, mean over words; empty where that isn't known."""
    if not layer.sublayers:
        return {}
    return {
        dimension: sum(each.parts[index] for each in layer.sublayers)
        for index, dimension in enumerate(layer.dimensions)
    }


LINE = 0.95
"""With this share of the variance in one direction, or more, a plot true to scale shows a line."""


def is_line(finding: Finding) -> bool:
    """Whether the layer puts the words onto a line."""
    return finding.flattens and finding.pc1_after >= LINE


def flattening(finding: Finding) -> tuple[Fact, Fact]:
    """What the neurons do to the words' variance, and what is without it."""
    how_many = max(1, len(finding.neurons))
    kind = "neurons.finding.without_variation" if finding.at_mean else "neurons.finding.without"
    return (
        Fact("neurons.finding.puts", how_many=how_many, pc1=finding.pc1_after),
        Fact(kind, how_many=how_many, pc1=finding.pc1_without),
    )


def fact(finding: Finding) -> Fact:
    """What the sentence of a finding states."""
    values = {"layer": finding.layer, "context": finding.context.label, "who": who_writes(finding)}
    if finding.flattens:
        flattens, without = flattening(finding)
        return Fact("neurons.finding.flattens", flattens=flattens, without=without, **values)
    values |= {"how_many": max(1, len(finding.neurons)), "before": finding.before, "after": finding.after}
    if finding.is_undone:
        return Fact("neurons.finding.raises", without=finding.without, **values)
    return Fact("neurons.finding.writes", share=finding.share, dimension=finding.dimension, **values)


def who_writes(finding: Finding) -> Fact:
    """``two of 1,536 neurons``."""
    if finding.n_neurons is None:
        return Fact("neurons.finding.expert", expert=finding.expert, of=finding.n_experts)
    kind = "neurons.finding.neurons" if finding.flattens else "neurons.finding.mlp_neurons"
    return Fact(kind, n=len(finding.neurons), of=finding.n_neurons)


def sentence(finding: Finding) -> str:
    """At most 28 words, where the context's label is one.

    ``At layer 11 (words alone), two of 1,536 neurons put 99.7 % of the words’ variance into one direction; with them
    held constant, none has more than 18.8 %.``
    """
    return text(fact(finding))


def as_json(finding: Finding | None) -> dict[str, Any] | None:
    """For ``report.json``."""
    if finding is None:
        return None
    return {
        "sentence": sentence(finding),
        "context": finding.context.name,
        "layer": finding.layer,
        "dimension": finding.dimension,
        "neurons": list(finding.neurons),
        "n_neurons": finding.n_neurons,
        "expert": finding.expert,
        "n_experts": finding.n_experts,
        "share": rounded(finding.share),
        "mean_norm_before": rounded(finding.before),
        "mean_norm_after": rounded(finding.after),
        "mean_norm_at_zero": rounded(finding.without),
        "pc1_share_before": rounded(finding.pc1_before),
        "pc1_share_after": rounded(finding.pc1_after),
        "pc1_share_without": rounded(finding.pc1_without),
        "without": "mean" if finding.at_mean else "zero",
    }
