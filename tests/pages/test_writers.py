"""What a model's page says of who writes the largest values: true, or nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from claims import plain
from false_writers import by_an_expert
from narrow import present
from rendered import Part, Rendered
from report_fixture import ALONE, SENTENCE, model_report, sample_report, word_list

from tokviz.pages.downloads import tables
from tokviz.pages.text.findings import finding_of, sentence
from tokviz.records import (
    BreakingNeurons,
    ContextReport,
    Intervention,
    InterventionRule,
    LayerUpdate,
    ModelReport,
    Neurons,
    SublayerUpdate,
    Updates,
)

SHARES = (0.73, 0.268, 0.001)
DIMENSION = 507


def page_of(model: ModelReport) -> Part:
    return Rendered(replace(sample_report(), models=(model,))).models[0]


def finding(model: ModelReport) -> str:
    """Who writes massive values; empty where it isn't known."""
    found = finding_of(model)
    return plain(sentence(found)) if found else ""


def explained(page: Part) -> str:
    """What updates are, and what the table lists."""
    return page.one(".explained").text


def mlp(
    part: float, shares: tuple[float, ...] = SHARES, *, n_neurons: int = 1536, told: bool = True, norm: float = 24_583.0
) -> SublayerUpdate:
    neurons = Neurons(
        path="model.layers.11.mlp.down_proj",
        n_neurons=n_neurons,
        indices=(tuple(1229 + index for index in range(len(shares))),),
        contributions=(tuple(part * share for share in shares),),
        activations=((3028.0,) * len(shares),),
        strongest=tuple(1229 + index for index in range(len(shares))),
        strengths=tuple(abs(part * share) for share in shares),
    )
    return update("mlp", norm, part, neurons if told else None)


def update(kind: str, norm: float, part: float, neurons: Neurons | None = None) -> SublayerUpdate:
    return SublayerUpdate(
        path=f"model.layers.11.{kind}",
        kind=kind,  # type: ignore[arg-type]  # one of three
        norm=norm,
        norm_at_0=norm,
        cosine=0.16,
        cosine_at_0=0.16,
        parts=(part,),
        parts_at_0=(part,),
        neurons=neurons,
    )


def layer(*sublayers: SublayerUpdate, marked: bool = False, dimension: int = DIMENSION) -> LayerUpdate:
    return LayerUpdate(
        sublayers=sublayers,
        sum_error=1e-7 if sublayers else 0.38,
        stream_norm=156.0,
        stream_norm_at_0=156.0,
        dimensions=(dimension,),
        marked=marked,
    )


QUIET = layer(update("attention", 2.0, 1.0), update("mlp", 3.0, 1.0))


BREAKING = BreakingNeurons(
    layer=11,
    dimension=DIMENSION,
    neurons=(1229, 1230),
    share=0.998,
    activations=(3028.0, 1079.0),
    strengths=(18_006.0, 6_695.0),
    control=(88, 926),
    control_strengths=(40.7, 39.6),
)


def model_with(
    emerging: LayerUpdate, others: LayerUpdate = QUIET, breaking: BreakingNeurons | None = BREAKING
) -> tuple[ModelReport, int]:
    """A decoder with these updates in its first context, and the layer at which massive activations emerge."""
    words = word_list(n_categories=9, n_words=13)
    model = model_report("smol-30", "Smol-135M-Instruct", 30, words, (ALONE, SENTENCE), measured=True)
    context = model.contexts[0]
    geometry = present(context.geometry)
    number = present(geometry.massive.emergence_depth) - 1
    layers = [others] * (context.states.n_depths - 1)
    layers[number] = emerging
    massive = replace(
        geometry.massive,
        dimensions=tuple((DIMENSION,) if flag else () for flag in geometry.massive.massive),
    )
    updates = Updates(layers=tuple(layers), n_words=115, breaking=breaking)
    changed: ContextReport = replace(
        context, states=replace(context.states, updates=updates), geometry=replace(geometry, massive=massive)
    )
    return replace(model, contexts=(changed, *model.contexts[1:])), number


EMERGING = layer(update("attention", 62.0, 13.0), mlp(24_407.0), marked=True)


def test_the_finding_has_the_layer_the_neurons_and_both_norms() -> None:
    model, number = model_with(EMERGING)
    page = page_of(model)
    spread = present(model.contexts[0].geometry).spread
    before, after = spread.mean_norm[number : number + 2]
    assert page.one("#writers h2").text == f"What happens at layer {number}"
    assert finding(model) == (
        f"At layer {number}, two of 1,536 MLP neurons write 99.8 % of what the MLP adds to dimension 507; "
        f"the mean norm (words alone) goes from {before:.1f} to {after:,.0f}."
    )
    assert not page.all(".without"), "that wasn't tried"
    table = page.one(".writers-table table")
    heads, row = table.table
    assert heads[:4] == ["Layer", "Attention adds", "MLP adds", "Dimension: change"]
    assert row[:4] == [f"Layer {number}", "62.0", "24,583", "507: +24,420"]
    assert [(plain(bar.text), bar.one("rect")["width"]) for bar in table.all(".writer")] == [
        ("neuron 1229 73 %", "73.0"),
        ("neuron 1230 27 %", "26.8"),
        ("neuron 1231 0.1 %", "0.1"),
    ]
    assert page.texts(".weights code") == [
        "model.layers.11.mlp.down_proj[507, 1229]",
        "model.layers.11.mlp.down_proj[507, 1230]",
    ]
    assert "attention" in page.all(".writers-figures svg")[0]["aria-label"].lower()


