"""Random models of ``random_geometry`` with updates, attention and interventions, as the code could give them."""

from __future__ import annotations

import dataclasses

import numpy as np
import random_geometry

from tokviz.pages.text.interventions import intervention_label
from tokviz.records import (
    AttentionToFirst,
    BreakingExpert,
    BreakingNeurons,
    ContextReport,
    Experts,
    Geometry,
    Heads,
    Intervention,
    InterventionRule,
    InterventionValue,
    LayerUpdate,
    Loss,
    LossChange,
    LossRule,
    ModelReport,
    Neurons,
    ProjectionReport,
    RandomNeurons,
    SublayerUpdate,
    Updates,
)

N_NEURONS, N_EXPERTS = 1536, 8
CHANGES = (0.0, 4e-6, 0.00099, 0.001, 0.0123, 0.4, np.nan)
BY_HAND: tuple[InterventionValue, ...] = ("zero", "mean", -3.0, 0.0, 1500.0)


def with_writers(model: ModelReport, random: np.random.Generator) -> ModelReport:
    """Neurons or an expert break a layer, where massive activations emerge or elsewhere; or nobody in particular does."""
    contexts = [_with_updates(each, random) if random.random() < 0.9 else each for each in model.contexts]
    contexts = [_with_attention(each, random) for each in contexts]
    broken = next((index for index, each in enumerate(contexts) if _breaking(each)), None)
    if broken is not None and random.random() < 0.9:
        contexts[broken] = _with_interventions(contexts[broken], contexts, random)
    return dataclasses.replace(model, contexts=tuple(contexts))


def _breaking(context: ContextReport) -> BreakingNeurons | None:
    updates = context.states.updates
    return updates.breaking if updates else None


# --- updates --------------------------------------------------------------------------------------------------------


def _with_updates(context: ContextReport, random: np.random.Generator) -> ContextReport:
    geometry, n_layers = context.geometry, context.states.n_depths - 1
    if n_layers == 0:
        return context
    emergence = geometry.massive.emergence_depth if geometry else None
    layer = emergence - 1 if emergence and random.random() < 0.8 else int(random.integers(n_layers))
    known = geometry.massive.dimensions[layer + 1] if geometry else ()
    dimension = int(random.choice(known)) if known and random.random() < 0.9 else 99
    # Else hardly a layer writes what is large after it.
    size = geometry.massive.largest[layer + 1] * random.uniform(0.4, 1.5) if geometry and random.random() < 0.8 else 0.0
    layers = [_layer(number, random, number == layer, dimension, size) for number in range(n_layers)]
    kind = random.choice(("neurons", "expert", "nobody"), p=(0.6, 0.2, 0.2))
    breaking = _neurons_that_break(layers[layer], layer, dimension, random) if kind == "neurons" else None
    expert = BreakingExpert(
        layer=layer,
        dimension=dimension,
        expert=5,
        n_experts=N_EXPERTS,
        path="mlp.experts",
        share=float(random.uniform(0.95, 1.05)),
    )
    updates = Updates(
        layers=tuple(layers),
        n_words=7,
        breaking=breaking,
        random=_random_neurons(random) if breaking else None,
        breaking_expert=expert if kind == "expert" else None,
    )
    return dataclasses.replace(context, states=dataclasses.replace(context.states, updates=updates))


def _random_neurons(random: np.random.Generator) -> RandomNeurons | None:
    if random.random() < 0.2:
        return None
    return RandomNeurons(
        n_draws=int(random.choice((1, 20))),
        norm_change=float(random.choice(CHANGES)),
        pc1_change=float(random.choice(CHANGES)),
    )


def _layer(number: int, random: np.random.Generator, breaks: bool, dimension: int, size: float) -> LayerUpdate:
    known = breaks or random.random() < 0.8
    marked = breaks or random.random() < 0.3
    part = size * random.choice((-1, 1)) if breaks and size else random.normal() * 10 ** random.uniform(-5, 5)
    parts = (float(part), 0.0)
    kinds = ("attention", "mlp") if breaks or random.random() < 0.8 else ("mixer",)
    return LayerUpdate(
        sublayers=tuple(_sublayer(number, kind, parts, random, marked) for kind in kinds) if known else (),
        sum_error=1e-7 if known else float(random.choice((0.4, np.nan))),
        stream_norm=1.0,
        stream_norm_at_0=1.0,
        dimensions=(dimension, 98),
        marked=marked,
    )


