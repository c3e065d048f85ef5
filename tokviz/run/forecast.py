"""What a run will make, what it takes of the network and the disk, and how long it will last: said before it begins.

Costs are seconds of a machine that multiplies matrices at ``_SPEED``; this one's own speed is measured for a moment. When a run has
ended, what each phase really took is kept beside what was foreseen: later forecasts are corrected by the median of the last ones.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tokviz import models
from tokviz.errors import StoreError
from tokviz.models import Size
from tokviz.records import LEAST_PASSAGES, MOST_PASSAGES, PASSAGE_TOKENS, Directions
from tokviz.run import first_look
from tokviz.run.kinds.controls import MOST_PARAMETERS, UntrainedModels, controls_of
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.kinds.lenses import Lenses
from tokviz.run.kinds.losses import LossText
from tokviz.run.plan.options import SVG
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import ContextPlan, ModelPlan
from tokviz.run.publishing import publish
from tokviz.run.store.artefacts import Store
from tokviz.run.work.processes import default_jobs
from tokviz.run.work.progress import Quiet, Reporter, Step
from tokviz.text import counted, path_in_line

PHASES = ("loading", "capturing", "loss", "lens", "making")
_TOLD = {
    ": loading": "loading",
    "Loading PyTorch": "loading",
    ": capturing": "capturing",
    ": measuring the next-token loss": "loss",
    ": fitting the lens": "lens",
}
"""How a step is told, and which phase begins with it."""
_SPEED, _MEASURED_SECONDS = 90e9, 0.3
"""Operations on float32 in a second of one thread."""
_N_RUNS, _LEAST_SECONDS, _MOST_RATIO = 9, 1.0, 20.0
"""How many of the last runs are kept; phases that are foreseen as shorter say nothing of longer ones."""
_LEAST_WITH_BREAK, _N_CHANGED, _SHARE_AFTER = 20_000_000, 3, 0.6
"""Parameters of decoders in which few neurons may write a break; captures with these set to a value; the layers after it."""
_BYTES_OF_IMAGE, _BYTES_OF_SITE, _BYTES_OF_MODEL = 35_000, 2_000_000, 1_000_000
Some = TypeVar("Some")


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
        """Whether anything is."""
        return bool(self.n_models or self.n_images or self.seconds["making"])


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Work, and how long it lasts here."""

    work: Work
    first: Work | None
    """That of a first look; None where none is due."""
    n_models: int
    n_contexts: int
    pace: float
    """How many times as long as on the machine that costs are counted on."""
    ratios: Mapping[str, float]
    """By phase, how many times as long as foreseen it took in earlier runs."""
    n_runs: int
    """How many of these are known."""

    def seconds(self, work: Work) -> float | None:
        """All of a work's; None where they aren't known."""
        if work.unknown:
            return None
        return sum(self.pace * self.ratios.get(phase, 1.0) * found for phase, found in work.seconds.items())

    @property
    def end(self) -> float | None:
        """Seconds until all is there."""
        return self.seconds(self.work)

    @property
    def first_page(self) -> float | None:
        """Seconds until the first page stands."""
        return self.end if self.first is None else self.seconds(self.first)

    @property
    def megabytes(self) -> dict[str, float | None]:
        """To download, and on the disk."""
        work, images = self.work, self.work.n_images * _BYTES_OF_IMAGE
        site = _BYTES_OF_SITE + self.n_models * _BYTES_OF_MODEL + images
        found = {"download": work.download, "cache": None if work.unknown else work.n_bytes + images, "site": site}
        return {name: None if each is None else round(each / 1e6, 1) for name, each in found.items()}

    @property
    def lines(self) -> list[str]:
        """As people are told."""
        if not self.work.is_due:
            return ["nothing is to be captured, measured or drawn"]
        return [self._what(), self._how_large(), self._how_long()]

    def _what(self) -> str:
        work = self.work
        parts = [counted(work.n_captures, "capture")] if work.n_captures else []
        parts += [f"up to {work.n_changed} with changed or random weights"] if work.n_changed else []
        parts += [" and ".join(work.kinds)] if work.kinds else []
        images = f"about {counted(work.n_images, 'image')}" if work.n_images else "no new image"
        more = ", and more of models of unknown size" if work.unknown else ""
        of = f"{counted(self.n_models, 'model')} in {counted(self.n_contexts, 'context')}"
        return f"{of}: {', '.join(parts) or 'nothing to capture'}; {images}{more}"

    def _how_large(self) -> str:
        found = {name: "unknown" if each is None else f"{each:,.0f} MB" for name, each in self.megabytes.items()}
        return f"to download: {found['download']}; on the disk: cache {found['cache']}, site {found['site']}, about"

    def _how_long(self) -> str:
        if self.end is None:
            unknown = path_in_line(self.work.unknown[0])
            if len(self.work.unknown) > 1:
                unknown += f" and {counted(len(self.work.unknown) - 1, 'other')}"
            return f"time: unknown, as the size of {unknown} isn't known"
        by = f", corrected by {counted(self.n_runs, 'earlier run')}" if self.n_runs else ""
        first = f"first page {_about(self.first_page or 0)}, all " if self.first else ""
        return f"time: {first}{_about(self.end)} (by a measurement of this machine{by})"

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        work = self.work
        minutes = {"first_page": self.first_page, "end": self.end}
        return {
            "is_due": work.is_due,
            "models": self.n_models,
            "contexts": self.n_contexts,
            "captures": work.n_captures,
            "changed_or_random": work.n_changed,
            "kinds": list(work.kinds),
            "images": work.n_images,
            "megabytes": self.megabytes,
            "minutes": {name: None if each is None else round(each / 60, 2) for name, each in minutes.items()},
            "unknown": work.unknown,
            "earlier_runs": self.n_runs,
        }


