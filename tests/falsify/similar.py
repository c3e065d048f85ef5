"""Two captures that have nothing in common but categories, or a little more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from making import hidden_states

from tokviz.records import HiddenStates


def sharing_categories(
    seed: int, n_words: int, n_categories: int, *, shared: float = 0.0, n_depths: tuple[int, int] = (4, 3)
) -> tuple[HiddenStates, HiddenStates]:
    """Two models in which word ``n`` is of category ``n`` modulo ``n_categories``.

    Both have the categories' places in common, and what else tells words apart with the share ``shared`` of its variance.
    """
    random = np.random.default_rng(seed)
    places = random.normal(size=(n_categories, 8))[np.arange(n_words) % n_categories]
    common = random.normal(size=(n_words, 8))
    made = []
    for width, depths in zip((40, 90), n_depths, strict=True):
        own = np.sqrt(shared) * common + np.sqrt(1 - shared) * random.normal(size=(n_words, 8))
        maps = [random.normal(size=(8, width)) for _ in range(depths)]
        made.append(
            hidden_states([(places + own) @ each + 0.5 * random.normal(size=(n_words, width)) for each in maps])
        )
    return made[0], made[1]


def permuted_within(states: HiddenStates, memberships: Sequence[tuple[int, ...]], seed: int) -> HiddenStates:
    """A capture whose words have each other's states, within their categories and at all depths alike: beside the same words of
    another model it shares the categories and nothing else.
    """
    random = np.random.default_rng(seed)
    order = np.arange(len(memberships))
    for kind in set(memberships):
        own = np.array([row for row, each in enumerate(memberships) if each == kind])
        order[own] = random.permutation(own)
    return replace(states, states=[states.states[depth][order] for depth in range(states.n_depths)])
