"""What a place on the web gets of a site: which files are new, which replace others, and which go.

There, too, only what tokviz can prove to have written is removed or replaced by a file of tokviz's.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tokviz.errors import PublishError
from tokviz.run.publishing import manifest
from tokviz.run.publishing.manifest import OwnFiles
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import counted

_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is to be done at a place; paths from the site's root, sorted."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    """An earlier report's, that this one hasn't."""
    n_alike: int
    n_others: int
    """Files at the place that aren't in the site and stay."""
    n_bytes: int
    """Of what is new or replaces others."""

    @property
    def sent(self) -> tuple[str, ...]:
        return (*self.added, *self.replaced)

    @property
    def are_none(self) -> bool:
        return not self.sent and not self.removed

    def lines(self) -> Iterator[str]:
        if self.sent:
            new, changed = counted(len(self.added), "new file"), counted(len(self.replaced), "changed file")
            yield f"{new} and {changed}: {self.n_bytes / 1e6:,.1f} MB"
        if self.removed:
            yield f"removed: {counted(len(self.removed), 'file')} of an earlier report: {_some(self.removed)}"
        if self.n_alike:
            yield f"already there: {counted(self.n_alike, 'file')}"
        if self.n_others:
            yield f"left as they are: {counted(self.n_others, 'file')} that tokviz did not write"


class Target(ABC):
    """A place on the web that a site can be sent to."""

    name: str
    """In words."""
    notes: tuple[str, ...] = ()
    """What sending does besides."""
    there: Path
    """A folder with the files that are at the place now."""

    @abstractmethod
    def send(self, site: Path, changes: Changes) -> str:
        """Make the changes, and say where the report stands; raises ``PublishError``."""


def changes(site: Path, there: Path) -> Changes:
    """Compare a site with what is at a place.

    Parameters
    ----------
    there : a folder with what is there; hidden files in it are nobody's concern.

    Raises
    ------
    PublishError : ``site`` is no report, or a file of it would replace one at the place that tokviz didn't write.
    """
    if not manifest.is_site(site):
        raise PublishError(f"{shown_path(site)}: expected a report, found none; make it first: tokviz build")
    if manifest.is_unfinished(site):
        raise PublishError(
            f"{shown_path(site)}: expected a complete report, got a first look at one; wait until tokviz build ends, or run it again"
        )
    here, own_there, own_here = _files(site), OwnFiles.of(there), {*OwnFiles.of(site).paths, manifest.PATH}
    added, replaced, alike, foreign = [], [], [], []
    for path in here:
        old = there / path
        if disk.have_same_bytes(site / path, old):
            alike.append(path)
        elif _is_free(there, path):
            added.append(path)
        elif disk.is_within(there, path) and (own_there.is_own(path, old) or path not in own_here):
            replaced.append(path)  # what the author put into the site is the author's to replace
        else:
            foreign.append(path)
    if foreign:
        raise PublishError(
            f"{_some(foreign)}: expected nothing of that name there, or what tokviz wrote, got other files; move them there, or "
            "choose another place"
        )
    removed = [
        path
        for path in own_there.paths
        if path not in here and disk.is_within(there, path) and own_there.is_own(path, there / path)
    ]
    others = {path for path in _files(there) if path not in here} - {*removed}
    return Changes(
        added=tuple(added),
        replaced=tuple(replaced),
        removed=tuple(sorted(removed)),
        n_alike=len(alike),
        n_others=len(others),
        n_bytes=sum((site / path).stat().st_size for path in (*added, *replaced)),
    )


def apply(site: Path, found: Changes, there: Path) -> None:
    """Make the changes in a folder."""
    for path in found.removed:
        (there / path).unlink()
    for path in found.sent:
        (there / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site / path, there / path)


def _files(folder: Path) -> dict[str, None]:
    """The regular files of a folder, without hidden ones, as a host of pages doesn't show them."""
    found = (path.relative_to(folder) for path in disk.files_in(folder) if disk.is_regular(path))
    shown = (path for path in found if not any(part.startswith(".") and part != ".nojekyll" for part in path.parts))
    return dict.fromkeys(sorted(path.as_posix() for path in shown))


def _is_free(there: Path, path: str) -> bool:
    """Whether nothing is at a path, and no file or link where one of its folders would be."""
    above = [there / part for part in Path(path).parents][:-1]
    return not os.path.lexists(there / path) and all(
        disk.is_folder(each) or not os.path.lexists(each) for each in above
    )


def _some(paths: tuple[str, ...] | list[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
