"""How far made-up models are above chance, and what differs between them."""

from __future__ import annotations

import numpy as np

from tokviz.records import CategoryMeasure, Difference, Differences, Geometry, ModelDifferences, Peak, Profile


def profile(geometry: Geometry) -> Profile:
    """Of what was measured; no relations or orders."""
    return Profile(purity=_peak(geometry.purity), silhouette=_peak(geometry.silhouette), relations=(), orders=())


def _peak(measure: CategoryMeasure) -> Peak:
    above = measure.value - measure.null_mean
    if not np.isfinite(above).any():
        nothing = float("nan")
        return Peak(depth=None, value=nothing, chance=nothing, low=nothing, high=nothing, p_value=nothing)
    depth = int(np.nanargmax(above))
    return Peak(
        depth=depth,
        value=float(measure.value[depth]),
        chance=float(measure.null_mean[depth]),
        low=float(above[depth]) - 0.06,
        high=float(above[depth]) + 0.06,
        p_value=float(measure.above_chance.p_value[depth]),
    )


def differences(model_a: str, model_b: str, context: str) -> ModelDifferences:
    """The first model has the higher purity, and their silhouettes aren't shown to differ."""
    return ModelDifferences(
        model_a=model_a,
        model_b=model_b,
        context=context,
        differences=Differences(
            purity=difference(0.1, 0.04, 0.002), silhouette=difference(-0.02, 0.05, 0.4), relations=(), orders=()
        ),
    )


def difference(value: float, half: float, p_value: float, n: int = 116) -> Difference:
    """``half``: of its interval."""
    return Difference(
        n=n,
        value=value,
        low=value - half,
        high=value + half,
        p_value_uncorrected=p_value,
        p_value=p_value,
    )
