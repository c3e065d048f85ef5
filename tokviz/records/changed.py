"""What differs between two models of one form: as many layers, as many dimensions, the same tokens for the same words.

Made in ``measure/movers.py`` and ``measure/common_axes.py``; shown by ``pages/change/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tokviz.records.claims import Claim
from tokviz.records.states import Projection

COMMON = "common"
"""The name of projections on axes that two models have in common."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """How many of their neighbors words lose by a change, and which words are shown to have moved."""

    k: int
    """How many neighbors of each word are counted."""
    lost: np.ndarray
    """``(n_depths, n_words)`` int64, 0–k: how many of the nearest words before are others after; −1 where that isn't defined."""
    nearest: np.ndarray
    """``(2, n_depths, n_words, k)`` int64: the places among these words of the nearest before, and after; −1 where that isn't defined."""
    claim: Claim
    """That a word has lost most of its neighbors and moved away from them, beyond noise; its values are ``(n_depths · n_words,)``, depth by
    depth."""

    @property
    def score(self) -> np.ndarray:
        """``(n_depths, n_words)`` float64: how far, in standard deviations of the word under noise; NaN where that isn't asked."""
        return np.asarray(self.claim.score.reshape(self.lost.shape))

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths, n_words)`` bool: what is announced; nothing until the claim is decided."""
        return np.asarray(self.claim.holds.reshape(self.lost.shape))


@dataclass(frozen=True, kw_only=True, eq=False)
class Changed:
    """The same words before and after, depth by depth."""

    before: Projection
    """On axes that are fitted to both models' words together; ``explained_variance_ratio`` is its own variance's."""
    after: Projection
    """On the same axes."""
    is_centered: np.ndarray
    """``(n_depths,)`` bool: whether each model's words were centered first, as the first axis would part the models rather than words."""
    is_same: np.ndarray
    """``(n_depths,)`` bool: whether both have the very same states, in all templates of the context."""
    cka: np.ndarray
    """``(n_depths,)`` float64: of each layer with the same layer, as in ``LayerSimilarity``."""
    neighbours: np.ndarray
    """``(n_depths,)`` float64 in 0–1: the same."""
    moved: Moved
    """Which words left their neighbors."""
    rows: np.ndarray
    """``(n_moved,)`` int64: of which this was asked, the rows of the words that the axes are fitted to, or of some of them."""

    @cached_property
    def movers(self) -> np.ndarray:
        """``(n_depths, n_words)`` bool: which words are announced to have left their neighbors."""
        return self._of_all(self.moved.holds, fill=False)

    @cached_property
    def lost(self) -> np.ndarray:
        """``(n_depths, n_words)`` int64: how many of each word's nearest words are others; −1 where that isn't defined."""
        return self._of_all(self.moved.lost, fill=-1)

    @cached_property
    def score(self) -> np.ndarray:
        """``(n_depths, n_words)`` float64: see ``Moved.score``."""
        return self._of_all(self.moved.score, fill=np.nan)

    def _of_all(self, values: np.ndarray, *, fill: float) -> np.ndarray:
        """``(n_depths, n_moved)`` → ``(n_depths, n_words)``."""
        found = np.full(self.before.coordinates.shape[:2], fill, dtype=values.dtype)
        found[:, self.rows] = values
        return found
