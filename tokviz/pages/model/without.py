"""What is measured when the neurons that write a break are set to their mean and to zero, beside the model as it is.

A table, and what is stated beside it: facts of ``catalogue/neurons.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import projection_label, the_depth
from tokviz.records import PASSAGE_TOKENS, ContextReport, Intervention, Loss, LossChange, ModelReport

_TRIED: tuple[Literal["mean", "off", "control"], ...] = ("mean", "off", "control")
"""In the order of the columns: first what leaves the model's predictions most as they are."""


AS_THEY_ARE = "centered"
"""The projection that keeps the dimensions' scale: what the finding says of variance is seen in it."""
NEARLY = 0.05
"""A norm that changes by a smaller share than this hardly changes."""


def without(model: ModelReport, context: ContextReport, page: str) -> dict[str, Any] | None:
    """What the template takes; None where it wasn't tried.

    Parameters
    ----------
    page : path of the page that shows it.
    """
    twin = context.twin
    done = twin.states.intervention if twin is not None else None
    if context.geometry is None or twin is None or done is None:
        return None
    by_rule = {rule: context.intervened(rule) for rule in _TRIED}
    tried = {rule: each for rule, each in by_rule.items() if each is not None and each.geometry is not None}
    depth, last = done.layer + 1, context.states.n_depths - 1
    return {
        "twin": twin,
        "done": done,
        "plates": [*_twins(model, context, twin, depth, page)],
        # Where both are shown in step.
        "pair": f"#{slide_id(context.states.context.name, depth)}+{twin.states.context.name}",
        "tried": [*tried],
        "captures": [context.in_first_template, *tried.values()],
        # Where neighbors are counted; of several sentences in the first.
        "depths": [*dict.fromkeys((depth, last))],
        "of_first": context.has_templates,
        "loss": context.loss,
        "paragraphs": without_facts(context, done),
    }


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


# --- what is stated --------------------------------------------------------------------------------------------------


def without_facts(context: ContextReport, done: Intervention) -> tuple[tuple[Fact, ...], ...]:
    """By paragraph, what is to be said of a context and of what was done to the neurons that write its break."""
    paragraphs = (
        _zero_and_mean(context, done),
        _control(context),
        _random(context),
        _loss(context.loss, done),
        _what_follows(context, done),
    )
    return tuple(stated for facts in paragraphs if (stated := tuple(facts)))


# --- zero and mean ---------------------------------------------------------------------------------------------------


def _zero_and_mean(context: ContextReport, done: Intervention) -> Iterator[Fact]:
    """Why both were tried; of what follows from them only what was measured."""
    off, mean = context.intervened("off"), context.intervened("mean")
    if mean is None:
        return
    yield Fact("neurons.without.zero_and_mean", how_many=len(done.neurons))
    if off is None:
        return
    if _keeps_the_norm(context, mean, done.layer + 1):
        yield Fact("neurons.without.norm_stays")
    if _same_picture(off, mean, done.layer + 1):
        yield Fact("neurons.without.same_plot", depth=done.layer + 1)


def _keeps_the_norm(context: ContextReport, mean: ContextReport, depth: int) -> bool:
    if context.geometry is None or mean.geometry is None:
        return False
    norm, left = (each.spread.mean_norm[depth] for each in (context.geometry, mean.geometry))
    return bool(abs(left - norm) <= NEARLY * norm)


def _same_picture(one: ContextReport, other: ContextReport, depth: int) -> bool:
    """Whether the centered PCA gives the same for both, as far as the variances tell."""
    shares = [
        shown.projection.explained_variance_ratio[depth]
        for context in (one, other)
        for shown in context.projections
        if shown.projection.name == AS_THEY_ARE
    ]
    return len(shares) == 2 and bool(np.allclose(shares[0], shares[1], atol=0.0005))


# --- other neurons ---------------------------------------------------------------------------------------------------


def _control(context: ContextReport) -> Iterator[Fact]:
    """What the control is, and that it isn't as large: none is."""
    breaking = context.states.updates.breaking if context.states.updates else None
    if breaking is None or not breaking.control or context.intervened("control") is None:
        return
    strengths = breaking.control_strengths
    yield Fact("neurons.without.control", neurons=breaking.control, dimension=breaking.dimension, lengths=strengths)
    if all(map(math.isfinite, breaking.strengths)):
        much_larger = max(strengths) < min(breaking.strengths) / 2
        kind = "neurons.without.of_much_larger" if much_larger else "neurons.without.of_others"
        yield Fact(kind, lengths=breaking.strengths)


def _random(context: ContextReport) -> Iterator[Fact]:
    """The most that as many neurons change which are drawn at random."""
    updates = context.states.updates
    if updates is None or updates.breaking is None or updates.random is None:
        return
    n, random = len(updates.breaking.neurons), updates.random
    if not math.isfinite(random.norm_change + random.pc1_change):
        return
    drawn = Fact("neurons.without.random_sets", draws=random.n_draws, size=n)
    if n < 3:
        kind = "neurons.without.random_neurons" if n == 1 else "neurons.without.random_pairs"
        drawn = Fact(kind, draws=random.n_draws)
    yield Fact(
        "neurons.without.random",
        drawn=drawn,
        how_many=random.n_draws,
        depth=updates.breaking.layer + 1,
        norm=random.norm_change,
        pc1=random.pc1_change,
    )


# --- the loss, and what follows from the states ----------------------------------------------------------------------


def _loss(loss: Loss | None, done: Intervention) -> Iterator[Fact]:
    """On what it was measured, and what has no column."""
    if loss is None:
        return
    if loss.intact is None:
        yield Fact("neurons.without.no_loss", reason=str(loss.reason))
        return
    yield Fact("neurons.without.loss", passages=loss.n_passages, tokens=PASSAGE_TOKENS)
    n = len(done.neurons)
    if at_0 := loss.changed_by("off_at_0"):
        yield Fact("neurons.without.loss_at_position_0", how_many=n, change=_change(at_0))
    if drawn := loss.changed_by("random"):
        others = Fact("neurons.without.another") if n == 1 else Fact("neurons.without.others", n=n)
        yield Fact("neurons.without.loss_without_others", others=others, change=_change(drawn))


def _change(change: LossChange) -> tuple[float, float]:
    return change.difference, change.standard_error


def _what_follows(context: ContextReport, done: Intervention) -> Iterator[Fact]:
    yield Fact("neurons.without.what_follows", depth=done.layer + 1, how_many=len(done.neurons))
    if context.loss is None or context.loss.intact is None:
        yield Fact("neurons.without.predictions_unknown")
