"""Categories by cosine of the states as they are, beside those of standardized states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.measure import categories, category_claims
from tokviz.measure.categories import Score
from tokviz.measure.distances import cosine_distances
from tokviz.measure.labels import Categories
from tokviz.records import RawPurity

_N_LARGEST = 3


@dataclass(frozen=True, kw_only=True)
class Unscaled:
    """Of one depth in one template."""

    purity: Score
    silhouette: Score
    without: float
    """Purity without the three dimensions that hold most of the states' length; NaN where that isn't asked."""
    dimensions: tuple[int, ...]


def measure(state: np.ndarray, distances: np.ndarray, measured: Categories, purity: Score) -> Unscaled:
    """Of one depth.

    Parameters
    ----------
    state : ``(n_words, width)`` of the words with a category.
    distances : ``(n_words, n_words)``, by their cosine.
    purity : that of the standardized states; where the intervals don't overlap, the largest dimensions are left out, too.
    """
    raw = categories.purity(distances, measured, with_chance=False)
    without, dimensions = float("nan"), ()
    if raw.high < purity.low or raw.low > purity.high:
        largest = np.sort(np.argsort((state.astype(np.float64) ** 2).sum(axis=0))[-_N_LARGEST:])
        rest = np.delete(state, largest, axis=1)
        without = categories.purity(cosine_distances(rest), measured, with_chance=False).value
        dimensions = tuple(largest.tolist())
    return Unscaled(
        purity=raw,
        silhouette=categories.silhouette(distances, measured, with_chance=False),
        without=without,
        dimensions=dimensions,
    )


def gather_purity(depths: Sequence[Sequence[Unscaled]]) -> RawPurity:
    """Of each depth in each template; the dimensions are the first one's."""
    found = category_claims.gather([[each.purity for each in templates] for templates in depths])
    return RawPurity(
        value=found.value,
        low=found.low,
        high=found.high,
        templates=found.templates,
        without=np.array([_median_without(templates) for templates in depths]),
        dimensions=tuple(templates[0].dimensions for templates in depths),
    )


def _median_without(templates: Sequence[Unscaled]) -> float:
    """NaN where it isn't asked in the first template."""
    asked = [each.without for each in templates if each.dimensions]
    return float(np.median(asked)) if templates[0].dimensions else float("nan")
