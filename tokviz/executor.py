"""Where independent work runs: an executor with the interface of ``concurrent.futures``.

Processes of this machine, or the workers of a Dask or Ray cluster, which do the distributing. Work that was lost with its
worker is done again, by whoever can, a few times.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.context import BaseContext
from typing import Any

from tokviz.errors import BackendError, LostWorkError

MOST_RESTARTS = 3
"""So often local processes are started anew, and Ray tries a piece of work again; Dask has a setting of its own,
``distributed.scheduler.allowed-failures``, and the same default."""
CONNECT_SECONDS = 20
_INSTALL = "pip install -r requirements-cluster.txt"

Describe = Callable[[], tuple[str, ...]]
"""Gives what must be alike on a worker and here."""


class Backend(StrEnum):
    LOCAL = "local"
    DASK = "dask"
    RAY = "ray"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where work is to run."""

    backend: Backend = Backend.LOCAL
    address: str | None = None
    """Dask: of the scheduler, ``tcp://…``. Ray: ``auto`` (the default), ``local``, ``ray://…``."""

    def __post_init__(self) -> None:
        if self.address is not None and self.backend is Backend.LOCAL:
            raise BackendError(f"--address {self.address}: expected --backend dask or ray with it, got local")
        if self.address is None and self.backend is Backend.DASK:
            raise BackendError("--backend dask: expected --address tcp://HOST:PORT of a Dask scheduler, got none")

    @property
    def is_cluster(self) -> bool:
        return self.backend is not Backend.LOCAL


def default_jobs() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def start(
    place: Place,
    jobs: int,
    libraries: Sequence[str],
    prepare: Callable[[], None],
    describe: Describe,
    say: Callable[[str], None],
) -> Executor:
    """An executor for work of one processor.

    Parameters
    ----------
    place : local processes, or a cluster that is running already.
    jobs : of local processes, how many; so too with Ray's ``local``.
    libraries, prepare : modules that local processes load, and what each does then, before the first work comes.
    describe : gives the versions that a cluster's workers must share with this process.
    say : told when there is nobody yet to do the work: in a queue that may take its time.

    Raises
    ------
    BackendError : the cluster can't be reached or its package is missing, in one line.
    """
    if place.backend is Backend.DASK:
        return _Dask(str(place.address), describe, say)
    if place.backend is Backend.RAY:
        return _Ray(place.address or "auto", jobs, describe)
    return Processes(jobs, libraries, prepare)


def for_models(executor: Executor, *, on_gpu: bool) -> Executor:
    """The same workers for work that takes a model's memory: Ray is told what that needs, Dask's workers are as large as
    they were started."""
    return executor.for_models(on_gpu=on_gpu) if isinstance(executor, _Ray) else executor


# --- processes of this machine -----------------------------------------------------------------------------------


class Processes(Executor):
    """A pool that is started anew when one of its processes dies; what wasn't done then is done again.

    The processes begin at once, so that they are ready when the first work comes. They are never forked from this one,
    whose threads (torch's, for one) could leave a fork in a deadlock. On Linux they are forked from a process that has
    loaded ``libraries`` and does nothing else, which takes one import instead of one each; elsewhere they are spawned.
    """

    def __init__(
        self, jobs: int, libraries: Sequence[str] = (), prepare: Callable[..., None] | None = None, *arguments: Any
    ) -> None:
        self._jobs = jobs
        self._begin = (tuple(libraries), prepare, *arguments)
        self._lock = threading.Lock()
        self._n_restarts = 0
        self._closed = False
        with _children_ignore_interrupts():
            self._context = _context(libraries)
            self._pool = self._new_pool()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        self._send(outer, fn, args, kwargs)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _new_pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(self._jobs, mp_context=self._context, initializer=_begin, initargs=self._begin)
        if self._context.get_start_method() == "forkserver":
            # Who asks for a fork waits until the libraries are loaded; this process has other things to do meanwhile.
            threading.Thread(target=_fill, args=(pool, self._jobs), daemon=True).start()
        else:
            _fill(pool, self._jobs)
        return pool

    def _send(self, outer: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
        with self._lock:
            pool = self._pool
            try:
                inner = pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool as error:
                inner = Future()
                inner.set_exception(error)

        def hand_on(done: Future[Any]) -> None:
            if not done.cancelled() and isinstance(done.exception(), BrokenProcessPool) and self._restarted(pool):
                self._send(outer, fn, args, kwargs)
            else:
                _hand_on(done, outer, _explained_process)

        inner.add_done_callback(hand_on)

    def _restarted(self, broken: ProcessPoolExecutor) -> bool:
        """Whether there is a new pool in the place of the broken one."""
        with self._lock:
            if self._pool is broken and self._n_restarts < MOST_RESTARTS and not self._closed:
                self._n_restarts += 1
                self._pool = self._new_pool()
            return self._pool is not broken


def _context(libraries: Sequence[str]) -> BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver  # not for Windows

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(libraries))
    forkserver.ensure_running()
    return context


