"""The numbers as files: every measure of every layer, readable by any CSV reader."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import make_dataclass, replace
from pathlib import Path

import making
import numpy as np
import pytest
from narrow import present
from report_fixture import sample_report

from tokviz.measure.geometry import measure
from tokviz.measure.pca import project
from tokviz.pages.downloads import tables
from tokviz.pages.downloads.measured import geometry_csv
from tokviz.pages.text import data_text
from tokviz.records import ContextReport, Experts, ProjectionReport, Spread
from tokviz.run.store.artefacts import Store


@pytest.fixture
def context(tmp_path: Path) -> ContextReport:
    """Three depths; at the last one, dimension 5 is massive, against the words' own median."""
    depths = making.depths()
    depths[2][:, 5] = 5_000 + 100 * np.arange(len(depths[2]))
    states = making.put(Store(tmp_path), "k", depths)
    projections = [project(states.states, states.tokenization.reference, name) for name in ("standardized", "centered")]
    return ContextReport(
        states=states,
        projections=tuple(
            ProjectionReport(projection=projection, plates=(None,) * 3, grid=None, strip=None)
            for projection in projections
        ),
        geometry=measure(states, projections, making.WORDS.memberships, None),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_geometry_has_a_row_per_depth_and_says_what_was_measured(context: ContextReport) -> None:
    found = rows(geometry_csv(context.states, present(context.geometry)))
    assert [row["layer"] for row in found] == ["embedding", "layer 0", "layer 1"]
    assert [row["massive"] for row in found] == ["0", "0", "1"]
    assert [row["dimensions"] for row in found] == ["", "", "5"]
    assert [row["dominant"] for row in found] == ["", "", "5"]
    assert float(found[2]["top_share"]) > 0.99
    assert float(found[2]["largest"]) == pytest.approx(5_250, rel=0.02)
    norms = np.linalg.norm(context.states.states[1][context.states.tokenization.reference], axis=1)
    assert float(found[1]["mean_norm"]) == pytest.approx(norms.mean(), rel=1e-5)
    assert found[0]["change_cka"] == ""
    for name in ("effective_rank", "purity_value", "standardized_purity_value"):
        assert all(row[name] for row in found), name
    assert all(int(row["stage"]) >= 1 for row in found)


def test_a_new_measure_has_its_column(context: ContextReport) -> None:
    """Whatever a record of measures gains per depth is published, wherever it stands."""
    wider = make_dataclass("Wider", [("evenness", np.ndarray)], bases=(Spread,), frozen=True, kw_only=True)
    measured = context.geometry
    assert measured is not None
    spread = wider(**vars(measured.spread), evenness=np.array([0.25, 0.5, np.nan]))
    before, after = (
        rows(geometry_csv(context.states, geometry)) for geometry in (measured, replace(measured, spread=spread))
    )
    assert [row.pop("evenness") for row in after] == ["0.25", "0.5", ""]
    assert after == before


def test_coordinates_are_those_of_the_pictures(context: ContextReport) -> None:
    found = rows(tables.coordinates_csv(context, making.WORDS))
    assert len(found) == 3 * len(making.WORDS.words)
    orange = next(row for row in found if (row["word"], row["depth"]) == ("orange", "2"))
    assert orange["categories"] == "colors fruits"
    index = making.WORDS.words.index("orange")
    expected = context.projections[1].projection.coordinates[2, index]
    assert (float(orange["centered_pc1"]), float(orange["centered_pc2"])) == pytest.approx(tuple(expected), rel=1e-5)


def test_tokens_tell_what_was_read(context: ContextReport) -> None:
    found = rows(tables.tokens_csv(context))
    assert [(row["word"], row["n_tokens"], row["position"]) for row in found][-1] == ("apple", "2", "1")
    assert found[0]["word_pieces"] == '["ĠMay"]'


def test_a_depth_without_coordinates_leaves_its_fields_empty(tmp_path: Path) -> None:
    depths = making.depths()
    depths[1][:] = 1.0
    states = making.put(Store(tmp_path), "k", depths)
    projection = project(states.states, states.tokenization.reference, "centered")
    context = ContextReport(
        states=states,
        projections=(ProjectionReport(projection=projection, plates=(None,) * 3, grid=None, strip=None),),
    )
    found = rows(tables.coordinates_csv(context, making.WORDS))
    assert {row["centered_pc1"] for row in found if row["depth"] == "1"} == {""}
    assert all(row["centered_pc1"] for row in found if row["depth"] != "1")


def test_coordinates_say_which_words_are_reference_words(tmp_path: Path) -> None:
    states = making.put(Store(tmp_path), "k", making.depths())
    context = ContextReport(states=states, projections=())
    by_word = dict(zip(making.WORDS.words, states.tokenization.reference.tolist(), strict=True))
    assert len({*by_word.values()}) == 2
    assert {(row["word"], row["reference"]) for row in rows(tables.coordinates_csv(context, making.WORDS))} == {
        (word, "1" if is_reference else "0") for word, is_reference in by_word.items()
    }


@pytest.mark.parametrize(
    ("word", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\ttab", "'\ttab"),
        ("\nline", "'\nline"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
def test_beside_a_word_stands_one_that_no_spreadsheet_calculates(context: ContextReport, word: str, safe: str) -> None:
    words = [word, *making.WORDS.words[1:]]
    states = replace(context.states, tokenization=making.tokenization(words))
    context, geometry = replace(context, states=states), present(context.geometry)
    word_list = replace(making.WORDS, categories=(replace(making.WORDS.categories[0], words=tuple(words)),))
    for text in (tables.tokens_csv(context), tables.coordinates_csv(context, word_list)):
        found = rows(text)[0]
        assert (found["word"], found["text_safe"]) == (word, safe)
    moved = [(row["change_moved"], row["change_moved_safe"]) for row in rows(geometry_csv(states, geometry))]
    assert any(plain for plain, _ in moved)
    assert all(data_text.spreadsheet_safe(plain) == shown for plain, shown in moved)
    assert data_text.spreadsheet_safe("\rline") == "'\rline"


def test_a_token_that_no_file_can_hold_is_written_as_an_escape(context: ContextReport) -> None:
    first, *others = context.states.tokenization.words
    odd = replace(first, pieces=("\ud800\x07\ufffe",))
    tokenization = replace(context.states.tokenization, words=(odd, *others))
    text = tables.tokens_csv(replace(context, states=replace(context.states, tokenization=tokenization)))
    assert text.encode()
    [piece] = json.loads(rows(text)[0]["pieces"])
    assert piece == "\ud800\x07\ufffe"


def test_a_number_that_json_does_not_have_is_null() -> None:
    report = sample_report()
    check = present(report.models[0].contexts[0].states.batch_check)
    [comparison] = check.comparisons
    odd = replace(comparison, difference=float("inf"), median_difference=float("nan"))
    models = tuple(
        replace(
            model,
            contexts=tuple(
                replace(
                    each,
                    states=replace(each.states, batch_check=replace(check, comparisons=(odd,))),
                )
                for each in model.contexts
            ),
        )
        for model in report.models
    )
    written = json.loads(tables.files(replace(report, models=models))["data/report.json"], parse_constant=pytest.fail)
    [found] = written["models"][0]["contexts"][0]["batch_check"]["comparisons"]
    assert (found["difference"], found["median_difference"]) == (None, None)


# --- who writes, attention, interventions -----------------------------------------------------------------------------


def test_attention_has_a_row_per_template_and_layer() -> None:
    alone, sentence = sample_report().models[0].contexts
    found = rows(tables.attention_csv(sentence.states.attention))
    assert [row["layer"] for row in found] == [str(layer) for layer in range(30)]
    assert {(row["template"], row["words"]) for row in found} == {("The word is {word}", "4")}
    assert [row["weight"] for row in found[:2]] == ["0.2", "0.6"]
    assert [row["heads_above_0.3"] for row in found[:2]] == ["0.2", "0.9"]
    off = rows(tables.attention_csv(present(alone.intervened("off")).states.attention))
    assert [row["weight"] for row in off[11:13]] == ["0.6", "0.15"]


def test_a_template_that_a_spreadsheet_would_calculate_stands_beside_a_safe_one() -> None:
    attention = sample_report().models[0].contexts[1].states.attention
    (row, *_) = rows(tables.attention_csv([replace(attention[0], template="=1+{word}")]))
    assert (row["template"], row["template_safe"]) == ("=1+{word}", "'=1+{word}")


def test_a_layer_without_weights_of_attention_has_empty_fields() -> None:
    (attention,) = sample_report().models[0].contexts[1].states.attention
    nothing = (float("nan"),) * len(attention.mean)
    (row, *_) = rows(tables.attention_csv([replace(attention, mean=nothing, share=nothing)]))
    assert (row["weight"], row["heads_above_0.3"]) == ("", "")


def test_writers_are_neurons_experts_and_all_heads() -> None:
    updates = present(sample_report().models[0].contexts[0].states.updates)
    layer = updates.layers[11]
    attention, mlp = layer.sublayers
    experts = Experts(
        path="model.layers.11.mlp.experts",
        n_experts=8,
        indices=((5, 2), (2, 5)),
        contributions=((mlp.parts[0] * 0.9, mlp.parts[0] * 0.1), (0.0, 0.0)),
    )
    mixture = replace(mlp, neurons=None, experts=experts)
    layers = tuple(
        replace(layer, sublayers=(attention, mixture)) if number == 11 else each
        for number, each in enumerate(updates.layers)
    )
    found = [row for row in rows(tables.writers_csv(replace(updates, layers=layers))) if row["layer"] == "11"]
    heads, in_first = (
        [row for row in found if (row["writer"], row["dimension"]) == (writer, "12")] for writer in ("head", "expert")
    )
    assert [row["index"] for row in heads] == [str(head) for head in range(9)]
    assert sum(float(row["contribution"]) for row in heads) == pytest.approx(attention.parts[0], rel=1e-4)
    assert float(heads[-1]["cumulative_share"]) == pytest.approx(1)
    assert [(row["index"], row["share"], row["activation"]) for row in in_first] == [("5", "0.9", ""), ("2", "0.1", "")]
    assert {row["module"] for row in found} == {"model.layers.11.self_attn.o_proj", "model.layers.11.mlp.experts"}
    neurons = [row for row in rows(tables.writers_csv(updates)) if row["writer"] == "neuron"]
    assert {row["layer"] for row in neurons} == {"11", "29"}
    assert all(row["activation"] for row in neurons)


def test_the_files_of_neurons_off_have_no_tokens_and_all_that_is_promised_is_written() -> None:
    report = sample_report()
    written = {path for path in tables.files(report) if path.endswith((".csv", ".ipynb"))}
    assert set(report.downloads.values()) == written
    of_model = {path.removeprefix("data/smol-30/") for path in written if path.startswith("data/smol-30/")}
    assert {path for path in of_model if path.startswith("alone-off/")} == {
        "alone-off/coordinates.csv",
        "alone-off/geometry.csv",
        "alone-off/attention.csv",
    }
    assert {"alone/updates.csv", "alone/writers.csv", "sentence/attention.csv", "alone-mean/geometry.csv"} <= of_model
    assert not any(path.startswith("alone-control/") for path in of_model)


def test_the_report_tells_what_was_found_and_what_was_done() -> None:
    content = json.loads(tables.files(sample_report())["data/report.json"])
    first, second, _ = content["models"]
    assert first["finding"]["neurons"] == [1229, 1487]
    assert first["finding"]["sentence"].startswith("At layer 11 (words alone), two of 1,536 neurons put ")
    assert second["finding"] is None
    assert [(each["name"], each["intervention"] and each["intervention"]["value"]) for each in first["contexts"]] == [
        ("alone", None),
        ("sentence", None),
        ("alone-off", "zero"),
        ("alone-mean", "mean"),
    ]
