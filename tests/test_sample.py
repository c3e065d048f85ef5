"""The sample report: what the author quotes of the committed one, and that the two real models, end to end, give its numbers again.

Made again, in the outer ring, are the words alone and in the first sentence, with blank pictures: controls, lens and further
sentences are of the committed sample, and of tiny models in ``tests/run``.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import smollm2
from at_once import run_at_once
from browser import OpenPage, box_of
from command import ROOT

from tokviz.pages.text.sentences import depths_where

SMOLLM2, MINILM = "smollm2-135m-instruct", "all-minilm-l6-v2"
COMMITTED = ROOT / "site"
MIB, KIB = 2**20, 2**10


@pytest.fixture(scope="module")
def site(smollm2_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made again, of a decoder that is captured already."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(smollm2_cache, folder / "cache", copy_function=shutil.copy2)
    made = run_at_once(smollm2.sample(), folder, base=ROOT)
    assert (made.failures, made.n_models, made.n_captured) == ((), 2, 2)
    return folder / "site"


def rows(site: Path, slug: str, context: str, table: str) -> list[dict[str, str]]:
    with (site / "data" / slug / context / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    """Of SmolLM2's words alone: column → ``(n_depths, n_reference_words)``."""
    columns: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(COMMITTED, SMOLLM2, "alone", "coordinates"):
        if row["reference"] == "1":
            for name, value in row.items():
                if name.endswith(("pc1", "pc2")):
                    columns[name][int(row["depth"])].append(float(value))
    return {name: np.array([depths[depth] for depth in sorted(depths)]) for name, depths in columns.items()}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- made again ------------------------------------------------------------------------------------------------------

DECIDED = re.compile(r"announced$|p_value$")
"""What follows from all claims of a report."""
MOVED = ("change_moved", "change_moved_safe")
"""Lists of words."""

AGAIN = [
    *(
        (slug, "alone", table)
        for slug in (SMOLLM2, MINILM)
        for table in ("geometry", "relations", "coordinates", "tokens")
    ),
    *((SMOLLM2, f"alone-{rule}", "geometry") for rule in ("off", "mean")),
    *((slug, "sentence", "coordinates") for slug in (SMOLLM2, MINILM)),
]


@pytest.mark.model
@pytest.mark.thorough
@pytest.mark.parametrize(("slug", "context", "table"), AGAIN)
def test_the_numbers_are_those_of_the_committed_sample(site: Path, slug: str, context: str, table: str) -> None:
    again, committed = rows(site, slug, context, table), rows(COMMITTED, slug, context, table)
    assert len(again) == len(committed) > 0
    columns = [name for name in committed[0] if not DECIDED.search(name)]
    assert columns == [name for name in again[0] if not DECIDED.search(name)], "make sample-text"
    for column in columns:
        found, expected = ([row[column] for row in own] for own in (again, committed))
        if column in MOVED:
            assert all(map(_are_alike, found, expected))
        elif found != expected:  # other libraries and processors may give other last digits
            np.testing.assert_allclose(_numbers(found), _numbers(expected), rtol=0.02, atol=0.005, err_msg=column)


def _are_alike(found: str, expected: str) -> bool:
    """Whether two lists of words have the same words but for one: which of two comes last may depend on last digits."""
    return len(set(found.split()) ^ set(expected.split())) <= 2


def _numbers(texts: list[str]) -> list[float]:
    return [float(text or "nan") for text in texts]


@pytest.mark.model
@pytest.mark.thorough
def test_pages_and_images_have_the_names_of_the_committed_ones(site: Path) -> None:
    """But for those of further sentences and of the lens."""
    differing = files(site) ^ files(COMMITTED)
    assert {path for path in differing if not re.search(r"/(templates\.csv|lens\.(csv|js))$", path)} == set()


def test_every_layer_of_both_models_is_there() -> None:
    images = files(COMMITTED / "images")
    for slug, n_layers, module in ((SMOLLM2, 30, "model.layers"), (MINILM, 6, "bert.encoder.layer")):
        for context in ("alone", "sentence"):
            for projection in ("standardized", "centered"):
                stem = f"{slug}/{context}/{projection}/{slug}"
                for layer in range(n_layers):
                    assert f"{stem}__{module}.{layer}.webp" in images
                    assert f"{stem}__{module}.{layer}-phone.webp" in images
                assert f"{stem}_m.et.webp" in images


def test_note_and_plot_of_the_break_are_seen_at_once(open_page: OpenPage) -> None:
    page = open_page(COMMITTED, f"models/{SMOLLM2}/index.html#alone/layer-11", viewport={"width": 1280, "height": 800})
    for part in (".look .voice", ".slide:not([inert]) .plate", ".slide:not([inert]) figcaption"):
        box = box_of(page.locator(f".panel[data-current] {part}"))
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800, part


