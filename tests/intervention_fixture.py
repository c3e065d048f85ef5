"""Plausible updates, attention and captures with neurons set to a value, as ``geometry_fixture`` would have them.

One layer's MLP writes what is massive, by two neurons, and the last layer takes it back.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from geometry_fixture import DIMENSIONS, geometry
from narrow import present

from tokviz.pages.text.interventions import intervention_label
from tokviz.records import (
    AttentionToFirst,
    BreakingNeurons,
    CategoryMeasure,
    ContextReport,
    Geometry,
    Heads,
    Image,
    Intervention,
    InterventionRule,
    InterventionValue,
    LayerUpdate,
    Loss,
    LossChange,
    ModelReport,
    Neurons,
    ProjectionReport,
    RandomNeurons,
    Renditions,
    SublayerKind,
    SublayerUpdate,
    Updates,
)

NEURONS, CONTROL = (1229, 1487), (88, 926)
N_NEURONS, N_HEADS = 1536, 9
SHARES = (0.73, 0.268, 0.001)
WRITTEN = 24_072.8
"""What the MLP adds to the dimension."""
STRENGTHS, CONTROL_STRENGTHS = (18_006.0, 6_695.0), (40.7, 39.6)
RULES: tuple[tuple[InterventionRule, InterventionValue, tuple[int, ...]], ...] = (
    ("off", "zero", NEURONS),
    ("mean", "mean", NEURONS),
    ("control", "zero", CONTROL),
)
CHANGES = (
    LossChange(rule="off", neurons=NEURONS, difference=1.0, standard_error=0.066),
    LossChange(rule="off_at_0", neurons=NEURONS, difference=0.97, standard_error=0.061),
    LossChange(rule="mean", neurons=NEURONS, difference=-0.0015, standard_error=0.0005),
    LossChange(rule="control", neurons=CONTROL, difference=-0.0008, standard_error=0.0003),
    LossChange(rule="random", neurons=(197, 205), difference=0.0007, standard_error=0.0005),
)


def with_interventions(model: ModelReport) -> ModelReport:
    """With updates and interventions in the first context, whose words stand at position 0, and attention in the others."""
    broken, *others = model.contexts
    layer = present(present(broken.geometry).massive.emergence_depth) - 1
    states = replace(broken.states, updates=_updates(broken.states.n_depths - 1, layer))
    captures = tuple(_changed(model, broken, layer, rule, value, neurons) for rule, value, neurons in RULES)
    attentive = tuple(_attentive(each, 0.6) for each in others)
    first, *rest = captures
    attention = tuple(_weaker(shown, layer) for each in attentive for shown in each.states.attention)
    first = replace(first, states=replace(first.states, attention=attention))
    loss = Loss(n_passages=8, n_tokens=1016, intact=4.26, changes=CHANGES)
    return replace(
        model, contexts=(replace(broken, states=states, interventions=(first, *rest), loss=loss), *attentive)
    )  # as the run has it: attention of all texts is kept with the capture whose neurons are off


# --- what layers add ------------------------------------------------------------------------------------------------


def _updates(n_layers: int, layer: int) -> Updates:
    layers = [_layer(number, layer, last=number == n_layers - 1) for number in range(n_layers)]
    return Updates(
        layers=tuple(layers),
        n_words=115,
        breaking=BreakingNeurons(
            layer=layer,
            dimension=DIMENSIONS[0],
            neurons=NEURONS,
            share=sum(SHARES[:2]),
            activations=(3028.0, 1079.0),
            strengths=STRENGTHS,
            control=CONTROL,
            control_strengths=CONTROL_STRENGTHS,
        ),
        random=RandomNeurons(n_draws=20, norm_change=4e-6, pc1_change=0.0012),
    )


def _layer(number: int, breaking: int, *, last: bool) -> LayerUpdate:
    mlp, attention = 6.0 + number, 2.0
    if number == breaking:
        mlp, attention = WRITTEN, 12.0
    elif last:
        mlp, attention = -19_300.0, -4_800.0
    marked = number == breaking or last
    return LayerUpdate(
        sublayers=(
            _sublayer(number, "attention", attention, marked=marked),
            _sublayer(number, "mlp", mlp, marked=marked),
        ),
        sum_error=2e-7,
        stream_norm=17.1 if number <= breaking else 24_410.0,
        stream_norm_at_0=17.1 if number <= breaking else 24_410.0,
        dimensions=DIMENSIONS,
        marked=marked,
    )


def _sublayer(number: int, kind: SublayerKind, part: float, *, marked: bool) -> SublayerUpdate:
    parts = (part, part / 3)
    path = f"model.layers.{number}.{'mlp' if kind == 'mlp' else 'self_attn'}"
    return SublayerUpdate(
        path=path,
        kind=kind,
        norm=abs(part) * 1.02,
        norm_at_0=abs(part) * 1.02,
        cosine=0.16,
        cosine_at_0=0.16,
        parts=parts,
        parts_at_0=parts,
        neurons=_neurons(path, parts) if marked and kind == "mlp" else None,
        heads=_heads(path, parts) if marked and kind == "attention" else None,
    )


def _neurons(path: str, parts: tuple[float, ...]) -> Neurons:
    indices = (*NEURONS, 7)
    return Neurons(
        path=f"{path}.down_proj",
        n_neurons=N_NEURONS,
        indices=(indices,) * len(parts),
        contributions=tuple(tuple(part * share for share in SHARES) for part in parts),
        activations=((3028.0, 1079.0, 40.0),) * len(parts),
        strongest=(*NEURONS, *CONTROL),
        strengths=(*STRENGTHS, *CONTROL_STRENGTHS),
    )


def _heads(path: str, parts: tuple[float, ...]) -> Heads:
    """The fourth writes half, all others alike."""
    shares = [0.5 if head == 3 else 0.5 / (N_HEADS - 1) for head in range(N_HEADS)]
    return Heads(
        path=f"{path}.o_proj",
        n_heads=N_HEADS,
        contributions=tuple(tuple(part * share for share in shares) for part in parts),
    )


# --- attention ------------------------------------------------------------------------------------------------------


def _attentive(context: ContextReport, weight: float) -> ContextReport:
    words = tuple(word.word for word in context.states.tokenization.words[:4])
    n_layers = context.states.n_depths - 1
    found = AttentionToFirst(
        template=context.states.context.template,
        words=words,
        mean=tuple(weight if number else weight / 3 for number in range(n_layers)),
        share=tuple(0.9 if number else 0.2 for number in range(n_layers)),
    )
    return replace(context, states=replace(context.states, attention=(found,)))


def _weaker(found: AttentionToFirst, layer: int) -> AttentionToFirst:
    """After a layer."""
    return replace(
        found, mean=tuple(weight / 4 if number > layer else weight for number, weight in enumerate(found.mean))
    )


# --- the captures ---------------------------------------------------------------------------------------------------


def _changed(
    model: ModelReport,
    intact: ContextReport,
    layer: int,
    rule: InterventionRule,
    value: InterventionValue,
    neurons: tuple[int, ...],
) -> ContextReport:
    context, path = intact.states.context, f"model.layers.{layer}.mlp.down_proj"
    done = Intervention(rule=rule, layer=layer, path=path, neurons=neurons, value=value)
    label = intervention_label(context.label, rule, layer, neurons, value, None)
    changed = replace(context, name=f"{context.name}-{rule}", label=label)
    drawn = 1 if rule == "mean" else 0
    return ContextReport(
        states=replace(intact.states, context=changed, updates=None, intervention=done, digest="1" * 64),
        projections=tuple(
            _drawn(each, context.name, changed.name, layer) if index < drawn else _undrawn(each)
            for index, each in enumerate(intact.projections)
        ),
        geometry=_geometry(present(intact.geometry), rule, tuple(each.projection.name for each in intact.projections)),
        neighbours=intact.neighbours if rule == "mean" else None,
    )


def _drawn(shown: ProjectionReport, before: str, after: str, layer: int) -> ProjectionReport:
    """The plates before the layer are those of the model as it is."""
    own = [_elsewhere(plate, before, after) for plate in shown.plates]
    return replace(
        shown,
        plates=(*shown.plates[: layer + 1], *own[layer + 1 :]),
        grid=_elsewhere(shown.grid, before, after),
        strip=_elsewhere(shown.strip, before, after),
    )


def _elsewhere(shown: Renditions | None, before: str, after: str) -> Renditions | None:
    def moved(image: Image) -> Image:
        return replace(image, path=image.path.replace(f"/{before}/", f"/{after}/", 1))

    return shown and replace(
        shown, wide=moved(shown.wide), phone=moved(shown.phone), dark=_elsewhere(shown.dark, before, after)
    )


def _undrawn(shown: ProjectionReport) -> ProjectionReport:
    return replace(shown, plates=(None,) * len(shown.plates), grid=None, strip=None)


def _geometry(intact: Geometry, rule: InterventionRule, projections: tuple[str, ...]) -> Geometry:
    """Nothing becomes massive without the neurons; with their mean the norm does, and words differ as without; controls are as
    the model is.
    """
    if rule == "control":
        spread = replace(intact.spread, mean_norm=intact.spread.mean_norm * 1.0001)
        return replace(intact, spread=spread)
    calm = geometry(intact.massive.largest.size, intact.n_measured + 1, projections, sink=False)
    calm = replace(calm, position0=calm.massive, purity=_lower(calm.purity))
    if rule == "off":
        return calm
    spread = replace(intact.spread, pc1_share=calm.spread.pc1_share)
    return replace(calm, massive=intact.massive, position0=intact.position0, spread=spread)


def _lower(measure: CategoryMeasure) -> CategoryMeasure:
    """Not all comes back."""
    shares = np.linspace(1, 0.98, measure.value.size)
    return replace(measure, value=measure.value * shares, low=measure.low * shares, high=measure.high * shares)
