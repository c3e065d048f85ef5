"""The categories' legend: names, and the marks that the pictures have for them."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.wording import count
from tokviz.records import WordList


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


HUES = ("#21319d", "#920200", "#9c5b1a", "#0b7e6a", "#c272b0", "#60305d", "#3a8ff6", "#8c9943", "#7757a6")
SHAPES = (
    "M.5 0A.5.5 0 1 1-.5 0A.5.5 0 1 1 .5 0Z",
    "M-.443 .443L.443 .443L.443-.443L-.443-.443Z",
    "M0-.836L-.627.418L.627.418Z",
    "M0 .627L.627 0L0-.627L-.627 0Z",
    "M0 .836L.627-.418L-.627-.418Z",
    "M-.198 .594L.198 .594L.198 .198L.594 .198L.594-.198L.198-.198L.198-.594L-.198-.594L-.198-.198L-.594-.198L-.594 .198L-.198 .198Z",
    "M0-.836L-.188-.258L-.796-.258L-.304 .099L-.492 .677L0 .319L.492 .677L.304 .099L.796-.258L.188-.258Z",
    "M-.28 .56L0 .28L.28 .56L.56 .28L.28 0L.56-.28L.28-.56L0-.28L-.28-.56L-.56-.28L-.28 0L-.56 .28Z",
    "M-.836 0L.418 .627L.418-.627Z",
    "M.836 0L-.418-.627L-.418 .627Z",
)
"""As in ``tokviz/draw/style.py`` and ``templates/assets/shapes.js``; tests compare them."""
MOST_SHOWN = 20
"""Categories beyond these are folded."""


def legend(words: WordList) -> Legend | None:
    """None without categories, which a vocabulary needn't have."""
    marks = tuple(
        Mark(name=category.label, hue=HUES[index % len(HUES)], shape=SHAPES[index % len(SHAPES)])
        for index, category in enumerate(words.categories)
    )
    if not marks:
        return None
    folded = marks[MOST_SHOWN:]
    return Legend(shown=marks[:MOST_SHOWN], folded=folded, more=count(len(folded), "more category"))
