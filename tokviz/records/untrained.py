"""What a model would be without its training: the measures of its controls, and how it differs from them.

Made in ``measure/untrained.py``; shown by ``pages/charts/curves.py`` and ``pages/text/without_training.py``.
Depths are numbered as in ``measures``; NaN stands where a measure isn't defined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from tokviz.records.profile import Difference


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlCurves:
    """The measures of one control, on the words and in the spaces in which its model is measured."""

    purity: np.ndarray
    """``(n_depths,)`` float64, in 0–1."""
    silhouette: np.ndarray
    """``(n_depths,)`` float64, in −1–1."""
    effective_rank: np.ndarray
    """``(n_depths,)`` float64, at least 1."""
    relations: np.ndarray
    """``(n_relations, n_depths)`` float64: parallelism less what it is with the same words paired at random, in the order of the
    configuration."""
    orders: np.ndarray
    """``(n_orders, n_depths)`` float64: leave-one-out R², at most 1, in the order of the configuration."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Untrained:
    """The controls of one model × context."""

    random: ControlCurves | None
    """All weights random; None where that couldn't be captured."""
    own_embedding: tuple[ControlCurves, ...]
    """Random layers after the model's own embedding, one of each seed."""
    layers: tuple[Difference, ...] | None
    """By each relation, then by each order, the model less that control of the same embedding which it exceeds least, without the
    embedding, which they have in common; announced is only that it exceeds it, and so all of them: ``own_embedding``, and as many with
    permuted layers. None where any is missing. Of categories that is asked word by word: ``PairedCapture.untrained``."""
    problems: tuple[str, ...] = ()
    """Why controls are missing; one sentence each."""
    note: str = ""
    """How random weights are drawn; empty where that isn't known."""
    scaling: str = ""
    """How much permuted layers were made to add; empty without any."""

    N_SEEDS: ClassVar[int] = 5
    """How many of ``own_embedding`` are made, and how many with permuted layers."""

    @property
    def median(self) -> ControlCurves | None:
        """Of ``own_embedding``, at each depth; None where there is none."""
        return self._over_seeds(np.median)

    @property
    def low(self) -> ControlCurves | None:
        """The lowest of ``own_embedding`` at each depth; None where there is none."""
        return self._over_seeds(np.min)

    @property
    def high(self) -> ControlCurves | None:
        """The highest of ``own_embedding`` at each depth; None where there is none."""
        return self._over_seeds(np.max)

    def _over_seeds(self, statistic: Callable[..., np.ndarray]) -> ControlCurves | None:
        if not self.own_embedding:
            return None
        names = [field.name for field in fields(ControlCurves)]
        curves = {name: np.stack([getattr(each, name) for each in self.own_embedding]) for name in names}
        return ControlCurves(**{name: statistic(curve, axis=0) for name, curve in curves.items()})

    @property
    def by_layers(self) -> tuple[bool, ...]:
        """Of each of ``layers``, whether it is announced that the model exceeds its controls."""
        return tuple(each.is_shown and each.value > 0 for each in self.layers or ())
