"""A capture as arrays, and word by word."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.notebook.word import Word
from tokviz.records import HiddenStates, Neighbours, Projection, WordList, depth_name
from tokviz.text import counted, shown, suggestion

_MOST_NAMED = 10


class AsArrays:
    """States at all depths: ``capture[depth]``, ``capture["red"]``, ``numpy.asarray(capture)``, ``capture.X`` and ``capture.y``."""

    @property
    @abstractmethod
    def states(self) -> HiddenStates: ...

    @property
    @abstractmethod
    def words(self) -> WordList: ...

    @abstractmethod
    def project(self, name: str = "standardized") -> Projection: ...

    @abstractmethod
    def _recall(self, measure: str) -> Any: ...

    def __len__(self) -> int:
        return self.states.n_depths

    def __contains__(self, word: object) -> bool:
        return word in self.words.words

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.states.states)

    @overload
    def __getitem__(self, depth: int | slice) -> np.ndarray: ...

    @overload
    def __getitem__(self, depth: str) -> Any: ...

    def __getitem__(self, depth: int | str | slice) -> Any:
        """``(n_words, width)`` float32: the states at a depth, by its number or its name, such as ``layer 7``.

        A slice has those of several depths, ``(n, n_words, width)``; a word, such as ``capture["red"]``, is a ``Word``. One that
        is called like a depth is found by ``capture.word("embedding")``.
        """
        if isinstance(depth, slice):
            ends = [
                each if each is None else arguments.whole_number("depth", each, "whole numbers in a slice")
                for each in (depth.start, depth.stop, depth.step)
            ]
            return np.stack([self[each] for each in range(*slice(*ends).indices(len(self)))])
        names = [depth_name(each) for each in range(len(self))]
        if isinstance(depth, str) and depth not in names and not depth.startswith("layer "):
            return Word(capture=self, row=self._row(depth, names))
        return np.asarray(self.states.states[arguments.depth(depth, len(self))])

    def word(self, word: str) -> Word:
        """One of the words: its states, tokens, place and nearest words."""
        return Word(capture=self, row=self._row(word))

    def neighbors(self, word: str, layer: int | str = -1) -> tuple[str, ...]:
        """The words nearest to a word at a layer, numbered from 0, or at the ``embedding``; nearest first, five at most.

        Among all words, by cosine of states that are standardized as for category purity, which ranks reference words only; none
        where the last of them has the same state as the word that comes next.

        Raises
        ------
        TokvizError : there is no such word or layer, or the list is longer than 3,000 words.
        """
        row, found = self._row(word), self._recall("neighbours")
        if found is None:
            raise TokvizError(
                f"neighbors: expected at most {Neighbours.MOST_WORDS:,} words, got {len(self.words.words):,}"
            )
        near = found.rows[arguments.layer(layer, len(self)), row]
        return tuple(self.words.words[each] for each in near if each >= 0)

    def _row(self, word: str, depths: Sequence[str] = ()) -> int:
        """``depths``: names that may be asked for as well."""
        words = self.words.words
        if word in words:
            return words.index(word)
        known = f"{', '.join(words[:_MOST_NAMED])}{' …' if len(words) > _MOST_NAMED else ''}"
        of_depths = f", or a depth ({depths[0]} … {depths[-1]})" if depths else ""
        near = suggestion(word, [*depths, *words]) if isinstance(word, str) else ""
        raise TokvizError(f"word: expected one of {known}{of_depths}, got {shown(word)}{near}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """``(n_depths, n_words, width)`` float32."""
        if copy is False:
            raise ValueError("expected copy=True or None: the states are read from a file")
        self._require_one_width()
        return np.stack(list(self)).astype(dtype or np.float32, copy=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(n_depths, n_words, width)``, that of ``numpy.asarray(capture)``."""
        return (len(self), len(self.states.tokenization.words), self._require_one_width())

    def _require_one_width(self) -> int:
        card = self.states.card
        if len({state.shape[1] for state in self}) > 1:
            raise TokvizError(
                f"capture: expected one width at all depths, got {counted(card.least_and_most, 'dimension')}; take one depth, capture[-1]"
            )
        return card.width

    @property
    def X(self) -> np.ndarray:
        """``(n_words, width)`` float32: the states after the last layer; ``capture[depth]`` has those of another depth."""
        return self[-1]

    @property
    def y(self) -> np.ndarray:
        """``(n_words,)`` of text: the category of each word, its first where it has several, and empty text for none.

        Words that were given without categories are all of one, ``words``.
        """
        categories = self.words.categories
        return np.array([categories[own[0]].key if own else "" for own in self.words.memberships])
