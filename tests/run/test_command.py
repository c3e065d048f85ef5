"""The command as a user meets it: what it writes, what it says, how it exits, what it does again."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_fonts
import pytest
from at_once import leave_pictures_blank
from command import (
    COMMAND_IS_IN,
    CONFIG,
    GENERATE,
    SMALL_CONFIG,
    differing,
    done,
    generate,
    generate_blank,
    generate_forked,
    hashes,
    python,
)
from families import Tiny
from invoking import foreseen, run_in
from link_check import broken

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def reported(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of two tiny models, and the site that one run made of it."""
    folder = tmp_path_factory.mktemp("project")
    models = [tiny.copy(family, folder / family).name for family in ("qwen3", "bert")]
    tables = [f'[[models]]\nsource = "{family}"\nname = "Tiny {family}"\n' for family in models]
    (folder / "report.toml").write_text(CONFIG + "\n".join(tables), encoding="utf-8")
    (folder / "small.toml").write_text(f'{SMALL_CONFIG}[[models]]\nsource = "bert"\n', encoding="utf-8")
    done(generate_blank(folder))
    return folder


@pytest.fixture
def project(reported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, times included: a model's identity has them."""
    return Path(shutil.copytree(reported, tmp_path_factory.mktemp("copy") / "project"))


def test_one_run_writes_the_whole_site(reported: Path) -> None:
    files = set(hashes(reported / "site"))
    assert {"index.html", "404.html", ".nojekyll", "method/index.html", "data/report.json"} <= files
    assert {"models/tiny-qwen3/index.html", "models/tiny-bert/index.html"} <= files
    for model, path in (("tiny-qwen3", "model.layers.2"), ("tiny-bert", "bert.encoder.layer.2")):
        for context in ("alone", "sentence"):
            assert {f"data/{model}/{context}/coordinates.csv", f"data/{model}/{context}/tokens.csv"} <= files
            for projection in ("standardized", "centered"):
                stem = f"images/{model}/{context}/{projection}/{model}"
                for name in (f"__{path}", "_m.et", "_strip", "_strip-dark"):
                    assert {f"{stem}{name}.webp", f"{stem}{name}-phone.webp"} <= files


def exploding(tokenizer: dict[str, Any]) -> None:
    """Makes ten thousand of each character, three times over."""
    replace = {"type": "Replace", "pattern": {"Regex": "."}, "content": "a" * 10_000}
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [replace] * 3}


