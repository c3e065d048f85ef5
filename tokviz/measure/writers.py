"""Which layers change the largest values of hidden states, in which dimensions, and who writes them there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.measure import spread
from tokviz.measure.massive import median_of_sizes
from tokviz.records import (
    MOST_DIMENSIONS,
    BreakingExpert,
    BreakingNeurons,
    LayerUpdate,
    Neurons,
    RandomNeurons,
    SublayerUpdate,
    Updates,
)

MARKED_FACTOR = 2.0
"""By which the largest |x| must change from one depth to the next, either way, for a layer to be marked."""
LEAST_GROWTH = 10.0
"""By which it must grow at a layer for that to be a break."""
LARGE = 100.0
"""What it must reach."""
ENOUGH = 0.95
"""Of what an MLP adds to a dimension: the fewest neurons that write so much are named."""
MOST_NAMED = 8
"""Of more no neuron is singled out."""
LITTLE = 0.01
"""Of what an MLP adds to a dimension: neurons that write less are what those that break it are compared with."""
N_DRAWS = 20
"""Sets of neurons that are drawn at random, to compare with."""


def marked_layers(states: Sequence[np.ndarray]) -> tuple[bool, ...]:
    """Per layer whether the largest |x|, median over words, changes by a factor of two or more.

    Layer 0 is not: it is the first to write at all.

    Parameters
    ----------
    states : of reference words, per depth ``(n_words, width)``.
    """
    largest = _largest(states)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = largest[1:] / largest[:-1]
    marked = (ratios >= MARKED_FACTOR) | (ratios <= 1 / MARKED_FACTOR)
    return (False, *map(bool, marked[1:]))


def changing_dimensions(states: Sequence[np.ndarray]) -> tuple[tuple[int, ...], ...]:
    """Per layer the dimensions with the largest median |change| over words, the largest first.

    None where the width changes, as from some embeddings to the first layer.
    """
    found: list[tuple[int, ...]] = []
    before = states[0]
    for after in states[1:]:
        if after.shape != before.shape:
            found.append(())
        else:
            sizes = np.median(np.abs(after - before), axis=0)
            found.append(tuple(map(int, np.argsort(-sizes, kind="stable")[:MOST_DIMENSIONS])))
        before = after
    return tuple(found)


def breaking_neurons(updates: Updates, states: Sequence[np.ndarray]) -> BreakingNeurons | None:
    """The fewest neurons that write the break: where the largest |x| grows most, by a factor of ten at least.

    None where it doesn't, where more than the MLP writes it, and where no few neurons of one sign do.

    Parameters
    ----------
    states : of reference words, per depth ``(n_words, width)``.
    """
    layer = _layer_of_break(updates, states)
    known = None if layer is None else updates.layers[layer].mlp_and_neurons
    if layer is None or known is None or not _writes_it(known[0], updates.layers[layer]):
        return None
    mlp, neurons = known
    shares = np.array(neurons.contributions[0][:MOST_NAMED]) / mlp.parts[0]
    together = np.cumsum(shares)
    reached = np.flatnonzero(together >= ENOUGH)
    if not len(reached):
        return None
    n_named = int(reached[0]) + 1
    if shares[:n_named].min() <= 0 or together[n_named - 1] > 2 - ENOUGH:
        return None
    named = neurons.indices[0][:n_named]
    strengths = dict(zip(neurons.strongest, neurons.strengths, strict=True))
    control = _control(neurons, mlp.parts[0], n_named)
    return BreakingNeurons(
        layer=layer,
        dimension=updates.layers[layer].dimensions[0],
        neurons=named,
        share=float(together[n_named - 1]),
        activations=neurons.activations[0][:n_named],
        strengths=tuple(strengths.get(neuron, float("nan")) for neuron in named),
        control=control,
        control_strengths=tuple(strengths[neuron] for neuron in control),
    )


def breaking_expert(updates: Updates, states: Sequence[np.ndarray]) -> BreakingExpert | None:
    """The expert of a mixture that writes the break, by the rules of ``breaking_neurons``; None where that finds neurons.

    Parameters
    ----------
    states : of reference words, per depth ``(n_words, width)``.
    """
    layer = _layer_of_break(updates, states)
    known = None if layer is None else updates.layers[layer].mlp_and_experts
    if layer is None or known is None or not _writes_it(known[0], updates.layers[layer]):
        return None
    mixture, experts = known
    share = experts.contributions[0][0] / mixture.parts[0]
    if not ENOUGH <= share <= 2 - ENOUGH or breaking_neurons(updates, states) is not None:
        return None
    return BreakingExpert(
        layer=layer,
        dimension=updates.layers[layer].dimensions[0],
        expert=experts.indices[0][0],
        n_experts=experts.n_experts,
        path=experts.path,
        share=share,
    )


def _layer_of_break(updates: Updates, states: Sequence[np.ndarray]) -> int | None:
    """Where the largest |x| grows most, if by enough and to a large value."""
    largest = _largest(states)
    growth = np.array([0.0, *(largest[2:] / np.maximum(largest[1:-1], np.finfo(float).tiny))])
    layer = int(growth.argmax())
    is_break = growth[layer] >= LEAST_GROWTH and largest[layer + 1] > LARGE and updates.layers[layer].dimensions
    return layer if is_break else None


def _writes_it(sublayer: SublayerUpdate, layer: LayerUpdate) -> bool:
    """Whether a sublayer adds nearly all of what its layer adds to the dimension that changes most."""
    total = sum(each.parts[0] for each in layer.sublayers)
    return bool(total and sublayer.parts[0] / total >= ENOUGH)


def _control(neurons: Neurons, part: float, n_named: int) -> tuple[int, ...]:
    """As many neurons as are named, the strongest of those that write little of the dimension; none where there are too few."""
    written = dict(zip(neurons.indices[0], neurons.contributions[0], strict=True))
    # What isn't among the largest contributions writes at most as much as the smallest of them.
    least = 0.0 if len(written) == neurons.n_neurons else abs(neurons.contributions[0][-1])
    little = [each for each in neurons.strongest if abs(written.get(each, least) / part) < LITTLE]
    return tuple(little[:n_named]) if len(little) >= n_named else ()


def random_draws(breaking: BreakingNeurons, n_neurons: int) -> list[tuple[int, ...]]:
    """Twenty times as many neurons as break a layer, drawn from all others; the same ones each time."""
    others = np.setdiff1d(np.arange(n_neurons), breaking.neurons)
    random = np.random.default_rng(breaking.layer)
    n_drawn = len(breaking.neurons)
    return [tuple(map(int, random.choice(others, n_drawn, replace=False))) for _ in range(N_DRAWS)]


def random_change(intact: np.ndarray, without: Sequence[np.ndarray]) -> RandomNeurons:
    """How far a layer's states change at most when neurons that were drawn at random are zero.

    Parameters
    ----------
    intact, without : ``(n_words, width)``: what the layer gives as it is, and in each draw.
    """
    norms = [float(np.linalg.norm(each, axis=1).mean()) for each in (intact, *without)]
    shares = [_pc1_share(each) for each in (intact, *without)]
    return RandomNeurons(
        n_draws=len(without),
        norm_change=max(abs(each / norms[0] - 1) for each in norms[1:]),
        pc1_change=max(abs(each - shares[0]) for each in shares[1:]),
    )


def _pc1_share(states: np.ndarray) -> float:
    """Of the centred states' variance."""
    variances = spread.principal(states)[0] ** 2
    return float(variances[-1] / variances.sum())


def _largest(states: Sequence[np.ndarray]) -> np.ndarray:
    """``(n_depths,)``: the largest |x| of each word, median over words."""
    return np.array([float(median_of_sizes(np.abs(state).max(axis=1))) for state in states])
