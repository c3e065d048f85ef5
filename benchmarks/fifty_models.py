"""A note changed in a report of fifty models against one of ten: seconds per model, nothing else being due.

Toys of 4 layers with 8 words of each of the sample's categories, so that 1,225 pairs of models are compared within minutes, in one
context and one projection: what a changed note makes again are pages, which depend on models and pairs, not on how large a model is.
"""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import sample
from table import Row, side_by_side

TARGET = 1.2
FEW, MANY, N_WORDS = 10, 50, 8


def run(rounds: int = 5) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        places = {
            f"model-{number:02}": sample.random_llama(
                work / f"model-{number:02}", number, width=64, n_layers=4, n_heads=(4, 4)
            )
            for number in range(MANY)
        }
        turns = itertools.count()
        (work / "notes").mkdir()
        for n in (FEW, MANY):
            (work / "notes" / f"of-{n}.md").write_text("# A note\n", encoding="utf-8")
            text = f'intro = "notes/of-{n}.md"\n{sample.config(dict(list(places.items())[:n]), n_words=N_WORDS)}'
            (work / f"of-{n}.toml").write_text(text, encoding="utf-8")
            _report(work, n)

        def changed(n: int) -> None:
            (work / "notes" / f"of-{n}.md").write_text(f"# A note\n\nNote {next(turns)}.\n", encoding="utf-8")
            _report(work, n)

        name = f"a note changed in a report of {MANY} models, per model / of {FEW}"
        row = side_by_side(name, TARGET * MANY / FEW, lambda: changed(MANY), lambda: changed(FEW), rounds=rounds)
        share = FEW / MANY
        return [
            replace(
                row, ratio=row.ratio * share, target=TARGET, low=(row.low or 0) * share, high=(row.high or 0) * share
            )
        ]


def _report(work: Path, n: int) -> None:
    sample.generate(work, "--config", work / f"of-{n}.toml", "--cache", "cache", "--output", f"site-{n}")


if __name__ == "__main__":
    print(*run(), sep="\n")
