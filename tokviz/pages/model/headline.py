"""What the first page opens with: the report's finding in one sentence, and what it is about."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tokviz.config.finding import MOST_WORDS_IN_FINDING
from tokviz.pages.frame.index import captured
from tokviz.pages.model.unnamed import UnnamedFact
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.extent import is_partial
from tokviz.pages.text.findings import finding_of, flattening, norm_jump
from tokviz.pages.text.wording import (
    NBSP,
    in_words,
    neurons_counted,
    number,
    percent,
    small_share,
    the_depth,
    whole_percent,
)
from tokviz.records import LEVEL, Context, ContextReport, Finding, ModelReport, Report
from tokviz.text import counted

HOLD, NONE_HOLD, NOT_TESTED, NOTHING, JUMP = "hold", "none hold", "not tested", "nothing", "jump"
"""Kinds of what is stated where there is no finding."""

LEAST_CHANGE = 1e-4
"""Smaller shares aren't told apart."""


@dataclass(frozen=True, kw_only=True)
class Purity:
    """How many of a word's nearest neighbors are of its category, in all dimensions."""

    model: ModelReport
    context: ContextReport
    depth: int
    value: float
    effect: float
    """How far that is on the way from chance to the highest possible value."""
    chance: float
    is_tested: bool
    """Whether there is a test of it: none where words in one case are all of one category, or where they are too few."""
    is_clear: bool
    """Whether it is claimed to be above chance."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A sentence, and what it is about."""

    sentence: str
    model: ModelReport
    finding: Finding | None = None
    """Of the model."""
    best: Purity | None = None
    """Where categories hold best, in a report without a finding, or the first that was measured; None where nothing was."""
    stated: UnnamedFact | None = None
    """What the sentence is made of, where it isn't the finding."""
    is_of_all: bool = False
    """Whether the sentence is about all models, of which ``model`` is the first."""

    @property
    def depth(self) -> int | None:
        """Which one the numbers' sentence is about; None where it is about all."""
        if self.finding:
            return self.finding.layer + 1
        return self.best.depth if self.best and self.best.is_clear else None

    @property
    def context(self) -> Context | None:
        """The same of contexts."""
        if self.finding:
            return self.finding.context
        return self.best.context.states.context if self.best and self.best.is_clear else None


def headline(report: Report) -> Headline | None:
    """What the author says, else what the numbers say; None where no model could be captured."""
    by_itself = _by_itself(report)
    said = report.opening
    if said is None or said.sentence is None or by_itself is None or unshown_rows(report):
        return by_itself
    return replace(by_itself, sentence=said.sentence)


def unshown_rows(report: Report) -> tuple[str, ...]:
    """Rows of the author's that aren't there, for a reason that isn't theirs: something couldn't be captured."""
    rows = report.opening.rows if report.opening else ()
    known = {address for model in report.models for address in row_addresses(model)}
    return tuple(each for each in rows if each not in known)


def has_failed(model: ModelReport, row: str) -> bool:
    """Whether a row isn't there since the model, or the model with neurons changed, couldn't be captured."""
    name = row.partition("/")[2]
    changed = [context for context in model.contexts if name.startswith(f"{context.states.context.name}-")]
    return model.failure is not None or (
        row not in row_addresses(model) and any(each.failed_interventions for each in changed)
    )


def row_addresses(model: ModelReport) -> tuple[str, ...]:
    """``MODEL/CONTEXT`` of all that can be a row of the first page's picture."""
    return tuple(f"{model.slug}/{context.states.context.name}" for context in model.captures)


# --- what the numbers say ------------------------------------------------------------------------------------------


def _by_itself(report: Report) -> Headline | None:
    models = captured(report)
    if not models:
        return None
    found = [(model, finding) for model in models if (finding := finding_of(model))]
    # What is undone without its neurons says most.
    flat = [(model, finding) for model, finding in found if finding.flattens]
    undone = [(model, finding) for model, finding in found if finding.is_undone]
    if found:
        model, finding = (flat or undone or found)[0]
        return Headline(sentence=finding_sentence(model, finding), model=model, finding=finding)
    return _where_categories_hold(models)


