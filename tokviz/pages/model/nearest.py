"""Some words, and the words nearest to them before and at the depth of a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokviz.pages.findings.finding import Found
from tokviz.pages.text.wording import the_depth
from tokviz.records import ContextReport, Neighbours, WordList, WordScores
from tokviz.text import isolated

N_WORDS, N_NAMED = 3, 3
"""How many words are shown, and how many of those nearest to each."""


@dataclass(frozen=True, kw_only=True)
class _At:
    """A capture at a depth."""

    context: ContextReport
    neighbours: Neighbours
    scores: WordScores
    depth: int

    @classmethod
    def of(cls, context: ContextReport, depth: int) -> _At | None:
        """None where it isn't known which words are near."""
        if context.neighbours is None or context.same_category is None:
            return None
        return cls(context=context, neighbours=context.neighbours, scores=context.same_category, depth=depth)

    @property
    def counts(self) -> np.ndarray:
        """``(n_words,)``: how many of the nearest words share a word's category, −1 where that isn't known."""
        return np.asarray(self.scores.values[self.depth])

    def named(self, row: int, words: tuple[str, ...]) -> str:
        """``walk, eat, play (5)``."""
        nearest = self.neighbours.rows[self.depth, row, :N_NAMED].tolist()
        if nearest[0] < 0 or self.counts[row] < 0:
            return "–"
        return f"{', '.join(isolated(words[each]) for each in nearest)} ({self.counts[row]})"


def nearest_words(found: Found, words: WordList) -> dict[str, Any] | None:
    """The words of different categories whose counts change most from the depth before a break, or from the embedding, to the finding's.

    A column is a capture at a depth, a row the word's name and per column the words nearest to it, and how many of all that are counted
    share its category. Where another context is known, its nearest words at the same depth stand beside. None where no count changes.
    Words that are read at another position than most are no examples: which words are near to them may follow from that.
    """
    if not found.depth:
        return None
    before = _At.of(found.context, found.depth - 1 if found.breaks else 0)
    at = _At.of(found.context, found.depth)
    if before is None or at is None:
        return None
    others = [each for each in found.model.contexts if each is not found.context]
    beside = next((each for other in others if (each := _At.of(other, found.depth))), None)
    columns = tuple(each for each in (before, at, beside) if each)
    words = words.of(found.context.states.tokenization)
    rows = tuple(_chosen(columns, words))
    if not rows:
        return None
    with_label = len(found.model.contexts) > 1
    return {
        "columns": [_heading(each, with_label=with_label) for each in columns],
        "rows": [(words.words[row], [each.named(row, words.words) for each in columns]) for row in rows],
        "most": at.scores.most,
    }


def _chosen(columns: tuple[_At, ...], words: WordList) -> Iterator[int]:
    before, at, *_ = columns
    alike = np.all([each.context.states.tokenization.reference for each in columns], axis=0)
    known = alike & (before.counts >= 0) & (at.counts >= 0)
    change = np.where(known, np.abs(at.counts - before.counts), 0)
    seen: set[int] = set()
    for row in np.argsort(-change, kind="stable").tolist():
        own = set(words.memberships[row])
        if not change[row] or len(seen) >= N_WORDS:
            return
        if not own & seen:
            seen |= own
            yield row


def _heading(at: _At, *, with_label: bool) -> str:
    name = the_depth(at.depth)
    return f"{name}, {isolated(at.context.states.context.label)}" if with_label else name
