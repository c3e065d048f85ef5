"""One word of a capture, as notebooks have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tokviz.notebook import arguments
from tokviz.records import depth_name

if TYPE_CHECKING:
    from tokviz.notebook.as_arrays import AsArrays


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
