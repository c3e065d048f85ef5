"""What a change makes again: exactly what depends on it, seen by what appears in the store and in the site."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import made_fonts
import pytest
from at_once import Listening, options, run_at_once
from command import hashes
from families import Tiny
from safetensors.numpy import load_file, save_file

from tokviz.bundled import TEMPLATES
from tokviz.config import ReportConfig
from tokviz.draw import encode
from tokviz.records import LayerSimilarity, Projection
from tokviz.run import dry_run, pipeline, prune
from tokviz.run.plan import captures
from tokviz.run.plan.options import DRAFT, FORMS, SVG
from tokviz.run.store import keys
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.slow

MANIFEST = "data/manifest.json"
"""Has a digest of every other file."""
N_DEPTHS = 4
N_PICTURES = (N_DEPTHS + 3) * 2 + 1
"""Of one model × context × projection: a plate per depth, the grid and a strip for each theme, for wide screens and phones; and the heat map."""
CONFIG: dict[str, Any] = {
    "words": {"people": ["James", "Mary", "doctor"], "times": ["January", "February", "Tuesday"]},
    "contexts": [{"name": "alone", "template": " {word}"}, {"name": "sentence", "template": "The word is {word}"}],
    "projections": ["standardized"],
    "plate_size": [750, 600],  # drawn in less time
    "models": [{"source": "qwen3"}, {"source": "bert"}],
    "intro": "An introduction.",
}


def config(**changes: Any) -> ReportConfig:
    return ReportConfig.model_validate({**CONFIG, **changes})


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny models and their report."""
    folder = tmp_path_factory.mktemp("made")
    for family in ("qwen3", "bert", "gpt2"):
        tiny.copy(family, folder / family)
    run_at_once(config(), folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it, times included: a model's identity has them."""
    shutil.copytree(made, tmp_path / "project")
    shutil.rmtree(tmp_path / "project" / "cache" / "reports")  # those of the original
    return tmp_path / "project"


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (folder / "cache").rglob("*") if path.is_file()}


def rerun(project: Path, report: ReportConfig | None = None, **changes: Any) -> tuple[pipeline.Outcome, Counter[str]]:
    """The outcome, and how many artefacts of each kind were written; a note of what was used isn't one."""
    before = written(project)
    outcome = run_at_once(report or config(), project, **changes)
    new = [path for path, time in written(project).items() if before.get(path) != time]
    kinds = Counter(path.relative_to(project / "cache").parts[0] for path in new if path.name != "states.json")
    for other in ("reports", "locks"):
        kinds.pop(other, None)
    return outcome, kinds


def test_nothing_changed_makes_nothing_nor_does_damage_that_nothing_reads(project: Path) -> None:
    before = hashes(project / "site")
    damage(project, 2)
    outcome, kinds = rerun(project)
    assert (outcome.n_captured, outcome.n_drawn, kinds) == (0, 0, {})
    assert hashes(project / "site") == before


def test_other_words_make_everything_again(project: Path) -> None:
    words = {**CONFIG["words"], "times": ["January", "February", "seven"]}
    outcome, kinds = rerun(project, config(words=words))
    # Two models × two contexts; measures, neighbours, counts and what is held word by word: one each; and two comparisons, each
    # over all words, over one-token words, of profiles and word by word.
    assert kinds == {"states": 4, "projections": 4, "measures": 4 * 4 + 8, "images": 4 * N_PICTURES}
    assert (outcome.n_captured, outcome.n_drawn) == (4, 4 * N_PICTURES)


def test_the_same_words_in_other_categories_are_measured_and_drawn(project: Path) -> None:
    words = {"people": ["James", "Mary"], "rest": ["doctor", "January", "February", "Tuesday"]}
    outcome, kinds = rerun(project, config(words=words))
    n_compared = 2 * (2 + 2)  # both kinds of differences, and similarities of all words and of those of one token
    assert kinds == {"measures": 4 + 4 + 4 + n_compared, "images": 4 * N_PICTURES}
    assert outcome.n_captured == 0


def test_other_labels_are_drawn_and_nothing_is_measured(project: Path) -> None:
    contexts = [{**each, "label": f"another {each['name']}"} for each in CONFIG["contexts"]]
    outcome, kinds = rerun(project, config(contexts=contexts))
    assert kinds == {"images": outcome.n_drawn}
    assert outcome.n_drawn > 0


