"""Other file systems within a folder: real ones, where the system lets anybody mount them, and stand-ins."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tokviz.run.store import disk

IN_A_NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def can_mount() -> bool:
    """Whether a file system of any size can be mounted here, as Linux lets one in a name space of one's own."""
    try:
        command = [*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@contextmanager
def mounted(*folders: Path) -> Iterator[None]:
    """As if other file systems began at these folders."""
    replace, mounts = Path.replace, set(folders)

    def above(path: Path) -> Path | None:
        return next((each for each in path.parents if each in mounts), None)

    def refused(source: Path, target: Path) -> Path:
        if source in mounts or target in mounts:
            raise OSError(errno.EBUSY, "Device or resource busy")
        if above(source) != above(Path(target)):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    with patch.object(disk, "_mounts", lambda _: iter(mounts)), patch.object(Path, "replace", refused):
        yield
