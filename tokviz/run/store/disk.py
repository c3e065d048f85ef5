"""What publishing, storing and pruning do with files, so that none waits, and none goes before its copy has been compared."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path, PurePosixPath

from tokviz.errors import PublishError
from tokviz.text import path_in_line

_LONGEST_NAME = 255
_BELOW = Path(*["x" * 100] * 4)
"""Longer than what stands below a site or a cache, and beside them while a run is at work."""
_CLASSES = (stat.S_IRWXU, stat.S_IRWXG, stat.S_IRWXO)


def is_regular(path: Path) -> bool:
    """Whether a file is there that isn't a link, a pipe, a device or the like."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether a folder is there, and no link to one."""
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0


def identity(path: Path) -> tuple[int, int] | None:
    """Which file or folder is at a path, whatever its name; None where nothing can be found."""
    try:
        facts = path.lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def is_within(folder: Path, path: str) -> bool:
    """Whether a regular file is at a path in a folder, with no link on the way that may lead out of it."""
    above = (folder / each for each in PurePosixPath(path).parents)
    return is_regular(folder / path) and all(map(is_folder, above))


def read_regular(path: Path) -> bytes:
    """A file's content, or that of the file that a link leads to.

    Raises
    ------
    OSError : it isn't there, can't be read, or is something that one waits for when it is opened.
    """
    with _opened(path) as file:
        return file.read()


def file_sha256(path: Path) -> str:
    """Of a file of any size, in hexadecimal; raises as ``read_regular`` does."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> BufferedReader:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    # Another thing may have taken its place since, so that opening it must not wait.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")


def have_same_bytes(one: Path, other: Path) -> bool:
    """Whether both are files, no links, of equal content; one that can't be read equals none."""
    try:
        if not (is_regular(one) and is_regular(other)) or one.stat().st_size != other.stat().st_size:
            return False
        return file_sha256(one) == file_sha256(other)
    except OSError:
        return False


def files_in(folder: Path) -> Iterator[Path]:
    """All that lies in a folder, at any depth, but folders; links aren't followed."""
    for above, folders, names in os.walk(folder):
        links = [name for name in folders if Path(above, name).is_symlink()]
        yield from (Path(above, name) for name in sorted((*names, *links)))


def placed(path: Path) -> Path:
    """Where a path leads from the current folder, without ``..``; a link at its end is not followed.

    Raises
    ------
    PublishError : the current folder is gone, links lead to each other or to nothing, or no folder can have that path.
    """
    shown = path_in_line(path)
    require_possible(path)
    if too_long := next((part for part in path.parts if len(os.fsencode(part)) > _LONGEST_NAME), None):
        raise PublishError(
            f"{path.name[:20]}…: expected names of at most {_LONGEST_NAME} bytes in a path, got {len(os.fsencode(too_long))}; "
            "name another"
        )
    if broken := next((each for each in path.parents if each.is_symlink() and not each.exists()), None):
        raise PublishError(
            f"{shown}: expected a path that leads somewhere, but {path_in_line(broken)} is a link to nothing; name another"
        )
    try:
        if path.name in ("", ".."):
            return path.resolve()
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError) as error:
        raise PublishError(
            f"{shown}: expected a path that leads somewhere, can't follow it: {getattr(error, 'strerror', None) or error}; "
            "change into a folder that is there, or name another"
        ) from error


def require_possible(path: Path) -> None:
    """Raise ``PublishError`` for what no system takes for a folder's path, whatever is there."""
    shown = path_in_line(path)
    try:
        (path.absolute() / _BELOW).lstat()
    except ValueError:  # NUL, or what the file system's encoding doesn't have
        raise PublishError(
            f"{shown}: expected the path of a folder, got one with characters that no path has; name another"
        ) from None
    except OSError as error:
        has_fit_names = all(len(os.fsencode(part)) <= _LONGEST_NAME for part in path.parts)
        if error.errno == errno.ENAMETOOLONG and has_fit_names:
            raise PublishError(
                f"{shown}: expected a path with room for what is written below it, got one of {len(str(path)):,} characters; "
                "name a shorter one"
            ) from None


