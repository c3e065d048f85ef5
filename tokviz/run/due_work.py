"""What is due of a report, counted before a run begins; of what isn't captured yet as far as it can be known.

Costs are seconds of one processor of a machine that multiplies matrices at ``SPEED``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import ModelError
from tokviz.models import Size
from tokviz.records import LEAST_PASSAGES, MOST_PASSAGES, PASSAGE_TOKENS, Directions
from tokviz.run.kinds.controls import MOST_PARAMETERS, UntrainedModels, controls_of
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.kinds.lenses import Lenses
from tokviz.run.kinds.losses import LossText
from tokviz.run.plan.options import SVG
from tokviz.run.plan.report import Plan
from tokviz.run.plan.series import SeriesPlan
from tokviz.run.plan.tree import ContextPlan, ModelPlan

PHASES = ("loading", "capturing", "loss", "lens", "making")
_COUNTED_APART = (Interventions, UntrainedModels, LossText, Lenses)
SPEED = 90e9
"""Operations on float32 in a second of one thread."""
_LEAST_WITH_BREAK, _N_CHANGED, _SHARE_AFTER = 20_000_000, 3, 0.6
"""Parameters of decoders in which few neurons may write a break; captures with these set to a value; the layers after it."""


@dataclass(kw_only=True)
class Work:
    """What is due of a report; of what isn't captured yet as far as it can be known."""

    n_models: int = 0
    """That must run, for whatever it is."""
    n_captures: int = 0
    """Of a context's words in one of its templates."""
    n_changed: int = 0
    """Of these, with changed or random weights: at most, as long as it isn't known where few neurons write a break."""
    n_images: int = 0
    kinds: dict[str, None] = field(default_factory=dict)
    """What else the models run for."""
    n_bytes: float = 0
    """In the cache, but for images."""
    download: float | None = 0
    """Bytes."""
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    """By phase."""
    unknown: list[str] = field(default_factory=list)
    """The sources of models whose size isn't known."""

    @property
    def is_due(self) -> bool:
        return bool(self.n_models or self.n_images or self.seconds["making"])


LIBRARIES, PAGES = 6.0, 1.0
"""Seconds to import what captures, and to write a site."""
_LOADING, _PER_PARAMETER, _PER_GGUF_PARAMETER = 0.5, 3e-9, 3e-8
_CAPTURE, _PASS, _AS_PASSES, _CONTROL, _PER_RANDOM = 0.15, 45e9, 2.5, 1.5, 6e-9
_LOSS, _LENS = 70e9, 55e9
"""Operations in a second of one processor."""
_POOL, _PER_MODEL = 1.5, 0.3
_MEASURED, _DEPTH, _WORDS, _MOST_MEASURED, _POWER = 0.5, 0.03, 116, 2000, 1.5
"""Seconds to project and measure a capture, and so many words at one depth; what is measured of longer lists; the power it grows with."""
_OF_TEMPLATE, _OF_CONTROL = 0.5, 0.3
"""Of what measuring a capture takes: each further template, each untrained model."""
_PAIR_OF_DEPTHS, _IMAGE, _DRAFT = 0.02, 0.12, 0.05


def of_plan(plan: Plan, most_seconds: float = float("inf")) -> Work:
    """What is due; of the models that come first as far as they take ``most_seconds``, as in a first look."""
    work, n_depths = Work(), dict[str, int]()
    for model in plan.models:
        n_depths[model.model.slug] = _add_model(work, model, plan)
        if work.seconds["loading"] + work.seconds["capturing"] > most_seconds:
            break
    _add_together(work, plan)
    if work.seconds["loading"]:
        work.seconds["loading"] += LIBRARIES
    if not plan.options.draws:
        work.n_images, work.seconds["making"] = 0, 0.0
    elif work.seconds["making"] or work.n_images:
        making = work.seconds["making"] + work.n_images * _seconds_of_image(plan)
        if plan.options.measures and work.n_captures:
            compared = sum(n_depths[a] * n_depths[b] for (a, b), _ in plan.config.pairs if {a, b} <= n_depths.keys())
            making += _PAIR_OF_DEPTHS * compared * len(plan.config.contexts)
        work.seconds["making"] = _POOL + making / plan.options.jobs + PAGES + _PER_MODEL * len(plan.models)
    return work


def _seconds_of_image(plan: Plan) -> float:
    """The more words, the more labels are to be placed, up to some number."""
    if plan.options.is_draft:
        return _DRAFT
    return _IMAGE * (0.5 + 0.5 * min(8.0, _times(len(plan.config.word_list.words), 0.7)))


