"""Captures that are held against each other word by word, with differences that a test chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from claiming import decided

from tokviz.records import Paired, PairedMeasure, PairedMeasures

THRESHOLD, ERROR, FREEDOM = 4.0, 0.02, 100_000
"""A band reaches four errors to either side: 0.08."""
N_CATEGORIES = 3


def paired(values: Sequence[Sequence[float]], holds: Sequence[Sequence[bool]], family: str = "paired") -> Paired:
    """Of shares."""
    differences = np.array([values], dtype=np.float64)
    of, n = differences.shape[1:]
    claim = decided(np.array(holds).ravel(), family)
    return Paired(
        differences=differences,
        errors=np.full(differences.shape, ERROR),
        n_groups=np.full(of, 40),
        freedom=np.full(of, FREEDOM),
        least_left=np.ones((of, n)),
        claim=replace(claim, threshold=THRESHOLD),
        most=1.0,
    )


def measure(
    values: Sequence[float], holds: Sequence[bool], categories: Sequence[bool] = (False,) * N_CATEGORIES
) -> PairedMeasure:
    """``categories``: which of them hold by themselves, at the first depth."""
    of_categories = [[each, *(False,) * (len(values) - 1)] for each in categories]
    return PairedMeasure(
        overall=paired([values], [holds]),
        by_category=paired([values] * N_CATEGORIES, of_categories, "paired by category"),
    )


def _endless(found: PairedMeasure) -> PairedMeasure:
    """As silhouettes have no end that tests know."""
    return PairedMeasure(
        overall=replace(found.overall, most=math.inf), by_category=replace(found.by_category, most=math.inf)
    )


def measures(purity: PairedMeasure, depths: Sequence[tuple[int, int]], **more: PairedMeasure) -> PairedMeasures:
    nothing = measure([0.0] * len(depths), [False] * len(depths))
    return PairedMeasures(
        n_words=116,
        n_groups=110,
        groups=(("happy", "unhappy"),),
        too_large=(),
        categories=tuple(range(N_CATEGORIES)),
        depths=np.array(depths),
        purity=purity,
        silhouette=_endless(more.get("silhouette", nothing)),
        kept=more.get("kept", nothing),
    )
