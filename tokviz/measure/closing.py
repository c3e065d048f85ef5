"""Whether the words of a cyclic order close it: an open row can be read from the states as well as a circle can.

A regression on a few components accepts any path without many turns, such as a random walk from January to December. What tells
a cycle from it are the distances between words on either side of the step from the last word to the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from tokviz.measure.decisions import claim_on_median
from tokviz.records import Closing, OrderRows

_AT_ONCE = 1 << 21
"""So many distances, of all permutations together, are in memory at once."""


class Hops:
    """The pairs of words of a cyclic order that lie far from each other, near, or between.

    Two words are apart by the difference of their places, and by a hop if the shorter way round may cross the end.
    """

    def __init__(self, order: OrderRows) -> None:
        n = order.n_places
        first, second = np.triu_indices(len(order.words), k=1)
        apart = order.places[second] - order.places[first]
        hop = np.minimum(apart, n - apart)
        far, near, crossing = 12 * hop >= 5 * n, 4 * hop <= n, 2 * apart > n
        quarter = np.abs(4 * hop - n) <= max(2, n / 6)
        kinds = (far, near & crossing, near & ~crossing, quarter)
        self.has_all = all(kind.any() for kind in kinds)
        """Of an order with words left out there may be none that cross its end."""
        counted = np.any(kinds, axis=0)
        self._pairs = (first[counted], second[counted])
        if self.has_all:
            of_far, of_crossing, of_near, of_quarter = (kind[counted] / kind.sum() for kind in kinds)
            self._crossing, self._near, self._quarter = of_far - of_crossing, of_far - of_near, of_far - of_quarter

    def contrasts(self, states: np.ndarray, permutations: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """How much farther from each other far words are than others, by squared distance.

        Parameters
        ----------
        states : ``(n_words, k)``, float64.
        permutations : ``(n, n_words)`` int64: which word stands at which place; the first one is the order as it is.

        Returns
        -------
        Farther than crossing ones, ``(n,)``; than those a quarter of the cycle apart, ``(n,)``; and than other near ones, in the
        order as it is.
        """
        distances = cdist(states, states, "sqeuclidean")
        both = np.stack([self._crossing, self._quarter], axis=1)
        n_at_once = max(_AT_ONCE // len(both), 1)
        found = [
            distances[some[:, self._pairs[0]], some[:, self._pairs[1]]] @ both
            for some in np.split(permutations, range(n_at_once, len(permutations), n_at_once))
        ]
        crossing, quarter = np.concatenate(found).T
        return crossing, quarter, float(distances[self._pairs] @ self._near)


class ClosingOverDepths:
    """Gathers what is measured of one order in a plane; NaN where nothing is added."""

    def __init__(self, order: OrderRows, n_depths: int, permutations: np.ndarray) -> None:
        self._hops = Hops(order)
        self._permutations = permutations
        self.crossing, self.quarter = (np.full((n_depths, len(permutations)), np.nan) for _ in range(2))
        """How much farther from each other far words are than crossing ones, and than those a quarter of the cycle apart."""
        self.least_r2 = np.full(n_depths, np.nan)
        self._near = np.full(n_depths, np.nan)

    def add(self, depth: int, states: np.ndarray, aims: np.ndarray, residuals: np.ndarray) -> None:
        """Of one depth.

        Parameters
        ----------
        states : ``(n_words, k)``
        aims, residuals : ``(n_words, 2)``, each word's place on the circle, and how far from it the others put the word.
        """
        centred = aims - aims.mean(axis=0)
        left = np.linalg.eigvals(np.linalg.solve(centred.T @ centred, residuals.T @ residuals))
        self.least_r2[depth] = 1 - left.real.max()
        if self._hops.has_all:
            found = self._hops.contrasts(states, self._permutations)
            self.crossing[depth], self.quarter[depth], self._near[depth] = found

    @property
    def closeness(self) -> np.ndarray:
        """``(n_depths,)``: as in ``Closing``."""
        crossing = self.crossing[:, 0]
        return np.asarray(np.divide(crossing, self._near, out=np.full(len(crossing), np.nan), where=self._near > 0))


def closing_record(family: str, templates: Sequence[ClosingOverDepths], n_arrangements: float) -> Closing:
    """Of what was gathered in each template of a context: medians.

    Parameters
    ----------
    family : that the order can be read belongs to.
    """
    closeness, least_r2 = (
        np.median([getattr(each, name) for each in templates], axis=0) for name in ("closeness", "least_r2")
    )
    meet = [_are_eligible(each.closeness, each.least_r2) for each in templates]
    of_median = _are_eligible(closeness, least_r2)
    ends_meet, circle = (
        claim_on_median(
            f"{family}, {what}",
            [getattr(each, name) for each in templates],
            [each[index] for each in meet],
            of_median[index],
            n_arrangements,
        )
        for index, (what, name) in enumerate((("ends meet", "crossing"), ("circle", "quarter")))
    )
    return Closing(closeness=closeness, least_r2=least_r2, ends_meet=ends_meet, circle=circle)


def _are_eligible(closeness: np.ndarray, least_r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(n_depths,)`` bool each: for ends that meet, and for a circle."""
    ends_meet = closeness >= Closing.LEAST_CLOSENESS
    return ends_meet, ends_meet & (least_r2 >= Closing.LEAST_R2)
