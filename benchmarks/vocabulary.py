"""A whole vocabulary, 48,650 tokens at the embedding and layer 0, against the same report of 116 words: peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import sample
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
    """Bytes: the most that the command or one of its processes held at once."""
    config = work / f"{name}.toml"
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, __file__, str(config), str(work / f"{name}-cache"), str(work / f"{name}-site")]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _work(config: str, cache: str, site: str) -> None:
    sample.generate(Path(config).parent, "--config", config, "--cache", cache, "--output", site)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _work(*sys.argv[1:])
    else:
        print(*run(), sep="\n")
