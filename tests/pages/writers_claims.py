"""What the pages say of who writes massive values and of interventions: facts held against the records, cells read back."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from claims import NUMBER, FalseClaim, Noted, close, depths_where, is_massive, plain, require, says
from fact_checks import check_sentence
from rendered import Part
from without_claims import LISTED, check_without, intervention_of, numbers

from tokviz.pages.model.writers import attention_facts
from tokviz.pages.text import findings
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import (
    AttentionToFirst,
    ContextReport,
    Finding,
    Geometry,
    LayerUpdate,
    ModelReport,
    Updates,
)

COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight")

# --- the finding ----------------------------------------------------------------------------------------------------


def breaking_context(model: ModelReport) -> tuple[ContextReport, Geometry, Updates, int] | None:
    """Where a finding must be said, and its layer: the first context in which massive activations emerge at a layer.

    Where there are none and nothing is known of typical tokens, one in which the norm jumps and the words are put onto a line.
    """
    emerging = [
        each
        for each in model.contexts
        if each.geometry and depths_where(is_massive, each.geometry.massive)[:1] not in ([], [0])
    ]
    if not emerging:
        return _flattened_context(model)
    for context in model.contexts:
        geometry, updates = context.geometry, context.states.updates
        massive = depths_where(is_massive, geometry.massive) if geometry else []
        if geometry is None or not massive or massive[0] == 0:
            continue
        return (
            (context, geometry, updates, massive[0] - 1)
            if _is_written(geometry, updates, massive[0]) and updates
            else None
        )
    return None


def _flattened_context(model: ModelReport) -> tuple[ContextReport, Geometry, Updates, int] | None:
    for context in model.contexts:
        geometry, updates = context.geometry, context.states.updates
        if geometry is None or updates is None or geometry.massive.typical_is_ordinary:
            continue
        norms = geometry.spread.mean_norm
        growth = {depth: norms[depth] / norms[depth - 1] for depth in range(2, len(norms)) if norms[depth - 1] > 0}
        jumps = {depth: each for depth, each in growth.items() if each >= 10}
        if jumps:
            depth = max(jumps, key=jumps.__getitem__)
            says_it = _is_written(geometry, updates, depth) and flattens(context, depth - 1)
            return (context, geometry, updates, depth - 1) if says_it else None
    return None


def _is_written(geometry: Geometry, updates: Updates | None, depth: int) -> bool:
    """Whether a few neurons or an expert write what is large at a depth."""
    writer = (updates.breaking or updates.breaking_expert) if updates else None
    if updates is None or writer is None or writer.layer + 1 != depth:
        return False
    is_known = updates.breaking is None or updates.layers[writer.layer].mlp_and_neurons is not None
    added = _added(updates.layers[writer.layer], writer.dimension)
    is_added = added is None or added >= geometry.massive.largest[depth] / 2
    return is_known and writer.dimension in geometry.massive.dimensions[depth] and is_added


def _added(layer: LayerUpdate, dimension: int) -> float | None:
    """How much, up or down, the layer's parts add to a dimension, if that is known."""
    if not layer.sublayers or dimension not in layer.dimensions:
        return None
    return abs(sum(each.parts[layer.dimensions.index(dimension)] for each in layer.sublayers))


def _only_enters(first: int, context: ContextReport) -> bool:
    """Whether what is massive after layer 0 isn't what layer 0 adds."""
    geometry, updates = context.geometry, context.states.updates
    if first != 1 or geometry is None or updates is None:
        return False
    added = [_added(updates.layers[0], dimension) for dimension in geometry.massive.dimensions[1]]
    known = [each for each in added if each is not None]
    return bool(known) and max(known) < geometry.massive.largest[1] / 2