def with_unknown_token(tokenizer: dict[str, Any]) -> None:
    """Puts an id before each text that no token has."""
    first, second = ({"Sequence": {"id": name, "type_id": index}} for index, name in enumerate("AB"))
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "Q", "type_id": 0}}, first],
        "pair": [first, second],
        "special_tokens": {"Q": {"id": "Q", "ids": [99_999], "tokens": ["Q"]}},
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [(exploding, "was ended by signal"), (with_unknown_token, "got the id 99,999, which it doesn't have")],
)
def test_a_model_that_would_end_the_run_costs_that_model_only(
    tiny: Tiny, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    for family in ("qwen3", "bert"):
        tiny.copy(family, tmp_path / family)
    file = tmp_path / "qwen3" / "tokenizer.json"
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    tables = '[[models]]\nsource = "qwen3"\n[[models]]\nsource = "bert"\n'
    (tmp_path / "report.toml").write_text(SMALL_CONFIG + tables, encoding="utf-8")
    made = generate_blank(tmp_path)
    assert made.returncode == 3, made.stderr
    (line,) = [line for line in made.stderr.splitlines() if line.startswith("error: ")]
    assert said in line
    report = json.loads((tmp_path / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    assert said in report["models"][0]["failure"]
    assert report["models"][1]["failure"] is None


def test_the_numbers_are_there_to_take_away(reported: Path) -> None:
    report = json.loads((reported / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    assert report["schema"] == 2
    assert [model["slug"] for model in report["models"]] == ["tiny-qwen3", "tiny-bert"]
    assert report["models"][0]["contexts"][0]["captured_at"] == "2023-11-14T22:13:20Z"
    assert report["command"] == "python generate.py"
    csv = (
        (reported / "site" / "data" / "tiny-qwen3" / "alone" / "coordinates.csv")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    n_depths = len(report["models"][0]["contexts"][0]["module_paths"])
    assert len(csv) == 1 + 8 * n_depths
    assert csv[0].startswith("depth,layer,word,text_safe,categories,reference,standardized_pc1")


def test_nothing_of_this_machine_stands_in_the_site(reported: Path) -> None:
    for path in (reported / "site").rglob("*"):
        if path.suffix in {".html", ".json", ".csv"}:
            assert str(reported) not in path.read_text(encoding="utf-8"), path


RUN_AND_LIST_MODULES = """
import runpy, sys
sys.argv = [sys.argv[1], "--quiet", *sys.argv[2:]]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print(*{name.split(".")[0] for name in sys.modules})
"""


def test_a_second_run_makes_nothing_again_and_changes_no_byte(project: Path) -> None:
    before = hashes(project / "site")
    run = python("-c", RUN_AND_LIST_MODULES, GENERATE, folder=project)
    assert run.returncode == 0, run.stderr
    assert {"torch", "transformers", "sklearn", "matplotlib"}.isdisjoint(run.stdout.split())
    after = hashes(project / "site")
    assert {path for path in before | after if before.get(path) != after.get(path)} <= COMMAND_IS_IN


def draw(project: Path, folder: Path, jobs: str) -> str:
    """What is said of both models in one context, which are drawn into ``folder``, as SVG, too."""
    where = ("--output", str(folder / "site"), "--cache", str(folder / "cache"), "--jobs", jobs)
    return done(generate(project, "--svg", "--config", "small.toml", "--model", "bert", "--model", "qwen3", *where))


@pytest.fixture(scope="module")
def drawn(reported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By one process; not to be changed."""
    folder = tmp_path_factory.mktemp("drawn")
    assert "40 new images" in draw(reported, folder, "1")
    return folder


@pytest.mark.thorough
def test_the_same_input_gives_the_same_bytes_with_other_processes_and_no_cache(
    reported: Path, drawn: Path, tmp_path: Path
) -> None:
    assert "40 new images" in draw(reported, tmp_path, "2")
    assert differing(drawn / "site", tmp_path / "site") <= COMMAND_IS_IN


def test_drawings_are_written_where_they_are_asked_for_and_are_not_made_twice(
    reported: Path, drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path, dirs_exist_ok=True)
    files = hashes(tmp_path / "site")
    folder = "images/bert/sentence/standardized/bert"
    drawings = {path for path in files if path.endswith(".svg")}
    assert {f"{folder}__bert.encoder.layer.2.svg", f"{folder}_m.et.svg"} <= drawings
    assert not any("strip" in path or "phone" in path for path in drawings)
    assert "0 new captures, 0 new images" in draw(reported, tmp_path, "1")
    assert {path: digest for path, digest in hashes(tmp_path / "site").items() if path in drawings} == {
        path: files[path] for path in drawings
    }
    assert not any(path.endswith(".svg") and path.startswith("images/") for path in hashes(reported / "site"))


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="there fonts have a fixed place")
def test_words_that_no_font_has_are_told_until_there_is_one(project: Path, tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('all = ["James", "Mary", "doctor", "漢"]\n', encoding="utf-8")
    words = ["--words", str(tmp_path / "words.toml"), "--config", "small.toml"]
    words += ["--output", str(tmp_path / "site"), "--cache", str(tmp_path / "cache")]
    fonts = {"XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path), "HOME": str(tmp_path)}
    complaint = "no installed font has 漢 (CJK UNIFIED IDEOGRAPH-6F22): the plots show code points instead"

    done(generate(project, *words, "--capture-only"))
    made = generate_forked(project, *words, **fonts)
    assert made.returncode == 0, made.stderr
    assert made.stderr.count(complaint) == 1
    assert "missing from font" not in made.stderr
    page = tmp_path / "site" / "models" / "bert" / "index.html"
    assert "every character of 漢" in page.read_text(encoding="utf-8")
    before = hashes(tmp_path / "site")

    made_fonts.put(tmp_path / "fonts", "Boxes.ttf", "漢")
    made = generate_forked(project, *words, **fonts)
    assert made.returncode == 0, made.stderr
    assert "no installed font" not in made.stderr
    assert "every character of" not in page.read_text(encoding="utf-8")
    after = hashes(tmp_path / "site")
    redrawn = {path for path in before if path.startswith("images/") and after[path] != before[path]}
    # Only plates show words.
    assert redrawn == {path for path in before if path.startswith("images/") and "__" in path}

    calm = python("-c", RUN_AND_LIST_MODULES, GENERATE, *words, folder=project, **fonts)
    assert calm.returncode == 0, calm.stderr
    assert {"torch", "matplotlib", "fontTools"}.isdisjoint(calm.stdout.split())


def test_a_dry_run_says_what_is_due_and_why_and_writes_nothing(project: Path, tmp_path: Path) -> None:
    before = hashes(project)
    calm = foreseen(project)
    assert "standardized: up to date" in calm
    assert "not captured" not in calm
    assert "capture (not captured yet)" in foreseen(project, "--cache", str(tmp_path / "empty"))
    assert hashes(project) == before
    assert not (tmp_path / "empty").exists()


def test_a_damaged_image_is_drawn_again(project: Path) -> None:
    before = hashes(project / "site")
    image = next((project / ".cache" / "images").glob("*.webp"))
    image.write_bytes(image.read_bytes()[:-5])
    assert "1 new image" in done(generate_blank(project))
    after = hashes(project / "site")
    assert {path for path in before if path.startswith("images/") and after.get(path) != before[path]} == set()


def test_the_cache_alone_is_enough_to_render(project: Path, tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text((project / "report.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert "0 new captures, 0 new images" in done(generate_blank(tmp_path, "--cache", str(project / ".cache")))


def test_a_model_that_fails_says_so_on_its_page_and_the_others_go_on(project: Path, tmp_path: Path) -> None:
    models = ("--config", "small.toml", "--model", "bert", "--model", "./missing")
    made = generate_blank(project, *models, "--output", str(tmp_path / "site"))
    assert made.returncode == 3
    assert "missing: ./missing: expected a folder" in made.stderr
    assert "Traceback" not in made.stderr
    page = (tmp_path / "site" / "models" / "missing" / "index.html").read_text(encoding="utf-8")
    assert "expected a folder" in page
    assert (tmp_path / "site" / "models" / "bert" / "index.html").is_file()


def test_what_an_author_shows_of_a_model_that_fails_is_left_out(project: Path, tmp_path: Path) -> None:
    """Places of its page, its plots, a page that takes two models, a depth that only it has."""
    linked = "[1](models/missing/#sentence/layer-1) [2](compare/) ![3](images/missing/strip.webp) [4](models/bert/)"
    tables = (
        '[[models]]\nsource = "bert"\n[[models]]\nsource = "./missing"\n[finding]\ndepths = ["layer-1", "layer-9"]\n'
    )
    (project / "linked.toml").write_text(f'intro = "{linked}"\n{SMALL_CONFIG}{tables}', encoding="utf-8")
    made = generate_blank(project, "--config", "linked.toml", "--output", str(tmp_path / "site"))
    assert made.returncode == 3, made.stderr
    said = [line for line in made.stderr.splitlines() if line.endswith("; left out, as a part of the report failed")]
    assert [line.split(": ")[1] for line in said] == ["finding.depths.1", "intro", "intro"], (
        "of one model left, compare/ leads to it"
    )
    assert broken(tmp_path / "site", [tmp_path / "site" / "index.html"], least=10) == []


def test_a_report_can_be_made_from_within_its_site(project: Path) -> None:
    before, site = hashes(project / "site"), project / "site"
    (site / "own").mkdir()
    where = ("--config", "../../report.toml", "--output", "../../site", "--cache", "../../.cache")
    made = done(generate_blank(site / "own", *where))
    assert made.startswith(f"{site / 'index.html'}: 2 models")
    assert {path for path, digest in hashes(site).items() if before.get(path) != digest} <= COMMAND_IS_IN
    assert (site / "own").is_dir()
    assert not list(project.glob(".site.tokviz-*"))
    notes = [json.loads(note.read_text(encoding="utf-8")) for note in (project / ".cache" / "reports").iterdir()]
    assert str(site) in {note["output"] for note in notes}


def test_when_no_model_can_be_captured_the_old_site_stays(project: Path) -> None:
    before = hashes(project / "site")
    made = run_in(project, "--model", "./missing")
    assert made.exit_code == 1
    assert "Loading" not in made.stderr
    assert made.stderr.splitlines()[-1].startswith("error: no model could be captured, so nothing was written")
    assert hashes(project / "site") == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--config", "nowhere.toml"], 1, "nowhere.toml: expected a TOML file"),
        (["--words", "nowhere.toml"], 1, "nowhere.toml: expected a TOML file"),
        (["--output", "qwen3"], 1, "they would be mixed"),
        (["--output", "report.toml"], 1, "got a file"),
        (["--output", "report.toml/c"], 1, "report.toml is none"),
        (["--output", "s", "--cache", "s/cache"], 1, "neither within the other"),
        (["--cache", "report.toml", "--force"], 1, "report.toml"),
        (["--device", "nonsense", "--force"], 1, "nonsense"),
        (["--site-url", "example.org"], 1, "--site-url"),
        (["--jobs", "0"], 2, "jobs"),
        (["--frobnicate"], 2, "frobnicate"),
    ],
)
def test_bad_input_is_one_clear_message_and_nothing_is_lost(
    project: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    leave_pictures_blank(monkeypatch)
    before = hashes(project)
    made = run_in(project, *arguments)
    assert made.exit_code == code, made.stderr
    assert said in made.stderr
    if code == 1:
        assert made.stderr.strip().splitlines()[-1].startswith("error: ")
    assert {path: digest for path, digest in hashes(project).items() if not path.startswith(".cache")} == {
        path: digest for path, digest in before.items() if not path.startswith(".cache")
    }


def test_debug_shows_where_an_error_comes_from(project: Path) -> None:
    made = generate(project, "--config", "nowhere.toml", "--debug")
    assert made.returncode == 1
    assert "ConfigError" in made.stderr
    assert "Traceback" in made.stderr


def test_fewer_than_three_words_make_a_page_that_says_so(project: Path, tmp_path: Path) -> None:
    (tmp_path / "few.toml").write_text('few = ["James", "Mary"]\n', encoding="utf-8")
    few = ("--words", str(tmp_path / "few.toml"), "--config", "small.toml")
    done(generate_blank(project, *few, "--output", str(tmp_path / "site")))
    page = (tmp_path / "site" / "models" / "bert" / "index.html").read_text(encoding="utf-8")
    assert "at least 3 words" in page


@pytest.mark.thorough
def test_an_embedding_of_another_width_is_told_and_drawn(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("opt_narrow", tmp_path / "opt")
    (tmp_path / "report.toml").write_text(SMALL_CONFIG + '[[models]]\nsource = "opt"\n', encoding="utf-8")
    done(generate_blank(tmp_path))
    page = (tmp_path / "site" / "models" / "opt" / "index.html").read_text(encoding="utf-8")
    assert "dimensions" in page
    assert (tmp_path / "site" / "images" / "opt" / "sentence" / "standardized" / "opt_m.et.webp").is_file()


def test_a_model_that_reads_its_padding_is_captured_without_and_says_so(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("fnet", tmp_path / "fnet")
    (tmp_path / "report.toml").write_text(CONFIG + '[[models]]\nsource = "fnet"\n', encoding="utf-8")
    (tmp_path / "words.toml").write_text('few = ["James", "Mary", "doctor", "doctor in Paris"]\n', encoding="utf-8")
    made = generate_blank(tmp_path, "--draft", "--words", "words.toml")
    assert made.returncode == 0, made.stderr
    told = "so words of equal length were run together, without padding"
    assert "fnet, alone: Padding changes this model’s hidden states by" in made.stderr
    assert told in made.stderr
    page = (tmp_path / "site" / "models" / "fnet" / "index.html").read_text(encoding="utf-8")
    assert told in page
    report = json.loads((tmp_path / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    check = report["models"][0]["contexts"][0]["batch_check"]
    assert check["batching"] == "equal_lengths"
    padded, equal = check["comparisons"]
    assert padded["difference"] > check["tolerance"] > equal["difference"]
    assert padded["depth"].startswith("layer")


def test_a_dry_run_tells_of_models_that_are_not_there(tmp_path: Path) -> None:
    config = tmp_path / "report.toml"
    config.write_text('[words]\ncolors = ["red", "green"]\n[[models]]\nsource = "./none"\n', encoding="utf-8")
    planned = run_in(tmp_path, "--config", str(config), "--cache", str(tmp_path / "cache"), "--dry-run")
    assert planned.exit_code == 1, planned.stderr
    assert "it will fail: ./none: expected" in planned.stdout