def _times(n_words: int, power: float = _POWER) -> float:
    return float((min(n_words, _MOST_MEASURED) / _WORDS) ** power)


def _to_measure(n_words: int, n_depths: int) -> float:
    return _MEASURED + _DEPTH * _times(n_words) * n_depths


def _to_measure_controls(n_words: int, n_depths: int, n_random: int) -> float:
    return _DEPTH * _times(n_words) * n_depths * n_random * _OF_CONTROL


def _add_model(work: Work, model: ModelPlan, plan: Plan) -> int:
    """Returns how many depths it has, 0 where that isn't known."""
    config, base = model.model, plan.options.base
    if model.due and _fails(config, base):
        return 0
    size = models.size(config, base) if model.due else None
    if model.due:
        work.n_models += 1
        n_bytes = models.bytes_to_download(config, base)
        work.download = None if n_bytes is None or work.download is None else work.download + n_bytes
        if size is None:
            work.unknown.append(config.source)
        else:
            of_one = _PER_GGUF_PARAMETER if size.is_gguf else _PER_PARAMETER
            work.seconds["loading"] += _LOADING + of_one * size.n_parameters
    stored = [each.states for context in model.contexts for each in context.all_captured.values()]
    n_depths = stored[0].n_depths if stored else size.n_layers + 1 if size else 0
    n_depths = min(n_depths, plan.config.n_depths or n_depths)
    n_breaks = 0
    for context in model.contexts:
        n_broken = 0
        if context.all_due and size is None:
            work.n_captures += sum(each.due is not None for each in context.templates)
        elif size and context.all_due:
            n_broken = _add_captures(work, context, model, plan, size, is_new=not n_breaks)
            n_breaks += n_broken
        if context.due or n_broken:
            _add_expected(work, context, plan, n_depths, n_broken)
        elif plan.options.draws:
            _add_due(work, context, plan)
    return n_depths


def _fails(config: ModelConfig, base: Path) -> bool:
    """Whether a model is known to fail before anything is loaded: it takes no time, and gives no image."""
    try:
        models.check(config, base)
    except ModelError:
        return True
    return False


