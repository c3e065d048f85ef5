"""Words that belong together: forms of one word, words that the model reads the same pieces of, or whose states are nearly the same.

What happens to one of them happens to the others, whatever is true of words at large. A test that took them for independent
would announce what isn't there: of 300 pairs of equal models 128, with quadruples of near-duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.measure.distances import cosine_distances, smallest
from tokviz.measure.forms import are_forms, beginning, plain
from tokviz.measure.labels import Categories
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates

MOST_IN_ONE, FEW = 0.1, 6
"""Of the words: what more of them have in common tells no words apart, and joins none. As many forms as a word may have are a group in
short lists, too."""
MOST_NEAR, NEAR, N_LOOKED_AT, LEAST_DEPTHS = 4, 0.6, 5, 2
"""Words that are nearly the same: how many, their largest distance as a share of that to the nearest other word; at how many depths that
is looked for, and at how many of these it must be so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WordGroups:
    """Which of some words belong together."""

    labels: np.ndarray
    """``(n_words,)`` int64 from 0 without gaps, in the order of the words."""
    too_large: tuple[int, ...] = ()
    """The words of the largest group that is none, as it would be too large."""


def groups_of(
    words: Sequence[str],
    captures: Sequence[tuple[HiddenStates, np.ndarray]] = (),
    declared: Sequence[Sequence[str]] = (),
    near: Sequence[Sequence[str]] = (),
) -> WordGroups:
    """Each word joins the first before it with which it has something in common, if that joined none itself.

    So nothing is passed on: *plays* and *playing* join *play*, but what has a piece in common with *playing* alone doesn't.
    In common are text but for case, diacritics and punctuation, a stem, all or the first of the tokens that are the word's own in a
    capture, or the state at its embedding; or that their states are nearly the same, or that they were declared to belong together.

    Parameters
    ----------
    captures : states, and the words' rows in them ``(n_words,)``; of all captures that the words are compared in.
    declared : words that belong together, as written; unknown ones are passed over.
    near : words whose states are nearly the same, from ``near_together``.
    """
    rows: dict[str, int] = {}
    for number, group in enumerate(declared):
        rows.update((word, number) for word in group)
    given = [rows.get(word) for word in words]
    keys: list[list[Hashable]] = [[plain(word)] for word in words]
    row_of = {word: row for row, word in enumerate(words)}
    for together in near:
        for word in together:
            keys[row_of[word]].append(("near", *together))
    for number, (states, of_words) in enumerate(captures):
        for row, own in zip(of_words.tolist(), keys, strict=True):
            own += [(number, key) for key in _keys(states, row)]
        embedding = states.states[0][of_words]
        for own, state in zip(keys, embedding, strict=True):
            own.append((number, state.tobytes()))
    most = max(MOST_IN_ONE * len(words), FEW)
    n_with = Counter(key for own in keys for key in dict.fromkeys(own))
    common = [key for key, n in n_with.most_common() if n > most]
    too_large = [row for row, own in enumerate(keys) if common and common[0] in own]
    keys = [[key for key in own if n_with[key] <= most] for own in keys]
    is_found = [each is None for each in given]
    apart: set[int] = set()
    while True:
        labels = _joined(words, given, keys, apart)
        largest = _largest(labels[is_found], labels).tolist()
        if len(largest) <= most:
            return WordGroups(labels=labels, too_large=tuple(too_large))
        apart.update(largest)
        too_large = max(too_large, largest, key=len)


