"""A series through the whole run: what is found in it, what is told of its faults, and what a further checkpoint makes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import series_checkpoints as planted
from at_once import Listening, options, run_at_once
from html5lib import parse

from tokviz.config import ReportConfig
from tokviz.run import checkpoints, dry_run, pipeline, prune
from tokviz.run.plan.options import DRAFT
from tokviz.run.store.locks import Locks
from tokviz.run.work.progress import Quiet

pytestmark = pytest.mark.slow

PAGE = "series/tiny/index.html"
CONFIG: dict[str, Any] = {
    "words": {
        "people": ["James", "Mary", "doctor", "nurse", "cat"],
        "times": ["January", "February", "Tuesday", "seven", "the"],
    },
    "contexts": [{"name": "sentence", "template": "The word is {word}"}],
    "plate_size": [750, 600],
}


def config(*names: str, **changes: Any) -> ReportConfig:
    """A series of the folders ``names``, all four by default; ``changes`` are of its table."""
    names = names or tuple(f"step-{step}" for step in planted.STEPS)
    steps = None if "labels" in changes else [index * 10 for index in range(len(names))]
    table = {"name": "tiny", "sources": list(names), "steps": steps, **changes}
    return ReportConfig.model_validate({**CONFIG, "series": [{key: value for key, value in table.items() if value}]})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four checkpoints and their report."""
    folder = tmp_path_factory.mktemp("series")
    planted.build(folder)
    outcome = run_at_once(config(), folder)
    assert (outcome.n_captured, outcome.failures) == (4, ())
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it, times included: a model's identity has them."""
    return Path(shutil.copytree(made, tmp_path / "project"))


def page(folder: Path) -> str:
    return (folder / "site" / PAGE).read_text(encoding="utf-8")