def check_found(found: Finding | None, model: ModelReport) -> None:
    """That it is found where it must be, and each of its fields."""
    expected = breaking_context(model)
    if found is None or expected is None:
        return require(found is None and expected is None, str(found), expected and expected[0].states.context)
    context, geometry, updates, layer = expected
    breaking, expert = updates.breaking, updates.breaking_expert
    writer, known = breaking or expert, updates.layers[layer].mlp_and_neurons
    norms, shares = geometry.spread.mean_norm, geometry.spread.pc1_share
    rest, is_mean = _rest(context, layer)
    fields = {
        "context": context.states.context,
        "layer": layer,
        "dimension": writer and writer.dimension,
        "neurons": breaking.neurons if breaking else (),
        "n_neurons": known[1].n_neurons if breaking and known else None,
        "expert": None if breaking or expert is None else expert.expert,
        "n_experts": None if breaking or expert is None else expert.n_experts,
        "share": writer and writer.share,
        "before": norms[layer],
        "after": norms[layer + 1],
        "without": without(context, layer),
        "pc1_before": shares[layer],
        "pc1_after": shares[layer + 1],
        "pc1_without": rest,
        "at_mean": is_mean,
    }
    np.testing.assert_equal({each.name: getattr(found, each.name) for each in dataclasses.fields(found)}, fields)
    is_undone = norms[layer] < norms[layer + 1] and without(context, layer) < norms[layer + 1] / 2
    require((found.flattens, found.is_undone) == (flattens(context, layer), is_undone), str(found))


def without(context: ContextReport, layer: int) -> float:
    """The mean norm after a layer with its neurons at zero."""
    off = next((each for each in context.interventions if each.rule == "off"), None)
    return float(off.geometry.spread.mean_norm[layer + 1]) if off and off.geometry else math.nan


def stated(found: Finding) -> Fact:
    """What a sentence has of it, as a fact."""
    values: dict[str, str | float] = {
        "at": f"at layer {found.layer}",
        "context": found.context.label,
        "who": _who(found),
    }
    if found.flattens:
        return Fact("put", after=found.pc1_after, without=found.pc1_without, **values)
    values |= {"before": found.before, "after": found.after}
    if found.is_undone:
        return Fact("raise", without=found.without, **values)
    return Fact("write", share=found.share, dimension=f"dimension {found.dimension}", **values)


def _who(found: Finding) -> str:
    if found.neurons:
        return f"{COUNTS[len(found.neurons) - 1]} of {found.n_neurons:,}"
    return f"expert {found.expert} of {found.n_experts}"


def flattens(context: ContextReport, layer: int) -> bool:
    """Whether most of the variance lies in one direction from this layer on, and at most half of that without the neurons."""
    if context.geometry is None:
        return False
    before, after = context.geometry.spread.pc1_share[layer : layer + 2]
    return bool(after > 0.5 and before <= after / 2 and _rest(context, layer)[0] <= after / 2)


def _rest(context: ContextReport, layer: int) -> tuple[float, bool]:
    """What one direction holds with the neurons at their mean, or else at zero; and whether it is the mean."""
    for rule in ("mean", "off"):
        for each in context.interventions:
            if each.rule == rule and each.geometry:
                return float(each.geometry.spread.pc1_share[layer + 1]), rule == "mean"
    return math.nan, False


def check_written(page: Part, found: Finding | None, updates: Updates) -> None:
    """Who writes how much of the dimension, and by which weights."""
    if found is None:
        return require(not page.all(".weights"), page.one("#writers").text)
    who = [str(each) for each in found.neurons] or [f"xpert {found.expert}"]
    where = {"layer": f"of layer {found.layer}", "dimension": f"dimension {found.dimension}"}
    said, *_ = page.one(".weights").text.split(", through the weights")
    check_sentence([Fact("writes", who=tuple(who), share=found.share, **where)], said)
    known = updates.layers[found.layer].mlp_and_neurons
    path = known[1].path if known else ""
    weights = page.texts(".weights code")
    require(weights == [f"{path}[{found.dimension}, {each}]" for each in found.neurons], path, weights)


# --- attention ------------------------------------------------------------------------------------------------------