def test_the_site_is_light() -> None:
    sizes = {path: (COMMITTED / path).stat().st_size for path in files(COMMITTED)}
    assert sum(sizes.values()) <= 20 * MIB
    plates = {path: size for path, size in sizes.items() if "__" in path}
    phone = [size for path, size in plates.items() if path.endswith("-phone.webp")]
    assert np.mean(list(plates.values())) <= 40 * KIB
    assert np.mean(phone) <= 30 * KIB


def test_the_emergence_is_plain_in_the_grid_and_absent_before(layers: dict[str, np.ndarray]) -> None:
    spread = np.hypot(
        layers["standardized_embedding_pc1"].std(axis=1), layers["standardized_embedding_pc2"].std(axis=1)
    )
    growth = spread[1:] / spread[:-1]
    # Depth 12 is after layer 11; no other layer but the first, which leaves the embedding, comes near.
    assert growth[11] > 10
    assert np.delete(growth, [0, 11]).max() < 2


def test_at_the_last_layers_the_words_spread_over_the_plate(layers: dict[str, np.ndarray]) -> None:
    for depth in (28, 29, 30):
        for axis in ("standardized_pc1", "standardized_pc2"):
            values = layers[axis][depth]
            middle = np.ptp(np.percentile(values, [5, 95]))
            # One outlier that squashes the rest would leave the middle nine tenths of the words a few per cent.
            assert middle / np.ptp(values) > 0.4


def test_the_words_of_the_post_are_read_at_position_0_but_for_one_of_two_tokens() -> None:
    tokens = rows(COMMITTED, SMOLLM2, "alone", "tokens")
    assert len(tokens) == 116
    assert [(row["word"], row["n_tokens"], row["position"]) for row in tokens if row["position"] != "0"] == [
        ("firefighter", "2", "1")
    ]


def test_quantised_weights_are_named_wherever_the_model_is() -> None:
    for page in ("index.html", f"models/{SMOLLM2}/index.html", "method/index.html"):
        assert "SmolLM2-135M-Instruct (Q4_1 GGUF)" in (COMMITTED / page).read_text(encoding="utf-8")


def test_the_author_says_where_the_order_of_the_months_is_announced() -> None:
    announced: dict[str, list[int]] = {}
    for context in ("alone", "sentence"):
        months = [row for row in rows(COMMITTED, SMOLLM2, context, "relations") if row["name"] == "months"]
        announced[context] = [int(row["depth"]) - 1 for row in months if row["announced"] == "1"]
        assert not any(row["ends_meet_announced"] == "1" or row["circle_announced"] == "1" for row in months)
    where = np.zeros(31, dtype=bool)
    where[[layer + 1 for layer in announced["sentence"]]] = True
    assert announced["alone"] == []
    said = (ROOT / "report.toml").read_text(encoding="utf-8")
    assert f"in a sentence at {depths_where(where)}, but it isn't shown that they lie in a circle" in said