def text(folder: Path) -> str:
    tree = parse(page(folder), namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def test_what_is_planted_is_found_where_it_is(made: Path) -> None:
    (layer, neuron), (later_layer, later_neuron) = planted.FIRST, planted.LATER
    dimension = planted.DIMENSION
    said = text(made)
    assert f"values are massive from step 10 on, first at layer {layer}." in said
    assert "exchanged" not in said
    assert (
        f"few neurons write the break at 3 of 4 checkpoints: at step 10 neuron {neuron} of layer {layer}, dimension {dimension}; then "
        f"at step 30 neuron {later_neuron} of layer {later_layer}, dimension {dimension}." in said
    )
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', page(made).split("series-writers")[1])
    cells = {label: re.findall(r"<td>(.*?)</td>", row)[:3] for label, row in rows}
    assert cells["step 0"][0] == "none"
    assert cells["step 10 to step 20"] == [f"layer {layer}", str(dimension), str(neuron)]
    assert cells["step 30"] == [f"layer {later_layer}", str(dimension), str(later_neuron)]


def test_checkpoints_that_can_not_be_compared_cost_that_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tokviz.measure import common_axes, series

    def fail(*_: object) -> None:
        raise MemoryError("Unable to allocate 3.2 TiB")

    monkeypatch.setattr(series, "drift", fail)
    monkeypatch.setattr(common_axes, "changed", fail)
    shutil.rmtree(project / "cache" / "measures")
    outcome = run_at_once(config(), project)
    assert {each.name for each in outcome.failures} == {"tiny"}
    assert all("MemoryError: Unable to allocate 3.2 TiB" in each.failure for each in outcome.failures)
    said = text(project)
    assert all(each.failure in said for each in outcome.failures)
    assert "how far its checkpoints are apart" in said


def test_prune_keeps_what_a_series_uses_and_a_second_run_makes_nothing(project: Path) -> None:
    before = page(project)
    shutil.rmtree(project / "cache" / "reports")
    kept = {path for path in (project / "cache").rglob("*") if path.is_file() and "previews" not in path.parts}
    prune.prune(config(), options(project), 0, Locks(waits=False), dry_run=False)
    assert {path for path in kept if not path.exists() and "locks" not in path.parts} == set()
    outcome = run_at_once(config(), project)
    assert (outcome.n_captured, outcome.n_drawn) == (0, 0)
    assert page(project) == before
    assert "tiny: up to date" in dry_run.describe(config(), options(project)).lines


def test_a_further_checkpoint_makes_only_its_own_where_the_reference_stays(project: Path) -> None:
    three = [f"step-{step}" for step in planted.STEPS[:3]]
    run_at_once(config(*three, reference_step=20), project)
    forecast = dry_run.describe(config(reference_step=20), options(project)).lines
    assert "tiny: put 1 of 4 checkpoints on the axes of step 20, then draw; compare checkpoints" in forecast
    outcome = run_at_once(config(reference_step=20), project)
    n_strips, n_depths = 4, 4
    assert outcome.n_captured == 0
    assert outcome.n_drawn == n_strips + 2 * n_depths


@pytest.mark.parametrize("changes", [{"steps": [0, 10, 20, 35]}, {"reference_step": 20}, {"plates": "all"}])
def test_what_a_series_has_to_draw_is_counted_before(project: Path, changes: dict[str, Any]) -> None:
    asked = config(**changes)
    forecast = dry_run.describe(asked, options(project))
    said = forecast.as_json()["expected"]
    assert said["is_due"]
    assert forecast.lines[0].startswith("4 models in 1 context: nothing to capture; about ")
    assert run_at_once(asked, project).n_drawn == said["images"] > 0
    again = dry_run.describe(asked, options(project))
    assert again.lines[0] == "nothing is to be captured, measured or drawn"


def test_comparisons_alone_are_due(project: Path) -> None:
    sources = [{"source": f"step-{step}"} for step in planted.STEPS[:3]]
    report = {**CONFIG, "models": sources, "compare": [["step-0", "step-10"]], "changes": []}
    run_at_once(ReportConfig.model_validate(report), project)
    more = ReportConfig.model_validate({**report, "compare": [["step-0", "step-100"]]})
    forecast = dry_run.describe(more, options(project))
    assert any(
        re.fullmatch(r"compare models: [1-3] of . comparisons \(not compared yet\)", line) for line in forecast.lines
    )
    assert forecast.as_json()["expected"]["is_due"]


def test_without_a_reference_a_further_checkpoint_has_all_drawn_anew(made: Path, tmp_path: Path) -> None:
    for step in planted.STEPS:
        shutil.copytree(made / f"step-{step}", tmp_path / f"step-{step}")
    first = run_at_once(config("step-0", "step-10", "step-100"), tmp_path)
    forecast = dry_run.describe(config(), options(tmp_path)).lines
    assert "tiny: put all 4 checkpoints on the axes of step 30 (not captured yet), then draw and compare" in forecast
    outcome = run_at_once(config(), tmp_path)
    assert outcome.n_captured == 1
    assert outcome.n_drawn == outcome.n_images > first.n_drawn


def test_a_copy_is_told_and_left_out_of_the_maps(project: Path) -> None:
    shutil.copytree(project / "step-10", project / "copy")
    run_at_once(config("step-0", "step-10", "copy", "step-1000"), project)
    said = text(project)
    assert "Step 10 and step 20 have the same hidden states: " in said
    assert "Step 10 is left out of all charts." in said
    assert '<th scope="col">20</th>' in page(project)
    assert '<th scope="col">10</th>' not in page(project)


def test_a_first_that_is_the_last_is_told(project: Path) -> None:
    shutil.copytree(project / "step-1000", project / "copy")
    run_at_once(config("copy", "step-10", "step-1000"), project)
    assert "Step 0 and step 20 have the same hidden states: they can’t both be what they are called." in text(project)


def test_a_missing_checkpoint_fails_alone(project: Path) -> None:
    listening = Listening()
    outcome = run_at_once(config("step-0", "./missing", "step-1000"), project, listening)
    assert [each.name for each in outcome.failures] == ["tiny step 10"]
    assert sum(line.startswith("error: ") for line in listening.heard) == 1
    assert 'class="problem">Step 10: ./missing: ' in page(project)


def test_other_numbers_of_layers_fail_alone(project: Path) -> None:
    planted.build(project / "short", n_layers=4)
    outcome = run_at_once(config("step-0", "short/step-0", "step-1000"), project)
    (failed,) = outcome.failures
    assert (
        failed.failure
        == "short/step-0: expected the 3 layers of step 20, the reference, got 4; leave it out, or name another reference_step"
    )
    prune.prune(config("step-0", "short/step-0", "step-1000"), options(project), 0, Locks(waits=False), dry_run=False)
    assert run_at_once(config("step-0", "short/step-0", "step-1000"), project).n_drawn == 0


def test_drafts_and_captures_alone_work(project: Path) -> None:
    draft = run_at_once(config(), project, forms=(DRAFT,), output=project / "draft")
    assert draft.n_captured == 0
    assert (project / "draft" / PAGE).exists()
    two = config("step-0", "step-1000")
    captured = pipeline.capture_only(two, options(project, cache=project / "other"), Quiet())
    assert (captured.n_captured, captured.n_models, captured.n_checkpoints) == (2, 0, 2)


def test_without_a_checkpoint_from_before_the_training_there_is_an_untrained_model(project: Path) -> None:
    """The first one has it, with all weights random and nothing else."""
    asked = config("step-10", "step-100", "step-1000", steps=[10, 100, 1000])
    foreseen = [line for line in dry_run.describe(asked, options(project)).lines if "untrained" in line]
    assert foreseen == ["  sentence: captured; capture 1 untrained model, then measure; metrics: up to date"]
    outcome = run_at_once(asked, project)
    assert outcome.n_captured == 1
    assert "Words sentence: with all weights random, purity is 0." in text(project)
    assert text(project).count("all random") == 2
    assert run_at_once(asked, project).n_drawn == 0
    assert not any("untrained" in line for line in dry_run.describe(asked, options(project)).lines)
    run_at_once(config(), project)
    assert "weights random" not in text(project)


@pytest.mark.parametrize(("plates", "drawn"), [("ends", {0, 10, 30}), ("all", {0, 10, 20, 30}), ("maps", set())])
def test_plots_are_also_images_of_the_checkpoints_asked_for(project: Path, plates: str, drawn: set[int]) -> None:
    run_at_once(config(plates=plates, reference_step=10), project)
    images = (project / "site" / "images").rglob("*.wte.webp")
    assert {int(path.name.removeprefix("tiny-step-").split("_")[0]) for path in images} == drawn


def test_any_two_checkpoints_have_a_page_on_what_changed(project: Path) -> None:
    ends = {path.name for path in (project / "site/change").iterdir()}
    assert ends == {"tiny-step-0--tiny-step-30"}
    outcome = run_at_once(config(changes=[[10, 20], [30, 0]]), project)
    assert (outcome.n_captured, outcome.failures) == (0, ())
    pages = {path.name for path in (project / "site/change").iterdir()}
    assert pages == {"tiny-step-10--tiny-step-20", "tiny-step-30--tiny-step-0"}
    backward = (project / "site/change/tiny-step-30--tiny-step-0/index.html").read_text(encoding="utf-8")
    assert "step 30 → step 0 in tiny" in page(project)
    assert "What changed from step 30 to step 0 in tiny" in backward
    for name in pages:
        assert f"change/{name}/" in page(project)


def test_faults_are_told_of_the_checkpoints_that_have_them_where_an_earlier_one_failed() -> None:
    def captured(digest: str) -> dict[str, Any]:
        return {"alone": SimpleNamespace(states=SimpleNamespace(digest=digest))}

    context_list = [SimpleNamespace(name="alone")]
    series = SimpleNamespace(
        checkpoints=({}, captured("a"), captured("b"), captured("b")),
        plan=SimpleNamespace(config=SimpleNamespace(context_list=context_list)),
    )
    (fault,) = checkpoints._faults(series, [])  # type: ignore[arg-type]  # all that it reads
    assert (fault.kind, fault.checkpoints, fault.left_out) == ("same", (2, 3), (2,))
