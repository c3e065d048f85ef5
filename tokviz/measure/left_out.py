"""What a measure of one depth is without each group of words: how much it hangs on them.

A word left out is nobody's neighbor any more, and the next one takes its place; that follows from the order of all neighbors, without
measuring distances again. The scaling is left as it is in that: it moves every word a little, which is no word's own. Where a group
holds so much of the words' length that the scaling hangs on it, it is refitted besides, for what is left without the group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from tokviz.measure.categories import silhouettes_alone, silhouettes_of_sums
from tokviz.measure.distances import LEAST_KNOWN, are_apart, are_known, cosine_distances, nearest, smallest
from tokviz.measure.labels import Categories
from tokviz.measure.spaces import standardized
from tokviz.records import PairedMeasures

LEAST_CATEGORIES = 2
_LARGE, _FAR = 0.03, 3.0
"""Scaling is refitted without a group that holds more than this share of the standardized states' squared length. One with less
holds a quarter of the variance in an eighth of the dimensions at most. So many times the others' mean, and it lies far out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """Words with their categories, and the groups that they are left out in."""

    categories: Categories
    groups: np.ndarray
    """``(n_words,)`` int64 from 0 without gaps."""

    @cached_property
    def sizes(self) -> np.ndarray:
        """``(n_groups,)``: how many words each group has."""
        return np.bincount(self.groups)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """``(n_words,)`` → ``(n_groups,)``."""
        return np.bincount(self.groups, weights=values)

    @cached_property
    def strata(self) -> np.ndarray:
        """``(n_groups,)`` int64: the category of most of its words; of equal ones that which has fewest groups by then."""
        counts = np.zeros((len(self.sizes), len(self.categories.counts)), dtype=np.int64)
        np.add.at(counts, (self.groups, self.categories.first), 1)
        most = [np.flatnonzero(own == own.max()) for own in counts]
        found = np.array([equal[0] for equal in most], dtype=np.int64)
        n_groups = np.bincount(found[[len(equal) == 1 for equal in most]], minlength=counts.shape[1])
        for group, equal in enumerate(most):
            if len(equal) > 1:
                found[group] = equal[n_groups[equal].argmin()]
                n_groups[found[group]] += 1
        return found

    @cached_property
    def n_in_strata(self) -> np.ndarray:
        """``(n_categories,)``: groups."""
        return np.bincount(self.strata, minlength=len(self.categories.counts))

    @property
    def have_spread(self) -> bool:
        """Whether there are several categories, each with groups enough to tell how these differ."""
        return len(self.n_in_strata) >= LEAST_CATEGORIES and int(self.n_in_strata.min()) >= PairedMeasures.LEAST_IN_EACH

    @property
    def are_enough(self) -> bool:
        """Whether all words together have an answer; where they haven't, a category may."""
        return self.have_spread and len(self.sizes) >= PairedMeasures.LEAST_GROUPS

    @cached_property
    def of(self) -> np.ndarray:
        """``(n_words, n_of)`` float64: 1 for the words of all and of each category."""
        n = len(self.categories.counts)
        return np.concatenate([np.ones((len(self.groups), 1)), np.eye(n)[self.categories.first]], axis=1)

    @cached_property
    def members(self) -> sparse.csr_matrix:
        """``(n_groups, n_words)``: 1 for the words of a group."""
        n_words = len(self.groups)
        return sparse.csr_matrix((np.ones(n_words), (self.groups, np.arange(n_words))))

    @cached_property
    def are_mixed(self) -> np.ndarray:
        """``(n_groups,)`` bool: which have words of several categories."""
        is_other = self.categories.first != self.strata[self.groups]
        return np.asarray(np.bincount(self.groups, weights=is_other) > 0)

    @cached_property
    def shares_by_chance(self) -> np.ndarray:
        """``(n_words,)`` float64: which share of the words beyond its group have a category in common with each."""
        kinds, share = self.categories.kinds
        alike = share[kinds[:, None], kinds]
        beyond = self.groups[:, None] != self.groups
        return np.asarray((alike & beyond).sum(axis=1) / np.maximum(beyond.sum(axis=1), 1))

    def counts_of(self, rows: np.ndarray) -> np.ndarray:
        """``(n_categories,)``: how many of some words each has."""
        return np.bincount(self.categories.first[rows], minlength=len(self.categories.counts))


