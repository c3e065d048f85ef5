"""The checkpoints of a series: whether they are what they are called, and their words on common axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from tokviz.measure import pca
from tokviz.measure.change import procrustes_disparity
from tokviz.records import Drift, Fault, HiddenStates, StepAxes

LEAST_SHORTER = 0.85
"""Two checkpoints are taken for exchanged where with them exchanged the way from checkpoint to checkpoint, as far as it leads to and
from these two, has this part of its length or less."""
MOST_WORDS, MOST_DIMENSIONS = 128, 512
"""That are compared between checkpoints: those of all checkpoints are in memory together."""
LEAST_CHECKPOINTS = 4
"""With fewer, an order can't be told from an exchange."""


def drift(checkpoints: Sequence[HiddenStates]) -> Drift:
    """How far apart the embeddings of the same words are, in one context.

    They change steadily in training, while what layers write may come, move and go, as massive values do. Of more than ``MOST_WORDS``
    words and ``MOST_DIMENSIONS`` that many are taken, evenly spread.
    """
    n, n_words = len(checkpoints), len(checkpoints[0].tokenization.words)
    words = _spread(n_words, MOST_WORDS)
    states = [np.asarray(each.states[0])[words] for each in checkpoints]
    if len({each.shape for each in states}) > 1:
        return Drift(distance=np.full((n, n), np.nan))
    dimensions = _spread(states[0].shape[1], MOST_DIMENSIONS)
    return Drift(distance=_distances(np.array([each[:, dimensions] for each in states], dtype=np.float64)))


def _spread(n: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def _distances(states: np.ndarray) -> np.ndarray:
    """``(n, n_words, width)`` → ``(n, n)`` float64 as in ``Drift``."""
    flat = states.reshape(len(states), -1)
    norms = np.linalg.norm(flat, axis=1)
    apart = np.array([np.linalg.norm(flat - one, axis=1) for one in flat])
    scale = np.sqrt(np.outer(norms, norms))
    return np.asarray(apart / np.where(scale > 0, scale, 1))


def faults(drifts: Sequence[Drift], digests: Sequence[tuple[str, ...]]) -> tuple[Fault, ...]:
    """What is wrong with a series.

    Parameters
    ----------
    drifts : in each context, of the checkpoints that are captured.
    digests : of the same checkpoints, those of their states in each context.
    """
    same: dict[tuple[str, ...], list[int]] = {}
    for index, each in enumerate(digests):
        same.setdefault(each, []).append(index)
    found = [Fault(kind="same", checkpoints=tuple(each)) for each in same.values() if len(each) > 1]
    left_out = {index for each in found for index in each.left_out}
    kept = [index for index in range(len(digests)) if index not in left_out]
    if drifts and len(kept) >= LEAST_CHECKPOINTS:
        pair = exchanged(np.mean([each.distance for each in drifts], axis=0)[np.ix_(kept, kept)])
        found += [Fault(kind="exchanged", checkpoints=tuple(kept[index] for index in pair))] if pair else []
    return tuple(found)


def exchanged(distance: np.ndarray) -> tuple[int, int] | None:
    """The two checkpoints whose exchange shortens the way most; of ``(n, n)`` distances.

    None where it doesn't shorten it by enough, or where after it the way still turns back around these two, two steps leading less far
    than one of them: then checkpoints differ by chance rather than by how long they were trained, and some order is always shorter. And
    none where its longest step is longer then, or a step to or from these two doesn't lead away from the beginning and towards the end: a
    training that returns to where it was has a shorter way, but no steadier one.
    """
    pair = _shortening(distance)
    if pair is None:
        return None
    order = _with_exchanged(len(distance), *pair)
    way = distance[np.ix_(order, order)]
    if np.diag(way, 1).max() > np.diag(distance, 1).max():
        return None
    steps, double = np.diag(way, 1), np.diag(way, 2)
    around = [start for start in range(len(double)) if any(start <= each <= start + 2 for each in pair)]
    leads_on = np.minimum(np.diff(way[0]), -np.diff(way[-1])) > 0
    touching = [start for start in range(len(steps)) if {start, start + 1} & {*pair}]
    goes_on = (double > np.maximum(steps[:-1], steps[1:]))[around].all() and leads_on[touching].all()
    return pair if goes_on else None


def _shortening(distance: np.ndarray) -> tuple[int, int] | None:
    n = len(distance)
    most, best = 0.0, None
    for one in range(n):
        for other in range(one + 1, n):
            order = _with_exchanged(n, one, other)
            steps = {step for at in (one, other) for step in (at - 1, at) if 0 <= step < n - 1}
            before = float(sum(distance[step, step + 1] for step in steps))
            after = float(sum(distance[order[step], order[step + 1]] for step in steps))
            if before - after > most:
                most = before - after
                best = (one, other) if after <= LEAST_SHORTER * before else None
    return best


def _with_exchanged(n: int, one: int, other: int) -> list[int]:
    order = list(range(n))
    order[one], order[other] = other, one
    return order


def step_axes(states: HiddenStates, reference: HiddenStates, name: str) -> StepAxes:
    """The words of one checkpoint on the axes of another, and on its own ones.

    Parameters
    ----------
    states : of the checkpoint.
    reference : of the checkpoint whose axes count; the same words, depths and widths.
    name : ``standardized``, ``centered`` or ``unit_norm``.
    """
    words = states.tokenization.reference
    with threadpool_limits(1, "blas"):
        own = pca.project(states.states, words, name)
        target = own if states is reference else pca.project(reference.states, words, name)
        on_axes = pca.project_onto(states.states, reference.states, target)
    turned, shares, residual = own.coordinates.copy(), own.explained_variance_ratio.copy(), []
    for depth, (one, other) in enumerate(zip(own.coordinates, target.coordinates, strict=True)):
        residual.append(procrustes_disparity(other[words], one[words]))
        if np.isfinite(one).all() and np.isfinite(other).all():
            turned[depth] = _turned(one, other, words)
            total = one[words].var(axis=0).sum() / own.explained_variance_ratio[depth].sum()
            shares[depth] = turned[depth][words].var(axis=0) / total
    return StepAxes(
        reference=replace(on_axes, name="reference"),
        own=replace(own, name="own", coordinates=turned, explained_variance_ratio=shares),
        residual=np.array(residual),
    )


def _turned(coordinates: np.ndarray, target: np.ndarray, words: np.ndarray) -> np.ndarray:
    """``(n_words, 2)``, turned or reflected in the plane, so that they lie as near to the target as that can be (orthogonal Procrustes)."""
    middle, aim = coordinates[words].mean(axis=0), target[words].mean(axis=0)
    left, _, right = np.linalg.svd((coordinates[words] - middle).T @ (target[words] - aim))
    return np.asarray((coordinates - middle) @ (left @ right) + middle)