def check_attention(facts: Sequence[Fact], model: ModelReport) -> None:
    """On which words it was measured, and both means where neurons were off."""
    attentive = [(context, each) for context in model.contexts for each in context.states.attention]
    off = next((each for context in model.contexts for each in context.interventions if each.rule == "off"), None)
    everything = [*(each for _, each in attentive), *(off.states.attention if off else ())]
    words = everything[0].words
    expected = [Fact("model.attention.measured", n=len(words), words=words, above="0.3")]
    pairs = [
        (context, intact, after)
        for after in (off.states.attention if off else ())
        for context, intact in attentive
        if context.states.context.template == after.template
    ]
    if off and pairs:
        (context, intact, after), done = pairs[0], intervention_of(off)
        means = {"intact": _mean_from(intact, done.layer + 1), "off": _mean_from(after, done.layer + 1)}
        where = {"depth": done.layer + 2, "context": context.states.context.label, "how_many": len(done.neurons)}
        if np.isfinite([*means.values()]).all():
            expected.append(Fact("model.attention.without", **where, **means))
    require(list(facts) == expected, str(facts), expected)


def _mean_from(attention: AttentionToFirst, layer: int) -> float:
    known = [each for each in attention.mean[layer:] if math.isfinite(each)]
    return sum(known) / len(known) if known else math.nan


# --- the section's table, panels, the compare page ------------------------------------------------------------------


def check_section(page: Part, model: ModelReport) -> None:
    """All that the page says of a model's first context with updates in which massive activations emerge."""
    known = [each for each in model.contexts if each.geometry and each.states.updates]
    emerging = [(depths_where(is_massive, each.geometry.massive), each) for each in known if each.geometry]
    first, context = next(((depths[0], each) for depths, each in emerging if depths and depths[0]), (0, known[0]))
    found = findings.finding_of(model)
    check_found(found, model)
    first = found.layer + 1 if found else first
    enters = _only_enters(first, context)
    heading = f"What happens at layer {first - 1}" if first and not enters else "What each layer adds"
    if found and found.flattens and found.pc1_after >= 0.95:
        heading = f"Layer {found.layer} stretches words {found.context.label} into a line"
    said = page.one("#writers h2").text
    require(said == heading, said, first)
    if found:
        check_sentence([stated(found)], findings.sentence(found))
    updates = context.states.updates
    if updates is None:
        raise FalseClaim(said)
    check_written(page, found, updates)
    rows = page.all(".writers-table tbody tr")
    for row in rows:
        check_row(row, page.texts(".writers-table thead th"), updates)
    marked = [f"Layer {index}" for index, each in enumerate(updates.layers) if each.marked and each.sublayers]
    require([row.one("th").text for row in rows] == marked, said, marked)
    for section in page.all(".without"):
        check_without(section, context)
    if "Attention to position 0" in page.texts(".writers-figures h3"):
        facts = attention_facts(model)
        check_attention(facts, model)
        check_sentence(facts, sentence(facts))
        require(sentence(facts) in page.texts(".writers-figures + .text"), said, facts)


def check_row(row: Part, heads: Sequence[str], updates: Updates) -> None:
    layer = updates.layers[int(row.one("th").text.removeprefix("Layer "))]
    *added, change, _ = row.texts("td")
    for head, text in zip(heads[1:-2], added, strict=True):
        check_added(text, head.removesuffix(" adds").lower(), layer)
    check_change(change, layer)
    for bar in row.all(".writer"):
        check_bar(bar.text, bar.one("rect")["width"], layer)


def check_added(text: str, kind: str, layer: LayerUpdate) -> None:
    norms = [each.norm for each in layer.sublayers if each.kind == kind]
    require(says(plain(text), sum(norms)) if norms else text == "–", text, norms)


def check_change(text: str, layer: LayerUpdate) -> None:
    """``507: +24,407``."""
    found, change = re.fullmatch(rf"(\d+): (\+?)(−?{NUMBER})", plain(text)), _change(layer)
    require(found and int(found[1]) == layer.dimensions[0] and says(found[3], change), text, change)
    require(found and (found[2] == "+") == (change > 0), text, change)


