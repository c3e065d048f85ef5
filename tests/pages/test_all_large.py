"""Where nearly all tokens are large the whole report says so: alone, in a sentence, and behind a first token."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import all_large
import numpy as np
import pytest
from all_large import DIMENSION, EMERGENCE, N_LAYERS, RISE
from claims import plain
from command import CONFIG, generate_blank

pytestmark = pytest.mark.process

MODELS = ("all-large", "all-large-bos")
CONTEXTS = ("alone", "sentence")
CAPTURES = [(model, context) for model in MODELS for context in CONTEXTS]
RISEN = range(RISE + 1, N_LAYERS + 1)
"""The depths from which on other tokens are large, too."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all-large")
    config = CONFIG.replace('"standardized", "centered"', '"centered", "without_massive"')
    for name in MODELS:
        all_large.build(folder / name, bos=name.endswith("bos"))
        config += f'[[models]]\nsource = "{name}"\nname = "{name}"\n'
    (folder / "report.toml").write_text(config, encoding="utf-8")
    made = generate_blank(folder)
    assert made.returncode == 0, made.stderr
    return folder / "site"


def rows(site: Path, model: str, context: str, file: str) -> list[dict[str, str]]:
    with (site / "data" / model / context / file).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def text_of(site: Path, path: str) -> str:
    """Of a page, without its tags."""
    page = (site / path / "index.html").read_text(encoding="utf-8")
    page = re.sub(r"</?button[^>]*>", "", page)  # a term within a sentence
    return " ".join(plain(html.unescape(re.sub(r"<[^>]+>", " ", page))).split())


@pytest.mark.parametrize(("model", "context"), CAPTURES)
def test_the_planted_values_are_there(site: Path, model: str, context: str) -> None:
    depths = rows(site, model, context, "geometry.csv")
    largest = [float(row["largest"]) for row in depths]
    assert largest[EMERGENCE] < 100
    assert 900 < largest[EMERGENCE + 1] < 1_000
    assert min(largest[RISE + 1 :]) > 25_000
    assert [float(depths[depth]["ratio"]) < 300 for depth in RISEN] == [True] * len(RISEN)
    assert all(0.8 < float(depths[depth]["top_share"]) < 0.95 for depth in RISEN)


@pytest.mark.parametrize(("model", "context"), CAPTURES)
def test_the_table_of_measures_names_the_dimension(site: Path, model: str, context: str) -> None:
    depths = rows(site, model, context, "geometry.csv")
    assert [row["dominant"] for row in depths[EMERGENCE + 1 :]] == [str(DIMENSION)] * (N_LAYERS - EMERGENCE)
    assert [row["dominant"] for row in depths[: EMERGENCE + 1]] == [""] * (EMERGENCE + 1)
    for depth in RISEN:
        assert depths[depth]["massive"] == "0"
        assert depths[depth]["energy_share"] == depths[depth]["top_share"]
        assert float(depths[depth]["pc1_in_massive"]) > 0.9


@pytest.mark.parametrize(("model", "context"), CAPTURES)
def test_without_massive_leaves_the_dimension_out(site: Path, model: str, context: str) -> None:
    coordinates = rows(site, model, context, "coordinates.csv")

    def spread(depth: int, projection: str) -> float:
        values = [float(row[f"{projection}_pc1"]) for row in coordinates if row["depth"] == str(depth)]
        return float(np.ptp(values))

    assert spread(0, "without_massive") == spread(0, "centered")
    for depth in RISEN:
        assert spread(depth, "without_massive") < spread(depth, "centered") / 10


@pytest.mark.parametrize("model", MODELS)
def test_the_models_page_says_what_holds_most_and_that_nothing_steps_down(site: Path, model: str) -> None:
    page = text_of(site, f"models/{model}")
    assert page.count(f"Layer {EMERGENCE}: massive activations emerge") >= 2
    grown = "no longer massive by the ratio, though the largest |x| is larger: typical tokens’ median has grown more"
    assert page.count(f"Layer {RISE}: {grown}") == 2
    assert "no longer have massive activations" not in page
    assert page.count(f"Layers {RISE}–{N_LAYERS - 1}: dimension {DIMENSION} is dominant, not massive") == 2
    assert "massive activations end" not in page
    assert "differ from word to word" not in page
    for sentence in re.findall(r"No dimension is massive \([^)]*\)", page):
        assert float(re.findall(r"largest \|x\| ([\d.]+)", sentence)[0]) < 100
    assert (
        len(re.findall(rf"imension {DIMENSION} is dominant(?: at \d of \d depths)?, with [\d.–]+ % of Σ x²", page)) >= 2
    )
    assert "Largest share of one dimension" in page


def test_the_other_pages_agree(site: Path) -> None:
    compare, method = (text_of(site, path) for path in ("compare", "method"))
    assert "In this report, the reference words are read at position 0 in the context “alone” of all-large. " in method
    n_dominant = N_LAYERS - EMERGENCE
    assert compare.count(f"a dominant dimension at {n_dominant} of {N_LAYERS + 1} depths") == len(CAPTURES)
    assert compare.count(f"layer {EMERGENCE} to layer {RISE - 1}") == len(CAPTURES)
    assert "words are read at position 0, where many models build an attention sink" in compare
    assert "Dominant dimensions" in method
    assert "more than 50 % of Σ x²" in method