@dataclass(frozen=True, kw_only=True, eq=False)
class LeftOut:
    """A measure of all words and of each category, ``n_of`` values; stacked over depths, these come first."""

    value: np.ndarray
    """``(…, n_of)``; NaN where undefined."""
    influence: np.ndarray
    """``(…, n_groups, n_of)``: what a group adds to the mean, by its own words and as others' neighbors."""
    without: np.ndarray
    """``(…, n_groups, n_of)``: the value without a group, scaling refitted."""
    words: tuple[Words | None, ...] = (None,)
    """Of each depth what the means are of; None where all words are known, or none."""

    @classmethod
    def undefined(cls, units: Units) -> LeftOut:
        """NaN throughout."""
        n_of = units.of.shape[1]
        nothing = np.full((len(units.sizes), n_of), np.nan)
        return cls(value=np.full(n_of, np.nan), influence=nothing, without=nothing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """What a measure is of each word at one depth."""

    own: np.ndarray
    """``(n_words,)``."""
    left_out: np.ndarray
    """``(n_words, n)``: the groups without which it is another."""
    changed: np.ndarray
    """``(n_words, n)``: what it is without these."""
    refits: tuple[tuple[int, np.ndarray], ...]
    """Of some groups ``(n_words,)``: what it is without that group, scaling refitted."""
    known: np.ndarray
    """``(n_words,)`` bool: which words have distinct neighbors."""

    def means(self, units: Units, known: np.ndarray) -> LeftOut:
        """Over some of the words that are known, ``(n_words,)`` bool: two captures are compared on those that both know."""
        table = _table(units, self.own, self.left_out, self.changed)
        return replace(_left_out(units, self.own, table, iter(self.refits), known), words=(self,))


class Space:
    """The words at one depth.

    Parameters
    ----------
    state : ``(n_words, width)``.
    k : how many neighbors may be asked for.
    """

    def __init__(self, state: np.ndarray, units: Units, k: int) -> None:
        self.units, self.k = units, k
        self._state = state
        scaled = standardized(state)
        self.distances = cosine_distances(scaled)
        self.order, _ = smallest(self.distances, k + int(units.sizes.max()))
        length = units.sums((scaled**2).sum(axis=1))
        self.large = np.flatnonzero(length > _LARGE * length.sum()) if length.any() else np.zeros(0, dtype=np.int64)

    @cached_property
    def is_far(self) -> np.ndarray:
        """``(n_words,)`` bool: which lie far out, the farthest first: scaled without these, others are seen to be far as well."""
        units, near = self.units, np.ones(len(self._state), dtype=bool)
        while True:
            length = (standardized(self._state, near) ** 2).sum(axis=1)
            far = (units.sums(length) > _FAR * units.sizes * length[near].mean())[units.groups] & near
            if not far.any():
                return ~near
            near &= ~far

    @cached_property
    def refits(self) -> dict[int, np.ndarray]:
        """Of each group that holds much, the distances between the other words, scaled without it; infinite to its own.

        Nor is the scaling of others that lie far out: two such words would ruin it together, whichever of them is left out.
        """
        found = {}
        for group in self.large.tolist():
            rows = np.flatnonzero(self.units.groups != group)
            found[group] = np.full(self.distances.shape, np.inf)
            found[group][np.ix_(rows, rows)] = cosine_distances(standardized(self._state[rows], ~self.is_far[rows]))
        return found

    @cached_property
    def refitted_orders(self) -> dict[int, np.ndarray]:
        """Their neighbors, ``(n_words, k)``; of no use for the words of the group itself."""
        return {group: smallest(each, self.k)[0] for group, each in self.refits.items()}

    def without(self, group: int, k: int) -> np.ndarray:
        """``(n_words, k)``: each word's nearest without a group, scaling refitted where that is due."""
        if group in self.refits:
            return self.refitted_orders[group][:, :k]
        return refilled(self.order, self.units.groups, np.full((len(self.order), 1), group), k)[:, 0]

    def known(self, k: int) -> np.ndarray:
        """``(n_words,)`` bool: which words have distinct neighbors; see ``distances.nearest``."""
        if k == self.order.shape[1]:
            return are_known(nearest(self.distances, k))
        last, following = np.take_along_axis(self.distances, self.order[:, k - 1 : k + 1], axis=1).T
        return are_apart(last, following)


def refilled(order: np.ndarray, groups: np.ndarray, left_out: np.ndarray, k: int) -> np.ndarray:
    """``(n_words, n, k)`` int64: each word's nearest without the words of a group, for ``n`` groups of each.

    Parameters
    ----------
    order : ``(n_words, m)``, ``m`` at least ``k`` and the size of the largest group.
    groups : ``(n_words,)``.
    left_out : ``(n_words, n)``: the groups.
    """
    stay = groups[order][:, None, :] != left_out[:, :, None]
    stay &= stay.cumsum(axis=2) <= k
    every = np.broadcast_to(order[:, None, :], stay.shape)
    return np.asarray(every[stay].reshape(*left_out.shape, k))


# --- measures --------------------------------------------------------------------------------------------------------


def purity(space: Space) -> LeftOut:
    """Share of each word's nearest words that have a category in common with it.

    A word of its own group counts as any other word does on average: forms of a word lie near each other whatever category they are
    in, and in one model nearer than in another, which says nothing of categories.
    """
    units, k = space.units, space.units.categories.n_neighbours
    kinds, share = units.categories.kinds
    groups, by_chance = units.groups, units.shares_by_chance

    def own(rows: np.ndarray) -> np.ndarray:
        """``(n_words, …, k)`` → ``(n_words, …)``."""
        shape = (len(kinds), *(1,) * (rows.ndim - 1))
        alike = share[kinds.reshape(shape), kinds[rows]]
        is_own = groups.reshape(shape) == groups[rows]
        return np.asarray(np.where(is_own, by_chance.reshape(shape), alike).mean(axis=-1))

    near = space.order[:, :k]
    left_out = units.groups[near]
    found = Words(
        own=own(near),
        left_out=left_out,
        changed=own(refilled(space.order, units.groups, left_out, k)),
        refits=tuple((group, own(space.without(group, k))) for group in space.large.tolist()),
        known=space.known(k),
    )
    return found.means(units, found.known)


def kept(space: Space, before: Space, k: int) -> LeftOut:
    """Share of each word's ``k`` nearest words in ``before`` that are among its nearest here."""
    units, spaces = space.units, (space, before)

    def own(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """``(n_words, …, k)`` twice → ``(n_words, …)``."""
        return np.asarray((rows[..., :, None] == others[..., None, :]).any(axis=-1).mean(axis=-1))

    near = [each.order[:, :k] for each in spaces]
    left_out = units.groups[np.concatenate(near, axis=1)]
    large = np.union1d(space.large, before.large).tolist()
    found = Words(
        own=own(*near),
        left_out=left_out,
        changed=own(*(refilled(each.order, units.groups, left_out, k) for each in spaces)),
        refits=tuple((group, own(*(each.without(group, k) for each in spaces))) for group in large),
        known=space.known(k) & before.known(k),
    )
    return found.means(units, found.known)


def silhouette(space: Space) -> LeftOut:
    """Mean of (b − a) / max(a, b), see ``categories.silhouette``, less what it is by chance.

    Unlike that of purity, its chance follows from how the words lie, whatever their categories: layers that move it would be announced
    of random weights.
    """
    units = space.units
    first = units.categories.first
    if not space.distances.any():
        return LeftOut.undefined(units)

    def own(distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """``(n_words,)``, 0 but for some words, of whom alone it is."""
        found = np.zeros(len(first))
        some = distances[np.ix_(rows, rows)]
        found[rows] = silhouettes_alone(some[None], first[rows], units.counts_of(rows))[0]
        return found

    everyone = np.arange(len(first))
    refits = ((group, own(each, np.flatnonzero(units.groups != group))) for group, each in space.refits.items())
    table = _silhouettes_without(space.distances, units)
    found = _left_out(units, own(space.distances, everyone), table, refits, np.ones(len(first), dtype=bool))
    chance = _by_chance(space.distances, units, everyone)
    without = found.without - chance
    if space.refits and space.is_far.any():  # the scaling of all ruins chance as well
        for group, each in space.refits.items():
            without[group] += chance - _by_chance(each, units, np.flatnonzero(units.groups != group))
    return replace(found, value=found.value - chance, without=without)


def _by_chance(distances: np.ndarray, units: Units, rows: np.ndarray) -> np.ndarray:
    """``(n_of,)``: the mean silhouette of some words and of each category, with categories shuffled; 0 where they have no shuffles."""
    categories, found = units.categories, np.zeros(units.of.shape[1])
    if categories.n_permutations == 0:
        return found
    if len(rows) < len(distances):  # all of them have their shuffles already
        distances, categories = distances[np.ix_(rows, rows)], categories.of(rows)
    labels, counts = categories.shuffled_first, categories.counts
    members = (labels == np.arange(len(counts), dtype=labels.dtype)[:, None, None]).astype(np.float64)
    sums = np.moveaxis(distances @ members.transpose(1, 2, 0), -1, 0)
    own = silhouettes_of_sums(np.ascontiguousarray(sums), members, counts)
    of_each = [np.bincount(those, weights=each, minlength=len(counts)) for those, each in zip(labels, own, strict=True)]
    found[0] = own.mean(axis=1).mean()
    found[1 + np.unique(units.categories.first[rows])] = np.mean(np.array(of_each) / counts, axis=0)
    return found


def _silhouettes_without(distances: np.ndarray, units: Units) -> np.ndarray:
    """``(n_groups, n_words)``: each word's silhouette without a group; of the group itself, of no use.

    Without words of one category the others' mean distance to that one changes, and nothing else.
    """
    first, counts, own = units.categories.first, units.categories.counts, units.strata
    words = np.arange(len(first))
    sums = units.of[:, 1:].T @ distances
    means = sums / counts[:, None]
    means[first, words] = np.inf
    nearest_two = np.argsort(means, axis=0)[:2]
    near, next_one = means[nearest_two, words]
    mean_own = sums[first, words] / np.maximum(counts[first] - 1, 1)
    n_left = (counts[own] - units.sizes)[:, None]
    is_own = first == own[:, None]
    left = sums[own] - np.asarray(units.members @ distances)
    a = np.where(is_own, left / np.maximum(n_left - 1, 1), mean_own)
    of_others = np.where(nearest_two[0] == own[:, None], next_one, near)
    b = np.where(is_own, near, np.minimum(of_others, left / np.maximum(n_left, 1)))
    larger = np.maximum(a, b)
    found = np.divide(b - a, larger, out=np.zeros_like(a), where=larger > 0)
    found[np.where(is_own, n_left, counts[first]) < 2] = 0
    for group in np.flatnonzero(units.are_mixed):
        rows = np.flatnonzero(units.groups != group)
        rest = distances[np.ix_(rows, rows)]
        found[group, rows] = silhouettes_alone(rest[None], first[rows], units.counts_of(rows))[0]
    return np.asarray(found)


def _table(units: Units, own: np.ndarray, left_out: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """``(n_groups, n_words)``: each word's own value ``(n_words,)``, but what it has changed to without some groups ``(n_words, n)``."""
    table = np.tile(own, (len(units.sizes), 1))
    table[left_out, np.arange(len(own))[:, None]] = changed
    return table


def _left_out(
    units: Units,
    own: np.ndarray,
    table: np.ndarray,
    refits: Iterator[tuple[int, np.ndarray]],
    known: np.ndarray,
) -> LeftOut:
    """Means over the words that are known.

    Parameters
    ----------
    own : ``(n_words,)``: each word's value.
    table : ``(n_groups, n_words)``: the same without each group.
    refits : of some groups ``(n_words,)``: the same without it, scaling refitted.
    known : ``(n_words,)`` bool.
    """
    of = units.of * known[:, None]
    counts = of.sum(axis=0)
    if known.sum() < LEAST_KNOWN * len(known):
        return LeftOut.undefined(units)
    n_own = np.asarray(units.members @ of)
    table[units.groups, np.arange(len(own))] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        value = own @ of / counts
        influence = value - table @ of / counts
        n_left = counts - n_own
        without = (value - influence) * counts / n_left
        for group, values in refits:
            without[group] = np.where(units.groups != group, values, 0) @ of / n_left[group]
    return LeftOut(value=value, influence=influence, without=without)
