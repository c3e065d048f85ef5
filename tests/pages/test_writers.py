"""What a model's page says of who writes the largest values: true, or nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from narrow import present
from report_fixture import sample_report

from tokviz.pages import tables
from tokviz.pages.writers import writers_section
from tokviz.records import ContextReport, LayerUpdate, ModelReport, Neurons, SublayerUpdate, Updates

SHARES = (0.73, 0.268, 0.001)
DIMENSION = 507


def mlp(
    part: float, shares: tuple[float, ...] = SHARES, *, n_neurons: int = 1536, told: bool = True, norm: float = 24_583.0
) -> SublayerUpdate:
    neurons = Neurons(
        path="model.layers.11.mlp.down_proj",
        n_neurons=n_neurons,
        indices=(tuple(1229 + index for index in range(len(shares))),),
        contributions=(tuple(part * share for share in shares),),
        activations=((3028.0,) * len(shares),),
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


def model_with(emerging: LayerUpdate, others: LayerUpdate = QUIET) -> tuple[ModelReport, int]:
    """The sample's decoder with these updates in its first context, and the layer at which massive activations emerge."""
    model = sample_report().models[0]
    context = model.contexts[0]
    geometry = present(context.geometry)
    number = present(geometry.massive.emergence_depth) - 1
    layers = [others] * (context.states.n_depths - 1)
    layers[number] = emerging
    massive = replace(
        geometry.massive,
        dimensions=tuple((DIMENSION,) if flag else () for flag in geometry.massive.massive),
    )
    states = replace(context.states, updates=Updates(layers=tuple(layers), n_words=115))
    changed: ContextReport = replace(context, states=states, geometry=replace(geometry, massive=massive))
    return replace(model, contexts=(changed, *model.contexts[1:])), number


def finding_of(emerging: LayerUpdate) -> str | None:
    model, _ = model_with(emerging)
    return present(writers_section(model)).finding


def test_the_finding_has_the_layer_the_neurons_and_both_norms() -> None:
    model, number = model_with(layer(update("attention", 62.0, 13.0), mlp(24_407.0), marked=True))
    section = present(writers_section(model))
    spread = present(model.contexts[0].geometry).spread
    before, after = spread.mean_norm[number : number + 2]
    assert section.heading == f"What happens at layer {number}"
    assert present(section.finding).replace("\N{NO-BREAK SPACE}", " ") == (
        f"At layer {number}, two of the MLP’s 1,536 neurons write 99.8 % of what it adds to dimension 507: "
        f"the states’ mean norm goes from {before:.1f} to {after:,.0f}."
    )
    (row,) = section.rows
    assert (row.layer, row.added, row.dimension) == (f"Layer {number}", ("62.0", "24,583"), "507: +24,420")
    assert row.neurons.replace("\N{NO-BREAK SPACE}", " ") == "1229 (73 %), 1230 (27 %), 1231 (0 %)"
    assert section.kinds == ("attention", "MLP")
    assert "attention" in present(section.chart).alt.lower()


@pytest.mark.parametrize(
    "emerging",
    [
        # Nobody in particular writes it.
        layer(update("attention", 2.0, 1.0), mlp(24_407.0, (0.1,) * 8), marked=True),
        # Attention writes a part of it.
        layer(update("attention", 9_000.0, 9_000.0), mlp(15_000.0), marked=True),
        # The neurons can't be told apart.
        layer(update("attention", 2.0, 1.0), mlp(24_407.0, told=False), marked=True),
        # What changes most isn't what is massive.
        layer(update("attention", 2.0, 1.0), mlp(24_407.0), marked=True, dimension=3),
        # The largest of them take back what the others write.
        layer(update("attention", 2.0, 1.0), mlp(24_407.0, (3.0, -2.0)), marked=True),
        layer(update("attention", 2.0, 1.0), mlp(24_407.0, (-0.4, 0.9, 0.5)), marked=True),
    ],
)
def test_nothing_is_claimed_where_no_few_neurons_write_it(emerging: LayerUpdate) -> None:
    assert finding_of(emerging) is None


def test_one_neuron_alone_is_spoken_of_as_one() -> None:
    said = present(finding_of(layer(update("attention", 2.0, 1.0), mlp(24_407.0, (0.97, 0.01)), marked=True)))
    assert ", one of the MLP’s 1,536 neurons writes 97.0" in said


def test_a_model_without_a_sum_says_why() -> None:
    model, _ = model_with(layer(), layer())
    section = present(writers_section(model))
    assert (section.finding, section.chart, section.rows) == (None, None, ())
    (paragraph,) = section.paragraphs
    assert "no set of modules inside a layer sums up" in paragraph
    assert "off by 38.0" in paragraph


def test_what_was_not_measured_has_no_section() -> None:
    assert writers_section(sample_report().models[0]) is None


def test_the_tables_hold_every_layer_and_every_neuron_that_was_kept() -> None:
    model, number = model_with(layer(update("attention", 62.0, 13.0), mlp(24_407.0), marked=True))
    updates = present(model.contexts[0].states.updates)
    rows = list(csv.DictReader(io.StringIO(tables.updates_csv(updates))))
    assert len(rows) == 2 * len(updates.layers)
    assert [row["norm"] for row in rows if row["layer"] == str(number)] == ["62.0", "24583.0"]
    writers = list(csv.DictReader(io.StringIO(tables.writers_csv(updates))))
    assert [(row["dimension"], row["neuron"], row["share"]) for row in writers] == [
        ("507", "1229", "0.73"),
        ("507", "1230", "0.268"),
        ("507", "1231", "0.001"),
    ]
    assert writers[1]["cumulative_share"] == "0.998"
