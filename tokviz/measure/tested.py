"""What relations and orders share: shuffles, intervals with parts left out in turn, and medians over a context's templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from tokviz.measure.decisions import N_SHUFFLES, of_median
from tokviz.records import Tested

MOST_GROUPS = 30
_ALIKE = 1e-9
"""Of a word's weight: with less left, a regression on the others isn't defined."""
Z = 1.959964
"""The 97.5 % quantile of the normal distribution: intervals hold 95 %."""


def over_templates(
    tested: Callable[[np.ndarray, np.ndarray], Tested], found: Sequence[np.ndarray], without: Sequence[np.ndarray]
) -> Tested:
    """What a test makes of the median over templates, with what it makes of each alone.

    Parameters
    ----------
    found : of each template ``(n_depths, 1 + N_SHUFFLES)``; ``without``: ``(n_depths, n_groups)``.
    """
    whole = tested(median(found), median(without))
    if len(found) < 2:
        return whole
    alone = [tested(*each) for each in zip(found, without, strict=True)]
    return replace(
        whole,
        claim=of_median(whole.claim, [each.claim for each in alone]),
        templates=np.array([each.value for each in alone]),
        template_null_mean=np.array([each.null_mean for each in alone]),
    )


def median(templates: Sequence[np.ndarray]) -> np.ndarray:
    """Over templates, element by element."""
    return templates[0] if len(templates) == 1 else np.asarray(np.median(np.array(templates), axis=0))


def with_interval(value: np.ndarray, without: np.ndarray, *, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(n_depths,)`` values, ``(n_depths, n_groups)`` those without each group → values, lower and upper ends."""
    freedom = without.shape[1] - 1
    half = np.full(len(value), np.nan)
    if freedom > 0:
        half = stdtrit(freedom, 0.975) * without.std(axis=1) * np.sqrt(freedom)
    return value, np.maximum(value - half, least), np.minimum(value + half, 1.0)


def wilson(share: np.ndarray | float, n: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of Wilson's (1927) interval of shares of ``n``."""
    z2 = Z**2 / n
    centre = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * np.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def factorial(n: int) -> float:
    """Of numbers above 20, that of 20: more than are ever drawn."""
    return float(math.factorial(min(n, 20)))


def signs(n: int, seed: int) -> np.ndarray:
    """``(N_SHUFFLES, n)``: −1 or 1. Of few pairs all arrangements as often as each other, that of the pairs as they are included.

    Where there are more arrangements than are drawn, none is that of the pairs as they are, which counts as one already.
    """
    if 2**n > N_SHUFFLES:
        random = np.random.default_rng((seed, 3))
        found = random.choice([-1.0, 1.0], size=(N_SHUFFLES, n))
        while (as_they_are := (found > 0).all(axis=1)).any():
            found[as_they_are] = random.choice([-1.0, 1.0], size=(as_they_are.sum(), n))
        return found
    # The pairs as they are count as one already.
    arrangements = np.arange(1, 1 + N_SHUFFLES) % 2**n
    return np.asarray(1.0 - 2 * (arrangements[:, None] >> np.arange(n) & 1))


def permutations(n: int, seed: int, refused: np.ndarray | None = None, n_permutations: int = N_SHUFFLES) -> np.ndarray:
    """``(1 + n_permutations, n)`` int64: the order as it is, then shuffled ones.

    Parameters
    ----------
    refused : ``(n, n)`` bool, at most one per row and column: what may not stand where; the order as it is has none of it.
    """
    random = np.random.default_rng((seed, 2))
    shuffled = random.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
    if refused is not None:
        # Drawn again until they fit: of those that do, each is as likely as any other.
        while (unfit := refused[np.arange(n), shuffled].any(axis=1)).any():
            shuffled[unfit] = random.permuted(shuffled[unfit], axis=1)
    return np.concatenate([np.arange(n)[None], shuffled])


def permutations_of_units(units: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """``(1 + N_SHUFFLES, n)`` int64: the same of words, of which some change places together, with as many others.

    Parameters
    ----------
    units : places that belong together, each among one unit.
    """
    found = np.tile(np.arange(sum(map(len, units))), (1 + N_SHUFFLES, 1))
    for size in sorted({len(unit) for unit in units}):
        alike = np.array([unit for unit in units if len(unit) == size])
        found[:, alike] = alike[permutations(len(alike), seed + size - 1)]
    return found


def parts_of(units: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What is left out in turn: each unit, or each of ``MOST_GROUPS`` groups of units."""
    return [np.concatenate(units[first::MOST_GROUPS]) for first in range(min(len(units), MOST_GROUPS))]


def groups_of(n: int) -> list[np.ndarray]:
    """What is left out in turn: each of ``n``, or each of ``MOST_GROUPS`` groups."""
    return parts_of(list(np.arange(n)[:, None]))


def permuted(values: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """``(n, k)`` values in the order of each of ``(n_permutations, n)`` → ``(n, n_permutations · k)``, for products over the words."""
    ordered = values[permutations].transpose(1, 0, 2)
    return np.ascontiguousarray(ordered.reshape(len(values), len(permutations) * values.shape[1]))


def squares_of(residuals: np.ndarray, n_each: int) -> np.ndarray:
    """``(n, n_permutations · n_each)`` → ``(n_permutations,)``: sums of squares."""
    return np.asarray(np.einsum("np,np->p", residuals, residuals).reshape(-1, n_each).sum(axis=1))


def residuals_without(hat: np.ndarray, units: Sequence[np.ndarray]) -> np.ndarray:
    """Values → what regressions on the others leave of each, its unit being left out: ``(…, n, n)``, NaN where a unit decides alone.

    Parameters
    ----------
    hat : ``(…, n, n)``: values → what the regression on all of them fits.
    units : places that belong together, each among one unit.
    """
    residuals = np.eye(hat.shape[-1]) - hat
    free = np.diagonal(residuals, axis1=-2, axis2=-1).copy()
    several = [unit for unit in units if len(unit) > 1]
    blocks = [residuals[..., unit[:, None], unit] for unit in several]
    for unit, block in zip(several, blocks, strict=True):
        free[..., unit] = np.linalg.eigvalsh(block)[..., :1]
    is_defined = free.min(axis=-1) >= _ALIKE
    found = residuals / np.where(is_defined[..., None], free, np.nan)[..., None]
    for unit, block in zip(several, blocks, strict=True):
        known = np.where(is_defined[..., None, None], block, np.eye(len(unit)))
        alone = np.linalg.solve(known, residuals[..., unit, :])
        found[..., unit, :] = np.where(is_defined[..., None, None], alone, np.nan)
    return np.asarray(found)


def empty(*shape: int) -> np.ndarray:
    """NaN, to be filled."""
    return np.full(shape, np.nan)