def finding_sentence(model: ModelReport, finding: Finding) -> str:
    """At most 25 words; the model's name, and what can be left out, where there is space for it."""
    n_named = len(finding.neurons)
    if finding.n_neurons is None:
        who = (f"expert {finding.expert} of {finding.n_experts}", f"expert {finding.expert}")
    else:
        who = (f"{in_words(n_named)} of {finding.n_neurons:,} neurons", neurons_counted(n_named))
    one = n_named <= 1
    before, after = number(finding.before), number(finding.after)
    if finding.flattens:
        flattens, without = map(text, flattening(finding))
        said = (f"{flattens}; {without}", flattens)
    elif finding.is_undone:
        verb, without = ("raises", "it the norm") if one else ("raise", "them it")
        grows = f"{verb} the words’ mean norm from {before} to {after}"
        said = (f"{grows}; without {without} is {number(finding.without)}", grows)
    else:
        writes = f"{'writes' if one else 'write'} {percent(finding.share)} of the MLP’s update to dimension {finding.dimension}"
        said = (f"{writes}; the mean norm goes from {before} to {after}", writes)
    wheres = [f"layer {finding.layer}{of_model}" for of_model in (f" of {model.display_name}", "")]
    sentences = [f"At {where}, {each} {what}." for what in said for where in wheres for each in who]
    return next(each for each in sentences if len(each.split()) <= MOST_WORDS_IN_FINDING)


def certainty(said: Headline) -> str:
    """How sure what the numbers say is; empty where nothing is known of that."""
    if said.finding is not None:
        return _against_random(said.model, said.finding)
    geometry = said.best.context.geometry if said.best else None
    if geometry is None or (said.stated and said.stated.kind == NOT_TESTED):
        return ""
    return (
        f"Tested against {geometry.n_permutations:,} shuffles of the words’ categories, at a level of {whole_percent(LEVEL)} for the "
        "whole report."
    )


def _against_random(model: ModelReport, finding: Finding) -> str:
    """What as many neurons change that are drawn at random."""
    of_context = (each.states.updates for each in model.contexts if each.states.context == finding.context)
    random = next((each.random for each in of_context if each), None)
    if random is None or not finding.flattens or not math.isfinite(random.pc1_change):
        return ""
    sets = {2: "pair"}.get(len(finding.neurons), "set")
    which = f"{counted(random.n_draws, f'random {sets}')} of the layer’s neurons"
    if len(finding.neurons) == 1:
        which = f"{counted(random.n_draws, 'random neuron')} of the layer"
    change = "changes" if random.n_draws == 1 else "change"
    size = f"at most {small_share(random.pc1_change).removesuffix('%')}"
    if random.pc1_change < LEAST_CHANGE:
        size = f"less than {100 * LEAST_CHANGE:g}{NBSP}"
    return f"Set to zero, {which} {change} that share by {size}percentage points."


def _purities(models: list[ModelReport]) -> Iterator[Purity]:
    for model in models:
        for context in model.contexts:
            purity = context.geometry.purity if context.geometry else None
            for depth, value in enumerate(purity.value if purity else ()):
                if purity is not None and math.isfinite(value):
                    above = purity.above_chance
                    yield Purity(
                        model=model,
                        context=context,
                        depth=depth,
                        value=float(value),
                        effect=float(np.nan_to_num(purity.effect[depth])),
                        chance=float(purity.null_mean[depth]),
                        is_tested=above.can_be_tested and bool(np.isfinite(above.p_value[depth])),
                        is_clear=bool(above.holds[depth]),
                    )


def _where_categories_hold(models: list[ModelReport]) -> Headline | None:
    purities = list(_purities(models))
    clear = max((each for each in purities if each.is_clear), key=lambda each: each.effect, default=None)
    if not purities:
        return _nothing_measured(models[0])
    if clear is not None:
        named = (the_depth(clear.depth), clear.model.display_name)
        fact = UnnamedFact(kind=HOLD, subject=named, values=(clear.value, clear.chance))
        return Headline(sentence=fact_sentence(fact), stated=fact, model=clear.model, best=clear)
    # The largest of what is at chance is the largest by chance.
    n_measured = len({each.model.slug for each in purities})
    is_tested = any(each.is_tested for each in purities)
    fact = UnnamedFact(kind=NONE_HOLD, values=(n_measured,)) if is_tested else UnnamedFact(kind=NOT_TESTED)
    return Headline(
        sentence=fact_sentence(fact),
        stated=fact,
        model=purities[0].model,
        best=purities[0],
        is_of_all=n_measured > 1,
    )


