"""The workers of a running Dask or Ray cluster, as executors."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from typing import Any

from tokviz.config import install
from tokviz.errors import BackendError, LostWorkError
from tokviz.run.work.processes import MOST_RESTARTS, Describe, pass_on
from tokviz.text import one_line

CONNECT_SECONDS = 20
_INSTALL = install("cluster")


class Dask(Executor):
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
                library.comm.get_address_host_port(address)  # a client with a malformed address takes long to give up
                self._client = library.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
                raise _unreachable("dask", address, error) from None
            try:
                self._client.get_versions(check=True)
            except ValueError as error:
                self._client.close()
                raise BackendError(
                    f"--backend dask: scheduler, workers and this process run different versions: {_message(error)}; "
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
        inner.add_done_callback(lambda done: pass_on(done, outer, _explained_dask))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        # Closing the connection cancels unfinished work; a scheduler that has gone away can't be reached.
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
            "perhaps because memory ran out; their logs say more"
        )
    return _explained_cluster("dask", error)


class Ray(Executor):
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
        self._references: dict[Future[Any], Any] = {}

    def for_models(self, *, on_gpu: bool) -> Executor:
        """The same cluster for work that takes a whole machine, or one GPU."""
        if on_gpu:
            return Ray(self._address, self._jobs, self._describe, n_gpus=1)
        processors = [node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]]
        return Ray(self._address, self._jobs, self._describe, n_cpus=min(filter(None, processors), default=1))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        reference = self._task.remote(self._describe, self._describe(), fn, args, kwargs)
        self._references[outer] = reference

        def hand_on(done: Future[Any]) -> None:
            self._references.pop(outer, None)
            pass_on(done, outer, _explained_ray)

        reference.future().add_done_callback(hand_on)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for future, reference in list(self._references.items()):
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
            f"its Ray workers died, {MOST_RESTARTS + 1} times, perhaps because memory ran out; their logs say more"
        )
    if isinstance(error, exceptions.RayError):
        return BackendError(f"--backend ray: {_message(error)}")
    return error


def _explained_cluster(backend: str, error: BaseException) -> BaseException:
    """A worker that can't import this code, or of another version, can only say so in its own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (ModuleNotFoundError, AttributeError)) and "tokviz" in str(cause):
            return BackendError(
                f"--backend {backend}: a worker can't import this version of tokviz ({_message(cause)}); install it "
                "there, or start the workers with PYTHONPATH set to this project's folder"
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, CancelledError):
        return BackendError(f"--backend {backend}: the cluster went away or gave up the work")
    return error


def _run_alike(describe: Describe, expected: tuple[str, ...], fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """On a worker: do the work, unless other code or libraries would give another result there."""
    found = describe()
    if found != expected:
        differing = ", ".join(f"{b} instead of {a}" for a, b in zip(expected, found, strict=False) if a != b)
        raise BackendError(f"the worker on {socket.gethostname()} runs {differing}; install the same there as here")
    return fn(*args, **kwargs)


def _missing(backend: str, package: str, error: ImportError) -> BackendError:
    if error.name and error.name.split(".")[0] != package:
        return BackendError(f"--backend {backend}: the package {package} can't be loaded: {error}; {_INSTALL}")
    return BackendError(f"--backend {backend}: the package {package} is not installed; {_INSTALL}")


def _unreachable(backend: str, address: str, error: BaseException) -> BackendError:
    return BackendError(f"--backend {backend}: no cluster at {address}: {_message(error)}; check --address")


def _message(error: BaseException) -> str:
    return one_line(str(error)) or type(error).__name__
