"""How often something false is claimed of orders and pairs, and something true found: a small version of the simulations."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from falsify.related import (
    CIRCLE,
    ENDS_MEET,
    ORDER,
    PAIRED,
    PAIRS,
    PARALLEL,
    PATHS,
    READABLE,
    RELATION,
    ordered,
    paired,
)
from repeating import times

from tokviz.measure.decisions import SHARES, claims_in, decide, with_decisions
from tokviz.measure.relations import measure
from tokviz.records import LEVEL, Relations

pytestmark = [pytest.mark.slow, pytest.mark.repeats]
N_REPORTS = times(4)
LEVEL_OF_SHARE = LEVEL * SHARES["others"]
"""Beside the other questions of the sample report."""


def decided(found: Relations) -> Relations:
    families = decide(claims_in(found))
    return with_decisions(found, {key: replace(each, level=LEVEL_OF_SHARE) for key, each in families.items()})


def announced_of_order(kind: str, seed: int, width: int = 64, signal: float = 10.0) -> set[str]:
    states = ordered(kind, np.random.default_rng(seed), width=width, signal=signal)
    order = decided(measure(states, [], [ORDER])).orders[0]
    found = {READABLE: order.holds, ENDS_MEET: order.ends_meet, CIRCLE: order.is_circle}
    return {claim for claim, holds in found.items() if holds.any()}


def announced_of_pairs(kind: str, seed: int, width: int = 64, signal: float = 10.0) -> set[str]:
    states = paired(kind, np.random.default_rng(seed), width=width, signal=signal)
    relation = decided(measure(states, [PAIRS], [])).relations[0]
    found = {PARALLEL: relation.parallelism.claim.holds, RELATION: relation.holds}
    return {claim for claim, holds in found.items() if holds.any()}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", PATHS)
def test_of_an_order_nothing_false_is_claimed_and_a_circle_is_found(kind: str) -> None:
    counted = Counter(claim for seed in range(N_REPORTS) for claim in announced_of_order(kind, seed))
    false = PATHS[kind][1]
    assert not false & counted.keys(), counted
    if not false:
        assert counted == dict.fromkeys((READABLE, ENDS_MEET, CIRCLE), N_REPORTS)


def test_a_walk_in_as_many_dimensions_as_a_model_has_is_read_and_does_not_close() -> None:
    for seed in range(N_REPORTS):
        assert announced_of_order("walk", seed, width=576, signal=1000) == {READABLE}


@pytest.mark.parametrize("kind", PAIRED)
def test_of_pairs_nothing_false_is_claimed_and_a_relation_is_found(kind: str) -> None:
    counted = Counter(claim for seed in range(N_REPORTS) for claim in announced_of_pairs(kind, seed))
    false = PAIRED[kind]
    assert not false & counted.keys(), counted
    if not false:
        assert counted == dict.fromkeys((PARALLEL, RELATION), N_REPORTS)
