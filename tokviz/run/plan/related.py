"""The relations and orders that the configuration asks for, as rows of one capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.config import ReportConfig
from tokviz.measure.forms import families
from tokviz.records import OrderRows, PairRows, Tokenization, WordList


@dataclass(frozen=True, kw_only=True, eq=False)
class Related:
    """What is asked for, in the order of the configuration."""

    pairs: tuple[PairRows, ...]
    orders: tuple[OrderRows, ...]

    def __bool__(self) -> bool:
        return bool(self.pairs or self.orders)


def related(
    config: ReportConfig, words: WordList, tokenization: Tokenization, further: Sequence[Tokenization] = ()
) -> Related:
    """Those of the words that are reference words in all templates: others may differ by their position alone.

    Words that are one token of a vocabulary count once, and so do pairs whose words are forms of one word, or were declared to belong
    together: kings and queens are no second king and queen.
    """
    reference = tokenization.reference_beside(further)

    def found(asked: Sequence[str]) -> list[int | None]:
        return [row if row is not None and reference[row] else None for row in words.rows(asked)]

    def whole(asked: Sequence[Sequence[str]]) -> list[list[int]]:
        """The rows of those groups of words that are all there."""
        return [[row for row in rows if row is not None] for rows in map(found, asked) if None not in rows]

    pairs = tuple(
        PairRows(
            pairs=np.array(_without_repeats(whole(relation.pairs), words), dtype=np.int64).reshape(-1, 2),
            candidates=np.unique(np.array(whole([[word] for word in relation.candidates]), dtype=np.int64)),
        )
        for relation in config.relation_list
    )
    orders = []
    for order in config.order_list:
        rows = found(order.words)
        there = [(row, place) for place, row in enumerate(rows) if row is not None and row not in rows[:place]]
        both = np.array(there, dtype=np.int64).reshape(-1, 2)
        first = [(*words.memberships[row], -1)[0] for row in both[:, 0]]
        orders.append(
            OrderRows(
                words=both[:, 0],
                places=both[:, 1],
                n_places=len(order.words),
                cyclic=order.cyclic,
                categories=np.array(first, dtype=np.int64),
            )
        )
    return Related(pairs=pairs, orders=tuple(orders))


def _without_repeats(pairs: Sequence[Sequence[int]], words: WordList) -> list[Sequence[int]]:
    """Without pairs of one and the same row, and with the first of those whose first or second row is one, or that are forms of each other."""
    rows = list(dict.fromkeys(row for pair in pairs for row in pair))
    together = families([words.words[row] for row in rows], [0] * len(rows), words.groups)
    family = {rows[place]: number for number, own in enumerate(together) for place in own}
    kept: list[Sequence[int]] = []
    for pair in pairs:
        first, second = pair
        forms = {family[first], family[second]}
        if first != second and not any(first == a or second == b or forms == {family[a], family[b]} for a, b in kept):
            kept.append(pair)
    return kept