def test_the_figures_that_the_author_quotes_are_those_that_were_measured() -> None:
    """A text doesn't change by itself when the numbers do."""

    def measured(slug: str, context: str) -> list[dict[str, str]]:
        return rows(COMMITTED, slug, context, "geometry")

    alone, sentence = measured(SMOLLM2, "alone"), measured(SMOLLM2, "sentence")
    report = json.loads((COMMITTED / "data" / "report.json").read_text(encoding="utf-8"))
    _, centered = (
        shown["explained_variance_ratio"]
        for model in report["models"]
        for context in model["contexts"]
        for shown in context["projections"]
        if (model["slug"], context["name"]) == (SMOLLM2, "alone")
    )
    before, after = (f"{float(alone[depth]['mean_norm']):,.0f}" for depth in (11, 12))
    mean = measured(SMOLLM2, "alone-mean")
    direction, left = (f"{100 * float(each[12]['pc1_share']):.1f} %" for each in (alone, mean))
    assert direction == f"{100 * centered[12][0]:.1f} %"
    assert f"{float(mean[12]['mean_norm']):,.0f}" == after
    assert alone[12]["dimensions"] == "507"

    def value(capture: list[dict[str, str]], layer: int, column: str = "purity_value") -> float:
        return float(capture[layer + 1][column])

    def percent(capture: list[dict[str, str]], layer: int, column: str = "purity_value") -> str:
        return f"{100 * value(capture, layer, column):.0f} %"

    captures = alone, mean, sentence
    chances = [value(each, layer, "purity_null_mean") for each in captures for layer in (11, 29)]
    chances.append(value(alone, 11, "standardized_purity_null_mean"))
    assert {round(100 * each) for each in chances} == {20, 21}
    hidden, averaged, other = (percent(each, 11) for each in captures)
    hidden_last, averaged_last = (percent(each, 29) for each in captures[:2])
    in_plot, surface = percent(alone, 11, "standardized_purity_value"), percent(alone, 11, "purity_surface")
    raw_last = percent(alone, 29, "purity_raw_value")
    claimed = [alone[12][f"standardized_purity_{claim}announced"] for claim in ("", "surface_")]
    assert claimed == ["0", "0"]
    neighbors = f"{hidden} of a word's nearest neighbors are of its category"

    def without_training(slug: str, context: str) -> str:
        [untrained] = [
            each["untrained"]
            for model in report["models"]
            for each in model["contexts"]
            if (model["slug"], each["name"], each["intervention"]) == (slug, context, None)
        ]
        last = [each["purity"][-1] for each in untrained["own_embedding"]]
        return f"{min(last):.2f} to {max(last):.2f}"

    # The numbers of a finding are those of the captures that it names.
    finding = report["models"][0]["finding"]
    depth = finding["layer"] + 1
    assert finding["without"] == "mean"
    for key, rule, column in (("mean_norm_at_zero", "off", "mean_norm"), ("pc1_share_without", "mean", "pc1_share")):
        measured_there = float(rows(COMMITTED, SMOLLM2, f"alone-{rule}", "geometry")[depth][column])
        assert finding[key] == pytest.approx(measured_there, rel=1e-3)
    [losses] = [
        context["loss"]
        for model in report["models"]
        for context in model["contexts"]
        if (model["slug"], context["name"]) == (SMOLLM2, "alone")
    ]
    changes = {each["rule"]: each["difference"] for each in losses["changes"]}
    assert max(abs(changes["mean"]), abs(changes["random"])) < 0.01
    kept, kept_in_sentence = (without_training(SMOLLM2, name) for name in ("alone", "sentence"))
    minilm = measured(MINILM, "alone")
    quoted = {
        "notes/introduction.md": (
            f"rises from {before} to {after}",
            f"one direction holds {direction} of the variance",
            f"and no direction holds more than {left}",
            f"{neighbors} at layer 11 and {hidden_last} at the last layer",
            f"at their mean {averaged} and {averaged_last}. By chance it would be 20–21 %; spelling,",
            f"without any model, give {surface}.",
            f"{other} of their neighbors",
            f"{100 * max(float(row['pc1_share']) for row in measured(MINILM, 'alone')):.1f} % of their variance",
            f"rises from {losses['intact']:.2f} to {losses['intact'] + changes['off']:.2f} nats",
        ),
        "notes/smollm2.md": (f"{neighbors} at layer 11, compared with {other} in a sentence",),
        "README.md": (
            f"put {direction} of the variance",
            f"it is {left}, though the mean norm stays at {after}",
            f"{neighbors}, {averaged} with the two neurons at their mean, and {other} in a sentence; by chance 20–21 %",
            f"In the plot {in_plot} are",
            f"without any model ({surface})",
        ),
        "docs/manual/explanation/not-to-conclude.md": (
            f"{neighbors} in all dimensions, and {in_plot} in the plot",
            f"gives {raw_last}, and {hidden_last} where",
            f"common these are give {surface} without any model",
        ),
        "docs/manual/explanation/interventions.md": (
            f"put {direction} of the words' variance into one direction",
            f"it is {left}, though the mean norm stays at {after}",
            f"purity is {value(alone, 29):.2f}, and {value(mean, 29):.2f} with",
        ),
        "docs/manual/explanation/metrics.md": (
            f"it is {value(alone, 11):.2f}; chance is {value(alone, 11, 'purity_null_mean'):.2f}, the surface",
            f"the surface {value(alone, 11, 'purity_surface'):.2f}. At the last layer it is {value(alone, 29):.2f}",
            f"{value(alone, 29):.2f}, but {value(alone, 29, 'purity_raw_value'):.2f} without scaling",
            f"In the plot of layer 11 it is {value(alone, 11, 'standardized_purity_value'):.2f}",
        ),
        "docs/manual/explanation/untrained.md": (
            f"| the model | {value(alone, -1):.2f} | {value(alone, 29):.2f} |",
            f"| random layers after its embedding | {value(alone, -1):.2f} | {kept} | {kept_in_sentence} |",
            f"all of it, {without_training(MINILM, 'alone')} of {value(minilm, -1):.2f}, and",
            f"the model's own last layer is at {value(minilm, 5):.2f}",
        ),
        "docs/manual/explanation/position-0.md": (f"{neighbors} alone, and {other} in the sentence",),
    }
    for name, sayings in quoted.items():
        text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        assert [said for said in sayings if said not in text] == [], name
    # What is said of layers 9 and 10, and of layers 11 to 28.
    assert [row["layer"] for row, last in zip(alone[9:12], alone[8:], strict=False) if _halved(row, last)] == [
        "layer 9",
        "layer 10",
    ]
    assert [row["layer"] for row in alone if row["massive"] == "1"] == [f"layer {number}" for number in range(11, 29)]
    config = " ".join((ROOT / "report.toml").read_text(encoding="utf-8").split())
    assert f"was {before} at layer 10; now it is {after}" in config.replace("\n", " ")
    without = percent(measured(SMOLLM2, "alone-mean"), 11, "standardized_purity_value")
    assert f"{without} of a word's neighbors in the plot are of its category, instead of {in_plot}" in config


def _halved(row: dict[str, str], last: dict[str, str]) -> bool:
    return float(row["largest"]) < float(last["largest"]) / 2