def _about(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return "under a minute"
    return f"about {counted(int(float(f'{minutes:.2g}') + 0.5), 'minute')}"


def expected(plan: Plan) -> Expected:
    """What is due of a report, and how long it lasts on this machine, which is measured where anything is due."""
    work, first = of_plan(plan), None
    if work.is_due and first_look.is_due(plan) and not publish.is_complete(plan.options.output):
        look = first_look.of(plan)
        first = of_plan(look, first_look.SECONDS)
        work.seconds["loading"] += first.seconds["loading"] - _LIBRARIES
        work.seconds["making"] += _PAGES
    runs = _noted(plan.store)
    return Expected(
        work=work,
        first=first,
        n_models=sum(bool(each.due) for each in plan.models) or len(plan.models),
        n_contexts=len(plan.config.contexts),
        pace=_pace() if work.is_due and not work.unknown else 1.0,
        ratios={phase: statistics.median(found) for phase, found in runs.items()},
        n_runs=max(map(len, runs.values()), default=0),
    )


def begin(plan: Plan, reporter: Reporter) -> tuple[Timed, Expected | None]:
    """Say what is expected where anything is due and somebody hears it; from now on the reporter keeps how long it takes."""
    timed = Timed(reporter)
    if not plan.options.foretells or isinstance(reporter, Quiet) or plan.options.place.is_cluster:
        return timed, None
    found = expected(plan)
    if not found.work.is_due:
        return timed, None
    for line in found.lines:
        timed.say(line)
    return timed, found


def _noted(store: Store) -> dict[str, list[float]]:
    """Of each phase what earlier runs may have noted; other numbers, such as NaN, are nobody's."""
    noted = store.timings()
    possible = {
        phase: [each for each in noted.get(phase, []) if 1 / _MOST_RATIO <= each <= _MOST_RATIO] for phase in PHASES
    }
    return {phase: found for phase, found in possible.items() if found}


def _pace() -> float:
    """How many times as long as at ``_SPEED`` products of matrices take here, in one thread, besides what else is at work.

    How busy others keep the processors is taken from this moment and from the last minute.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    matrix, took, begun = np.ones((512, 512), dtype=np.float32), list[float](), time.monotonic()
    with threadpool_limits(1, "blas"):
        while time.monotonic() - begun < _MEASURED_SECONDS or not took:
            start = time.perf_counter()
            matrix @ matrix
            took.append(time.perf_counter() - start)
    load = os.getloadavg()[0] / default_jobs() if hasattr(os, "getloadavg") else 0.0
    busy = math.sqrt(statistics.mean(took) / min(took) * (1 + load))
    return busy * _SPEED * min(took) / (2 * len(matrix) ** 3)


# --- what is due -------------------------------------------------------------------------------------------------

_LIBRARIES, _LOADING, _PER_PARAMETER, _PER_GGUF_PARAMETER = 6.0, 0.5, 3e-9, 3e-8
_CAPTURE, _PASS, _AS_PASSES, _CONTROL, _PER_RANDOM = 0.15, 45e9, 2.5, 1.5, 6e-9
_LOSS, _LENS = 70e9, 55e9
"""Operations in a second of one processor."""
_POOL, _PAGES, _PER_MODEL = 1.5, 1.0, 0.3
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
    if work.seconds["loading"]:
        work.seconds["loading"] += _LIBRARIES
    if not plan.options.draws:
        work.n_images, work.seconds["making"] = 0, 0.0
    elif work.seconds["making"] or work.n_images:
        making = work.seconds["making"] + work.n_images * _seconds_of_image(plan)
        if plan.options.measures and work.n_captures:
            compared = sum(n_depths[a] * n_depths[b] for (a, b), _ in plan.config.pairs if {a, b} <= n_depths.keys())
            making += _PAIR_OF_DEPTHS * compared * len(plan.config.contexts)
        work.seconds["making"] = _POOL + making / plan.options.jobs + _PAGES + _PER_MODEL * len(plan.models)
    return work


def _seconds_of_image(plan: Plan) -> float:
    """The more words, the more labels are to be placed, up to some number."""
    if plan.options.is_draft:
        return _DRAFT
    return _IMAGE * (0.5 + 0.5 * min(8.0, _times(len(plan.config.word_list.words), 0.7)))


def _times(n_words: int, power: float = _POWER) -> float:
    return float((min(n_words, _MOST_MEASURED) / _WORDS) ** power)


def _add_model(work: Work, model: ModelPlan, plan: Plan) -> int:
    """Returns how many depths it has, 0 where that isn't known."""
    config, base = model.model, plan.options.base
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
        if size and context.all_due:
            n_broken = _add_captures(work, context, model, plan, size, is_new=not n_breaks)
            n_breaks += n_broken
        if context.due or n_broken:
            _add_expected(work, context, plan, n_depths, n_broken)
        elif plan.options.draws:
            _add_due(work, context, plan)
    return n_depths


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
    is_known = context.first.states is not None and not context.due
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
    if lenses and size.is_decoder and context is model.contexts[0]:
        fits = [each.what.n_backward_passes for each in context.of(Lenses) if each.due]
        n_passes = sum(fits) if is_known else lenses.n_backward_passes(n_words)
        if n_passes:
            work.kinds["lens"] = None
            n_operations = 2 * n_passes * Directions.N_AT_ONCE * Directions.N_TOKENS * size.n_in_layers
            seconds["lens"] += n_operations / (_LENS * plan.options.jobs)
            work.n_bytes += n_passes / 2 * 8 * size.width * (size.n_layers + 1)
    n_captures = n_templates + n_set + n_random
    work.n_captures += n_templates
    work.n_changed += n_set + n_random
    work.n_bytes += 4.0 * n_captures * n_words * size.width * (size.n_layers + 1)
    seconds["making"] += _DEPTH * _times(n_words) * (size.n_layers + 1) * n_random * _OF_CONTROL
    return n_set


def _add_expected(work: Work, context: ContextPlan, plan: Plan, n_depths: int, n_set: int) -> None:
    """Projections, measures and images of what isn't captured yet."""
    n_words, options = len(plan.config.word_list.words), plan.options
    forms, n_projections = options.forms, len(plan.config.projections)
    of_one = _MEASURED + _DEPTH * _times(n_words or _MOST_MEASURED) * n_depths
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
            weight = n_due / len(steps) * (1 + _OF_TEMPLATE * len(context.further))
            work.seconds["making"] += (_MEASURED + _DEPTH * _times(n_words) * n_depths) * weight
        for name in captured.drawn:
            projection = plan.steps.find(captured.projections[name])
            if projection is None:
                work.n_images += sum(n_depths + (1 if each == SVG else 3) for each in plan.options.forms)
            else:
                pictures = plan.pictures(context.model, captured, projection)
                work.n_images += sum(each.due is not None for each in pictures)


# --- how long it took --------------------------------------------------------------------------------------------


class Timed:
    """A reporter that passes all on, and keeps how long each phase lasts, from the beginning of its first step to that of another."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._phase, self._begun = reporter, "", time.monotonic()
        self.seconds = dict.fromkeys(PHASES, 0.0)

    def say(self, text: str) -> None:
        self._reporter.say(text)

    def step(self, name: str, total: int | None = None) -> Step:
        if phase := next((each for told, each in _TOLD.items() if told in name), None):
            self.enter(phase)
        return self._reporter.step(name, total)

    def enter(self, phase: str) -> None:
        """What is done from now on; nothing that counts for an empty one."""
        now = time.monotonic()
        if self._phase:
            self.seconds[self._phase] += now - self._begun
        self._phase, self._begun = phase, now

    def then_making(self, captured: Iterable[Some]) -> Iterator[Some]:
        """What follows a model's captures is making."""
        for each in captured:
            self.enter("making")
            yield each

    def note(self, store: Store, foreseen: Expected | None) -> None:
        """Keep how many times as long as foreseen each phase took, for later forecasts."""
        self.enter("")
        if foreseen is None or foreseen.end is None:
            return
        runs = _noted(store)
        for phase in PHASES:
            alone = foreseen.pace * foreseen.work.seconds[phase]
            if alone >= _LEAST_SECONDS:
                ratio = min(_MOST_RATIO, max(1 / _MOST_RATIO, self.seconds[phase] / alone))
                runs[phase] = [*runs.get(phase, []), round(ratio, 3)][-_N_RUNS:]
        with suppress(StoreError):
            store.put_timings(runs)
