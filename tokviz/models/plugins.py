"""Kinds of sources that other packages add, as entry points of the group ``tokviz.sources``.

The entry point ``zip = "my_package:unpacked"`` makes ``zip:model.zip`` a source: ``unpacked("model.zip", base)`` gives the folder of a
checkpoint, or a GGUF file, on this machine. It is called at every start, and should be quick where the files are there already.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from tokviz.entry_points import offered, only_one, package_of
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
    SourceError : the package failed or gave no folder or file, or two packages have this kind.
    """
    kind, colon, rest = source.partition(":")
    offers = _kinds().get(kind) if colon else None
    if offers is None:
        return None
    added = only_one(f"{source}: sources of the kind {kind}", offers, SourceError)
    who = f"{source}: the package {package_of(added)}"
    try:
        place = added.load()(rest, base)
    except (Exception, SystemExit) as error:
        raise SourceError(f"{who}: {error_line(error)}") from error
    if not isinstance(place, str | Path) or not Path(place).exists():
        raise SourceError(f"{who}: expected a folder or a .gguf file on this machine, got {place!r}")
    return Path(place)


_kinds = cache(partial(offered, GROUP))
