"""The categories' legend: names, and the marks that the pictures have for them."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.text.wording import count
from tokviz.records import Marks, WordList
from tokviz.records.look import SHAPES


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A category as the pictures show it."""

    name: str
    hue: str
    shape: str
    """Path data about 0, 0, with the area of a circle of diameter 1; y runs down."""


@dataclass(frozen=True, kw_only=True)
class Legend:
    """All categories, in the order of the report."""

    shown: tuple[Mark, ...]
    folded: tuple[Mark, ...]
    more: str
    """What the folded ones stand under."""


MOST_SHOWN = 20
"""Categories beyond these are folded."""


def legend(words: WordList, looks: Marks) -> Legend | None:
    """None without categories, which a vocabulary needn't have."""
    marks = tuple(
        Mark(name=category.label, hue=looks.hue(index), shape=SHAPES[looks.shape(index)])
        for index, category in enumerate(words.categories)
    )
    if not marks:
        return None
    folded = marks[MOST_SHOWN:]
    return Legend(shown=marks[:MOST_SHOWN], folded=folded, more=count(len(folded), "more category"))
