"""A whole vocabulary, 48,650 tokens at the embedding and layer 0, against the same report of 116 words: peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import sample
from memory import peak_bytes
from table import Row


def run() -> list[Row]:
    model = sample.smollm2()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        few = sample.config({"SmolLM2-135M": model})
        months = json.dumps(sample.words()["months"])
        whole = (
            few[: few.index("[words]")] + f'[words]\nvocabulary = true\nlayers = ["embedding", 0]\nmonths = {months}\n'
        )
        peaks = [_peak(work, name, text) for name, text in (("few", few), ("whole", whole))]
    return [Row(name="116 words → a vocabulary of 48,650: peak memory", ratio=peaks[1] / peaks[0], target=2)]


def _peak(work: Path, name: str, text: str) -> int:
    """Bytes: a run's peak; the processes that draw take less."""
    config = work / f"{name}.toml"
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, __file__, str(config), str(work / name)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _work(config: Path, folder: Path) -> None:
    from tokviz.config import load
    from tokviz.run import pipeline
    from tokviz.run.plan.options import Options
    from tokviz.run.work.progress import Quiet

    folder.mkdir()
    pipeline.run(load(config), Options(base=config.parent, output=folder / "site", cache=folder / "cache"), Quiet())
    print(peak_bytes())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _work(*map(Path, sys.argv[1:]))
    else:
        print(*run(), sep="\n")
