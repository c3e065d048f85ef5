"""``--dry-run``: what a run would make, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import SourceError
from tokviz.pages import notes
from tokviz.pages.text.wording import joined_by_and
from tokviz.records import Directions
from tokviz.run import forecast, places
from tokviz.run.forecast import Expected
from tokviz.run.kinds.controls import MOST_PARAMETERS, UntrainedModels, controls_of
from tokviz.run.kinds.lenses import Lenses
from tokviz.run.kinds.losses import LossText
from tokviz.run.plan.added import added_measures
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.options import Options
from tokviz.run.plan.pairs import Comparison
from tokviz.run.plan.report import Plan
from tokviz.run.plan.request import Request
from tokviz.run.plan.series import SeriesPlan
from tokviz.run.plan.tree import Captured, ContextPlan, ModelPlan
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path
from tokviz.text import counted, with_short_paths

_SAID_APART = (Lenses, UntrainedModels, LossText)
"""What is captured beside states and said in words of its own."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A model, and in each context what is done."""

    model: ModelPlan
    problem: str | None
    """Why it will fail."""
    contexts: Mapping[str, str]
    """By name, none of a model that will fail."""
    more: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run would do."""

    expected: Expected
    models: tuple[Told, ...]
    more: tuple[str, ...]
    """Of series, of comparisons, and of what is written."""
    misfits: tuple[str, ...]
    """Pairs of ``changes`` that are known to be of several forms."""

    @property
    def fails(self) -> bool:
        """Whether a model or a pair is known to fail."""
        return any(each.problem for each in self.models) or bool(self.misfits)

    @property
    def lines(self) -> tuple[str, ...]:
        lines = list(self.expected.lines)
        for each in self.models:
            lines.append(f"{each.model.model.display_name} ({each.model.model.source})")
            lines += [f"  it will fail: {each.problem}"] if each.problem else []
            labels = {context.context.name: context.context.label for context in each.model.contexts}
            lines += [f"  {labels[name]}: {said}" for name, said in each.contexts.items()]
            lines += [f"  {said}" for said in each.more]
        return tuple(map(with_short_paths, (*lines, *self.misfits, *self.more)))

    def as_json(self) -> dict[str, Any]:
        return {
            "expected": self.expected.as_json(),
            "models": [
                {
                    "name": each.model.model.display_name,
                    "source": with_short_paths(each.model.model.source),
                    "problem": each.problem and with_short_paths(each.problem),
                    "contexts": {
                        name: {"is_due": not _is_up_to_date(said), "why": with_short_paths(said)}
                        for name, said in each.contexts.items()
                    },
                    "more": [*each.more],
                }
                for each in self.models
            ],
            "more": [with_short_paths(each) for each in (*self.misfits, *self.more)],
        }


def _is_up_to_date(said: str) -> bool:
    """Of what is said of a context: it is captured, and every part is there."""
    captured, *parts = said.split("; ")
    return captured == "captured" and all(each.endswith(": up to date") for each in parts)


def describe(config: ReportConfig, options: Options, *, captures_only: bool = False) -> Forecast:
    """What ``run`` would capture, project, measure, draw and compare, and why, and how long that lasts."""
    places.check(config, options)
    notes.check_before(config)
    added_measures()
    plan = Plan(config, options, Store(options.cache))
    told = []
    ready: dict[str, list[Inputs]] = {}
    for model in plan.models:
        problem = _problem(model, options)
        ready[model.model.slug] = [] if problem else model.inputs
        n_passes = None if problem else _n_backward_passes(model, plan)
        told.append(
            Told(
                model=model,
                problem=problem,
                contexts={}
                if problem
                else {each.context.name: _described(each, model.request, plan) for each in model.contexts},
                more=()
                if n_passes is None
                else (
                    f"fit the lens in {n_passes} backward passes of {Directions.N_AT_ONCE} × {Directions.N_TOKENS} tokens, then measure",
                ),
            )
        )
    known = {each.model.slug: each for each in plan.models}
    more = [_series(SeriesPlan.of(each, known, plan), known) for each in config.series]
    comparisons = plan.comparisons(ready)
    if config.pairs:
        more.append(_compared(plan, comparisons, {each.model.model.slug for each in told if each.problem}))
    n_failing = sum(each.problem is not None for each in told)
    more.append(_written(config, options, n_failing=n_failing, captures_only=captures_only))
    whole = Plan(config, replace(options, draws=False), plan.store) if captures_only else plan
    return Forecast(
        expected=forecast.expected(whole),
        models=tuple(told),
        more=tuple(more),
        misfits=() if captures_only else _misfits(config, comparisons),
    )


def _written(config: ReportConfig, options: Options, *, n_failing: int, captures_only: bool) -> str:
    """What is, however much is up to date."""
    if n_failing == len(config.models) and not config.series:
        return "no model can be captured, so nothing will be written"
    if captures_only:
        return "with --capture-only it ends after the captures: nothing else is made, and no page written"
    return f"pages and the data files are always written, to {shown_path(options.output)}"


def _problem(model: ModelPlan, options: Options) -> str | None:
    """Why the model will fail, as far as that can be seen without loading it."""
    if not model.due:
        return None
    try:
        models.check(model.model, options.base)
        if not options.place.is_cluster:
            models.require_packages(model.model)
    except SourceError as error:
        return str(error)
    return None


def _n_backward_passes(model: ModelPlan, plan: Plan) -> str | None:
    """What fitting a model's lens takes, if that is due: at most, as long as it isn't known how the words are cut."""
    lenses = model.request.asks(Lenses)
    if lenses is None:
        return None
    fits = [each for context in model.contexts for each in context.of(Lenses)]
    if fits or not any(each.due for each in model.contexts):
        n_due = sum(each.what.n_backward_passes for each in fits if each.due)
        return f"{n_due:,}" if n_due else None
    return f"at most {lenses.n_backward_passes(len(plan.config.word_list.words) * len(model.contexts)):,}"


def _described(context: ContextPlan, request: Request, plan: Plan) -> str:
    if context.due:
        return f"capture{_in_what(context, request)} ({context.due}), then project, measure and draw"
    parts = ["captured"]
    others = (each for kind, found in context.beside.items() if kind not in _SAID_APART for each in found)
    due = [each.due for each in others if each.due]
    untrained = sum(each.due is not None for each in context.of(UntrainedModels))
    if untrained:
        parts.append(f"capture {untrained} untrained {'model' if untrained == 1 else 'models'}, then measure")
    if due:
        parts.append(f"capture once more ({', '.join(due)}), then project, measure and draw")
    n_due = sum(each.due is not None for each in context.further)
    if n_due:
        parts.append(
            f"capture {n_due} more {'templates' if n_due > 1 else 'template'} ({context.intact_due}), then measure"
        )
    parts += (f"measure the next-token loss ({each.due})" for each in context.of(LossText) if each.due)
    for each in context.all_captured.values():
        parts += _parts(each, context.model, plan)
    return "; ".join(parts)


def _in_what(context: ContextPlan, request: Request) -> str:
    """`` in 8 templates and 6 untrained models``; nothing where there is one template only."""
    parts = [f"{1 + len(context.further)} templates"] if context.further else []
    if untrained := request.asks(UntrainedModels):
        size = "" if untrained.of_any_size else f" (of at most {MOST_PARAMETERS:,} parameters)"
        parts.append(f"{counted(len(controls_of(context.model)), 'untrained model')}{size}")
    return f" in {' and '.join(parts)}" if parts else ""


def _parts(captured: Captured, model: ModelConfig, plan: Plan) -> list[str]:
    """What is to be projected, drawn and measured of captured states."""
    parts = []
    of = f"{captured.states.context.label}, " if captured.states.intervention else ""
    for name, step in captured.projections.items():
        projection = plan.steps.find(step)
        if projection is None:
            then = ", then draw" if name in captured.drawn else ""
            parts.append(f"{of}project {name} ({plan.steps.due(step)}){then}")
            continue
        if name not in captured.drawn:
            continue
        pictures = plan.pictures(model, captured, projection)
        due = [picture.due for picture in pictures if picture.due]
        parts.append(
            f"{of}{name}: draw {len(due)} of {len(pictures)} images ({due[0]})" if due else f"{of}{name}: up to date"
        )
    if plan.options.measures:
        heat_map = plan.heat_map(model, captured)
        if heat_map and heat_map.due:
            parts.append(f"{of}draw the words by layer ({heat_map.due})")
        reason = next(filter(None, map(plan.steps.due, captured.all_measures)), None)
        parts.append(f"{of}measure ({reason})" if reason else f"{of}metrics: up to date")
    return parts


def _series(series: SeriesPlan, models: Mapping[str, ModelPlan]) -> str:
    """What is made of the checkpoints together; those to be captured first are among them."""
    config = series.config
    due = [bool(models[each.slug].due) for each in config.models]
    n, label = len(due), config.checkpoint_labels[config.reference]
    if due[config.reference]:
        return (
            f"{config.name}: put all {n} checkpoints on the axes of {label} (not captured yet), then draw and compare"
        )
    found = {each: series.plan.steps.find(series.axes(*each)) for each in series.captured}
    n_new = len({index for (index, _), axes in found.items() if axes is None} | {at for at in range(n) if due[at]})
    parts = [f"put {n_new} of {n} checkpoints on the axes of {label}, then draw"] if n_new else []
    pictures = [job for each, axes in found.items() if axes for job in series.pictures(*each, axes.reference)]
    n_due = sum(job.due is not None for job in pictures)
    parts += [f"draw {n_due} of {len(pictures)} images"] if n_due else []
    parts += ["compare checkpoints"] if any(due) or any(map(series.plan.steps.due, series.steps)) else []
    return f"{config.name}: {'; '.join(parts) or 'up to date'}"


def _compared(plan: Plan, known: Sequence[Comparison], failing: set[str]) -> str:
    """How many models × models × contexts are to be compared; what must be captured first is among them, no model that fails."""
    n_all = sum(failing.isdisjoint(slugs) for slugs, _ in plan.config.pairs) * len(plan.config.contexts)
    due = [comparison for comparison in known if any(map(plan.steps.due, comparison.steps))]
    n_due = n_all - len(known) + len(due)
    if not n_due:
        return f"{n_all} comparisons of models: up to date"
    return f"compare models: {n_due} of {n_all} comparisons ({'forced' if plan.options.force else 'not compared yet'})"


def _misfits(config: ReportConfig, known: Sequence[Comparison]) -> tuple[str, ...]:
    names = {model.slug: model.display_name for model in config.models}
    wrong = {each.slugs: each.misfit for each in known if each.misfit}
    return tuple(
        f"{joined_by_and([names[slug] for slug in slugs])}: no page of what changed: {misfit}"
        for slugs, misfit in wrong.items()
    )
