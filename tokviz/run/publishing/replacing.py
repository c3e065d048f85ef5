"""What becomes of an old site's files: those that tokviz can prove to have written go, all else stays or is put aside."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

from tokviz.run.publishing import manifest
from tokviz.run.publishing.manifest import OwnFiles
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import counted


@dataclass(frozen=True, kw_only=True)
class Spared:
    """What was in an old site and can't be proved to be tokviz's."""

    put_aside: tuple[str, ...] = ()
    """Files and folders that were moved to ``kept_folder``, as paths from its root."""
    left_over: tuple[str, ...] = ()
    """Files that may be an earlier report's and stay in the site, as paths from its root."""
    problems: tuple[str, ...] = ()
    """Why something is neither in the site nor aside yet, and where it is."""

    def __add__(self, other: Spared) -> Spared:
        return Spared(
            put_aside=(*self.put_aside, *other.put_aside),
            left_over=(*self.left_over, *other.left_over),
            problems=(*self.problems, *other.problems),
        )

    def lines(self, output: Path) -> list[str]:
        """What people are told of what was put aside, or may be left over, of the site in ``output``."""
        found = []
        if self.put_aside:
            found.append(
                f"Moved to {shown_path(kept_folder(output))}, as they were changed by hand or stood in the way: "
                f"{', '.join(self.put_aside)}"
            )
        if self.left_over:
            found.append(
                f"{shown_path(output)}: {counted(len(self.left_over), 'file')} may be left over from an earlier report, such as "
                f"{self.left_over[0]}: its list of what it wrote doesn't prove that; remove what is left over"
            )
        return found


def kept_folder(output: Path) -> Path:
    """Where files are moved that a new site has no place for."""
    return output.with_name(f"{output.name}.kept")


class Replacing:
    """A new site in the place of an old one; gathers what is spared.

    Parameters
    ----------
    own : what of the old site is tokviz's.
    output : the site's folder.
    """

    def __init__(self, own: OwnFiles, output: Path) -> None:
        self.own, self.output = own, output
        self._put_aside: list[str] = []
        self._left_over: list[str] = []

    @property
    def spared(self) -> Spared:
        return Spared(put_aside=tuple(self._put_aside), left_over=tuple(self._left_over))

    def put_aside(self, entry: Path, path: str) -> None:
        """Move something to the folder for it, under a name that is free there."""
        kept = place = kept_folder(self.output)
        *above, name = PurePosixPath(path).parts
        for part in above:
            place = next(each for each in _numbered(place, part) if disk.is_folder(each) or not os.path.lexists(each))
        place.mkdir(parents=True, exist_ok=True)
        place = next(each for each in _numbered(place, name) if not os.path.lexists(each))
        disk.move(entry, place)
        self._put_aside.append(place.relative_to(kept).as_posix())

    def stays(self, paths: Iterable[str]) -> None:
        """Note those that may be left over from an earlier report."""
        self._left_over += [path for path in paths if self.own.may_be_own(path)]


def _numbered(folder: Path, name: str) -> Iterable[Path]:
    return (folder / (name if number == 0 else f"{name}.{number}") for number in count())


class Emptying(Replacing):
    """The old site stands beside the new one, and is emptied into it."""

    def __init__(self, old: Path, output: Path) -> None:
        super().__init__(OwnFiles.of(old), output)
        self._old = old
        self._errors: list[OSError] = []

    def empty_all(self) -> None:
        """Raises ``OSError`` for what can't be moved or removed, after all else has been."""
        if disk.is_folder(self._old):
            self._empty(self._old)
        if self._errors:
            raise self._errors[0]

    def _empty(self, folder: Path) -> None:
        # The manifest goes last: a run that is killed before still knows whose the others are.
        entries = sorted(folder.iterdir(), key=lambda entry: (self._path(entry) in (manifest.PATH, "data"), entry.name))
        for entry in entries:
            try:
                self._empty_of(entry, self._path(entry))
            except OSError as error:
                self._errors.append(error)
        if not any(folder.iterdir()):
            folder.rmdir()

    def _empty_of(self, entry: Path, path: str) -> None:
        if disk.is_folder(entry) and (disk.is_folder(self.output / path) or self._has_own(path)):
            if disk.is_folder(self.output / path):
                disk.take_after(self.output / path, entry)
            self._empty(entry)
        elif path == manifest.PATH and self._errors:
            pass  # it still has to tell what of the rest is tokviz's
        elif self._goes(entry, path):
            entry.unlink()
        elif self.own.is_changed(path, entry) or not self._move(entry, path):
            self.put_aside(entry, path)

    def _goes(self, entry: Path, path: str) -> bool:
        return self.own.is_own(path, entry) or disk.have_same_bytes(entry, self.output / path)

    def _has_own(self, path: str) -> bool:
        return any(each.startswith(f"{path}/") for each in self.own.paths)

    def _move(self, entry: Path, path: str) -> bool:
        """Move something into the new site, where nothing is in its way."""
        place = self.output / path
        nearest = next(each for each in (place, *place.parents) if os.path.lexists(each))
        if nearest == place or not disk.is_folder(nearest):
            return False
        self.stays(self._path(file) for file in (disk.files_in(entry) if disk.is_folder(entry) else [entry]))
        place.parent.mkdir(parents=True, exist_ok=True)
        disk.move(entry, place)
        return True

    def _path(self, entry: Path) -> str:
        return entry.relative_to(self._old).as_posix()


class Merging(Replacing):
    """The new site's files are moved into the old one's folder one by one; begun again after a kill, it goes on."""

    def __init__(self, new: Path, output: Path) -> None:
        super().__init__(OwnFiles.of(output), output)
        self._new, self._written = new, OwnFiles.of(new).paths

    def merge(self) -> None:
        # The manifest goes last: a run that is killed before still knows which files are those of the old site.
        for path in self._written:
            if disk.is_within(self._new, path):
                self._place(path)
        self._remove_former()
        self._place(manifest.PATH)

    def _place(self, path: str) -> None:
        for folder in reversed(PurePosixPath(path).parents[:-1]):
            self._make_folder(folder.as_posix())
        target = self.output / path
        gives_way = self.own.is_own(path, target) or disk.have_same_bytes(target, self._new / path)
        if os.path.lexists(target) and not gives_way:
            self.put_aside(target, path)
        disk.move(self._new / path, target)

    def _make_folder(self, path: str) -> None:
        place = self.output / path
        if os.path.lexists(place) and not disk.is_folder(place):
            if self.own.is_own(path, place):
                place.unlink()
            else:
                self.put_aside(place, path)
        if not os.path.lexists(place):
            place.mkdir()
            disk.begin_like(place, self._new / path)

    def _remove_former(self) -> None:
        """What the old site had and the new one hasn't."""
        for file in list(disk.files_in(self.output)):
            path = file.relative_to(self.output).as_posix()
            if path in self._written or path == manifest.PATH:
                continue
            if self.own.is_own(path, file):
                file.unlink()
                self._remove_empty_above(file)
            elif self.own.is_changed(path, file):
                self.put_aside(file, path)
            else:
                self.stays([path])

    def _remove_empty_above(self, file: Path) -> None:
        for folder in file.parents:
            if folder == self.output or any(folder.iterdir()) or folder.is_mount():
                return
            folder.rmdir()
