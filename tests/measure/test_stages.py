"""Stages: a planted change is found where it is, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from tokviz.measure import stages
from tokviz.measure.cka import centred_gram, geometry_vectors, vectors_of_parts

N_WORDS, WIDTH = 100, 64


def stack(seed: int, n_depths: int, starts: tuple[int, ...], between: float = 0.6, within: float = 0.95) -> np.ndarray:
    """Gram matrices of depths whose CKA is ``within`` inside a stage and ``between`` from one stage to another.

    States are blocks side by side, so that Gram matrices add: one that all depths share, one that a stage shares, and one
    of the depth's own. Linear CKA goes with the squares of their shares.
    """
    random = np.random.default_rng(seed)
    shared = random.normal(size=(N_WORDS, WIDTH))
    grams = []
    for depth in range(n_depths):
        if depth == 0 or depth in starts:
            of_stage = random.normal(size=(N_WORDS, WIDTH))
        own = random.normal(size=(N_WORDS, WIDTH))
        blocks = [
            shared * between**0.25,
            of_stage * (within - between) ** 0.25,
            own * (1 - within) ** 0.25,
        ]
        grams.append(centred_gram(np.concatenate(blocks, axis=1)))
    return np.stack(grams)


def test_the_stacks_have_the_similarity_that_they_claim() -> None:
    cka = stages.find(stack(0, 12, (5,))).cka
    sides = np.arange(12) < 5
    assert cka[np.ix_(sides, ~sides)].mean() == pytest.approx(0.6, abs=0.02)
    within = cka[np.ix_(sides, sides)][np.triu_indices(5, k=1)]
    assert within.mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("n_depths", "start"), [(12, 1), (12, 5), (12, 11), (31, 12), (7, 3)])
def test_a_planted_change_is_found_where_it_is(n_depths: int, start: int) -> None:
    found = [stages.find(stack(seed, n_depths, (start,)), seed=seed).starts for seed in range(20)]
    assert found.count((0, start)) >= 19


@pytest.mark.parametrize("n_depths", [4, 12, 31])
def test_a_stack_without_change_is_one_stage(n_depths: int) -> None:
    found = [stages.find(stack(seed, n_depths, ()), seed=seed).starts for seed in range(20)]
    assert found.count((0,)) >= 19


def test_several_changes_are_found_and_never_more_than_six_stages() -> None:
    assert stages.find(stack(0, 30, (4, 9, 20))).starts == (0, 4, 9, 20)
    many = stages.find(stack(0, 30, tuple(range(3, 30, 3))))
    assert len(many.starts) <= 6


@pytest.mark.parametrize("seed", range(5))
def test_a_boundary_that_hangs_on_one_word_is_dropped(seed: int) -> None:
    """One word of a hundred goes far away at depth 6: without it nothing changes."""
    random = np.random.default_rng(seed)
    calm = random.normal(size=(N_WORDS, WIDTH))
    depths = [calm + 0.1 * random.normal(size=calm.shape) for _ in range(12)]
    for state in depths[6:]:
        state[0] *= 15
    found = stages.find(np.stack([centred_gram(state) for state in depths]), seed=seed)
    assert found.cka[0, 11] < 0.7
    assert found.cka[0, 5] > 0.95
    assert found.starts == (0,)


def test_a_forced_boundary_stands_whatever_the_geometry() -> None:
    found = stages.find(stack(0, 12, ()), forced=(7,))
    assert found.starts == (0, 7)
    assert found.bounds() == [(0, 6), (7, 11)]
    several = stages.find(stack(0, 12, (4,)), forced=(7,))
    assert several.starts == (0, 4, 7)


def test_few_words_and_single_depths_are_one_stage() -> None:
    few = stages.find(np.ones((5, 3, 3)), forced=(2,))
    assert few.starts == (0, 2)
    assert np.isnan(few.cka).all()
    assert stages.find(stack(0, 1, ())).starts == (0,)


def test_the_same_seed_finds_the_same() -> None:
    grams = stack(0, 12, (5,))
    first, second = stages.find(grams, seed=3), stages.find(grams, seed=3)
    assert (first.starts, first.recurrence[1]) == (second.starts, second.recurrence[1])


def test_vectors_of_parts_are_those_of_their_words_alone() -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(4, 40, 30)) + 3
    states[2, 2:] = 7  # but for two words, all alike
    states[3, 0] *= 1e4
    grams = np.stack([centred_gram(state) for state in states])
    parts = np.stack([np.arange(2, 27), *(random.choice(40, 25, replace=False) for _ in range(5))])
    for part, found in zip(parts, vectors_of_parts(grams, parts), strict=True):
        alone = geometry_vectors(grams[:, part[:, None], part[None, :]])
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-9)
        assert found[2].any() == (0 in part and 1 in part)