@pytest.mark.parametrize(
    "breaking",
    [None, replace(BREAKING, layer=3), replace(BREAKING, dimension=8)],
    ids=["nobody in particular", "not where massive activations emerge", "not a massive dimension"],
)
def test_nothing_is_claimed_of_anything_but_the_massive_values(breaking: BreakingNeurons | None) -> None:
    model, _ = model_with(EMERGING, breaking=breaking)
    assert not finding(model)


@pytest.mark.parametrize("part", [24_000.0, 40.0])
def test_what_enters_layer_0_is_not_what_layer_0_does(part: float) -> None:
    """Massive from depth 1 on: written by layer 0, or by what is added before it, such as an embedding of the position."""
    model, _ = model_with(EMERGING, others=layer(update("mlp", 3.0, part)), breaking=None)
    context = model.contexts[0]
    geometry = present(context.geometry)
    since_layer_0 = np.arange(context.states.n_depths) > 0
    massive = replace(
        geometry.massive,
        emergence_depth=1,
        massive=since_layer_0,
        largest=np.where(since_layer_0, 24_108.0, 35.0),
        dimensions=tuple((DIMENSION,) if flag else () for flag in since_layer_0),
    )
    changed = replace(context, geometry=replace(geometry, massive=massive))
    page = page_of(replace(model, contexts=(changed, *model.contexts[1:])))
    heading = page.one("#writers h2").text
    if part > 12_000:
        assert heading == "What happens at layer 0"
        assert "doesn’t write" not in explained(page)
    else:
        assert heading == "What each layer adds"
        assert explained(page).startswith(
            "Layer 0 doesn’t write the massive value that is there after it, 24,108: its parts add 40.0 to dimension 507. "
        )


def test_one_neuron_alone_is_spoken_of_as_one() -> None:
    model, _ = model_with(EMERGING, breaking=replace(BREAKING, neurons=(1229,), share=0.97))
    assert ", one of 1,536 MLP neurons writes 97.0" in finding(model)
    assert page_of(model).one(".weights").text.startswith("Neuron 1229 writes 97.0")


def test_what_comes_from_elsewhere_is_no_finding() -> None:
    """Half of what is massive after a layer, or more, is what it adds."""
    model, number = model_with(layer(mlp(1.0), marked=True))
    largest = present(model.contexts[0].geometry).massive.largest[number + 1]
    for share, is_found in ((0.4, False), (0.6, True)):
        model, _ = model_with(layer(mlp(-share * largest), marked=True))
        assert bool(finding(model)) == is_found


def test_an_expert_has_no_weights_of_its_own_in_a_dimension() -> None:
    said = "Expert 5 writes 97.0\N{NO-BREAK SPACE}% of what the MLP of layer 11 adds to dimension 12."
    assert page_of(by_an_expert()).one(".weights").text == said


def changed(model: ModelReport, rule: InterventionRule) -> ContextReport:
    """The same numbers but for the norm, which is 1."""
    context = model.contexts[0]
    neurons = BREAKING.control if rule == "control" else BREAKING.neurons
    done = Intervention(
        rule=rule,
        layer=11,
        path="model.layers.11.mlp.down_proj",
        neurons=neurons,
        value="mean" if rule == "mean" else "zero",
    )
    geometry = present(context.geometry)
    spread = replace(geometry.spread, mean_norm=np.ones_like(geometry.spread.mean_norm))
    name = replace(context.states.context, name=f"alone-{rule}", label=f"alone, two neurons {rule}")
    return replace(
        context,
        states=replace(context.states, context=name, intervention=done),
        geometry=replace(geometry, spread=spread),
    )


def test_the_finding_says_what_is_without_them_where_that_was_tried() -> None:
    model, number = model_with(EMERGING)
    context = replace(model.contexts[0], interventions=(changed(model, "off"),))
    model = replace(model, contexts=(context,))
    page = page_of(model)
    before, after = present(context.geometry).spread.mean_norm[number : number + 2]
    said = finding(model)
    assert said == (
        f"At layer {number}, two of 1,536 MLP neurons raise the mean norm (words alone) from {before:.1f} to "
        f"{after:,.0f}; without them it is 1.00."
    )
    assert len(said.split()) <= 25
    assert plain(page.one(".weights").text).startswith(
        f"Neurons 1229 and 1230 write 99.8 % of what the MLP of layer {number} adds to dimension 507, through "
    )


def test_neurons_that_change_little_are_not_said_to_raise_anything() -> None:
    model, _ = model_with(EMERGING)
    off = changed(model, "off")
    as_before = replace(off, geometry=present(model.contexts[0].geometry))
    context = replace(model.contexts[0], interventions=(as_before,))
    assert " write 99.8" in finding(replace(model, contexts=(context,)))


