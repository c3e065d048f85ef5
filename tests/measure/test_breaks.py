"""Where the largest values change, and the fewest neurons that write the break: or nobody."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tokviz.measure.writers import (
    breaking_expert,
    breaking_neurons,
    changing_dimensions,
    marked_layers,
    random_change,
    random_draws,
)
from tokviz.records import BreakingExpert, Experts, LayerUpdate, Neurons, SublayerUpdate, Updates

N_WORDS, WIDTH, LAYER, DIMENSION = 9, 6, 2, 4


def states(*largest: float) -> list[np.ndarray]:
    """Per depth words whose largest |x| is given, in one dimension, and small elsewhere."""
    found = []
    for depth, value in enumerate(largest):
        state = np.random.default_rng(depth).uniform(-0.1, 0.1, size=(N_WORDS, WIDTH))
        state[:, DIMENSION] = value
        found.append(state.astype(np.float32))
    return found


def updates(
    shares: tuple[float, ...], part: float = 990.0, attention: float = 10.0, experts: tuple[float, ...] = ()
) -> Updates:
    """Of which one layer's neurons are known, or its experts if those have shares."""

    def sublayer(
        kind: str, value: float, neurons: Neurons | None = None, experts: Experts | None = None
    ) -> SublayerUpdate:
        return SublayerUpdate(
            path=kind,
            kind=kind,  # type: ignore[arg-type]  # one of three
            norm=1.0,
            norm_at_0=1.0,
            cosine=0.0,
            cosine_at_0=0.0,
            parts=(value,),
            parts_at_0=(value,),
            neurons=neurons,
            experts=experts,
        )

    known = Neurons(
        path="mlp.down_proj",
        n_neurons=64,
        indices=(tuple(range(10, 10 + len(shares))),),
        contributions=(tuple(part * share for share in shares),),
        activations=(tuple(float(index) for index in range(len(shares))),),
        strongest=(*range(10, 10 + len(shares)), 40, 41),
        strengths=(*(abs(part * share) for share in shares), 3.0, 2.0),
    )
    mixture = Experts(
        path="mlp.experts",
        n_experts=32,
        indices=(tuple(range(20, 20 + len(experts))),),
        contributions=(tuple(part * share for share in experts),),
    )
    of_layer = known if shares else None, mixture if experts else None
    layers = [
        LayerUpdate(
            sublayers=(
                sublayer("attention", attention),
                sublayer("mlp", part, *(of_layer if index == LAYER else ())),
            ),
            sum_error=0.0,
            stream_norm=1.0,
            stream_norm_at_0=1.0,
            dimensions=(DIMENSION,),
            marked=index == LAYER,
        )
        for index in range(4)
    ]
    return Updates(layers=tuple(layers), n_words=N_WORDS)


BREAK = states(1.0, 30.0, 30.0, 1000.0, 1000.0)


def test_layers_are_marked_where_the_largest_value_doubles_or_halves_but_the_first() -> None:
    assert marked_layers(states(1.0, 50.0, 50.0, 99.0, 100.0)) == (False, False, False, False)
    assert marked_layers(states(1.0, 50.0, 100.0, 100.0, 50.0)) == (False, True, False, True)
    assert marked_layers(states(0.0, 1.0, 1.0)) == (False, False)


def test_the_dimensions_that_change_most_come_first() -> None:
    changing = changing_dimensions(BREAK)
    assert [each[0] for each in changing] == [DIMENSION, *[changing[1][0]], DIMENSION, changing[3][0]]
    assert all(len(set(each)) == 4 for each in changing)
    wider = [np.zeros((N_WORDS, 3), np.float32), *BREAK]
    assert changing_dimensions(wider)[0] == ()


@pytest.mark.parametrize(
    ("shares", "named"),
    [
        ((0.97, 0.01), (10,)),
        ((0.73, 0.26, 0.005), (10, 11)),
        ((0.12,) * 8, (10, 11, 12, 13, 14, 15, 16, 17)),
        ((0.11,) * 9, None),
        ((1.5, -0.4), None),
        ((0.6, -0.3, 0.4, 0.3), None),
    ],
)
def test_the_fewest_neurons_of_one_sign_are_named(shares: tuple[float, ...], named: tuple[int, ...] | None) -> None:
    found = breaking_neurons(updates(shares), BREAK)
    if named is None:
        assert found is None
    else:
        assert found is not None
        assert (found.layer, found.dimension, found.neurons) == (LAYER, DIMENSION, named)
        assert found.share == pytest.approx(sum(shares[: len(named)]))
        assert len(found.activations) == len(named)


