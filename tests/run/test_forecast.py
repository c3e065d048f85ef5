"""What is said before a run begins: counts, sizes, and how long it will last; and what earlier runs change of that."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import families
import pytest
import tiny_gguf
from at_once import leave_pictures_blank, options, run_at_once
from families import Tiny
from safetensors.numpy import load_file
from trees import facts

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.run import dry_run, forecast, making, pipeline, prune
from tokviz.run.due_work import PHASES
from tokviz.run.forecast import Expected
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks

WORDS = [f"word{index}" for index in range(400)]
CONFIG: dict[str, Any] = {
    "words": {"people": ["James", "Mary", "doctor"], "times": ["January", "February", "Tuesday"]},
    "contexts": [{"name": "alone", "template": " {word}"}, {"name": "sentence", "template": "The word is {word}"}],
    "plate_size": [750, 600],
    "models": [{"source": "llama"}],
}


@pytest.fixture(autouse=True)
def _no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_pace", lambda: 1.0)


@pytest.fixture
def project(llama: Path) -> Path:
    return llama.parent


def config(**changes: Any) -> ReportConfig:
    return ReportConfig.model_validate({**CONFIG, **changes})


def expected(folder: Path, report: ReportConfig | None = None, **changes: Any) -> Expected:
    asked = options(folder, **changes)
    return forecast.expected(Plan(report or config(), asked, Store(asked.cache)))


def end(found: Expected) -> float:
    assert found.end is not None
    return found.end


# --- sizes -------------------------------------------------------------------------------------------------------------


def test_a_size_is_that_of_the_weights(llama: Path) -> None:
    weights = load_file(llama / "model.safetensors")
    settings = json.loads((llama / "config.json").read_text())
    size = models.size(ModelConfig(source="llama"), llama.parent)
    assert size is not None
    assert size.n_parameters == sum(each.size for each in weights.values())
    in_layers = sum(each.size for name, each in weights.items() if ".layers." in name)
    assert (size.n_in_layers, size.is_decoder, size.is_gguf) == (in_layers, True, False)
    found = (size.n_layers, size.width, size.vocabulary)
    assert found == (settings["num_hidden_layers"], settings["hidden_size"], settings["vocab_size"])


@pytest.mark.slow
def test_a_gguf_file_has_the_size_of_what_it_was_made_of(tmp_path: Path) -> None:
    tiny_gguf.as_gguf(tiny_gguf.qwen2(tmp_path / "qwen2"), tmp_path / "tiny.gguf", "Q4_0")
    plain, packed = (models.size(ModelConfig(source=each), tmp_path) for each in ("qwen2", "tiny.gguf"))
    assert plain is not None
    assert packed is not None
    assert packed.is_gguf
    for name in ("n_parameters", "n_in_layers", "n_layers", "width", "vocabulary", "is_decoder"):
        assert getattr(packed, name) == getattr(plain, name)


def test_an_encoder_is_known(tiny: Tiny) -> None:
    size = models.size(ModelConfig(source="bert"), tiny("bert").parent)
    assert size is not None
    assert not size.is_decoder


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40, b"\x10\0\0\0\0\0\0\0not any JSON....."])
def test_weights_that_cant_be_read_have_no_size(llama: Path, damage: bytes) -> None:
    (llama / "model.safetensors").write_bytes(damage)
    assert models.size(ModelConfig(source="llama"), llama.parent) is None


# --- what is due -------------------------------------------------------------------------------------------------------


def test_more_words_never_take_less(project: Path) -> None:
    before = dict.fromkeys(PHASES, 0.0)
    for n_words in (2, 40, 117, 400):
        report = config(words={"all": WORDS[:n_words]}, untrained=True, lens=True)
        now = expected(project, report).work.seconds
        assert all(now[phase] >= before[phase] for phase in PHASES), n_words
        before = now


@pytest.mark.parametrize(
    ("more", "phase"), [({"untrained": True}, "capturing"), ({"lens": True}, "lens"), ({"projections": ["standardized", "centered"]}, "making")]
)  # fmt: skip
def test_whoever_asks_for_more_waits_longer(project: Path, more: dict[str, Any], phase: str) -> None:
    base = {"projections": ["standardized"]}
    less, found = (expected(project, config(**each)) for each in (base, {**base, **more}))
    assert found.work.seconds[phase] > less.work.seconds[phase]
    assert end(found) > end(less)


def test_what_is_unknown_stays_unknown(project: Path) -> None:
    found = expected(project, config(models=[{"source": "org/name"}, {"source": "llama"}]), early=True)
    assert (found.end, found.first_page) == (None, None)
    assert found.work.unknown == ["org/name"]
    assert found.megabytes["download"] is None
    assert found.lines[1].startswith("to download: unknown; on the disk: cache unknown, site ")
    assert found.lines[2] == "time: unknown, as the size of org/name isn't known"
    assert found.as_json()["minutes"] == {"first_page": None, "end": None}


def test_a_model_that_is_known_to_fail_takes_no_time(project: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/config.json").write_text("{}", encoding="utf-8")
    alone = expected(project, config(models=[{"source": "llama"}]))
    both = expected(
        project, config(models=[{"source": "llama"}, {"source": str(tmp_path / "broken"), "name": "Broken"}])
    )
    assert (both.work.n_captures, both.work.n_images, both.work.unknown) == (
        alone.work.n_captures,
        alone.work.n_images,
        [],
    )
    assert both.end is not None
    assert both.lines[0].startswith("1 model in ")
    only = expected(project, config(models=[{"source": str(tmp_path / "broken"), "name": "Broken"}]))
    assert not only.work.is_due


def test_a_draft_and_captures_alone_take_less(project: Path) -> None:
    whole = expected(project)
    assert end(expected(project, forms=("draft",))) < end(whole)
    captures = expected(project, draws=False)
    assert captures.work.n_images == 0
    assert captures.work.seconds["making"] == 0
    assert captures.work.n_captures == whole.work.n_captures == 2


def test_the_first_page_stands_before_the_end(project: Path) -> None:
    found = expected(project, early=True)
    assert found.first_page is not None
    assert 0 < found.first_page < end(found)
    assert expected(project).first_page == end(expected(project))


def test_the_lines_say_what_how_large_and_how_long(project: Path) -> None:
    what, size, time = expected(project, config(untrained=True, lens=True), early=True).lines
    assert re.fullmatch(
        r"1 model in 2 contexts: 2 captures, up to 22 with changed or random weights, lens; about \d+ images", what
    )
    assert re.fullmatch(r"to download: 0 MB; on the disk: cache \d+ MB, site \d+ MB, about", size)
    assert re.fullmatch(r"time: first page .*minute.*, all .*minute.* \(by a measurement of this machine\)", time)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3, "under a minute"), (60, "about 1 minute"), (200, "about 3 minutes"), (5_000, "about 83 minutes"), (60_000, "about 1,000 minutes")],
)  # fmt: skip
def test_minutes_are_said_as_roughly_as_they_are_known(seconds: float, said: str) -> None:
    assert forecast._about(seconds) == said


# --- earlier runs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_took_twice_as_long_is_expected_to_do_so_again(project: Path, phase: str) -> None:
    report = config(untrained=True, lens=True)
    before = expected(project, report)
    Store(project / "cache").put_timings({phase: [2.0, 2.0, 0.1, 2.0]})
    now = expected(project, report)
    assert math.isclose(end(now) - end(before), before.work.seconds[phase], abs_tol=1e-9)
    assert now.lines[2].endswith(", corrected by 4 earlier runs)")


def test_one_run_beside_much_other_work_corrects_by_a_part_of_that(project: Path) -> None:
    before = expected(project)
    Store(project / "cache").put_timings({"capturing": [9.0]})
    assert math.isclose(end(expected(project)) - end(before), 2 * before.work.seconds["capturing"], abs_tol=1e-9)


@pytest.mark.parametrize("content", ["[]", "{", '{"loading": 3}', '{"loading": ["x"]}', '{"loading": [[1]]}', '{"other": [2]}', '{"loading": [NaN, -1, 1e999, 0]}', "null"])  # fmt: skip
def test_notes_that_are_damaged_or_foreign_change_nothing(project: Path, content: str) -> None:
    before = end(expected(project))
    store = Store(project / "cache")
    store._put("timings", "0" * 32, ".json", content.encode())
    assert end(expected(project)) == before
    [path] = (project / "cache/timings").iterdir()
    path.write_bytes(b"\0")
    assert end(expected(project)) == before
    path.unlink()
    path.mkdir()
    assert end(expected(project)) == before


@pytest.mark.slow
def test_what_is_made_of_stored_captures_takes_as_long_as_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        families.build("llama", tmp_path / name, n_layers=24)
    report = config(models=[{"source": "one"}, {"source": "other"}], untrained=True)
    before = expected(tmp_path, report).work.seconds
    leave_pictures_blank(monkeypatch)
    pipeline.capture_only(report, options(tmp_path), Told())
    after = expected(tmp_path, report).work.seconds
    assert after["capturing"] == 0 < before["capturing"]
    assert after["making"] == pytest.approx(before["making"], rel=0.1)


@pytest.mark.slow
def test_a_run_notes_how_long_its_phases_took_and_pruning_leaves_that(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_pictures_blank(monkeypatch)
    heard = Told()
    pipeline.run(config(), options(project, foretells=True), heard)
    lines = [line for line in heard.told if line.startswith(("1 model", "to download", "time: "))]
    assert len(lines) == 3
    noted = Store(project / "cache").timings()
    assert {"loading", "making"} <= set(noted) <= set(PHASES)
    assert all(len(each) == 1 and each[0] > 0 for each in noted.values())
    prune.prune(config(), options(project), 0, Locks(waits=False), dry_run=False)
    assert Store(project / "cache").timings() == noted
    again = Told()
    pipeline.run(config(), options(project, foretells=True), again)
    assert not any(line.startswith("time: ") for line in again.told)
    assert Store(project / "cache").timings() == noted
    run_at_once(config(), project, output=project / "other-site", cache=project / "other-cache")
    assert facts(project / "site") == facts(project / "other-site")


@pytest.mark.slow
def test_every_phase_is_known_by_what_is_told_of_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_pictures_blank(monkeypatch)
    kept = list[forecast.Timed]()
    note = forecast.Timed.note

    def noted(timed: forecast.Timed, *of: Any) -> None:
        kept.append(timed)
        note(timed, *of)

    monkeypatch.setattr(forecast.Timed, "note", noted)
    pipeline.run(config(lens=True), options(project, foretells=True), Told())
    [timed] = kept
    assert all(timed.seconds[phase] > 0 for phase in PHASES if phase != "loss")


@pytest.mark.slow
def test_a_first_look_says_how_long_all_was_expected_to_take(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_pictures_blank(monkeypatch)
    tiny.copy("qwen3", tmp_path / "qwen3")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(making.Making, "end", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(config(models=[{"source": "qwen3"}]), options(tmp_path, foretells=True, early=True), Told())
    line = r"The run began on \d{4}-\d\d-\d\d at \d\d:\d\d UTC and was expected to take (under a|about \d+) minutes?\."
    pages = [page for page in (tmp_path / "site").rglob("*.html") if page.name != "404.html"]
    assert len(pages) > 3
    assert all(re.search(line, page.read_text(encoding="utf-8")) for page in pages)


class Told:
    """A reporter that isn't quiet, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def step(self, name: str, total: int | None = None) -> Told:
        self.told.append(name)
        return self

    def advance(self, count: int = 1, detail: str = "") -> None:
        pass


