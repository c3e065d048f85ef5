"""What is measured when the neurons that write a break are set to their mean and to zero, beside the model as it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import (
    NBSP,
    UNKNOWN,
    count,
    joined_by_and,
    neurons_named,
    number,
    percent,
    projection_label,
    small_share,
    the_depth,
    whole_percent,
)
from tokviz.records import (
    PASSAGE_TOKENS,
    BreakingNeurons,
    ContextReport,
    Geometry,
    Intervention,
    InterventionRule,
    Loss,
    LossChange,
    LossRule,
    ModelReport,
    ProjectionReport,
    RandomNeurons,
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
    paragraphs: tuple[str, ...]


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
        heading=f"The same words without {_what(twin)}{neurons_named(done.neurons)} of layer {done.layer}",
        twins=twins,
        pair=Link(text="Step through the layers of both, side by side", href=f"#{address}+{twin.states.context.name}")
        if twins
        else None,
        columns=("unchanged", *(_column(rule, one=len(done.neurons) == 1) for rule in tried)),
        rows=(*_rows(captures, depth, last, of_first=context.has_templates), *_loss_row(context.loss, list(tried))),
        paragraphs=tuple(_paragraphs(context, done)),
    )


def _what(twin: ContextReport) -> str:
    """Nothing of the neurons is left where they are set to zero."""
    return "the variation of " if twin.rule == "mean" else ""


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
        values = (UNKNOWN if each is None else _change(each) for each in changes)
        yield ProofRow(name="Next-token loss in nats, and its change", values=(f"{loss.intact:.2f}", *values))


def _change(change: LossChange) -> str:
    """``+1.18 ± 0.08``: to the digit in which the standard error begins, at least to two decimals."""
    error = change.standard_error
    decimals = 2 if error == 0 else min(6, max(2, math.ceil(-math.log10(error))))
    return f"{change.difference:+.{decimals}f}{NBSP}±{NBSP}{error:.{decimals}f}".replace("-", "−")


def _paragraphs(context: ContextReport, done: Intervention) -> Iterator[str]:
    one = len(done.neurons) == 1
    if context.intervened("mean") is not None:
        yield _zero_and_mean(context, done)
    updates = context.states.updates
    if updates is not None and updates.breaking is not None:
        if updates.breaking.control and context.intervened("control") is not None:
            yield _control(updates.breaking)
        if updates.random is not None and math.isfinite(updates.random.norm_change + updates.random.pc1_change):
            yield _random(updates.breaking, updates.random)
    is_measured = context.loss is not None and context.loss.intact is not None
    if context.loss is not None:
        yield _loss(context.loss, done)
    yield (
        f"At layer {done.layer} itself the changed states are the unchanged ones less what {'this neuron writes' if one else 'these neurons write'}: "
        "that much follows from the states alone. Later layers work with the changed states, and only what is measured there is "
        f"an effect of the intervention. They were trained with what {'the neuron writes' if one else 'the neurons write'}"
        f"{'' if is_measured else ', and how well the model predicts text without that isn’t measured here'}."
    )


def _loss(loss: Loss, done: Intervention) -> str:
    """On what it was measured, and what has no column."""
    if loss.intact is None:
        return f"The next-token loss wasn’t measured: {loss.reason}."
    n = len(done.neurons)
    said = (
        f"The next-token loss is measured on {loss.n_passages} passages of {PASSAGE_TOKENS} tokens, in nats per "
        "token. The changes are means over the passages ± their standard errors"
    )
    at_0, drawn = loss.changed_by("off_at_0"), loss.changed_by("random")
    if at_0 is not None:
        said += f". With {'the neuron' if n == 1 else 'the neurons'} set to zero at position 0 only, the change is {_change(at_0)}"
    if drawn is not None:
        others = "another neuron" if n == 1 else f"{n} other neurons"
        said += f"; with {others} drawn at random and set to zero everywhere, it is {_change(drawn)}"
    return f"{said}."


def _zero_and_mean(context: ContextReport, done: Intervention) -> str:
    """Why both were tried; of what follows from them only what was measured."""
    one = len(done.neurons) == 1
    neurons, they, their = ("the neuron", "it", "its") if one else ("the neurons", "they", "their")
    verb, tell = ("writes", "tells") if one else ("write", "tell")
    said = (
        f"Set to zero, {neurons} {verb} nothing. Set to {their} mean over the words, at position 0, {they} {verb} the "
        f"same for every word, so {they} no longer {tell} words apart"
    )
    off, mean = context.intervened("off"), context.intervened("mean")
    if off is None or mean is None:
        return f"{said}."
    if context.geometry is not None and mean.geometry is not None:
        norm, left = (each.spread.mean_norm[done.layer + 1] for each in (context.geometry, mean.geometry))
        if abs(left - norm) <= _NEARLY * norm:
            said += "; the mean norm hardly changes"
    if _same_picture(off, mean, done.layer + 1):
        said += f". At layer {done.layer} itself both give the same centered plot: they differ by one vector, the same for all words"
    return f"{said}."


_NEARLY = 0.05
"""A norm that changes by a smaller share than this hardly changes."""


def _same_picture(one: ContextReport, other: ContextReport, depth: int) -> bool:
    """Whether the centered PCA gives the same for both, as far as the variances tell."""
    shares = [
        shown.projection.explained_variance_ratio[depth]
        for context in (one, other)
        for shown in context.projections
        if shown.projection.name == "centered"
    ]
    return len(shares) == 2 and bool(np.allclose(shares[0], shares[1], atol=0.0005))


def _control(breaking: BreakingNeurons) -> str:
    """What the control is, and that it isn't as large: none is."""
    one = len(breaking.control) == 1
    sizes = joined_by_and([number(each) for each in breaking.control_strengths])
    known = [each for each in breaking.strengths if math.isfinite(each)]
    against = (
        f", compared with {joined_by_and([number(each) for each in known])} for {'the one' if one else 'those'} switched off"
        if len(known) == len(breaking.strengths)
        else ""
    )
    said = (
        f"The control is {neurons_named(breaking.control)} of the same layer. Of all neurons that write less than 1{NBSP}% "
        f"of dimension {breaking.dimension}, {'it adds' if one else 'they add'} most to the hidden state: "
        f"{'a vector' if one else 'vectors'} with a mean length of {sizes}{against}."
    )
    if against and max(breaking.control_strengths) < min(known) / 2:
        said += (
            f" {'This is' if one else 'These are'} much smaller, so the control can’t show what removing something as "
            "large would do."
        )
    return said


def _random(breaking: BreakingNeurons, random: RandomNeurons) -> str:
    n_named = len(breaking.neurons)
    sets = {1: "neuron", 2: "pair"}.get(n_named, "set")
    of_what = {1: "", 2: " of neurons"}.get(n_named, f" of {n_named} neurons")
    one = random.n_draws == 1
    return (
        f"{count(random.n_draws, sets)}{of_what} of layer {breaking.layer}, drawn at random and set to zero, "
        f"{'changes' if one else 'change'} the words’ mean norm there by at most {small_share(random.norm_change)}, and "
        "the share of the centered variance that PC1 holds by at most "
        f"{small_share(random.pc1_change).removesuffix('%')}percentage points."
    )