def _nothing_measured(model: ModelReport) -> Headline | None:
    """An invitation, where there is neither a finding nor a number; None where there is nothing to compare."""
    states = model.contexts[0].states
    fact = UnnamedFact(kind=NOTHING, subject=(the_depth(states.n_depths - 1),) if is_partial(model.contexts[0]) else ())
    said = Headline(sentence=fact_sentence(fact), stated=fact, model=model)
    return said if states.n_depths > 1 else None


def where_categories_hold(model: ModelReport) -> str | None:
    """What a model's page opens with where there is no finding; None where nothing was measured."""
    first, *others = tuple(map(fact_sentence, opening_facts(model))) or ("",)
    return " ".join([first, "Neighbors are counted in all dimensions.", *others]) if first else None


def opening_facts(model: ModelReport) -> tuple[UnnamedFact, ...]:
    """Where categories hold, or that they don't, and where the norm of the first context jumps; empty where nothing was measured."""
    found = _where_categories_hold([model]) if model.contexts else None
    if found is None or found.best is None or found.stated is None:
        return ()
    own = replace(found.stated, subject=found.stated.subject[:1])  # the page has the model's name above
    return (own, *_jump(model.contexts[0]))


def _jump(context: ContextReport) -> Iterator[UnnamedFact]:
    depth = norm_jump(context.geometry) if context.geometry else None
    if depth is not None and context.geometry is not None:
        before, after = context.geometry.spread.mean_norm[depth - 1 : depth + 1]
        named = (the_depth(depth), context.states.context.label)
        yield UnnamedFact(kind=JUMP, subject=named, values=(float(before), float(after)))


# --- sentences of facts ---------------------------------------------------------------------------------------------


def fact_sentence(fact: UnnamedFact) -> str:
    """The sentence that states it.

    Raises
    ------
    KeyError, ValueError : a fact that no sentence states.
    """
    return _SENTENCES[fact.kind](fact)


def _say_hold(fact: UnnamedFact) -> str:
    """At most 25 words: the model's name, if there is one, where there is space for it."""
    (where, *names), (value, chance) = fact.subject, fact.values
    at = "In the embedding" if where == the_depth(0) else f"At {where}"
    share = (
        f"{whole_percent(value)} of a word’s nearest neighbors share its category; by chance, {whole_percent(chance)}"
    )
    sentences = (f"{at}{of_model}, {share}." for of_model in (*(f" of {each}" for each in names), ""))
    return next(sentence for sentence in sentences if len(sentence.split()) <= MOST_WORDS_IN_FINDING)


def _say_none_hold(fact: UnnamedFact) -> str:
    (n_models,) = map(int, fact.values)
    where = {1: "At no depth", 2: "In neither model"}.get(n_models, f"In none of {in_words(n_models)} models")
    return f"{where} are a word’s nearest neighbors shown to be of its category more often than by chance."


def _say_not_tested(_: UnnamedFact) -> str:
    return "Whether a word’s nearest neighbors are of its category more often than by chance can’t be tested with these words."


def _say_nothing(fact: UnnamedFact) -> str:
    """With the last layer that was captured, where that isn't the model's last one."""
    after = "".join(fact.subject) or "the last"
    return f"Compare how the words lie before the first layer and after {after}."


def _say_jump(fact: UnnamedFact) -> str:
    (where, label), (before, after) = fact.subject, map(number, fact.values)
    return f"At {where} the mean norm (words {label}) jumps from {before} to {after}."


_SENTENCES: dict[str, Callable[[UnnamedFact], str]] = {
    HOLD: _say_hold,
    NONE_HOLD: _say_none_hold,
    NOT_TESTED: _say_not_tested,
    NOTHING: _say_nothing,
    JUMP: _say_jump,
}
