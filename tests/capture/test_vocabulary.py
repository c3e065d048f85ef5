"""A report over whole vocabularies: each model has its own, and what both share is compared."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from families import Tiny

from tokviz.config import load
from tokviz.run import pipeline
from tokviz.run.plan.options import Options
from tokviz.run.work.progress import Quiet

pytestmark = [pytest.mark.process, pytest.mark.thorough]

CONFIG = """
projections = ["standardized"]
plate_size = [750, 600]
[words]
vocabulary = true
layers = ["embedding", 0]
animals = ["cat", "unheard-of"]
[[models]]
source = "qwen3"
[[models]]
source = "bert"
"""


@pytest.fixture(scope="module")
def report(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pipeline.Outcome, pipeline.Outcome]:
    folder = tmp_path_factory.mktemp("vocabulary")
    for name in ("qwen3", "bert"):
        tiny.copy(name, folder / name)
    (folder / "report.toml").write_text(CONFIG, encoding="utf-8")
    options = Options(base=folder, output=folder / "site", cache=folder / "cache", forms=("wide",), jobs=1)
    config = load(folder / "report.toml")
    return options.output, pipeline.run(config, options, Quiet()), pipeline.run(config, options, Quiet())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_model_has_words_of_its_own_and_only_the_configured_layers(
    report: tuple[Path, pipeline.Outcome, pipeline.Outcome],
) -> None:
    site, first, _ = report
    assert not first.failures
    words = {}
    for model, token in (("qwen3", " cat"), ("bert", "cat")):
        found = rows(site / "data" / model / "alone" / "coordinates.csv")
        assert {row["layer"] for row in found} == {"embedding", "layer 0"}
        words[model] = {row["word"] for row in found}
        # The landmark is the token of its word; a word without a token is left out.
        assert {row["word"] for row in found if row["categories"]} == {token}
        tokens = rows(site / "data" / model / "alone" / "tokens.csv")
        assert {row["n_tokens"] for row in tokens} == {"1"}
    assert words["qwen3"] != words["bert"]


def test_the_pages_say_that_words_are_tokens(report: tuple[Path, pipeline.Outcome, pipeline.Outcome]) -> None:
    site, _, _ = report
    method = (site / "method" / "index.html").read_text(encoding="utf-8")
    assert "of whole vocabularies, each fed as that one token; vocabularies have no explorer" in method
    assert not (site / "explore").exists()
    for page in site.rglob("*.html"):
        assert "explore/index.html" not in page.read_text(encoding="utf-8")
    assert "measured on the words of categories only" in method


def test_a_second_run_captures_and_draws_nothing(report: tuple[Path, pipeline.Outcome, pipeline.Outcome]) -> None:
    _, first, second = report
    assert first.n_captured == 2
    assert (second.n_captured, second.n_drawn) == (0, 0)
