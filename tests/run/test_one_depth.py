"""Models of a single depth, the embedding: whole reports, beside a model that has layers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import families
import pytest
import tiny_tokenizers
import torch
import transformers
from browser import OpenPage, wait_until_quiet
from command import CONFIG, done, generate, generate_blank
from families import Tiny

from tokviz.models import quiet_transformers

pytestmark = [pytest.mark.process, pytest.mark.thorough]


def without_layers(folder: Path) -> None:
    torch.manual_seed(0)
    config = families.BY_NAME["qwen3"].config()
    config.num_hidden_layers, config.layer_types = 0, []
    with quiet_transformers():
        transformers.Qwen3ForCausalLM(config).save_pretrained(folder)
    tiny_tokenizers.byte_level().save_pretrained(folder)


VOCABULARY = """
projections = ["standardized", "without_massive"]
plate_size = [750, 600]
[words]
vocabulary = true
layers = ["embedding"]
animals = ["cat"]
[[models]]
source = "flat"
[[models]]
source = "bert"
"""


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a model without layers and of one with; and the config of another, of two vocabularies' embeddings."""
    folder = tmp_path_factory.mktemp("one-depth")
    without_layers(folder / "flat")
    tiny.copy("bert", folder / "bert")
    (folder / "report.toml").write_text(CONFIG + '[[models]]\nsource = "flat"\n[[models]]\nsource = "bert"\n')
    (folder / "vocabulary.toml").write_text(VOCABULARY)
    done(generate_blank(folder, "--excerpts", "--svg"))
    return folder


def depths(site: Path, model: str) -> set[str]:
    with (site / "data" / model / "alone" / "coordinates.csv").open(encoding="utf-8", newline="") as file:
        return {row["layer"] for row in csv.DictReader(file)}


def test_a_model_without_layers_has_pages_beside_one_with_layers(project: Path) -> None:
    site = project / "site"
    assert depths(site, "flat") == {"embedding"}
    assert depths(site, "bert") == {"embedding", "layer 0", "layer 1", "layer 2"}
    for page in ("models/flat", "compare", "explore", "method", "."):
        assert "NaN" not in (site / page / "index.html").read_text(encoding="utf-8")
    assert 'max="0"' in (site / "models" / "flat" / "index.html").read_text(encoding="utf-8")
    assert (site / "images/flat/alone/standardized/flat__model.embed_tokens.svg").exists()
    report = json.loads((site / "data" / "report.json").read_text(encoding="utf-8"))
    assert [len(model["contexts"][0]["module_paths"]) for model in report["models"]] == [1, 4]


@pytest.mark.parametrize(
    "path",
    [
        "models/flat/index.html",
        "compare/index.html#a=flat/alone/standardized&b=bert/alone/standardized&by=relative&at=0.5",
        "compare/index.html#a=flat/alone/standardized&b=flat/sentence/standardized&by=relative&at=0.5",
        "explore/index.html#a=flat/alone/standardized&b=bert/alone/standardized",
    ],
)
def test_scripts_move_through_a_single_depth(project: Path, open_page: OpenPage, path: str) -> None:
    page = open_page(project / "site", path)
    for key in ("ArrowRight", "ArrowLeft", "End", "Home"):
        page.keyboard.press(key)
    wait_until_quiet(page)
    assert "NaN" not in page.content()
    assert "NaN" not in page.url


def test_only_the_embeddings_of_vocabularies_make_a_report(project: Path) -> None:
    done(generate_blank(project, "--config", "vocabulary.toml", "--output", "vocabulary"))
    assert depths(project / "vocabulary", "flat") == depths(project / "vocabulary", "bert") == {"embedding"}
    # Some of a model's layers are whole states, too.
    again = done(generate_blank(project, "--config", "vocabulary.toml", "--output", "vocabulary", "--dry-run"))
    assert again.startswith("nothing is to be captured, measured or drawn"), again


def test_a_model_of_one_depth_alone_makes_a_report(project: Path) -> None:
    done(generate(project, "--model", "./flat", "--output", "alone", "--draft"))
    assert "2 models" not in done(generate(project, "--model", "./flat", "--output", "alone"))
