"""What the pages say of who writes massive values and of interventions, read back as in ``claims``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from claims import (
    NUMBER,
    SCORE,
    FalseClaim,
    close,
    depths_where,
    is_massive,
    plain,
    require,
    says,
)
from without_claims import LISTED, check_without, intervention_of, numbers

from tokviz.pages.model.writers import WriterRow, WritersSection
from tokviz.records import (
    BreakingNeurons,
    ContextReport,
    Geometry,
    LayerUpdate,
    ModelReport,
    Updates,
)

COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight")

FLATTENS = (
    r"puts? (?P<pc1>\d+\.\d) % of the words’ variance into one direction(?:; without (?P<value>its variation|their variation|it|"
    r"them) it is (?P<rest>\d+\.\d) %)?"
)

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


FOUND = (
    rf"At layer (?P<layer>\d+)(?: \(words (?P<label3>.+?)\))?, (?:(?P<count>{'|'.join(COUNTS)}) of (?P<all>[\d,]+) (?:MLP )?neurons|expert (?P<expert>\d+) of "
    rf"(?P<experts>\d+)) (?:{FLATTENS}|(?P<verb>raises?) the mean norm \(words (?P<label>.+?)\) from (?P<before>{NUMBER}) to "
    rf"(?P<after>{NUMBER}); without (?P<pronoun>it the norm|them it) is (?P<without>{NUMBER})|(?P<writes>writes?) "
    rf"(?P<share>\d+\.\d) % of what the MLP adds to dimension (?P<dimension>\d+); the mean norm \(words (?P<label2>.+?)\) "
    rf"goes from (?P<before2>{NUMBER}) to (?P<after2>{NUMBER}))\."
)


def check_found(text: str | None, model: ModelReport) -> None:
    expected = breaking_context(model)
    if text is None or expected is None:
        require(text is None and expected is None, str(text), expected and expected[0].states.context)
        return
    context, geometry, updates, layer = expected
    found = re.fullmatch(FOUND, plain(text))
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    require(int(found["layer"]) == layer, text, layer)
    label = found["label"] or found["label2"] or found["label3"]
    require(label == context.states.context.label, text)
    n_named = _check_who(text, found, updates, layer)
    require((found["pc1"] is not None) == flattens(context, layer), text, geometry.spread.pc1_share)
    if found["pc1"]:
        check_flattening(text, found, context, layer)
        require(found["rest"] and ("puts" in text) == (n_named == 1), text)
        return
    before, after = geometry.spread.mean_norm[layer : layer + 2]
    require(says(found["before"] or found["before2"], before), text, before)
    require(says(found["after"] or found["after2"], after), text, after)
    off = next((each for each in context.interventions if each.rule == "off"), None)
    left = off.geometry.spread.mean_norm[layer + 1] if off and off.geometry else math.nan
    require((found["verb"] is not None) == (left < after / 2 and before < after), text, (before, after, left))
    require((found["verb"] or found["writes"]).endswith("s") == (n_named == 1), text, "one or several?")
    if found["verb"]:
        require(says(found["without"], left) and (found["pronoun"] == "it the norm") == (n_named == 1), text, left)
    else:
        writer = updates.breaking or updates.breaking_expert
        require(writer and int(found["dimension"]) == writer.dimension, text, writer)
        require(writer and close(found["share"], 100 * writer.share, 0.1), text, writer)


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


def check_flattening(text: str, said: re.Match[str], context: ContextReport, layer: int) -> None:
    rest, is_mean = _rest(context, layer)
    require(context.geometry and close(said["pc1"], 100 * context.geometry.spread.pc1_share[layer + 1], 0.1), text)
    if said["rest"]:
        require(close(said["rest"], 100 * rest, 0.1), text, rest)
        require(("variation" in said["value"]) == is_mean, text, is_mean)


def _check_who(text: str, found: re.Match[str], updates: Updates, layer: int) -> int:
    """How many write it."""
    breaking, expert = updates.breaking, updates.breaking_expert
    require((found["count"] is not None) == (breaking is not None), text, breaking)
    if breaking is not None:
        known = updates.layers[layer].mlp_and_neurons
        require(found["count"] == COUNTS[len(breaking.neurons) - 1], text, breaking.neurons)
        require(known and int(found["all"].replace(",", "")) == known[1].n_neurons, text, known)
        return len(breaking.neurons)
    require(expert and (int(found["expert"]), int(found["experts"])) == (expert.expert, expert.n_experts), text, expert)
    return 1


def check_written(text: str | None, weights: Sequence[str], model: ModelReport) -> None:
    """Who writes how much of the dimension, and by which weights."""
    expected = breaking_context(model)
    if text is None or expected is None:
        require(text is None and expected is None and not weights, str(text), expected)
        return
    _, _, updates, layer = expected
    found = re.fullmatch(
        rf"(?:(?P<noun>Neurons?) (?P<neurons>{LISTED})|Expert (?P<expert>\d+)) (?P<verb>writes?) (?P<share>\d+\.\d) % of what "
        r"the MLP of layer (?P<layer>\d+) adds to dimension (?P<dimension>\d+)",
        plain(text),
    )
    writer = updates.breaking or updates.breaking_expert
    if found is None or writer is None:
        raise FalseClaim(f"{text!r}: of no known form")
    require((int(found["layer"]), int(found["dimension"])) == (layer, writer.dimension), text, writer)
    require(close(found["share"], 100 * writer.share, 0.1), text, writer.share)
    if isinstance(writer, BreakingNeurons):
        require(found["neurons"] and numbers(found["neurons"]) == list(writer.neurons), text, writer.neurons)
        known = updates.layers[layer].mlp_and_neurons
        path = known[1].path if known else ""
        require(list(weights) == [f"{path}[{writer.dimension}, {each}]" for each in writer.neurons], str(weights))
    else:
        require(found["expert"] and int(found["expert"]) == writer.expert and not weights, text, writer)
    several = isinstance(writer, BreakingNeurons) and len(writer.neurons) > 1
    require((found["verb"] == "write", found["noun"] == "Neurons") == (several, several), text, "one or several?")


# --- attention ------------------------------------------------------------------------------------------------------

ATTENTION = (
    r"Measured on (?P<n>\d+) words? \((?P<words>.+?)\); attention\.csv also has the share of heads whose weight is above 0\.3\."
    rf"(?: From layer (?P<from>\d+) on this weight is (?P<a>{SCORE}) on average \((?P<label>.+?)\), and (?P<b>{SCORE}) with the "
    r"(?P<noun>neurons?) off\.)?"
)


def check_attention(text: str, model: ModelReport) -> None:
    found = re.fullmatch(ATTENTION, plain(text))
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    attentive = [(context, each) for context in model.contexts for each in context.states.attention]
    off = next((each for context in model.contexts for each in context.interventions if each.rule == "off"), None)
    everything = [*(each for _, each in attentive), *(off.states.attention if off else ())]
    require(everything, text, "nothing was measured")
    require(int(found["n"]) == len(everything[0].words), text, everything[0].words)
    require(re.sub(r"[\u2066-\u2069]", "", found["words"]) == ", ".join(everything[0].words), text, everything[0].words)
    if off is None or found["from"] is None:
        require(found["from"] is None, text, off)
        return
    done = intervention_of(off)
    require((found["noun"] == "neuron") == (len(done.neurons) == 1), text, done)
    require(int(found["from"]) == done.layer + 1, text, done)
    by_label = {each.states.context.label: (each, intact) for each, intact in attentive}
    require(found["label"] in by_label, text, list(by_label))
    context, intact = by_label[found["label"]]
    after = next(each for each in off.states.attention if each.template == context.states.context.template)
    means = [float(np.nanmean(each.mean[done.layer + 1 :])) for each in (intact, after)]
    require(close(found["a"], means[0]) and close(found["b"], means[1]), text, means)


# --- the section's table, panels, the compare page ------------------------------------------------------------------


def check_section(section: WritersSection, model: ModelReport) -> None:
    """All that the section says of a model's first context with updates in which massive activations emerge."""
    known = [each for each in model.contexts if each.geometry and each.states.updates]
    emerging = [(depths_where(is_massive, each.geometry.massive), each) for each in known if each.geometry]
    first, context = next(((depths[0], each) for depths, each in emerging if depths and depths[0]), (0, known[0]))
    enters = _only_enters(first, context)
    heading = f"What happens at layer {first - 1}" if first and not enters else "What each layer adds"
    require(section.heading == heading, section.heading, first)
    check_found(section.finding, model)
    check_written(section.written, section.weights, model)
    updates = context.states.updates
    if updates is None:
        raise FalseClaim(section.heading)
    for row in section.rows:
        check_writer_row(row, section.kinds, updates)
    marked = [f"Layer {index}" for index, each in enumerate(updates.layers) if each.marked and each.sublayers]
    require([row.layer for row in section.rows] == marked, str(section.rows), marked)
    if section.without is not None:
        check_without(section.without, context)
    if section.attention is not None:
        check_attention(section.attention, model)