@pytest.mark.parametrize(
    ("shares", "named"),
    [((0.97, 0.02), 20), ((1.04, -0.04), 20), ((0.94, 0.05), None), ((1.06, -0.06), None), ((-0.97, 0.1), None)],
)
def test_an_expert_is_named_that_writes_nearly_all(shares: tuple[float, ...], named: int | None) -> None:
    found = breaking_expert(updates((), experts=shares), BREAK)
    if named is None:
        assert found is None
    else:
        assert found == BreakingExpert(
            layer=LAYER,
            dimension=DIMENSION,
            expert=named,
            n_experts=32,
            path="mlp.experts",
            share=pytest.approx(shares[0]),  # type: ignore[arg-type]  # equal to a float
        )


def test_no_expert_is_named_where_nothing_breaks_or_attention_writes_it_or_neurons_are_named() -> None:
    mixture = updates((), experts=(0.97,))
    assert breaking_expert(mixture, states(1.0, 30.0, 30.0, 200.0, 200.0)) is None
    assert breaking_expert(mixture, states(0.01, 0.3, 0.3, 90.0, 90.0)) is None
    assert breaking_expert(mixture, states(1.0, 1000.0, 1000.0, 1000.0, 1000.0)) is None
    assert breaking_expert(updates((), attention=300.0, experts=(0.97,)), BREAK) is None
    assert breaking_expert(updates((0.97,), experts=(0.97,)), BREAK) is None
    assert breaking_expert(updates((0.5, 0.1), experts=(0.97,)), BREAK) is not None
    assert breaking_expert(updates((0.97,)), BREAK) is None


def test_nothing_breaks_where_nothing_grows_much_or_large_or_attention_writes_it() -> None:
    assert breaking_neurons(updates((0.97,)), states(1.0, 30.0, 30.0, 200.0, 200.0)) is None
    assert breaking_neurons(updates((0.97,)), states(0.01, 0.3, 0.3, 90.0, 90.0)) is None
    assert breaking_neurons(updates((0.97,), attention=300.0), BREAK) is None
    # The first layer's write is no break.
    assert breaking_neurons(updates((0.97,)), states(1.0, 1000.0, 1000.0, 1000.0, 1000.0)) is None


def test_the_control_is_as_many_of_the_strongest_that_write_little() -> None:
    found = breaking_neurons(updates((0.73, 0.26, 0.02, 0.005)), BREAK)
    assert found is not None
    # The third writes two hundredths; the fourth half of one, and is stronger than 40.
    assert (found.neurons, found.control) == ((10, 11), (13, 40))
    part = found.strengths[0] / 0.73
    assert found.strengths == pytest.approx((0.73 * part, 0.26 * part))
    assert found.control_strengths == pytest.approx((0.005 * part, 3.0))
    # The second takes away as much as the third writes: it writes much, too.
    against = breaking_neurons(updates((0.97, -0.2, 0.2)), BREAK)
    assert against is not None
    assert 11 not in against.control
    all_eight = breaking_neurons(updates((0.12,) * 8), BREAK)
    assert all_eight is not None
    assert all_eight.control == ()  # of all others two are left


def test_random_draws_are_of_others_and_the_same_each_time() -> None:
    found = breaking_neurons(updates((0.73, 0.26)), BREAK)
    assert found is not None
    draws = random_draws(found, 64)
    assert draws == random_draws(found, 64)
    assert len({frozenset(each) for each in draws}) > 15
    assert all(len(set(each)) == 2 and not {10, 11} & set(each) and max(each) < 64 for each in draws)


def test_the_largest_change_over_the_draws_counts() -> None:
    random = np.random.default_rng(0)
    intact = random.normal(size=(30, 8))
    stretched = intact * [3, *[1] * 7]
    found = random_change(intact, [intact, intact * 1.02, stretched])
    norms = [np.linalg.norm(each, axis=1).mean() for each in (intact, stretched)]
    shares = [PCA(1).fit(each).explained_variance_ratio_[0] for each in (intact, stretched)]
    assert found.n_draws == 3
    assert found.norm_change == pytest.approx(norms[1] / norms[0] - 1)
    assert found.pc1_change == pytest.approx(shares[1] - shares[0])
