"""What the explorer is made of: scripts with coordinates, tokens and neighbours, and an index to choose from."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import making
import numpy as np
import pytest
from narrow import present
from rendered import Rendered
from report_fixture import HOSTILE, TEMPLATES, hostile_report, sample_report
from sklearn.preprocessing import StandardScaler

from tokviz.draw import style
from tokviz.draw.plate import PlateDrawing
from tokviz.measure.neighbours import neighbours
from tokviz.pages.downloads import tables
from tokviz.pages.explore import explore_data
from tokviz.records import ContextReport, Plate, Points, ProjectionReport, Report
from tokviz.records.look import MARKERS, PALETTE
from tokviz.run.store.artefacts import Store

ASSETS = TEMPLATES / "assets"

Scripts = dict[str, tuple[str, dict[str, Any]]]
"""Path → key and content of a script."""


def scripts(report: Report) -> Scripts:
    """Every script among the exported files."""
    found = {}
    for path, text in tables.files(report).items():
        if path.endswith(".js"):
            call = re.fullmatch(r"tokvizData\((\"[^\"]*\"),(.*)\);\n", text, re.DOTALL)
            assert call, path
            found[path] = (json.loads(call[1]), json.loads(call[2]))
    return found


def places(content: dict[str, Any], n_words: int) -> np.ndarray:
    """``(n_depths, n_words, 2)``: the coordinates that a script's reader gets back."""
    steps = np.frombuffer(base64.b64decode(content["places"]), dtype="<u2").reshape(-1, n_words, 2)
    share = steps / 65_535
    share[(steps == 0) | (steps == 65_535)] = np.frombuffer(base64.b64decode(content["ends"]), dtype="<f4")
    low, span = (
        np.array([[np.nan] * 2 if each is None else each[offset:4:2] for each in content["extents"]])
        for offset in (0, 1)
    )
    found: np.ndarray = low[:, None] + share * span[:, None]
    return found


@pytest.fixture(scope="module")
def report() -> Report:
    return sample_report()


@pytest.fixture(scope="module")
def written(report: Report) -> Scripts:
    return scripts(report)


@pytest.fixture(scope="module")
def site(report: Report) -> Rendered:
    return Rendered(report)


@pytest.fixture(scope="module")
def index(site: Rendered) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(site["explore/index.html"].one("[data-index]").text)
    return content


# --- the scripts --------------------------------------------------------------------------------------------------


def test_there_is_a_script_per_capture_and_projection(written: Scripts) -> None:
    for slug in ("smol-30", "mini-6"):
        for context in ("alone", "sentence"):
            folder = f"data/{slug}/{context}"
            assert written[f"{folder}/words.js"][0] == f"{slug}/{context}"
            for projection in ("standardized", "centered"):
                key, _ = written[f"{folder}/coordinates-{projection}.js"]
                assert key == f"{slug}/{context}/{projection}"


def test_coordinates_come_back_to_within_a_step(report: Report, written: Scripts) -> None:
    """A 65,535th of the axis, at each depth; a depth without a picture has no extents."""
    for model in report.models:
        for context in model.contexts:
            for entry in context.projections:
                projection = entry.projection
                path = f"data/{model.slug}/{context.states.context.name}/coordinates-{projection.name}.js"
                content = written[path][1]
                found = places(content, len(report.words.words))
                for depth, expected in enumerate(projection.coordinates):
                    if projection.problems[depth]:
                        assert content["extents"][depth] is None
                        assert content["problems"][depth]
                        continue
                    _, across, _, up = content["extents"][depth]
                    assert np.abs(found[depth] - expected).max() < 1e-5 * max(across, up)