# --- for programs ------------------------------------------------------------------------------------------------------


def test_json_says_what_the_lines_say(project: Path) -> None:
    report = config(models=[{"source": "llama"}, {"source": "./nowhere"}])
    found = dry_run.describe(report, options(project))
    said = found.as_json()
    assert [*said] == ["expected", "models", "more"]
    assert said["expected"]["captures"] == 2
    here, nowhere = said["models"]
    assert (here["name"], here["problem"]) == ("llama", None)
    assert here["contexts"]["alone"] == {
        "is_due": True,
        "why": "capture (not captured yet), then project, measure and draw",
    }
    assert nowhere["problem"].startswith("./nowhere: expected a folder")
    assert nowhere["contexts"] == {}
    assert found.lines[-len(said["more"]) :] == tuple(said["more"])


@pytest.mark.slow
def test_json_says_that_nothing_is_due(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy("qwen3", tmp_path / "qwen3").parent
    report = config(models=[{"source": "qwen3"}])
    run_at_once(report, project)
    found = dry_run.describe(report, options(project))
    assert found.lines[0] == "nothing is to be captured, measured or drawn"
    said = found.as_json()
    assert not said["expected"]["is_due"]
    [model] = said["models"]
    assert [each["is_due"] for each in model["contexts"].values()] == [False, False]
    changed = dry_run.describe(config(models=[{"source": "qwen3"}], plate_size=[800, 600]), options(project)).as_json()
    assert changed["expected"]["captures"] == 0
    assert changed["expected"]["images"] > 0
    assert all(each["is_due"] for each in changed["models"][0]["contexts"].values())
