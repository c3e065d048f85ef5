"""A report's files → ``site/``, swapped in whole: readers see the old site or the new one, never a mixture.

Only what tokviz can prove to have written is removed. All else in the folder (``.git``, ``CNAME``, pages of somebody's own,
another report) is moved into the new site; where both have a file of one name, or one of tokviz's own was changed by hand, it
is moved to ``site.kept/``.

The new site is made in a folder beside the old one, ``.site.tokviz-…/new``. Two renames put it in place: ``site`` →
``.site.tokviz-…/old``, ``new`` → ``site``. Then ``old`` is emptied, file by file. Where the site's folder can't be renamed,
since another file system begins at it or in it, the new site's files are moved into it one by one. What a killed run leaves is
put right by the next: the folder's name is its own, and a note in it says whose site it belongs to.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tokviz.errors import PublishError
from tokviz.run.publishing import manifest
from tokviz.run.publishing.replacing import Emptying, Merging, Spared, kept_folder
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import path_in_line

_NOTE, _MERGING = "tokviz.json", "merging"
_HARMLESS = re.compile(
    r"CNAME|LICENSE|README\.md|lost\+found|\.git(attributes|hub|ignore|keep|lab-ci\.yml|modules)?|\.nojekyll|\.well-known|\.htaccess"
    r"|\.DS_Store|\.Spotlight-V100|\.fseventsd|\.snapshot|\.Trash-[0-9]+"
)
"""What may already be in a folder that becomes a site: what git, hosts of pages and file systems put there."""
_LONGEST_NAME = 230
"""So that what stands beside the site, under longer names, can be there, too."""
_NOT_RENAMED = (errno.EXDEV, errno.EBUSY)
"""What a system says of a folder that is a mount or, in a container, comes with its image."""

Content = str | bytes | Path
"""A text, a file's bytes, or a file to copy."""


def check_replaceable(output: Path) -> None:
    """Raise ``PublishError`` when ``output`` can't become a site; called before any work is done."""
    shown = shown_path(output)
    if len(os.fsencode(output.absolute().name)) > _LONGEST_NAME:
        raise PublishError(f"{shown[:20]}…: expected a name of at most {_LONGEST_NAME} bytes; choose a shorter one")
    kept = kept_folder(output.absolute()) if output.absolute().name else None
    if kept and os.path.lexists(kept) and not kept.is_dir():
        raise PublishError(
            f"{shown_path(kept)}: expected a folder, or nothing, where changed files are put aside, got a file; move it"
        )
    if output.is_symlink():
        raise PublishError(f"{shown}: expected a folder, got a link; give --output the folder itself")
    if not output.exists():
        above = next(folder for folder in output.absolute().parents if folder.exists())
        if not above.is_dir():
            raise PublishError(
                f"{shown}: expected a place to make a folder in, but {shown_path(above)} is none; choose another"
            )
        _require_writable(above, shown)
        return
    if not output.is_dir():
        raise PublishError(f"{shown}: expected a folder, got a file; choose another --output")
    for folder in (output, output.absolute().parent):
        _require_writable(folder, shown)
    if not manifest.is_site(output) and (other := _other_in(output)):
        raise PublishError(
            f"{shown}: expected an empty folder or an earlier report, got other files, such as {path_in_line(other)}; they would be "
            "mixed with the report's: choose another --output, or move them away first"
        )


def _require_writable(folder: Path, shown: str) -> None:
    if not os.access(folder, os.W_OK):
        raise PublishError(
            f"{shown}: expected to be allowed to write in {shown_path(folder)}; change that, or choose another"
        )


def _other_in(output: Path) -> str | None:
    """The name of something that isn't harmless: a home, with keys and settings of other programs, may hold hidden files only."""
    try:
        names = [entry.name for entry in output.iterdir()]
    except FileNotFoundError:  # another run is putting its site in place
        return None
    return min((name for name in names if not _HARMLESS.fullmatch(name)), default=None)


