"""How much memory is free, how much a forward pass takes, and a pass that fails where it would take more.

Linux lets a process allocate more memory than there is and ends it, without a message, when it uses that. A limit for the
time of a pass turns that into an error.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

_IS_REUSED = ContextVar("_IS_REUSED", default=False)
_SECONDS_BETWEEN_SAMPLES = 0.001
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
"""Of glibc's malloc.h."""
_MOST_OF_HEAP = 2**25
"""Bytes: what is larger never comes from the heap."""
_CGROUP_FILES = (
    # Limit, usage, and in memory.stat what can be taken back: of version 2 and of version 1.
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_bytes(device: torch.device | None) -> int | None:
    """How much memory is free on the device, None being the processor; None for a kind of device that doesn't say."""
    if device is None or device.type == "cpu":
        free = psutil.virtual_memory().available
        in_cgroups = [left for folder in cgroups() if (left := free_in_cgroup(folder)) is not None]
        return int(min([free, *in_cgroups]))
    if device.type == "cuda":
        import torch

        unused_by_torch = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused_by_torch
    return None


def cgroups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[Path]:
    """The folders of the control groups that this process is in; each may have a limit, and so may those above it."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            top = root / controllers
            folder = top / path.lstrip("/")
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top))


def free_in_cgroup(folder: Path) -> int | None:
    """How much a control group still allows; None without a limit."""
    for limit, usage, reclaimable in _CGROUP_FILES:
        try:
            left = int((folder / limit).read_text()) - int((folder / usage).read_text())
            statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            return max(left + int(statistics.get(reclaimable, 0)), 0)
        except (OSError, ValueError):
            continue  # no such file, or "max"
    return None


class MemoryMeter:
    """Measures how much memory a piece of work takes at its peak, beyond what was taken when the meter was made.

    On the processor the resident memory is sampled while the work is done: the peak that the system keeps includes the
    loading of the model. A GPU counts itself.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before = _taken(device)

    def peak_of(self, work: Callable[[], object]) -> int | None:
        """Bytes; None on a kind of device that doesn't say."""
        import torch

        if self._before is None:
            work()
            return None
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            work()
            return int(torch.cuda.max_memory_allocated(self._device)) - self._before
        peak = _while_sampling(work)
        return max(peak - self._before, 0)


def _taken(device: torch.device) -> int | None:
    import torch

    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return _resident_bytes() if device.type == "cpu" else None


def _resident_bytes() -> int:
    """Of this process, without mapped files: weights that are read for the first time don't count."""
    memory = psutil.Process().memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _while_sampling(work: Callable[[], object]) -> int:
    """The largest resident memory, in bytes, while ``work`` is done."""
    peak, done = _resident_bytes(), threading.Event()

    def sample() -> None:
        nonlocal peak
        while not done.wait(_SECONDS_BETWEEN_SAMPLES):
            peak = max(peak, _resident_bytes())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return max(peak, _resident_bytes())


@contextmanager
def limited_to_free_memory(device: torch.device | None, share: float = 1.0) -> Iterator[None]:
    """Within the block, Linux refuses memory that isn't there, which torch and NumPy raise as an error; elsewhere it does nothing.

    Memory that is swapped out counts as free; other processes may take what was free at the beginning of the block.

    Parameters
    ----------
    device : None in a process without torch.
    share : of the free memory that may be taken; all of the swap may.
    """
    if sys.platform != "linux" or not (device is None or device.type == "cpu"):
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + int(share * (free_bytes(device) or 0)) + psutil.swap_memory().free
    if before[0] != resource.RLIM_INFINITY:
        limit = min(limit, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


@contextmanager
def reused_memory(device: torch.device) -> Iterator[None]:
    """Within the block, glibc keeps what tensors leave for the next ones; at its end the system gets all of it back.

    By default each tensor of more than 32 MB gets new memory, page by page, which the system fills with zeros first: transformers' own
    code for linear attention, with some sixty of them in a layer, spent half of its time in the system. No numbers depend on it.
    A block within the block changes nothing.
    """
    libc = _glibc() if device.type == "cpu" and not _IS_REUSED.get() else None
    if libc is None:
        yield
        return
    outer = _IS_REUSED.set(True)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        # To where glibc brings its limits itself, which it no longer does once they are set.
        libc.mallopt(_M_MMAP_MAX, 65_536)
        libc.mallopt(_M_MMAP_THRESHOLD, _MOST_OF_HEAP)
        libc.mallopt(_M_TRIM_THRESHOLD, 2 * _MOST_OF_HEAP)
        libc.malloc_trim(0)
        _IS_REUSED.reset(outer)


def keep_freed_memory() -> None:
    """From now on this process keeps up to 128 MB that it no longer uses: pictures and measures ask for as much again and again."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _MOST_OF_HEAP)
        libc.mallopt(_M_TRIM_THRESHOLD, 4 * _MOST_OF_HEAP)


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """None where memory is another library's."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if all(hasattr(libc, name) for name in ("gnu_get_libc_version", "mallopt", "malloc_trim")) else None


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on the processor or a GPU."""
    import torch

    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def _data_bytes() -> int:
    """What counts towards the limit: writable memory of this process alone, used or not."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
