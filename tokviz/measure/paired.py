"""Whether a measure differs between two captures of the same words, with words as units: "for words like these, of these categories".

At each depth the difference is a mean over words. How much it hangs on each follows by leaving it out, its neighbors refilled
(pseudo-values of the jackknife; Tukey 1958), centered within its category, as the categories are fixed. Words that belong together
are left out together: see ``groups``. The squared standard error is Σ_h g_h / (g_h − 1) · Σ e² + f² over the categories h, with g_h
groups each and f what one group weighs, which keeps t finite where all words change alike.

The largest |t| over depths is held against what random signs of the groups give, each draw with a standard error of its own, as the
scatter of few values goes with their sum (Wu 1986, Jackknife, bootstrap and other resampling methods in regression analysis; Romano
& Wolf 2005, Exact and approximate stepdown methods for multiple hypothesis testing). A group has the same signs in all questions of a
report, so that these can be joined. Over the templates of a context the median of t is taken, in each draw likewise. So that questions
on few words don't decide what is rare in a family, |t| is put on the scale of the normal distribution by its degrees of freedom.

A difference is announced only where no group of words carries it: two thirds of it are left without any, scaling refitted.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri, stdtr

from tokviz.measure import decisions
from tokviz.measure.change import n_neighbours
from tokviz.measure.groups import WordGroups
from tokviz.measure.labels import Categories, seed_of
from tokviz.measure.left_out import LeftOut, Space, Units, kept, purity, silhouette
from tokviz.records import Paired, PairedMeasure, PairedMeasures

FAMILY = "paired"
FAMILY_BY_CATEGORY = "paired by category"
MOST = {"purity": 1.0, "silhouette": math.inf, "kept": 1.0}
"""How far from 0 differences can be; that of silhouettes, less what they are by chance, has no such end."""
N_DRAWS = 9_999
"""Twenty for each false one that a level of 0.2 % lets pass: in a report of five questions."""
LEAST_LEFT = 2 / 3
"""Of a difference, without any one group. With an outlier that ruins the scaling, the silhouettes of 12 of 900 equal models would be
announced where a half is enough, and of none with this; of planted differences none is lost."""
N_FOR_CHANCE = 20
"""Shuffles for what a silhouette is by chance, whose mean they give to a hundredth of what one word weighs."""
_AT_ONCE = 100_000
"""How many t are worked out together: as many as stay near the processor."""
_HIGHEST = 37.0
"""Scores are cut off there: beyond, the normal distribution has no numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedWords:
    """The words that captures are compared on; every question on one list has the same signs."""

    words: tuple[str, ...]
    memberships: tuple[tuple[int, ...], ...]
    """Per word the indices of its categories; the first is the one that it counts in."""
    grouped: WordGroups
    n_draws: int = N_DRAWS
    seed: int = 0

    @cached_property
    def key(self) -> Hashable:
        """What all that is drawn and measured of them follows from."""
        return self.words, self.memberships, self.grouped.labels.tobytes(), self.n_draws, self.seed

    @cached_property
    def units(self) -> Units:
        """What they are left out in."""
        labels = self.grouped.labels
        together = (np.flatnonzero(labels == group) for group in np.flatnonzero(np.bincount(labels) > 1))
        categories = Categories(
            memberships=self.memberships,
            words=self.words,
            seed=self.seed,
            n_permutations=N_FOR_CHANCE,
            declared=tuple(tuple(self.words[row] for row in rows) for rows in together),
        )
        return Units(categories=categories, groups=labels)

    @cached_property
    def signs(self) -> np.ndarray:
        """``(n_draws, n_groups)`` int8: −1 or 1, of the first word of each group, whatever the other words are."""
        _, first = np.unique(self.grouped.labels, return_index=True)
        drawn = [
            np.random.default_rng(seed_of(self.seed, "signs", self.words[row])).integers(
                0, 2, self.n_draws, dtype=np.int8
            )
            for row in first
        ]
        return np.ascontiguousarray(np.array(drawn).T * 2 - 1)


# --- one capture -----------------------------------------------------------------------------------------------------