def _sublayer(
    number: int, kind: str, parts: tuple[float, ...], random: np.random.Generator, marked: bool
) -> SublayerUpdate:
    own = tuple(part * random.uniform(-1, 1) for part in parts) if kind != "mlp" else parts
    norm = float(10 ** random.uniform(-6, 5))
    shares = random.dirichlet(np.ones(9)) * 1.1
    written = tuple(tuple(float(part * share) for share in shares) for part in own)
    path = f"model.layers.{number}.{kind}"
    tells = marked and kind == "mlp"
    return SublayerUpdate(
        path=path,
        kind=kind,  # type: ignore[arg-type]  # one of three
        norm=norm,
        norm_at_0=norm,
        cosine=0.1,
        cosine_at_0=0.1,
        parts=own,
        parts_at_0=own,
        neurons=Neurons(
            path=f"{path}.down_proj",
            n_neurons=N_NEURONS,
            indices=(tuple(range(20, 29)),) * 2,
            contributions=written,
            activations=written,
            strongest=(20, 21),
            strengths=(5.0, 4.0),
        )
        if tells and random.random() < 0.9
        else None,
        experts=Experts(path=f"{path}.experts", n_experts=N_EXPERTS, indices=((5, 2),) * 2, contributions=written[:2])
        if tells and random.random() < 0.2
        else None,
        heads=Heads(path=f"{path}.o_proj", n_heads=9, contributions=written)
        if marked and kind == "attention" and random.random() < 0.7
        else None,
    )


def _neurons_that_break(
    update: LayerUpdate, layer: int, dimension: int, random: np.random.Generator
) -> BreakingNeurons | None:
    if update.mlp_and_neurons is None:
        return None
    n_named = int(random.choice((1, 2, 3, 8)))
    strengths = 10 ** random.uniform(0, 4, n_named)
    strengths[random.random(n_named) < random.choice((0.0, 0.0, 0.5))] = np.nan
    has_control = random.random() < 0.8
    return BreakingNeurons(
        layer=layer,
        dimension=dimension,
        neurons=tuple(range(20, 20 + n_named)),
        share=float(random.uniform(0.95, 1.05)),
        activations=(1.0,) * n_named,
        strengths=tuple(map(float, strengths)),
        control=tuple(range(80, 80 + n_named)) if has_control else (),
        control_strengths=tuple(map(float, 10 ** random.uniform(0, 3, n_named))) if has_control else (),
    )


# --- attention ------------------------------------------------------------------------------------------------------


def _with_attention(context: ContextReport, random: np.random.Generator) -> ContextReport:
    if context.states.tokenization.reads_position_0 or random.random() < 0.2 or context.states.n_depths == 1:
        return context
    found = (_attention(context, random),)
    return dataclasses.replace(context, states=dataclasses.replace(context.states, attention=found))


def _attention(context: ContextReport, random: np.random.Generator) -> AttentionToFirst:
    n_layers = context.states.n_depths - 1
    weights = random_geometry.gapped(
        random.uniform(0, 1, n_layers), float(random.choice((0.0, 0.0, 0.0, 0.5, 1.0))), random
    )
    weights = weights * random.choice((1.0, 0.01))
    return AttentionToFirst(
        template=context.states.context.template,
        words=tuple(word.word for word in context.states.tokenization.words[: random.integers(1, 4)]),
        mean=tuple(map(float, weights)),
        share=tuple(map(float, weights)),
    )


# --- interventions --------------------------------------------------------------------------------------------------


def _with_interventions(
    context: ContextReport, contexts: list[ContextReport], random: np.random.Generator
) -> ContextReport:
    breaking = _breaking(context)
    if breaking is None:
        return context
    asked: list[tuple[InterventionRule, InterventionValue, int, tuple[int, ...]]] = [
        ("off", "zero", breaking.layer, breaking.neurons)
    ]
    if context.states.tokenization.reads_position_0:
        asked.append(("mean", "mean", breaking.layer, breaking.neurons))
    if breaking.control:
        asked.append(("control", "zero", breaking.layer, breaking.control))
    if random.random() < 0.3:
        value = BY_HAND[random.integers(len(BY_HAND))]
        asked.append(("by_hand", value, int(random.integers(context.states.n_depths - 1)), (7,)))
    made = [each for each in asked if each[0] == "off" or random.random() < 0.9]
    drawn = {"by_hand", "mean" if any(each[0] == "mean" for each in made) else "off"}
    changed = [_changed(context, *each, random, drawn=each[0] in drawn) for each in made]
    off = changed[0]
    again = tuple(_attention(each, random) for each in contexts if each.states.attention)
    changed[0] = dataclasses.replace(off, states=dataclasses.replace(off.states, attention=again))
    loss = _loss(breaking, random) if random.random() < 0.9 else None
    return dataclasses.replace(context, interventions=tuple(changed), loss=loss)