def test_many_places_come_in_parts_of_some_depths(
    report: Report, written: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = "data/mini-6/alone"
    whole, n_words = written[f"{folder}/coordinates-standardized.js"][1], len(report.words.words)
    monkeypatch.setattr(explore_data, "PART", 3 * len(whole["places"]) // len(whole["extents"]))
    in_parts = scripts(report)
    _, content = in_parts[f"{folder}/coordinates-standardized.js"]
    assert "places" not in content
    assert content["depths"] == 3
    found = []
    for part in range(3):
        key, own = in_parts[f"{folder}/coordinates-standardized-{part}.js"]
        assert key == f"mini-6/alone/standardized/{part}"
        found.append(places({**own, "extents": content["extents"][3 * part : 3 * part + 3]}, n_words))
    assert f"{folder}/coordinates-standardized-3.js" not in in_parts
    np.testing.assert_array_equal(np.concatenate(found), places(whole, n_words))


@pytest.mark.parametrize("n_words", [117, 3_500])
def test_extents_are_those_of_the_plates(report: Report, n_words: int) -> None:
    """Above 3,000 words the outermost don't set the limits, here as there."""
    coordinates = np.random.default_rng(3).standard_t(2, size=(1, n_words, 2))
    projection = dataclasses.replace(
        report.models[0].contexts[0].projections[0].projection,
        coordinates=coordinates,
        grid_coordinates=coordinates,
        explained_variance_ratio=np.full((1, 2), 0.1),
        reference=np.arange(n_words) % 10 > 0,
        problems=(None,),
        grid_problems=(None,),
        left_out=((),),
    )
    words = tuple(f"word{row}" for row in range(n_words))
    points = Points(
        words=words,
        memberships=((0,),) * n_words,
        categories=("All",),
        reference=projection.reference,
        several_tokens=np.zeros(n_words, dtype=bool),
    )
    plate = PlateDrawing(
        Plate(
            form="wide",
            model="model",
            context="alone",
            depth="embedding",
            points=points,
            coordinates=coordinates[0],
            explained_variance_ratio=(0.1, 0.1),
        )
    )
    content, _ = explore_data.coordinates(projection)
    low, across, bottom, up = content["extents"][0]
    middle = plate.framing.main.middle
    assert (low + across / 2, bottom + up / 2) == pytest.approx(middle, rel=1e-4, abs=1e-4 * across)
    placed = plate.framing.main.places(np.array([[low, bottom], [low + across, bottom + up]]))
    (left, bottom_edge), (right, top_edge) = placed
    box = plate.framing.main.area
    # The larger of both reaches from margin to margin.
    shares = ((right - left) * 1.12 / box.width, (bottom_edge - top_edge) * 1.10 / box.height)
    assert max(shares) == pytest.approx(1, rel=1e-4)


def test_a_word_far_beyond_the_reference_words_costs_the_others_no_precision(report: Report) -> None:
    model = report.models[1]
    context = model.contexts[0]
    shown = context.projections[0]
    coordinates = shown.projection.coordinates.copy()
    reference = np.ones(len(report.words.words), dtype=bool)
    reference[7] = False
    coordinates[2, 7] = 1e6, -3.0
    changed = dataclasses.replace(shown.projection, coordinates=coordinates, reference=reference)
    context = dataclasses.replace(context, projections=(dataclasses.replace(shown, projection=changed),))
    model = dataclasses.replace(model, contexts=(context,))
    _, content = scripts(dataclasses.replace(report, models=(model,)))["data/mini-6/alone/coordinates-standardized.js"]
    ends = np.frombuffer(base64.b64decode(content["ends"]), dtype="<f4")
    assert ((ends < 0) | (ends > 1)).any()
    assert len(ends) <= 6 * len(coordinates)  # at most the ends of two axes, and both numbers of the word
    found = places(content, len(report.words.words))
    assert found[2, 7] == pytest.approx(coordinates[2, 7], rel=1e-4)
    assert np.abs(np.delete(found[2] - coordinates[2], 7, axis=0)).max() < 1e-3


def test_words_that_are_all_alike_still_have_an_axis(tmp_path: Path) -> None:
    n_words = len(making.WORDS.words)
    projection = sample_report().models[1].contexts[0].projections[0].projection
    flat = dataclasses.replace(
        projection,
        coordinates=np.full((1, n_words, 2), 5.0),
        grid_coordinates=np.full((1, n_words, 2), 5.0),
        explained_variance_ratio=np.full((1, 2), np.nan),
        reference=np.ones(n_words, dtype=bool),
        problems=(None,),
        grid_problems=(None,),
        left_out=((),),
    )
    states = making.put(Store(tmp_path), states=making.depths(1))
    context = ContextReport(
        states=states, projections=(ProjectionReport(projection=flat, plates=(None,), grid=None, strip=None),)
    )
    report = sample_report()
    model = dataclasses.replace(report.models[1], contexts=(context,))
    report = dataclasses.replace(report, words=making.WORDS, models=(model,))
    _, content = scripts(report)["data/mini-6/alone/coordinates-standardized.js"]
    low, across, bottom, up, flat = content["extents"][0]
    assert (low + across / 2, bottom + up / 2, flat) == (5, 5, 3)
    assert content["variance"] == [[None, None]]
    assert places(content, n_words)[0] == pytest.approx(np.full((n_words, 2), 5.0), abs=1e-3)


def test_what_authors_write_reaches_the_scripts_whole() -> None:
    report = hostile_report()
    _, content = scripts(report)["data/words.js"]
    assert content["words"] == list(report.words.words)
    assert HOSTILE in content["words"]


def test_a_word_list_of_thousands_stays_light(report: Report) -> None:
    """10,000 words × 10 layers: the coordinates of a projection take less than 650 kB, before they are compressed."""
    projection = report.models[0].contexts[0].projections[0].projection
    random = np.random.default_rng(0)
    coordinates = random.normal(size=(11, 10_000, 2))
    many = dataclasses.replace(
        projection,
        coordinates=coordinates,
        grid_coordinates=coordinates,
        explained_variance_ratio=np.full((11, 2), 0.1),
        reference=np.ones(10_000, dtype=bool),
        problems=(None,) * 11,
        grid_problems=(None,) * 11,
        left_out=((),) * 11,
    )
    content, parts = explore_data.coordinates(many)
    assert len(json.dumps([content, *parts])) < 650_000
    assert len(parts) == 11


# --- neighbours -----------------------------------------------------------------------------------------------------


def test_neighbours_are_the_nearest_by_cosine_at_each_depth(tmp_path: Path) -> None:
    states = making.put(Store(tmp_path))
    rows = neighbours(states).rows
    assert rows.shape == (3, 7, 5)
    for depth in range(3):
        state = (
            StandardScaler().fit(states.states[depth][states.tokenization.reference]).transform(states.states[depth])
        )
        unit = state / np.linalg.norm(state, axis=1, keepdims=True)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -np.inf)
        cosine[:6, 6] = -np.inf  # read at another position than they are
        for row in range(7):
            assert rows[depth, row].tolist() == np.argsort(-cosine[row])[:5].tolist()


def test_neighbours_reach_the_script(tmp_path: Path, report: Report) -> None:
    states = making.put(Store(tmp_path))
    first = neighbours(states)
    context = ContextReport(states=states, projections=(), neighbours=first)
    model = dataclasses.replace(report.models[1], contexts=(context,))
    key, content = scripts(dataclasses.replace(report, words=making.WORDS, models=(model,)))[
        "data/mini-6/alone/neighbours.js"
    ]
    assert key == "mini-6/alone neighbours"
    found = np.frombuffer(base64.b64decode(content["rows"]), dtype="u1").reshape(3, 7, content["k"])
    assert (found == first.rows).all()


def test_a_word_without_neighbours_to_speak_of_stands_in_their_place(tmp_path: Path, report: Report) -> None:
    depths = making.depths()
    depths[1][:] = depths[1][0]
    first = neighbours(making.put(Store(tmp_path), states=depths))
    assert (first.rows[1] == -1).all()
    found = np.frombuffer(base64.b64decode(explore_data._neighbours(first)["rows"]), dtype="u1").reshape(3, 7, 5)
    assert (first.rows[[0, 2]] >= 0).all(axis=2).sum() > 7
    assert (found == np.where(first.rows < 0, np.arange(7)[:, None], first.rows)).all()


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_script_that_the_index_promises_is_written(index: dict[str, Any], written: Scripts) -> None:
    promised = {index["words"]}
    for model in index["models"]:
        for context in model["contexts"]:
            folder = f"{model['data']}/{context['name']}"
            promised |= {f"{folder}/words.js"}
            promised |= {f"{folder}/coordinates-{each['name']}.js" for each in context["projections"]}
            promised |= {f"{folder}/neighbours.js"} if context["neighbours"] else set()
            promised |= {f"{folder}/scores.js"} if context.get("scores") else set()
    assert {f"../{path}" for path in written} == promised


@pytest.mark.slow
def test_the_page_holds_no_coordinates(report: Report) -> None:
    """Fifty models must stay light: what the page itself carries grows by a kilobyte per model and some."""
    models = tuple(dataclasses.replace(report.models[1], slug=f"m-{each}", name=f"M {each}") for each in range(50))
    fifty = dataclasses.replace(report, models=models)
    site = Rendered(fifty)
    assert len(site["explore/index.html"].one("[data-index]").text) < 65_000
    assert len(site.files["explore/index.html"].encode()) < 100_000


def test_it_opens_where_massive_activations_emerge(report: Report, index: dict[str, Any]) -> None:
    first = index["models"][0]["contexts"][0]
    assert first["opening"] == present(report.models[0].contexts[0].geometry).massive.emergence_depth


def test_without_a_captured_model_there_is_no_explorer(report: Report) -> None:
    lost = dataclasses.replace(report, models=report.models[2:])
    site = Rendered(lost)
    assert "explore/index.html" not in site
    assert site["index.html"].texts("nav[aria-label=Pages] li") == ["Overview", "lost-7B", "Method"]


def test_a_models_page_leads_to_the_same_view(site: Rendered) -> None:
    panel = site.models[1].one(".panel[data-context=sentence][data-projection=centered]")
    assert panel.one("[data-explore]")["href"] == "../../explore/index.html#a=mini-6/sentence/centered&at=embedding"


def test_colours_and_shapes_are_those_of_the_plates() -> None:
    """The colours themselves are in plate.css."""
    script = (ASSETS / "explore" / "data.js").read_text(encoding="utf-8")
    assert f"dataset.hues ?? {len(PALETTE)})" in (ASSETS / "common.js").read_text(encoding="utf-8")
    for path in (ASSETS / "explore").iterdir():
        text = path.read_text(encoding="utf-8").partition("@media (forced-colors: active)")[0]
        assert re.findall(r"#[0-9a-f]{3,6}\b", text) == [], path
    shapes = re.findall(r'^    "(M.*Z)",$', script, re.MULTILINE)
    for name, shape in zip(MARKERS, shapes, strict=True):
        if name == "circle":
            continue
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", shape)]
        drawn = np.array(numbers).reshape(-1, 2) * (1, -1)
        expected = np.asarray(style.outline(name).to_polygons(closed_only=True)[0])[:-1]
        assert drawn == pytest.approx(expected, abs=0.002)