def check_bar(text: str, width: str, layer: LayerUpdate) -> None:
    """``neuron 1229 73 %``, and the length of its bar in percent."""
    found = re.fullmatch(r"(\w+) (\d+) (.+) %", plain(text))
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    share = _written_by(layer, found[1], int(found[2])) / _change(layer)
    require(close(found[3], 100 * share, 1), text, share)
    require(abs(float(width) - 100 * min(abs(share), 1)) < 0.051, f"{text}: {width}", share)


def _change(layer: LayerUpdate) -> float:
    return sum(each.parts[0] for each in layer.sublayers)


def _written_by(layer: LayerUpdate, kind: str, index: int) -> float:
    for each in layer.sublayers:
        if kind == "head" and each.heads:
            return each.heads.contributions[0][index]
        told = each.neurons if kind == "neuron" else each.experts if kind == "expert" else None
        if told:
            return told.contributions[0][told.indices[0].index(index)]
    raise FalseClaim(f"{kind} {index}")


def check_what_was_done(note: str, changed: ContextReport, intact: ContextReport, n_projections: int) -> None:
    done = intervention_of(changed)
    found = re.fullmatch(
        rf"This is a changed model: neurons? (?P<who>{LISTED}) of layer (?P<layer>\d+) (?P<verb>is|are) set to "
        rf"(?:(?P<zero>zero)|(?P<mean>its|their) mean over the words, at position 0|(?P<number>−?{NUMBER}))\. Before that layer "
        r"nothing differs, so the plots of the embedding(?: to layer (?P<last>\d+))? are those of the unchanged model\."
        r"(?P<others> Plotted in this PCA only; the explorer has the others\.)?",
        plain(note),
    )
    if found is None:
        raise FalseClaim(f"{note!r}: of no known form")
    require((numbers(found["who"]), int(found["layer"])) == (list(done.neurons), done.layer), note, done)
    one = len(done.neurons) == 1
    require((found["verb"] == "is") == one and found["mean"] in (None, "its" if one else "their"), note, done)
    said = "zero" if found["zero"] else "mean" if found["mean"] else "number"
    require(said == (done.value if isinstance(done.value, str) else "number"), note, done)
    require(not found["number"] or (isinstance(done.value, float) and says(found["number"], done.value)), note, done)
    last = int(found["last"]) + 1 if found["last"] else 0
    require(last == done.layer, note, done)
    own, before = changed.projections[0].plates, intact.projections[0].plates
    require(own[: last + 1] == before[: last + 1], note, "other plates")
    require((found["others"] is not None) == (n_projections > 1), note, n_projections)


WRITTEN_BY, LEFT = "Large values written by", "Norm left with these at zero"
"""Rows of the compare page's table."""


def check_capture(cells: Mapping[str, Noted], found: Finding | None, context: ContextReport) -> None:
    """Of that table: who writes the massive values, and what of the norm is left without them."""
    (who, note), (left, left_note) = (tuple(map(plain, cells[name])) for name in (WRITTEN_BY, LEFT))
    if found is None or found.context != context.states.context:
        return require((who, note, left, left_note) == ("–", "", "–", ""), who, found)
    said = re.fullmatch(r"(\d+\.\d) % of dimension (\d+), layer (\d+)", note)
    require(who == f"{_who(found)}{' neurons' if found.neurons else ''}", who, found)
    require(said and (int(said[2]), int(said[3])) == (found.dimension, found.layer), note, found)
    require(said and close(said[1], 100 * found.share, 0.1), note, found.share)
    if math.isnan(found.without):
        return require((left, left_note) == ("–", "not tried"), left, found)
    require(close(left.removesuffix(" %"), 100 * found.without / found.after, 0.1), left, found)
    texts = left_note.split(" of ")
    require(len(texts) == 2 and all(map(says, texts, (found.without, found.after))), left_note, found)
