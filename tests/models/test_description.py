"""What a source is and whether it can be captured, told before a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants
from sources import edit_config, refusal

from tokviz.config import ModelConfig
from tokviz.models import describe, load
from tokviz.models.description import Description

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of ``org/name`` in a Hugging Face cache without the Hub; nothing is in it."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # It has read both variables when it was imported.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "hub" / "models--org--name"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return folder


def test_the_facts_are_those_of_the_loaded_model(checkpoints: Path) -> None:
    for family in ("llama", "bert"):
        model = ModelConfig(source=family)
        found, card = describe(model, checkpoints), load(model, checkpoints, "cpu").card
        assert found == Description(
            kind="folder",
            n_bytes=(checkpoints / family / "model.safetensors").stat().st_size,
            architecture=card.architecture,
            n_layers=card.n_layers,
            width=card.width,
            n_parameters=card.n_parameters,
        )


def test_a_model_of_the_hub_need_not_be_here_whole(checkpoints: Path, repository: Path, tmp_path: Path) -> None:
    model = ModelConfig(source="org/name")
    assert "HF_HUB_OFFLINE forbids downloads" in str(describe(model, tmp_path).problem)
    snapshot = shutil.copytree(checkpoints / "llama", repository / "snapshots" / COMMIT)
    whole = describe(model, tmp_path)
    assert (whole.kind, whole.is_here, whole.problem) == ("hub", True, None)
    (snapshot / "model.safetensors").unlink()
    without = describe(model, tmp_path)
    assert (without.is_here, without.n_layers, without.n_bytes, without.problem) == (False, 3, None, None)


def test_without_torch_it_says_how_to_get_it(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    problem = describe(ModelConfig(source="llama"), checkpoints).problem
    assert (
        problem
        == 'llama: torch and transformers are not installed; install tokviz with its extra models, in a checkout: pip install ".[models]"'
    )


def test_what_a_run_would_refuse_is_told(llama: Path) -> None:
    (llama / "config.json").write_text("{", encoding="utf-8")
    found = describe(ModelConfig(source="llama"), llama.parent)
    assert "check that the files are whole" in str(found.problem)
    assert (found.kind, found.n_layers) == ("folder", None)


def test_weights_that_go_meanwhile_are_not_counted(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = [llama / "model.safetensors", llama / "gone.safetensors"]
    monkeypatch.setattr("tokviz.models.description.weights_files", lambda _: weights)
    assert describe(ModelConfig(source="llama"), llama.parent).n_bytes == weights[0].stat().st_size


def test_weights_that_are_not_whole_are_told(llama: Path) -> None:
    os.truncate(llama / "model.safetensors", (llama / "model.safetensors").stat().st_size - 4)
    assert "expected the whole of model.safetensors" in str(describe(ModelConfig(source="llama"), llama.parent).problem)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"intermediate_size": 48}, "expected weights of the shapes that config.json gives"),
        ({"num_hidden_layers": 4}, "found none for layers.3."),
    ],
    ids=str,
)
def test_a_config_of_other_weights_is_told_as_a_run_tells_it(llama: Path, values: dict[str, int], said: str) -> None:
    edit_config(llama, **values)
    found = describe(ModelConfig(source="llama"), llama.parent).problem
    assert found == refusal("llama", llama.parent)
    assert said in str(found)
