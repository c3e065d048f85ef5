"""Which models are captured, and where: in this process, in one process per GPU, or by the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tokviz import capturing, executor, measuring, plan, projecting, sources
from tokviz.config import ModelConfig, ReportConfig
from tokviz.drawing import Drawing
from tokviz.errors import ModelError
from tokviz.options import Options
from tokviz.progress import Reporter
from tokviz.records import HiddenStates
from tokviz.store import Store


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A model, and what is stored or due of each context."""

    model: ModelConfig
    jobs: list[plan.CaptureJob]

    @property
    def due(self) -> list[plan.CaptureJob]:
        return [job for job in self.jobs if job.due]


def captured(
    config: ReportConfig, store: Store, options: Options, reporter: Reporter, under_way: Drawing
) -> Iterator[tuple[Planned, ModelError | None]]:
    """Each model once all its contexts are stored, or with the reason why they aren't; elsewhere they end in any order.

    In this process the next model is loaded when this one has been dealt with: one at a time is in memory.
    """
    capturing.now(os.environ.get("SOURCE_DATE_EPOCH"))  # a mistaken date is told before any work
    all_planned = [planned_of(model, config, store, options) for model in config.models]
    for planned in all_planned:
        if not planned.due:
            yield planned, None
    requests = {planned.model.slug: _request(planned, config, options) for planned in all_planned if planned.due}
    by_slug = {planned.model.slug: planned for planned in all_planned}
    with _workers(list(requests.values()), options, under_way) as (worker, for_workers):
        if worker is not None:
            for request, failure in capturing.capture_elsewhere(for_workers, worker, store, reporter):
                yield by_slug[request.model.slug], failure
    for_this = [request for request in requests.values() if request not in for_workers]
    if for_this and options.draws:
        under_way.start(projecting.LIBRARIES)  # the other processes get ready while the first model loads
    for request in for_this:
        try:
            capturing.capture_here(request, store, reporter)
        except ModelError as error:
            yield by_slug[request.model.slug], error
        else:
            yield by_slug[request.model.slug], None


@contextmanager
def _workers(
    requests: list[capturing.Request], options: Options, under_way: Drawing
) -> Iterator[tuple[Executor | None, list[capturing.Request]]]:
    """Who captures other than this process, and which models: a cluster all, a process per GPU those that fit one."""
    if options.place.is_cluster:
        on_gpu = options.device.startswith("cuda")
        yield (executor.for_models(under_way.start(), on_gpu=on_gpu), requests) if requests else (None, [])
        return
    models = [request.model for request in requests]
    gpus = capturing.gpus_for(models, options.device, _n_gpus()) if options.device == "cuda" and len(models) > 1 else ()
    if not gpus:
        yield None, []
        return
    with capturing.one_process_each(gpus) as processes:
        yield processes, [request for request in requests if request.model.device_map is None]


def _n_gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _request(planned: Planned, config: ReportConfig, options: Options) -> capturing.Request:
    return capturing.Request(
        model=planned.model,
        base=options.base.resolve(),
        device=options.device,
        contexts=tuple((job.key, job.context) for job in planned.due),
        words=config.word_list,
        read=config.read,
        token_budget=config.token_budget,
        n_depths=config.n_depths,
    )


def planned_of(model: ModelConfig, config: ReportConfig, store: Store, options: Options) -> Planned:
    jobs = plan.captures(config, model, sources.identity(model, options.base), store, force=options.force)
    return Planned(model=model, jobs=_due_when_damaged(jobs, config, store))


def _due_when_damaged(jobs: list[plan.CaptureJob], config: ReportConfig, store: Store) -> list[plan.CaptureJob]:
    """Stored states are read through only when something is to be made from them."""
    stored = stored_of(jobs)

    def checked(job: plan.CaptureJob) -> plan.CaptureJob:
        if job.due or job.stored is None:
            return job
        keys = [
            plan.projection_key(job.stored, name, measuring.ordinary_states(job.stored, stored))
            for name in config.projections
        ]
        if all(store.has_projection(key) for key in keys) or store.states_are_intact(job.key):
            return job
        return replace(job, due="the stored states are damaged")

    return [checked(job) for job in jobs]


def stored_of(jobs: list[plan.CaptureJob]) -> list[HiddenStates]:
    return [job.stored for job in jobs if job.stored is not None]
