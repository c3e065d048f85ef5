"""What is measured when the neurons that write a break are set to their mean and to zero, beside the model as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.model.without_facts import without_facts
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Link, Picture
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


@dataclass(frozen=True, kw_only=True)
class ProofRow:
    """One number, of the model as it is and with neurons set to a value."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One of two plates beside each other."""

    caption: str
    picture: Picture
    slide: str
    """The address of the same plate in the carousel: ``alone/layer-11``."""


@dataclass(frozen=True, kw_only=True)
class Without:
    """What is measured when the neurons that write a break are set to their mean and to zero."""

    heading: str
    twins: tuple[Twin, ...]
    """Intact and without; empty where one of them has no picture."""
    pair: Link | None
    """Where both are shown in step."""
    columns: tuple[str, ...]
    rows: tuple[ProofRow, ...]
    paragraphs: tuple[tuple[Fact, ...], ...]


_TRIED: tuple[Literal["mean", "off", "control"], ...] = ("mean", "off", "control")
"""In the order of the columns: first what leaves the model's predictions most as they are."""


AS_THEY_ARE = "centered"
"""The projection that keeps the dimensions' scale: what the finding says of variance is seen in it."""


def without(model: ModelReport, context: ContextReport, page: str) -> Without | None:
    """None where it wasn't tried; ``page`` is the path of the page that shows it."""
    by_rule = {rule: context.intervened(rule) for rule in _TRIED}
    tried = {rule: each for rule, each in by_rule.items() if each is not None and each.geometry is not None}
    twin = context.twin
    done = twin.states.intervention if twin is not None else None
    if context.geometry is None or twin is None or done is None:
        return None
    columns = (context.in_first_template, *tried.values())
    captures = [(each.geometry, each.projections) for each in columns if each.geometry is not None]
    depth, last = done.layer + 1, context.states.n_depths - 1
    twins = tuple(_twins(model, context, twin, depth, page))
    address = slide_id(context.states.context.name, depth)
    return Without(
        heading=f"The same words {_tried(twin, f'{neurons_named(done.neurons)} of layer {done.layer}')}",
        twins=twins,
        pair=Link(text="Step through the layers of both, side by side", href=f"#{address}+{twin.states.context.name}")
        if twins
        else None,
        columns=("unchanged", *(_column(rule, one=len(done.neurons) == 1) for rule in tried)),
        rows=(*_rows(captures, depth, last, of_first=context.has_templates), *_loss_row(context.loss, list(tried))),
        paragraphs=without_facts(context, done),
    )


def _tried(twin: ContextReport, neurons: str) -> str:
    """Nothing of the neurons is left where they are set to zero."""
    return f"with {neurons} held constant" if twin.rule == "mean" else f"without {neurons}"


def _column(rule: InterventionRule, *, one: bool) -> str:
    if rule == "control":
        return "control"
    return f"set to {'its' if one else 'their'} mean" if rule == "mean" else "set to zero"


def _twins(model: ModelReport, context: ContextReport, twin: ContextReport, depth: int, page: str) -> Iterator[Twin]:
    """Both at the depth where the neurons write, in the projection that shows the states as they are, where it is drawn of both."""
    pairs = [
        (intact, changed)
        for intact, changed in zip(context.projections, twin.projections, strict=False)
        if intact.plates[depth] and changed.plates[depth]
    ]
    if not pairs:
        return
    intact, changed = next((pair for pair in pairs if pair[0].projection.name == AS_THEY_ARE), pairs[0])
    pictures = (intact.plates[depth], changed.plates[depth])
    first = context.projections[0].projection.name
    name = None if intact.projection.name == first else intact.projection.name
    for of_context, shown, plate in zip((context, twin), (intact, changed), pictures, strict=True):
        if plate is not None:
            alt = plate_in_words(model, of_context, shown.projection, depth)
            yield Twin(
                caption=f"{the_depth(depth).capitalize()}, words {of_context.states.context.label}, "
                f"{projection_label(shown.projection.name)} PCA",
                picture=picture(page, plate, alt),
                slide=slide_id(of_context.states.context.name, depth, name),
            )


def _rows(
    captures: Sequence[tuple[Geometry, tuple[ProjectionReport, ...]]], depth: int, last: int, *, of_first: bool
) -> Iterator[ProofRow]:
    """``of_first``: whether the context has several sentences, of which the first is measured here."""
    at, at_last = the_depth(depth), the_depth(last)

    def row(name: str, values: Iterable[str]) -> ProofRow:
        return ProofRow(name=name, values=tuple(values))

    yield row(f"Mean norm at {at}", (number(each.spread.mean_norm[depth]) for each, _ in captures))
    yield row(f"Largest |x| at {at}, median over words", (number(each.massive.largest[depth]) for each, _ in captures))
    for index, shown in enumerate(captures[0][1]):
        shares = (shown[index].projection.explained_variance_ratio[depth, 0] for _, shown in captures)
        yield row(
            f"PC1’s share of the variance at {at} ({projection_label(shown.projection.name)})", map(percent, shares)
        )
    for where, here in {at: depth, at_last: last}.items():
        purities = [each.purity.value[here] for each, _ in captures]
        if np.isfinite(purities[0]):
            which = ", first sentence" if of_first else ""
            name = f"Neighbors of the same category at {where}, in all dimensions{which}"
            yield row(name, map(whole_percent, purities))


def _loss_row(loss: Loss | None, tried: Sequence[LossRule]) -> Iterator[ProofRow]:
    if loss is not None and loss.intact is not None:
        changes = (loss.changed_by(rule) for rule in tried)
        values = (UNKNOWN if each is None else with_error((each.difference, each.standard_error)) for each in changes)
        yield ProofRow(name="Next-token loss in nats, and its change", values=(f"{loss.intact:.2f}", *values))
