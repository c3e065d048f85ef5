"""What a second run costs: nothing changed, a template changed, a note changed, each against a cold run."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import sample
from table import Row, side_by_side

TARGET = 0.1


def run(rounds: int = 3) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        config = work / "report.toml"
        text = sample.config({"SmolLM2-135M": sample.smollm2()})
        config.write_text(text, encoding="utf-8")
        sample.generate(work)
        turns = itertools.count()

        def cold() -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                sample.generate(work, "--cache", Path(fresh) / "cache", "--output", Path(fresh) / "site")

        def unchanged() -> None:
            sample.generate(work)

        def noted() -> None:
            config.write_text(f'intro = "Note {next(turns)}."\n{text}', encoding="utf-8")
            sample.generate(work)

        return [
            side_by_side("nothing changed / cold run", TARGET, unchanged, cold, rounds=rounds),
            side_by_side("a note changed / cold run", TARGET, noted, cold, rounds=rounds),
        ]


if __name__ == "__main__":
    print(*run(), sep="\n")
