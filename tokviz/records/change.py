"""What differs between a model before a change and the same model after it.

NaN stands where something isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tokviz.records.claims import Claim


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """How many of their neighbors words lose by a change, and which words are shown to have moved."""

    k: int
    """How many neighbors of each word are counted."""
    lost: np.ndarray
    """``(n_depths, n_words)`` int64, 0–k: how many of the nearest words before are others after; −1 where that isn't defined."""
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