def publish(files: Mapping[str, Content], output: Path) -> Spared:
    """Write all files beside ``output``, then swap them in.

    Parameters
    ----------
    files : path from the site's root, with forward slashes → content.
    output : the site's folder. Whatever fails, it holds the old site whole or the new one whole; but where another file system
        begins in it, a part of the new one, and the next run moves the rest.

    Raises
    ------
    PublishError : the disk is full or read-only, …; it says where the site is then.
    """
    output = disk.placed(output)
    for path in files:
        if ".." in Path(path).parts or Path(path).anchor:
            raise PublishError(
                f"{shown_path(output)}: expected names of files in the site, got {path_in_line(path)}; find what is named so, and rename it"
            )
    spared = replace(recover(output), problems=())  # told before the work began
    check_replaceable(output)
    swap = _Swap.named(output, (*files, manifest.PATH))
    before = disk.identity(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        swap.begin()
        _write_all(files, swap.new)
        swap.put_in_place()
    except OSError as error:
        reason = f"{shown_path(output)}: can't write the site: {error.strerror or error}"
        swap.undo()
        raise PublishError(f"{reason}; {swap.whereabouts(before)}") from error
    return spared + swap.finish()


def is_complete(output: Path) -> bool:
    """Whether a complete report stands in the folder."""
    return manifest.is_site(output) and not manifest.is_unfinished(output)


def recover(output: Path) -> Spared:
    """Put right what a run left that was killed while it published; returns what ``publish`` does.

    Raises
    ------
    PublishError : the site can't be put back.
    """
    output = disk.placed(output)
    spared = Spared()
    for swap in _Swap.left_behind(output):
        try:
            swap.put_back()
        except OSError as error:
            raise PublishError(
                f"{shown_path(output)}: the site is in {shown_path(swap.old)}: {error.strerror or error}"
            ) from error
        spared += swap.finish()
    return spared


def _write_all(files: Mapping[str, Content], folder: Path) -> None:
    for parent in {(folder / path).parent for path in files}:
        parent.mkdir(parents=True, exist_ok=True)
    digests = {}
    for path, content in files.items():
        file = folder / path
        if isinstance(content, Path):
            shutil.copyfile(content, file)
            digests[path] = disk.file_sha256(file)
        else:
            written = content.encode("utf-8") if isinstance(content, str) else content
            file.write_bytes(written)
            digests[path] = manifest.sha256(written)
    listed = folder / manifest.PATH
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_bytes(manifest.to_json(digests).encode())
    disk.fit_into(folder, (*files, manifest.PATH))


@dataclass(frozen=True, kw_only=True)
class _Swap:
    """The folder beside a site in which the new one is made and the old one is emptied."""

    output: Path
    folder: Path
    written: tuple[str, ...]
    """What is written into ``new``, as paths from it; of the rest of the folder only the note and ``_MERGING`` are tokviz's."""

    @property
    def new(self) -> Path:
        return self.folder / "new"

    @property
    def old(self) -> Path:
        return self.folder / "old"

    @property
    def merges(self) -> bool:
        """Whether the new site's files are moved into the old one's folder, as that can't be renamed."""
        return (self.folder / _MERGING).exists()

    @classmethod
    def named(cls, output: Path, written: Iterable[str]) -> _Swap:
        folder = output.with_name(f".{output.name}.tokviz-{uuid.uuid4().hex[:12]}")
        return cls(output=output, folder=folder, written=tuple(written))

    @classmethod
    def left_behind(cls, output: Path) -> Iterator[_Swap]:
        """Those of earlier runs; a folder of such a name without their note, or with a link in it, is somebody else's."""
        name = re.compile(rf"\.{re.escape(output.name)}\.tokviz-[0-9a-f]{{12}}")
        for folder in (each for each in _entries(output.parent) if name.fullmatch(each.name) and disk.is_folder(each)):
            names = {entry.name for entry in _entries(folder)}
            is_as_made = all(disk.is_folder(folder / each) for each in names & {"new", "old"})
            written = _read_note(folder / _NOTE, output)
            # A run that was killed before it had written its note had begun nothing.
            if is_as_made and (written is not None or (names <= {_NOTE} and _is_torn(folder / _NOTE, output))):
                yield cls(output=output, folder=folder, written=written or ())

    def begin(self) -> None:
        self.folder.mkdir()
        note = {"swaps": self.output.name, "files": self.written}
        (self.folder / _NOTE).write_bytes(json.dumps(note).encode())
        self.new.mkdir()
        if self.output.exists():
            disk.begin_like(self.new, self.output)

    def put_in_place(self) -> None:
        """Two renames, where the site's folder can be renamed; when the second fails ``undo`` takes back the first."""
        if self.output.exists() and (disk.has_mounts(self.output) or not self._rename()):
            (self.folder / _MERGING).touch()
            return
        try:
            self.new.replace(self.output)
        except BaseException:  # stopped by a signal, too
            self.put_back()
            raise

    def _rename(self) -> bool:
        try:
            self.output.replace(self.old)
        except OSError as error:
            if error.errno in _NOT_RENAMED:
                return False
            raise
        return True

    def put_back(self) -> None:
        """The old site, where a run ended between the two renames."""
        if self.old.exists() and not self.output.exists():
            self.old.replace(self.output)

    def undo(self) -> None:
        with suppress(OSError):
            self.put_back()
            if not self.old.exists():
                self._remove()

    def whereabouts(self, before: tuple[int, int] | None) -> str:
        """Where the old site is now; ``before``: its ``disk.identity`` when it was in its place."""
        if self.old.exists():
            return f"the old one is in {shown_path(self.old)}, run again to put it back"
        now = disk.identity(self.output)
        if now is None:
            return "there is none" if before is None else "the old one isn't there, another run may have moved it"
        return "the old one is untouched" if now == before else "another one is in its place"

    def finish(self) -> Spared:
        """Empty the old site, or fill it with the new one: what isn't tokviz's stays, or is put aside."""
        if self.merges and disk.is_within(self.new, manifest.PATH):  # it is moved last
            merging = Merging(self.new, self.output)
            problems = self._try(merging.merge, self.new)
            spared = merging.spared
        else:
            emptying = Emptying(self.old, self.output)
            problems = self._try(emptying.empty_all, self.old)
            spared = emptying.spared
        if not problems and not self.old.exists():
            problems = self._try(self._remove, self.folder)
        return spared + Spared(problems=tuple(problems))

    def _try(self, work: Callable[[], None], place: Path) -> list[str]:
        """Why the work isn't done, and what is where."""
        try:
            work()
        except OSError as error:
            what = "can't remove what a run left,"
            if self.merges:
                what = "a part of the new site is in place, the rest is in"
            elif _entries(self.old):
                what = "what couldn't be moved of the old site is in"
            reason = (
                f"{shown_path(Path(error.filename))}: {error.strerror}" if error.filename else error.strerror or error
            )
            return [f"{shown_path(self.output)}: {what} {shown_path(place)}: {reason}; mend that, and run again"]
        return []

    def _remove(self) -> None:
        """What this run has written; the folder stays where somebody else has put something into it."""
        for path in self.written:
            if disk.is_within(self.new, path):
                (self.new / path).unlink()
        disk.remove_empty(self.new)
        (self.folder / _MERGING).unlink(missing_ok=True)
        # Without its note the folder would be somebody's.
        if not {entry.name for entry in self.folder.iterdir()} - {_NOTE}:
            (self.folder / _NOTE).unlink(missing_ok=True)
            self.folder.rmdir()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # nothing in it can be tokviz's to remove
        return []


def _is_torn(note: Path, output: Path) -> bool:
    """Whether a run was killed before it had written its note, or as it wrote that."""
    begin = json.dumps({"swaps": output.name, "files": []})[:-2].encode()
    try:
        content = disk.read_regular(note)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return begin.startswith(content) or content.startswith(begin)


def _read_note(note: Path, output: Path) -> tuple[str, ...] | None:
    """What a run has begun to write for a site; None where there is no such note."""
    try:
        content = json.loads(disk.read_regular(note))
        if content["swaps"] != output.name or not content.keys() <= {"swaps", "files"}:
            return None
        paths = [PurePosixPath(path) for path in content.get("files", ())]
        return tuple(path.as_posix() for path in paths if not path.is_absolute() and ".." not in path.parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
