"""What each sublayer adds to the residual stream, and which neurons write it.

Made in ``capture/updates.py`` and ``measure/writers.py``; shown by ``pages/model/writers.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_DIMENSIONS = 4
"""Of each layer, those that change most."""
MOST_NEURONS = 64
"""Kept per dimension, the largest contributions."""
MOST_EXPERTS = 8
"""The same of a mixture of experts."""
SINK_WEIGHT = 0.3
"""From which weight on a head is counted that attends to position 0 (Gu et al., ICLR 2025, arXiv 2410.10781)."""

SublayerKind = Literal["attention", "mlp", "mixer"]
"""A mixer is neither: a state-space model, a recurrence, an average of all tokens."""


@dataclass(frozen=True, kw_only=True)
class Neurons:
    """The neurons of one MLP: the inputs of the matrix that gives its output.

    What neuron n adds to dimension d is weight[d, n] × its activation, exactly; behind a norm that is the MLP's last module,
    the norm's weight and its scale for that token are factors, too.
    """

    path: str
    """Of the matrix, such as ``model.layers.11.mlp.down_proj``."""
    n_neurons: int
    indices: tuple[tuple[int, ...], ...]
    """Per dimension of the layer the neurons that contribute most, the largest |contribution| first."""
    contributions: tuple[tuple[float, ...], ...]
    """Theirs, mean over the words."""
    activations: tuple[tuple[float, ...], ...]
    """Their mean activation over the words."""
    strongest: tuple[int, ...]
    """Those with the largest mean |activation| × length of their weights, whatever the dimension, the largest first."""
    strengths: tuple[float, ...]
    """Theirs: the mean length of what such a neuron adds to the hidden state."""


@dataclass(frozen=True, kw_only=True)
class Heads:
    """The heads of one attention: equal slices, one after the other, of the inputs of the matrix that gives its output.

    What a head adds to a dimension is the sum over its slice of weight × input; behind a norm its weight and its scale for
    that token are factors, too. The heads and the matrix's bias sum to what attention adds.
    """

    path: str
    """Of the matrix, such as ``model.layers.11.self_attn.o_proj``."""
    n_heads: int
    contributions: tuple[tuple[float, ...], ...]
    """Per dimension of the layer that of each head, mean over the words."""


@dataclass(frozen=True, kw_only=True)
class Experts:
    """The experts of a mixture: what each adds is its output times its routing weight, 0 for words that it isn't asked for."""

    path: str
    """Of the module that holds them, such as ``model.layers.3.mlp.experts``."""
    n_experts: int
    """Those that words are routed to; what the mixture adds beside theirs is a shared expert's."""
    indices: tuple[tuple[int, ...], ...]
    """Per dimension of the layer the experts that contribute most, the largest |contribution| first."""
    contributions: tuple[tuple[float, ...], ...]
    """Theirs, mean over the words."""


@dataclass(frozen=True, kw_only=True)
class SublayerUpdate:
    """What one sublayer adds; means over the words that were run."""

    path: str
    """Of the module, such as ``model.layers.11.mlp``."""
    kind: SublayerKind
    norm: float
    """Mean ‖update‖ at the token that is read."""
    norm_at_0: float
    """The same at position 0."""
    cosine: float
    """Mean cosine of the update with the residual stream that enters the layer."""
    cosine_at_0: float
    parts: tuple[float, ...]
    """Per dimension of the layer, the mean of what is added there."""
    parts_at_0: tuple[float, ...]
    neurons: Neurons | None
    """Of an MLP in a layer that is marked; None elsewhere, and where the neurons can't be told."""
    heads: Heads | None = None
    """The same of attention."""
    experts: Experts | None = None
    """The same of a mixture of experts."""


