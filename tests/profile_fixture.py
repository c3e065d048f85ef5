"""What differs between made-up models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from claiming import decided

from tokviz.records import Difference, Differences, ModelDifferences, Unit

THRESHOLD = 3.0
"""A score; of 120 degrees of freedom a t of 3.06."""


def differences(model_a: str, model_b: str, context: str) -> ModelDifferences:
    """The first model has the higher purity, and their silhouettes aren't shown to differ."""
    return ModelDifferences(
        model_a=model_a,
        model_b=model_b,
        context=context,
        differences=Differences(
            purity=difference(0.1, 0.01, is_shown=True),
            silhouette=difference(-0.02, 0.02, is_shown=False),
            relations=(),
            orders=(),
        ),
    )


def difference(value: float, error: float, *, is_shown: bool, n: int = 116, unit: Unit = "category") -> Difference:
    """Where ``value`` is NaN, nothing was compared."""
    claim = decided(np.array([is_shown]), "differences", np.isfinite([value]))
    return Difference(n=n, unit=unit, value=value, error=error, freedom=120, claim=replace(claim, threshold=THRESHOLD))
