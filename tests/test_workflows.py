"""The workflows are what GitHub expects, and give no step more rights than it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parent.parent / ".github" / "workflows"


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    """Against the schema that the checker brings along; nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    return subprocess.run([*command, *map(str, files)], check=False, capture_output=True, text=True, timeout=60)


def test_the_workflows_are_what_github_expects():
    files = sorted(WORKFLOWS.glob("*.yml"))
    assert [file.name for file in files] == ["pages.yml", "tests.yml"]
    checked = check(*files)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("right", "wrong"), [("runs-on:", "run-on:"), ("pages: write", "pages: writing")])
def test_a_mistake_would_be_found(tmp_path, right, wrong):
    text = (WORKFLOWS / "pages.yml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "pages.yml").write_text(text.replace(right, wrong), encoding="utf-8")
    assert check(tmp_path / "pages.yml").returncode == 1