@dataclass(frozen=True, kw_only=True)
class LayerUpdate:
    """What one layer adds to the residual stream."""

    sublayers: tuple[SublayerUpdate, ...]
    """In the order in which they run; none where no set of modules sums up to what the layer adds."""
    sum_error: float
    """‖sum of the sublayers − what the layer adds‖ / ‖what it adds‖, over a few tokens; NaN where no set was found."""
    stream_norm: float
    """Mean norm of the residual stream that enters the layer, at the token that is read."""
    stream_norm_at_0: float
    dimensions: tuple[int, ...]
    """Those with the largest median |change| over the reference words, the largest first."""
    marked: bool
    """Whether the largest |x| (median over reference words) changes by a factor of two or more, either way."""

    @property
    def mlp_and_neurons(self) -> tuple[SublayerUpdate, Neurons] | None:
        """The MLP whose neurons are known, and these; None where there is none."""
        known = ((each, each.neurons) for each in self.sublayers if each.neurons is not None)
        return next(known, None)

    @property
    def neuron_shares(self) -> dict[int, dict[int, float]] | None:
        """Dimension → neuron → its share of what the MLP adds there; None where the MLP's neurons aren't known."""
        if self.mlp_and_neurons is None:
            return None
        mlp, neurons = self.mlp_and_neurons
        return {
            dimension: {
                neuron: value / mlp.parts[place]
                for neuron, value in zip(neurons.indices[place], neurons.contributions[place], strict=True)
            }
            for place, dimension in enumerate(self.dimensions)
            if mlp.parts[place]
        }

    @property
    def mlp_and_experts(self) -> tuple[SublayerUpdate, Experts] | None:
        """The mixture whose experts are known, and these; None where there is none."""
        known = ((each, each.experts) for each in self.sublayers if each.experts is not None)
        return next(known, None)


@dataclass(frozen=True, kw_only=True)
class BreakingNeurons:
    """The fewest neurons that write nearly all of what makes the largest |x| grow at once."""

    layer: int
    dimension: int
    neurons: tuple[int, ...]
    """The largest contribution first."""
    share: float
    """Theirs of what the MLP adds to the dimension."""
    activations: tuple[float, ...]
    """Their mean activations over the words."""
    strengths: tuple[float, ...]
    """As in ``Neurons``."""
    control: tuple[int, ...]
    """As many others, the strongest of those that write less than a hundredth of the dimension; none where there are too few."""
    control_strengths: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class RandomNeurons:
    """What the break's layer gives when as many neurons, drawn at random, are set to zero: measured in that layer alone."""

    n_draws: int
    norm_change: float
    """The largest |change| of the words' mean norm, as a share of it."""
    pc1_change: float
    """The largest |change| of the variance that PC1 of the centred states holds, in 0–1."""


@dataclass(frozen=True, kw_only=True)
class BreakingExpert:
    """The expert that writes nearly all of what makes the largest |x| grow at once."""

    layer: int
    dimension: int
    expert: int
    n_experts: int
    path: str
    """Of the module that holds them all."""
    share: float
    """Its part of what the mixture adds to the dimension."""


@dataclass(frozen=True, kw_only=True)
class AttentionToFirst:
    """How much the token that is read attends to position 0, over some reference words in one context."""

    template: str
    """The context's."""
    words: tuple[str, ...]
    mean: tuple[float, ...]
    """Per layer the weight, mean over heads and words, 0 to 1; NaN for a layer without weights of attention."""
    share: tuple[float, ...]
    """Per layer the share of heads whose weight is above ``SINK_WEIGHT``, mean over words; NaN as above."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Updates:
    """What the layers of one capture add to the residual stream, and who writes it."""

    layers: tuple[LayerUpdate, ...]
    n_words: int
    """Reference words that were run for it."""
    breaking: BreakingNeurons | None = None
    """None where the largest |x| grows at no layer, or no few neurons write what grows."""
    random: RandomNeurons | None = None
    """None without ``breaking``, and where the layer can't be run by itself."""
    breaking_expert: BreakingExpert | None = None
    """The same where one expert of a mixture writes it."""

    def __repr__(self) -> str:
        marked = ", ".join(str(layer) for layer, each in enumerate(self.layers) if each.marked) or "none"
        parts = "" if any(each.sublayers for each in self.layers) else ", attention and MLP can’t be separated"
        return f"Updates({len(self.layers)} layers, marked: {marked}{parts}; measured on {self.n_words} words)"


InterventionRule = Literal["off", "mean", "control", "by_hand"]
"""How the neurons were chosen: a break's own, set to zero or to their mean; as many others, to compare with; the author's."""
TWIN_RULES: tuple[InterventionRule, ...] = ("mean", "off")
"""What of a break is shown beside the model as it is: the first of these that was made. The mean leaves the model's
predictions as they are."""
InterventionValue = Literal["zero", "mean"] | float
"""What they were set to. ``zero`` and numbers hold at every token. ``mean`` is the mean over the reference words, at position
0 only: set everywhere it would make every token massive."""


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """What was done to a model while its states were captured: some neurons were set to a value."""

    rule: InterventionRule
    layer: int
    path: str
    """Of the matrix whose inputs they are."""
    neurons: tuple[int, ...]
    value: InterventionValue
