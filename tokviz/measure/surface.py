"""What words look like before any model: their initial, their letters, their tokens, and how common these are.

A tokenizer's ids follow how often its tokens occurred, so that the logarithm of an id stands for how rare a word is. Words that share a
token, or letters, are alike in any model that reads them. Categories differ in all of this; what a model's states show of them says
something of the model as far as it is more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.measure.categories import UNDEFINED, Score, purity, silhouette
from tokviz.measure.labels import Categories, begins_with_capital, seed_of
from tokviz.measure.spaces import standardized
from tokviz.records import Tokenization

_OF_TOKENS, _OF_LETTERS = 6_000.0, 60.0
"""Squared distances of words that share nothing: of what the three numbers give on average, a thousand times and ten times. These decide
where nothing is shared. Words with a token in common may lie as near each other in random weights as any, and so they do here."""
_ALIKE = 1e-9
"""Far less than what any two words differ by."""


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

    Each is the largest effect of three: of the numbers in ``features``, of tokens that words share, and of letters that they share.

    Parameters
    ----------
    rows : ``(n_words,)`` int64, the words that ``categories`` are of.
    """
    if not tokenization.is_known:
        return UNDEFINED, UNDEFINED
    gaps = _gaps([tokenization.words[row].word for row in rows])
    found = [
        (purity(np.where(each == 0, gaps, each), categories), silhouette(each, categories))
        for each in _distances(tokenization, rows)
    ]
    purities, silhouettes = zip(*found, strict=True)
    return _largest(purities), _largest(silhouettes)


def _largest(scores: Sequence[Score]) -> Score:
    """Of the first where none has an effect."""
    effects = [each.effect()[0] if len(each.shuffled) else -np.inf for each in scores]
    return scores[int(np.argmax(np.nan_to_num(effects, nan=-np.inf)))]


def _distances(tokenization: Tokenization, rows: np.ndarray) -> Iterator[np.ndarray]:
    """``(n_words, n_words)`` each; no cosine: where words differ in one of three numbers only, it has two values."""
    known = standardized(features(tokenization)[rows])
    words = [tokenization.words[row] for row in rows]
    yield cdist(known, known)
    squared = cdist(known, known, "sqeuclidean")
    # A model may tell one number of them alone, and the others then tell of words that are alike in it.
    numbers = known.T[known.any(axis=0)]
    for own in numbers if len(numbers) > 1 else ():
        yield np.sqrt(squared + _OF_TOKENS * (own[:, None] - own) ** 2)
    tokens = [each.ids[each.start : each.stop] for each in words]
    parts: list[tuple[Sequence[set[Any]], float]] = [([set(own) for own in tokens], _OF_TOKENS)]
    if any(len(own) > 1 for own in tokens):
        parts += [([{own[end]} for own in tokens], _OF_TOKENS) for end in (0, -1)]
    for own, weight in (*parts, ([_letters(each.word) for each in words], _OF_LETTERS)):
        shared = _shared(own)
        if weight == _OF_TOKENS:
            shared = (shared > 0).astype(np.float64)
        if np.triu(shared, 1).any():
            yield np.sqrt(squared + weight * (1 - shared))


def _gaps(words: Sequence[str]) -> np.ndarray:
    """``(n_words, n_words)``: between words that look the same, which else would have no nearest; of each pair alone, whatever the list."""
    keys = np.array([np.random.default_rng(seed_of(0, "surface", word)).random() for word in words])
    return np.asarray(_ALIKE * np.abs(keys[:, None] - keys))


def _letters(word: str) -> set[str]:
    """Each two letters in a row, the first after a beginning and the last before an end."""
    marked = f"^{word.casefold()}$"
    return {marked[at : at + 2] for at in range(len(marked) - 1)}


def _shared(parts: Sequence[set[Any]]) -> np.ndarray:
    """``(n_words, n_words)``: how much of two words is in both, from 0 to 1 (Dice's coefficient); 1 of each with itself."""
    index = {part: at for at, part in enumerate(dict.fromkeys(part for own in parts for part in own))}
    table = np.zeros((len(parts), len(index)))
    for row, own in enumerate(parts):
        table[row, [index[part] for part in own]] = 1
    sizes = table.sum(axis=1)
    found = 2 * (table @ table.T) / np.maximum(sizes[:, None] + sizes, 1)
    np.fill_diagonal(found, 1)
    return np.asarray(found)
