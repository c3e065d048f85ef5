"""Whether the order of some words can be read from their states: leave-one-out regression of the place on a few components."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from tokviz.measure.beyond import BeyondOverDepths, beyond_record, looks_of
from tokviz.measure.closing import ClosingOverDepths, closing_record
from tokviz.measure.decisions import N_SHUFFLES, claim
from tokviz.measure.tested import empty, factorial, groups_of, over_templates, permutations, with_interval
from tokviz.records import OrderMeasures, OrderRows, Tested, Tokenization

MOST_COMPONENTS = 5
_ALIKE = 1e-9
"""R² that differ by less are alike: sums in another order differ by so much."""
_LEAST_LEFT = 1e-9
"""Of the variance: less is rounding."""
_NO_SPREAD = 1e-7
"""Of the largest singular value: smaller ones are rounding of float32 states."""


class OrderOverDepths:
    """Gathers the measures of one order."""

    def __init__(self, order: OrderRows, tokenization: Tokenization, n_depths: int, seed: int) -> None:
        self.order = order
        n_words = len(order.words)
        self.is_measured = n_words >= OrderMeasures.LEAST_WORDS
        self.n_components = n_components(n_words)
        self.aims = aims(order)
        self.permutations = permutations(n_words, seed)
        self.groups = groups_of(n_words)
        self.closing = ClosingOverDepths(order, n_depths, self.permutations) if order.cyclic else None
        self.beyond = [
            BeyondOverDepths(self.aims, looks, n_depths, self.permutations, n_components(n_words - looks.n))
            for looks in (looks_of(order, tokenization, self.aims) if self.is_measured else ())
        ]
        self.left = empty(n_depths, 1 + N_SHUFFLES)
        self.without = empty(n_depths, len(self.groups))
        self.held_out = np.full((n_depths, n_words, 2), np.nan, dtype=np.float32)

    def add(self, depth: int, states: np.ndarray, space: np.ndarray) -> None:
        """``states``: ``(n_words, width)``; ``space``: the same words, standardized."""
        if not self.is_measured:
            return
        gram = _gram(states)
        found = _leave_one_out(gram, self.n_components)
        if np.isnan(found).any():
            return
        aims = self.aims[self.permutations].transpose(1, 0, 2)  # (n_words, 1 + N, n_aims)
        residuals = np.tensordot(found, aims, axes=1)
        total = ((self.aims - self.aims.mean(axis=0)) ** 2).sum()
        self.left[depth] = (residuals**2).sum(axis=(0, 2)) / total
        predicted = self.aims - residuals[:, 0]
        self.held_out[depth] = predicted if self.order.cyclic else np.hstack([predicted, self.aims])
        self.without[depth] = _r2_without(self.groups, gram, self.aims)
        for each in self.beyond:
            each.add(depth, gram)
        if self.closing:
            self.closing.add(depth, space, self.aims, residuals[:, 0])


def order_record(family: str, templates: Sequence[OrderOverDepths]) -> OrderMeasures:
    """Of what was gathered in each template."""
    first = templates[0]
    order, n_words = first.order, len(first.order.words)
    # An order and what it is in a mirror, and in a cycle with any word first, are one arrangement.
    n_arrangements = factorial(n_words) / (2 * n_words if order.cyclic else 2) if n_words else 1.0
    closings = [each.closing for each in templates if each.closing]
    beyond = [each.beyond for each in templates if each.beyond]
    return OrderMeasures(
        rows=order.words,
        places=order.places,
        n_places=order.n_places,
        n_components=first.n_components,
        r2=over_templates(
            partial(_r2_tested, family, n_arrangements),
            [each.left for each in templates],
            [each.without for each in templates],
        ),
        held_out=first.held_out,
        closing=closing_record(family, closings, n_arrangements) if closings else None,
        beyond=beyond_record(family, beyond, n_arrangements) if len(beyond) == len(templates) else None,
    )


def _r2_tested(family: str, n_arrangements: float, left: np.ndarray, without: np.ndarray) -> Tested:
    """``left``: ``(n_depths, 1 + N_SHUFFLES)``, 1 − R²; ``without``: ``(n_depths, n_groups)``."""
    value, low, high = with_interval(1 - left[:, 0], without, least=-np.inf)
    # R² of permuted orders has no lower bound, which leaves no scale.
    scores = -np.log(np.maximum(left, _LEAST_LEFT))
    return Tested(
        value=value,
        low=low,
        high=high,
        without=without,
        null_mean=np.median(1 - left[:, 1:], axis=1),
        claim=claim(family, scores[:, 0], scores[:, 1:], value > 0, n_arrangements),
    )


def r2(states: np.ndarray, order_aims: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Leave-one-out R² of an order at one depth, and without each group of its words: ``(1 + n_groups,)``.

    Parameters
    ----------
    states : ``(n_words, width)``.
    order_aims : ``(n_words, n_aims)``, from ``aims``.
    """
    return _r2_without([np.array([], dtype=np.int64), *groups], _gram(states), order_aims)


def _gram(states: np.ndarray) -> np.ndarray:
    """``(n, width)`` → ``(n, n)`` float64: inner products of the centred states."""
    centred = states.astype(np.float64)
    centred -= centred.mean(axis=0)
    return np.asarray(centred @ centred.T)


def _r2_without(groups: list[np.ndarray], gram: np.ndarray, order_aims: np.ndarray) -> np.ndarray:
    """``(n_groups,)``: R² without each group of words, from as many components as with them; NaN where the others don't differ.

    Parameters
    ----------
    gram : ``(n, n)``, of states less any vector.
    """
    sizes = np.array([len(group) for group in groups])
    found = empty(len(groups))
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        kept = np.stack([np.delete(np.arange(len(gram)), groups[each]) for each in alike])
        of_kept = order_aims[kept]
        spread = ((of_kept - of_kept.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))
        grams = gram[kept[:, :, None], kept[:, None, :]]
        for axis in (1, 2):
            grams -= grams.mean(axis=axis, keepdims=True)
        residuals = _leave_one_out(grams, n_components(len(gram))) @ of_kept
        found[alike] = 1 - (residuals**2).sum(axis=(1, 2)) / spread
    return found


def aims(order: OrderRows) -> np.ndarray:
    """What the regression aims at, ``(n_words, n_aims)``: cosine and sin of the place on the circle, or the place itself."""
    if not order.cyclic:
        return order.places[:, None].astype(np.float64)
    angles = 2 * np.pi * order.places / order.n_places
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def n_components(n_words: int) -> int:
    """How many principal components the regression has: few enough that it can fail."""
    return min(MOST_COMPONENTS, max((n_words - 2) // 2, 0))


def _leave_one_out(grams: np.ndarray, n_components: int) -> np.ndarray:
    """Aims → residuals of each word from the regression on the others, with the components of all words.

    Parameters
    ----------
    grams : ``(…, n, n)``, of centred states.

    Returns
    -------
    ``(…, n, n)``, NaN where the states don't differ, or a word alone decides on a coefficient.
    """
    n = grams.shape[-1]
    values, vectors = np.linalg.eigh(grams)
    largest = values[..., -1:]
    differ = values[..., -n_components:] > largest * _NO_SPREAD**2
    components = vectors[..., -n_components:] * differ[..., None, :]
    hat = components @ np.swapaxes(components, -1, -2) + 1 / n
    free = 1 - np.diagonal(hat, axis1=-2, axis2=-1)
    is_defined = (largest > 0) & (free.min(axis=-1, keepdims=True) >= _ALIKE)
    return np.asarray((np.eye(n) - hat) / np.where(is_defined, free, np.nan)[..., None])
