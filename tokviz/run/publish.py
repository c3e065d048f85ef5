"""A report's files → ``site/``, swapped in whole: readers see the old site or the new one, never a mixture.

Only what tokviz wrote is replaced. All else in the folder (``.git``, ``CNAME``, pages of somebody's own, another report) is
moved into the new site; where both have a file of one name, or one of tokviz's own was changed by hand, it is moved to
``site.kept/``.

The new site is made in a folder beside the old one, ``.site.tokviz-…/new``. Two renames put it in place: ``site`` →
``.site.tokviz-…/old``, ``new`` → ``site``. Then ``old`` is emptied, file by file. What a killed run leaves is put right by the
next: the folder's name is its own, and a note in it says whose site it belongs to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tokviz.errors import PublishError
from tokviz.run import manifest
from tokviz.run.manifest import OwnFiles

_NOTE = "tokviz.json"
_HARMLESS = ("CNAME", "LICENSE", "README.md")
"""With hidden files, what may already be in a folder that becomes a site."""

Content = str | bytes | Path
"""A text, a file's bytes, or a file to copy."""


def check_replaceable(output: Path) -> None:
    """Raise ``PublishError`` when ``output`` can't become a site; called before any work is done."""
    kept = kept_folder(output.absolute()) if output.absolute().name else None
    if kept and os.path.lexists(kept) and not kept.is_dir():
        raise PublishError(
            f"{kept}: expected a folder, or nothing, where changed files are put aside, got a file; move it"
        )
    if output.is_symlink():
        raise PublishError(f"{output}: expected a folder, got a link; give --output the folder itself")
    if not output.exists():
        above = next(folder for folder in output.absolute().parents if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise PublishError(f"{output}: expected a place to make a folder in, but {above} is none; choose another")
        return
    if not output.is_dir():
        raise PublishError(f"{output}: expected a folder, got a file; choose another --output")
    if os.path.ismount(output):
        raise PublishError(
            f"{output}: expected a folder that can be renamed, got a mount point; name a folder within it"
        )
    for folder in (output, output.absolute().parent):
        if not os.access(folder, os.W_OK):
            raise PublishError(f"{output}: expected to be allowed to write in {folder}; change that, or choose another")
    if not manifest.is_site(output) and _holds_others(output):
        raise PublishError(
            f"{output}: expected an empty folder or an earlier report, got other files; they would be mixed with the "
            "report's: choose another --output"
        )


def _holds_others(output: Path) -> bool:
    try:
        names = [entry.name for entry in output.iterdir()]
    except FileNotFoundError:  # another run is putting its site in place
        return False
    return any(not name.startswith(".") and name not in _HARMLESS for name in names)


def publish(files: Mapping[str, Content], output: Path) -> tuple[str, ...]:
    """Write all files beside ``output``, then swap them in.

    Parameters
    ----------
    files : path from the site's root, with forward slashes → content.
    output : the site's folder. Whatever fails, it holds the old site whole or the new one whole.

    Returns
    -------
    The files that were moved to ``kept_folder(output)``, as paths from its root.

    Raises
    ------
    PublishError : the disk is full, a folder is read-only, …
    """
    output = output.absolute()
    kept = recover(output)
    check_replaceable(output)
    swap = _Swap.named(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        swap.begin()
        _write_all(files, swap.new)
        swap.put_in_place()
    except OSError as error:
        swap.undo()
        raise PublishError(
            f"{output}: can't write the site: {error.strerror or error}; the old one is untouched"
        ) from error
    return (*kept, *_finished(swap))


def recover(output: Path) -> tuple[str, ...]:
    """Put right what a run left that was killed while it published; returns what ``publish`` does.

    Raises
    ------
    PublishError : it can't be put right.
    """
    output = output.absolute()
    kept: list[str] = []
    for swap in _Swap.left_behind(output):
        try:
            if swap.old.exists() and not output.exists():
                swap.old.replace(output)
        except OSError as error:
            raise PublishError(f"{output}: the site is in {swap.old}: {error.strerror or error}") from error
        kept += _finished(swap)
    return tuple(kept)


def kept_folder(output: Path) -> Path:
    """Where files are moved that a new site has no place for."""
    return output.with_name(f"{output.name}.kept")


def _write_all(files: Mapping[str, Content], folder: Path) -> None:
    for parent in {(folder / path).parent for path in files}:
        parent.mkdir(parents=True, exist_ok=True)
    digests = {}
    for path, content in files.items():
        file = folder / path
        if isinstance(content, Path):
            shutil.copyfile(content, file)
            digests[path] = manifest.file_sha256(file)
        else:
            written = content.encode("utf-8") if isinstance(content, str) else content
            file.write_bytes(written)
            digests[path] = manifest.sha256(written)
    listed = folder / manifest.PATH
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_bytes(manifest.to_json(digests).encode())


def _finished(swap: _Swap) -> list[str]:
    try:
        return swap.finish()
    except OSError as error:
        raise PublishError(
            f"{swap.output}: the new site is in place, but files that aren't tokviz's are still in {swap.old}: "
            f"{error.strerror or error}; run again"
        ) from error


@dataclass(frozen=True, kw_only=True)
class _Swap:
    """The folder beside a site in which the new one is made and the old one is emptied."""

    output: Path
    folder: Path

    @property
    def new(self) -> Path:
        return self.folder / "new"

    @property
    def old(self) -> Path:
        return self.folder / "old"

    @classmethod
    def named(cls, output: Path) -> _Swap:
        return cls(output=output, folder=output.with_name(f".{output.name}.tokviz-{uuid.uuid4().hex[:12]}"))

    @classmethod
    def left_behind(cls, output: Path) -> Iterator[_Swap]:
        """Those of earlier runs; a folder of such a name without their note is somebody else's, if there is anything in it."""
        name = re.compile(rf"\.{re.escape(output.name)}\.tokviz-[0-9a-f]{{12}}")
        folders = output.parent.iterdir() if output.parent.is_dir() else ()
        for folder in sorted(each for each in folders if name.fullmatch(each.name) and each.is_dir()):
            try:
                is_own = json.loads((folder / _NOTE).read_text(encoding="utf-8"))["swaps"] == output.name
            except (OSError, ValueError, KeyError, TypeError):
                # A run that was killed before it had written its note had begun nothing.
                is_own = not {entry.name for entry in folder.iterdir()} - {_NOTE}
            if is_own:
                yield cls(output=output, folder=folder)

    def begin(self) -> None:
        self.folder.mkdir()
        (self.folder / _NOTE).write_bytes(json.dumps({"swaps": self.output.name}).encode())
        self.new.mkdir()

    def put_in_place(self) -> None:
        """Two renames; when the second fails ``undo`` takes back the first."""
        if self.output.exists():
            self.output.replace(self.old)
        self.new.replace(self.output)

    def undo(self) -> None:
        with suppress(OSError):
            if self.old.exists() and not self.output.exists():
                self.old.replace(self.output)
            if not self.old.exists():
                shutil.rmtree(self.folder)

    def finish(self) -> list[str]:
        """Empty the old site: what isn't tokviz's moves into the new one, or aside; returns what went aside."""
        moved_aside: list[str] = []
        if self.old.exists():
            self._empty(self.old, OwnFiles.of(self.old), moved_aside)
        if not self.old.exists():
            shutil.rmtree(self.folder, ignore_errors=True)  # all of it was written by tokviz
        return moved_aside

    def _empty(self, folder: Path, own: OwnFiles, moved_aside: list[str]) -> None:
        # The manifest goes last: a run that is killed before still knows whose the others are.
        entries = sorted(folder.iterdir(), key=lambda entry: (self._path(entry) in (manifest.PATH, "data"), entry.name))
        for entry in entries:
            path = self._path(entry)
            is_folder = entry.is_dir() and not entry.is_symlink()
            if is_folder and ((self.output / path).is_dir() or self._has_own(entry, own)):
                self._empty(entry, own, moved_aside)
            elif path in own and not is_folder and not own.is_changed(path, entry):
                entry.unlink()
            elif (path in own and not is_folder) or not self._moved(entry, path):
                moved_aside.append(self._put_aside(entry, path))
        if not any(folder.iterdir()):
            folder.rmdir()

    def _has_own(self, folder: Path, own: OwnFiles) -> bool:
        return any(self._path(file) in own for file in folder.rglob("*") if not file.is_dir())

    def _moved(self, entry: Path, path: str) -> bool:
        """Move something into the new site, where nothing is in its way."""
        place = self.output / path
        in_the_way = (each for each in (place, *place.parents) if os.path.lexists(each))
        nearest = next(in_the_way)
        if nearest == place or not nearest.is_dir():
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        entry.replace(place)
        return True

    def _put_aside(self, entry: Path, path: str) -> str:
        """Move something to the folder for it, under a name that is free there; returns that."""
        name, n_earlier = path, 0
        while os.path.lexists(kept_folder(self.output) / name):
            n_earlier += 1
            name = f"{path}.{n_earlier}"
        place = kept_folder(self.output) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        entry.replace(place)
        return name

    def _path(self, entry: Path) -> str:
        return entry.relative_to(self.old).as_posix()
