"""Pairs of models that see the same words: without any difference but their depths, and with one of a stated size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import making
import numpy as np

from tokviz.measure.profile import Side
from tokviz.records import HiddenStates, OrderRows, PairRows

N_CATEGORIES, N_EACH, WIDTH = 9, 12, 40
N_WORDS = N_CATEGORIES * N_EACH
MEMBERSHIPS = tuple((row // N_EACH,) for row in range(N_WORDS))
_PAIRS = np.stack([np.arange(10), N_EACH + np.arange(10)], axis=1)
PAIRS = (PairRows(pairs=_PAIRS, candidates=_PAIRS[:, 1]),)
"""Of the first two categories."""
ORDERS = (OrderRows(words=np.arange(2 * N_EACH, 3 * N_EACH), places=np.arange(N_EACH), n_places=N_EACH, cyclic=True),)
"""The third."""
Course = Literal["even", "early"]
"""Over the layers: categories hold equally, or best at two fifths of the depth."""

PLANTED_NOISE = (0.5, 8.0)
"""Of the two models that differ: the effects are 0.47 (purity), 0.15 (silhouette) and 0.48 (parallelism) smaller in the second."""


def alike(seed: int, n_depths: tuple[int, int] = (6, 30), course: Course = "even") -> tuple[Side, Side]:
    """Two models from one distribution: all that is announced is false."""
    return _pair(seed, n_depths, course, noise=(1.0, 1.0))


def different(seed: int, n_depths: tuple[int, int] = (6, 30), course: Course = "even") -> tuple[Side, Side]:
    """In the second model other things than the words and their categories count for more."""
    return _pair(seed, n_depths, course, noise=PLANTED_NOISE)


def side(states: HiddenStates) -> Side:
    """A capture as it is compared."""
    return Side(templates=(states,), memberships=MEMBERSHIPS, pairs=PAIRS, orders=ORDERS)


@dataclass(frozen=True, kw_only=True)
class World:
    """What models see: words, categories, a relation and an order, drawn anew for each pair of models."""

    words: np.ndarray
    """``(N_WORDS, WIDTH)``."""
    means: np.ndarray
    """``(N_CATEGORIES, WIDTH)``."""
    step: np.ndarray
    """``(WIDTH,)``: from the first to the second word of a pair."""
    plane: np.ndarray
    """``(2, WIDTH)``, in which the order is a circle."""

    @classmethod
    def drawn(cls, random: np.random.Generator) -> World:
        """With other categories, too."""
        return cls(
            words=random.normal(size=(N_WORDS, WIDTH)),
            means=random.normal(size=(N_CATEGORIES, WIDTH)),
            step=random.normal(size=WIDTH),
            plane=random.normal(size=(2, WIDTH)),
        )

    def model(
        self,
        random: np.random.Generator,
        n_depths: int,
        *,
        course: Course = "even",
        noise: float = 1.0,
        related: float = 1.0,
    ) -> HiddenStates:
        """A model that sees it with noise of its own; depths resemble those before.

        Parameters
        ----------
        related : how much of the relation and the order it has.
        """
        states, own = [], random.normal(size=self.words.shape)
        category = np.arange(N_WORDS) // N_EACH
        angles = 2 * np.pi * np.arange(N_EACH) / N_EACH
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ self.plane
        for depth in range(n_depths):
            own = 0.8 * own + 0.6 * random.normal(size=own.shape)
            held = 1 - (course == "early") * abs(depth / max(n_depths - 1, 1) - 0.4)
            state = held * (0.4 * self.means[category] + 0.7 * self.words) + noise * own
            state[_PAIRS[:, 1]] += related * (state[_PAIRS[:, 0]] + 2 * self.step)
            state[ORDERS[0].words] += 3 * related * circle
            states.append(state.astype(np.float32))
        return making.hidden_states(states, positions=[1] * N_WORDS)


def _pair(seed: int, n_depths: tuple[int, int], course: Course, noise: tuple[float, float]) -> tuple[Side, Side]:
    random = np.random.default_rng((7, seed))
    world = World.drawn(random)
    first, second = (world.model(random, n, course=course, noise=own) for n, own in zip(n_depths, noise, strict=True))
    return side(first), side(second)