def _fill(pool: ProcessPoolExecutor, jobs: int) -> None:
    """A process starts when there is work for it."""
    with suppress(RuntimeError):  # the pool may be closed or broken by now
        for _ in range(jobs):
            pool.submit(os.getpid)


def _begin(libraries: Sequence[str], prepare: Callable[..., None] | None, *arguments: Any) -> None:
    # Ctrl-C reaches every process of a terminal: the main one answers it, the others are ended in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for library in libraries:
        importlib.import_module(library)
    if prepare:
        prepare(*arguments)


def _end_with_parent() -> None:
    """A process whose parent is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _children_ignore_interrupts() -> Iterator[None]:
    """From their very start, before ``_begin``: their first seconds go into imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _explained_process(error: BaseException) -> BaseException:
    if isinstance(error, BrokenProcessPool):
        return LostWorkError(
            f"the process that worked on it died, {MOST_RESTARTS + 1} times, perhaps for want of memory; run again "
            "with a smaller --jobs (what was captured and drawn is kept)"
        )
    return error


# --- clusters ----------------------------------------------------------------------------------------------------


class _Dask(Executor):
    """The workers of a running Dask cluster. Dask gives the work of a worker that died to another."""

    def __init__(self, address: str, describe: Describe, say: Callable[[str], None]) -> None:
        try:
            import distributed
        except ImportError as error:
            raise _missing("dask", "distributed", error) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters comes as an exception
        library: Any = distributed  # half of its functions are untyped
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared below
            try:
                library.comm.get_address_host_port(address)  # a client told nonsense takes long to give up
                self._client = library.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
                raise _unreachable("dask", address, error) from None
            try:
                self._client.get_versions(check=True)
            except ValueError as error:
                self._client.close()
                raise BackendError(
                    f"--backend dask: scheduler, workers and this process run different versions: {_one_line(error)}; "
                    "install the same on all"
                ) from None
        if not self._client.scheduler_info()["workers"]:
            say(f"Waiting for a worker of {address} …")
        self._executor = self._client.get_executor(pure=False)
        self._describe = describe

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        # The scheduler opens what it is sent, and need not know this code: it sees bytes.
        work = pickle.dumps((_run_alike, (self._describe, self._describe(), fn, args, kwargs)))
        inner = self._executor.submit(_opener(), work)
        inner.add_done_callback(lambda done: _hand_on(done, outer, _explained_dask))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        # Closing the connection gives up what is under way; a scheduler that has gone away can't be told so.
        with suppress(Exception):
            self._executor.shutdown(wait=wait and not cancel_futures)
        with suppress(Exception):
            self._client.close(timeout=5)


def _opener() -> Callable[[bytes], Any]:
    """A function inside a function is sent as it is, not as the name of a module to import."""

    def do(work: bytes) -> Any:
        import pickle

        function, arguments = pickle.loads(work)
        return function(*arguments)

    return do


def _explained_dask(error: BaseException) -> BaseException:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return LostWorkError(
            f"its Dask workers died, {error.allowed_failures + 1} of them, the last at {error.last_worker.address}, "
            "perhaps for want of memory; their logs say more"
        )
    return _explained_cluster("dask", error)


