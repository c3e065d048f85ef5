"""A model and its controls: curves on the scale of the model's own, and what is its training's or its layers' work."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import making
import numpy as np
import pytest
from falsify.differences import MEMBERSHIPS, N_WORDS, ORDERS, PAIRS, World, side

from tokviz.measure import geometry, relations, untrained
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.profile import FAMILIES, ProfileComparer, Side
from tokviz.measure.untrained import curves, measure
from tokviz.records import HiddenStates, OrderRows, PairRows, Untrained

N_DEPTHS = 4


def decided(found: Untrained) -> Untrained:
    return with_decisions(found, decide(claims_in(found)))


def drawn(seed: int) -> HiddenStates:
    """States of which nothing is true."""
    random = np.random.default_rng((3, seed))
    return states_of([random.normal(size=(N_WORDS, 24)) for _ in range(N_DEPTHS)])


def states_of(depths: Sequence[np.ndarray]) -> HiddenStates:
    return making.hidden_states([each.astype(np.float32) for each in depths], positions=[1] * N_WORDS)


def permuted() -> list[HiddenStates]:
    return [drawn(seed) for seed in range(11, 16)]


def trained(seed: int = 0) -> HiddenStates:
    """Categories lie far from each other, and one step leads from the first words of pairs to the second."""
    random = np.random.default_rng((4, seed))
    means, step = random.normal(size=(9, 24))[np.array(MEMBERSHIPS)[:, 0]], random.normal(size=24)
    depths = [means + 0.5 * random.normal(size=(N_WORDS, 24)) for _ in range(N_DEPTHS)]
    for state in depths:
        state[PAIRS[0].pairs[:, 1]] = state[PAIRS[0].pairs[:, 0]] + step
    return states_of(depths)


@pytest.mark.parametrize("positions", [[[1] * N_WORDS], [[0] * 9 + [1] * (N_WORDS - 9), [2] * (N_WORDS - 9) + [3] * 9]])
def test_curves_are_those_of_the_model_itself(positions: list[list[int]]) -> None:
    """With words that aren't measured, in one of the templates or the other, and some without a category, too."""
    random = np.random.default_rng(0)
    states = list(World.drawn(random).model(random, N_DEPTHS).states)
    templates = tuple(making.hidden_states(states, positions=each) for each in positions)
    without = ((), *MEMBERSHIPS[1:-1], ())
    few = PairRows(pairs=PAIRS[0].pairs[:4], candidates=PAIRS[0].candidates[:4])
    short = OrderRows(words=np.arange(30, 37), places=np.arange(7), n_places=7, cyclic=False)
    pairs = (PairRows(pairs=PAIRS[0].pairs + 9, candidates=PAIRS[0].candidates + 9), few)
    for memberships in (MEMBERSHIPS, without):
        found = curves(Side(templates=templates, memberships=memberships, pairs=pairs, orders=(*ORDERS, short)))
        whole = geometry.measure(templates[0], [], memberships, None, templates[1:])
        related = relations.measure(templates[0], pairs, (*ORDERS, short), templates[1:])
        assert found.purity == pytest.approx(whole.purity.value, abs=1e-12)
        assert found.silhouette == pytest.approx(whole.silhouette.value, abs=1e-12)
        assert found.effective_rank == pytest.approx(whole.spread.effective_rank, abs=1e-5)
        own = np.stack([each.parallelism.value - each.parallelism.null_mean for each in related.relations])
        # Chance is the mean of fewer shuffles.
        assert found.relations == pytest.approx(own, abs=0.01, nan_ok=True)
        assert found.orders == pytest.approx(np.stack([each.r2.value for each in related.orders]), nan_ok=True)
        assert np.isfinite(found.relations).all(axis=1).tolist() == [True, False]
        assert np.isfinite(found.orders).all(axis=1).tolist() == [True, False]


def test_curves_of_states_that_are_all_alike_or_of_one_category_are_undefined() -> None:
    alike = curves(side(states_of([np.ones((N_WORDS, 8))] * 2)))
    one = curves(replace(side(trained()), memberships=((0,),) * N_WORDS))
    for found in (alike, one):
        assert np.isnan([found.purity, found.silhouette]).all()
    assert np.isnan([*alike.effective_rank, *alike.relations.ravel(), *alike.orders.ravel()]).all()
    assert np.isfinite(one.effective_rank).all()


