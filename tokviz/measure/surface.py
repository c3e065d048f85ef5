"""What words look like before any model: how they are spelled, their tokens, and how common these are.

A tokenizer's ids follow how often its tokens occurred, so that the logarithm of an id stands for how rare a word is. Words that share a
token, or letters, are alike in any model that reads them. Categories differ in all of this; what a model's states show of them says
something of the model as far as it is more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, takewhile
from typing import Any, TypeVar

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.measure.categories import UNDEFINED, Score, purity, silhouette
from tokviz.measure.forms import plain
from tokviz.measure.labels import Categories, begins_with_capital, seed_of
from tokviz.measure.spaces import standardized
from tokviz.records import Tokenization

_OF_TOKENS, _OF_LETTERS = 6_000.0, 60.0
"""Squared distances of words that share nothing: of what the three numbers give on average, a thousand times and ten times. These decide
where nothing is shared. Words with a token in common may lie as near each other in random weights as any, and so they do here."""
_MOST_IN_A_ROW = 4
"""Tokens that words may begin with or end in alike, as with endings where each letter is a token."""
_TO_CHOOSE = 49
"""Shuffles that tell what has the largest effect; of long lists by a part of the words."""
_ALIKE = 1e-9
"""Far less than what any two words differ by."""
Part = TypeVar("Part")
_Measure = Callable[[np.ndarray, Categories], Score]


def features(tokenization: Tokenization) -> np.ndarray:
    """``(n_words, 3)``: case of the initial (0, 1), number of tokens, log of the id of the token that is read."""
    words = tokenization.words
    found = np.empty((len(words), 3))
    for row, word in enumerate(words):
        read = word.ids[tokenization.position(row)]
        found[row] = begins_with_capital(word.word), word.n_tokens, np.log1p(read)
    return found


def spelled(words: Sequence[str]) -> np.ndarray:
    """``(n_words, 3)``: how many characters each has, and its place in the alphabet among the others, from its beginning and from its end."""
    names = [plain(word) for word in words]
    alphabets = [sorted({name[::step] for name in names}) for step in (1, -1)]
    places = [{name: place for place, name in enumerate(each)} for each in alphabets]
    found = [(len(word), places[0][name], places[1][name[::-1]]) for word, name in zip(words, names, strict=True)]
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def scores(tokenization: Tokenization, rows: np.ndarray, categories: Categories) -> tuple[Score, Score]:
    """Purity and silhouette of the surface of some words; undefined where their tokens aren't known.

    Each is the largest effect of any of them: the numbers of ``features`` and ``spelled``, tokens that words share, and letters.

    Parameters
    ----------
    rows : ``(n_words,)`` int64, the words that ``categories`` are of.
    """
    if not tokenization.is_known:
        return UNDEFINED, UNDEFINED
    gaps = _gaps([tokenization.words[row].word for row in rows])
    some = categories.silhouetted
    few = replace(categories.of(some), n_permutations=min(_TO_CHOOSE, categories.n_permutations))
    largest: dict[_Measure, tuple[float, np.ndarray]] = {}
    for each in _distances(tokenization, rows):
        # Of distances in thousands a gap by itself would be taken for rounding.
        for measure, distances in ((purity, gaps + each * (1 + gaps)), (silhouette, each)):
            effect = _effect(measure(distances[np.ix_(some, some)], few))
            if measure not in largest or effect > largest[measure][0]:
                largest[measure] = effect, distances
    return purity(largest[purity][1], categories), silhouette(largest[silhouette][1], categories)


def _effect(score: Score) -> float:
    effect = score.effect()[0] if len(score.shuffled) else np.nan
    return float(effect) if np.isfinite(effect) else -np.inf


def _distances(tokenization: Tokenization, rows: np.ndarray) -> Iterator[np.ndarray]:
    """``(n_words, n_words)`` each; no cosine: where words differ in one of three numbers only, it has two values.

    What words share is told as squares, as the cosine distance of states is that of parts that they add up.
    """
    known = standardized(features(tokenization)[rows])
    words = [tokenization.words[row] for row in rows]
    yield cdist(known, known)
    squared = cdist(known, known, "sqeuclidean")
    # A model may tell one number of them alone, and the others then tell of words that are alike in it.
    names = [each.word for each in words]
    numbers = [*(known.T if known.any(axis=0).sum() > 1 else ()), *standardized(spelled(names)).T]
    for own in numbers:
        if own.any():
            yield np.sqrt(squared + _OF_TOKENS * (own[:, None] - own) ** 2)
    tokens, letters = differing([each.word_ids for each in words]), list(map(plain, names))
    in_a_row = range(2, 1 + min(_MOST_IN_A_ROW, max(map(len, tokens), default=0)))  # more are whole words again
    either: list[Sequence[set[Any]]] = [
        list(map(set, tokens)),
        *([{own[end]} for own in parts] for parts in (tokens, letters) for end in (0, -1)),
        *([{tuple(own[:n])} for own in parts] for parts in (tokens, [own[::-1] for own in tokens]) for n in in_a_row),
        [{_shape(name)} for name in names],
    ]
    amounts: list[tuple[Sequence[set[Any]], float]] = [
        ([_pairs(name) for name in names], _OF_LETTERS),
        *((list(map(_counted, parts)), _OF_TOKENS) for parts in (letters, tokens)),
    ]
    if all(len(own) == 1 for own in tokens):  # the first is the last, and all there is
        del either[1:3], amounts[-1]
    for own, weight in (*((each, None) for each in either), *amounts):
        shared = _shared(own) if weight else (_shared(own) > 0).astype(np.float64)
        if np.triu(shared, 1).any() and (shared < 1).any():
            yield squared + (weight or _OF_TOKENS) * (1 - shared)


def differing(parts: Sequence[Sequence[Part]]) -> list[Sequence[Part]]:
    """Tokens or letters of words, without those that all begin with and end in; one at least is left of each."""
    n_most = max(0, min(map(len, parts), default=0) - 1)
    first = min(n_most, _n_shared(parts))
    last = min(n_most - first, _n_shared([own[::-1] for own in parts]))
    return [own[first : len(own) - last] for own in parts]


def _n_shared(parts: Sequence[Sequence[Part]]) -> int:
    return sum(1 for _ in takewhile(lambda own: len(set(own)) == 1, zip(*parts, strict=False)))


def _gaps(words: Sequence[str]) -> np.ndarray:
    """``(n_words, n_words)``: tells words that are equally far, which else would have no nearest; of each pair alone, whatever the list."""
    keys = np.array([np.random.default_rng(seed_of(0, "surface", word)).random() for word in words])
    return np.asarray(_ALIKE * np.abs(keys[:, None] - keys))


def _pairs(word: str) -> set[str]:
    """Each two letters in a row, the first after a beginning and the last before an end."""
    marked = f"^{word.casefold()}$"
    return {marked[at : at + 2] for at in range(len(marked) - 1)}


def _counted(parts: Sequence[Any]) -> set[tuple[Any, int]]:
    """Each part, and which time it is there."""
    return {(part, parts[:at].count(part)) for at, part in enumerate(parts)}


def _shape(word: str) -> tuple[str, ...]:
    """The kinds of its characters, runs of a kind as one: letters of a script, small or capital, digits, others; of *Paris* two."""
    kinds = ((unicodedata.category(each), unicodedata.name(each, "").split(" ")[0]) for each in word)
    return tuple(
        kind for kind, _ in groupby(f"{kind} {script}" if kind[0] == "L" else kind[0] for kind, script in kinds)
    )


def _shared(parts: Sequence[set[Any]]) -> np.ndarray:
    """``(n_words, n_words)``: how much of two words is in both, from 0 to 1 (Dice's coefficient); 1 of each with itself."""
    index = {part: at for at, part in enumerate(dict.fromkeys(part for own in parts for part in own))}
    table = np.zeros((len(parts), len(index)), dtype=np.float32)
    for row, own in enumerate(parts):
        table[row, [index[part] for part in own]] = 1
    sizes = table.sum(axis=1, dtype=np.float64)
    found = 2 * (table @ table.T).astype(np.float64) / np.maximum(sizes[:, None] + sizes, 1)
    np.fill_diagonal(found, 1)
    return np.asarray(found)