def test_other_colors_and_shapes_are_drawn_and_nothing_is_captured_or_measured(project: Path) -> None:
    outcome, kinds = rerun(project, config(palette=["#e69f00", "#56b4e9"]))
    assert (outcome.n_captured, kinds) == (0, {"images": 4 * N_PICTURES})
    outcome, kinds = rerun(project, config(palette=["#e69f00", "#56b4e9"], markers=["star", "circle"]))
    assert (outcome.n_captured, kinds) == (0, {"images": 4 * N_PICTURES})
    assert rerun(project)[1] == {}


def test_another_size_of_plates_concerns_the_wide_ones(project: Path) -> None:
    outcome, kinds = rerun(project, config(plate_size=[1600, 900]))
    assert (outcome.n_captured, kinds) == (0, {"images": 4 * N_DEPTHS})
    sizes = {encode.size(path) for path in (project / "site" / "images").rglob("*__*.webp")}
    assert sizes == {(1600, 900), (716, 1000)}


def test_a_font_of_ones_own_is_published_and_sets_what_has_text(project: Path) -> None:
    font = made_fonts.put(project, "mine.ttf", "abc")
    outcome, kinds = rerun(project, config(font=str(font)))
    n_strips = 4 * 2 * 2
    assert (outcome.n_captured, kinds) == (0, {"images": 4 * N_PICTURES - n_strips, "fonts": 1})
    assert (project / "site" / "assets" / "fonts" / "own.ttf").read_bytes() == font.read_bytes()
    rerun(project)
    assert not (project / "site" / "assets" / "fonts" / "own.ttf").exists()


def test_another_template_of_a_context_concerns_that_context(project: Path) -> None:
    contexts = [CONFIG["contexts"][0], {"name": "sentence", "template": "the {word}"}]
    _, kinds = rerun(project, config(contexts=contexts))
    # The embedding doesn't see the text around a word: its two plates per model are the ones that are there. Of six words, one
    # model has the same counts again, and so the same heat map.
    assert (kinds["states"], kinds["projections"], kinds["images"]) == (2, 2, 2 * (N_PICTURES - 2) - 1)
    # Massive activations of a decoder's words alone are found by its words in the sentence: those are measured again.
    assert kinds["measures"] == 4 * 2 + 1 + 4


def test_a_context_added_is_all_that_is_made_and_one_removed_is_gone(project: Path) -> None:
    contexts = [*CONFIG["contexts"], {"name": "third", "template": "the {word}"}]
    outcome, kinds = rerun(project, config(contexts=contexts))
    assert kinds == {"states": 2, "projections": 2, "measures": 4 * 2 + 4, "images": 2 * N_PICTURES}
    assert outcome.n_captured == 2
    outcome, kinds = rerun(project)
    assert kinds == {}
    assert not [path for path in hashes(project / "site") if "third" in path]


def test_other_weights_concern_their_model(project: Path, tiny: Tiny) -> None:
    shutil.rmtree(project / "qwen3")
    tiny.copy("qwen3", project / "qwen3")  # the same weights, written again
    outcome, kinds = rerun(project)
    assert (outcome.n_captured, outcome.n_drawn, kinds) == (2, 0, {"states": 2})

    weights = project / "qwen3" / "model.safetensors"
    tensors = load_file(weights)
    tensors["model.layers.1.mlp.down_proj.weight"] *= 2
    save_file(tensors, weights, metadata={"format": "pt"})
    outcome, kinds = rerun(project)
    # What comes before layer 1 is as it was: two plates in either form; and the heat map of one context.
    assert kinds == {"states": 2, "projections": 2, "measures": 4 * 2 + 8, "images": 2 * (N_PICTURES - 4) - 1}
    assert outcome.n_captured == 2


def test_a_model_added_leaves_the_others(project: Path) -> None:
    models = [*CONFIG["models"], {"source": "gpt2"}]
    outcome, kinds = rerun(project, config(models=models))
    assert kinds == {"states": 2, "projections": 2, "measures": 4 * 2 + 4 * 2 * 2, "images": 2 * N_PICTURES}
    outcome, kinds = rerun(project, config(models=CONFIG["models"][:1]))
    assert kinds == {}
    assert outcome.n_images == 2 * N_PICTURES
    assert not [path for path in hashes(project / "site") if "gpt2" in path or "bert" in path]


