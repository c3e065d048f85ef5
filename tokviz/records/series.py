"""One model at several steps of its training.

Made in ``measure/series.py``; shown by ``pages/series/``.
Depths are numbered as in ``measures``; checkpoints are in the order of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.records.states import Projection


@dataclass(frozen=True, kw_only=True, eq=False)
class StepAxes:
    """The words of one checkpoint in two dimensions, so that they compare with those of other checkpoints."""

    reference: Projection
    """On the axes of the reference checkpoint: its basis at each depth, nothing fitted again."""
    own: Projection
    """On the checkpoint's own principal components, turned or reflected within their plane toward the reference checkpoint's."""
    residual: np.ndarray
    """``(n_depths,)`` float64 in 0–1: what is left between ``own`` and the reference checkpoint's own coordinates after shift, scale,
    turn and reflection, as in ``Change.procrustes``; NaN where either has no plot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drift:
    """How far the embeddings of the same words are apart between the checkpoints of a series, in one context."""

    distance: np.ndarray
    """``(n_checkpoints, n_checkpoints)`` float64, 0 or more: ‖A − B‖ / √(‖A‖·‖B‖), Frobenius norms of some words' embeddings. NaN
    where widths differ."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why the checkpoints of a series aren't what they are called."""

    kind: Literal["same", "exchanged"]
    checkpoints: tuple[int, ...]
    """Their indices: all that have the same states, of which the last one stays; or the two that seem exchanged."""

    @property
    def left_out(self) -> tuple[int, ...]:
        """Those that are in no chart, as a later one has the same states."""
        return self.checkpoints[:-1] if self.kind == "same" else ()
