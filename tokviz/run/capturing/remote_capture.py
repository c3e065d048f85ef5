"""Captures in other processes, or on other machines.

The hidden states come back to the process that publishes. Where the worker sees the same cache folder it writes there, so
that nothing large travels; else it sends the files of its captures, context by context.
"""

from __future__ import annotations

import os
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tokviz.errors import LostWorkError, ModelError, TokvizError
from tokviz.run.capturing.one_model import capture_here, failing_elsewhere
from tokviz.run.plan.request import Request
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path
from tokviz.run.work.processes import Processes
from tokviz.run.work.progress import Quiet, Reporter
from tokviz.text import counted

_ARRIVAL_SECONDS = 90
"""Network file systems remember for up to a minute that something wasn't there."""

_one_at_a_time = threading.Lock()
"""A worker may have several threads, but memory for one model."""


Sent = tuple[dict[str, dict[str, bytes]], dict[str, bytes]]
"""What a worker gives back that doesn't see the cache: key → the files of its states; key → the file of a measure."""


def capture_elsewhere(
    requests: Sequence[Request], executor: Executor, store: Store, reporter: Reporter
) -> Iterator[tuple[Request, ModelError | None]]:
    """Have ``executor`` do all requests; each, as it ends, with its error or None once its states are stored here."""
    if not requests:
        return
    with _marked(store.root) as mark:
        step = reporter.step(f"Capturing {counted(len(requests), 'model')}", len(requests))
        futures = {executor.submit(capture_there, request, mark): request for request in requests}
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


def capture_there(request: Request, mark: Path, device: str | None = None) -> Sent | None:
    """In another process or on another machine; None when all is in the cache that both see.

    Parameters
    ----------
    mark : a file in the cache, which says its own name.
    device : takes the place of the request's.
    """
    with _one_at_a_time, failing_elsewhere(request.model.source):
        request = replace(request, device=device or request.device)
        if _sees(mark):
            capture_here(request, Store(mark.parent), Quiet())
            return None
        with tempfile.TemporaryDirectory(prefix="tokviz-") as folder:
            store = Store(Path(folder))
            capture_here(request, store, Quiet())
            measures = {key: data for key in store.keys("measures") if (data := store.packed_measure(key))}
            return {key: store.packed_states(key) for key in store.keys("states")}, measures


class DeviceProcesses(Executor):
    """A local process per device; each piece of work goes to one that is free and gets its name as ``device``."""

    def __init__(self, devices: Sequence[str]) -> None:
        self._processes = {device: Processes(1) for device in devices}
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for device in devices:
            self._free.put(device)
        self._threads = ThreadPoolExecutor(len(devices))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(partial(self._run, fn, *args, **kwargs))

    def _run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        device = self._free.get()
        try:
            return self._processes[device].submit(fn, *args, device=device, **kwargs).result()
        finally:
            self._free.put(device)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for processes in self._processes.values():
            processes.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def _marked(cache: Path) -> Iterator[Path]:
    mark = cache.resolve() / f".mark.{uuid.uuid4().hex}"
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(mark.name, encoding="utf-8")
    except OSError as error:
        raise TokvizError(f"{shown_path(cache)}: can't write to the cache: {error.strerror or error}") from error
    try:
        yield mark
    finally:
        with suppress(OSError):
            mark.unlink()


def _sees(mark: Path) -> bool:
    try:
        return mark.read_text(encoding="utf-8") == mark.name and os.access(mark.parent, os.W_OK)
    except OSError:
        return False


def _keep(sent: Sent | None, request: Request, store: Store) -> None:
    if sent is not None:
        states, measures = sent
        for key, data in measures.items():
            store.put_packed_measure(key, data)
        for key, files in states.items():
            store.put_packed_states(key, files)
        return
    latest = time.monotonic() + _ARRIVAL_SECONDS
    while not all(store.find_states(each.key) for each in request.templates_due) and time.monotonic() < latest:
        time.sleep(0.5)
