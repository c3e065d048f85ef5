"""What it costs to say what changed between two models, as a share of capturing both: SmolLM2 and a copy with a little noise.

Processors' time of a report with the page against one without, both from the same captures, over that of a run that captures only.
Neither has a loss or a lens.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

import sample
from table import Row
from whole_sample import taken

TARGET = 0.15


def run(rounds: int = 3) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        config = sample.config({"Base": sample.smollm2(), "Noisy": _noisy(work / "noisy")}, whole=True)
        (work / "with.toml").write_text(config, encoding="utf-8")
        (work / "without.toml").write_text(f"changes = []\n{config}", encoding="utf-8")
        ratios = []
        for _ in range(rounds):
            for each in ("cache", "copy"):
                shutil.rmtree(work / each, ignore_errors=True)
            captured = _taken(work, "with.toml", "cache", "--capture-only")
            shutil.copytree(work / "cache", work / "copy")
            without = _taken(work, "without.toml", "copy")
            ratios.append((_taken(work, "with.toml", "cache") - without) / captured)
    name = "what changed between two models / capturing both, processors' time"
    return [Row(name=name, ratio=statistics.median(ratios), target=TARGET, low=min(ratios), high=max(ratios))]


def _taken(work: Path, config: str, cache: str, *options: str) -> float:
    shutil.rmtree(work / "site", ignore_errors=True)
    return taken(lambda: sample.generate(work, "--config", config, "--cache", cache, "--output", "site", *options))[1]


def _noisy(folder: Path) -> Path:
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(sample.smollm2(), folder)
    generator, file = torch.Generator().manual_seed(0), folder / "model.safetensors"
    weights = load_file(file)
    for each in weights.values():
        each += 0.01 * each.std() * torch.randn(each.shape, generator=generator).to(each.dtype)
    save_file(weights, file, {"format": "pt"})
    return folder


if __name__ == "__main__":
    print(*run(), sep="\n")
