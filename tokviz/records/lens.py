"""The Jacobian lens: what each layer would say, read with the model's own output matrix.

Made in ``measure/lens.py`` and ``run/kinds/lenses.py`` (by ``capture/lens.py``); shown by ``pages/model/lens.py``.
Depths are numbered as in ``measures``; NaN stands where a measure isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from tokviz.records.claims import Claim
from tokviz.records.states import HiddenStates
from tokviz.records.words import Tokenization, TokenizedWord

LensKind = Literal["names", "words", "random"]
"""What is read: the names of categories, the words themselves, and the names in the model with all weights random."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Directions:
    """How much each token's score at the end grows with a hidden state: a vector per token and depth."""

    states: HiddenStates
    """As they are stored, like states: the rows of ``targets(…)``, each of the first half of the passages, then of the second."""
    wanted: tuple[int, ...] | None = None
    """Which of the stored tokens; None for all, in their order."""

    N_TOKENS: ClassVar[int] = 64
    """How long the passages are that they are fitted on."""
    N_LEFT_OUT: ClassVar[int] = 4
    """So many first positions of a passage aren't derived by: many models build attention sinks there."""
    N_PASSAGES: ClassVar[dict[LensKind, int]] = {"names": 32, "words": 4, "random": 32}
    N_AT_ONCE: ClassVar[int] = 4
    """So many passages are in one backward pass: more are no faster on a processor, and the graph grows with them."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Which tokens; two categories may be read as the same one."""
        return tuple(word.ids[0] for word in self._words)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The tokenizer's own name of each; empty of its unknown token."""
        return tuple(word.pieces[0] for word in self._words)

    def halves(self, depth: int) -> np.ndarray:
        """``(2, n_tokens, width)`` float32: from either half of the passages."""
        stored = np.asarray(self.states.states[depth])
        return stored.reshape(2, len(stored) // 2, -1)[:, self._rows]

    @property
    def _words(self) -> list[TokenizedWord]:
        words = self.states.tokenization.words
        return [words[row] for row in self._rows]

    @cached_property
    def _rows(self) -> list[int]:
        words = self.states.tokenization.words
        stored = {word.ids[0]: row for row, word in enumerate(words[: len(words) // 2])}
        return [*range(len(words) // 2)] if self.wanted is None else [stored[each] for each in self.wanted]

    @staticmethod
    def targets(ids: tuple[int, ...], pieces: tuple[str, ...]) -> Tokenization:
        """The rows under which directions are stored."""
        each = tuple(
            TokenizedWord(word=piece, text=piece, ids=(token,), pieces=(piece,), start=0, stop=1)
            for token, piece in zip(ids, pieces, strict=True)
        )
        return Tokenization(words=each * 2, read="last")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LensMeasure:
    """Of how many words the lens names what it should, at each depth."""

    n: int
    """Words, or pairs of words."""
    value: np.ndarray
    """``(n_depths,)`` float64 in 0–1; the median over a context's templates, as are the others."""
    low: np.ndarray
    """``(n_depths,)`` float64: lower end of Wilson's 95 % interval over the words."""
    high: np.ndarray
    """``(n_depths,)`` float64: its upper end."""
    halves: np.ndarray
    """``(2, n_depths)`` float64: the value with directions of either half of the passages."""
    agreement: np.ndarray
    """``(n_depths,)`` float64 in −1–1: rank correlation over the words between the scores of both halves; of categories' names the
    lowest, else the mean over tokens."""
    null_mean: np.ndarray
    """``(n_depths,)`` float64: mean with the categories, tokens or pairs shuffled (chance)."""
    logit: np.ndarray
    """``(n_depths,)`` float64: the value with the logit lens, which takes the output matrix itself at every depth."""
    claim: Claim
    """That it is above chance, where both halves agree."""
    templates: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64: in each template of the context; None with one."""
    exchanged: Claim | None = None
    """Of categories: that their names do better than exchanged ones, without which nothing is announced."""

    LEAST_AGREEMENT: ClassVar[float] = 0.9

    @property
    def can_be_tested(self) -> bool:
        """Whether there are enough words, and names to exchange, for anything to be announced."""
        return self.claim.can_be_tested and (self.exchanged is None or self.exchanged.can_be_tested)

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths,)`` bool: what is announced."""
        return self.claim.holds if self.exchanged is None else self.claim.holds & self.exchanged.holds

    @property
    def p_value(self) -> np.ndarray:
        """``(n_depths,)`` float64: of both tests the larger one, corrected for all values of the family; NaN until that is decided."""
        own = self.claim.p_value
        return own if self.exchanged is None else np.maximum(own, self.exchanged.p_value)

    @property
    def template_holds(self) -> np.ndarray | None:
        """``(n_templates, n_depths)`` bool: what would be announced of each template alone; None with one."""
        own, names = self.claim.template_holds, self.exchanged
        return own if own is None or names is None or names.template_holds is None else own & names.template_holds

    @property
    def is_firm(self) -> np.ndarray:
        """``(n_depths,)`` bool: whether both halves of the passages agree; elsewhere nothing is announced."""
        return np.asarray(self.agreement >= self.LEAST_AGREEMENT)

    def __repr__(self) -> str:
        return (
            f"LensMeasure({len(self.value)} depths, n = {self.n}, firm at {int(self.is_firm.sum())}, announced at "
            f"{int(self.holds.sum())})"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Lens:
    """What is read of the states of one model × context."""

    reason: str | None = None
    """Why there is nothing."""
    names: tuple[str, ...] = ()
    """The token that each category is read as, as text; empty where the tokenizer doesn't know it."""
    read: np.ndarray
    """``(n_words,)`` bool: the words whose states are read, whose scores are standardized together."""
    named: LensMeasure | None = None
    """Of how many words with a category its name scores highest of all; None where two names can't be told apart, or one is unknown."""
    untrained: np.ndarray | None = None
    """``(n_depths,)`` float64: the same in the model with all weights random, in the first template; NaN where the halves of its text
    disagree, None where there is none."""
    own: LensMeasure | None = None
    """Of how many words their own first token scores highest of all words'; None where there are too many."""
    own_rank: np.ndarray | None = None
    """``(n_depths,)`` float64: how many words' tokens score higher than the word's own, median over the words."""
    own_rank_logit: np.ndarray | None = None
    """``(n_depths,)`` float64: the same by the logit lens."""
    relations: tuple[LensMeasure | None, ...] = ()
    """Of how many pairs the target scores highest of the candidates but the source, in the order of the configuration."""
    top_names: np.ndarray | None = None
    """``(n_depths, n_words, N_TOP)`` int32: the categories whose names score highest, in the first template; −1 where it isn't read."""
    top_words: np.ndarray | None = None
    """``(n_depths, n_words, N_TOP)`` int32: the rows of the words whose tokens do; of words with one token the first."""

    N_TOP: ClassVar[int] = 3
    MOST_TARGETS: ClassVar[int] = 4096
    """Of more words only categories' names are read."""
