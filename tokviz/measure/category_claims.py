"""Scores of all depths and templates → records, with what may be claimed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtri, stdtr

from tokviz.measure.categories import LEAST_WORDS, UNDEFINED, Score, root_of_squares
from tokviz.measure.decisions import claim, of_median, scored
from tokviz.measure.labels import Categories
from tokviz.records import CategoryMeasure, Claim, Measured

_LEAST_SPREAD = 1e-6
"""Less is rounding: words that look the same and have the same states are as far above chance as can be in both."""


def median_of(scores: Sequence[Score]) -> Score:
    """The median over the templates of a context, which have the same words; undefined where one of them is.

    How much it follows a word is how much the scores in its middle do.
    """
    if len(scores) == 1 or not all(np.isfinite(each.value) for each in scores):
        return scores[0] if len(scores) == 1 else UNDEFINED
    inner = sorted(scores, key=_value)[(len(scores) - 1) // 2 : len(scores) // 2 + 1]
    parts = np.mean([each.parts for each in inner], axis=0)
    error = root_of_squares(parts)
    value, bound = (float(np.mean([getattr(each, name) for each in inner])) for name in ("value", "bound"))
    # Each by its own kind of interval, which is about the value.
    low, high = (
        float(np.mean([getattr(each, name) - each.value for each in inner])) + value for name in ("low", "high")
    )
    shuffled = np.median([each.shuffled for each in scores], axis=0)
    compared = None if scores[0].compared is None else float(np.median([_compared(each) for each in scores]))
    return Score(
        value=value, low=low, high=high, error=error, parts=parts, bound=bound, shuffled=shuffled, compared=compared
    )


def _value(score: Score) -> float:
    return score.value


def _compared(score: Score) -> float:
    return score.value if score.compared is None else score.compared


def gather(scores: Sequence[Sequence[Score]]) -> Measured:
    """The scores of each depth, one in each template → values and intervals."""
    medians = [median_of(each) for each in scores]
    return Measured(
        **{name: np.array([getattr(each, name) for each in medians]) for name in ("value", "low", "high")},
        templates=_in_templates(scores),
    )


def _in_templates(scores: Sequence[Sequence[Score]]) -> np.ndarray | None:
    """``(n_templates, n_depths)``: the values; None with one template."""
    values = np.array([[each.value for each in templates] for templates in scores]).T
    return values if len(values) > 1 else None


def gather_tested(
    scores: Sequence[Sequence[Score]],
    categories: Categories,
    surface: Score,
    distinct: Sequence[Sequence[bool]] | None = None,
) -> CategoryMeasure:
    """The scores of each depth, one in each template → the record, with what may be claimed.

    Parameters
    ----------
    surface : the same measure of the words' surface, with its chance.
    distinct : of each depth and template, whether most words have states of their own; else nothing is announced.
    """
    if distinct is None:
        distinct = [[True] * len(each) for each in scores]
    median = _tested([median_of(each) for each in scores], categories, surface, [all(each) for each in distinct])
    if not scores or len(scores[0]) == 1:
        return median
    alone = [
        _tested(list(of_depths), categories, surface, known)
        for of_depths, known in zip(zip(*scores, strict=True), zip(*distinct, strict=True), strict=True)
    ]
    return replace(
        median,
        templates=_in_templates(scores),
        first_null_mean=alone[0].null_mean,
        above_chance=of_median(median.above_chance, [each.above_chance for each in alone]),
        above_surface=of_median(median.above_surface, [each.above_surface for each in alone]),
    )


def _tested(
    scores: Sequence[Score], categories: Categories, surface: Score, distinct: Sequence[bool]
) -> CategoryMeasure:
    """``scores``, ``distinct``: of each depth."""
    n = categories.n_permutations
    shuffled = np.array([each.shuffled if len(each.shuffled) else np.full(n, np.nan) for each in scores])
    shuffled = shuffled.reshape(len(scores), n)
    # One arrangement, but for rounding: it is what is there, and not chance.
    if categories.n_arrangements < 1.5:
        shuffled[:] = np.nan
    null_mean, null_spread = shuffled.mean(axis=1), shuffled.std(axis=1)
    enough = np.array(distinct, dtype=bool) & (len(categories.memberships) >= LEAST_WORDS)
    value, low, high = (np.array([getattr(each, name) for each in scores]) for name in ("value", "low", "high"))
    compared = np.array([_compared(each) for each in scores])
    return CategoryMeasure(
        value=value,
        low=low,
        high=high,
        null_mean=null_mean,
        null_spread=null_spread,
        bound=np.array([each.bound for each in scores]),
        surface=surface.value,
        above_chance=claim("categories", compared, shuffled, enough & (low > null_mean), categories.n_arrangements),
        above_surface=_above_surface(scores, categories, surface, enough),
    )


def _above_surface(scores: Sequence[Score], categories: Categories, surface: Score, enough: np.ndarray) -> Claim:
    """The difference to the surface, word by word, against what the words weighted at random give of it.

    Either is taken as a share of the way from its own chance to the bound: by chance the silhouette of three features lies far
    below that of hundreds of dimensions.

    Gaussian multipliers (van der Vaart & Wellner 1996, Weak convergence and empirical processes, ch. 2.9), the same for a word
    in all captures. With few words the difference is Student's, and is brought to the scale of a normal variable.
    """
    n = len(scores)
    score, drawn = np.full(n, np.nan), np.full((n, categories.n_permutations), np.nan)
    freedom = categories.n_families - len(categories.counts)
    for index, each in enumerate(scores):
        if freedom < 1 or not (len(each.shuffled) and len(surface.shuffled)):
            continue
        (effect, scale), (of_surface, scale_of_surface) = (one.effect() for one in (each, surface))
        if not (scale > 0 and scale_of_surface > 0):
            continue
        parts = each.parts / scale - surface.parts / scale_of_surface
        # What axes that follow the words add to the error of a plot isn't any word's.
        of_axes = max(each.error**2 - float((each.parts**2).sum()), 0.0) / scale**2
        spread = root_of_squares(categories.by_word(parts))
        if spread > _LEAST_SPREAD:
            score[index] = as_normal((effect - of_surface) / np.hypot(spread, np.sqrt(of_axes)), freedom)
            drawn[index] = parts @ categories.weights / spread
    return scored("surface", score, drawn, enough)


def as_normal(t: float, freedom: int) -> float:
    """The normal variable that is as improbable as this value of Student's t."""
    return float(-ndtri(stdtr(freedom, -abs(t))) * np.sign(t))
