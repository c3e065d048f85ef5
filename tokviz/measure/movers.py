"""Which words left their neighbors as the model changed, beyond what noise would do.

A word has moved where its similarity to the words that were its nearest has dropped. It is held against pairs of noise copies of the
states halfway between before and after, in which every word is displaced at random: so far that similarities change as most of them
have, that at the median as many neighbors are lost, and that half of the words lose one. Were before and after two copies of one
model, each with noise of its own, then the noise would be independent of what is halfway between them, and such pairs would be drawn
from what the two were drawn from.

Of the old neighbors the median counts: a word of which two neighbors went elsewhere hasn't moved, nor has one that moved along with
them, nor one that they left: that was displaced less than half as far as the neighbors that it lost. A word among whose neighbors
others came is as similar to these as before. Where a category becomes less dense as a whole, its
words are less similar but still nearest: only who has lost most neighbors is announced.

Similarities are drawn, not states: to first order, those of a copy differ by ``P + Pᵀ``, where row *i* of ``P`` is what the
displacement of word *i* adds to its products with all words.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tokviz.measure import decisions
from tokviz.measure.change import lost_neighbours
from tokviz.measure.distances import UNKNOWN, cosine_distances, nearest
from tokviz.measure.labels import MOST_NEIGHBOURS
from tokviz.measure.spaces import standardized
from tokviz.measure.tested import Z
from tokviz.records import HiddenStates, Moved

N_COPIES = 500
"""Each is taken in both directions: as before and after, and as after and before."""
LEAST_WORDS = 16
"""With fewer, what most words do isn't known."""
LEAST_LOSS = 0.5
"""Median of the neighbors that words lose in noise copies, at least: half of the words lose one."""
_N_SIZING = 12
"""Copies by which the size of the noise is found."""
_N_DIRECTIONS = 48
"""Independent parts of a displacement at most: those that change similarities most, scaled up to all of it."""
_N_SHORT = 100
"""Copies by which it is known how much of a neighbor's similarity words are short of by noise alone."""
_MOST_AT_ONCE = 250_000
"""Similarities of copies in memory."""
_EXACT = 1.02
"""How far the noise may be too large, as a ratio."""
_REACH = 3.5
"""Standard deviations that noise brings words nearer by, at most."""


