"""What happens at a layer: what attention and the MLP add to the hidden states, and which neurons write it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.chart_measures import Measure
from tokviz.pages.charts import Chart, chart_of
from tokviz.pages.wording import count, joined, number, percent, projection_label, the_depth, whole_percent
from tokviz.records import (
    BreakingNeurons,
    ContextReport,
    Geometry,
    Intervention,
    LayerUpdate,
    ModelReport,
    Projection,
    SublayerKind,
    Updates,
    depth_name,
)

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
class ProofRow:
    """One number, of the model as it is and with neurons switched off."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Without:
    """What is measured when the neurons that write a break are switched off."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[ProofRow, ...]
    paragraphs: tuple[str, ...]


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
    without: Without | None = None


def writers_section(model: ModelReport) -> WritersSection | None:
    """Of the first context that was measured in which massive activations emerge, else of the first; None without updates."""
    known = [(context, context.geometry) for context in model.contexts if context.geometry and context.states.updates]
    if not known:
        return None
    # Massive in the embedding already is nothing that a layer does.
    context, geometry = next((each for each in known if each[1].massive.emergence_depth), known[0])
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
    found = finding(context, geometry, updates)
    kinds = tuple(dict.fromkeys(each.kind for one in updates.layers for each in one.sublayers))
    return WritersSection(
        heading=heading,
        finding=found,
        paragraphs=(
            *((_share(updates.breaking),) if found and updates.breaking else ()),
            *_explained(context, updates.n_words),
        ),
        chart=chart_of(
            UPDATE,
            [(_NAMES[kind].capitalize() if kind != "mlp" else "MLP", _norms(updates.layers, kind)) for kind in kinds],
        ),
        kinds=tuple(_NAMES[kind] for kind in kinds),
        rows=tuple(
            _row(index, each, kinds) for index, each in enumerate(updates.layers) if each.marked and each.sublayers
        ),
        without=without(context),
    )


# --- the finding -----------------------------------------------------------------------------------------------------


def finding(context: ContextReport, geometry: Geometry, updates: Updates) -> str | None:
    """In one sentence of at most 25 words what the neurons of the break do; None where no few neurons write what is massive.

    ``At layer 11, two of 1,536 MLP neurons raise the mean norm of the words alone from 156 to 24,621; without them it is
    236.``
    """
    breaking = updates.breaking
    known = None if breaking is None else updates.layers[breaking.layer].mlp_and_neurons
    if breaking is None or known is None or geometry.massive.emergence_depth != breaking.layer + 1:
        return None
    if breaking.dimension not in geometry.massive.dimensions[breaking.layer + 1]:
        return None
    before, after = geometry.spread.mean_norm[breaking.layer : breaking.layer + 2]
    n_named = len(breaking.neurons)
    who = f"At layer {breaking.layer}, {_IN_WORDS[n_named]} of {known[1].n_neurons:,} MLP neurons"
    norm = f"the mean norm of the words {context.states.context.label}"
    zero = [
        each for each in context.switched_off if each.states.intervention and each.states.intervention.value == "zero"
    ]
    without_them = zero[0].geometry.spread.mean_norm[breaking.layer + 1] if zero else math.nan
    if without_them < after / 2:
        verb, pronoun = ("raises", "it") if n_named == 1 else ("raise", "them")
        return f"{who} {verb} {norm} from {number(before)} to {number(after)}; without {pronoun} it is {number(without_them)}."
    verb = "writes" if n_named == 1 else "write"
    return (
        f"{who} {verb} {percent(breaking.share)} of what the MLP adds to dimension {breaking.dimension}; {norm} goes from "
        f"{number(before)} to {number(after)}."
    )


def _share(breaking: BreakingNeurons) -> str:
    verb = "writes" if len(breaking.neurons) == 1 else "write"
    name = _named(breaking.neurons)
    return (
        f"{name[:1].upper()}{name[1:]} {verb} {percent(breaking.share)} of what the MLP of layer {breaking.layer} adds to dimension "
        f"{breaking.dimension}."
    )


def _named(neurons: Sequence[int]) -> str:
    """``neuron 9``, ``neurons 1229 and 1487``."""
    *others, last = map(str, neurons)
    return f"neurons {', '.join(others)} and {last}" if others else f"neuron {last}"


# --- without them ----------------------------------------------------------------------------------------------------


def without(context: ContextReport) -> Without | None:
    """What is measured with the neurons switched off; None where that wasn't tried."""
    if not context.switched_off or context.geometry is None:
        return None
    done = context.switched_off[0].states.intervention
    if done is None:
        return None
    captures = [
        (context.geometry, [shown.projection for shown in context.projections]),
        *((each.geometry, list(each.projections)) for each in context.switched_off),
    ]
    depth, last = done.layer + 1, context.states.n_depths - 1
    what = _named(done.neurons)
    return Without(
        heading=f"The same words without {what} of layer {done.layer}",
        columns=(
            "as it is",
            *(_VALUES[each.states.intervention.value] for each in context.switched_off if each.states.intervention),
        ),
        rows=tuple(_rows(captures, depth, last)),
        paragraphs=tuple(_limits(context, done)),
    )