def shown_path(path: Path) -> str:
    """A path for a message: from the current folder where it lies in that, as people typed it, and its end if it is long."""
    try:
        return path_in_line(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path_in_line(path)


# --- moving ------------------------------------------------------------------------------------------------------


def move(source: Path, target: Path) -> None:
    """Give a file, a link or a folder with all in it another place, where at most a file stands.

    By a rename or, to another file system, by a copy: the original goes when both have been read again and are equal.

    Raises
    ------
    OSError : it can't be moved; what was not moved yet is where it was.
    """
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if is_folder(source) and has_mounts(source):
            raise OSError(errno.EBUSY, "a file system is mounted in it; unmount that", str(source)) from error
        _move_by_copy(source, target)


def _move_by_copy(source: Path, target: Path) -> None:
    if not is_folder(source):
        _copy(source, target)
        source.unlink()
        return
    target.mkdir(exist_ok=True)
    for entry in sorted(source.iterdir()):
        _move_by_copy(entry, target / entry.name)
    shutil.copystat(source, target)
    _give(target, source.lstat())
    source.rmdir()


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".tokviz-{uuid.uuid4().hex[:12]}")
    facts = source.lstat()
    try:
        if source.is_symlink() or stat.S_ISREG(facts.st_mode):
            shutil.copy2(source, partial, follow_symlinks=False)
        else:  # a pipe, a socket or a device, which is never opened
            os.mknod(partial, facts.st_mode, facts.st_rdev)
        if stat.S_ISREG(facts.st_mode) and not have_same_bytes(source, partial):
            raise OSError(errno.EIO, "its copy has other bytes", str(source))
        _give(partial, facts)
        partial.replace(target)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def _give(path: Path, facts: os.stat_result) -> None:
    """To the owner and group of something else, as far as this user may."""
    now = path.lstat()
    for owner, group in ((facts.st_uid, -1), (-1, facts.st_gid)):
        if hasattr(os, "lchown") and (owner not in (-1, now.st_uid) or group not in (-1, now.st_gid)):
            with suppress(OSError):
                os.lchown(path, owner, group)


# --- modes and owners --------------------------------------------------------------------------------------------


def take_after(folder: Path, older: Path) -> None:
    """Give a folder the owner and mode of another one, where they differ."""
    facts = older.stat()
    _give(folder, facts)
    if stat.S_IMODE(folder.stat().st_mode) != stat.S_IMODE(facts.st_mode):
        shutil.copymode(older, folder)


def begin_like(folder: Path, older: Path) -> None:
    """Give an empty folder the owner, mode and attributes of another one, so that what is made in it inherits them."""
    facts = older.stat()
    _give(folder, facts)
    shutil.copystat(older, folder)


def fit_into(folder: Path, paths: Iterable[str]) -> None:
    """Give files, and the folders that lead to them, the owner of ``folder``; whom it shuts out they shut out, too.

    Parameters
    ----------
    paths : of files in ``folder``, from it, with forward slashes.
    """
    facts = folder.stat()
    shut = sum(bits for bits in _CLASSES if not facts.st_mode & bits)
    files = [PurePosixPath(path) for path in paths]
    above = {parent for file in files for parent in file.parents if parent.parts}
    for path in (folder / each for each in (*above, *files)):
        _give(path, facts)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & shut:
            path.chmod(mode & ~shut)


# --- mounts ------------------------------------------------------------------------------------------------------


def has_mounts(folder: Path) -> bool:
    """Whether another file system begins at a folder or in it, so that it can't be renamed, or not with all in it."""
    return any(place == folder or folder in place.parents for place in _mounts(folder))


def _mounts(folder: Path) -> Iterator[Path]:
    try:
        table = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:  # not Linux
        places = (folder, *(Path(above, name) for above, names, _ in os.walk(folder) for name in names))
        yield from (place for place in places if os.path.ismount(place))
        return
    # https://docs.kernel.org/filesystems/proc.html: the fifth field; spaces and the like are octal there.
    for line in table:
        place = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line.split(b" ")[4])
        yield Path(os.fsdecode(place))


# --- removing ----------------------------------------------------------------------------------------------------


def remove_empty(folder: Path) -> None:
    """Remove a folder and those in it, as far as nothing else is there; a link to a folder stays."""
    for above, _, _ in os.walk(folder, topdown=False) if is_folder(folder) else ():
        with suppress(OSError):  # something is in it, or it is a mount
            Path(above).rmdir()
