"""``--dry-run``: what a run would make, and why."""

from __future__ import annotations

from tokviz import models
from tokviz.config import ReportConfig
from tokviz.errors import SourceError
from tokviz.pages import notes
from tokviz.records import HiddenStates
from tokviz.run import keys, plan, publish, results
from tokviz.run.capturing import planned_of, stored_of
from tokviz.run.options import Options
from tokviz.run.store import Store


def describe(config: ReportConfig, options: Options) -> list[str]:
    """What ``run`` would capture, project, measure, draw and compare, and why; a line each."""
    publish.check_replaceable(options.output)
    notes.check_before(config)
    store = Store(options.cache)
    lines = []
    ready: dict[str, list[HiddenStates]] = {}
    for model in config.models:
        lines.append(f"{model.display_name} ({model.source})")
        jobs = planned_of(model, config, store, options).jobs
        if any(job.due for job in jobs):
            try:
                models.locate(model, options.base)
            except SourceError as error:
                lines.append(f"  it will fail: {error}")
                ready[model.slug] = []
                continue
        ready[model.slug] = [job.stored for job in jobs if job.stored is not None and not job.due]
        for job in jobs:
            lines.append(f"  {job.context.label}: {_described(job, stored_of(jobs), config, store, options)}")
    if config.pairs:
        lines.append(_comparisons(config, ready, store, options))
    n_pages = (4 if config.vocabulary else 5) + len(config.models)  # without an explorer
    lines.append(f"{n_pages} pages and the data files are always written, to {options.output}")
    return lines


def _described(
    job: plan.CaptureJob, stored: list[HiddenStates], config: ReportConfig, store: Store, options: Options
) -> str:
    if job.due or job.stored is None:
        return f"capture ({job.due}), then project, measure and draw"
    parts = ["captured"]
    ordinary = results.ordinary_states(job.stored, stored)
    for name in config.projections:
        projection = store.find_projection(keys.projection_key(job.stored, name, ordinary))
        if projection is None:
            parts.append(f"project {name} (not projected yet), then draw")
            continue
        pictures = plan.pictures(
            job.model,
            job.stored,
            job.context,
            projection,
            config.words_of(job.stored),
            store,
            with_fonts=store.typefaces.with_fonts,
            forms=options.forms,
            force=options.force,
        )
        due = [picture.due for picture in pictures if picture.due]
        parts.append(
            f"{name}: draw {len(due)} of {len(pictures)} pictures ({due[0]})" if due else f"{name}: up to date"
        )
    measures = (
        results.geometry_key(job.stored, ordinary, config.projections, config.words_of(job.stored)),
        results.neighbours_key(job.stored),
    )
    measured = all(store.has_measures(key) for key in measures if key)
    if not options.is_draft:
        parts.append("measures: up to date" if measured else "measure (not measured yet)")
    return "; ".join(parts)


def _comparisons(config: ReportConfig, ready: dict[str, list[HiddenStates]], store: Store, options: Options) -> str:
    """How many models × models × contexts are to be compared; what must be captured first is among them."""
    n_all = n_due = 0
    for (a, b), in_detail in config.pairs:
        n_all += len(config.contexts)
        if min(len(ready[a]), len(ready[b])) < len(config.contexts):
            n_due += len(config.contexts)
            continue
        for states in zip(ready[a], ready[b], strict=True):
            kinds = (False, True) if in_detail else (False,)
            wanted = [keys.similarity_key(*states, single_token=single_token) for single_token in kinds]
            n_due += options.force or not all(store.has_measures(key) for key in wanted)
    if not n_due:
        return f"{n_all} comparisons of models: up to date"
    return f"compare models: {n_due} of {n_all} comparisons ({'forced' if options.force else 'not compared yet'})"
