"""Captured on one machine, drawn on another that has neither the weights nor torch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from command import A_DATE, COMMAND_IS_IN, GENERATE, SMALL_CONFIG, differing, done, generate, python
from families import Tiny

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
    return python(str(script), GENERATE, *arguments, folder=folder, **A_DATE)


def test_a_copied_cache_is_enough_to_draw_and_publish_without_torch(tiny: Tiny, tmp_path: Path) -> None:
    here, there = tmp_path / "with-gpu", tmp_path / "laptop"
    tiny.copy("qwen3", here / "qwen3")
    (here / "report.toml").write_text(SMALL_CONFIG + '[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    assert "1 new capture" in done(generate(here, "--capture-only"))
    assert {path.name for path in here.iterdir()} == {"qwen3", "report.toml", ".cache"}
    assert {path.name for path in (here / ".cache").iterdir()} == {
        "states",
        "locks",
        "reports",
        "timings",
        "tokviz-cache.txt",
    }

    there.mkdir()
    shutil.copy(here / "report.toml", there)
    shutil.copytree(here / ".cache", there / ".cache")
    assert "0 new captures, 15 new images" in done(run_without_torch(there, "--jobs", "1"))
    done(generate(here))
    assert differing(here / "site", there / "site") <= COMMAND_IS_IN


def test_what_is_not_captured_says_that_torch_is_missing(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("qwen3", tmp_path / "qwen3")
    (tmp_path / "report.toml").write_text(SMALL_CONFIG + '[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    made = run_without_torch(tmp_path)
    assert made.returncode == 1
    assert made.stderr.endswith(
        "Loading PyTorch and transformers …\n"
        'error: qwen3 is not captured yet, and here torch is not installed; install tokviz with its extra models, in a checkout: pip install ".[models]", or capture '
        "elsewhere with --capture-only and copy the cache\n"
    )
    assert not (tmp_path / "site").exists()
    foreseen = run_without_torch(tmp_path, "--dry-run")
    assert foreseen.returncode == 1
    assert "it will fail: qwen3: torch and transformers are not installed; install tokviz" in foreseen.stdout