def near_together(
    templates: Sequence[HiddenStates], rows: np.ndarray, memberships: Sequence[tuple[int, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Words whose states are nearly the same.

    These are twos to fours that are so at two of some depths, synonyms that no one declared; and words that begin with one state in every
    template, such as that of a token which they share. They lie together whatever categories they are given: drawn for each of 20 to 120
    such words' sets, categories were above chance in 12 of 12 reports. A whole category is none, as it may be one for what its words have
    in common; nor are words whose first categories differ, which may be what a model changes.

    Parameters
    ----------
    templates : of one capture; how far words are from each other is the median over these.
    rows : ``(n_words,)`` int64, the words that are looked at.
    memberships : of each of these the indices of its categories.

    Returns
    -------
    Words as written, in the order of the rows.
    """
    last = templates[0].n_depths - 1
    depths = np.unique(np.linspace(min(1, last), last, N_LOOKED_AT).round().astype(int))
    found = Counter(
        together for depth in depths for together in _nearly_the_same([each.states[depth][rows] for each in templates])
    )
    least = min(LEAST_DEPTHS, len(depths))
    found.update(dict.fromkeys(_of_one_state([each.states[0][rows] for each in templates]), least))
    first = np.array([own[0] for own in memberships])
    whole = {frozenset(np.flatnonzero(first == category).tolist()) for category in first}
    kept = sorted(
        sorted(each)
        for each, n in found.items()
        if n >= least and len(np.unique(first[[*each]])) == 1 and each not in whole
    )
    return tuple(tuple(templates[0].tokenization.words[rows[row]].word for row in each) for each in kept)


def with_near(categories: Categories, templates: Sequence[HiddenStates], rows: np.ndarray) -> Categories:
    """Those of words ``(n_words,)`` int64 rows, in which words whose states are nearly the same belong together, too."""
    near = near_together(templates, rows, categories.memberships)
    return replace(categories, declared=(*near, *categories.declared))


def _of_one_state(templates: Sequence[np.ndarray]) -> list[frozenset[int]]:
    """Of embeddings ``(n_words, width)`` in each template: rows that are equal in all, unless too many words are."""
    rows: dict[tuple[bytes, ...], list[int]] = {}
    for row, own in enumerate(zip(*templates, strict=True)):
        rows.setdefault(tuple(each.tobytes() for each in own), []).append(row)
    most = max(MOST_IN_ONE * len(templates[0]), FEW)
    return [frozenset(each) for each in rows.values() if 2 <= len(each) <= most]


def _nearly_the_same(templates: Sequence[np.ndarray]) -> Iterator[frozenset[int]]:
    """Of states ``(n_words, width)`` in each template: rows that are each other's nearest, far from all others."""
    if not all(np.isfinite(each).all() for each in templates):
        return
    of_templates = [cosine_distances(standardized(each)) for each in templates]
    distances = np.median(of_templates, axis=0) if len(templates) > 1 else of_templates[0]
    near, far = smallest(distances, MOST_NEAR)
    for n in range(2, min(MOST_NEAR, near.shape[1]) + 1):
        own = [frozenset((row, *each)) for row, each in enumerate(near[:, : n - 1].tolist())]
        for row, each in enumerate(own):
            if row == min(each) and all(own[other] == each for other in each):
                inside = list(each)
                if far[inside, n - 2].max() < NEAR * far[inside, n - 1].min():
                    yield each


def _keys(states: HiddenStates, row: int) -> Iterator[Hashable]:
    """All of a word's own tokens, and the first of several; pieces without a letter or a digit aren't its own."""
    word = states.tokenization.words[row]
    tokens = list(zip(word.word_ids, word.word_pieces, strict=True))
    own = tuple(id_ for id_, piece in tokens if any(letter.isalnum() for letter in piece)) or tuple(
        id_ for id_, _ in tokens
    )
    if own:
        yield own
        yield own[:1]


def _joined(
    words: Sequence[str], given: Sequence[int | None], keys: Sequence[Sequence[Hashable]], apart: Collection[int]
) -> np.ndarray:
    """``(n_words,)``: each word's group.

    Parameters
    ----------
    given : the declared group of each word.
    keys : what each may have in common with others.
    apart : the rows of words for which only declared groups count.
    """
    labels = np.empty(len(words), dtype=np.int64)
    groups: dict[Hashable, int] = {}
    stems: dict[str, list[tuple[str, int]]] = {}
    n_groups = 0
    for row, word in enumerate(map(plain, words)):
        is_given = given[row] is not None
        own: list[Hashable] = [("declared", given[row])] if is_given else []
        near = stems.setdefault(beginning(word), [])
        if row not in apart:
            own += keys[row]
        sought = own[:1] if is_given else own
        label = next((groups[key] for key in sought if key in groups), None)
        if label is None and row not in apart and not is_given:
            label = next((of for other, of in near if are_forms(other, word)), None)
        is_first = label is None
        if label is None:
            label = n_groups
            n_groups += 1
        if is_first or is_given:
            for key in own:
                groups.setdefault(key, label)
            if row not in apart:
                near.append((word, label))
        labels[row] = label
    return labels


def _largest(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows of the largest group, of those ``found``."""
    return np.flatnonzero(labels == np.bincount(found).argmax()) if len(found) else found
