"""What each layer would say, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tokviz.pages.text.data_text import csv_text, rounded, spreadsheet_safe
from tokviz.records import Lens, LensMeasure, Relation, depth_name

_COLUMNS = (
    *("value", "low", "high", "first_half", "second_half", "agreement", "firm", "null_mean", "p_value", "announced"),
    *("logit_lens", "untrained", "own_rank", "own_rank_logit_lens", "lowest_template", "highest_template"),
)


def lens_csv(lens: Lens, relations: Sequence[Relation]) -> str:
    """A row per depth of what was measured: categories named, the words themselves, and each relation."""
    rows = (
        [kind, name, spreadsheet_safe(name), depth, depth_name(depth), measure.n]
        + [_plain(columns[column][depth]) if column in columns else None for column in _COLUMNS]
        for kind, name, measure, columns in _measured(lens, relations)
        for depth in range(len(measure.value))
    )
    return csv_text(["kind", "name", "name_safe", "depth", "layer", "n", *_COLUMNS], rows)


def _measured(
    lens: Lens, relations: Sequence[Relation]
) -> Iterator[tuple[str, str, LensMeasure, Mapping[str, np.ndarray]]]:
    """Kind, name, and columns of ``(n_depths,)``."""
    if lens.named is not None:
        untrained = {} if lens.untrained is None else {"untrained": lens.untrained}
        yield "category", "", lens.named, _columns(lens.named) | untrained
    if lens.own is not None:
        ranks = {"own_rank": lens.own_rank, "own_rank_logit_lens": lens.own_rank_logit}
        known = {name: each for name, each in ranks.items() if each is not None}
        yield "word", "", lens.own, _columns(lens.own) | known
    for relation, measure in zip(relations, lens.relations, strict=False):
        if measure is not None:
            yield "relation", relation.name, measure, _columns(measure)


def _columns(measure: LensMeasure) -> dict[str, np.ndarray]:
    found = {
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "first_half": measure.halves[0],
        "second_half": measure.halves[1],
        "agreement": measure.agreement,
        "firm": measure.is_firm,
        "null_mean": measure.null_mean,
        "p_value": measure.claim.p_value,
        "announced": measure.claim.holds,
        "logit_lens": measure.logit,
    }
    if measure.templates is not None:
        found |= {
            "lowest_template": measure.templates.min(axis=0),
            "highest_template": measure.templates.max(axis=0),
        }
    return found


def _plain(value: np.float64 | np.bool_) -> float | int | None:
    return int(value) if isinstance(value, np.bool_) else rounded(float(value))
