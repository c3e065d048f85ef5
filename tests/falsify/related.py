"""Orders and pairs of words in made-up states: kinds of which a claim is false, and kinds of which it is true.

All kinds lie in noise, most of which is the same at every depth, as of a model whose layers change little. ``signal`` is the
variance of what is planted over the variance of that noise, both summed over all dimensions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from making import hidden_states

from tokviz.records import HiddenStates, OrderRows, PairRows

N_ORDERED, N_PAIRS, N_OTHERS = 12, 12, 30
ORDER = OrderRows(words=np.arange(N_ORDERED), places=np.arange(N_ORDERED), n_places=N_ORDERED, cyclic=True)
PAIRS = PairRows(
    pairs=np.stack([np.arange(N_PAIRS), N_PAIRS + np.arange(N_PAIRS)], axis=1),
    candidates=np.arange(N_PAIRS, 3 * N_PAIRS),
)
"""Beside the targets a word near each source is among the candidates, so that the source alone doesn't lead to its target."""
LASTING = 0.7
"""Share of the noise that is the same at all depths."""

READABLE, ENDS_MEET, CIRCLE = "readable", "ends meet", "circle"
PARALLEL, RELATION = "parallel", "relation"
Path = Callable[[np.random.Generator, int], np.ndarray]
"""Width → ``(N_ORDERED, width)``."""


# --- orders ----------------------------------------------------------------------------------------------------------


def _in_space(random: np.random.Generator, path: np.ndarray, width: int) -> np.ndarray:
    """``(n, k)`` → ``(n, width)``, in k random directions."""
    return np.asarray(path @ np.linalg.qr(random.standard_normal((width, path.shape[1])))[0].T)


def _arc(random: np.random.Generator, width: int, degrees: float) -> np.ndarray:
    angles = np.radians(degrees) * np.arange(N_ORDERED) / (N_ORDERED - 1)
    return _in_space(random, np.stack([np.cos(angles), np.sin(angles)], axis=1), width)


def _ellipse(random: np.random.Generator, width: int, ratio: float) -> np.ndarray:
    """From the middle of the first word's stretch on; with a ratio of 0 there and back on a line."""
    angles = 2 * np.pi * (np.arange(N_ORDERED) + 0.5) / N_ORDERED
    return _in_space(random, np.stack([np.cos(angles), ratio * np.sin(angles)], axis=1), width)


def _line(random: np.random.Generator, width: int) -> np.ndarray:
    return _in_space(random, np.arange(N_ORDERED)[:, None], width)


def _walk(random: np.random.Generator, width: int) -> np.ndarray:
    return np.asarray(random.standard_normal((N_ORDERED, width)).cumsum(axis=0))


def _clusters(random: np.random.Generator, width: int, first: int) -> np.ndarray:
    """Four of three words each, of which one begins with the word ``first``."""
    return np.asarray(random.standard_normal((4, width))[(np.arange(N_ORDERED) - first) // 3 % 4])


def _shuffled(random: np.random.Generator, width: int) -> np.ndarray:
    return np.asarray(random.permutation(_ellipse(random, width, 1.0)))


PATHS: dict[str, tuple[Path, frozenset[str]]] = {
    "noise": (lambda random, width: np.zeros((N_ORDERED, width)), frozenset({READABLE, ENDS_MEET, CIRCLE})),
    "shuffled circle": (_shuffled, frozenset({READABLE, ENDS_MEET, CIRCLE})),
    "line": (_line, frozenset({ENDS_MEET, CIRCLE})),
    "walk": (_walk, frozenset({ENDS_MEET, CIRCLE})),
    "arc of 180°": (lambda random, width: _arc(random, width, 180), frozenset({ENDS_MEET, CIRCLE})),
    "arc of 270°": (lambda random, width: _arc(random, width, 270), frozenset({ENDS_MEET, CIRCLE})),
    "clusters from the first word on": (
        lambda random, width: _clusters(random, width, 0),
        frozenset({ENDS_MEET, CIRCLE}),
    ),
    "clusters across the end": (lambda random, width: _clusters(random, width, -1), frozenset({CIRCLE})),
    "there and back": (lambda random, width: _ellipse(random, width, 0.0), frozenset({CIRCLE})),
    "circle": (lambda random, width: _ellipse(random, width, 1.0), frozenset()),
    "ellipse": (lambda random, width: _ellipse(random, width, 0.5), frozenset()),
}
"""Each kind's path, and what is false of it. Twelve words on an arc of 330° are a circle."""


def ordered(
    kind: str, random: np.random.Generator, *, width: int = 64, n_depths: int = 6, signal: float = 10.0
) -> HiddenStates:
    """Words of ``ORDER`` along a path of ``PATHS``, then others."""
    return along(PATHS[kind][0](random, width), random, n_depths=n_depths, signal=signal)


def along(path: np.ndarray, random: np.random.Generator, *, n_depths: int = 6, signal: float = 10.0) -> HiddenStates:
    """Words along a path ``(n, width)``, then others."""
    path, width = path - path.mean(axis=0), path.shape[1]
    size = np.sqrt((path**2).sum() / len(path))
    planted = np.concatenate([path / (size or 1.0), random.standard_normal((N_OTHERS, width)) / np.sqrt(width)])
    return _in_noise(random, planted, n_depths, signal)


# --- pairs -----------------------------------------------------------------------------------------------------------


PAIRED: dict[str, frozenset[str]] = {
    "unrelated": frozenset({PARALLEL, RELATION}),
    "unrelated but for the means": frozenset({PARALLEL, RELATION}),
    "near": frozenset({RELATION}),
    "near and farther apart": frozenset({RELATION}),
    "relation": frozenset(),
}
"""What is false of each kind; pairs that lie near each other are parallel, as random ones differ by more than a step."""


def paired(
    kind: str, random: np.random.Generator, *, width: int = 64, n_depths: int = 6, signal: float = 10.0
) -> HiddenStates:
    """Sources and targets of ``PAIRS``, a word near each source, then others; all but steps have about length 1."""

    def words(n: int, size: float = 1.0) -> np.ndarray:
        return np.asarray(size * random.standard_normal((n, width)) / np.sqrt(width))

    source = words(N_PAIRS)
    step = words(1)
    own = {"near and farther apart": 1.0}.get(kind, 0.5)
    target = words(N_PAIRS) if kind.startswith("unrelated") else source + words(N_PAIRS, own)
    if kind in ("relation", "unrelated but for the means"):
        target = target + step
    planted = np.concatenate([source, target, source + words(N_PAIRS, 0.7), words(N_OTHERS)])
    return _in_noise(random, planted, n_depths, signal)


def _in_noise(random: np.random.Generator, planted: np.ndarray, n_depths: int, signal: float) -> HiddenStates:
    scale = 1 / np.sqrt(planted.shape[1] * signal)
    lasting, *passing = random.standard_normal((1 + n_depths, *planted.shape)) * scale
    shares = np.sqrt([LASTING, 1 - LASTING])
    return hidden_states([(planted + shares[0] * lasting + shares[1] * each).astype(np.float32) for each in passing])