class _Ray(Executor):
    """Tasks of a Ray cluster, which tries again what was lost with a worker or a node."""

    def __init__(self, address: str, jobs: int, describe: Describe, *, n_cpus: float = 1, n_gpus: float = 0) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as Ray will do by default
        try:
            import ray
        except ImportError as error:
            raise _missing("ray", "ray", error) from None
        self._ray: Any = ray  # half of its functions are untyped
        self._address, self._jobs, self._describe = address, jobs, describe
        self._owns = not ray.is_initialized()
        if self._owns:
            own: dict[str, Any] = {"num_cpus": jobs, "include_dashboard": False} if address == "local" else {}
            try:
                if address not in ("auto", "local"):  # Ray tries for minutes to reach what isn't there
                    host, _, port = address.removeprefix("ray://").rpartition(":")
                    socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
                ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
            except (ConnectionError, OSError, ValueError, RuntimeError, ImportError, ray.exceptions.RayError) as error:
                raise _unreachable("ray", address, error) from None
        self._task = ray.remote(max_retries=MOST_RESTARTS, num_cpus=n_cpus, num_gpus=n_gpus)(_run_alike)
        self._under_way: dict[Future[Any], Any] = {}

    def for_models(self, *, on_gpu: bool) -> Executor:
        """The same cluster for work that takes a whole machine, or one GPU."""
        if on_gpu:
            return _Ray(self._address, self._jobs, self._describe, n_gpus=1)
        processors = [node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]]
        return _Ray(self._address, self._jobs, self._describe, n_cpus=min(filter(None, processors), default=1))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        reference = self._task.remote(self._describe, self._describe(), fn, args, kwargs)
        self._under_way[outer] = reference

        def hand_on(done: Future[Any]) -> None:
            self._under_way.pop(outer, None)
            _hand_on(done, outer, _explained_ray)

        reference.future().add_done_callback(hand_on)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for future, reference in list(self._under_way.items()):
            if cancel_futures:
                with suppress(Exception):
                    self._ray.cancel(reference, force=True)
            elif wait:
                with suppress(Exception, CancelledError):
                    future.result()
        if self._owns:
            self._ray.shutdown()


def _explained_ray(error: BaseException) -> BaseException:
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):
        return _explained_cluster("ray", error.cause)
    if isinstance(error, (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError, exceptions.NodeDiedError)):
        return LostWorkError(
            f"its Ray workers died, {MOST_RESTARTS + 1} times, perhaps for want of memory; their logs say more"
        )
    if isinstance(error, exceptions.RayError):
        return BackendError(f"--backend ray: {_one_line(error)}")
    return error


def _explained_cluster(backend: str, error: BaseException) -> BaseException:
    """A worker that can't import this code, or of another version, can only say so in its own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (ModuleNotFoundError, AttributeError)) and "tokviz" in str(cause):
            return BackendError(
                f"--backend {backend}: a worker can't import this version of tokviz ({_one_line(cause)}); install it "
                "there, or start the workers with PYTHONPATH set to this project's folder"
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, CancelledError):
        return BackendError(f"--backend {backend}: the cluster went away or gave the work up")
    return error


def _run_alike(describe: Describe, expected: tuple[str, ...], fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """On a worker: do the work, unless other code or libraries would give another result there."""
    found = describe()
    if found != expected:
        differing = ", ".join(f"{b} instead of {a}" for a, b in zip(expected, found, strict=False) if a != b)
        raise BackendError(f"the worker on {socket.gethostname()} runs {differing}; install the same there as here")
    return fn(*args, **kwargs)


def _hand_on(done: Future[Any], outer: Future[Any], explained: Callable[[BaseException], BaseException]) -> None:
    """Pass an outcome on, a library's errors as ours."""
    with suppress(InvalidStateError):  # whoever waited may have given up
        if done.cancelled():
            outer.set_exception(explained(CancelledError()))
        elif (error := done.exception()) is not None:
            outer.set_exception(explained(error))
        else:
            outer.set_result(done.result())


def _missing(backend: str, package: str, error: ImportError) -> BackendError:
    if error.name and error.name.split(".")[0] != package:
        return BackendError(f"--backend {backend}: the package {package} can't be loaded: {error}; {_INSTALL}")
    return BackendError(f"--backend {backend}: the package {package} is not installed; {_INSTALL}")


def _unreachable(backend: str, address: str, error: BaseException) -> BackendError:
    return BackendError(f"--backend {backend}: no cluster at {address}: {_one_line(error)}; check --address")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