def _add_captures(work: Work, context: ContextPlan, model: ModelPlan, plan: Plan, size: Size, *, is_new: bool) -> int:
    """What the model runs for; returns how many captures are made with neurons set to a value.

    Parameters
    ----------
    is_new : whether no earlier context of the model is known to have a break.
    """
    request, config, seconds = model.request, plan.config, work.seconds
    n_words = len(config.word_list.words) or size.vocabulary
    n_tokens = n_words * (0.5 + sum(len(each.what.context.template.split()) for each in context.templates[:1]))
    of_pass = _CAPTURE + 2 * size.n_in_layers * n_tokens / _PASS
    n_templates = sum(each.due is not None for each in context.templates)
    seconds["capturing"] += of_pass * (n_templates + (_AS_PASSES if context.due else 0))
    is_known, is_first = context.first.states is not None and not context.due, context is model.contexts[0]
    breaks = is_new and context.may_break and size.is_decoder and size.n_parameters >= _LEAST_WITH_BREAK
    interventions, controls = request.asks(Interventions), request.asks(UntrainedModels)
    n_set = n_random = 0
    if is_known:
        n_set = sum(each.due is not None for each in context.of(Interventions))
        n_random = sum(each.due is not None for each in context.of(UntrainedModels))
    else:
        n_set = (_N_CHANGED if breaks else 0) + len(interventions.by_hand if interventions else ())
        if controls and (controls.of_any_size or size.n_parameters <= MOST_PARAMETERS):
            n_random = len(controls_of(context.model))
    seconds["capturing"] += (n_set + _CONTROL * n_random) * of_pass + n_random * _PER_RANDOM * size.n_parameters
    has_loss = any(each.due for each in context.of(LossText)) if is_known else bool(breaks and request.asks(LossText))
    if text := request.asks(LossText) if has_loss else None:
        work.kinds["loss"] = None
        n_passages = text.n_passages or max(LEAST_PASSAGES, min(MOST_PASSAGES, n_tokens // PASSAGE_TOKENS))
        n_passes = n_passages * PASSAGE_TOKENS * (1 + 5 * _SHARE_AFTER)
        seconds["loss"] += 2 * n_passes * size.n_parameters / (_LOSS * plan.options.jobs)
    lenses = request.asks(Lenses)
    if lenses and size.is_decoder and is_first:
        fits = [each.what.n_backward_passes for each in context.of(Lenses) if each.due]
        n_passes = sum(fits) if is_known else lenses.n_backward_passes(n_words)
        if n_passes:
            work.kinds["lens"] = None
            n_operations = 2 * n_passes * Directions.N_AT_ONCE * Directions.N_TOKENS * size.n_in_layers
            seconds["lens"] += n_operations / (_LENS * plan.options.jobs)
            work.n_bytes += n_passes / 2 * 8 * size.width * (size.n_layers + 1)
    n_others = 0
    for kind in request.asked:
        if not isinstance(kind, _COUNTED_APART) and (is_first or not kind.is_of_model):
            n_due = sum(each.due is not None for each in context.of(type(kind))) if is_known else 1
            if n_due:
                work.kinds[type(kind).__name__] = None
                n_others += n_due
                seconds["capturing"] += n_due * of_pass + 2 * size.n_in_layers * kind.n_tokens(n_words) / _PASS
    n_captures = n_templates + n_set + n_random + n_others
    work.n_captures += n_templates
    work.n_changed += n_set + n_random
    work.n_bytes += 4.0 * n_captures * n_words * size.width * (size.n_layers + 1)
    seconds["making"] += _to_measure_controls(n_words, size.n_layers + 1, n_random)
    return n_set


def _add_expected(work: Work, context: ContextPlan, plan: Plan, n_depths: int, n_set: int) -> None:
    """Projections, measures and images of what isn't captured yet."""
    n_words, options = len(plan.config.word_list.words), plan.options
    forms, n_projections = options.forms, len(plan.config.projections)
    of_one = _to_measure(n_words or _MOST_MEASURED, n_depths)
    n_measured = (1 + _OF_TEMPLATE * len(context.further) if context.due else 0) + n_set
    work.seconds["making"] += of_one * (n_measured if options.measures else 0.2)
    if context.due:
        work.n_images += n_projections * sum(n_depths + (1 if each == SVG else 3) for each in forms) + options.measures
    if n_set:
        work.n_images += n_projections * round(sum(_SHARE_AFTER * n_depths + 2 for _ in forms)) + 1


def _add_due(work: Work, context: ContextPlan, plan: Plan) -> None:
    """The same of what is captured."""
    for captured in context.all_captured.values():
        n_depths, n_words = captured.states.n_depths, len(captured.states.tokenization.words)
        steps = [*captured.projections.values(), *(captured.all_measures if plan.options.measures else ())]
        n_due = sum(plan.steps.due(each) is not None for each in steps)
        if n_due:
            n_random = len(context.of(UntrainedModels)) if captured is context.captured else 0
            of_all = _to_measure(n_words, n_depths) * (1 + _OF_TEMPLATE * len(context.further))
            of_all += _to_measure_controls(n_words, n_depths, n_random)
            work.seconds["making"] += of_all * n_due / len(steps)
        for name in captured.drawn:
            projection = plan.steps.find(captured.projections[name])
            if projection is None:
                work.n_images += sum(n_depths + (1 if each == SVG else 3) for each in plan.options.forms)
            else:
                pictures = plan.pictures(context.model, captured, projection)
                work.n_images += sum(each.due is not None for each in pictures)


def _add_together(work: Work, plan: Plan) -> None:
    """What is made of several captured models: the images of series, and comparisons. Of what isn't captured it is expected with that."""
    known = {each.model.slug: None if each.due else each for each in plan.models}
    for config in plan.config.series:
        series = SeriesPlan.of(config, known, plan)
        is_known = known[config.models[config.reference].slug] is not None
        for index, name in series.captured:
            axes = plan.steps.find(series.axes(index, name)) if is_known else None
            n_depths = series.checkpoints[index][name].states.n_depths
            pictures = series.pictures(index, name, axes.reference) if axes else ()
            work.n_images += (
                sum(each.due is not None for each in pictures) if axes else series.n_pictures(index, n_depths)
            )
        work.seconds["making"] += _MEASURED * sum(plan.steps.due(each) is not None for each in series.steps)
    if plan.options.measures and not work.n_captures:
        for each in plan.comparisons({slug: model.inputs for slug, model in known.items() if model}):
            n_due = sum(plan.steps.due(step) is not None for step in each.steps)
            n_pairs = math.prod(inputs.states.n_depths for inputs in each.inputs)
            work.seconds["making"] += _PAIR_OF_DEPTHS * n_pairs * n_due / len(each.steps)