def check_writer_row(row: WriterRow, kinds: Sequence[str], updates: Updates) -> None:
    layer = updates.layers[int(row.layer.removeprefix("Layer "))]
    for kind, text in zip(kinds, row.added, strict=True):
        norms = [each.norm for each in layer.sublayers if each.kind == kind.lower()]
        require(says(plain(text), sum(norms)) if norms else text == "–", f"{row.layer}: {text}", norms)
    change = sum(each.parts[0] for each in layer.sublayers)
    found = re.fullmatch(rf"(\d+): (\+?)(−?{NUMBER})", plain(row.dimension))
    require(found and int(found[1]) == layer.dimensions[0] and says(found[3], change), row.dimension, change)
    require(found and (found[2] == "+") == (change > 0), row.dimension, change)
    for bar in row.bars:
        kind, _, index = bar.name.partition(" ")
        share = _written_by(layer, kind, int(index)) / change
        require(close(plain(bar.share).removesuffix(" %"), 100 * share, 1), f"{bar.name}: {bar.share}", share)
        require(abs(float(bar.width) - 100 * min(abs(share), 1)) < 0.051, f"{bar.name}: {bar.width}", share)


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


def check_cells(cells: Sequence[tuple[str, str]], model: ModelReport, context: ContextReport) -> None:
    """Of the compare page's table: who writes the massive values, and what of the norm is left without them."""
    (who, note), (left, left_note) = [(plain(text), plain(small)) for text, small in cells]
    expected = breaking_context(model)
    if expected is None or expected[0] is not context:
        require((who, note, left, left_note) == ("–", "", "–", ""), who, expected)
        return
    _, geometry, updates, layer = expected
    found = re.fullmatch(
        rf"(?:(?P<count>{'|'.join(COUNTS)}) of (?P<all>[\d,]+) neurons|expert (?P<expert>\d+) of (?P<experts>\d+))\|"
        r"(?P<share>\d+\.\d) % of dimension (?P<dimension>\d+), layer (?P<layer>\d+)",
        f"{who}|{note}",
    )
    writer = updates.breaking or updates.breaking_expert
    if found is None or writer is None:
        raise FalseClaim(f"{who}: {note}: of no known form")
    _check_who(who, found, updates, layer)
    require((int(found["dimension"]), int(found["layer"])) == (writer.dimension, layer), note, writer)
    require(close(found["share"], 100 * writer.share, 0.1), note, writer.share)
    off = next((each for each in context.interventions if each.rule == "off" and each.geometry), None)
    if off is None or off.geometry is None or updates.breaking is None:
        require((left, left_note) == ("–", "not tried"), left, off)
        return
    norms = [each.spread.mean_norm[layer + 1] for each in (off.geometry, geometry)]
    require(close(left.removesuffix(" %"), 100 * norms[0] / norms[1], 0.1), left, norms)
    texts = left_note.split(" of ")
    require(len(texts) == 2 and all(map(says, texts, norms)), left_note, norms)
