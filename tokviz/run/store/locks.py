"""Locks, so that runs which share a site or a cache wait for each other.

The operating system holds a lock for as long as the process that took it lives: one that was killed blocks nobody. A lock's
file may go while it is held: whoever had opened it before then finds another file of that name, or none, and tries again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tokviz.errors import BusyError, PublishError
from tokviz.run.store import disk, entries
from tokviz.run.store.disk import shown_path

_POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Locks:
    """How a run takes locks; raises ``BusyError`` where another one has what it wants, and this one doesn't wait."""

    waits: bool = True
    """Whether it waits for another run, or refuses to begin."""
    say: Callable[[str], None] = lambda _: None
    """Gets a line when the run must wait, and when a file system has no locks."""

    @contextmanager
    def on_site(self, output: Path) -> Iterator[None]:
        """Held by one run at a time; beside the site, in which only what is published stands.

        Raises ``PublishError`` where no file can be made there, so that the site couldn't be made either.
        """
        place = output.absolute()
        file = place.with_name(f".{place.name}.tokviz.lock")
        try:
            _make(file)
        except OSError as error:
            raise PublishError(
                f"{shown_path(output)}: expected a place where files can be made, but making one failed: "
                f"{error.strerror or error}; choose another --output"
            ) from error
        with self._held(file, f"{shown_path(output)}: another run is writing this site", goes=True):
            yield

    @contextmanager
    def on_captures(self, cache: Path, keys: Sequence[str]) -> Iterator[bool]:
        """Held while the states under some keys are captured; gives whether another run had one of them before."""
        had_to_wait = False
        with ExitStack() as held:
            for key in sorted(keys):  # in one order for all, so that no two runs wait for each other
                lock = self._held(
                    cache / "locks" / f"capture.{key}.lock", f"{shown_path(cache)}: another run is capturing the same"
                )
                had_to_wait |= held.enter_context(lock)
            yield had_to_wait

    @contextmanager
    def on_download(self, cache: Path, key: str) -> Iterator[None]:
        """Held while a model that isn't kept is downloaded, used and removed."""
        file = cache / "locks" / f"download.{key}.lock"
        with self._held(file, f"{shown_path(cache)}: another run uses the same download"):
            yield

    @contextmanager
    def in_use(self, cache: Path) -> Iterator[None]:
        """Held by every run that uses the cache: nothing is pruned meanwhile."""
        folder = cache / "locks"
        own = folder / f"run.{uuid.uuid4().hex}.lock"
        with ExitStack() as held:
            with self._held(folder / "prune.lock", f"{shown_path(cache)}: this cache is being pruned"):
                held.enter_context(self._held(own, ""))
            try:
                yield
            finally:
                with suppress(OSError):
                    own.unlink()  # nobody else takes it but for pruning, which finds another file or none

    @contextmanager
    def alone(self, cache: Path) -> Iterator[None]:
        """Held while the cache is pruned: no other run uses it."""
        folder = cache / "locks"
        with self._held(folder / "prune.lock", f"{shown_path(cache)}: this cache is being pruned"), ExitStack() as held:
            for file in entries.locks(cache, "run"):
                held.enter_context(self._held(file, f"{shown_path(cache)}: another run uses this cache"))
            yield
            for file in entries.locks(cache, "run", "capture", "download"):
                with suppress(OSError):  # nobody waits for them now
                    file.unlink(missing_ok=True)

    @contextmanager
    def _held(self, file: Path, taken: str, *, goes: bool = False) -> Iterator[bool]:
        """Hold one lock; gives whether another process had it before. ``goes``: the file is removed at the end."""
        lock = FileLock(file, fallback_to_soft=False, thread_local=False)
        had_to_wait = False
        try:
            try:
                _acquire(lock, file, timeout=0)
            except Timeout:
                if not self.waits:
                    raise BusyError(f"{taken}; wait until it has ended, or run without --no-wait") from None
                self.say(f"{taken}; waiting until it has ended …")
                had_to_wait = True
                _acquire(lock, file)
        except (OSError, NotImplementedError) as error:
            if os.access(file.parent, os.W_OK):  # else nothing can be written there, and the run says so when it must
                self.say(
                    f"{shown_path(file.parent)}: can't lock here ({error}); let only one run at a time use this folder"
                )
        try:
            yield had_to_wait
        finally:
            if goes and lock.is_locked:
                with suppress(OSError):  # Windows removes no open file
                    file.unlink()
            lock.release()


def _acquire(lock: FileLock, file: Path, timeout: float = -1) -> None:
    """Take a lock whose file others may remove; raises ``Timeout``, and ``OSError`` where the file can't be made or locked."""
    while True:
        _make(file)
        before = disk.identity(file)
        lock.acquire(timeout=timeout, poll_interval=_POLL_SECONDS)
        # filelock sees that a file was removed by its number of links, which a network file system may not change.
        if before is not None and before == disk.identity(file):
            return
        lock.release()


def _make(file: Path) -> None:
    """Raise ``OSError`` where it can't be made: filelock takes some of these errors for a lock that another process holds."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
