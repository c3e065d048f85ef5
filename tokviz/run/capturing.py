"""One model's capture, as a piece of work that can be done in this process or anywhere else.

The hidden states come back to the process that publishes. Where the worker sees the same cache folder it writes there, so
that nothing large travels; else it sends the files of its captures, context by context.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import ConfigError, LostWorkError, ModelError, SourceError, TokvizError
from tokviz.records import Context, HiddenStates, WordList
from tokviz.run import keys, plan, results, workers
from tokviz.run.options import Options
from tokviz.run.picture_queue import Drawing
from tokviz.run.processes import Processes
from tokviz.run.progress import Quiet, Reporter
from tokviz.run.store import Store

_ARRIVAL_SECONDS = 90
"""Network file systems remember for up to a minute that something wasn't there."""

_one_at_a_time = threading.Lock()
"""A worker may have several threads, but memory for one model."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The captures of one model that are due."""

    model: ModelConfig
    base: Path
    """The config's folder; absolute when another process is to look there."""
    device: str
    contexts: tuple[tuple[str, Context], ...]
    """Each with the key under which its states are stored."""
    words: WordList
    read: str
    token_budget: int
    n_depths: int | None = None
    """How many depths are asked for, from the embedding on; None for all."""
    epoch: str | None = field(default_factory=lambda: os.environ.get("SOURCE_DATE_EPOCH"))


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """A cache folder, and the mark by which a worker tells that it is this one."""

    cache: Path
    mark: str


Packed = dict[str, dict[str, bytes]]
"""Key → the files of its states."""


def now(epoch: str | None = None) -> str:
    """ISO 8601 in UTC, to the second; ``SOURCE_DATE_EPOCH`` makes it repeatable (reproducible-builds.org).

    Raises ``ConfigError`` when that isn't a number of seconds.
    """
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {epoch!r}; correct or unset it"
        ) from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def capture_here(request: Request, store: Store, reporter: Reporter) -> None:
    """Load the model once, capture every context that is due, store each as soon as it is there.

    Raises ``ModelError``; the contexts captured before stay stored. ``DeviceError``: no model can be captured so.
    """
    try:
        models.require_device(request.device)
        with models.quiet_transformers():
            _capture(request, store, reporter)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{request.model.source}: not captured yet, and here {error.name} is not installed; pip install -r "
            "requirements.txt, or capture elsewhere with --capture-only and copy the cache"
        ) from error
    gc.collect()  # the model's memory is free before the next one loads


def _capture(request: Request, store: Store, reporter: Reporter) -> None:
    from tokviz import capture
    from tokviz.capture import tokens

    name = request.model.display_name
    with _offload_folder(store) as offload:
        step = reporter.step(f"{name}: loading")
        loaded = models.load(request.model, request.base, request.device, offload)
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix).up_to(request.n_depths)
        step.advance()
        tokenizations = [
            tokens.tokenize(loaded.tokenizer, request.words.words, context, request.read)
            if request.words.vocabulary is None
            else tokens.tokenize_vocabulary(loaded.tokenizer, context, request.read)
            for _, context in request.contexts
        ]
        # One after the other where nothing is gained by more, so that a run which is killed keeps those that it had.
        for group in capture.sharing_passes(loaded.module, tokenizations):
            labels = " and ".join(request.contexts[index][1].label for index in group)
            n_words = sum(len(tokenizations[index].words) for index in group)
            step = reporter.step(f"{name}: capturing, {labels}", n_words)
            with ExitStack() as written:
                adds = [
                    written.enter_context(
                        store.writing_states(
                            request.contexts[index][0],
                            card=loaded.card,
                            context=request.contexts[index][1],
                            tokenization=tokenizations[index],
                            module_paths=structure.module_paths,
                            captured_at=now(request.epoch),
                        )
                    )
                    for index in group
                ]
                for index, batch in capture.capture_together(
                    loaded.module,
                    structure,
                    [tokenizations[index] for index in group],
                    request.token_budget,
                    step.advance,
                ):
                    adds[index](batch)


@contextmanager
def _offload_folder(store: Store) -> Iterator[Path]:
    """Beside what is stored, since it may be as large as the model; gone afterwards."""
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        offload = tempfile.TemporaryDirectory(prefix=".offload-", dir=store.root)
    except OSError as error:
        raise TokvizError(f"{store.root}: can't write to the cache: {error.strerror or error}") from error
    with offload as folder:
        yield Path(folder)


# --- elsewhere ---------------------------------------------------------------------------------------------------


def capture_elsewhere(
    requests: Sequence[Request], executor: Executor, store: Store, reporter: Reporter
) -> Iterator[tuple[Request, ModelError | None]]:
    """Have ``executor`` do all requests; each, as it ends, with its error or None once its states are stored here."""
    if not requests:
        return
    with _marked(store.root) as shared:
        step = reporter.step("Capturing models", len(requests))
        futures = {executor.submit(capture_there, request, shared): request for request in requests}
        for future in as_completed(list(futures)):
            request = futures.pop(future)
            failure = None
            try:
                _keep(future.result(), request, store)
            except ModelError as error:
                failure = error
            except LostWorkError as error:
                failure = ModelError(f"{request.model.source}: {error}")
            del future  # and with it the states' bytes
            step.advance(detail=request.model.display_name)
            yield request, failure


