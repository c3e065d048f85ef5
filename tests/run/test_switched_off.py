"""Neurons that were planted into a checkpoint are named by its report, switched off, and what is then is kept."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from at_once import options, run_at_once
from families import Tiny
from narrow import present
from planting import LAYER, answering, mlp_inputs

from tokviz import models
from tokviz.bundled import LOSS_TEXT
from tokviz.capture import Structure, running
from tokviz.capture.tokens import tokenize
from tokviz.config import ModelConfig, ReportConfig
from tokviz.models import quiet_transformers
from tokviz.records import N_EXTREMES, Context, Loss
from tokviz.run import prune
from tokviz.run.capturing import remote_capture
from tokviz.run.dry_run import describe
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.kinds.losses import LossText, measure_loss
from tokviz.run.kinds.ready import Ready
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
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


def config(**changes: Any) -> ReportConfig:
    models = [{"source": "planted"}, {"source": "plain"}]
    contexts = [{"name": "alone", "template": " {word}"}]
    values = {
        "words": WORDS,
        "models": models,
        "contexts": contexts,
        "projections": ["centered"],
        "plate_size": [750, 600],
    }
    return ReportConfig.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in ("planted", "plain"):
        tiny.copy("llama", folder / name)
    plant(folder / "planted")
    run_at_once(config(), folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "project")
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
    off = context.of(Interventions)[0].states
    assert off is not None
    done = off.intervention
    assert done is not None
    assert (done.path, done.neurons, done.value) == (f"model.layers.{LAYER}.mlp.down_proj", tuple(NEURONS), "zero")
    before, after = (abs(states.states[LAYER + 1]).max() for states in (captured.states, off))
    assert after < before / 100
    text = page(made, "planted")
    assert f"What happens at layer {LAYER}" in text
    assert f"The same words without neurons 9 and 40 of layer {LAYER}" in text


def test_of_a_model_without_a_break_nothing_is_claimed_or_captured_again(made: Path) -> None:
    (context,) = plan(made).models[1].contexts
    assert context.captured is not None
    assert context.of(Interventions) == ()
    text = page(made, "plain")
    assert "What each layer adds" in text
    assert "The same words without" not in text


def test_what_another_process_has_measured_is_shown_at_once(project: Path) -> None:
    """Of the second model, too: then this process has looked into the cache before."""
    models = [{"source": "plain"}, {"source": "planted"}]
    elsewhere: dict[str, Any] = {"cache": project / "other-cache", "output": project / "other-site"}
    run_at_once(config(models=models), project, apart=True, **elsewhere)
    text = (project / "other-site/models/planted/index.html").read_text(encoding="utf-8")
    assert "next-token loss" in text
    assert text.count("next-token loss") == page(project, "planted").count("next-token loss")


def test_what_is_missing_without_the_neurons_is_captured_again(project: Path) -> None:
    before = page(project, "planted")
    (context,) = plan(project).models[0].contexts
    intact = project / "cache" / "states" / context.key / "states.json"
    shutil.rmtree(project / "cache" / "states" / context.of(Interventions)[0].key)
    before_run = intact.stat().st_mtime_ns
    (again,) = plan(project).models[0].contexts
    assert (again.due, again.all_due) == (None, f"neurons 9, 40 of layer {LAYER} set to zero not captured yet")
    run_at_once(config(), project)
    assert intact.stat().st_mtime_ns == before_run
    assert page(project, "planted") == before


def test_a_worker_that_does_not_see_the_cache_sends_them_too(project: Path) -> None:
    (context,) = plan(project).models[0].contexts
    everything = Plan(config(), options(project, force=True), Store(project / "cache"))
    request = due_request(everything.models[0])
    sent = remote_capture.capture_there(request, project / "elsewhere" / "no such mark")
    assert sent is not None
    states, measures = sent
    assert context.key in states
    assert {each.key for each in context.of(Interventions)} < set(states)
    assert set(measures) == {context.of(LossText)[0].key}


def test_how_much_goes_through_the_model_at_once_is_measured_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    measure = running._measure_limits

    def counted(passes: Any, limits: Any) -> Any:
        asked.append(len(passes.lengths))
        return measure(passes, limits)

    monkeypatch.setattr(running, "_measure_limits", counted)
    shutil.rmtree(project / "cache" / "states")
    run_at_once(config(untrained=True), project)
    # Of both models, whatever of them is captured besides.
    assert asked == [len(ALL_WORDS)] * 2
    assert len(list((project / "cache" / "states").iterdir())) > 2


def test_interventions_can_be_left_out(project: Path) -> None:
    run_at_once(config(interventions="off"), project)
    text = page(project, "planted")
    assert f"What happens at layer {LAYER}" in text
    assert "The same words without" not in text
    shutil.rmtree(project / "cache" / "states")
    run_at_once(config(interventions="off"), project)
    assert len(list((project / "cache" / "states").iterdir())) == 2


def test_pruning_leaves_what_was_captured_without_the_neurons(project: Path) -> None:
    n_before = len(list((project / "cache" / "states").iterdir()))
    removed = prune.prune(config(), options(project), prune.OLDER_THAN_DAYS, Locks(), dry_run=False)
    assert [line for line in removed if " 0 removed" not in line] == []
    assert len(list((project / "cache" / "states").iterdir())) == n_before
    assert n_before > 2


# --- the next-token loss ------------------------------------------------------------------------------------------------


def loss_of(folder: Path, **changes: Any) -> Loss | None:
    made = plan(folder, **changes)
    return made.store.find(made.models[0].contexts[0].of(LossText)[0].key, Loss)


def test_the_loss_is_measured_with_the_neurons_set_to_values(made: Path) -> None:
    loss = present(loss_of(made))
    assert (loss.n_passages, loss.n_tokens, loss.reason) == (8, 8 * 127, None)
    off, at_0, *others = loss.changes
    # No mean: these words are read after the tokenizer's own first token.
    assert [each.rule for each in loss.changes] == ["off", "off_at_0", "control", "random"]
    assert off.neurons == at_0.neurons == tuple(NEURONS)
    assert not any(set(each.neurons) & set(NEURONS) for each in others)
    module = transformers.AutoModelForCausalLM.from_pretrained(made / "planted").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "planted")
    ids = tokenizer(LOSS_TEXT.read_text(encoding="utf-8"), add_special_tokens=False)["input_ids"]
    first, n_passages = tokenizer("a")["input_ids"][0], len(ids) // 127
    starts = 127 * np.linspace(0, n_passages - 1, 8).round().astype(int)
    rows = [torch.tensor([[first, *ids[start : start + 127]]]) for start in starts]

    def of_each() -> np.ndarray:
        with torch.no_grad():
            return np.array([module(input_ids=row, labels=row).loss.item() for row in rows])

    intact = of_each()
    assert loss.intact == pytest.approx(intact.mean(), abs=1e-5)
    for change in loss.changes:
        if change.rule in ("off", "control", "random"):
            weight = module.model.layers[LAYER].mlp.down_proj.weight
            kept = weight.detach().clone()
            with torch.no_grad():
                weight[:, list(change.neurons)] = 0
            differences = of_each() - intact
            with torch.no_grad():
                weight.copy_(kept)
            assert change.difference == pytest.approx(differences.mean(), abs=1e-5)
            assert change.standard_error == pytest.approx(differences.std(ddof=1) / 8**0.5, abs=1e-5)


def test_the_page_and_a_table_show_it(made: Path) -> None:
    text, loss = page(made, "planted"), present(loss_of(made))
    assert "Next-token loss in nats, and its change" in text
    assert f"{loss.intact:.2f}" in text
    assert "measured on 8 passages of 128 tokens" in text
    with (made / "site" / "data" / "planted" / "alone" / "loss.csv").open(encoding="utf-8") as file:
        unchanged, *rows = csv.DictReader(file)
    assert unchanged["intervention"] == "unchanged"
    assert float(unchanged["loss"]) == pytest.approx(loss.intact, rel=1e-5)
    assert [row["intervention"] for row in rows] == [each.rule for each in loss.changes]
    assert [float(row["change"]) for row in rows] == pytest.approx([each.difference for each in loss.changes], rel=1e-4)
    assert {(row["passages"], row["tokens"], row["layer"]) for row in rows} == {("8", "1016", str(LAYER))}
    assert not (made / "site" / "data" / "plain" / "alone" / "loss.csv").exists()


def descriptions(folder: Path) -> dict[str, float]:
    """When the stored states were written."""
    return {str(file): file.stat().st_mtime_ns for file in (folder / "cache" / "states").rglob("states.json")}


def refuse_to_load(*_: Any, **__: Any) -> None:
    raise AssertionError("a model was loaded")


def without_loss(folder: Path) -> None:
    (file,) = (folder / "cache" / "measures").glob(f"{plan(folder).models[0].contexts[0].of(LossText)[0].key}.*")
    file.unlink()


def test_a_run_with_nothing_changed_loads_no_model(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.due for each in plan(project).models] == [[], []]
    monkeypatch.setattr(models, "load", refuse_to_load)
    before = page(project, "planted")
    assert run_at_once(config(), project).n_captured == 0
    assert page(project, "planted") == before


def test_a_stored_capture_without_its_loss_gets_it_and_stays_as_it_is(project: Path) -> None:
    before, states = page(project, "planted"), descriptions(project)
    without_loss(project)
    (context,) = plan(project).models[0].contexts
    assert (context.due, context.all_due, context.of(LossText)[0].due) == (None, "not measured yet", "not measured yet")
    (line, *_) = (each for each in describe(config(), options(project)).lines if "captured" in each)
    assert "measure the next-token loss (not measured yet)" in line
    run_at_once(config(), project)
    assert (page(project, "planted"), descriptions(project)) == (before, states)


def test_where_the_model_is_not_at_hand_a_stored_capture_is_shown_without_its_loss(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_loss(project)
    shutil.move(project / "planted", project / "moved")
    monkeypatch.setattr(models, "load", refuse_to_load)
    assert plan(project).models[0].due == []
    run_at_once(config(), project)
    assert "The same words without" in page(project, "planted")
    assert "Next-token loss in nats" not in page(project, "planted")


def test_another_text_is_measured_anew_and_nothing_else(project: Path) -> None:
    states = descriptions(project)
    own = {"loss": {"text": "A dog ran after the red ball and came back without it. " * 400, "passages": 9}}
    assert loss_of(project, **own) is None
    run_at_once(config(**own), project)
    assert present(loss_of(project, **own)).n_passages == 9
    assert descriptions(project) == states
    kept = plan(project, **own).models[0].contexts[0].of(LossText)[0].key
    prune.prune(config(**own), options(project), 0, Locks(waits=True, say=print), dry_run=False)
    assert {file.name.split(".")[0] for file in (project / "cache" / "measures").iterdir()} >= {kept}
    assert loss_of(project) is None  # that of another text isn't used any more


def test_why_there_is_no_loss_is_kept_and_said(project: Path) -> None:
    edit = json.loads((project / "planted" / "config.json").read_text(encoding="utf-8"))
    edit["architectures"] = ["LlamaModel"]
    (project / "planted" / "config.json").write_text(json.dumps(edit), encoding="utf-8")
    run_at_once(config(), project)
    assert loss_of(project) == Loss(reason="the model has no output matrix")
    assert "The next-token loss wasn’t measured: the model has no output matrix." in page(project, "planted")
    assert plan(project).models[0].due == []


def test_an_encoder_predicts_no_next_token(made: Path, tiny: Tiny, tmp_path: Path) -> None:
    states = present(plan(made).models[0].contexts[0].captured).states
    ready = Ready(
        model=ModelConfig(source="bert"),
        loaded=tiny.load("bert", use=models.Use(with_head=True)),
        structure=Structure(embedding=torch.nn.Identity(), layers=(), module_paths=()),
        sublayers=None,
        token_budget=4096,
        texts={},
        store=Store(tmp_path),
        reporter=Quiet(),
        now=str,
    )
    assert measure_loss(ready, states, LossText.of(config()), lambda _: None) == Loss(
        reason="the model is not a decoder"
    )


@pytest.mark.parametrize(("n_words", "n_passages"), [(7, 8), (700, 16), (7_000, 32)])
def test_many_words_take_more_passages(made: Path, n_words: int, n_passages: int) -> None:
    states = present(plan(made).models[0].contexts[0].captured).states
    word = replace(states.tokenization.words[0], ids=(1, 2, 3), pieces=("",) * 3, start=0, stop=3)
    nothing = np.zeros((states.n_depths, n_words, N_EXTREMES))
    many = replace(
        states,
        tokenization=replace(states.tokenization, words=(word,) * n_words),
        position0_values=nothing,
        position0_dimensions=nothing,
    )
    assert LossText(text="", n_passages=None).most_passages(many) == n_passages
    assert LossText(text="", n_passages=9).most_passages(many) == 9