def test_what_a_model_has_and_no_control_is_its_training_and_its_layers_work() -> None:
    own = [drawn(seed) for seed in range(1, 6)]
    found = decided(measure(side(trained()), drawn(0), own, permuted()))
    assert found.by_layers == (True, False)  # the order can be read in neither
    assert {each.family for each in claims_in(found)} == {FAMILIES["pair"]}
    assert found.median is not None
    assert found.low is not None
    assert found.high is not None
    purity = np.stack([each.purity for each in found.own_embedding])
    assert found.low.purity == pytest.approx(purity.min(axis=0))
    assert found.median.purity == pytest.approx(np.sort(purity, axis=0)[2])
    assert found.high.purity == pytest.approx(purity.max(axis=0))
    assert found.high.relations.shape == (1, N_DEPTHS)


def test_one_seed_that_is_as_good_and_one_that_is_missing_are_enough_to_say_nothing_of_layers() -> None:
    model = trained()
    own = [drawn(seed) for seed in range(1, 6)]
    for controls in ([*own[:4], trained()], permuted()), (own, [trained(), *permuted()[1:]]):
        as_good = decided(measure(side(model), drawn(0), *controls))
        assert as_good.layers is not None
        assert not any(as_good.by_layers)
    for controls in (own[:4], permuted()), (own, []):
        missing = decided(measure(side(model), None, *controls))
        assert (missing.random, missing.layers, missing.by_layers) == (None, None, ())
    nothing = measure(side(model), None, [])
    assert (nothing.median, nothing.low, nothing.high, nothing.layers, nothing.by_layers) == (
        None,
        None,
        None,
        None,
        (),
    )


def test_of_layers_the_seed_is_told_that_the_model_exceeds_least() -> None:
    model, own = trained(), [drawn(seed) for seed in range(1, 6)]
    least = measure(side(model), None, own, permuted()).layers
    assert least is not None
    layers = replace(side(model), first_depth=1)
    each = [ProfileComparer().compare(layers, replace(layers, templates=(states,))) for states in (*own, *permuted())]
    t_values = [seed.relations[0].value / seed.relations[0].error for seed in each]
    difference, _ = least
    assert difference.value / difference.error == pytest.approx(min(t_values))
    assert difference.claim.is_eligible.tolist() == [min(t_values) > 0]


def test_a_model_that_has_less_than_its_controls_has_nothing_of_its_layers() -> None:
    found = decided(measure(side(drawn(0)), trained(), [trained(seed) for seed in range(5)], permuted()))
    assert not any(found.by_layers)


def test_the_embedding_does_not_count() -> None:
    """The relation holds best at depth 0: against random layers on the same embedding that is no difference."""
    embedding = trained().states[0]
    worse = [np.random.default_rng(seed).normal(size=embedding.shape) for seed in range(8)]
    model = states_of([embedding, *worse[:3]])
    own = [states_of([embedding, *worse[seed : seed + 3]]) for seed in range(1, 6)]
    found = decided(measure(side(model), drawn(0), own, own))
    assert found.layers is not None
    assert abs(found.layers[0].value) < 0.2
    assert not any(found.by_layers)


def test_depths_before_the_first_one_do_not_count() -> None:
    a, b = trained(0), trained(1)
    since = ProfileComparer().compare(replace(side(a), first_depth=2), replace(side(b), first_depth=2))
    cut = ProfileComparer().compare(side(states_of(a.states[2:])), side(states_of(b.states[2:])))
    for one, other in zip(since.all, cut.all, strict=True):
        assert (one.value, one.error, one.freedom) == pytest.approx((other.value, other.error, other.freedom))


class Depths(list[np.ndarray]):
    """Counts how often any is read."""

    n_read = 0

    def __getitem__(self, depth: Any) -> Any:
        self.n_read += 1
        return super().__getitem__(depth)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[depth] for depth in range(len(self)))


def test_a_control_is_read_once_unless_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    control = drawn(0)
    read_states, states_again = Depths(control.states), Depths(control.states)
    found = measure(side(trained()), replace(control, states=read_states), [])
    assert read_states.n_read == control.n_depths + 1  # the first one's size is asked for before
    monkeypatch.setattr(untrained, "_MOST_IN_MEMORY", 0)
    again = replace(control, states=states_again)
    assert pickle.dumps(measure(side(trained()), again, [])) == pickle.dumps(found)
    assert states_again.n_read > 2 * control.n_depths
