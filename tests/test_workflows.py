"""The ways to publish are ones that GitHub and the Hub know: the workflows, and the README's commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    """Against the schema that the checker brings along; nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    return subprocess.run([*command, *map(str, files)], check=False, capture_output=True, text=True, timeout=60)


def test_the_workflows_are_what_github_expects() -> None:
    files = sorted(WORKFLOWS.glob("*.yml"))
    assert [file.name for file in files] == ["pages.yml", "tests.yml"]
    checked = check(*files)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("right", "wrong"), [("runs-on:", "run-on:"), ("pages: write", "pages: writing")])
def test_a_mistake_would_be_found(tmp_path: Path, right: str, wrong: str) -> None:
    text = (WORKFLOWS / "pages.yml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "pages.yml").write_text(text.replace(right, wrong), encoding="utf-8")
    assert check(tmp_path / "pages.yml").returncode == 1


def test_the_hubs_tool_knows_the_commands_of_the_readme() -> None:
    commands = re.findall(r"hf (repos create|upload) ([^`&]*)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(commands) == 3
    for verb, arguments in commands:
        tool = [sys.executable, "-m", "huggingface_hub.cli.hf", *verb.split(), "--help"]
        told = subprocess.run(tool, check=True, capture_output=True, text=True, timeout=60).stdout
        assert {word for word in arguments.split() if word.startswith("--")} <= set(re.findall(r"--[\w-]+", told))
