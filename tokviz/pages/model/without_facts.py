"""What is stated beside the table of neurons that are set to their mean and to zero: facts of ``catalogue/neurons.toml``."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tokviz.pages.text.facts import Fact
from tokviz.records import PASSAGE_TOKENS, ContextReport, Intervention, Loss, LossChange

NEARLY = 0.05
"""A norm that changes by a smaller share than this hardly changes."""


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
        if shown.projection.name == "centered"
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