def measured(
    states: Sequence[np.ndarray],
    rows: np.ndarray,
    units: Units,
    *,
    with_kept: bool = True,
    first: Sequence[tuple[LeftOut, ...]] = (),
) -> tuple[LeftOut, ...]:
    """Each of ``PairedMeasures.MEASURES`` at all depths of one template of a capture; undefined where there are too few words for any answer.

    Parameters
    ----------
    states : of each depth ``(n_all_words, width)``.
    rows : ``(n_words,)`` int64: the words.
    with_kept : whether neighbors kept from the depth before are asked for; else these are undefined.
    first : of the first depths, what is known of them already.
    """
    k = max(units.categories.n_neighbours, n_neighbours(len(rows)))

    def space(depth: int) -> Space | None:
        state = states[depth][rows]
        return Space(state, units, k) if units.have_spread and np.isfinite(state).all() else None

    found = list(first)
    before = space(len(found) - 1) if with_kept and 0 < len(found) < len(states) else None
    for depth in range(len(found), len(states)):
        here = space(depth)
        found.append(_at_depth(here, before, units))
        before = here if with_kept else None
    return tuple(_stacked(each) for each in zip(*found, strict=True))


def first_depths(found: Sequence[LeftOut], n: int) -> list[tuple[LeftOut, ...]]:
    """Of ``measured``, what it is of at the first ``n`` depths, for another capture that has the same states there."""
    return [
        tuple(
            LeftOut(
                value=each.value[depth],
                influence=each.influence[depth],
                without=each.without[depth],
                words=each.words[depth : depth + 1],
            )
            for each in found
        )
        for depth in range(n)
    ]


def _at_depth(space: Space | None, before: Space | None, units: Units) -> tuple[LeftOut, ...]:
    nothing = LeftOut.undefined(units)
    if space is None:
        return (nothing, nothing, nothing)
    stayed = nothing if before is None else kept(space, before, n_neighbours(len(units.groups)))
    return purity(space), silhouette(space), stayed


def _stacked(depths: Sequence[LeftOut]) -> LeftOut:
    return LeftOut(
        value=np.stack([each.value for each in depths]),
        influence=np.stack([each.influence for each in depths]),
        without=np.stack([each.without for each in depths]),
        words=tuple(word for each in depths for word in each.words),
    )


# --- two captures ----------------------------------------------------------------------------------------------------


def aligned(n_a: int, n_b: int) -> np.ndarray:
    """``(n, 2)`` int64: every depth of the deeper one, with that of the other which is nearest in relative depth."""
    n = max(n_a, n_b)
    place = np.arange(n) / max(n - 1, 1)
    return np.stack([np.floor(place * (each - 1) + 0.5).astype(np.int64) for each in (n_a, n_b)], axis=1)


def compare(
    a: Sequence[Sequence[LeftOut]],
    b: Sequence[Sequence[LeftOut]],
    depths: np.ndarray,
    words: PairedWords,
    *,
    same_form: bool = True,
) -> PairedMeasures:
    """A − B by each measure.

    Parameters
    ----------
    a, b : from ``measured``, of each template of the context, over the same words; one alone stands for all of the other's.
    depths : ``(n, 2)`` int64: those that are compared, from ``aligned`` or others.
    same_form : whether the depths before are comparable, too, as neighbors are kept from them.
    """
    units = words.units
    signs = words.signs if units.have_spread else np.zeros((words.n_draws, len(units.sizes)), dtype=np.int8)
    n_templates = max(len(a), len(b))
    a, b = (list(each) * (n_templates if len(each) == 1 else 1) for each in (a, b))
    found = []
    for index, name in enumerate(PairedMeasures.MEASURES):
        of_templates = [_difference(one[index], other[index], depths, units) for one, other in zip(a, b, strict=True)]
        if name == "kept" and not same_form:
            of_templates = [_without_values(each) for each in of_templates]
        found.append(_tested(of_templates, units, signs, most=MOST[name]))
    return PairedMeasures(
        n_words=len(words.words),
        n_groups=len(units.sizes),
        groups=tuple(
            tuple(words.words[row] for row in np.flatnonzero(words.grouped.labels == label))
            for label in np.flatnonzero(units.sizes > 1)
        ),
        too_large=tuple(words.words[row] for row in words.grouped.too_large),
        categories=tuple(sorted({own[0] for own in words.memberships})),
        depths=depths,
        purity=found[0],
        silhouette=found[1],
        kept=found[2],
    )


def agreed(found: Sequence[PairedMeasures]) -> PairedMeasures:
    """What the differences to each of several controls agree on: at each depth the one that is surest least.

    Each is a test of its own, and what passes all passes that one (intersection–union test; Berger 1982); nothing is announced where
    their signs differ. What is rare is judged by the largest of them all.
    """

    def measure(of_controls: Sequence[PairedMeasure]) -> PairedMeasure:
        return PairedMeasure(
            overall=_least_sure([each.overall for each in of_controls]),
            by_category=_least_sure([each.by_category for each in of_controls]),
        )

    return replace(
        found[0],
        purity=measure([each.purity for each in found]),
        silhouette=measure([each.silhouette for each in found]),
        kept=measure([each.kept for each in found]),
    )


