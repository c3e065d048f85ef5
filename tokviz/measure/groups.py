"""Words that belong together: forms of one word, or words that the model reads the same pieces of.

What happens to one of them happens to the others, whatever is true of words at large. A test that took them for independent
would announce what isn't there: of 300 pairs of equal models 128, with quadruples of near-duplicates.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.measure.labels import LEAST_STEM, are_forms, plain
from tokviz.records import HiddenStates

MOST_IN_ONE, FEW = 0.1, 6
"""Of the words: where a group that is found would hold more, its reason is none that tells words apart, and nothing is merged. As many
forms as a word may have are a group in short lists, too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WordGroups:
    """Which of some words belong together."""

    labels: np.ndarray
    """``(n_words,)`` int64 from 0 without gaps, in the order of the words."""
    too_large: tuple[int, ...] = ()
    """The words of the largest group that would have been found, where that was too large and only declared ones are merged."""


def groups_of(
    words: Sequence[str],
    captures: Sequence[tuple[HiddenStates, np.ndarray]] = (),
    declared: Sequence[Sequence[str]] = (),
) -> WordGroups:
    """Each word joins the first before it with which it has something in common, if that joined none itself.

    So nothing is passed on: *plays* and *playing* join *play*, but what has a piece in common with *playing* alone doesn't.
    In common are text but for case, diacritics and punctuation, a stem, all or the first of the tokens that are the word's own in a capture, or the state
    at its embedding; or that they were declared to belong together.

    Parameters
    ----------
    captures : states, and the words' rows in them ``(n_words,)``; of all captures that the words are compared in.
    declared : words that belong together, as written; unknown ones are passed over.
    """
    rows: dict[str, int] = {}
    for number, group in enumerate(declared):
        rows.update((word, number) for word in group)
    given = [rows.get(word) for word in words]
    keys: list[list[Hashable]] = [[plain(word)] for word in words]
    for number, (states, of_words) in enumerate(captures):
        for row, own in zip(of_words.tolist(), keys, strict=True):
            own += [(number, key) for key in _keys(states, row)]
        embedding = states.states[0][of_words]
        for own, state in zip(keys, embedding, strict=True):
            own.append((number, state.tobytes()))
    labels = _joined(words, given, keys)
    largest = _largest(labels[[each is None for each in given]], labels)
    if len(largest) > max(MOST_IN_ONE * len(words), FEW):
        return WordGroups(labels=_joined(words, given, None), too_large=tuple(largest.tolist()))
    return WordGroups(labels=labels)


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


def _joined(words: Sequence[str], given: Sequence[int | None], keys: Sequence[Sequence[Hashable]] | None) -> np.ndarray:
    """``(n_words,)``: each word's group.

    Parameters
    ----------
    given : the declared group of each word.
    keys : what each may have in common with others; None where only declared groups count.
    """
    labels = np.empty(len(words), dtype=np.int64)
    groups: dict[Hashable, int] = {}
    stems: dict[str, list[tuple[str, int]]] = {}
    n_groups = 0
    for row, word in enumerate(map(plain, words)):
        is_given = given[row] is not None
        own: list[Hashable] = [("declared", given[row])] if is_given else []
        near = stems.setdefault(word[: LEAST_STEM - 1], [])
        if keys is not None:
            own += keys[row]
        sought = own[:1] if is_given else own
        label = next((groups[key] for key in sought if key in groups), None)
        if label is None and keys is not None and not is_given:
            label = next((of for other, of in near if are_forms(other, word)), None)
        is_first = label is None
        if label is None:
            label = n_groups
            n_groups += 1
        if is_first or is_given:
            for key in own:
                groups.setdefault(key, label)
            near.append((word, label))
        labels[row] = label
    return labels


def _largest(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows of the largest group, of those ``found``."""
    return np.flatnonzero(labels == np.bincount(found).argmax()) if len(found) else found
