"""What is said beside the table of neurons that are set to their mean and to zero: facts, and paragraphs made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from tokviz.pages.model.unnamed import UnnamedFact, the_same
from tokviz.pages.text.wording import NBSP, count, joined_by_and, neurons_named, number, small_share
from tokviz.records import PASSAGE_TOKENS, ContextReport, Intervention, Loss, LossChange

Facts = tuple[UnnamedFact, ...]
"""Those of one paragraph, each of which adds its own part."""
ONE, SEVERAL = "the neuron", "the neurons"
"""What is set to a value."""
NEARLY = 0.05
"""A norm that changes by a smaller share than this hardly changes."""


def paragraphs(context: ContextReport, done: Intervention) -> tuple[str, ...]:
    """Of a context with interventions, and what was done to the neurons that write its break."""
    return tuple(map(paragraph, facts(context, done)))


def facts(context: ContextReport, done: Intervention) -> tuple[Facts, ...]:
    """What is to be said, paragraph by paragraph."""
    stated = (
        _zero_and_mean(context, done),
        _control(context),
        _random(context),
        _loss(context.loss, done),
        _what_follows(context, done),
    )
    return tuple(found for each in stated if (found := tuple(each)))


def paragraph(stated: Facts) -> str:
    """The paragraph that states these facts.

    Raises
    ------
    KeyError, ValueError : a fact of no known form.
    """
    return f"{''.join(_PARTS[each.kind](each) for each in stated)}."


def _neurons(done: Intervention) -> str:
    return ONE if len(done.neurons) == 1 else SEVERAL


# --- zero and mean ---------------------------------------------------------------------------------------------------


def _zero_and_mean(context: ContextReport, done: Intervention) -> Iterator[UnnamedFact]:
    """Why both were tried; of what follows from them only what was measured."""
    off, mean = context.intervened("off"), context.intervened("mean")
    if mean is None:
        return
    yield UnnamedFact(kind="zero and mean", subject=(_neurons(done),))
    if off is None:
        return
    if _keeps_the_norm(context, mean, done.layer + 1):
        yield UnnamedFact(kind="norm stays")
    if _same_picture(off, mean, done.layer + 1):
        yield UnnamedFact(kind="same plot", subject=(f"layer {done.layer}",))


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


def _say_zero_and_mean(fact: UnnamedFact) -> str:
    (neurons,) = fact.subject
    they, their, write, tell = (
        ("it", "its", "writes", "tells") if neurons == ONE else ("they", "their", "write", "tell")
    )
    return (
        f"Set to zero, {neurons} {write} nothing. Set to {their} mean over the words, at position 0, {they} {write} the "
        f"same for every word, so {they} no longer {tell} words apart"
    )


def _say_same_plot(fact: UnnamedFact) -> str:
    (layer,) = fact.subject
    return f". At {layer} itself both give the same centered plot: they differ by one vector, the same for all words"


# --- other neurons ---------------------------------------------------------------------------------------------------


def _control(context: ContextReport) -> Iterator[UnnamedFact]:
    """What the control is, and that it isn't as large: none is."""
    breaking = context.states.updates.breaking if context.states.updates else None
    if breaking is None or not breaking.control or context.intervened("control") is None:
        return
    named = (neurons_named(breaking.control), f"dimension {breaking.dimension}")
    yield UnnamedFact(kind="control", subject=named, values=breaking.control_strengths)
    if all(map(math.isfinite, breaking.strengths)):
        much_larger = max(breaking.control_strengths) < min(breaking.strengths) / 2
        yield UnnamedFact(kind="of much larger" if much_larger else "of others", values=breaking.strengths)


def _say_control(fact: UnnamedFact) -> str:
    named, dimension = fact.subject
    they_add, vectors = ("it adds", "a vector") if len(fact.values) == 1 else ("they add", "vectors")
    return (
        f"The control is {named} of the same layer. Of all neurons that write less than 1{NBSP}% of {dimension}, {they_add} "
        f"most to the hidden state: {vectors} with a mean length of {_sizes(fact)}"
    )


def _say_of_others(fact: UnnamedFact) -> str:
    return f", compared with {_sizes(fact)} for {'the one' if len(fact.values) == 1 else 'those'} switched off"


def _say_of_much_larger(fact: UnnamedFact) -> str:
    these_are = "This is" if len(fact.values) == 1 else "These are"
    return f"{_say_of_others(fact)}. {these_are} much smaller, so the control can’t show what removing something as large would do"


def _sizes(fact: UnnamedFact) -> str:
    return joined_by_and([number(each) for each in fact.values])