def capture_there(request: Request, shared: _Shared) -> Packed | None:
    """In another process or on another machine: the states, or None when they are in the cache that both see."""
    with _one_at_a_time:
        try:
            request = replace(request, device=_own_device or request.device)
            if _sees(shared):
                capture_here(request, Store(shared.cache), Quiet())
                return None
            with tempfile.TemporaryDirectory(prefix="tokviz-") as folder:
                store = Store(Path(folder))
                capture_here(request, store, Quiet())
                return {key: store.packed_states(key) for key, _ in request.contexts}
        except ModelError as error:
            # Its cause, some library's own exception, need not be known or picklable where it is told.
            raise type(error)(str(error)) from None


def gpus_for(models: Sequence[ModelConfig], device: str, n_gpus: int) -> tuple[str, ...]:
    """The GPU of each capturing process, when several models can use several: ``cuda:0``, ``cuda:1`` …; else none.

    A model that is spread over all GPUs (``device_map``) leaves none to others.
    """
    n_processes = min(n_gpus, sum(not model.placement for model in models))
    return tuple(f"cuda:{index}" for index in range(n_processes)) if device == "cuda" and n_processes > 1 else ()


def one_process_each(devices: tuple[str, ...]) -> Executor:
    """Local processes for ``capture_there``, each with a device of its own."""
    return Processes(len(devices), (), _take_device, devices, multiprocessing.get_context("spawn").Value("i", 0))


def _take_device(devices: tuple[str, ...], n_taken: Any) -> None:
    global _own_device
    with n_taken.get_lock():
        _own_device = devices[n_taken.value % len(devices)]
        n_taken.value += 1


_own_device: str | None = None
"""Of this process, before what a request asks for."""


@contextmanager
def _marked(cache: Path) -> Iterator[_Shared]:
    mark = f".mark.{uuid.uuid4().hex}"
    path = cache.resolve() / mark
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mark, encoding="utf-8")
    except OSError as error:
        raise TokvizError(f"{cache}: can't write to the cache: {error.strerror or error}") from error
    try:
        yield _Shared(cache=path.parent, mark=mark)
    finally:
        with suppress(OSError):
            path.unlink()


def _sees(shared: _Shared) -> bool:
    try:
        return (shared.cache / shared.mark).read_text(encoding="utf-8") == shared.mark and os.access(
            shared.cache, os.W_OK
        )
    except OSError:
        return False


def _keep(packed: Packed | None, request: Request, store: Store) -> None:
    if packed is not None:
        for key, files in packed.items():
            store.put_packed_states(key, files)
        return
    latest = time.monotonic() + _ARRIVAL_SECONDS
    while not all(store.find_states(key) for key, _ in request.contexts) and time.monotonic() < latest:
        time.sleep(0.5)


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
    now(os.environ.get("SOURCE_DATE_EPOCH"))  # a mistaken date is told before any work
    all_planned = [planned_of(model, config, store, options) for model in config.models]
    for planned in all_planned:
        if not planned.due:
            yield planned, None
    requests = {planned.model.slug: _request(planned, config, options) for planned in all_planned if planned.due}
    by_slug = {planned.model.slug: planned for planned in all_planned}
    with _workers(list(requests.values()), options, under_way) as (worker, for_workers):
        if worker is not None:
            for request, failure in capture_elsewhere(for_workers, worker, store, reporter):
                yield by_slug[request.model.slug], failure
    for_this = [request for request in requests.values() if request not in for_workers]
    if for_this and options.draws:
        under_way.start(results.PROJECTING_LIBRARIES)  # the other processes get ready while the first model loads
    for request in for_this:
        try:
            capture_here(request, store, reporter)
        except ModelError as error:
            yield by_slug[request.model.slug], error
        else:
            yield by_slug[request.model.slug], None


@contextmanager
def _workers(
    requests: list[Request], options: Options, under_way: Drawing
) -> Iterator[tuple[Executor | None, list[Request]]]:
    """Who captures other than this process, and which models: a cluster all, a process per GPU those that fit one."""
    if options.place.is_cluster:
        on_gpu = options.device.startswith("cuda")
        yield (workers.for_models(under_way.start(), on_gpu=on_gpu), requests) if requests else (None, [])
        return
    models = [request.model for request in requests]
    gpus = gpus_for(models, options.device, _n_gpus()) if options.device == "cuda" and len(models) > 1 else ()
    if not gpus:
        yield None, []
        return
    with one_process_each(gpus) as processes:
        yield processes, [request for request in requests if request.model.device_map is None]


def _n_gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _request(planned: Planned, config: ReportConfig, options: Options) -> Request:
    return Request(
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
    jobs = plan.captures(config, model, models.identity(model, options.base), store, force=options.force)
    return Planned(model=model, jobs=_due_when_damaged(jobs, config, store))


def _due_when_damaged(jobs: list[plan.CaptureJob], config: ReportConfig, store: Store) -> list[plan.CaptureJob]:
    """Stored states are read through only when something is to be made from them."""
    stored = stored_of(jobs)

    def checked(job: plan.CaptureJob) -> plan.CaptureJob:
        if job.due or job.stored is None:
            return job
        wanted = [
            keys.projection_key(job.stored, name, results.ordinary_states(job.stored, stored))
            for name in config.projections
        ]
        if all(store.has_projection(key) for key in wanted) or store.states_are_intact(job.key):
            return job
        return replace(job, due="the stored states are damaged")

    return [checked(job) for job in jobs]


def stored_of(jobs: list[plan.CaptureJob]) -> list[HiddenStates]:
    return [job.stored for job in jobs if job.stored is not None]
