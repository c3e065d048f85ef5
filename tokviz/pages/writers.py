"""What happens at a layer: what attention and the MLP add to the hidden states, and which neurons write it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tokviz.pages.chart_measures import Measure
from tokviz.pages.charts import Chart, chart_of
from tokviz.pages.wording import count, joined, number, percent, whole_percent
from tokviz.records import (
    ContextReport,
    Geometry,
    LayerUpdate,
    ModelReport,
    Neurons,
    SublayerKind,
    SublayerUpdate,
    depth_name,
)

ENOUGH = 0.95
"""Of what an MLP adds to a dimension: the fewest neurons that write so much are named."""
MOST_NAMED = 8
"""Of more no neuron is singled out."""
MOST_IN_TABLE = 3
_NAMES = {"attention": "attention", "mlp": "MLP", "mixer": "mixer"}
_IN_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


@dataclass(frozen=True, kw_only=True)
class WriterRow:
    """One marked layer."""

    layer: str
    added: tuple[str, ...]
    """Per kind of sublayer its mean norm."""
    dimension: str
    """``507: +24,407``."""
    neurons: str
    """``1229 (73 %), 1487 (27 %)``, or why there are none."""


@dataclass(frozen=True, kw_only=True)
class WritersSection:
    """What each layer adds, for one context of a model."""

    heading: str
    finding: str | None
    """In one sentence who writes what makes activations massive; None where none emerge, or nobody in particular does."""
    paragraphs: tuple[str, ...]
    chart: Chart | None
    kinds: tuple[str, ...]
    rows: tuple[WriterRow, ...]


def writers_section(model: ModelReport) -> WritersSection | None:
    """Of the first context that was measured in which massive activations emerge, else of the first; None without updates."""
    known = [(context, context.geometry) for context in model.contexts if context.geometry and context.states.updates]
    if not known:
        return None
    context, geometry = next(
        (each for each in known if each[1].massive.emergence_depth), known[0]
    )  # not of the embedding
    updates = context.states.updates
    if updates is None:
        return None
    emergence = geometry.massive.emergence_depth
    layer = None if not emergence else emergence - 1
    heading = "What each layer adds" if layer is None else f"What happens at layer {layer}"
    if not any(each.sublayers for each in updates.layers):
        return WritersSection(
            heading=heading, finding=None, paragraphs=(_not_found(updates.layers),), chart=None, kinds=(), rows=()
        )
    kinds = tuple(dict.fromkeys(each.kind for one in updates.layers for each in one.sublayers))
    return WritersSection(
        heading=heading,
        finding=None if layer is None else finding(geometry, updates.layers[layer], layer),
        paragraphs=_explained(context, updates.n_words),
        chart=chart_of(
            UPDATE,
            [(_NAMES[kind].capitalize() if kind != "mlp" else "MLP", _norms(updates.layers, kind)) for kind in kinds],
        ),
        kinds=tuple(_NAMES[kind] for kind in kinds),
        rows=tuple(
            _row(index, each, kinds) for index, each in enumerate(updates.layers) if each.marked and each.sublayers
        ),
    )


# --- the finding -----------------------------------------------------------------------------------------------------


def finding(geometry: Geometry, update: LayerUpdate, layer: int) -> str | None:
    """``At layer 11 two of the MLP’s 1,536 neurons write 99.7 % of dimension 507: …``; None where no few neurons do."""
    mlp = next((each for each in update.sublayers if each.neurons is not None), None)
    if mlp is None or mlp.neurons is None or not update.dimensions or not mlp.parts[0]:
        return None
    # The dimension that changes most must be one that is massive, and the MLP what writes it.
    total = sum(each.parts[0] for each in update.sublayers)
    if update.dimensions[0] not in geometry.massive.dimensions[layer + 1] or not mlp.parts[0] / total >= ENOUGH:
        return None
    n_named = fewest(mlp.neurons, mlp.parts[0])
    if n_named is None:
        return None
    share = sum(mlp.neurons.contributions[0][:n_named]) / mlp.parts[0]
    before, after = geometry.spread.mean_norm[layer], geometry.spread.mean_norm[layer + 1]
    verb = "writes" if n_named == 1 else "write"
    return (
        f"At layer {layer}, {_IN_WORDS[n_named]} of the MLP’s {mlp.neurons.n_neurons:,} neurons {verb} {percent(share)} of what it "
        f"adds to dimension {update.dimensions[0]}: the states’ mean norm goes from {number(before)} to {number(after)}."
    )


def fewest(neurons: Neurons, part: float) -> int | None:
    """How many of the neurons, the largest first, write ``ENOUGH`` of what the MLP adds.

    None for more than ``MOST_NAMED``, and where neurons of such size write against each other.
    """
    shares = np.array(neurons.contributions[0][:MOST_NAMED]) / part
    together = np.cumsum(shares)
    reached = np.flatnonzero(together >= ENOUGH)
    if not len(reached):
        return None
    n_named = int(reached[0]) + 1
    return n_named if shares[:n_named].min() > 0 and together[n_named - 1] <= 2 - ENOUGH else None


# --- the rest --------------------------------------------------------------------------------------------------------

UPDATE = Measure(
    name="Size of what is added",
    caption="Mean norm of what a sublayer adds to the hidden state of a word, layer by layer; a logarithmic scale.",
    read=lambda *_: None,
    write=number,
    is_log=True,
    spans=(),
)


def _norms(layers: tuple[LayerUpdate, ...], kind: SublayerKind) -> np.ndarray:
    """``(n_depths,)``: nothing is added before layer 0."""
    values = [math.nan]
    for layer in layers:
        norms = [each.norm for each in layer.sublayers if each.kind == kind]
        values.append(sum(norms) if norms else math.nan)
    return np.array(values)


def _row(index: int, layer: LayerUpdate, kinds: tuple[SublayerKind, ...]) -> WriterRow:
    added = []
    for kind in kinds:
        norms = [each.norm for each in layer.sublayers if each.kind == kind]
        added.append(number(sum(norms)) if norms else "–")
    change = sum(each.parts[0] for each in layer.sublayers) if layer.dimensions else math.nan
    sign = "+" if change > 0 else ""
    return WriterRow(
        layer=depth_name(index + 1).capitalize(),
        added=tuple(added),
        dimension=f"{layer.dimensions[0]}: {sign}{number(change)}" if layer.dimensions else "–",
        neurons=_neurons(layer.sublayers),
    )


def _neurons(sublayers: tuple[SublayerUpdate, ...]) -> str:
    mlp = next((each for each in sublayers if each.neurons is not None), None)
    if mlp is None or mlp.neurons is None or not mlp.parts or not mlp.parts[0]:
        return "its neurons can’t be told apart" if any(each.kind == "mlp" for each in sublayers) else "–"
    pairs = zip(mlp.neurons.indices[0][:MOST_IN_TABLE], mlp.neurons.contributions[0], strict=False)
    return joined(f"{neuron} ({whole_percent(value / mlp.parts[0])})" for neuron, value in pairs)


def _explained(context: ContextReport, n_words: int) -> tuple[str, ...]:
    over = f"{count(n_words, 'reference word')} {context.states.context.label}"
    measured = (
        "A layer’s output is its input plus what its parts add: attention and an MLP, in most models. A neuron is one input of the "
        "matrix that gives the MLP’s output; what it adds to a dimension is its activation × its weight, exactly. "
        f"The table has the layers at which the largest |x| changes by a factor of two or more, over {over}: the mean norm of "
        "what is added, the dimension that changes most, and the neurons that write most of what the MLP adds to it, with their share."
    )
    return (
        measured,
        "This says who writes the values, not what they are for: what the picture is without these neurons is not tried here.",
    )


def _not_found(layers: tuple[LayerUpdate, ...]) -> str:
    errors = [each.sum_error for each in layers if math.isfinite(each.sum_error)]
    off = f" The nearest sum is off by {percent(min(errors))} at the least." if errors else ""
    return (
        "In this model no set of modules inside a layer sums up to what the layer adds, as where the sum is normalised "
        f"afterwards. So what attention and the MLP add can’t be told apart, and nothing is said of it.{off}"
    )
