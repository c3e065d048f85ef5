"""What happens at a layer: what attention and the MLP add to the hidden states, and which neurons write it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tokviz.pages.charts.curves import Chart, chart_of
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.model.without import without
from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.extent import is_partial
from tokviz.pages.text.findings import added_by, finding_of, is_line
from tokviz.pages.text.wording import number, the_depth
from tokviz.records import (
    SINK_WEIGHT,
    AttentionToFirst,
    Finding,
    Geometry,
    LayerUpdate,
    ModelReport,
    SublayerKind,
    Updates,
)

ADDED = "What each layer adds"
"""The heading of what is known of every layer."""
MOST_IN_TABLE = 3
_NAMES = {"attention": "attention", "mlp": "MLP", "mixer": "mixer"}
_MATTERS = 0.1
"""Attention's heads, or a mixture's experts, are named where attention adds this share of a change, or more."""


def writers_section(model: ModelReport, page: str) -> dict[str, Any] | None:
    """What the template takes; None without updates.

    Of the context of the model's finding, else the first measured in which massive activations emerge, else the first. ``breaks``: the
    heading is about a layer, or something was tried with its neurons; else what each layer adds is all there is.

    Parameters
    ----------
    page : path of the page that shows it.
    """
    known = [(context, context.geometry) for context in model.contexts if context.geometry and context.states.updates]
    if not known:
        return None
    # Massive in the embedding already is nothing that a layer does.
    found = finding_of(model)
    emerging = next((each for each in known if each[1].massive.emergence_depth), known[0])
    context, geometry = next((each for each in known if found and each[0].states.context == found.context), emerging)
    updates = context.states.updates
    if updates is None:
        return None
    layers = updates.layers
    emergence = found.layer + 1 if found else geometry.massive.emergence_depth
    entering = _entering(layers[0], geometry) if emergence == 1 else ()
    at = the_depth(emergence) if emergence and not entering else ""
    heading = f"What happens at {at}" if at else ""
    if found is not None and is_line(found):
        heading = f"Layer {found.layer} stretches words {found.context.label} into a line"
    is_known = any(each.sublayers for each in layers)
    kinds = tuple(dict.fromkeys(each.kind for one in layers for each in one.sublayers))
    failed = [failure for each in model.contexts for failure in each.failed_interventions]
    errors = [each.sum_error for each in layers if math.isfinite(each.sum_error)]
    return {
        "heading": heading or ADDED,
        "breaks": heading or failed,
        # In the list of contents.
        "place": at.capitalize() if at else "Updates",
        "weights": _weights(found, updates),
        "written": _written(found) if found else None,
        "entering": entering,
        "context": context,
        "is_known": is_known,
        "is_partial": is_partial(context),
        "sum_error": min(errors, default=None),
        "charts": [*filter(None, [_update_chart(layers, kinds) if is_known else None, attention_chart(model)])],
        "attention": attention_facts(model),
        "kinds": [_NAMES[kind] for kind in kinds],
        # A row for each marked layer: what each kind of part adds, how much its first dimension changes, and which neurons write that.
        "rows": [
            (depth, each, [_added(each, kind) for kind in kinds], change := _change(each), _bars(each, change))
            for depth, each in enumerate(layers, start=1)
            if each.marked and each.sublayers
        ],
        "without": without(model, context, page),
        "failed": failed,
    }


def _entering(first: LayerUpdate, geometry: Geometry) -> tuple[Fact, ...]:
    """That layer 0 doesn't write what is massive after it; empty where it does, or what it adds isn't known.

    Between the embedding and layer 0 other modules may add to the states, such as an embedding of the position.
    """
    massive, largest = geometry.massive.dimensions[1], float(geometry.massive.largest[1])
    added = {dimension: part for dimension, part in added_by(first).items() if dimension in massive}
    if not added or any(abs(part) >= largest / 2 for part in added.values()):
        return ()
    parts = (text(Fact("model.writes.part", added=part, dimension=dimension)) for dimension, part in added.items())
    return (Fact("model.writes.entering", largest=largest, parts=tuple(parts)),)


# --- who writes the break ---------------------------------------------------------------------------------------------


def _written(found: Finding) -> Fact:
    values = {"share": found.share, "layer": found.layer, "dimension": found.dimension}
    if not found.neurons:
        return Fact("model.writes.by_expert", expert=found.expert, **values)
    return Fact("model.writes.by_neurons", neurons=found.neurons, **values)


def _weights(found: Finding | None, updates: Updates) -> tuple[str, ...]:
    """As papers write super weights: dimension, neuron."""
    known = None if found is None else updates.layers[found.layer].mlp_and_neurons
    if found is None or known is None:
        return ()
    return tuple(f"{known[1].path}[{found.dimension}, {neuron}]" for neuron in found.neurons)


# --- attention to position 0 ------------------------------------------------------------------------------------------


_Attention = tuple[str, AttentionToFirst, bool]
"""What it is called, and whether neurons were off."""


def attention_chart(model: ModelReport) -> Chart | None:
    """A curve per context whose words stand elsewhere, and one each with the break's neurons off."""
    curves = [(name, Reading(values=np.array([math.nan, *of_it.mean]))) for name, of_it, _ in _all_attention(model)]
    return chart_of(ATTENTION, curves) if curves else None


