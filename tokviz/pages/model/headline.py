"""What the first page opens with: the report's finding in one sentence, and the two plates that show it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tokviz.config.finding import MOST_WORDS_IN_FINDING
from tokviz.pages.frame.index import captured
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.text.findings import finding_of, flattening, norm_jump
from tokviz.pages.text.wording import in_words, neurons_counted, number, percent, the_depth, whole_percent
from tokviz.records import ContextReport, Finding, ModelReport, ProjectionReport, Renditions, Report


@dataclass(frozen=True, kw_only=True)
class State:
    """A plate: one depth of a model × context × projection."""

    model: ModelReport
    context: ContextReport
    shown: ProjectionReport
    depth: int

    @property
    def plate(self) -> Renditions | None:
        return self.shown.plates[self.depth]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A sentence, and the two plates that a reader changes between; None where these have no pictures."""

    sentence: str
    states: tuple[State, State] | None
    note: str | None = None
    """What a word of the sentence means."""


NORM = "The norm is the length of the vector that stands for a word."
VARIANCE = "Variance: how far the vectors that stand for the words lie from their mean, over all dimensions as they are, without scaling."
NEIGHBORS = "The sentence above counts neighbors in all dimensions, each scaled to the same standard deviation."


def headline(report: Report) -> Headline | None:
    """What the author says, else what the numbers say; None where no model could be captured."""
    by_itself = _by_itself(report)
    said = report.opening
    if said is None or by_itself is None or unshown_states(report):
        return by_itself
    if not said.states:
        return Headline(sentence=said.sentence, states=by_itself.states)
    one, other = (_state(report, address) for address in said.states)
    return Headline(sentence=said.sentence, states=(one, other) if one and other else None)


# --- what the author says ------------------------------------------------------------------------------------------


def unshown_states(report: Report) -> tuple[str, ...]:
    """Addresses of the author's that have no plate, for a reason that isn't theirs: something couldn't be captured or drawn."""
    addresses = report.opening.states if report.opening else ()
    return tuple(each for each in addresses if (state := _state(report, each)) is None or state.plate is None)


def has_failed(model: ModelReport, address: str) -> bool:
    """Whether a state isn't there since the model, or the model with neurons changed, couldn't be captured."""
    name = address.split("/")[1]
    changed = [context for context in model.contexts if name.startswith(f"{context.states.context.name}-")]
    is_there = any(each.states.context.name == name for each in model.captures)
    return model.failure is not None or (not is_there and any(each.failed_interventions for each in changed))


def state_addresses(model: ModelReport) -> Iterator[str]:
    """Of every plate, and of every depth without a picture."""
    for context in model.captures:
        for index, shown in enumerate(context.projections):
            for depth in range(context.states.n_depths):
                name = shown.projection.name
                address = f"{model.slug}/{slide_id(context.states.context.name, depth)}"
                yield f"{address}/{name}"
                if index == 0:
                    yield address


def _state(report: Report, address: str) -> State | None:
    slug, name, at, *projection = address.split("/")
    depth = 0 if at == "embedding" else int(at.removeprefix("layer-")) + 1
    for model in report.models:
        for context in model.captures:
            if (model.slug, context.states.context.name) == (slug, name) and depth < context.states.n_depths:
                for shown in context.projections:
                    if not projection or [shown.projection.name] == projection:
                        return State(model=model, context=context, shown=shown, depth=depth)
    return None


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
        note = VARIANCE if finding.flattens else NORM
        return Headline(sentence=finding_sentence(model, finding), states=_states_of(model, finding), note=note)
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
        flattens, without = flattening(finding, one=one)
        said = (f"{flattens}; {without}", flattens)
    elif finding.is_undone:
        verb, without = ("raises", "it the norm") if one else ("raise", "them it")
        grows = f"{verb} the words’ mean norm from {before} to {after}"
        said = (f"{grows}; without {without} is {number(finding.without)}", grows)
    else:
        writes = f"{'writes' if one else 'write'} {percent(finding.share)} of the MLP’s update to dimension {finding.dimension}"
        said = (f"{writes}; the mean norm goes from {before} to {after}", writes)
    wheres = [f"layer {finding.layer}{of_model}" for of_model in (f" of {model.display_name}", "")]
    sentences = [f"{each.capitalize()} in {where} {what}." for what in said for where in wheres for each in who]
    return next(each for each in sentences if len(each.split()) <= MOST_WORDS_IN_FINDING)


