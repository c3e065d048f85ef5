"""Which models are captured, and where: in this process, in one process per GPU, or by the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager

from tokviz import models
from tokviz.errors import ModelError
from tokviz.pages.model.batches import batch_warnings
from tokviz.run.capturing.apart import Apart
from tokviz.run.capturing.dates import now
from tokviz.run.capturing.folders import remove_left_over
from tokviz.run.capturing.one_model import capture_here
from tokviz.run.capturing.remote_capture import DeviceProcesses, capture_elsewhere
from tokviz.run.plan import captures
from tokviz.run.plan.options import Options
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.report import Plan
from tokviz.run.plan.request import Request
from tokviz.run.plan.tree import ModelPlan
from tokviz.run.store.artefacts import Store
from tokviz.run.work.clusters import Ray
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Reporter
from tokviz.text import whole_line


def capture_models(
    plan: Plan,
    reporter: Reporter,
    picture_queue: PictureQueue,
    apart: Apart,
    failed: Mapping[str, ModelError] | None = None,
) -> Iterator[tuple[ModelPlan, ModelError | None]]:
    """Each model once all its contexts are stored, or with the reason why they aren't; elsewhere they end in any order.

    On this machine the next model is loaded when the caller has dealt with this one: one at a time is in memory.

    Parameters
    ----------
    apart : where models are captured on this machine, if the options have them captured in a process of their own.
    failed : by slug, why models can't be captured that have been tried already.
    """
    now(os.environ.get("SOURCE_DATE_EPOCH"))  # a mistaken date is reported before any work
    for model in plan.models:
        if not model.due:
            remove_left_over(model.model, plan.store)
            yield model, None
    by_slug = {model.model.slug: model for model in plan.models if model.due}
    # Of workers elsewhere it isn't known which files they see.
    known = {} if plan.options.place.is_cluster else _hopeless(list(by_slug.values()), plan.options, failed or {})
    for slug, error in known.items():
        yield by_slug.pop(slug), error
    requests = [due_request(model) for model in by_slug.values()]
    with _workers(requests, plan.options, picture_queue) as (worker, for_workers):
        if worker is not None:
            for request, failure in capture_elsewhere(for_workers, worker, plan.store, reporter):
                _warn(request, plan.store, reporter)
                yield by_slug[request.model.slug], failure and _in_a_line(failure)
    for_this = [request for request in requests if request not in for_workers]
    if for_this and plan.options.apart:
        apart.begin()  # while this process has no threads that a fork would lack
    if for_this and plan.options.draws:
        # The other processes get ready while the first model loads.
        picture_queue.start((*captures.LIBRARIES, *(() if plan.options.is_draft else captures.MEASURING_LIBRARIES)))
    for request in for_this:
        failure = _failure(request, plan, apart if plan.options.apart else None, reporter)
        if failure is None:
            _warn(request, plan.store, reporter)
        yield by_slug[request.model.slug], failure


def _failure(request: Request, plan: Plan, apart: Apart | None, reporter: Reporter) -> ModelError | None:
    """Capture one model on this machine; ``apart``: in that process."""
    try:
        if apart is not None:
            apart.capture(request, plan.store)
        else:
            with models.failing_alone(request.model.source):
                capture_here(request, plan.store, reporter)
    except ModelError as error:
        return _in_a_line(error)
    return None


def _in_a_line(error: ModelError) -> ModelError:
    """It may name a model's files and tensors, and stands on pages."""
    error.args = (whole_line(str(error)),)
    return error


def _hopeless(due: list[ModelPlan], options: Options, failed: Mapping[str, ModelError]) -> dict[str, ModelError]:
    """By slug, why a model failed before, or its files can't be read: a mistyped path is reported before any library or model is loaded."""
    errors = {each.model.slug: failed[each.model.slug] for each in due if each.model.slug in failed}
    for model in (each for each in due if each.model.slug not in errors):
        try:
            models.check(model.model, options.base)
        except ModelError as error:
            errors[model.model.slug] = _in_a_line(error)
    return errors


@contextmanager
def _workers(
    requests: list[Request], options: Options, picture_queue: PictureQueue
) -> Iterator[tuple[Executor | None, list[Request]]]:
    """Who captures other than this process, and which models: a cluster all, a process per GPU those that fit one."""
    if options.place.is_cluster and requests:
        executor = picture_queue.start()
        # Ray reserves the memory that a model needs; Dask's workers have what they were started with.
        on_gpu = options.device.startswith("cuda")
        yield executor.for_models(on_gpu=on_gpu) if isinstance(executor, Ray) else executor, requests
        return
    n_processes = 0
    if options.device == "cuda" and len(requests) > 1:
        import torch

        # A model that is spread over all GPUs leaves none to others.
        n_processes = min(torch.cuda.device_count(), sum(not request.model.placement for request in requests))
    if n_processes < 2:
        yield None, []
        return
    with DeviceProcesses([f"cuda:{index}" for index in range(n_processes)]) as processes:
        yield processes, [request for request in requests if request.model.device_map is None]


def _warn(request: Request, store: Store, reporter: Reporter) -> None:
    """Say where the states of a model's words depend on what they went through the model with."""
    found = ((each.context.label, store.find_states(each.key)) for each in request.templates_due)
    warnings = (
        f"{label}: {warning}" for label, states in found if states for warning in batch_warnings(states.batch_check)
    )
    for warning in dict.fromkeys(warnings):  # the templates of a context have one check
        reporter.say(f"{request.model.display_name}, {warning}")