def _least_sure(found: Sequence[Paired]) -> Paired:
    t = np.array([each.t for each in found])
    shape = t.shape[1:]
    index = np.where(np.isfinite(t), np.abs(t), -1).argmin(axis=0)
    differences, errors = (
        np.take_along_axis(np.array([getattr(each, name) for each in found]), index[None, None], axis=0)[0]
        for name in ("differences", "errors")
    )
    eligible = (
        np.all([each.claim.is_eligible for each in found], axis=0) & (np.sign(t) == np.sign(t[0])).all(axis=0).ravel()
    )
    scores = np.array([each.claim.score.reshape(shape) for each in found])
    claim = replace(
        found[0].claim,
        score=np.take_along_axis(scores, index[None], axis=0)[0].ravel(),
        highest=np.maximum.reduce([each.claim.highest for each in found]),
        is_eligible=eligible,
    )
    least_left = np.min([each.least_left for each in found], axis=0)
    return replace(found[0], differences=differences, errors=errors, least_left=least_left, claim=claim)


def _difference(a: LeftOut, b: LeftOut, depths: np.ndarray, units: Units) -> LeftOut:
    """Over the words that have distinct neighbors in both: those that lose them would seem to change what they were part of."""
    of_a, of_b = depths.T
    value, influence, without = (
        getattr(a, name)[of_a] - getattr(b, name)[of_b] for name in ("value", "influence", "without")
    )
    for row, (depth_a, depth_b) in enumerate(depths.tolist()):
        one, other = a.words[depth_a], b.words[depth_b]
        if one is None or other is None or np.array_equal(one.known, other.known):
            continue
        of_one, of_other = (each.means(units, one.known & other.known) for each in (one, other))
        value[row] = of_one.value - of_other.value
        influence[row] = of_one.influence - of_other.influence
        without[row] = of_one.without - of_other.without
    return LeftOut(value=value, influence=influence, without=without)


def _without_values(found: LeftOut) -> LeftOut:
    return replace(found, value=np.full_like(found.value, np.nan))


def _tested(templates: Sequence[LeftOut], units: Units, signs: np.ndarray, most: float) -> PairedMeasure:
    values = np.stack([each.value for each in templates]).swapaxes(1, 2)
    influences = np.stack([each.influence for each in templates]).transpose(2, 0, 3, 1)
    without = np.median([each.without for each in templates], axis=0).transpose(1, 2, 0)
    overall, by_category = (
        replace(_paired(family, (values[:, of], influences[:, :, of], without[:, of]), units, signs, of), most=most)
        for family, of in ((FAMILY, slice(0, 1)), (FAMILY_BY_CATEGORY, slice(1, None)))
    )
    return PairedMeasure(overall=overall, by_category=by_category)


