"""Comparing all pairs of models in one context, against each pair by itself: made-up states, 117 words, 37 depths."""

from __future__ import annotations

import itertools

import sample
from table import Row, side_by_side

TARGET = 0.4
N_MODELS = 8


def run(rounds: int = 3) -> list[Row]:
    import sys

    sys.path.insert(0, str(sample.HERE.parent / "tests"))
    import making

    from tokviz.measure import similarity

    models = [making.hidden_states(making.gaussian(37, 117, 512, seed)) for seed in range(N_MODELS)]
    rows = similarity.shared_rows(models[0], models[1])
    memberships = [(row % 9,) for row in range(117)]

    def together() -> None:
        comparer = similarity.LayerComparer()
        for a, b in itertools.combinations(models, 2):
            comparer.compare(a, b, rows, memberships)

    def each_by_itself() -> None:
        for a, b in itertools.combinations(models, 2):
            similarity.LayerComparer().compare(a, b, rows, memberships)

    return [
        side_by_side("all pairs of 8 models / each pair by itself", TARGET, together, each_by_itself, rounds=rounds)
    ]


if __name__ == "__main__":
    print(*run(), sep="\n")
