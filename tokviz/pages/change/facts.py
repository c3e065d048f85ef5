"""What else differs between two models: facts that each has of its own, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from tokviz.pages.findings.changes import Shift
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.wording import joined, neurons_named, number, weights_format
from tokviz.records import NOT_KNOWN, ContextReport, ModelReport, depth_name

Row = tuple[str, str, str]


def facts_of_both(shift: Shift) -> list[Row]:
    """Of each fact its name and what it is before and after; those that neither has are left out."""
    before, after = (dict(_facts(model, context)) for model, context, _ in shift.sides)
    return [(name, before.get(name, "not known"), after.get(name, "not known")) for name in before | after]


def _facts(model: ModelReport, context: ContextReport) -> Iterator[tuple[str, str]]:
    card, geometry, found = context.states.card, context.geometry, finding_of(model)
    if card.dtype != NOT_KNOWN:  # as it is of given states
        yield "Weights", f"{weights_format(card)}, computed in {card.dtype}"
    if geometry and geometry.massive.emergence_depth is None:
        yield "Massive activations", "none"
    elif geometry and (depth := geometry.massive.emergence_depth) is not None:
        yield "Massive activations", f"from {depth_name(depth)} on"
        yield "in dimensions", joined(map(str, geometry.massive.dimensions[depth]))
    if found and found.context == context.states.context:
        yield (
            "written by",
            f"{neurons_named(found.neurons)} of layer {found.layer}" if found.neurons else f"layer {found.layer}",
        )
    if context.loss and context.loss.intact is not None:
        yield "Next-token loss, nats per token", number(context.loss.intact)
