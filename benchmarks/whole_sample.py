"""The whole sample report, cold, against the blog post's own way for one model and one context, by the clock and by processors' time;
and a word added to it, by processors' time alone.

The sample has two models in two contexts, of which one has eight templates, untrained controls, neurons switched off, a lens, and the
next-token loss; all that isn't in the post. Each is a process of its own, imports included.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import sample
from table import Row, of_seconds

CLOCK, CPU, WORD = 5.5, 7.2, 3.2
"""The most, each against the post's way; a word's is 150 seconds of its 48."""
_ADOPT_ORPHANS = 36
"""``PR_SET_CHILD_SUBREAPER`` of Linux."""


def run(rounds: int = 3) -> list[Row]:
    model, root = sample.smollm2(), sample.HERE.parent
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "words.json").write_text(json.dumps(sample.words()), encoding="utf-8")
        (work / "post").mkdir()
        shutil.copytree(root / "notes", work / "notes")
        config = (root / "report.toml").read_text(encoding="utf-8")
        first = next(iter(sample.words().values()))[0]
        report, longer = work / "report.toml", work / "longer.toml"
        report.write_text(config, encoding="utf-8")
        longer.write_text(config.replace(f'"{first}"', f'"{first}", "piano"', 1), encoding="utf-8")

        def tokviz(chosen: Path) -> Callable[[], None]:
            return lambda: sample.generate(work, "--config", chosen, "--cache", "cache", "--output", "site")

        found: dict[str, list[tuple[float, float]]] = {"post": [], "cold": [], "word": []}
        for _ in range(rounds):
            found["post"].append(
                taken(lambda: sample.script("posts_own_way.py", model, work / "words.json", work / "post"))
            )
            found["cold"].append(taken(tokviz(report)))
            found["word"].append(taken(tokviz(longer)))
            for each in ("cache", "site"):
                shutil.rmtree(work / each)
    return [
        _row("the sample, cold, by the clock / the post's own way", CLOCK, found, "cold", 0),
        _row("the sample, cold, processors' time / the post's own way", CPU, found, "cold", 1),
        _row("a word added, processors' time / the post's own way", WORD, found, "word", 1),
    ]


def taken(work: Callable[[], None]) -> tuple[float, float]:
    """By the clock, and of processors; both in seconds."""
    before, start = _processors(), time.perf_counter()
    work()
    return time.perf_counter() - start, _processors() - before


def _processors() -> float:
    """What all processes that were started took, once they have ended.

    Those of a pool are children of a process that nobody waits for: on Linux, the only system where there is one, it becomes this
    process's own when its parent ends.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(name: str, target: float, found: dict[str, list[tuple[float, float]]], work: str, which: int) -> Row:
    ours, baseline = ([each[which] for each in found[of]] for of in (work, "post"))
    return of_seconds(name, target, ours, baseline)


if __name__ == "__main__":
    print(*run(), sep="\n")