def moved(before: HiddenStates, after: HiddenStates, rows: np.ndarray, seed: int = 0) -> Moved:
    """Neighbors that each word loses between two captures of as many depths, and which words are shown to have moved.

    Parameters
    ----------
    rows : ``(n_words,)`` int64: the words, which are the same in both; reference words of both.
    seed : of the noise.

    Raises
    ------
    ValueError : captures of different numbers of depths.
    """
    if before.n_depths != after.n_depths:
        raise ValueError(f"expected captures of as many depths, got {before.n_depths} and {after.n_depths}")
    n_depths, n_words = before.n_depths, len(rows)
    k = max(min(MOST_NEIGHBOURS, n_words - 1), 0)
    lost = np.full((n_depths, n_words), UNKNOWN)
    near = np.full((2, n_depths, n_words, k), UNKNOWN)
    score = np.full((n_depths, n_words), np.nan)
    is_eligible = np.zeros((n_depths, n_words), dtype=bool)
    highest = np.full((n_depths, 2 * N_COPIES), -np.inf)
    random = np.random.default_rng((seed, 9))
    noise = random.standard_normal((N_COPIES, n_words, min(n_words, _N_DIRECTIONS)), dtype=np.float32)
    for depth in range(n_depths if k else 0):
        found = _Depth.of(before.states[depth][rows], after.states[depth][rows], k, random)
        lost[depth] = found.lost
        near[:, depth] = found.near, found.near_after
        if n_words >= LEAST_WORDS and found.has_changed:
            score[depth], highest[depth], is_eligible[depth] = found.scored(noise)
    claim = decisions.scored("movers", score.ravel(), highest, is_eligible.ravel())
    return Moved(k=k, lost=lost, nearest=near, claim=claim)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Depth:
    """The words of one depth, before and after."""

    halfway: np.ndarray
    """``(n_words, n_words)`` float32: the mean of their cosines before and after."""
    change: np.ndarray
    """``(n_words, n_words)`` float32: half of what the cosines are larger after."""
    directions: np.ndarray
    """``(≤ _N_DIRECTIONS, n_words)`` float32: what each independent part of a displacement adds to the products with all words."""
    near: np.ndarray
    """``(n_words, k)`` int64: the nearest words before."""
    near_after: np.ndarray
    """The same after."""
    lost: np.ndarray
    """``(n_words,)`` int64: how many of them are others after."""
    is_left: np.ndarray
    """``(n_words,)`` bool: whether these are displaced more than twice as far as the word itself."""

    @classmethod
    def of(cls, before: np.ndarray, after: np.ndarray, k: int, random: np.random.Generator) -> _Depth:
        states = [standardized(before), standardized(after)]
        distances = [cosine_distances(each) for each in states]
        near = [nearest(each, k) for each in distances]
        lost = k * lost_neighbours(*near)
        directions = _directions(*(_unit(each) for each in states))
        # In another basis at each depth, so that the same noise displaces words as if it were drawn anew.
        basis, _ = np.linalg.qr(random.standard_normal((len(directions), len(directions))))
        return cls(
            halfway=(1 - (distances[0] + distances[1]) / 2).astype(np.float32),
            change=((distances[0] - distances[1]) / 2).astype(np.float32),
            directions=(basis @ directions).astype(np.float32),
            near=near[0],
            near_after=near[1],
            lost=np.where(np.isfinite(lost), lost.round(), UNKNOWN).astype(np.int64),
            is_left=_is_left(_displacements(before, after), *near),
        )

    @property
    def has_changed(self) -> bool:
        """Whether there is a word that can have moved."""
        return bool((self.lost >= 0).any() and self.change.any())

    def scored(self, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How far words have moved, each on its own scale under noise ``(N_COPIES, n_words, n_directions)``.

        Returns
        -------
        ``(n_words,)``; ``(2 · N_COPIES,)``, the farthest of each copy; and ``(n_words,)`` bool, which words can be announced: those that
        lost most of their neighbors and aren't left by these, which are also farther than its new ones beyond noise of that word.
        """
        drops, shorts = self._of_copies(noise)
        after = self.halfway + self.change
        np.fill_diagonal(after, -np.inf)
        is_short = _short(after, self.near) > shorts.mean(axis=0) + Z * shorts.std(axis=0)
        mean, spread = drops.mean(axis=0), drops.std(axis=0)
        scale = np.where((self.lost >= 0) & (spread > 0), spread, np.nan)
        scores = (drops - mean) / scale
        highest = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
        return (
            (_drop(self.change, self.near) - mean) / scale,
            highest,
            (2 * self.lost > self.near.shape[1]) & is_short & ~self.is_left,
        )

    def _of_copies(self, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``(2 · N_COPIES, n_words)`` float32: see ``_drop``; and ``(≥ 2 · _N_SHORT, n_words)``: see ``_short``."""
        n_words, k = self.near.shape
        size = np.float32(self._size(noise[:_N_SIZING]))
        others = self.halfway.copy()
        np.fill_diagonal(others, -np.inf)
        columns = np.argsort(-others, axis=1)
        similar = np.take_along_axis(others, columns, axis=1)
        # Only words that noise may bring among the nearest: most are too far.
        reach = _REACH * 2 * size * np.linalg.norm(self.directions, axis=0).max()
        n_near = int((similar > similar[:, k - 1, None] - reach).sum(axis=1).max())
        n_near = min(max(n_near, k + 1), n_words - 1)
        columns, similar = columns[:, :n_near], similar[:, :n_near]
        drops, shorts = [], []
        n_at_once = max(1, _MOST_AT_ONCE // n_words**2)
        for start in range(0, len(noise), n_at_once):
            change = size * self._changes(noise[start : start + n_at_once], columns)
            for each in (change, -change):
                near = np.argpartition(each - similar, k - 1, axis=2)[:, :, :k]
                drops.append(_drop(each, near))
                if start < _N_SHORT:
                    shorts.append(_short(similar + each, near))
        return np.concatenate(drops), np.concatenate(shorts)

    def _size(self, noise: np.ndarray) -> float:
        """Of the noise, see the top of this file: the least at which all three hold."""
        n_words = len(self.near)
        changes = self._changes(noise, np.tile(np.arange(n_words), (n_words, 1)))
        low, high = _typical(self.change[None]) / _typical(changes), 1.0
        least = max(LEAST_LOSS, _middle(self._losses(self.change[None])))
        if low >= high or _middle(self._losses(np.float32(low) * changes)) >= least:
            return low
        low = max(low, 1e-6)
        while high / low > _EXACT:
            size = float(np.sqrt(low * high))
            if _middle(self._losses(np.float32(size) * changes)) < least:
                low = size
            else:
                high = size
        return high

    def _changes(self, noise: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """``(n_copies, n_words, n_columns)`` float32: half of what cosines change by noise of size 1.

        Parameters
        ----------
        noise : ``(n_copies, n_words, n_directions)``.
        columns : ``(n_words, n_columns)``: of each word the words to which its cosines are asked for.
        """
        n_copies, n_words, n_directions = noise.shape
        added = (noise.reshape(-1, n_directions) @ self.directions).reshape(n_copies, n_words**2)
        rows = np.arange(n_words)[:, None]
        longer = added[:, :: n_words + 1]
        found = added.take(rows * n_words + columns, axis=1)
        found += added.take(columns * n_words + rows, axis=1)
        found -= self.halfway[rows, columns] * (longer[:, :, None] + longer.take(columns, axis=1))
        return np.asarray(found)

    def _losses(self, changes: np.ndarray) -> np.ndarray:
        """``(n_copies, n_words)``: neighbors lost, of ``changes`` ``(n_copies, n_words, n_words)``."""
        n_words, k = self.near.shape
        kept = np.ones(changes.shape, dtype=bool)
        for similar in (self.halfway - changes, self.halfway + changes):
            similar[:, np.arange(n_words), np.arange(n_words)] = -np.inf
            kept &= similar >= np.partition(similar, -k, axis=2)[:, :, -k, None]
        return np.asarray(np.maximum(k - kept.sum(axis=2), 0))


def _displacements(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """``(n_words,)``: how far each state lies from what it was, on one scale for both."""
    both = standardized(np.concatenate([before, after]))
    return np.asarray(np.linalg.norm(both[len(before) :] - both[: len(before)], axis=1))


def _is_left(displaced: np.ndarray, near: np.ndarray, near_after: np.ndarray) -> np.ndarray:
    """``(n_words,)`` bool: whether a word is displaced less than half as far as the neighbors that it lost, at their median."""
    is_lost = ~(near[:, :, None] == near_after[:, None, :]).any(axis=2)
    others = np.where(is_lost, displaced[near], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of words that lost none
        return np.asarray(2 * displaced < np.nanmedian(others, axis=1))


def _directions(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """``(≤ _N_DIRECTIONS, n_words)``, see ``_Depth``; of states ``(n_words, width)`` of length 1.

    Noise is as large along each dimension as most words are displaced along it; where most aren't, or where other dimensions are
    constant before than after, along all alike.
    """
    spread = np.ones(1)
    if before.shape == after.shape:
        displaced = after - before
        own = np.median(np.abs(displaced - np.median(displaced, axis=0)), axis=0)
        if np.median(own) > 0:
            spread = own / np.sqrt(np.mean(own**2))
    products = sum((each * spread**2) @ each.T for each in (before, after)) / 2
    values, vectors = np.linalg.eigh(products)
    parts = (vectors * np.sqrt(np.maximum(values, 0))).T[-_N_DIRECTIONS:]
    whole, length = np.sqrt(np.diag(products)), np.linalg.norm(parts, axis=0)
    return np.asarray(parts * np.divide(whole, length, out=np.zeros_like(length), where=length > 0))


def _drop(change: np.ndarray, near: np.ndarray) -> np.ndarray:
    """``(…, n_words)``: how much less similar words are to their old neighbors, at the median of these.

    Parameters
    ----------
    change : ``(…, n_words, n)``: half of what cosines change by.
    near : ``(…, n_words, k)``: where the old neighbors stand in it.
    """
    return -2 * _median(np.take_along_axis(change, near, axis=-1))


def _short(after: np.ndarray, near: np.ndarray) -> np.ndarray:
    """``(…, n_words)``: how much less similar the old neighbors are than the last of the new ones, at the median.

    Parameters
    ----------
    after : ``(…, n_words, n)``: cosines after the change; −inf to the word itself.
    near : as in ``_drop``.
    """
    k = near.shape[-1]
    return np.asarray(np.partition(after, -k, axis=-1)[..., -k] - _median(np.take_along_axis(after, near, axis=-1)))


def _unit(states: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(states, axis=1, keepdims=True)
    return np.asarray(np.divide(states, length, out=np.zeros_like(states), where=length > 0))


def _median(values: np.ndarray) -> np.ndarray:
    """``(…, k)`` → ``(…)``: the value in the middle. Of so few, NumPy's own takes several times as long."""
    return np.asarray(np.sort(values, axis=-1)[..., values.shape[-1] // 2])


def _typical(changes: np.ndarray) -> float:
    """Of ``(n, n_words, n_words)``: the median over words of the median size over the others."""
    return float(np.median(np.median(np.abs(changes), axis=2)))


def _middle(counts: np.ndarray) -> float:
    """The median of whole numbers, each of which stands for all values within a half of it, evenly."""
    share = np.bincount(counts.ravel()) / counts.size
    below = np.cumsum(share)
    at = int(np.searchsorted(below, 0.5))
    return float(at + 0.5 - (below[at] - 0.5) / share[at])
