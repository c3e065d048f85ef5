"""A report of two models of one form, before and after, with differences that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from claiming import decided
from paired_fixture import measures, paired
from profile_fixture import differences
from report_fixture import SENTENCE, model_report, sample_report, word_list

from tokviz.records import COMMON, Changed, ModelReport, Moved, Paired, PairedMeasure, Report

N_LAYERS = 4
N_DEPTHS = N_LAYERS + 1
NOTHING = (0.0,) * N_DEPTHS
Values = Sequence[float]
"""Per depth."""


def moved(n_depths: int, n_words: int, movers: Mapping[tuple[int, int], int]) -> Moved:
    """``movers``: of some depths and words how many of five neighbors they lost, which is announced."""
    lost = np.zeros((n_depths, n_words), dtype=np.int64)
    for at, n in movers.items():
        lost[at] = n
    near = (np.arange(n_words)[:, None] + np.arange(1, 6)) % n_words
    nearest = np.stack([np.tile(near, (n_depths, 1, 1)), np.tile(near[:, ::-1], (n_depths, 1, 1))])
    return Moved(k=5, lost=lost, nearest=nearest, claim=decided(lost.ravel() > 0, "movers"))


def changed(
    model: ModelReport, *, is_same: bool = False, movers: Mapping[tuple[int, int], int] | None = None
) -> Changed:
    shown = replace(model.contexts[0].projections[0].projection, name=COMMON)
    after = replace(shown, coordinates=shown.coordinates + (0 if is_same else 0.1))
    none = np.zeros(len(shown.problems), dtype=bool)
    found = moved(len(none), int(shown.reference.sum()), movers or {})
    return Changed(before=shown, after=after, is_centered=none, is_same=none | is_same, moved=found)


def change_report(
    overall: Values = NOTHING,
    categories: Mapping[int, Values] | None = None,
    *,
    measured: str = "purity",
    is_same: bool = False,
    is_announced: bool = True,
    movers: Mapping[tuple[int, int], int] | None = None,
) -> Report:
    """``overall``, ``categories``: after less before, which is announced where it isn't 0; a band reaches 0.08 to either side."""
    words = word_list(n_categories=3, n_words=4)
    before, after = (
        model_report(slug, slug.capitalize(), N_LAYERS, words, (SENTENCE,), measured=True) for slug in ("base", "tuned")
    )
    rows = [(categories or {}).get(index, NOTHING) for index in range(3)]

    def held(values: Sequence[Values], family: str) -> Paired:
        """Of before less after."""
        holds = [[bool(each) and is_announced for each in row] for row in values]
        return paired([[-each for each in row] for row in values], holds, family)

    of = PairedMeasure(overall=held([overall], "paired"), by_category=held(rows, "paired by category"))
    nothing = PairedMeasure(overall=held([NOTHING], "paired"), by_category=held([NOTHING] * 3, "paired by category"))
    found = measures(**{"purity": nothing, measured: of}, depths=[(depth, depth) for depth in range(N_DEPTHS)])
    pair = replace(
        differences("base", "tuned", SENTENCE.name),
        paired=found,
        changed=changed(before, is_same=is_same, movers=movers),
    )
    return replace(
        sample_report(),
        words=words,
        contexts=(SENTENCE,),
        models=(before, after),
        intro=(),
        downloads={},
        similarities=(),
        differences=(pair,),
    )
