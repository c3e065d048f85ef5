"""A model added to eight against all nine from the start: the sample's words, contexts and projections, 30 layers of SmolLM2's width.

The least that is possible is a ninth. What comes on top is loading torch and transformers, which takes as long for one model
as for nine: of toys with 4 layers, drawn in two seconds each, a run that adds one takes a third of a run over all.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import sample
from table import Row, side_by_side

TARGET = 0.22


def run(rounds: int = 1) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        models = {
            f"model-{number}": sample.random_llama(
                work / f"model-{number}", number, width=576, n_layers=30, n_heads=(9, 3)
            )
            for number in range(9)
        }
        eight, nine = work / "eight.toml", work / "nine.toml"
        eight.write_text(sample.config(dict(list(models.items())[:8]), whole=True), encoding="utf-8")
        nine.write_text(sample.config(models, whole=True), encoding="utf-8")
        sample.generate(work, "--config", eight, "--cache", "eight", "--output", "site")
        numbers = itertools.count()
        # Copies are made before the clock runs.
        caches = [shutil.copytree(work / "eight", work / f"cache-{number}") for number in range(rounds)]

        def added() -> None:
            sample.generate(work, "--config", nine, "--cache", caches[next(numbers)], "--output", "site")

        def all_nine() -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                sample.generate(work, "--config", nine, "--cache", fresh, "--output", "site")

        name = "one model added to eight / all nine"
        return [side_by_side(name, TARGET, added, all_nine, rounds=rounds, warm_up=False)]


if __name__ == "__main__":
    print(*run(), sep="\n")
