"""Some words, and the words nearest to them before and at the depth of a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from tokviz.pages.findings.finding import Found
from tokviz.pages.text.wording import the_depth
from tokviz.records import ContextReport, WordList
from tokviz.text import isolated

N_WORDS, N_NAMED = 3, 3
"""How many words are shown, and how many of those nearest to each."""


_At = tuple[ContextReport, int, np.ndarray, np.ndarray]
"""A capture, a depth, and there of each word the rows of those nearest to it, and how many share its category, −1 if that isn't known."""


def nearest_words(found: Found, words: WordList) -> dict[str, Any] | None:
    """The words of different categories whose counts change most from the depth before a break, or from the embedding, to the finding's.

    A column is a capture at a depth, a row the word's name and per column the words nearest to it, and how many of all that are counted
    share its category. Where another context is known, its nearest words at the same depth stand beside. None where no count changes.
    Words that are read at another position than most are no examples: which words are near to them may follow from that.
    """
    scores = found.context.same_category
    if not found.depth or scores is None or found.context.neighbours is None:
        return None
    others = (each for each in found.model.contexts if each is not found.context)
    beside = (at for each in others for at in _at(each, found.depth))
    before = _at(found.context, found.depth - 1 if found.breaks else 0)
    columns = [*before, *_at(found.context, found.depth), *islice(beside, 1)]
    words = words.of(found.context.states.tokenization)
    rows = [(words.words[row], [_named(each, row, words) for each in columns]) for row in _chosen(columns, words)]
    with_label = len(found.model.contexts) > 1
    headings = [_heading(context, depth, with_label=with_label) for context, depth, *_ in columns]
    return {"columns": headings, "rows": rows, "most": scores.most} if rows else None


def _at(context: ContextReport, depth: int) -> Iterator[_At]:
    """Nothing where it isn't known which words are near."""
    if context.neighbours is not None and context.same_category is not None:
        yield context, depth, context.neighbours.rows[depth], context.same_category.values[depth]


def _chosen(columns: Sequence[_At], words: WordList) -> Iterator[int]:
    (*_, before), (*_, at) = columns[:2]
    alike = np.all([context.states.tokenization.reference for context, *_ in columns], axis=0)
    change = np.where(alike & (before >= 0) & (at >= 0), np.abs(at - before), 0)
    seen: set[int] = set()
    for row in np.argsort(-change, kind="stable").tolist():
        own = set(words.memberships[row])
        if not change[row] or len(seen) >= N_WORDS:
            return
        if not own & seen:
            seen |= own
            yield row


def _named(at: _At, row: int, words: WordList) -> str:
    """``walk, eat, play (5)``."""
    *_, nearest, counts = at
    if nearest[row, 0] < 0 or counts[row] < 0:
        return "–"
    return f"{', '.join(isolated(words.words[each]) for each in nearest[row, :N_NAMED])} ({counts[row]})"


def _heading(context: ContextReport, depth: int, *, with_label: bool) -> str:
    name = the_depth(depth)
    return f"{name}, {isolated(context.states.context.label)}" if with_label else name