def _paired(
    family: str, found: tuple[np.ndarray, np.ndarray, np.ndarray], units: Units, signs: np.ndarray, of: slice
) -> Paired:
    """One question.

    Parameters
    ----------
    found : values ``(n_templates, n_of, n)``, influences ``(n_groups, n_templates, n_of, n)``, values without each group
        ``(n_groups, n_of, n)``.
    of : whether of all words or of each category.
    """
    values, influences, without = found
    n_groups, freedom = _sizes(units, of)
    centered = _centered(influences, units)
    floor = 1 / np.maximum(n_groups, 1)
    squares = _sum_of_squares(centered, units) + floor[:, None] ** 2
    errors = np.where(np.isfinite(values), np.sqrt(squares), np.nan)
    median = np.median(values, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = (without * np.sign(median) / np.abs(median)).min(axis=0, initial=np.inf)
    t = np.median(values / errors, axis=0)
    known = np.isfinite(t) & (freedom > 0)[:, None]
    score = np.where(known, _as_normal(np.abs(t), freedom[:, None]), np.nan)
    highest = _highest(centered, squares, known, units, signs)
    claim = decisions.scored(family, score.ravel(), _by_chance(highest, freedom), (left >= LEAST_LEFT).ravel())
    return Paired(differences=values, errors=errors, n_groups=n_groups, freedom=freedom, least_left=left, claim=claim)


def _sizes(units: Units, of: slice) -> tuple[np.ndarray, np.ndarray]:
    """``(n_of,)`` int64 twice: how many groups each mean is of, and its degrees of freedom; 0 where these are too few."""
    n = units.n_in_strata
    every = np.array([n.sum(), *n])
    freedom = np.array([n.sum() - len(n), *(n - 1)])
    enough = np.array([units.are_enough, *(n >= PairedMeasures.LEAST_IN_ONE)]) & units.have_spread
    return every[of], np.where(enough, freedom, 0)[of]


def _centered(influences: np.ndarray, units: Units) -> np.ndarray:
    """``(n_groups, …)`` float32: less what a group of that size has on average in its category."""
    found = np.empty(influences.shape, dtype=np.float32)
    shape = (-1, *(1,) * (influences.ndim - 1))
    for stratum in range(len(units.n_in_strata)):
        rows = np.flatnonzero(units.strata == stratum)
        own, sizes = influences[rows], units.sizes[rows]
        found[rows] = own - sizes.reshape(shape) * (own.sum(axis=0) / max(sizes.sum(), 1))
    return found


def _sum_of_squares(centered: np.ndarray, units: Units) -> np.ndarray:
    """``(…)`` float64: Σ_h g_h / (g_h − 1) · Σ e²."""
    n = units.n_in_strata[units.strata].astype(np.float64)
    return np.asarray(np.einsum("g,g...->...", n / np.maximum(n - 1, 1), centered.astype(np.float64) ** 2))


def _highest(
    centered: np.ndarray, squares: np.ndarray, known: np.ndarray, units: Units, signs: np.ndarray
) -> np.ndarray:
    """``(n_of, n_draws)``: the largest |t| of each draw over depths; −inf without any.

    Parameters
    ----------
    centered : ``(n_groups, n_templates, n_of, n)``.
    squares : ``(n_templates, n_of, n)``: squared standard errors, which all draws have less what their sums take of the scatter.
    known : ``(n_of, n)`` bool: which values have a t.
    signs : ``(n_draws, n_groups)``.
    """
    found = np.full((len(known), len(signs)), -np.inf)
    columns = np.flatnonzero(np.broadcast_to(known, squares.shape))
    if not len(columns):
        return found
    flat, whole = centered.reshape(len(centered), -1)[:, columns], squares.ravel()[columns].astype(np.float32)
    strata = [np.flatnonzero(units.strata == stratum) for stratum in range(len(units.n_in_strata))]
    scaled = [flat[rows] / np.float32(np.sqrt(len(rows) - 1)) for rows in strata]
    of, _ = np.nonzero(known)
    at_once = max(1, _AT_ONCE // len(columns))
    for start in range(0, len(signs), at_once):
        some = signs[start : start + at_once].astype(np.float32)
        rest = np.tile(whole, (len(some), 1))
        for rows, each in zip(strata, scaled, strict=True):
            own = some[:, rows] @ each
            own *= own
            rest -= own
        t = some @ flat / np.sqrt(rest, out=rest)
        t = np.abs(_median(t.reshape(len(some), len(squares), -1)))
        for row in np.unique(of):
            found[row, start : start + len(some)] = t[:, of == row].max(axis=1)
    return found


def _by_chance(highest: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """``(n_freedoms, n_draws)``: the largest scores of each draw among the values of equal degrees of freedom; −inf without any.

    Parameters
    ----------
    highest : ``(n_of, n_draws)``: the largest |t|.
    freedom : ``(n_of,)``.
    """
    found = [np.full(highest.shape[1], -np.inf)]
    for own in np.unique(freedom[freedom > 0]):
        largest = highest[freedom == own].max(axis=0)
        if np.isfinite(largest).any():
            found.append(_as_normal(largest, own))
    return np.array(found)


def _median(templates: np.ndarray) -> np.ndarray:
    """``(…, n_templates, n)`` → ``(…, n)``; faster than NumPy's where they are few: all are put in order side by side."""
    n = templates.shape[-2]
    if n == 1:
        return np.asarray(templates[..., 0, :])
    ordered = [templates[..., at, :] for at in range(n)]
    for last in range(n - 1, (n - 1) // 2 - 1, -1):  # until those in the middle are at their places
        for at in range(last):
            both = ordered[at : at + 2]
            ordered[at : at + 2] = np.minimum(*both), np.maximum(*both)
    return np.asarray((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


def _as_normal(t: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """The normal variables that are as improbable as |t| of Student's distribution."""
    return np.asarray(np.minimum(-ndtri(stdtr(np.maximum(freedom, 1), -t)), _HIGHEST))
