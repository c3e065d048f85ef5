"""Neurons that an author sets by hand: captured beside the model as it is, shown, and refused in one line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from at_once import Listening, options, run_at_once
from families import Tiny

from tokviz.config import ReportConfig
from tokviz.models import quiet_transformers
from tokviz.records import HiddenStates
from tokviz.run import dry_run, prune
from tokviz.run.capturing import remote_capture
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.slow

WORDS = {"people": ["James", "Mary", "doctor", "Anna", "Paul"], "letters": ["a", "b", "c", "d", "e", "f", "g"]}
CONTEXTS = [{"name": "alone", "template": " {word}"}, {"name": "sentence", "template": "The word is {word}"}]
LAYER, NEURONS = 1, [3, 7]
ASKED = {"model": "tiny", "layer": LAYER, "neurons": NEURONS, "value": 5.0, "label": "pushed"}


def config(*asked: dict[str, Any], **changes: Any) -> ReportConfig:
    values = {
        "words": WORDS,
        "contexts": CONTEXTS,
        "models": [{"source": "tiny"}],
        "projections": ["centered"],
        "plate_size": [750, 600],
    }
    return ReportConfig.model_validate({**values, "interventions": list(asked) or "auto", **changes})


def enlarge(folder: Path, by: float = 60) -> None:
    """Weights by which the largest number that may be asked for overflows, or others."""
    with quiet_transformers():
        whole = transformers.AutoModelForCausalLM.from_pretrained(folder)
        with torch.no_grad():
            whole.model.layers[LAYER].mlp.down_proj.weight.mul_(by)
        whole.save_pretrained(folder)


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the model as it is."""
    folder = tmp_path_factory.mktemp("made")
    enlarge(tiny.copy("llama", folder / "tiny"))
    run_at_once(config(), folder)
    return folder


@pytest.fixture(scope="module")
def pushed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same report, for which two neurons are set in a second run."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("pushed") / "project")
    assert not run_at_once(config(ASKED), folder).failures
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project")


def plan(folder: Path, *asked: dict[str, Any]) -> Plan:
    return Plan(config(*asked), options(folder), Store(folder / "cache"))


def changed(folder: Path, *asked: dict[str, Any]) -> list[HiddenStates]:
    """In each context the states with neurons set, one intervention after the other."""
    found = []
    for context in plan(folder, *asked).models[0].contexts:
        for each in context.of(Interventions):
            assert each.states is not None, each.failure or each.due
            found.append(each.states)
    return found


def intact(folder: Path) -> list[HiddenStates]:
    return [each.states for each in plan(folder).models[0].captured.values()]


def descriptions(folder: Path) -> Sequence[tuple[str, int]]:
    files = sorted((folder / "cache" / "states").glob("*/states.json"))
    return [(file.parent.name, file.stat().st_mtime_ns) for file in files]


def test_what_is_asked_for_later_is_captured_beside_what_is_there(made: Path, pushed: Path, project: Path) -> None:
    before = descriptions(made)
    assert [each for each in descriptions(pushed) if each in before] == list(before)
    assert len(descriptions(pushed)) == len(before) + 2
    for own, other in zip(intact(pushed), changed(pushed, ASKED), strict=True):
        assert other.intervention is not None
        assert (other.intervention.rule, other.intervention.value) == ("by_hand", 5.0)
        assert other.intervention.path == f"model.layers.{LAYER}.mlp.down_proj"
        for depth in range(own.n_depths):
            same = np.array_equal(own.states[depth], other.states[depth])
            assert same == (depth <= LAYER)
    assert plan(pushed, ASKED).models[0].due == []


def test_it_is_shown_in_the_carousel_the_explorer_and_the_tables(pushed: Path) -> None:
    site = pushed / "site"
    page = (site / "models" / "tiny" / "index.html").read_text(encoding="utf-8")
    for name, label in (("alone", "alone, pushed"), ("sentence", "sentence, pushed")):
        folder = site / "data" / "tiny" / f"{name}-by-hand-1"
        assert f'id="{name}-by-hand-1/layer-{LAYER}"' in page
        assert label in page
        assert sorted(file.name for file in folder.glob("*.csv")) == [
            "coordinates.csv",
            "geometry.csv",
            "word_by_word.csv",
            "words_by_layer.csv",
        ]
        assert (folder / "coordinates-centered.js").exists()
        drawn = {file.name for file in (site / "images" / "tiny" / f"{name}-by-hand-1" / "centered").glob("*.webp")}
        wide = {file for file in drawn if not file.endswith("-phone.webp")}
        changed_by_it = {f"tiny__model.layers.{layer}.webp" for layer in (LAYER, 2)}  # and no other depth, nor a grid
        assert wide == changed_by_it | {"tiny_strip.webp", "tiny_strip-dark.webp"}
    assert "neurons 3 and 7 of layer 1 are set to 5.00" in page.replace("\N{NO-BREAK SPACE}", " ")


