"""Student's t beside the normal distribution, so that values with few degrees of freedom have one scale with the others."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_STEPS = 60


@lru_cache(maxsize=1024)
def quantile(score: float, freedom: int) -> float:
    """The t that is as rare as a score ≥ 0 of the standard normal distribution.

    Abramowitz & Stegun 1964, Handbook of mathematical functions, 26.7.3 and 26.7.4: of whole degrees of freedom the distribution
    is a finite sum.

    Parameters
    ----------
    score : up to 8; infinite and NaN stay.
    freedom : degrees of freedom, 1 or more.
    """
    if not math.isfinite(score):
        return score
    inside = 1 - 2 * NormalDist().cdf(-score)
    low, high = 0.0, math.pi / 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _share_within(middle, freedom) < inside else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _share_within(angle: float, freedom: int) -> float:
    """How often |t| is below √freedom · tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = freedom % 2
    term = cosine if is_odd else 1.0
    total = term if freedom > 1 else 0.0
    for above in range(2 + is_odd, freedom - 1, 2):
        term *= (above - 1) / above * cosine**2
        total += term
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total
