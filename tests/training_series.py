"""A small series of checkpoints: ``examples/train_tiny.py`` with fewer layers and steps, trained once for all tests."""

from __future__ import annotations

import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

EXAMPLES = Path(__file__).parents[1] / "examples"
REPORT: dict[str, Any] = tomllib.loads((EXAMPLES / "training.toml").read_text(encoding="utf-8"))
WORDS: dict[str, list[str]] = {name: category["words"] for name, category in REPORT["words"].items()}
CONTEXTS: dict[str, str] = {context["name"]: context["template"] for context in REPORT["contexts"]}
N_STEPS = 300
"""After 128, words that are a color or a name are still mixed up; the training takes about 7 s of CPU."""
SIZE = {"seed": 0, "n_layers": 2, "width": 64}


@dataclass(frozen=True, kw_only=True)
class TrainingSeries:
    """Checkpoints of one training; they are shared and not to be changed."""

    folder: Path
    steps: tuple[int, ...]

    def checkpoint(self, step: int) -> Path:
        """A folder with config, safetensors and tokenizer."""
        return self.folder / f"step-{step}"


def example() -> Any:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("train_tiny", EXAMPLES / "train_tiny.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train_into(folder: Path, n_steps: int = N_STEPS) -> None:
    """With one thread, as the command has it, and without touching the random numbers of others."""
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        example().train(folder, n_steps=n_steps, **SIZE)


def series_in(folder: Path) -> TrainingSeries:
    """What was trained there."""
    return TrainingSeries(
        folder=folder, steps=tuple(sorted(int(each.name.removeprefix("step-")) for each in folder.iterdir()))
    )
