"""``--dry-run``: what a run would make, and why."""

from __future__ import annotations

from tokviz import measuring, plan, publish
from tokviz.config import ReportConfig
from tokviz.options import Options
from tokviz.records import HiddenStates
from tokviz.scheduling import planned_of, stored_of
from tokviz.store import Store


def describe(config: ReportConfig, options: Options) -> list[str]:
    """What ``run`` would capture, project and draw, and why; a line each."""
    publish.check_replaceable(options.output)
    store = Store(options.cache)
    lines = []
    for model in config.models:
        lines.append(f"{model.display_name} ({model.source})")
        jobs = planned_of(model, config, store, options).jobs
        for job in jobs:
            lines.append(f"  {job.context.label}: {_described(job, stored_of(jobs), config, store, options)}")
    n_pages = 4 + len(config.models)
    lines.append(f"{n_pages} pages and the data files are always written, to {options.output}")
    return lines


def _described(
    job: plan.CaptureJob, stored: list[HiddenStates], config: ReportConfig, store: Store, options: Options
) -> str:
    if job.due or job.stored is None:
        return f"capture ({job.due}), then project and draw"
    parts = ["captured"]
    for name in config.projections:
        projection = store.find_projection(
            plan.projection_key(job.stored, name, measuring.ordinary_states(job.stored, stored))
        )
        if projection is None:
            parts.append(f"project {name} (not projected yet), then draw")
            continue
        pictures = plan.pictures(
            job.model,
            job.stored,
            job.context,
            projection,
            config.word_list,
            store,
            forms=options.forms,
            force=options.force,
        )
        due = [picture.due for picture in pictures if picture.due]
        parts.append(
            f"{name}: draw {len(due)} of {len(pictures)} pictures ({due[0]})" if due else f"{name}: up to date"
        )
    return "; ".join(parts)