def _loss(breaking: BreakingNeurons, random: np.random.Generator) -> Loss:
    """The mean is left out where the words aren't read at position 0, the control where there are too few neurons."""
    if random.random() < 0.2:
        return Loss(reason="the model has no output matrix")
    rules: tuple[LossRule, ...] = ("off", "off_at_0", "mean", "control", "random")
    return Loss(
        n_passages=int(random.integers(8, 33)),
        n_tokens=1016,
        intact=float(random.uniform(2, 11)),
        changes=tuple(
            LossChange(
                rule=rule,
                neurons=breaking.neurons,
                difference=float(random.normal() * 10.0 ** random.integers(-7, 2)),
                standard_error=float(random.choice([0.0, 1e-7, 0.00049, 0.001, 0.0949, 0.095, 1.3])),
            )
            for rule in rules
            if rule in ("off", "off_at_0") or random.random() < 0.8
        ),
    )


def _changed(
    intact: ContextReport,
    rule: InterventionRule,
    value: InterventionValue,
    layer: int,
    neurons: tuple[int, ...],
    random: np.random.Generator,
    *,
    drawn: bool,
) -> ContextReport:
    context = intact.states.context
    label = intervention_label(context.label, rule, layer, neurons, value, None)
    named = dataclasses.replace(context, name=f"{context.name}-{rule}", label=label)
    done = Intervention(rule=rule, layer=layer, path="down_proj", neurons=neurons, value=value)
    shared = random.random() < 0.8  # the mean gives the same picture as zero
    return dataclasses.replace(
        intact,
        states=dataclasses.replace(intact.states, context=named, updates=None, attention=(), intervention=done),
        projections=tuple(
            _projection(shown, random, drawn=index == 0 and drawn, shared=shared)
            for index, shown in enumerate(intact.projections)
        ),
        geometry=intact.geometry and _geometry(intact.geometry, random),
        interventions=(),
    )


def _projection(shown: ProjectionReport, random: np.random.Generator, *, drawn: bool, shared: bool) -> ProjectionReport:
    ratios = shown.projection.explained_variance_ratio
    changed = ratios if shared else ratios * random.uniform(0, 1, ratios.shape)
    projection = dataclasses.replace(shown.projection, explained_variance_ratio=changed)
    if drawn:
        return dataclasses.replace(shown, projection=projection)
    return ProjectionReport(projection=projection, plates=(None,) * len(shown.plates), grid=None, strip=None)


def _geometry(intact: Geometry, random: np.random.Generator) -> Geometry:
    n_depths = len(intact.massive.largest)
    norms = intact.spread.mean_norm
    factors = random.choice((1e-3, 0.4, 0.6, 0.96, 1.0, 1.04, 1.3), n_depths, p=(0.35, 0.25, 0.1, 0.1, 0.1, 0.05, 0.05))
    calm = dataclasses.replace(
        intact.massive,
        largest=np.minimum(intact.massive.largest, 50.0),
        massive=np.zeros(n_depths, dtype=bool),
        moderate=np.zeros(n_depths, dtype=bool),
        dimensions=((),) * n_depths,
        emergence_depth=None,
        end_depth=None,
        step_down_depth=None,
        moderate_runs=(),
    )
    return dataclasses.replace(
        intact,
        spread=dataclasses.replace(
            intact.spread, mean_norm=norms * factors, pc1_share=intact.spread.pc1_share * random.choice((0.3, 1.0))
        ),
        massive=calm if random.random() < 0.6 else intact.massive,
        purity=random_geometry.category_measure(random, n_depths, float(random.choice((0.0, 0.3, 1.0)))),
    )
