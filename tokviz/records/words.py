"""Words, contexts, and how a tokenizer cuts them.

Made in ``config/tables.py`` and ``capture/tokens.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tokviz.records.fields import FileName


def depth_name(depth: int) -> str:
    """``embedding`` for depth 0, ``layer k`` for depth k + 1; a depth is spoken of in these words everywhere."""
    return "embedding" if depth == 0 else f"layer {depth - 1}"


@dataclass(frozen=True, kw_only=True)
class Category:
    """A named list of words: the colour and shape of points."""

    key: str
    label: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class WordList:
    """The categories of a report, and the unique words in order of first appearance (rows of every array)."""

    categories: tuple[Category, ...]
    vocabulary: tuple[str, ...] | None = None
    """The tokens of one model, as text, when its whole vocabulary is shown; empty before a model is spoken of. Categories
    then are lists of landmarks."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Words that the author says belong together."""

    def __repr__(self) -> str:
        names = ", ".join(category.key for category in self.categories[:10])
        more = f" and {len(self.categories) - 10} more" if len(self.categories) > 10 else ""
        return f"WordList({len(self.words):,} words; categories {names}{more})"

    @cached_property
    def words(self) -> tuple[str, ...]:
        if self.vocabulary is not None:
            return self.vocabulary
        return tuple(dict.fromkeys(word for category in self.categories for word in category.words))

    def of(self, tokenization: Tokenization) -> WordList:
        """The list of one capture: itself or, for a vocabulary, with the tokens of that model."""
        if self.vocabulary is None:
            return self
        return replace(self, vocabulary=tuple(word.word for word in tokenization.words))

    @cached_property
    def memberships(self) -> tuple[tuple[int, ...], ...]:
        """For each word the indices of its categories, ascending; nearly always one, and none for most of a vocabulary."""
        holders: list[list[int]] = [[] for _ in self.words]
        for index, category in enumerate(self.categories):
            for row in self.rows(category.words):
                if row is not None and index not in holders[row]:
                    holders[row].append(index)
        return tuple(map(tuple, holders))

    def rows(self, words: Sequence[str]) -> list[int | None]:
        """The row of each of some words; None for a word that isn't there.

        A word of a vocabulary is the token that stands for it after a space, if there is one.
        """
        return [next((self._row[form] for form in self._forms(word) if form in self._row), None) for word in words]

    @cached_property
    def _row(self) -> dict[str, int]:
        return {word: row for row, word in reversed(list(enumerate(self.words)))}

    def _forms(self, word: str) -> tuple[str, ...]:
        return (word,) if self.vocabulary is None else (f" {word}", word, f" {word.lower()}", word.lower())


@dataclass(frozen=True, kw_only=True)
class Context:
    """The text around a word. A template holds ``{word}`` exactly once."""

    name: FileName
    label: str
    template: str
    """What is drawn, and measured."""
    further_templates: tuple[str, ...] = ()
    """Other sentences for the same, which are measured only."""

    @property
    def templates(self) -> tuple[str, ...]:
        """All, the one that is drawn first."""
        return (self.template, *self.further_templates)

    def fill(self, word: str) -> tuple[str, int, int]:
        """The text, and where the word starts and ends in it, in characters."""
        before, after = self.template.split("{word}")
        return before + word + after, len(before), len(before) + len(word)


OF_WORD = ("last", "first", "mean")
"""Which of a word's own tokens is read."""


@dataclass(frozen=True, kw_only=True)
class TokenizedWord:
    """One word in one context, as the model's tokenizer cuts it."""

    word: str
    text: str
    ids: tuple[int, ...]
    """The whole sequence fed to the model, special tokens included."""
    pieces: tuple[str, ...]
    """The tokenizer's own name of each id, as many as ``ids``."""
    start: int
    """Index in ``ids`` of the word's first token."""
    stop: int
    """One past the word's last token."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop <= len(self.ids) == len(self.pieces):
            raise ValueError(
                f"expected tokens {self.start} to {self.stop} to be among {len(self.ids)} ids and {len(self.pieces)} pieces"
            )

    @property
    def n_tokens(self) -> int:
        return self.stop - self.start

    @property
    def word_ids(self) -> tuple[int, ...]:
        return self.ids[self.start : self.stop]

    @property
    def word_pieces(self) -> tuple[str, ...]:
        return self.pieces[self.start : self.stop]


@dataclass(frozen=True, kw_only=True)
class Tokenization:
    """All words of one context for one tokenizer, in the order of ``WordList.words``."""

    words: tuple[TokenizedWord, ...]
    read: str
    """Which of a word's tokens is read: ``last``, ``first``, or the ``mean`` over all; or which of the text's, ``0`` or ``-1``."""
    notes: tuple[str, ...] = ()
    """What a reader must know, such as a tokenizer that adds a space of its own; one sentence each."""

    def position(self, row: int) -> int:
        """The index of the token that is read; for ``mean`` the last of those averaged."""
        word = self.words[row]
        if self.index is not None and word.ids:
            return self.index % len(word.ids)
        return word.start if self.read == "first" else word.stop - 1

    @property
    def index(self) -> int | None:
        """Of the token of each text that is read, from its end where it is negative; None where it is the word's own."""
        return None if self.read in OF_WORD else int(self.read)

    @cached_property
    def positions(self) -> np.ndarray:
        """``(n_words,)`` int64."""
        return np.array([self.position(row) for row in range(len(self.words))], dtype=np.int64)

    @cached_property
    def n_tokens(self) -> np.ndarray:
        """``(n_words,)`` int64: how many tokens each word has."""
        return np.array([word.n_tokens for word in self.words], dtype=np.int64)

    @cached_property
    def is_known(self) -> bool:
        """Whether it is known how the words are cut and read: those of states that were not captured here have no tokens."""
        return bool((self.n_tokens > 0).all())

    @cached_property
    def reference(self) -> np.ndarray:
        """``(n_words,)`` bool: the reference words, those read at the position that most words share.

        The lowest position wins a tie. A word read elsewhere may differ from the others by its position alone
        (many models build an attention sink at position 0), and one such word can take nearly all of PC1's variance.
        """
        values, counts = np.unique(self.positions, return_counts=True)
        commonest: int = values[np.argmax(counts)]
        return np.asarray(self.positions == commonest)

    def reference_beside(self, others: Iterable[Tokenization]) -> np.ndarray:
        """``(n_words,)`` bool: the words that are reference words in other templates, too."""
        return np.asarray(np.logical_and.reduce([each.reference for each in (self, *others)]))

    @property
    def reads_position_0(self) -> bool:
        """Whether the reference words, which share one position, are read there; many models build an attention sink there."""
        return bool((self.positions[self.reference] == 0).any())

    @property
    def reads_elsewhere(self) -> bool:
        """Whether they are known to be read at another position."""
        return self.is_known and not self.reads_position_0
