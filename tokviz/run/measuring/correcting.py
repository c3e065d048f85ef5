"""p-values of differences between models, corrected for how many there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tokviz.records import Difference, Differences


def corrected(found: Sequence[Differences]) -> list[Differences]:
    """By each measure the p-values of all pairs of models, in all contexts together, after Holm."""
    by_measure = [_corrected(each) for each in zip(*(differences.all for differences in found), strict=True)]
    columns = list(zip(*by_measure, strict=True))
    return [
        Differences(
            purity=own[0],
            silhouette=own[1],
            relations=tuple(own[2 : 2 + len(each.relations)]),
            orders=tuple(own[2 + len(each.relations) :]),
        )
        for each, own in zip(found, columns, strict=True)
    ]


def _corrected(differences: Sequence[Difference]) -> list[Difference]:
    p_values = holm([each.p_value_uncorrected for each in differences])
    return [replace(each, p_value=p_value) for each, p_value in zip(differences, p_values, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm 1979, A simple sequentially rejective multiple test procedure; NaN stays, and doesn't count."""
    known = sorted((p_value, index) for index, p_value in enumerate(p_values) if math.isfinite(p_value))
    found, so_far = list(p_values), 0.0
    for rank, (p_value, index) in enumerate(known):
        so_far = max(so_far, min(p_value * (len(known) - rank), 1.0))
        found[index] = so_far
    return found
