"""Neurons that were planted into a checkpoint are named by its report, switched off, and what is then is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import families
import pytest
import torch
import transformers
from at_once import draw_at_once
from narrow import present
from planting import LAYER, answering, mlp_inputs

from tokviz.capture.tokens import tokenize
from tokviz.config import ReportConfig
from tokviz.models import quiet_transformers
from tokviz.records import Context
from tokviz.run import pipeline, prune
from tokviz.run.capturing import capturing, remote_capture
from tokviz.run.plan.options import Options
from tokviz.run.plan.plan import Plan
from tokviz.run.store.locks import Locks
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Quiet

pytestmark = pytest.mark.slow

WORDS = {"people": ["James", "Mary", "doctor"], "times": ["January", "February", "Tuesday", "May"]}
ALL_WORDS = tuple(word for of_category in WORDS.values() for word in of_category)
NEURONS, DIMENSION = [9, 40], 21


def plant(folder: Path) -> None:
    """Two neurons that write a huge value at each of the words, alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with quiet_transformers():
        whole = transformers.AutoModelForCausalLM.from_pretrained(folder)
    mlp = whole.model.layers[LAYER].mlp
    context = Context(name="alone", label="alone", template=" {word}")
    inputs = mlp_inputs(whole.model, mlp, tokenize(tokenizer, ALL_WORDS, context, "last"))
    rows = answering(inputs)
    with torch.no_grad():
        for matrix in (mlp.gate_proj, mlp.up_proj):
            matrix.weight[NEURONS] = rows
        mlp.down_proj.weight[DIMENSION, NEURONS] = torch.tensor([900.0, 300.0])
    with quiet_transformers():
        whole.save_pretrained(folder)


@pytest.fixture(autouse=True)
def _draw_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_at_once(monkeypatch)


def config(**changes: Any) -> ReportConfig:
    models = [{"source": "planted"}, {"source": "plain"}]
    values = {"words": WORDS, "models": models, "projections": ["centered"], "plate_size": [750, 600]}
    return ReportConfig.model_validate({**values, **changes})


def options(folder: Path) -> Options:
    return Options(base=folder, output=folder / "site", cache=folder / "cache")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in ("planted", "plain"):
        families.build("llama", folder / name)
    plant(folder / "planted")
    with pytest.MonkeyPatch.context() as patch:
        draw_at_once(patch)
        pipeline.run(config(), options(folder), Quiet())
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "project", copy_function=shutil.copy2)
    shutil.rmtree(tmp_path / "project" / "cache" / "reports")
    return tmp_path / "project"


def page(folder: Path, model: str) -> str:
    return (folder / "site" / "models" / model / "index.html").read_text(encoding="utf-8")


def plan(folder: Path, **changes: Any) -> Plan:
    return Plan(config(**changes), options(folder), Store(folder / "cache"))


def test_the_planted_neurons_are_named_and_the_values_are_gone_without_them(made: Path) -> None:
    (context,) = plan(made).models[0].contexts
    captured = context.captured
    assert captured is not None
    breaking = captured.states.updates.breaking  # type: ignore[union-attr]  # it was measured
    assert breaking is not None
    assert (breaking.layer, breaking.dimension, breaking.neurons) == (LAYER, DIMENSION, tuple(NEURONS))
    # Some of the words are of several tokens, so that they are read further on.
    off = context.interventions[0].captured
    assert off is not None
    done = off.states.intervention
    assert done is not None
    assert (done.path, done.neurons, done.value) == (f"model.layers.{LAYER}.mlp.down_proj", tuple(NEURONS), "zero")
    before, after = (abs(states.states[LAYER + 1]).max() for states in (captured.states, off.states))
    assert after < before / 100
    text = page(made, "planted")
    assert f"What happens at layer {LAYER}" in text
    assert f"The same words without neurons 9 and 40 of layer {LAYER}" in text


def test_of_a_model_without_a_break_nothing_is_claimed_or_captured_again(made: Path) -> None:
    (context,) = plan(made).models[1].contexts
    assert context.captured is not None
    assert context.interventions == ()
    text = page(made, "plain")
    assert "What each layer adds" in text
    assert "The same words without" not in text


def test_a_second_run_captures_nothing(project: Path) -> None:
    assert [each.due for each in plan(project).models] == [[], []]
    assert pipeline.run(config(), options(project), Quiet()).n_captured == 0


def test_what_is_missing_without_the_neurons_is_captured_again(project: Path) -> None:
    before = page(project, "planted")
    (context,) = plan(project).models[0].contexts
    intact = project / "cache" / "states" / context.key / "states.json"
    shutil.rmtree(project / "cache" / "states" / context.interventions[0].key)
    before_run = intact.stat().st_mtime_ns
    (again,) = plan(project).models[0].contexts
    assert (again.due, again.all_due) == (None, f"neurons 9, 40 of layer {LAYER} set to zero not captured yet")
    pipeline.run(config(), options(project), Quiet())
    assert intact.stat().st_mtime_ns == before_run
    assert page(project, "planted") == before


def test_a_worker_that_does_not_see_the_cache_sends_them_too(project: Path) -> None:
    (context,) = plan(project).models[0].contexts
    everything = Plan(config(), replace(options(project), force=True), Store(project / "cache"))
    request = capturing.request_for(everything.models[0], everything)
    unseen = remote_capture._Shared(cache=project / "elsewhere", mark="no such mark")
    sent = remote_capture.capture_there(request, unseen)
    assert sent.states is not None
    assert context.key in sent.states
    assert {each.key for each in context.interventions} < set(sent.states)
    assert set(sent.losses) == {present(context.loss).key}


def test_interventions_can_be_left_out(project: Path) -> None:
    pipeline.run(config(interventions="off"), options(project), Quiet())
    text = page(project, "planted")
    assert f"What happens at layer {LAYER}" in text
    assert "The same words without" not in text
    shutil.rmtree(project / "cache" / "states")
    pipeline.run(config(interventions="off"), options(project), Quiet())
    assert len(list((project / "cache" / "states").iterdir())) == 2


def test_pruning_leaves_what_was_captured_without_the_neurons(project: Path) -> None:
    n_before = len(list((project / "cache" / "states").iterdir()))
    settings = replace(options(project))
    removed = prune.prune(config(), settings, prune.OLDER_THAN_DAYS, Locks(), dry_run=False)
    assert [line for line in removed if " 0 removed" not in line] == []
    assert len(list((project / "cache" / "states").iterdir())) == n_before
    assert n_before > 2
