"""Kinds of sources that other packages add, as entry points of the group ``tokviz.sources``.

The entry point ``zip = "my_package:unpacked"`` makes ``zip:model.zip`` a source: ``unpacked("model.zip", base)`` gives the folder of a
checkpoint, or a GGUF file, on this machine. It is called at every start, and should be quick where the files are there already.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from tokviz.errors import SourceError
from tokviz.text import error_line

GROUP = "tokviz.sources"


def place_of(source: str, base: Path) -> Path | None:
    """Where a source of an added kind is; None for a source of no such kind.

    Parameters
    ----------
    base : the config's folder, from which relative paths start.

    Raises
    ------
    SourceError : the package failed, or gave no folder or file.
    """
    kind, colon, rest = source.partition(":")
    added = _kinds().get(kind) if colon else None
    if added is None:
        return None
    who = f"{source}: the package {added.dist.name if added.dist else added.value}"
    try:
        place = added.load()(rest, base)
    except (Exception, SystemExit) as error:
        raise SourceError(f"{who}: {error_line(error)}") from error
    if not isinstance(place, str | Path) or not Path(place).exists():
        raise SourceError(f"{who}: expected a folder or a .gguf file on this machine, got {place!r}")
    return Path(place)


@cache
def _kinds() -> dict[str, EntryPoint]:
    return {each.name: each for each in entry_points(group=GROUP)}
