"""A capture as arrays, and word by word."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.records import HiddenStates, Neighbours, Projection, WordList, depth_name
from tokviz.text import counted, shown, suggestion

_MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Word:
    """One word of a capture: ``capture["red"]``.

    Examples
    --------
    >>> import tokviz
    >>> red = tokviz.study("report.toml", quiet=True)["Tiny"]["alone"]["red"]
    >>> red.states.shape, red.place().shape, red.category
    ((4, 32), (4, 2), 'colors')
    >>> sorted(red.neighbors)
    ['embedding', 'layer 0', 'layer 1', 'layer 2']
    """

    capture: AsArrays
    row: int
    """In all arrays of the capture."""

    @property
    def word(self) -> str:
        """Itself."""
        return self.capture.words.words[self.row]

    @property
    def category(self) -> str:
        """The key of its category, of the first where it has several; empty without one."""
        return str(self.capture.y[self.row])

    @property
    def tokens(self) -> tuple[str, ...]:
        """Its own tokens, as the tokenizer calls them; empty where that isn't known."""
        return self.capture.states.tokenization.words[self.row].word_pieces

    @property
    def position(self) -> int | None:
        """The index, in all of the text's tokens, of the one that is read; of several, the last; None where that isn't known."""
        return self.capture.states.tokenization.position(self.row) if self.tokens else None

    @property
    def states(self) -> np.ndarray:
        """``(n_depths, width)`` float32, the embedding first; raises ``TokvizError`` where depths differ in width."""
        return np.asarray(self.capture)[:, self.row]

    @property
    def neighbors(self) -> dict[str, tuple[str, ...]]:
        """By the name of each depth the words nearest to it there, nearest first: ``capture.neighbors(word, layer=…)``."""
        names = map(depth_name, range(len(self.capture)))
        return arguments.Named("depth", {name: self.capture.neighbors(self.word, name) for name in names})

    def place(self, projection: str = "standardized") -> np.ndarray:
        """``(n_depths, 2)``: where it lies in each plot of a projection."""
        return np.asarray(self.capture.project(projection).coordinates[:, self.row])

    def __repr__(self) -> str:
        is_mean = self.capture.states.tokenization.read == "mean"
        read = "the mean of these" if is_mean else f"read at position {self.position}"
        where = f"{', '.join(self.tokens)}; {read}" if self.tokens else "tokens not known"
        near = ", ".join(self.capture.neighbors(self.word, -1)) or "none that differ from it"
        return f"{self.word} ({where}); nearest at the last layer: {near}"


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
