"""Who does independent work: processes of this machine, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from tokviz.errors import BackendError
from tokviz.run.work.clusters import Dask, Ray
from tokviz.run.work.processes import Describe, Processes, unguarded_line


class Backend(StrEnum):
    """Who captures and draws."""

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
    say : gets a line when no worker is there yet, as a cluster's queue may take its time; and when this process has to do.

    Raises
    ------
    BackendError : the cluster can't be reached or its package is missing, in one line.
    """
    if place.backend is Backend.DASK:
        return Dask(str(place.address), describe, say)
    if place.backend is Backend.RAY:
        return Ray(place.address or "auto", jobs, describe)
    line = unguarded_line()
    if line is None:
        return Processes(jobs, libraries, prepare)
    say(f'{line}: drawing in this process alone; below `if __name__ == "__main__":` several processes can')
    return ThreadPoolExecutor(1)
