"""What differs between two models of one form: as many layers, as many dimensions, the same tokens for the same words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tokviz.records.states import Projection

COMMON = "common"
"""The name of projections on axes that two models have in common."""


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
    """``(n_depths,)`` bool: whether both have the very same states."""
