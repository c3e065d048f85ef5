"""``--cache-prune``: what the cache holds beyond what reports use."""

from __future__ import annotations

import hashlib
import time
from contextlib import nullcontext, suppress

from tokviz.config import ReportConfig
from tokviz.errors import StoreError
from tokviz.run import places
from tokviz.run.plan.options import DRAFT, FORMS, SVG, Options
from tokviz.run.plan.report import Plan
from tokviz.run.plan.series import SeriesPlan
from tokviz.run.plan.tree import ContextPlan
from tokviz.run.store import entries
from tokviz.run.store.artefacts import PREVIEWS, Store, Use, UsedBy
from tokviz.run.store.disk import shown_path
from tokviz.run.store.locks import Locks
from tokviz.text import counted, path_in_line

ALL_FORMS = (*FORMS, DRAFT, SVG)
OLDER_THAN_DAYS = 30
_SECONDS_OF_A_DAY = 24 * 60 * 60


def note_use(store: Store, config: ReportConfig, options: Options, place: tuple[str, str]) -> None:
    """Keep what this report used, so that pruning for another one that shares the cache leaves it.

    It takes the place of what the report at the same ``place_of`` used before. What was only captured replaces no report,
    and no other configuration's captures: all that a notebook studies in one folder has one place.
    """
    made = options.forms if options.draws else ("captured", repr(dict(config)))
    identity = hashlib.sha256("\0".join((*place, *made)).encode("utf-8", "replace")).hexdigest()[:32]
    with suppress(StoreError):  # nothing is dropped from a cache that can't be written
        store.note_use(identity, *place)


def prune(config: ReportConfig, options: Options, older_than: float, locks: Locks, *, dry_run: bool) -> list[str]:
    """Drop from the cache what this configuration doesn't use; a line per kind says how much was removed.

    Pictures of the report, of its draft and as SVG stay, and so do the states of a model whose files have changed: they
    are what the next run compares with.

    Parameters
    ----------
    older_than : days; what another report used since then stays.
    dry_run : whether to say what would go, and remove nothing.

    Raises
    ------
    BusyError : a run uses the cache, and ``locks`` don't wait.
    StoreError, PublishError : the folder isn't known as a cache of tokviz, or what it holds can't be removed.
    """
    places.check_cache(config, options)
    if not options.cache.exists():
        return [f"{shown_path(options.cache)}: there is no cache here, so there is nothing to remove"]
    entries.require_marked(options.cache)
    with nullcontext() if dry_run else locks.alone(options.cache):
        store, place = Store(options.cache), place_of(config, options)
        reports, since = store.reports(), time.time() - older_than * _SECONDS_OF_A_DAY
        last = [report.used for report in reports if (report.config, report.output) == place]
        # What previews say follows from all measures of the report as it was made last.
        own = _used(Plan(config, options, store)) | {use for used in last for use in used if use[0] == PREVIEWS}
        others = [report for report in reports if report.at >= since and (report.config, report.output) != place]
        lines = []
        for kind, unused in store.unused(own.union(*(report.used for report in others))).items():
            n_bytes = sum(each.n_bytes if dry_run else each.remove() for each in unused)
            done = "would be removed" if dry_run else "removed"
            lines.append(f"{shown_path(options.cache / kind)}: {len(unused)} {done}, {n_bytes:,} bytes")
        return [*lines, *(_kept(report, own) for report in others)]


def _kept(report: UsedBy, own: set[Use]) -> str:
    days = int((time.time() - report.at) / _SECONDS_OF_A_DAY)
    when = "today" if days <= 0 else f"{counted(days, 'day')} ago"
    return (
        f"{len(report.used - own)} kept that {path_in_line(report.config)} used {when} (--older-than 0 drops them, too)"
    )


def place_of(config: ReportConfig, options: Options) -> tuple[str, str]:
    """Where a report's configuration and its site are; to be asked before the site is moved, which may hold this folder."""
    return str(config.file.resolve()), str(options.output.resolve())


def _used(plan: Plan) -> set[Use]:
    used: set[Use] = set()
    for model in plan.models:
        for context in model.contexts:
            used |= _used_of(context, plan)
    captured = {
        model.model.slug: [context.captured.inputs for context in model.contexts if context.captured]
        for model in plan.models
    }
    for comparison in plan.comparisons(captured):
        used = used.union(*(step.uses for step in comparison.steps))
    for config in plan.config.series:
        used |= _used_of_series(SeriesPlan.of(config, {each.model.slug: each for each in plan.models}, plan))
    return used


def _used_of_series(series: SeriesPlan) -> set[Use]:
    """Axes, drift and changes, and the pictures on the axes of the reference."""
    used = set[Use]().union(*(step.uses for step in series.steps))
    for index, name in series.captured:
        axes = series.plan.steps.stored(series.axes(index, name))
        if axes is not None:
            pictures = series.pictures(index, name, axes.reference, ALL_FORMS)
            used |= {("images", picture.key) for picture in pictures}
    return used


def _used_of(context: ContextPlan, plan: Plan) -> set[Use]:
    used = context.used
    for captured in context.all_captured.values():
        used = used.union(*(step.uses for step in (*captured.all_measures, *captured.projections.values())))
        heat_map = plan.heat_map(context.model, captured)
        if heat_map is not None:
            used.add(("images", heat_map.key))
        for name in captured.drawn:
            projection = plan.steps.stored(captured.projections[name])
            if projection is not None:
                pictures = plan.pictures(context.model, captured, projection, ALL_FORMS)
                used |= {("images", picture.key) for picture in pictures}
    return used
