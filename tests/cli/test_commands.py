"""The commands of ``tokviz``: the same work as ``python generate.py``, under names of their own."""

from __future__ import annotations

import faulthandler
import json
import os
import re
import shutil
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import CONFIG, ROOT, done, generate_forked, python
from families import Tiny
from invoking import run

from tokviz.cli import application, looking
from tokviz.config import ModelConfig, ReportConfig
from tokviz.config.schema import explanations, json_schema
from tokviz.config.tables import Table
from tokviz.models import Description, describe
from tokviz.run.store import entries

EXPECTED_KEYS = [
    *("is_due", "models", "contexts", "captures", "changed_or_random", "kinds", "images"),
    *("megabytes", "minutes", "unknown", "earlier_runs"),
]
WORDS = 'Colors = ["red", "green", "blue"]\n"First names" = ["Mary", "James", "Anna"]\n'


@pytest.fixture
def project(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config, a tiny model and words, which is the current one."""
    (tmp_path / "report.toml").write_text(CONFIG + '[[models]]\nsource = "llama"\n', encoding="utf-8")
    (tmp_path / "words.toml").write_text(WORDS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_without_a_command_are_those_of_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("tokviz.run.forecast._pace", lambda: 1.0)
    plain, named, plan = run("--dry-run"), run("build", "--dry-run"), run("plan")
    assert plain.exit_code == named.exit_code == plan.exit_code == 0
    assert "alone: capture (not captured yet)" in plan.stdout
    assert plain.stdout == named.stdout == plan.stdout
    what, size, time, *_ = plan.stdout.splitlines()
    assert what.startswith("1 model in 2 contexts: 2 captures; about ")
    assert size.startswith("to download: 0 MB; on the disk: cache ")
    assert time == "time: first page under a minute, all under a minute (by a measurement of this machine)"
    assert sorted(path.name for path in project.iterdir()) == ["llama", "report.toml", "words.toml"]


def test_a_plan_for_programs(project: Path) -> None:
    told = run("plan", "--json")
    assert told.exit_code == 0
    said = json.loads(told.stdout)
    assert [*said] == ["expected", "models", "more"]
    assert [*said["expected"]] == EXPECTED_KEYS
    assert said["models"][0]["contexts"]["alone"]["is_due"]
    page = (ROOT / "docs" / "manual" / "reference" / "command.md").read_text(encoding="utf-8")
    assert not [key for key in (*said, *EXPECTED_KEYS, *said["models"][0]) if f"`{key}`" not in page]


@pytest.mark.process
def test_a_plan_says_that_a_pair_is_not_of_one_form_as_soon_as_both_are_captured(project: Path, tiny: Tiny) -> None:
    with (project / "report.toml").open("a", encoding="utf-8") as file:
        file.write(f"[[models]]\nsource = {str(tiny('gpt2'))!r}\nname = 'Other'\n")
    text = (project / "report.toml").read_text(encoding="utf-8")
    (project / "report.toml").write_text('changes = [["llama", "Other"]]\n' + text, encoding="utf-8")
    assert run("plan").exit_code == 0
    done(generate_forked(project, "--capture-only"))
    planned = run("plan")
    assert "llama and Other: no page of what changed: expected the " in planned.stdout
    assert "; remove the pair from changes\n" in planned.stdout
    assert planned.exit_code == 1


def test_a_model_that_will_fail_is_no_work(project: Path) -> None:
    """Its weights are there, and cut off."""
    alone = json.loads(run("plan", "--json").stdout)["expected"]
    shutil.copytree(project / "llama", project / "broken")
    (weights,) = (project / "broken").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-64])
    with (project / "report.toml").open("a", encoding="utf-8") as file:
        file.write('[[models]]\nsource = "broken"\n')
    planned = run("plan", "--json")
    assert planned.exit_code == 1
    both = json.loads(planned.stdout)
    assert both["models"][1]["problem"]
    for key in ("captures", "images", "models"):
        assert both["expected"][key] == alone[key]


def test_models_and_words_need_no_config(project: Path) -> None:
    (project / "report.toml").unlink()
    planned = run("--model", "Tiny=llama", "--words", "words.toml", "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.splitlines()[3] == "Tiny (llama)"
    for arguments in ([], ["--model", "llama"], ["--words", "words.toml"]):
        missing = run("plan", *arguments)
        assert missing.exit_code == 1
        assert missing.stderr == (
            "error: report.toml: expected a TOML file, found none; make one with tokviz init, name another with --config, or "
            "give both --model and --words\n"
        )


@pytest.mark.process
def test_a_look_at_a_model_that_takes_long_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokviz.run.work.progress.LONG_SECONDS", 0.01)

    def slowly(*given: Any) -> Description:
        time.sleep(0.2)
        return describe(*given)

    monkeypatch.setattr(looking, "describe", slowly)
    told = run("models", "Tiny=llama")
    assert told.stderr == "Looking at Tiny …\n"
    assert told.stdout.startswith("Tiny (llama)\n")


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="What is put in place of the look is there in a fork only")
def test_a_model_that_ends_the_process_that_looks_at_it_costs_itself_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a tokenizer does that takes all memory: its library aborts."""

    def abort(model: ModelConfig, *others: Any) -> Description:
        if model.source == "./hostile":
            faulthandler.disable()  # pytest's
            os.abort()
        return describe(model, *others)

    monkeypatch.setattr(looking, "describe", abort)
    told = run("models", "./hostile", "llama")
    assert told.exit_code == 1
    first, found, *others = told.stdout.splitlines()
    assert (first, others[0], others[-1]) == ("hostile (./hostile)", "llama (llama)", "  can be captured")
    assert found.startswith(
        "  can't be captured: ./hostile: expected a model that its libraries can load and run, but "
    )
    assert "was ended by signal 6" in found


def test_a_home_is_meant_by_its_sign_in_options_and_config(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.setenv("USERPROFILE", str(project))
    (project / "intro.md").write_text("Read from home.", encoding="utf-8")
    (project / "elsewhere").mkdir()
    text = 'intro = "~/intro.md"\nwords = "~/words.toml"\n[[models]]\nsource = "~/llama"\n'
    (project / "elsewhere" / "report.toml").write_text(text, encoding="utf-8")
    planned = run("--config", "~/elsewhere/report.toml", "--output", "~/public", "--cache", "~/kept", "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.endswith("written, to public\n")


def test_pruning_says_what_would_go(project: Path) -> None:
    assert run("prune").stdout == ".cache: there is no cache here, so there is nothing to remove\n"
    (project / ".cache" / "states" / ("a" * 32)).mkdir(parents=True)
    refused = run("prune")
    assert refused.exit_code == 1
    assert "expected a cache of tokviz, with the file tokviz-cache.txt in it, found none; first make" in refused.stderr
    entries.mark(project / ".cache")
    assert "1 would be removed" in run("prune", "--dry-run", "--older-than", "0").stdout
    assert run("--cache-prune", "--dry-run", "--older-than", "0").stdout == run("prune", "--dry-run").stdout


def test_pruning_what_is_no_folder_is_refused(project: Path) -> None:
    for options in ([], ["--dry-run"]):
        done = run("prune", "--cache", "report.toml", *options)
        assert done.exit_code == 1
        assert done.stderr == (
            "error: --cache report.toml: expected a folder or a place for one, but report.toml is none; name another\n"
        )


@pytest.mark.process
def test_a_device_that_computes_nothing_is_refused(project: Path) -> None:
    for device in ("meta", "banana", ""):
        done = run("build", "--capture-only", "--device", device)
        assert done.exit_code == 1
        assert done.stderr.endswith(f"error: --device: expected cpu, cuda, cuda:1 or mps, got {device!r}\n")


@pytest.mark.process
def test_a_model_that_fails_is_named_once(project: Path) -> None:
    (project / "empty").mkdir()
    for source, said in (("empty", "empty: expected "), ("Mine=empty", "Mine: empty: expected ")):
        done = run("build", "--model", source, "--words", "words.toml")
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"error: no model could be captured, so nothing was written: {said}")
    done = run("build", "--model", "empty", "--model", "llama", "--words", "words.toml", "--capture-only", "--quiet")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[-1].startswith("error: empty: expected ")


@pytest.mark.process
def test_the_models_of_a_config_or_of_the_command_are_described_before_a_run(project: Path, gpt2: Path) -> None:
    config = run("models")
    assert config.exit_code == 0, config.stderr
    assert re.fullmatch(
        r"llama \(llama\)\n"
        r"  a folder on this machine · LlamaModel · 3 layers · 32 dimensions · [\d,]+ parameters · \d+ MB\n  can be captured\n",
        config.stdout,
    )
    (gpt2 / "tokenizer.json").unlink()
    (gpt2 / "tokenizer_config.json").unlink(missing_ok=True)
    several = run("models", "Mine=./llama", "./gpt2", "./nowhere")
    assert several.exit_code == 1
    assert several.stdout.count("  can be captured\n") == 1
    assert "Mine (./llama)" in several.stdout
    assert "can't be captured: ./gpt2: expected tokenizer files" in several.stdout
    assert "can't be captured: ./nowhere: expected a folder" in several.stdout


@pytest.mark.process
def test_that_weights_are_those_of_sha256_is_not_promised(project: Path) -> None:
    text = (project / "report.toml").read_text(encoding="utf-8")
    pinned = text.replace('source = "llama"', f'source = "llama"\nsha256 = "{"a" * 64}"')
    assert pinned != text
    (project / "pinned.toml").write_text(pinned, encoding="utf-8")
    described = run("models", "--config", "pinned.toml")
    assert (
        described.stdout.splitlines()[-1]
        == "  can be captured, if its weights are those of sha256, which are not read here"
    )


COMMANDS = ("init", "build", "serve", "plan", "models", "prune", "schema")


def test_help_has_panels_and_examples_of_commands_that_exist() -> None:
    for command in ("", *COMMANDS):
        shown = run(*command.split(), "--help")
        assert shown.exit_code == 0
        examples = re.findall(r"^ tokviz(?: (\w+))?\b.*", shown.stdout.partition("Examples")[2], re.MULTILINE)
        assert examples
        assert set(examples) <= ({command} if command else {"", *COMMANDS})
    assert run("--version").stdout.startswith("tokviz ")


def test_a_mistyped_command_is_refused_and_an_option_too() -> None:
    assert (run("bild").exit_code, run("--frobnicate").exit_code, run("plan", "--svgs").exit_code) == (2, 2, 2)
    assert "No such command 'bild'" in run("bild").stderr


@pytest.mark.parametrize(
    ("argument", "meant"),
    [("./ckpt", "./ckpt"), ("org/name@v2", "org/name@v2"), ("a.toml", "--config a.toml"), ("a b/c", "'a b/c'")],
)
def test_a_model_without_a_command_is_told_which_one_takes_it(argument: str, meant: str) -> None:
    refused = run(argument)
    assert refused.exit_code == 2
    assert f"No such command '{argument}'. Did you mean: tokviz build {meant}" in refused.stderr


def test_shells_complete_commands_and_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_TOKVIZ_COMPLETE", "complete_bash")
    for typed, expected in (("tokviz pl", {"plan"}), ("tokviz build --dra", {"--draft"})):
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
        with pytest.raises(SystemExit):
            application.run()
        assert set(capsys.readouterr().out.split()) == expected


@pytest.mark.process
def test_a_console_of_an_old_encoding_gets_what_it_can_show(project: Path) -> None:
    planned = python("-m", "tokviz", "plan", "--model", "漢=llama", folder=project, PYTHONIOENCODING="cp1252")
    assert "\n\\u6f22 (llama)" in done(planned)


# --- the schema ----------------------------------------------------------------------------------------------------------


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    printed = run("schema").stdout
    assert json.loads(printed) == json_schema()
    assert run("schema", "--output", str(tmp_path / "s.json")).exit_code == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == printed
    refused = run("schema", "--output", str(tmp_path / "none" / "s.json"))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)


ALL = """
title = "{n_words} words"
compare = [["A", "B"]]
[words]
Months = ["May"]
colors = { label = "Colors", words = ["red"] }
[[contexts]]
name = "In a text"
template = "The {word}"
[[models]]
source = "a/A"
max_memory = { cpu = "8GiB", 0 = "20GiB" }
[models.notes]
curves = "A note."
[[models]]
source = "b/B"
[[interventions]]
model = "A"
layer = 1
neurons = [1, 2]
value = 0.5
[finding]
sentence = "It is so."
"""
REFUSED = {
    'title = "x"': 'titel = "x"',
    'words = ["red"]': "words = 3",
    "neurons = [1, 2]": "neurons = []",
    "value = 0.5": 'value = "nothing"',
    'cpu = "8GiB"': 'gpu = "8GiB"',
    'template = "The {word}"': "template = 1",
}


def test_the_schema_takes_what_the_config_takes_and_no_more() -> None:
    validator = jsonschema.Draft7Validator(json_schema())
    jsonschema.Draft7Validator.check_schema(json_schema())
    text = ALL.replace('"{n_words} words"', '"x"')
    ReportConfig.model_validate(tomllib.loads(text))
    validator.validate(tomllib.loads(text))
    for right, wrong in REFUSED.items():
        assert right in text
        assert not validator.is_valid(tomllib.loads(text.replace(right, wrong))), wrong
    vocabulary = '[words]\nvocabulary = true\nlayers = ["embedding", 0]\nmonths = ["May"]\n[[models]]\nsource = "a/b"\n'
    validator.validate(tomllib.loads(vocabulary))
    validator.validate({"words": "words.toml", "models": [{"source": "a/b"}], "interventions": "off"})


def test_what_a_key_means_stands_in_the_schema() -> None:
    schema = json_schema()
    assert (
        schema["properties"]["projections"]["description"]
        == "How the hidden states of a layer are scaled before PCA. The first is shown first."
    )
    assert schema["$defs"]["ModelConfig"]["properties"]["revision"]["description"].startswith("Of a hub model")
    for table in Table.__subclasses__():
        assert list(explanations(table)) == list(table.model_fields)
