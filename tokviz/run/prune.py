"""``--cache-prune``: what the cache holds beyond what the report uses."""

from __future__ import annotations

from tokviz.config import ReportConfig
from tokviz.run import keys, plan, results
from tokviz.run.capturing import planned_of
from tokviz.run.options import Options
from tokviz.run.store import Store


def prune(config: ReportConfig, options: Options) -> list[str]:
    """Drop from the cache what this configuration doesn't use; a line per kind says how much.

    Pictures of the report, of its draft and as SVG stay, and so do the states of a model whose files have changed: they are what
    the next run compares with.
    """
    store = Store(options.cache)
    used = _used(config, options, store)
    lines = []
    for kind, (count, n_bytes) in store.prune(used).items():
        lines.append(f"{options.cache / kind}: {count} removed, {n_bytes:,} bytes")
    return lines


def _used(config: ReportConfig, options: Options, store: Store) -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    ready = {}
    for model in config.models:
        jobs = planned_of(model, config, store, options).jobs
        used |= {("states", job.key) for job in jobs}
        stored = [job.stored for job in jobs if job.stored is not None]
        ready[model.slug] = stored
        for job in jobs:
            if job.stored is None:
                continue
            ordinary = results.ordinary_states(job.stored, stored)
            words = config.words_of(job.stored)
            measures = (
                results.geometry_key(job.stored, ordinary, config.projections, words),
                results.neighbours_key(job.stored),
            )
            used |= {("measures", key) for key in measures if key}
            for name in config.projections:
                key = keys.projection_key(job.stored, name, ordinary)
                used.add(("projections", key))
                projection = store.find_projection(key)
                if projection is not None:
                    forms = (*plan.FORMS, plan.DRAFT, plan.SVG)
                    pictures = plan.pictures(
                        model,
                        job.stored,
                        job.context,
                        projection,
                        words,
                        store,
                        with_fonts=store.typefaces.with_fonts,
                        forms=forms,
                    )
                    used |= {("images", picture.key) for picture in pictures}
    for (a, b), _ in config.pairs:
        for states in zip(ready[a], ready[b], strict=False):
            used |= {
                ("measures", keys.similarity_key(*states, single_token=single_token)) for single_token in (False, True)
            }
    return used