def test_a_projection_added_is_projected_and_drawn_and_one_removed_is_gone(project: Path) -> None:
    outcome, kinds = rerun(project, config(projections=["standardized", "centered"]))
    assert kinds == {"projections": 4, "measures": 4, "images": outcome.n_drawn}
    assert 0 < outcome.n_drawn <= 4 * N_PICTURES
    outcome, kinds = rerun(project, config(projections=["centered"]))
    assert (kinds["projections"], kinds["images"]) == (0, 0)
    assert not [path for path in hashes(project / "site") if "standardized" in path]


def test_another_style_draws_again_and_no_more(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code_of = keys._code
    monkeypatch.setattr(keys, "_code", lambda folder: "new" if folder == "draw" else code_of(folder))
    outcome, kinds = rerun(project)
    assert kinds == {"images": 4 * N_PICTURES}
    assert outcome.n_captured == 0


def test_another_template_writes_pages_only(project: Path, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    page = templates / "404.html"
    page.write_text(page.read_text(encoding="utf-8") + "<!-- changed -->", encoding="utf-8")
    before = hashes(project / "site")
    _, kinds = rerun(project, templates=templates)
    after = hashes(project / "site")
    assert kinds == {}
    assert {path for path in after if after[path] != before.get(path)} == {"404.html", MANIFEST}


def test_another_introduction_writes_the_pages_that_show_it(project: Path) -> None:
    before = hashes(project / "site")
    _, kinds = rerun(project, config(intro="Another introduction."))
    after = hashes(project / "site")
    assert kinds == {}
    changed = {path for path in after if after[path] != before.get(path)}
    assert "index.html" in changed
    assert not [path for path in changed if path.startswith(("images/", "models/"))]


def test_a_note_writes_its_page_only(project: Path) -> None:
    before = hashes(project / "site")
    models = [{"source": "qwen3", "note": "Of mine.", "notes": {"alone/layer-1": "See here."}}, {"source": "bert"}]
    _, kinds = rerun(project, config(models=models))
    after = hashes(project / "site")
    assert kinds == {}
    assert {path for path in after if after[path] != before.get(path)} == {"models/qwen3/index.html", MANIFEST}


def test_a_draft_draws_small_plates_which_the_pages_say_and_the_report_comes_back(project: Path) -> None:
    before = hashes(project / "site")
    outcome, kinds = rerun(project, forms=(DRAFT,))
    assert kinds == {"images": 4 * N_DEPTHS}  # grids and strips are those of the report
    assert outcome.n_images == 4 * (N_DEPTHS + 3)
    plate = project / "site" / "images" / "qwen3" / "alone" / "standardized" / "qwen3__model.layers.1.webp"
    assert encode.size(plate.read_bytes()) == (640, 480)
    for page in ("index.html", "models/qwen3/index.html", "method/index.html"):
        assert "A draft: small plots without labels, nothing measured." in (project / "site" / page).read_text(
            encoding="utf-8"
        )
    _, kinds = rerun(project)
    assert kinds == {}
    assert hashes(project / "site") == before


def test_force_makes_everything_again(project: Path) -> None:
    outcome, kinds = rerun(project, force=True)
    assert kinds == {"states": 4, "projections": 4, "measures": 24, "images": 4 * N_PICTURES}
    assert outcome.n_drawn == 4 * N_PICTURES


def test_what_is_stale_goes_and_what_is_not_tokvizs_stays(project: Path) -> None:
    (project / "site" / "images" / "mine.webp").write_bytes(b"mine")
    before = hashes(project / "site")
    rerun(project, config(models=[{"source": "qwen3"}]))
    without_bert = hashes(project / "site")
    assert not [path for path in without_bert if "bert" in path]
    assert "images/mine.webp" in without_bert
    rerun(project)
    assert hashes(project / "site") == before


def test_pruning_drops_what_the_report_no_longer_uses_and_nothing_else(project: Path) -> None:
    (project / "cache" / "mine.txt").write_text("mine", encoding="utf-8")
    (project / "cache" / "images" / "mine.webp").write_bytes(b"mine")
    half_made = project / "cache" / "states" / f".{'0' * 32}.{'1' * 32}"
    half_made.mkdir()
    one_model = config(models=CONFIG["models"][:1], projections=["standardized"])
    before = sum(path.stat().st_size for path in written(project))
    (project / "cache" / f".offload-{'a' * 32}").mkdir()
    (project / "cache" / f".offload-{'a' * 32}" / "weights.dat").write_bytes(b"large")
    foreseen = pruned(project, one_model, dry_run=True)
    assert sum(path.stat().st_size for path in written(project)) == before + len(b"large")
    lines = pruned(project, one_model)
    assert lines == [line.replace("would be removed", "removed") for line in foreseen]
    after = sum(path.stat().st_size for path in written(project))
    dropped = [int(line.split(", ")[1].replace(",", "").split()[0]) for line in lines]
    assert sum(dropped) == before + len(b"large") - after > 0
    counts = {Path(line.split(":")[0]).name: line.split(": ")[1].split(",")[0] for line in lines}
    assert counts["images"] == f"{2 * N_PICTURES} removed"
    assert counts["states"] == "2 removed"  # of the other model, in both contexts
    assert counts["left behind"] == "2 removed"
    assert (project / "cache" / "mine.txt").is_file()
    assert (project / "cache" / "images" / "mine.webp").is_file()
    assert rerun(project, one_model)[1] == {}
    assert [line for line in pruned(project, one_model) if " 0 removed, 0 bytes" not in line] == []


def test_pruning_keeps_every_form_of_a_picture(project: Path) -> None:
    for forms in ((*FORMS, SVG), (DRAFT,)):
        assert rerun(project, forms=forms)[1]["images"] > 0
    before = written(project)
    shutil.rmtree(project / "cache" / "reports")  # what these runs have used
    pruned(project, config())
    assert {path for path in before if path.parent.name == "images"} <= written(project).keys()


def test_pruning_keeps_what_a_measure_is_made_of(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: each for name, each in captures.MEASURES.items() if name != "neighbours"}
    monkeypatch.setattr(captures, "MEASURES", others)  # ``same_category`` needs it all the same
    assert [line for line in pruned(project, config()) if " 0 removed" not in line] == []


def test_pruning_leaves_what_another_report_has_used_lately(project: Path) -> None:
    one_model = config(models=CONFIG["models"][:1])
    rerun(project, output=project / "of both")
    before = written(project)
    *lines, kept = pruned(project, one_model)
    assert all(" 0 removed" in line for line in lines)
    assert kept.endswith("report.toml used today (--older-than 0 drops them, too)")
    assert written(project).keys() - {Path("prune.lock")} >= {path for path in before if "locks" not in path.parts}
    (note,) = (project / "cache" / "reports").iterdir()
    os.utime(note, (0, 0))
    assert "2 removed" in pruned(project, one_model)[0]


def test_cards_are_drawn_once(project: Path) -> None:
    """Where the report's address is known, one for each page: what other sites show beside a link to it."""
    report = config(site_url="https://example.org/report")
    outcome, kinds = rerun(project, report)
    assert (outcome.n_drawn, kinds) == (0, {"previews": 3})
    site = project / "site"
    cards = {path.relative_to(site).as_posix() for path in site.rglob("*.png")}
    assert {path.rpartition("/")[0] for path in cards} == {"cards", "models/qwen3", "models/bert"}
    for path in cards:
        assert encode.size(site / path) == (1200, 630)
        assert (site / path).stat().st_size <= 80_000
    (own,) = (path for path in cards if "qwen3" in path)
    page = (site / "models" / "qwen3" / "index.html").read_text(encoding="utf-8")
    assert f'og:image" content="https://example.org/report/{own}"' in page
    assert rerun(project, report)[1] == {}
    assert [line for line in pruned(project, report) if " 0 removed" not in line] == []
    assert rerun(project, config(site_url="https://example.org/moved"))[1] == {"previews": 3}, "it says where it stands"
    rerun(project)
    assert not list(site.rglob("*.png"))
    assert any("previews: 6 removed" in line for line in pruned(project, config()))


def pruned(project: Path, report: ReportConfig, *, dry_run: bool = False) -> list[str]:
    return prune.prune(report, options(project), prune.OLDER_THAN_DAYS, Locks(), dry_run=dry_run)


def damage(project: Path, depth: int) -> str:
    """Change one bit of one depth in every capture; gives what the run will say of one."""
    files = sorted((project / "cache" / "states").glob("*/states.safetensors"))
    for file in files:
        data = bytearray(file.read_bytes())
        n_header = int.from_bytes(data[:8], "little")
        start = json.loads(data[8 : 8 + n_header])[f"depth.{depth:03d}"]["data_offsets"][0]
        data[8 + n_header + start] ^= 1
        file.write_bytes(data)
    return f"depth.{depth:03d} is damaged; capturing these hidden states again"


def test_damaged_states_are_captured_again_when_they_are_read(project: Path) -> None:
    changed = config(projections=["centered"])
    rerun(project, changed, output=project / "expected")
    shutil.rmtree(project / "cache" / "projections")
    said = damage(project, 2)
    listening = Listening()
    outcome = run_at_once(changed, project, listening)
    assert [text for text in listening.heard if said in text]
    assert outcome.n_captured > 0
    assert hashes(project / "site") == hashes(project / "expected")
    assert rerun(project, changed)[1] == {}


def test_what_a_library_makes_of_one_models_states_costs_that_model_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokviz.measure import pca

    project_states, n_calls = pca.project, 0

    def short_of_memory_once(*arguments: Any) -> Projection:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 1:
            raise MemoryError("Unable to allocate 3.2 TiB")
        return project_states(*arguments)

    monkeypatch.setattr(pca, "project", short_of_memory_once)
    listening = Listening()
    (failed,) = run_at_once(config(projections=["centered"]), project, listening).failures
    assert failed.failure == "qwen3: its hidden states can't be shown: MemoryError: Unable to allocate 3.2 TiB"
    assert f"error: {failed.failure}" in listening.heard
    page = (project / "site" / "models" / "qwen3" / "index.html").read_text(encoding="utf-8")
    assert "Unable to allocate 3.2 TiB" in page
    assert (project / "site" / "images" / "bert" / "alone" / "centered").is_dir()


def test_what_a_library_makes_of_two_models_costs_that_pair_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where their states don't fit into memory: the others are compared, and the report is written."""
    from tokviz.measure.similarity import LayerComparer

    compare, n_calls = LayerComparer.compare, 0

    def short_of_memory_once(*arguments: Any) -> LayerSimilarity:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 1:
            raise MemoryError("Unable to allocate 3.2 TiB")
        return compare(*arguments)

    monkeypatch.setattr(LayerComparer, "compare", short_of_memory_once)
    shutil.rmtree(project / "cache" / "measures")
    outcome, _ = rerun(project)
    assert outcome.n_models == 2
    (failed,) = outcome.failures
    assert failed.name == "qwen3 and bert, alone"
    assert "MemoryError: Unable to allocate 3.2 TiB" in failed.failure
    page = (project / "site" / "compare" / "index.html").read_text(encoding="utf-8")
    assert f'<p class="problem">{failed.name}: {failed.failure}.</p>' in page
    rows = (project / "site" / "data" / "similarity.csv").read_text(encoding="utf-8").splitlines()[1:]
    pairs = {tuple(row.split(",")[:3]) for row in rows}
    assert pairs == {("qwen3", "bert", "sentence")}
    assert rerun(project)[0].failures == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["captured; standardized: up to date; metrics: up to date", "2 comparisons of models: up to date"]),
        ({"projections": ["centered"]}, ["project centered (not projected yet)", "measure (not measured yet)"]),
        (
            {"models": [*CONFIG["models"], {"source": "gpt2"}]},
            ["capture (not captured yet), then project, measure and draw", "4 of 6 comparisons (not compared yet)"],
        ),
        ({"words": {"people": ["James", "Mary", "doctor"]}}, ["2 of 2 comparisons (not compared yet)"]),
    ],
)
def test_a_dry_run_names_what_would_be_made_and_why(project: Path, changes: dict[str, Any], said: list[str]) -> None:
    before = written(project)
    lines = "\n".join(dry_run.describe(config(**changes), options(project)).lines)
    for text in said:
        assert text in lines
    assert written(project) == before


def test_a_dry_run_says_what_will_be_written(project: Path) -> None:
    last = dry_run.describe(config(), options(project)).lines[-1]
    assert last.startswith("pages and the data files are always written, to ")
    last = dry_run.describe(config(), options(project), captures_only=True).lines[-1]
    assert last == "with --capture-only it ends after the captures: nothing else is made, and no page written"
    nowhere = config(models=[{"source": "./nowhere"}])
    assert (
        dry_run.describe(nowhere, options(project)).lines[-1] == "no model can be captured, so nothing will be written"
    )
