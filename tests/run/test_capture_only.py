"""Captured on one machine, drawn on another that has neither the weights nor torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import families
import pytest
from command import COMMAND_IS_IN, ROOT, SMALL_CONFIG, differing, generate

pytestmark = [pytest.mark.process, pytest.mark.thorough]

WITHOUT_TORCH = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "accelerate", "gguf"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_without_torch(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Drawing processes start from the file's name, so that it must be one.
    script = folder / "without_torch.py"
    script.write_text(f"if __name__ == '__main__':\n    exec({WITHOUT_TORCH!r})\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(script), str(ROOT / "generate.py"), *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "PYTHONPATH": str(ROOT)},
        timeout=300,
    )


def test_a_copied_cache_is_enough_to_draw_and_publish_without_torch(tmp_path: Path) -> None:
    here, there = tmp_path / "with-gpu", tmp_path / "laptop"
    here.mkdir()
    families.build("qwen3", here / "qwen3")
    (here / "report.toml").write_text(SMALL_CONFIG + '[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    made = generate(here, "--capture-only")
    assert made.returncode == 0, made.stderr
    assert "1 new capture" in made.stdout
    assert {path.name for path in here.iterdir()} == {"qwen3", "report.toml", ".cache"}
    assert {path.name for path in (here / ".cache").iterdir()} == {"states", "locks", "reports", "tokviz-cache.txt"}

    there.mkdir()
    shutil.copy(here / "report.toml", there)
    shutil.copytree(here / ".cache", there / ".cache")
    drawn = run_without_torch(there, "--jobs", "1")
    assert drawn.returncode == 0, drawn.stderr
    assert "0 new captures, 15 new images" in drawn.stdout
    assert generate(here).returncode == 0
    assert differing(here / "site", there / "site") <= COMMAND_IS_IN


def test_what_is_not_captured_says_that_torch_is_missing(tmp_path: Path) -> None:
    families.build("qwen3", tmp_path / "qwen3")
    (tmp_path / "report.toml").write_text(SMALL_CONFIG + '[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    made = run_without_torch(tmp_path)
    assert made.returncode == 1
    assert made.stderr == (
        "Loading PyTorch and transformers …\n"
        'error: qwen3 is not captured yet, and here torch is not installed; pip install "tokviz-report[models]", or capture '
        "elsewhere with --capture-only and copy the cache\n"
    )
    assert not (tmp_path / "site").exists()
    foreseen = run_without_torch(tmp_path, "--dry-run")
    assert foreseen.returncode == 1
    assert "it will fail: qwen3: torch and transformers are not installed; pip install" in foreseen.stdout