def test_what_is_without_the_neurons_stands_beside_what_is_with_them() -> None:
    model, number = model_with(EMERGING)
    off = (changed(model, "off"), changed(model, "mean"), changed(model, "control"))
    model = replace(model, contexts=(replace(model.contexts[0], interventions=off), *model.contexts[1:]))
    shown = page_of(model).one(".without")
    assert shown.one("h3").text == f"The same words with neurons 1229 and 1230 of layer {number} held constant"
    assert shown.texts("thead th") == ["unchanged", "set to their mean", "set to zero", "control"]
    norm = present(model.contexts[0].geometry).spread.mean_norm[number + 1]
    first, *others = shown.one("tbody").table
    assert first == [f"Mean norm at layer {number}", f"{norm:,.0f}", "1.00", "1.00", "1.00"]
    assert [(len(values), len(set(values))) for _, *values in others] == [(4, 1)] * len(others)
    assert "follows from the states alone" in shown.texts("details p")[-1]
    only_zero = replace(model.contexts[0], interventions=off[:1])
    shown = page_of(replace(model, contexts=(only_zero,))).one(".without")
    assert shown.texts("thead th") == ["unchanged", "set to zero"]
    assert shown.one("h3").text == f"The same words without neurons 1229 and 1230 of layer {number}"
    assert "mean over the words" not in shown.text
    assert "control" not in shown.text


def test_a_model_without_a_sum_says_why() -> None:
    model, _ = model_with(layer(), layer())
    page = page_of(model)
    assert not finding(model)
    assert not page.all(".writers-figures, .writers-table")
    assert "No set of modules inside a layer was found whose sum is what the layer adds" in explained(page)
    assert "the closest sum differs by at least 38.0" in explained(page)


def test_layers_that_add_nothing_have_no_closest_sum() -> None:
    unknown = replace(layer(), sum_error=float("nan"))
    model, _ = model_with(unknown, unknown)
    assert explained(page_of(model)).endswith("can’t be separated and aren’t shown.")


def test_what_was_not_measured_has_no_section() -> None:
    assert not page_of(sample_report().models[1]).all("#writers")


def test_the_tables_hold_every_layer_and_every_neuron_that_was_kept() -> None:
    model, number = model_with(EMERGING)
    updates = present(model.contexts[0].states.updates)
    rows = list(csv.DictReader(io.StringIO(tables.updates_csv(updates))))
    assert len(rows) == 2 * len(updates.layers)
    assert [row["norm"] for row in rows if row["layer"] == str(number)] == ["62.0", "24583.0"]
    writers = list(csv.DictReader(io.StringIO(tables.writers_csv(updates))))
    assert [(row["dimension"], row["index"], row["share"]) for row in writers] == [
        ("507", "1229", "0.73"),
        ("507", "1230", "0.268"),
        ("507", "1231", "0.001"),
    ]
    assert writers[1]["cumulative_share"] == "0.998"


def test_where_no_layer_stands_out_nothing_is_said_of_a_table() -> None:
    model = sample_report().models[0]
    first, *others = model.contexts
    updates = present(first.states.updates)
    layers = tuple(replace(each, marked=False) for each in updates.layers)
    states = replace(first.states, updates=replace(updates, layers=layers))
    changed = replace(model, contexts=(replace(first, states=states), *others))
    page = page_of(changed)
    assert not page.all(".writers-table")
    assert "table" not in explained(page)
    assert "At no layer after the first does the largest |x| change" in explained(page)
    first_chart, *_ = page.all(".writers-figures figure")
    assert "Shaded" not in first_chart.text
    assert not first_chart.all(".band")
    with_table = page_of(model)
    assert "The table lists" in explained(with_table)
    assert "Shaded: the layers of the table." in with_table.all(".writers-figures figure")[0].text


@pytest.mark.parametrize(
    ("marked", "said"),
    [(True, "lists the captured layers after the first at"), (False, "At no captured layer after the")],
)
def test_of_layers_that_were_not_captured_nothing_is_said(marked: bool, said: str) -> None:
    model = sample_report().models[0]
    first, *others = model.contexts
    updates = present(first.states.updates)
    layers = tuple(replace(each, marked=each.marked and marked) for each in updates.layers)
    card = replace(first.states.card, n_layers=first.states.card.n_layers + 1)
    states = replace(first.states, card=card, updates=replace(updates, layers=layers))
    changed = replace(model, contexts=(replace(first, states=states), *others))
    assert said in explained(page_of(changed))


def test_of_one_layer_nothing_is_said_of_those_after_it() -> None:
    model = sample_report().models[0]
    first, *others = model.contexts
    updates = present(first.states.updates)
    only = replace(updates, layers=(replace(updates.layers[0], marked=False),), breaking=None, breaking_expert=None)
    states = replace(first.states, updates=only)
    changed = replace(model, contexts=(replace(first, states=states), *others))
    assert "after the first" not in explained(page_of(changed))