def _rows(captures: Sequence[tuple[Geometry, list[Projection]]], depth: int, last: int) -> Iterator[ProofRow]:
    at, at_last = the_depth(depth), the_depth(last)

    def row(name: str, values: Iterable[str]) -> ProofRow:
        return ProofRow(name=name, values=tuple(values))

    yield row(f"Mean norm at {at}", (number(each.spread.mean_norm[depth]) for each, _ in captures))
    yield row(f"Largest |x| at {at}, median over words", (number(each.massive.largest[depth]) for each, _ in captures))
    for index, shown in enumerate(captures[0][1]):
        shares = (projections[index].explained_variance_ratio[depth, 0] for _, projections in captures)
        yield row(f"Variance that PC1 holds at {at} ({projection_label(shown.name)})", map(percent, shares))
    for where, here in ((at, depth), (at_last, last)):
        purities = [each.purity.value[here] for each, _ in captures]
        if np.isfinite(purities[0]):
            yield row(f"Neighbours of the same category at {where}, in all dimensions", map(whole_percent, purities))


def _limits(context: ContextReport, done: Intervention) -> Iterator[str]:
    values = {each.states.intervention.value for each in context.switched_off if each.states.intervention}
    if "mean" in values:
        yield (
            "Set to zero, the neurons write nothing. Set to their mean over the words, at position 0, they write the same for every "
            f"word: the norm stays, and what differs between words goes. At layer {done.layer} itself both give the same "
            "centered picture, as they differ by one vector that is the same for all words."
        )
    yield (
        "These neurons write the values. Where categories come back without them, they were there all along, and the values hid "
        "them. The model is not a better one for it: its later layers were trained with what was written, and how well it predicts "
        "text without that isn’t measured here."
    )


_VALUES = {"zero": "set to zero", "mean": "set to their mean"}


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
        neurons=_neurons(layer),
    )


def _neurons(layer: LayerUpdate) -> str:
    known = layer.mlp_and_neurons
    if known is None or not known[0].parts or not known[0].parts[0]:
        return "its neurons can’t be told apart" if any(each.kind == "mlp" for each in layer.sublayers) else "–"
    mlp, neurons = known
    pairs = zip(neurons.indices[0][:MOST_IN_TABLE], neurons.contributions[0], strict=False)
    return joined(f"{neuron} ({whole_percent(value / mlp.parts[0])})" for neuron, value in pairs)


def _explained(context: ContextReport, n_words: int) -> tuple[str, ...]:
    over = f"{count(n_words, 'reference word')} {context.states.context.label}"
    measured = (
        "A layer’s output is its input plus what its parts add: attention and an MLP, in most models. A neuron is one input of the "
        "matrix that gives the MLP’s output; what it adds to a dimension is its activation × its weight, exactly. "
        f"The table has the layers at which the largest |x| changes by a factor of two or more, over {over}: the mean norm of "
        "what is added, the dimension that changes most, and the neurons that write most of what the MLP adds to it, with their share."
    )
    return (measured,)


def _not_found(layers: tuple[LayerUpdate, ...]) -> str:
    errors = [each.sum_error for each in layers if math.isfinite(each.sum_error)]
    off = f" The nearest sum is off by {percent(min(errors))} at the least." if errors else ""
    return (
        "In this model no set of modules inside a layer sums up to what the layer adds, as where the sum is normalised "
        f"afterwards. So what attention and the MLP add can’t be told apart, and nothing is said of it.{off}"
    )