def _all_attention(model: ModelReport) -> list[_Attention]:
    labels = {each.states.context.template: each.states.context.label for each in model.contexts}
    n_intact = sum(len(each.states.attention) for each in model.contexts)
    found = [(each.states.context.label, of_it, False) for each in model.contexts for of_it in each.states.attention]
    for context in model.contexts:
        off = context.intervened("off")
        found += [
            ("neurons off" if n_intact == 1 else f"off, {labels[of_it.template]}", of_it, True)
            for of_it in (off.states.attention if off else ())
            if of_it.template in labels
        ]
    return found


def attention_facts(model: ModelReport) -> tuple[Fact, ...]:
    """On which words attention was measured, and what becomes of it without the neurons; empty where it wasn't measured."""
    every = _all_attention(model)
    if not every:
        return ()
    words = every[0][1].words
    measured = Fact("model.attention.measured", n=len(words), words=words, above=str(SINK_WEIGHT))
    return (measured, *_weaker(model, every))


def _weaker(model: ModelReport, every: list[_Attention]) -> Iterator[Fact]:
    changed = next((each for context in model.contexts if (each := context.intervened("off"))), None)
    done = changed.states.intervention if changed else None
    off = next((each for each in every if each[2]), None)
    if off is None or done is None:
        return
    intact = next((each for each in every if not each[2] and each[1].template == off[1].template), None)
    with_them, without_them = (_mean_after(each[1], done.layer) if each else None for each in (intact, off))
    if intact and with_them is not None and without_them is not None:
        means = {"intact": with_them, "off": without_them}
        # The depth after the layer that follows.
        depth, how_many = done.layer + 2, len(done.neurons)
        yield Fact("model.attention.without", depth=depth, context=intact[0], how_many=how_many, **means)


def _mean_after(found: AttentionToFirst, layer: int) -> float | None:
    """Over the layers that follow; None where it isn't known of any."""
    known = [weight for weight in found.mean[layer + 1 :] if math.isfinite(weight)]
    return sum(known) / len(known) if known else None


# --- what each layer adds ---------------------------------------------------------------------------------------------

ATTENTION = Measure(
    key="attention",
    name="Attention to position 0",
    caption="The weight that a word’s token gives to position 0, the first of its text, mean over heads and words, layer by "
    "layer.",
    read=lambda *_: None,
)
UPDATE = Measure(
    key="update",
    name="Size of each update",
    caption="Mean norm of what each part of a layer adds to the hidden state of a word (its update), layer by layer, "
    "log scale.",
    read=lambda *_: None,
    write=number,
    is_log=True,
    spans=(),
)


def _update_chart(layers: tuple[LayerUpdate, ...], kinds: tuple[SublayerKind, ...]) -> Chart | None:
    curves = [(_NAMES[kind] if kind == "mlp" else _NAMES[kind].capitalize(), _norms(layers, kind)) for kind in kinds]
    marked = [index + 1 for index, each in enumerate(layers) if each.marked]
    chart = chart_of(UPDATE, curves, shaded=marked)
    return replace(chart, caption=f"{chart.caption} Shaded: the layers of the table.") if chart and marked else chart


def _norms(layers: tuple[LayerUpdate, ...], kind: SublayerKind) -> Reading:
    """``(n_depths,)``: nothing is added before layer 0."""
    return Reading(values=np.array([math.nan, *(_added(layer, kind) for layer in layers)]))


def _added(layer: LayerUpdate, kind: SublayerKind) -> float:
    """The mean norm of what sublayers of a kind add; NaN where there are none."""
    norms = [each.norm for each in layer.sublayers if each.kind == kind]
    return sum(norms) if norms else math.nan


def _change(layer: LayerUpdate) -> float:
    """Of the dimension that changes most; 0 without any."""
    return sum(each.parts[0] for each in layer.sublayers) if layer.dimensions else 0.0


def _bars(layer: LayerUpdate, change: float) -> list[tuple[str, float, str]]:
    """Of each of the neurons, experts and heads that write most of the change its name, its share, and the bar's width in percent."""
    written: list[tuple[str, float]] = []
    if not change:
        return []
    for name, found in (("neuron", layer.mlp_and_neurons), ("expert", layer.mlp_and_experts)):
        if found:
            most = zip(found[1].indices[0][:MOST_IN_TABLE], found[1].contributions[0], strict=False)
            written += [(f"{name} {index}", value) for index, value in most]
    for each in layer.sublayers:
        if each.heads is not None and abs(each.parts[0] / change) >= _MATTERS:
            values = each.heads.contributions[0]
            largest = sorted(range(len(values)), key=lambda head: -abs(values[head]))[:MOST_IN_TABLE]
            written += [(f"head {head}", values[head]) for head in largest]
    return [(name, value / change, f"{100 * min(abs(value / change), 1):.1f}") for name, value in written]