def _states_of(model: ModelReport, finding: Finding) -> tuple[State, State] | None:
    """Intact and without the neurons where that was captured, else before the layer and after it."""
    context = next(each for each in model.contexts if each.states.context == finding.context)
    depth, twin = finding.layer + 1, context.twin
    if twin is not None and (pair := _pair(_first(model, context, depth), _first(model, twin, depth))):
        return pair
    return _pair(_first(model, context, depth - 1), _first(model, context, depth))


def _first(model: ModelReport, context: ContextReport, depth: int) -> State:
    """In the projection that is shown first."""
    return State(model=model, context=context, shown=context.projections[0], depth=depth)


def _pair(one: State, other: State) -> tuple[State, State] | None:
    is_one = one.shown is other.shown and one.depth == other.depth
    return (one, other) if one.plate and other.plate and not is_one else None


@dataclass(frozen=True, kw_only=True)
class _Purity:
    """How many of a word's nearest neighbors are of its category, in all dimensions."""

    model: ModelReport
    context: ContextReport
    depth: int
    value: float
    effect: float
    """How far that is on the way from chance to the highest possible value."""
    chance: float
    is_clear: bool
    """Whether it is claimed to be above chance."""


def _purities(models: list[ModelReport]) -> Iterator[_Purity]:
    for model in models:
        for context in model.contexts:
            purity = context.geometry.purity if context.geometry else None
            for depth, value in enumerate(purity.value if purity else ()):
                if purity is not None and math.isfinite(value):
                    yield _Purity(
                        model=model,
                        context=context,
                        depth=depth,
                        value=float(value),
                        effect=float(np.nan_to_num(purity.effect[depth])),
                        chance=float(purity.null_mean[depth]),
                        is_clear=bool(purity.above_chance.holds[depth]),
                    )


def _where_categories_hold(models: list[ModelReport]) -> Headline | None:
    purities = list(_purities(models))
    best = max(purities, key=lambda each: each.value, default=None)
    clear = max((each for each in purities if each.is_clear), key=lambda each: each.effect, default=None)
    if best is None:
        return _nothing_measured(models[0])
    if clear is None:
        return Headline(
            sentence="At no depth are a word’s nearest neighbors shown to be of its category more often than by chance.",
            states=_from_start_to(best),
            note=NEIGHBORS,
        )
    return Headline(sentence=_hold_sentence(clear), states=_from_start_to(clear), note=NEIGHBORS)


def where_categories_hold(model: ModelReport) -> str | None:
    """What a model's page opens with where there is no finding; None where nothing was measured."""
    found = _where_categories_hold([model]) if model.contexts else None
    if found is None or found.note != NEIGHBORS:
        return None
    said = f"{found.sentence.replace(f' of {model.display_name}', '', 1)} Neighbors are counted in all dimensions."
    return f"{said}{_jump(model.contexts[0])}"


def _jump(context: ContextReport) -> str:
    """Where the mean norm jumps; empty where it doesn't."""
    depth = norm_jump(context.geometry) if context.geometry else None
    if depth is None or context.geometry is None:
        return ""
    before, after = context.geometry.spread.mean_norm[depth - 1 : depth + 1]
    return f" At {the_depth(depth)} the mean norm (words {context.states.context.label}) jumps from {number(before)} to {number(after)}."


def _hold_sentence(each: _Purity) -> str:
    where = "in the embedding" if each.depth == 0 else f"at {the_depth(each.depth)}"
    share = f"{whole_percent(each.value)} of a word’s nearest neighbors share its category; by chance, {whole_percent(each.chance)}"
    sentences = (f"{where.capitalize()}{name}, {share}." for name in (f" of {each.model.display_name}", ""))
    return next(sentence for sentence in sentences if len(sentence.split()) <= MOST_WORDS_IN_FINDING)


def _nothing_measured(model: ModelReport) -> Headline | None:
    """An invitation, where there is neither a finding nor a number; None where there is nothing to compare."""
    context = model.contexts[0]
    states = _pair(_first(model, context, 0), _first(model, context, context.states.n_depths - 1))
    sentence = "Compare how the words lie before the first layer and after the last."
    return Headline(sentence=sentence, states=states) if states else None


def _from_start_to(each: _Purity) -> tuple[State, State] | None:
    """The embedding and a depth; of the embedding itself, and the last depth."""
    last = each.context.states.n_depths - 1
    return _pair(_first(each.model, each.context, 0), _first(each.model, each.context, each.depth or last))
