"""Whether the order of some words can be read from their states: leave-one-out regression of the place on a few components."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from tokviz.measure.beyond import BeyondOverDepths, beyond_record, looks_of, r2_by_all
from tokviz.measure.closing import ClosingOverDepths, closing_record
from tokviz.measure.decisions import N_SHUFFLES, claim
from tokviz.measure.forms import families
from tokviz.measure.tested import (
    empty,
    factorial,
    over_templates,
    parts_of,
    permutations_of_units,
    permuted,
    residuals_without,
    squares_of,
    with_interval,
)
from tokviz.records import OrderMeasures, OrderRows, Tested, Tokenization

MOST_COMPONENTS = 5
_LEAST_LEFT = 1e-9
"""Of the variance: less is rounding."""
_NO_SPREAD = 1e-7
"""Of the largest singular value: smaller ones are rounding of float32 states."""


class OrderOverDepths:
    """Gathers the measures of one order.

    Parameters
    ----------
    declared : words that belong together, as written.
    """

    def __init__(
        self,
        order: OrderRows,
        tokenization: Tokenization,
        n_depths: int,
        seed: int,
        declared: Sequence[Sequence[str]] = (),
    ) -> None:
        self.order, self._tokenization = order, tokenization
        n_words = len(order.words)
        self.units = units_of(order, tokenization, declared)
        self.is_measured = len(self.units) >= OrderMeasures.LEAST_WORDS
        self.n_components = n_components(len(self.units))
        self.aims = aims(order)
        self.permutations = permutations_of_units(self.units, seed)
        self._permuted = permuted(self.aims, self.permutations)
        self.groups = parts_of(self.units)
        self.closing = ClosingOverDepths(order, n_depths, self.permutations) if order.cyclic else None
        self.beyond = [
            BeyondOverDepths(
                self.aims, looks, n_depths, self.permutations, n_components(len(self.units) - looks.n), self.units
            )
            for looks in (looks_of(order, tokenization, self.aims) if self.is_measured else ())
        ]
        self.left = empty(n_depths, 1 + N_SHUFFLES)
        self.without = empty(n_depths, len(self.groups))
        self.held_out = np.full((n_depths, n_words, 2), np.nan, dtype=np.float32)

    @property
    def by_all(self) -> float:
        """R² of the places by all tokens, all letters or all numbers at once; NaN where looks aren't asked for."""
        return r2_by_all(self.order, self._tokenization, self.aims, self.units) if self.beyond else math.nan

    def add(self, depth: int, states: np.ndarray, space: np.ndarray) -> None:
        """``states``: ``(n_words, width)``; ``space``: the same words, standardized."""
        if not self.is_measured:
            return
        gram = _gram(states)
        found = _leave_out(gram, self.n_components, self.units)
        if np.isnan(found).any():
            return
        residuals, n_aims = found @ self._permuted, self.aims.shape[1]
        total = ((self.aims - self.aims.mean(axis=0)) ** 2).sum()
        self.left[depth] = squares_of(residuals, n_aims) / total
        as_it_is = residuals[:, :n_aims]
        predicted = self.aims - as_it_is
        self.held_out[depth] = predicted if self.order.cyclic else np.hstack([predicted, self.aims])
        self.without[depth] = _r2_without(self.groups, gram, self.aims, self.units)
        for each in self.beyond:
            each.add(depth, gram)
        if self.closing:
            self.closing.add(depth, space, self.aims, as_it_is)


