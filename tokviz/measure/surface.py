"""What words look like before any model: whether they begin with a capital, how many tokens they are, how common they are.

A tokenizer's ids follow how often its tokens occurred, so that the logarithm of an id stands for how rare a word is. Categories
differ in all three. What a model's states show of categories says something of the model as far as it is more than this.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.measure.categories import UNDEFINED, Score, purity, silhouette
from tokviz.measure.labels import Categories, begins_with_capital
from tokviz.measure.spaces import standardized
from tokviz.records import Tokenization


def features(tokenization: Tokenization) -> np.ndarray:
    """``(n_words, 3)``: case of the initial (0, 1), number of tokens, log of the id of the token that is read."""
    words = tokenization.words
    found = np.empty((len(words), 3))
    for row, word in enumerate(words):
        read = word.ids[tokenization.position(row)]
        found[row] = begins_with_capital(word.word), word.n_tokens, np.log1p(read)
    return found


def scores(tokenization: Tokenization, rows: np.ndarray, categories: Categories) -> tuple[Score, Score]:
    """Purity and silhouette of the surface of some words; undefined where their tokens aren't known.

    Parameters
    ----------
    rows : ``(n_words,)`` int64, the words that ``categories`` are of.
    """
    if not tokenization.is_known:
        return UNDEFINED, UNDEFINED
    # No cosine: where words differ in one of the three only, it has two values.
    known = standardized(features(tokenization)[rows])
    distances = cdist(known, known)
    return purity(distances, categories), silhouette(distances, categories)
