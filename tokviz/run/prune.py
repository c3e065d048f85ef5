"""``--cache-prune``: what the cache holds beyond what the report uses."""

from __future__ import annotations

from tokviz.config import ReportConfig
from tokviz.run.options import DRAFT, FORMS, SVG, Options
from tokviz.run.plan import ContextPlan, Plan
from tokviz.run.store import Store

ALL_FORMS = (*FORMS, DRAFT, SVG)


def prune(config: ReportConfig, options: Options) -> list[str]:
    """Drop from the cache what this configuration doesn't use; a line per kind says how much.

    Pictures of the report, of its draft and as SVG stay, and so do the states of a model whose files have changed: they
    are what the next run compares with.
    """
    store = Store(options.cache)
    removed = store.prune(_used(Plan(config, options, store)))
    return [f"{options.cache / kind}: {count} removed, {n_bytes:,} bytes" for kind, (count, n_bytes) in removed.items()]


def _used(plan: Plan) -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    for model in plan.models:
        for context in model.contexts:
            used |= _used_of(context, plan)
    states = {model.model.slug: [captured.states for captured in model.captured] for model in plan.models}
    for comparison in plan.comparisons(states):
        used |= {("measures", job.key) for job in comparison.jobs}
    return used


def _used_of(context: ContextPlan, plan: Plan) -> set[tuple[str, str]]:
    used = {("states", context.key)}
    captured = context.captured
    if captured is None:
        return used
    used |= {("measures", job.key) for job in (captured.geometry, captured.neighbours) if job}
    for job in captured.projections.values():
        used.add(("projections", job.key))
        projection = plan.store.find(job.key, job.kind)
        if projection is not None:
            used |= {("images", picture.key) for picture in plan.pictures(context, captured, projection, ALL_FORMS)}
    return used
