"""What changed between two models of one form: which words moved, and both models' words on one pair of axes.

The axes are those of PCA of both models' states together, depth by depth.

Each dimension is brought to mean 0 and variance 1 over the words of both. Where the first axis then parts the models rather than the
words, each model's words are centered first: what moved all words alike would hide what moved some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from tokviz.measure import pca
from tokviz.measure.movers import moved
from tokviz.measure.similarity import of_same_depths
from tokviz.records import COMMON, Changed, HiddenStates, Problem, Projection

MOST_MOVING = 200
"""Words of which it is asked whether they moved: each noise copy costs words × words. Of more some are taken, evenly spread."""
MOST_BETWEEN = 0.5
"""Of the first axis' variance, that may lie between the models."""


def changed(before: Sequence[HiddenStates], after: Sequence[HiddenStates]) -> Changed:
    """Both models' words at each depth.

    Parameters
    ----------
    before, after : in each template of the context, the one that is drawn first; the same words in the same order, as many depths, the
        same width at each.

    Raises
    ------
    ValueError : they haven't.
    """
    words = [[each.word for each in states.tokenization.words] for states in (*before, *after)]
    widths = [[each.shape[1] for each in states.states] for states in (*before, *after)]
    if any(each != words[0] for each in words) or any(each != widths[0] for each in widths):
        raise ValueError("expected two models of one form: the same words, depths and dimensions")
    reference = before[0].tokenization.reference & after[0].tokenization.reference
    with threadpool_limits(1, "blas"):
        found = _changed(before[0], after[0], reference)
    return replace(found, is_same=np.array([_are_same(before, after, depth) for depth in range(before[0].n_depths)]))


def _are_same(before: Sequence[HiddenStates], after: Sequence[HiddenStates], depth: int) -> bool:
    pairs = zip(before, after, strict=False)
    same = (np.array_equal(one.states[depth], other.states[depth]) for one, other in pairs)
    return len(before) == len(after) and all(same)


def _changed(before: HiddenStates, after: HiddenStates, reference: np.ndarray) -> Changed:
    n_depths, n_words = before.n_depths, len(reference)
    coordinates = np.full((2, n_depths, n_words, 2), np.nan)
    shares = np.full((2, n_depths, 2), np.nan)
    is_centered = np.zeros(n_depths, dtype=bool)
    problems: list[Problem | None] = []
    previous: np.ndarray | None = None
    for depth in range(n_depths):
        states = np.stack([before.states[depth], after.states[depth]]).astype(np.float64)
        problems.append(pca.why_not(states[0], reference) or pca.why_not(states[1], reference))
        if problems[-1] is not None:
            continue
        found, shares[:, depth], is_centered[depth] = placed_together(states, reference)
        both = np.tile(reference, 2)
        signs = np.ones(2) if previous is None else pca.agreeing_signs(np.concatenate(found), previous, both)
        coordinates[:, depth] = found * signs
        previous = np.concatenate(coordinates[:, depth])
    nothing = np.full((n_depths, n_words, 2), np.nan)
    projection = Projection(
        name=COMMON,
        coordinates=coordinates[0],
        explained_variance_ratio=shares[0],
        grid_coordinates=nothing,
        reference=reference,
        problems=tuple(problems),
        grid_problems=(Problem(kind="no_basis"),) * n_depths,
        left_out=((),) * n_depths,
    )
    rows = np.flatnonzero(reference)
    cka, neighbours = of_same_depths(before, after, (rows, rows))
    if len(rows) > MOST_MOVING:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_MOVING).round().astype(int)]
    return Changed(
        cka=cka,
        neighbours=neighbours,
        moved=moved(before, after, rows),
        rows=rows,
        before=projection,
        after=replace(projection, coordinates=coordinates[1], explained_variance_ratio=shares[1]),
        is_centered=is_centered,
        is_same=np.zeros(n_depths, dtype=bool),
    )


def placed_together(states: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """The words of two captures at one depth on the same two axes.

    Parameters
    ----------
    states : ``(2, n_words, width)`` float64.
    reference : ``(n_words,)`` bool, the words that set the axes.

    Returns
    -------
    ``(2, n_words, 2)``; how much of each capture's variance lies along each axis, ``(2, 2)``; whether each was centered first.
    """
    found, shares = _placed(states, reference)
    if _share_between(found[:, reference, 0]) <= MOST_BETWEEN:
        return found, shares, False
    return *_placed(states - states[:, reference].mean(axis=1, keepdims=True), reference), True


def _placed(states: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(2, n_words, width)`` → ``(2, n_words, 2)``, and how much of each model's variance lies along each axis, ``(2, 2)``."""
    basis = pca.fit(np.concatenate(states[:, reference]), standardize=True)
    found = np.stack([basis.project(each) for each in states])
    total = (states[:, reference] / basis.scale).var(axis=1).sum(axis=1)
    return found, found[:, reference].var(axis=1) / total[:, None]


def _share_between(along: np.ndarray) -> float:
    """Of the variance of ``(2, n)`` numbers, how much lies between the two rows' means."""
    return float(along.mean(axis=1).var() / along.var())
