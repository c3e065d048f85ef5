"""How soon the first plots stand in the site, against the blog post's own way for one model and one context; and what that costs.

The post's way draws 31 pictures without labels. A first look at the sample shows two models in two contexts, at one of one model
and one context 31 labeled plots of six times the pixels. What it costs is the processors' time of a whole run with it, against one
without it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sample
from table import Row, of_seconds
from whole_sample import taken

SAMPLE, ONE, COST = 1.7, 0.6, 1.03


def run(rounds: int = 3) -> list[Row]:
    model, root = sample.smollm2(), sample.HERE.parent
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "words.json").write_text(json.dumps(sample.words()), encoding="utf-8")
        (work / "post").mkdir()
        shutil.copytree(root / "notes", work / "notes")
        shutil.copy(root / "report.toml", work / "sample.toml")
        (work / "one.toml").write_text(sample.config({"SmolLM2-135M": model}, interventions="auto"), encoding="utf-8")

        def whole(early: str) -> float:
            _remove(work)
            return taken(lambda: sample.generate(work, "--config", "one.toml", *_PLACES, early, early=True))[1]

        post, first, one, ratios = [], [], [], []
        for _ in range(rounds):
            post.append(taken(lambda: sample.script("posts_own_way.py", model, work / "words.json", work / "post"))[0])
            first.append(_first(work, "sample.toml"))
            one.append(_first(work, "one.toml"))
            ratios.append(whole("--early") / whole("--no-early"))
    return [
        of_seconds("the sample's first plots, cold / the post's own way", SAMPLE, first, post),
        of_seconds("one model, one context: first plots / the post's own way", ONE, one, post),
        Row(
            name="one model, processors' time with a first look / without",
            ratio=statistics.median(ratios),
            target=COST,
            low=min(ratios),
            high=max(ratios),
        ),
    ]


_PLACES = ("--cache", "cache", "--output", "site")


def _remove(work: Path) -> None:
    for each in ("cache", "site"):
        shutil.rmtree(work / each, ignore_errors=True)


def _first(work: Path, config: str) -> float:
    """Seconds until a first page stands; the run is ended then."""
    _remove(work)
    command = [sys.executable, str(sample.HERE.parent / "generate.py"), "--quiet", "--config", config, *_PLACES]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=work, env=environment) as run:
        while not (work / "site" / "index.html").exists():
            if run.poll() is not None:
                raise RuntimeError(f"{config}: the run ended without a first look")
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        run.terminate()
    return seconds


if __name__ == "__main__":
    print(*run(), sep="\n")
