"""What is measured when the neurons that write a break are set to their mean and to zero, beside the model as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.model.without_facts import without_facts
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import (
    UNKNOWN,
    neurons_named,
    number,
    percent,
    projection_label,
    the_depth,
    whole_percent,
    with_error,
)
from tokviz.records import (
    ContextReport,
    Geometry,
    InterventionRule,
    Loss,
    LossRule,
    ModelReport,
    ProjectionReport,
)

_TRIED: tuple[Literal["mean", "off", "control"], ...] = ("mean", "off", "control")
"""In the order of the columns: first what leaves the model's predictions most as they are."""


AS_THEY_ARE = "centered"
"""The projection that keeps the dimensions' scale: what the finding says of variance is seen in it."""


def without(model: ModelReport, context: ContextReport, page: str) -> dict[str, Any] | None:
    """What the template takes; None where it wasn't tried.

    Parameters
    ----------
    page : path of the page that shows it.
    """
    by_rule = {rule: context.intervened(rule) for rule in _TRIED}
    tried = {rule: each for rule, each in by_rule.items() if each is not None and each.geometry is not None}
    twin = context.twin
    done = twin.states.intervention if twin is not None else None
    if context.geometry is None or twin is None or done is None:
        return None
    columns = (context.in_first_template, *tried.values())
    captures = [(each.geometry, each.projections) for each in columns if each.geometry is not None]
    depth, last = done.layer + 1, context.states.n_depths - 1
    return {
        "heading": f"The same words {_tried(twin, f'{neurons_named(done.neurons)} of layer {done.layer}')}",
        "twins": [*_twins(model, context, twin, depth, page)],
        # Where both are shown in step.
        "pair": f"#{slide_id(context.states.context.name, depth)}+{twin.states.context.name}",
        "columns": ["unchanged", *(_column(rule, one=len(done.neurons) == 1) for rule in tried)],
        "rows": [*_rows(captures, depth, last, of_first=context.has_templates), *_loss_row(context.loss, [*tried])],
        "paragraphs": without_facts(context, done),
    }


def _tried(twin: ContextReport, neurons: str) -> str:
    """Nothing of the neurons is left where they are set to zero."""
    return f"with {neurons} held constant" if twin.rule == "mean" else f"without {neurons}"


def _column(rule: InterventionRule, *, one: bool) -> str:
    if rule == "control":
        return "control"
    return f"set to {'its' if one else 'their'} mean" if rule == "mean" else "set to zero"


def _twins(
    model: ModelReport, context: ContextReport, twin: ContextReport, depth: int, page: str
) -> Iterator[tuple[str, Picture, str]]:
    """Of both a caption, the plate and its slide in the carousel, at the depth where the neurons write; none if one has no plate.

    In the projection that shows the states as they are, where it is drawn of both.
    """
    pairs = [
        (intact, changed)
        for intact, changed in zip(context.projections, twin.projections, strict=False)
        if intact.plates[depth] and changed.plates[depth]
    ]
    if not pairs:
        return
    both = next((pair for pair in pairs if pair[0].projection.name == AS_THEY_ARE), pairs[0])
    first, drawn = context.projections[0].projection.name, both[0].projection.name
    for of_context, shown in zip((context, twin), both, strict=True):
        if plate := shown.plates[depth]:
            alt = plate_in_words(model, of_context, shown.projection, depth)
            state = of_context.states.context
            yield (
                f"{the_depth(depth).capitalize()}, words {state.label}, {projection_label(shown.projection.name)} PCA",
                picture(page, plate, alt),
                slide_id(state.name, depth, None if drawn == first else drawn),
            )


Row = tuple[str, Sequence[str]]
"""A number's name, and it of the model as it is and with neurons set to a value."""


def _rows(
    captures: Sequence[tuple[Geometry, tuple[ProjectionReport, ...]]], depth: int, last: int, *, of_first: bool
) -> Iterator[Row]:
    """``of_first``: whether the context has several sentences, of which the first is measured here."""
    at, at_last = the_depth(depth), the_depth(last)
    yield f"Mean norm at {at}", [number(each.spread.mean_norm[depth]) for each, _ in captures]
    yield f"Largest |x| at {at}, median over words", [number(each.massive.largest[depth]) for each, _ in captures]
    for index, shown in enumerate(captures[0][1]):
        name = f"PC1’s share of the variance at {at} ({projection_label(shown.projection.name)})"
        yield name, [percent(each[index].projection.explained_variance_ratio[depth, 0]) for _, each in captures]
    for where, here in {at: depth, at_last: last}.items():
        purities = [each.purity.value[here] for each, _ in captures]
        if np.isfinite(purities[0]):
            which = ", first sentence" if of_first else ""
            yield (
                f"Neighbors of the same category at {where}, in all dimensions{which}",
                [*map(whole_percent, purities)],
            )


def _loss_row(loss: Loss | None, tried: Sequence[LossRule]) -> Iterator[Row]:
    if loss is not None and loss.intact is not None:
        changes = (loss.changed_by(rule) for rule in tried)
        values = (UNKNOWN if each is None else with_error((each.difference, each.standard_error)) for each in changes)
        yield "Next-token loss in nats, and its change", [f"{loss.intact:.2f}", *values]
