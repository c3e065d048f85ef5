"""What others run: the workflows, the lock that they install from, and the commands of the manual."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requirements_files
import schemas
from command import done, python
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
LOCK = ROOT / "requirements.lock"


def test_the_workflows_are_what_github_expects() -> None:
    files = sorted(WORKFLOWS.glob("*.yml"))
    assert [file.name for file in files] == ["pages.yml", "tests.yml"]
    assert schemas.problem(schemas.WORKFLOWS, *files) is None


@pytest.mark.parametrize(("right", "wrong"), [("runs-on:", "run-on:"), ("pages: write", "pages: writing")])
def test_a_mistake_would_be_found(tmp_path: Path, right: str, wrong: str) -> None:
    text = (WORKFLOWS / "pages.yml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "pages.yml").write_text(text.replace(right, wrong), encoding="utf-8")
    assert schemas.problem(schemas.WORKFLOWS, tmp_path / "pages.yml")


@pytest.mark.process
def test_the_hubs_tool_knows_the_commands_of_the_manual() -> None:
    text = (ROOT / "docs" / "manual" / "how-to" / "hosts.md").read_text(encoding="utf-8")
    commands = re.findall(r"hf (repos create|upload) ([^`&]*)", text)
    assert len(commands) == 3
    for verb, arguments in commands:
        told = done(python("-m", "huggingface_hub.cli.hf", *verb.split(), "--help"))
        assert {word for word in arguments.split() if word.startswith("--")} <= set(re.findall(r"--[\w-]+", told))


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def test_the_requirements_follow_from_the_lists_of_the_distribution() -> None:
    for name, content in requirements_files.contents().items():
        assert (ROOT / name).read_text(encoding="utf-8") == content, f"{name}: make requirements"


def pins() -> dict[str, list[str]]:
    """Every package of the lock and its versions, of which there are several where Python versions need different ones."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)(?:\[[^]]*])?==([^ ]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-docs.txt", "requirements-dev.txt", "requirements-cluster.txt"]
)
def test_the_lock_is_in_line_with_the_requirements(name: str) -> None:
    locked = pins()
    for requirement in requirements(name):
        versions = locked.get(canonicalize_name(requirement.name), [])
        if requirement.name == "torch":
            assert not versions
        else:
            assert versions, f"{requirement.name} is not in the lock: make lock"
            assert all(version in requirement.specifier for version in versions), f"{requirement}: make lock"


def test_the_lock_pins_hashes_and_names_no_index() -> None:
    text = LOCK.read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert len(entries) == sum(map(len, pins().values()))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|^-|index-url|find-links", text, re.MULTILINE)


def test_every_workflow_installs_from_the_lock_but_for_the_lowest_versions() -> None:
    commands = {
        path.stem: re.findall(r"run: ((?:make|python -m pip) .*)", path.read_text(encoding="utf-8"))
        for path in WORKFLOWS.glob("*.yml")
    }
    lock = "LOCK=requirements.lock"
    assert commands == {
        "pages": [f"make site {lock}", f"make docs {lock}"],
        "tests": [
            f"make test-all {lock}",
            "python -m pip install --no-deps --require-hashes -r requirements.lock",
            "python -m pip install -r requirements-dev.txt",  # finds all in place but torch
            *("make lowest", "make test-lowest"),
            *(f"make {target} {lock}" for target in ("audit", "audit-packages", "publish")),
        ],
    }


def test_only_a_tag_is_published_and_only_after_all_tests() -> None:
    text = (WORKFLOWS / "tests.yml").read_text(encoding="utf-8")
    jobs = re.split(r"^  (\w+):\n", text.partition("\njobs:\n")[2], flags=re.MULTILINE)[1:]
    by_name = dict(zip(jobs[::2], jobs[1::2], strict=True))
    *others, last = by_name
    assert last == "publish"
    assert f"needs: [{', '.join(others)}]" in by_name["publish"]
    assert "if: startsWith(github.ref, 'refs/tags/v')" in by_name["publish"]
    assert text.count("id-token: write") == by_name["publish"].count("id-token: write") == 1


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_actions_are_named_by_the_commit_of_a_release(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for action in uses:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_all_workflows_name_the_same_commit_of_an_action() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS.glob("*.yml")]
    uses = {(name, commit) for text in texts for name, commit in re.findall(r"uses: ([\w/-]+)@(.*)", text)}
    assert len(uses) == len({name for name, _ in uses})


def test_newer_versions_of_everything_that_is_pinned_are_proposed() -> None:
    file = ROOT / ".github" / "dependabot.yml"
    assert schemas.problem(schemas.DEPENDABOT, file) is None
    text = file.read_text(encoding="utf-8")
    places = re.findall(r"package-ecosystem: (\S+)\n    directory: (\S+)", text)
    assert places == [("pip", "/"), ("npm", "/tests/audit"), ("github-actions", "/")]
    assert text.count("interval: weekly") == text.count("groups:") == len(places)


def test_packages_are_looked_up_apart_from_the_tests() -> None:
    """The tests need no network."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [of_tests] = re.findall(r"^test: (.*?)##", makefile, re.MULTILINE)
    assert "audit" not in of_tests
    assert "pip-audit --strict" in makefile


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "LICENSES.md"])
def test_the_files_that_developers_are_sent_to_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    # Whose paths are relative: test_contributing.py reads it.
    text = re.sub(r"\n### From a page back to its source\n.*?\n(?=## )", "\n", text, flags=re.DOTALL)
    named = re.findall(r"`((?:tokviz|templates|tests|\.github)/[\w./-]*|[\w-]+\.(?:py|toml|txt|lock))`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_commands_that_developers_are_given_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("CONTRIBUTING.md", "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_make_names_the_files_of_the_tests_that_run_alone() -> None:
    [named] = re.findall(r"^ALONE *= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    marker = re.compile(r"^ *(@|pytestmark = .*)pytest\.mark\.alone\b", re.MULTILINE)
    files = (ROOT / "tests").rglob("test_*.py")
    having = {file.relative_to(ROOT).as_posix() for file in files if marker.search(file.read_text(encoding="utf-8"))}
    assert set(named.split()) == having