def test_zero_and_the_mean_differ_and_the_mean_holds_at_position_0_only(project: Path) -> None:
    zero, mean = ({**ASKED, "value": value, "label": value} for value in ("zero", "mean"))
    run_at_once(config(zero, mean), project)
    of_zero, of_mean = changed(project, zero, mean)[2:]
    own = intact(project)[1]
    # In the sentence position 0 is “The”: what the word's own neurons write there stays.
    difference = [np.abs(each.states[LAYER + 1] - own.states[LAYER + 1]).max() for each in (of_zero, of_mean)]
    assert difference[0] > 1e-4
    assert difference[1] < 1e-6


def test_a_value_that_overflows_is_told_and_the_rest_stands(project: Path) -> None:
    huge = {**ASKED, "value": 3e38, "label": "too much"}
    reporter = Listening()
    outcome = run_at_once(config(huge, ASKED), project, reporter)
    assert not outcome.failures
    assert any("neurons 3, 7 of layer 1 set to 3e+38" in line and "finite" in line for line in reporter.heard)
    page = (project / "site" / "models" / "tiny" / "index.html").read_text(encoding="utf-8")
    assert "alone, pushed" in page
    assert "alone, too much" not in page
    assert "No states with neurons 3, 7 of layer 1 set to 3e+38" in page
    # It isn't tried again, and pruning keeps what is known of it.
    assert run_at_once(config(huge, ASKED), project).n_captured == 0
    n_before = len(descriptions(project))
    prune.prune(config(huge, ASKED), options(project), prune.OLDER_THAN_DAYS, Locks(), dry_run=False)
    assert len(descriptions(project)) == n_before


def test_a_value_that_overflows_with_other_weights_is_tried_with_these(project: Path) -> None:
    huge = {**ASKED, "value": 3e38, "label": "too much"}
    run_at_once(config(huge), project)
    enlarge(project / "tiny", 1e-3)
    # As where a run ends between the capture and what follows from it.
    run_at_once(config(), project)
    run_at_once(config(huge), project)
    assert [each.intervention.value for each in changed(project, huge) if each.intervention] == [3e38, 3e38]


def test_what_a_model_does_not_have_costs_that_model(project: Path, tiny: Tiny) -> None:
    """A layer, a neuron; or an MLP whose neurons are known."""
    shutil.copytree(project / "tiny", project / "twin")
    for source, family in {"encoder": "bert", "other": "llama"}.items():
        tiny.copy(family, project / source)
    asked = [{**ASKED, "layer": 40}, {**ASKED, "model": "twin", "neurons": [5000]}, {**ASKED, "model": "encoder"}]
    models = [{"source": source} for source in ("tiny", "twin", "encoder", "other")]
    failures = run_at_once(config(*asked, models=models), project).failures
    said = {
        "tiny": "interventions: expected a layer from 0 to 2, got 40; correct it",
        "twin": "expected neurons from 0 to 63, the inputs of model.layers.1.mlp.down_proj, got 5000",
        "encoder": "expected an MLP at layer 1 whose neurons are known, found none at any layer; leave it out",
    }
    assert [each.name for each in failures] == list(said)
    for failure in failures:
        assert said[failure.name] in (failure.failure or "")


def test_the_dry_run_says_what_is_due(project: Path) -> None:
    lines = dry_run.describe(config(ASKED), options(project)).lines
    (alone,) = (line for line in lines if line.startswith("  alone:"))
    assert "captured; capture once more (neurons 3, 7 of layer 1 set to 5.0 not captured yet)" in alone


def test_a_draft_captures_none(project: Path) -> None:
    before = descriptions(project)
    run_at_once(config(ASKED), project, forms=("draft",))
    assert descriptions(project) == before


def test_a_worker_without_the_cache_sends_them_and_what_failed(project: Path) -> None:
    huge = {**ASKED, "value": 3e38, "label": "too much"}
    planned = plan(project, huge, ASKED)
    request = due_request(planned.models[0])
    sent = remote_capture.capture_there(request, project / "elsewhere" / "none")
    assert sent is not None
    store = Store(project / "other-cache")
    for key, files in sent[0].items():
        store.put_packed_states(key, files)
    again = Plan(config(huge, ASKED), options(project, cache=store.root), store)
    assert again.models[0].due == []
    for context in again.models[0].contexts:
        failed, pushed = context.of(Interventions)
        assert "finite" in (failed.failure or "")
        assert pushed.states is not None
