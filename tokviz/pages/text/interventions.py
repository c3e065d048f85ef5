"""How captures are called in which neurons are set to a value."""

from __future__ import annotations

from collections.abc import Sequence

from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.wording import number
from tokviz.records import InterventionRule, InterventionValue


def intervention_label(
    context: str, rule: InterventionRule, layer: int, neurons: Sequence[int], value: InterventionValue, own: str | None
) -> str:
    """How a context is called when neurons are set to a value: ``alone, two neurons held constant``; ``own`` is the author's word."""
    if own is not None:
        return text(Fact("neurons.label.own", context=context, own=own))
    if rule in ("off", "control", "mean"):
        return text(Fact(f"neurons.label.{rule}", context=context, n=len(neurons)))
    to = {"zero": Fact("neurons.label.to_zero"), "mean": Fact("neurons.label.to_the_mean")}.get(str(value))
    values = {"neurons": neurons, "layer": layer, "value": to or number(float(value))}
    return text(Fact("neurons.label.by_hand", context=context, **values))


def intervention_in_full(layer: int, neurons: Sequence[int], value: InterventionValue) -> str:
    """``neurons 1229, 1487 of layer 11 set to zero``: all of them, where a run says what it does, and why it failed."""
    to = Fact("neurons.label.to_their_mean") if value == "mean" else str(value)
    return text(Fact("neurons.label.in_full", neurons=neurons, layer=layer, value=to))
