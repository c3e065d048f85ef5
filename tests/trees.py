"""Random trees of files, links, pipes and folders, as somebody may have put them where tokviz writes."""

from __future__ import annotations

import os
import random
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tokviz.run.store import disk

Facts = dict[str, str]
"""Path from a folder, with forward slashes → kind and content of what is there."""


def facts(folder: Path) -> Facts:
    """Of everything but folders that hold something."""
    found = {}
    for path in folder.rglob("*"):
        if described := _described(path):
            found[path.relative_to(folder).as_posix()] = described
    return found


def _described(path: Path) -> str | None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return f"link to {path.readlink()}"
    if stat.S_ISDIR(status.st_mode):
        return None if any(path.iterdir()) else "empty folder"
    mode = f"{stat.S_IMODE(status.st_mode):o}"
    if stat.S_ISREG(status.st_mode):
        return f"file {mode} {path.read_bytes()!r}"
    return f"{stat.S_IFMT(status.st_mode):o} {mode}"


def lost(before: Facts, *folders: Path) -> Counter[str]:
    """What was there before, an empty folder apart, and is in none of the folders now."""
    now = Counter(each for folder in folders if folder.is_dir() for each in facts(folder).values())
    return Counter(each for each in before.values() if each != "empty folder") - now


def put(folder: Path, paths: Sequence[str], chance: random.Random) -> set[str]:
    """Put something at each path that is free or whose folder can be made, or in place of a file; returns where."""
    done = set()
    for path in paths:
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError:  # a file is where a folder would have to be
            continue
        if disk.is_folder(place) and not any(place.iterdir()):
            place.rmdir()
        if not disk.is_folder(place):
            place.unlink(missing_ok=True)
            _make(place, chance)
            done.add(path)
    return done


def _make(place: Path, chance: random.Random) -> None:
    kind = chance.choice(["file"] * 5 + ["link", "dangling", "loop", "pipe", "folder"])
    if kind == "file":
        place.write_bytes(chance.randbytes(chance.randint(0, 40)))
        place.chmod(chance.choice([0o644, 0o600, 0o444, 0o755]))
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
        (place / "within").write_bytes(chance.randbytes(8))
    else:
        place.symlink_to({"link": "..", "dangling": "nowhere", "loop": place.name}[kind])
