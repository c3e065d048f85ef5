"""The whole run, from a configuration to a site: read ``run`` from top to bottom.

torch, transformers, scikit-learn and Matplotlib are imported where their work is due, so that a run with nothing to
capture, project or draw starts in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw import typefaces, warm_up
from tokviz.errors import DamagedStatesError, ModelError, TokvizError
from tokviz.pages import notes
from tokviz.pages.headline import unshown_states
from tokviz.pages.problems import problems
from tokviz.records import ModelReport, Plate, Projection
from tokviz.run import keys, places, previews, prune, publish, results, site, workers
from tokviz.run.added import added_measures
from tokviz.run.capturing import captured
from tokviz.run.locks import Locks
from tokviz.run.options import Options
from tokviz.run.picture_queue import PictureQueue, picture_queue
from tokviz.run.plan import Captured, Comparison, ContextPlan, ModelPlan, Plan
from tokviz.run.progress import Reporter
from tokviz.run.site import Made, MadeContext, MadeProjection
from tokviz.run.store import Store
from tokviz.text import error_line

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did."""

    failures: tuple[ModelReport, ...]
    n_captured: int
    """Model × context captures that were made, not reused."""
    n_drawn: int
    n_images: int


def run(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture, project, measure, draw and publish whatever is due.

    Raises
    ------
    TokvizError : no model could be reported, or the site can't be written; the old site is untouched.
    """
    places.check(config, options)
    notes.check_before(config)
    added_measures()  # one that can't be loaded is reported before any work
    store, locks = Store(options.cache), Locks(waits=options.waits, say=reporter.say)
    with locks.on_site(options.output), locks.in_use(options.cache):
        _say_put_aside(publish.recover(options.output), options, reporter)
        outcome = _with_intact_states(lambda: _report(config, options, store, reporter), store, reporter)
        prune.note_use(store, config, options)
    return outcome


def _report(config: ReportConfig, options: Options, store: Store, reporter: Reporter) -> Outcome:
    plan = Plan(config, options, store)
    missing = plan.fonts.missing(config.drawn_texts)
    complaint = typefaces.complaint(missing)
    if complaint:
        reporter.say(complaint)
    with picture_queue(partial(_start, options, reporter), store.put_image, reporter) as queue:
        made = [_make(model, failure, plan, reporter, queue) for model, failure in captured(plan, reporter, queue)]
        _refuse_if_all_failed([(each.model, each.failure) for each in made])
        by_slug = {each.model.slug: each for each in made}
        made = [by_slug[model.slug] for model in config.models]
        comparisons = _comparisons(plan, made)
        similarities = results.similarities(comparisons, store)
        differences = results.differences(comparisons, store)
        n_drawn = queue.finish()

    images = site.images(made, store)
    undrawn = typefaces.undrawn(config.word_list.words, missing)
    report = site.report(plan, made, similarities, differences, images, undrawn)
    for address in unshown_states(report):
        reporter.say(f"finding.states: {address} has no picture, so the first page opens with what was measured")
    report, shown_elsewhere = previews.drawn(report, images, plan)
    files = site.files(report, images, shown_elsewhere, plan)
    if not report.draft:  # nothing is measured in one, so that it has no stages to speak of
        notes.check(config, report, files)
    reporter.say(f"Writing {options.output} …")
    _say_put_aside(publish.publish(files, options.output), options, reporter)
    plan.fonts.keep_coverage()
    return Outcome(
        failures=tuple(model for model in report.models if model.failure),
        n_captured=sum(each.n_captured for each in made),
        n_drawn=n_drawn,
        n_images=len(images),
    )


def _say_put_aside(files: Sequence[str], options: Options, reporter: Reporter) -> None:
    if files:
        reporter.say(
            f"Moved to {publish.kept_folder(options.output)}, as they were changed by hand or stood in the way: "
            f"{', '.join(files)}"
        )


def _with_intact_states(work: Callable[[], Result], store: Store, reporter: Reporter) -> Result:
    """Begin again where stored states turn out to be damaged while they are read: those are captured once more."""
    damaged: set[Path] = set()
    while True:
        try:
            return work()
        except DamagedStatesError as error:
            if error.folder in damaged:
                raise
            damaged.add(error.folder)
            store.count_as_absent(error)
            reporter.say(f"{error.folder}: {error.tensor} is damaged; capturing these hidden states again")


def capture_only(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture into the cache whatever is due, draw and publish nothing: the rest can be made wherever the cache is.

    Raises
    ------
    TokvizError : no model could be captured.
    """
    places.check_cache(config, options)
    store, locks = Store(options.cache), Locks(waits=options.waits, say=reporter.say)
    options = replace(options, draws=False)
    outcomes: list[tuple[ModelPlan, str | None]] = []
    with locks.in_use(options.cache):
        plan = Plan(config, options, store)
        with picture_queue(partial(_start, options, reporter), store.put_image, reporter) as queue:
            for model, failure in captured(plan, reporter, queue):
                _report_failure(model.model, failure, plan, reporter)
                outcomes.append((model, str(failure) if failure else None))
        prune.note_use(store, config, options)
    _refuse_if_all_failed([(model.model, failure) for model, failure in outcomes])
    return Outcome(
        failures=tuple(
            ModelReport(
                slug=model.model.slug, name=model.model.display_name, source=model.model.source, failure=failure
            )
            for model, failure in outcomes
            if failure
        ),
        n_captured=sum(len(model.due) for model, failure in outcomes if not failure),
        n_drawn=0,
        n_images=0,
    )


def _start(options: Options, reporter: Reporter, libraries: Sequence[str]) -> Executor:
    return workers.start(options.place, options.jobs, libraries, warm_up, keys.made_by, reporter.say)


def _report_failure(model: ModelConfig, failure: ModelError | None, plan: Plan, reporter: Reporter) -> None:
    if failure and len(plan.models) > 1:
        reporter.say(f"{model.display_name} failed: {failure}")


def _refuse_if_all_failed(outcomes: list[tuple[ModelConfig, str | None]]) -> None:
    """Nothing is published when every model failed."""
    if all(failure for _, failure in outcomes):
        reasons = "; ".join(named_failure(model.display_name, str(failure)) for model, failure in outcomes)
        raise TokvizError(f"no model could be captured, so nothing was written: {reasons}")


def named_failure(name: str, failure: str) -> str:
    """Why a model failed, after its name; most reasons begin with its source, which may be its name."""
    return failure if failure.startswith(f"{name}: ") else f"{name}: {failure}"


# --- one model: states, projections, pictures, measures ------------------------------------------------------------


def _make(model: ModelPlan, failure: ModelError | None, plan: Plan, reporter: Reporter, queue: PictureQueue) -> Made:
    """Project a captured model, have its pictures drawn, and measure it meanwhile."""
    if failure is None:
        try:
            return _made(model, plan, reporter, queue)
        except TokvizError:
            raise
        except Exception as error:  # noqa: BLE001 - it is shown on the model's page
            # What one model's numbers or its size do to a library costs that model only.
            failure = ModelError(f"{model.model.source}: its hidden states can't be shown: {error_line(error)}")
    _report_failure(model.model, failure, plan, reporter)
    return Made(model=model.model, failure=str(failure))


def _made(model: ModelPlan, plan: Plan, reporter: Reporter, queue: PictureQueue) -> Made:
    grown = plan.grown(model)
    # A cluster's workers need not see the cache.
    executor = None if plan.options.place.is_cluster else queue.idle
    projections = iter(results.projections(grown.captured, plan.store, executor))
    shown = []
    for captured_context in grown.captured:
        of_context = next(projections)
        shown.append(tuple(_draw(model.model, captured_context, each, plan, queue) for each in of_context))
        reasons = problems(of_context[0])
        if all(reasons):
            label = captured_context.states.context.label
            reporter.say(f"{model.model.display_name}, {label}: no plot: {reasons[0]}")
    # Measured while the pictures are drawn.
    measured = iter([_measure(each, of_it, plan) for each, of_it in zip(grown.captured, shown, strict=True)])
    contexts = tuple(_with_interventions(context, measured) for context in grown.contexts)
    queue.keep_finished()
    return Made(model=model.model, contexts=contexts, n_captured=len(model.due))


def _with_interventions(context: ContextPlan, measured: Iterator[MadeContext]) -> MadeContext:
    """``measured``: of the context and of what is captured of it with neurons set to a value, in their order."""
    intact, *others = (next(measured) for _ in context.all_captured)
    failures = tuple(f"{each.wanted.described}: {each.failure}" for each in context.interventions if each.failure)
    return replace(intact, interventions=tuple(others), failed_interventions=failures)


def _draw(
    model: ModelConfig, captured: Captured, projection: Projection, plan: Plan, queue: PictureQueue
) -> MadeProjection:
    pictures = plan.pictures(model, captured, projection) if projection.name in captured.drawn else []
    # Grids take longest: begun last, one would keep a single process busy at the end.
    for job in sorted(pictures, key=lambda each: isinstance(each.picture, Plate)):
        if job.due:
            queue.submit(job.key, job.picture)
    return MadeProjection(projection=projection, pictures=tuple(pictures))


def _measure(captured: Captured, shown: tuple[MadeProjection, ...], plan: Plan) -> MadeContext:
    made = MadeContext(states=captured.states, projections=shown)
    if plan.options.is_draft:
        return made
    projections = [each.projection for each in shown if each.projection.name in captured.measured]
    geometry = results.geometry(captured, captured.geometry, projections, plan.store)
    relations = results.relations(captured, plan.store)
    return replace(
        made,
        geometry=geometry,
        neighbours=results.neighbours(captured, plan.store),
        added=results.added(captured, plan.store),
        relations=relations,
        profile=results.profile(captured, geometry, relations, plan.store),
    )


def _comparisons(plan: Plan, made: list[Made]) -> list[Comparison]:
    if plan.options.is_draft:
        return []
    return plan.comparisons({each.model.slug: [context.states for context in each.contexts] for each in made})
