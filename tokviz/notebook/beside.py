"""What of a model is captured or fitted beside a study: with neurons set to a value, untrained, or its lens."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from tokviz.config import LensConfig, ReportConfig
from tokviz.errors import TokvizError
from tokviz.models import AtHand
from tokviz.models.in_memory import PREFIX
from tokviz.records import BreakingNeurons, HiddenStates, Updates
from tokviz.run import pipeline
from tokviz.run.kinds import Lenses, UntrainedModels
from tokviz.run.kinds.lenses import LensInputs
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import ContextPlan
from tokviz.run.work.progress import reporter

NOT_HERE = "expected the model, or what is asked for in the cache, found neither; pass the model to tokviz.study again"


def named(context: ContextPlan, which: str) -> ContextPlan:
    """The same of a model beside the one that was asked for, which its plots and sentences name so: ``Tiny (untrained: random)``."""
    name = f"{context.model.display_name} ({which})"
    return replace(context, model=context.model.model_copy(update={"name": name}))


def why_no_updates(context: ContextPlan, states: HiddenStates) -> str:
    """Why it wasn't measured what a model's layers add."""
    if states.intervention:
        return "expected the model as it is, got one with neurons set to a value"
    if _are_untrained(states, context):
        return "expected the model as it is, got an untrained one"
    return (
        "not measured for states that were given as numbers, and for a model whose weights are read in every pass, or moved "
        "to a GPU"
    )


def _are_untrained(states: HiddenStates, context: ContextPlan) -> bool:
    return states.digest in [each.states.digest for each in context.of(UntrainedModels) if each.states]


def breaking(updates: Updates) -> BreakingNeurons:
    """The neurons that are set where none are named; raises ``TokvizError`` where none write a break."""
    if updates.breaking is None:
        are_known = any(each.sublayers for each in updates.layers)
        raise TokvizError(
            "without: expected a layer and neurons, as no small set of neurons writes a break here"
            if are_known
            else "without: expected an MLP whose neurons are known, found none at any layer"
        )
    return updates.breaking


def captured_beside(config: ReportConfig, plan: Plan, in_memory: AtHand | None, *, quiet: bool) -> Plan:
    """The plan of a configuration of one model, all that it asks for captured.

    Parameters
    ----------
    plan : of the study, whose store is used.
    in_memory : the model itself, where the caller had loaded it.
    quiet : whether nothing is said.

    Raises
    ------
    TokvizError : the model can't be captured so.
    """
    # What is due of a model in memory is known only while it can be found there.
    with in_memory.evaluated() if in_memory else nullcontext():
        asked = Plan(config, plan.options, plan.store)
        if not asked.models[0].due:
            return asked
        with reporter(quiet=quiet) as progress:
            outcome = pipeline.capture_only(config, plan.options, progress, refuses=False)
        if outcome.failures:
            raise TokvizError("; ".join(failed.failure for failed in outcome.failures))
        return Plan(config, plan.options, plan.store)


def fitted_lens(
    plan: Plan, context: ContextPlan, states: HiddenStates, in_memory: AtHand | None, *, quiet: bool
) -> LensInputs:
    """The directions of a model's lens, fitted now where the store has none.

    Parameters
    ----------
    context : in which the model was captured.
    states : those that are to be read.

    Raises
    ------
    TokvizError : the words are a vocabulary, the states an untrained model's, or there is no model to fit it to.
    """
    if plan.config.vocabulary:
        raise TokvizError("lens: expected a list of words, got a whole vocabulary")
    if _are_untrained(states, context):
        raise TokvizError("lens: expected states of the model itself, got those of an untrained model")
    model = context.model.model_copy(update={"lens": True})
    config = plan.config.model_copy(update={"models": [model], "lens": plan.config.lens or LensConfig()})
    captured = captured_beside(config, plan, in_memory, quiet=quiet).models[0].contexts[0].captured
    found = captured.inputs.of(Lenses) if captured else None
    if found is None:
        is_gone = in_memory is None and model.source.startswith(PREFIX)
        why = (
            NOT_HERE
            if is_gone
            else "expected the model on this machine and memory to fit a lens, found too little of either"
        )
        raise TokvizError(f"lens: {why}")
    return found
