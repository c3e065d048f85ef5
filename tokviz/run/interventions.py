"""Which captures are made with neurons switched off, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tokviz.records import BreakingNeurons, HiddenStates, Intervention, SwitchedOffValue, Tokenization, Updates

if TYPE_CHECKING:
    from torch import nn


def values(states: HiddenStates) -> tuple[SwitchedOffValue, ...]:
    """To what the neurons that write the break of a capture are set; none where there are no such."""
    return values_for(states.updates, states.tokenization)


def values_for(updates: Updates | None, tokenization: Tokenization) -> tuple[SwitchedOffValue, ...]:
    """A mean over the words is one at position 0 only where they are read there."""
    if updates is None or updates.breaking is None:
        return ()
    return ("zero", "mean") if tokenization.reads_position_0 else ("zero",)


def intervention(updates: Updates, breaking: BreakingNeurons, value: SwitchedOffValue) -> Intervention:
    """What is done to switch the neurons of a break off."""
    known = updates.layers[breaking.layer].mlp_and_neurons
    if known is None:
        raise ValueError(f"breaking: expected a layer whose neurons are known, got {breaking.layer}")
    return Intervention(layer=breaking.layer, path=known[1].path, neurons=breaking.neurons, value=value)


def matrix(module: nn.Module, path: str, candidates: Sequence[nn.Module | None]) -> nn.Module:
    """The module of that path in the whole model, of which ``module`` is the base."""
    path_of = {each: own for own, each in module.named_modules()}
    return next(each for each in candidates if each is not None and f".{path}".endswith(f".{path_of[each]}"))
