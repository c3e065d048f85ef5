"""The words that left their neighbors: which, where, and what stood and stands next to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tokviz.pages.findings.changes import Shift
from tokviz.pages.text.sentences import depths_where
from tokviz.records import depth_name
from tokviz.text import isolated

N_NAMED = 3
"""Of the words nearest to one."""


def movers_at(shift: Shift, depth: int) -> list[dict[str, Any]]:
    """Those of one depth; first those that lost most neighbors, of these the surest."""
    lost, score = shift.changed.lost[depth], shift.changed.score[depth]
    rows = np.flatnonzero(shift.movers[depth]).tolist()
    order = sorted(rows, key=lambda row: (-int(lost[row]), -float(score[row])))
    return [_mover(shift, row, depth) for row in order]


def all_movers(shift: Shift) -> list[dict[str, Any]]:
    """Each at the depth where it lost most; in the same order."""
    lost = np.where(shift.movers, shift.changed.lost, -1)
    rows = np.flatnonzero(shift.movers.any(axis=0))
    order = sorted(rows.tolist(), key=lambda row: -int(lost[:, row].max()))
    return [_mover(shift, row, int(lost[:, row].argmax())) for row in order]


def _mover(shift: Shift, row: int, depth: int) -> dict[str, Any]:
    """A word at a depth, and all depths at which it is announced; of words nearest to it none where that isn't known."""
    words = shift.report.words.of(shift.contexts[0].states.tokenization).words
    rows = shift.changed.rows
    own = int(np.searchsorted(rows, row))
    before, after = (
        ", ".join(isolated(words[rows[each]]) for each in near[depth, own, :N_NAMED] if each >= 0)
        for near in shift.changed.moved.nearest
    )
    return {
        "word": words[row],
        "layer": depth_name(depth),
        "where": depths_where(shift.movers[:, row]),
        "before": before,
        "after": after,
        "lost": int(shift.changed.lost[depth, row]),
    }
