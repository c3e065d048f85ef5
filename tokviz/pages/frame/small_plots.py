"""Words of a capture at a depth as a small plot without names, drawn in the page: it needs no script and has the theme's colors.

A word is a vertex of its category's path, on which the category's mark is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tokviz.records import Marks, WordList
from tokviz.records.axes import extents, span
from tokviz.records.look import SHAPES

WIDTH, HEIGHT = 240, 165
"""Of a plot, in its own units."""
MOST_WORDS = 400
"""Of longer lists some words are drawn: each is in every plot."""
PAD = 9
"""What is kept free around the words, for marks."""
DENSE = 200
"""Of more words marks are smaller."""
PLAIN = "mark-plain"
"""Of words without a category."""


def thinned(measured: np.ndarray, most: int = MOST_WORDS) -> np.ndarray:
    """``(n_drawn,)`` int64: rows of the words that are drawn, all of these or as many as a page can hold, evenly thinned."""
    n_drawn = min(len(measured), most, MOST_WORDS)
    return np.asarray(measured[np.unique(np.linspace(0, len(measured) - 1, n_drawn).round().astype(int))])


def marks(words: WordList, looks: Marks) -> list[tuple[str, str, str]]:
    """Of each an id, a class, and how a category's words are drawn: about 0, 0, with the area of a circle of diameter 1."""
    n_marks = min(len(words.categories), looks.n_different)
    of_categories = [(f"mark-{index}", hue_class(looks, index), SHAPES[looks.shape(index)]) for index in range(n_marks)]
    return [(PLAIN, "", SHAPES["circle"]), *of_categories]


def hue_class(looks: Marks, category: int) -> str:
    """The class of ``plate.css`` that has a category's color in the page's theme."""
    return f"hue-{category % len(looks.palette)}"


def paths(
    places: np.ndarray, rows: np.ndarray, memberships: Sequence[tuple[int, ...]], looks: Marks
) -> list[tuple[str, str]]:
    """By category a mark, and path data whose vertices are the words; of ``(n_words, 2)`` places some rows, but none that is NaN."""
    marked = {row: f"mark-{own[0] % looks.n_different}" if (own := memberships[row]) else PLAIN for row in rows}
    by_mark = _grouped(places, marked)
    # One vertex has no line that marks could stand on.
    return [
        (mark, f"M{' '.join(vertices if len(vertices) > 1 else vertices * 2)}")
        for mark, vertices in sorted(by_mark.items(), key=lambda each: each[0] != PLAIN)
    ]


def dots(
    places: np.ndarray, rows: np.ndarray, memberships: Sequence[tuple[int, ...]], looks: Marks
) -> list[tuple[str, str]]:
    """The same as dots, which take a fifth of the space: the class of a color, and path data in which each word is a point."""
    by_hue = _grouped(places, {row: hue_class(looks, own[0]) if (own := memberships[row]) else "" for row in rows})
    return [(hue, "".join(f"M{point}h0" for point in points)) for hue, points in sorted(by_hue.items())]


def _grouped(places: np.ndarray, classes: Mapping[int, str]) -> dict[str, list[str]]:
    """By class the places of its words, of which the rows are given."""
    found: dict[str, list[str]] = {}
    for row, own in classes.items():
        if np.isfinite(places[row]).all():
            found.setdefault(own, []).append("{:.0f} {:.0f}".format(*places[row]))
    return found


def placed(coordinates: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, float]:
    """Where words stand in a plot, NaN for words beyond it, and how far those reach that set its scale.

    ``coordinates``: ``(n_words, 2)``, finite; ``reference``: ``(n_words,)`` bool, the others don't set the scale.
    """
    limits = extents(coordinates, reference)
    spans, middle = np.array([span(each) for each in limits]), np.mean(limits, axis=1)
    room = np.array([WIDTH, HEIGHT])
    known = spans > 0
    scale = float(((room - 2 * PAD)[known] / spans[known]).min()) if known.any() else 0.0
    found = room / 2 + (coordinates - middle) * scale * (1, -1)
    inside = ((found > 0) & (found < room)).all(axis=1)
    return np.where(inside[:, None], found, np.nan), float(spans.max())
