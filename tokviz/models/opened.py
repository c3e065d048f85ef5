"""A model's files, which somebody may exchange while they are read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

Signature = dict[Path, tuple[int, ...]]
"""Path → what changes with a file's content, or with the file in its place."""


def opened(path: Path) -> BufferedReader:
    """For reading; of a pipe that has taken a file's place nothing is read, instead of waiting for somebody to write."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.fdopen(os.open(path, flags), "rb")


def signature(paths: Iterable[Path]) -> Signature:
    """Of files as they are now; none of one that is gone."""
    found: Signature = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = of_status(status)
    return found


def of_status(status: os.stat_result) -> tuple[int, ...]:
    """What of a file's status changes with its content, or tells it from another one."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
