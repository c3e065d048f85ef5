"""Untrained controls through the whole run: what is captured, kept and told of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from command import done, generate_blank
from families import Tiny
from invoking import foreseen
from related_fixture import CONFIG

import tokviz
from tokviz.config import load
from tokviz.errors import TokvizError
from tokviz.models import UntrainedModel
from tokviz.run import prune
from tokviz.run.plan.options import Options
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a report of a tiny model and its controls, made after one without."""
    folder = tmp_path_factory.mktemp("untrained")
    tiny.copy("llama", folder / "llama")
    write(folder)
    done(generate_blank(folder))
    assert "untrained" not in (folder / "site/models/llama/index.html").read_text(encoding="utf-8")
    write(folder, "untrained = true\n")
    assert "alone: captured; capture 11 untrained models, then measure" in foreseen(folder)
    assert "(1 new capture, 0 new images)" in done(generate_blank(folder))
    return folder


def write(folder: Path, of_report: str = "", of_model: str = "") -> None:
    text = f'{of_report}read = "first"\nplate_size = [750, 600]\n[[models]]\nsource = "./llama"\n{of_model}{CONFIG}'
    (folder / "report.toml").write_text(text, encoding="utf-8")


def test_charts_sentences_and_tables_have_them(folder: Path) -> None:
    model = (folder / "site/models/llama/index.html").read_text(encoding="utf-8")
    assert model.count('data-adds="untrained"') == 1
    assert re.search(r'<path class="curve style-random dash-0 switch-untrained"', model)
    assert re.search(r'<path class="interval style-layers switch-untrained"', model)
    said = re.search(r"Words alone, the model at its best layer: [^<]+", model)
    assert said is not None
    assert "with random or permuted layers" in said[0]
    assert re.search(
        r"In permuted layers each update has the trained layer’s norm, for which it is multiplied by [\d.]+ to [\d.]+\.",
        model,
    )
    report = json.loads((folder / "site/data/report.json").read_text(encoding="utf-8"))
    (context,) = report["models"][0]["contexts"]
    assert len(context["untrained"]["own_embedding"]) == 5
    assert len(context["untrained"]["random"]["purity"]) == len(context["module_paths"])


def test_nothing_is_captured_again_and_prune_keeps_them(folder: Path) -> None:
    assert "untrained" not in foreseen(folder)
    states = len(list((folder / ".cache/states").iterdir()))
    options = Options(base=folder, output=folder / "site", cache=folder / ".cache")
    prune.prune(load(folder / "report.toml"), options, 0, Locks(waits=False), dry_run=False)
    assert len(list((folder / ".cache/states").iterdir())) == states


def test_a_models_own_table_has_priority(folder: Path) -> None:
    write(folder, "untrained = true\n", "untrained = false\n")
    done(generate_blank(folder, "--output", "without"))
    assert "data-adds" not in (folder / "without/models/llama/index.html").read_text(encoding="utf-8")
    write(folder, "untrained = true\n")


def test_a_notebook_has_their_states(folder: Path) -> None:
    own = tokviz.study(folder / "report.toml", cache=folder / ".cache", quiet=True)["llama"]["alone"]
    found = own.untrained()
    kinds = ("own embedding", "permuted")
    assert list(found) == ["random", *(f"{kind} {number}" for kind in kinds for number in range(1, 6))]
    for name, each in found.items():
        assert np.array_equal(each[0], own[0]) == (name != "random"), "the embedding is its own"
        assert not np.allclose(each[-1], own[-1])
    assert not np.allclose(found["own embedding 1"][-1], found["own embedding 2"][-1])
    assert not np.allclose(found["permuted 1"][-1], found["permuted 2"][-1])
    for layer in range(own.shape[0] - 1):
        added, trained = (
            np.median(np.linalg.norm(each[layer + 1] - each[layer], axis=1)) for each in (found["permuted 1"], own)
        )
        assert added == pytest.approx(trained, rel=0.2), "as long as the trained layer's, over some of the words"
    with pytest.raises(TokvizError, match="expected states of the model itself, got those of an untrained model"):
        found["random"].lens()


def test_a_kind_without_an_untrained_form_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise tokviz.errors.SourceError("LlamaModel: expected a class that is made from its config alone")

    monkeypatch.setattr(UntrainedModel, "_made", refused)
    study = tokviz.study(folder / "llama", {"a": ["red", "blue", "green"]}, cache=folder / "other", quiet=True)
    own = study["llama"]["alone"]
    with pytest.raises(TokvizError, match="LlamaModel: expected a class that is made from its config alone"):
        own.untrained()
    assert own.shape[0] > 1, "the model itself was captured"