def _random(context: ContextReport) -> Iterator[UnnamedFact]:
    updates = context.states.updates
    if updates is None or updates.breaking is None or updates.random is None:
        return
    n_named, drawn = len(updates.breaking.neurons), updates.random
    if math.isfinite(drawn.norm_change + drawn.pc1_change):
        sets = {1: "neuron", 2: "pair"}.get(n_named, "set")
        of_what = {1: "", 2: "of neurons "}.get(n_named, f"of {n_named} neurons ")
        named = (sets, f"{of_what}of layer {updates.breaking.layer}")
        yield UnnamedFact(kind="random", subject=named, values=(drawn.n_draws, drawn.norm_change, drawn.pc1_change))


def _say_random(fact: UnnamedFact) -> str:
    (sets, of_what), (n_draws, norm, pc1) = fact.subject, fact.values
    return (
        f"{count(int(n_draws), sets)} {of_what}, drawn at random and set to zero, {'changes' if n_draws == 1 else 'change'} the "
        f"words’ mean norm there by at most {small_share(norm)}, and the share of the centered variance that PC1 holds by at "
        f"most {small_share(pc1).removesuffix('%')}percentage points"
    )


# --- the loss, and what follows from the states ----------------------------------------------------------------------


def _loss(loss: Loss | None, done: Intervention) -> Iterator[UnnamedFact]:
    """On what it was measured, and what has no column."""
    if loss is None:
        return
    if loss.intact is None:
        yield UnnamedFact(kind="no loss", subject=(str(loss.reason),))
        return
    yield UnnamedFact(kind="loss", values=(loss.n_passages,))
    n = len(done.neurons)
    if at_0 := loss.changed_by("off_at_0"):
        yield _changed("loss at position 0", _neurons(done), at_0)
    if drawn := loss.changed_by("random"):
        yield _changed("loss without others", "another neuron" if n == 1 else f"{n} other neurons", drawn)


def _changed(kind: str, named: str, change: LossChange) -> UnnamedFact:
    return UnnamedFact(kind=kind, subject=(named,), values=(change.difference, change.standard_error))


def _say_loss(fact: UnnamedFact) -> str:
    (n_passages,) = fact.values
    return (
        f"The next-token loss is measured on {n_passages} passages of {PASSAGE_TOKENS} tokens, in nats per token. The changes "
        "are means over the passages ± their standard errors"
    )


def _say_loss_at_0(fact: UnnamedFact) -> str:
    (neurons,), (difference, error) = fact.subject, fact.values
    return f". With {neurons} set to zero at position 0 only, the change is {said_change(difference, error)}"


def _say_loss_without_others(fact: UnnamedFact) -> str:
    (others,), (difference, error) = fact.subject, fact.values
    return f"; with {others} drawn at random and set to zero everywhere, it is {said_change(difference, error)}"


def said_change(difference: float, error: float) -> str:
    """``+1.18 ± 0.08``: to the digit in which the standard error begins, at least to two decimals."""
    decimals = 2 if error == 0 else min(6, max(2, math.ceil(-math.log10(error))))
    return f"{difference:+.{decimals}f}{NBSP}±{NBSP}{error:.{decimals}f}".replace("-", "−")


def _what_follows(context: ContextReport, done: Intervention) -> Iterator[UnnamedFact]:
    yield UnnamedFact(kind="what follows", subject=(f"layer {done.layer}", _neurons(done)))
    if context.loss is None or context.loss.intact is None:
        yield UnnamedFact(kind="predictions unknown")


def _say_what_follows(fact: UnnamedFact) -> str:
    layer, neurons = fact.subject
    these, write = ("this neuron", "writes") if neurons == ONE else ("these neurons", "write")
    return (
        f"At {layer} itself the changed states are the unchanged ones less what {these} {write}: that much follows from the "
        "states alone. Later layers work with the changed states, and only what is measured there is an effect of the "
        f"intervention. They were trained with what {neurons} {write}"
    )


_PARTS: dict[str, Callable[[UnnamedFact], str]] = {
    "zero and mean": _say_zero_and_mean,
    "norm stays": lambda _: "; the mean norm hardly changes",
    "same plot": _say_same_plot,
    "control": _say_control,
    "of others": _say_of_others,
    "of much larger": _say_of_much_larger,
    "random": _say_random,
    "no loss": lambda fact: f"The next-token loss wasn’t measured: {the_same(fact.subject)}",
    "loss": _say_loss,
    "loss at position 0": _say_loss_at_0,
    "loss without others": _say_loss_without_others,
    "what follows": _say_what_follows,
    "predictions unknown": lambda _: ", and how well the model predicts text without that isn’t measured here",
}
"""What a fact of each kind adds to its paragraph."""