def order_record(family: str, templates: Sequence[OrderOverDepths]) -> OrderMeasures:
    """Of what was gathered in each template."""
    first = templates[0]
    order, n_words = first.order, len(first.order.words)
    # An order and what it is in a mirror, and in a cycle with any word first, are one arrangement.
    n_alike = Counter(map(len, first.units)).values()
    n_arrangements = math.prod(map(factorial, n_alike)) / (2 * n_words if order.cyclic else 2) if n_words else 1.0
    closings = [each.closing for each in templates if each.closing]
    beyond = [each.beyond for each in templates if each.beyond]
    return OrderMeasures(
        rows=order.words,
        places=order.places,
        n_places=order.n_places,
        n_units=len(first.units),
        n_components=first.n_components,
        r2=over_templates(
            partial(_r2_tested, family, n_arrangements),
            [each.left for each in templates],
            [each.without for each in templates],
        ),
        held_out=first.held_out,
        closing=closing_record(family, closings, n_arrangements) if closings else None,
        beyond=beyond_record(family, beyond, n_arrangements, first.by_all) if len(beyond) == len(templates) else None,
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


def units_of(order: OrderRows, tokenization: Tokenization, declared: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """Places of words that count as one: a word's forms lie near each other, so that one tells where the other stands.

    Parameters
    ----------
    declared : words that belong together, as written.
    """
    words = [tokenization.words[row].word for row in order.words]
    return [np.array(unit) for unit in families(words, [0] * len(words), declared)]


def r2(
    states: np.ndarray, order_aims: np.ndarray, groups: Sequence[np.ndarray], units: Sequence[np.ndarray]
) -> np.ndarray:
    """Leave-one-out R² of an order at one depth, and without each group of its words: ``(1 + n_groups,)``.

    Parameters
    ----------
    states : ``(n_words, width)``.
    order_aims : ``(n_words, n_aims)``, from ``aims``.
    groups : of whole units, from ``tested.parts_of``.
    units : from ``units_of``.
    """
    return _r2_without([np.array([], dtype=np.int64), *groups], _gram(states), order_aims, units)


def _gram(states: np.ndarray) -> np.ndarray:
    """``(n, width)`` → ``(n, n)`` float64: inner products of the centred states."""
    centred = states.astype(np.float64)
    centred -= centred.mean(axis=0)
    return np.asarray(centred @ centred.T)


def _r2_without(
    groups: Sequence[np.ndarray], gram: np.ndarray, order_aims: np.ndarray, units: Sequence[np.ndarray]
) -> np.ndarray:
    """``(n_groups,)``: R² without each group of words, from as many components as with them; NaN where the others don't differ.

    Parameters
    ----------
    gram : ``(n, n)``, of states less any vector.
    """
    are_single = len(units) == len(gram)
    forms = np.array([len(group) for group in groups]) if are_single else np.arange(len(groups))
    found = empty(len(groups))
    for form in np.unique(forms):
        alike = np.flatnonzero(forms == form)
        kept = np.stack([np.delete(np.arange(len(gram)), groups[each]) for each in alike.tolist()])
        of_kept = order_aims[kept]
        spread = ((of_kept - of_kept.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))
        grams = gram[kept[:, :, None], kept[:, None, :]]
        for axis in (1, 2):
            grams -= grams.mean(axis=axis, keepdims=True)
        place = np.full(len(gram), -1)
        place[kept[0]] = np.arange(kept.shape[1])
        left = [own for unit in units if (own := place[unit]).min() >= 0]
        residuals = _leave_out(grams, n_components(len(units)), left) @ of_kept
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


def _leave_out(grams: np.ndarray, n_components: int, units: Sequence[np.ndarray]) -> np.ndarray:
    """Aims → residuals of each word from the regression on the others, its own unit left out, with the components of all words.

    Parameters
    ----------
    grams : ``(…, n, n)``, of centred states.

    Returns
    -------
    ``(…, n, n)``, NaN where the states don't differ, or a unit alone decides on a coefficient.
    """
    values, vectors = np.linalg.eigh(grams)
    largest = values[..., -1:]
    differ = values[..., -n_components:] > largest * _NO_SPREAD**2
    components = vectors[..., -n_components:] * differ[..., None, :]
    hat = components @ np.swapaxes(components, -1, -2) + 1 / grams.shape[-1]
    return np.where((largest > 0)[..., None], residuals_without(hat, units), np.nan)
