"""Thousands of words: where they lie, as shades of ink, with some of them named as landmarks.

Above ``MANY_WORDS`` points marks hide each other, and what one sees is the order of drawing. Counts in hexagons don't; their
shades follow the logarithm, since a cloud's middle holds hundreds of times as many words as its rim.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from tokviz.records import Points
from tokviz.records.axes import MANY_WORDS

FREQUENT = 5000
"""Without categories landmarks are sought among the first so many words: vocabularies begin with frequent tokens."""
SHADES = LinearSegmentedColormap.from_list("ink", ["#e6e8ec", "#c6cbd2", "#a0a7b1", "#757c88", "#454b55"], N=20)
"""From nearly white to ink."""
DARK_SHADES = LinearSegmentedColormap.from_list("light", ["#2e3338", "#4b5157", "#757c88", "#a0a7b1", "#d3d7dd"], N=20)
"""On the dark ground, from nearly that to nearly white."""


def is_dense(points: Points) -> bool:
    """Whether a picture of these words shows their density."""
    return len(points.words) > MANY_WORDS


def landmarks(points: Points, count: int) -> np.ndarray:
    """The rows of up to ``count`` words that are marked and named, ascending: the same at every depth.

    Each category gives its share, taken evenly along its list; without categories frequent words are taken.
    """
    n_categories = len(points.categories)
    rows: list[np.ndarray] = []
    for category in range(n_categories):
        rows.append(_evenly(np.flatnonzero(points.first == category), max(1, count // n_categories)))
    chosen = np.sort(np.concatenate(rows)) if rows else np.array([], dtype=np.int64)
    if not len(chosen):
        worded = np.array([_reads_as_word(word) for word in points.words[:FREQUENT]], dtype=bool)
        chosen = np.flatnonzero(worded)
    return _evenly(chosen, count)


def _evenly(rows: np.ndarray, count: int) -> np.ndarray:
    if len(rows) <= count:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, count).round().astype(int)])


def _reads_as_word(word: str) -> bool:
    """Whether a token reads as a word: after a space, and of three letters or more."""
    return len(word) > 3 and word[0] == " " and word[1:].isalpha()
