"""Which entries of a cache are tokviz's, by their names and the checksums in them; and the file by which a cache is known.

A folder without that file is nobody's cache: nothing in it is ever removed, whatever the names.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tokviz.errors import StoreError
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path

MARKER = "tokviz-cache.txt"
_MARK = b"tokviz cache 1\n"
_EXPLANATION = b"""
In this folder tokviz keeps captured hidden states and what it made of them. `tokviz prune` removes what no report uses; in a
folder without this file it removes nothing.
"""

STATES, DESCRIPTION = "states.safetensors", "states.json"
"""The two files of a capture."""
SUFFIXES = {
    "projections": (".safetensors",),
    "measures": (".json",),
    "images": (".webp", ".svg"),
    "previews": (".png",),
    "reports": (".json",),
    "timings": (".json",),
}
"""Folders of artefacts that are one file each, and how their names end."""
FOLDERS = ("states", *SUFFIXES, "fonts", "locks", "downloads")

_CHECKSUM_LENGTH = 16
_beginning = ""
_KEY = "[0-9a-f]{32}"
_CAPTURE = re.compile(f"(?P<key>{_KEY})")
_ARTEFACT = re.compile(r"(?P<key>[^.]+)\.(?P<checksum>[0-9a-f]{16})(?P<suffix>\.[a-z]+)")
_HALF_MADE = re.compile(rf"\.{_KEY}\.{_KEY}")
_OFFLOAD = re.compile(rf"\.offload-{_KEY}")
_OF_CAPTURE = re.compile(f"{re.escape(STATES)}|{re.escape(DESCRIPTION)}")
_OFFLOADED = re.compile(r"[^/]+\.(dat|safetensors)|index\.json")
_LISTED = re.compile(r"tokviz-listed-\w{8}/(model|tokenizer)/[^/]+\.(json|model|txt|tiktoken|safetensors|gguf)")
"""Paths within: what accelerate writes, and a model's listed files, which are links where there are any."""
_SHARED = re.compile(rf"\.mark\.{_KEY}")
_DOWNLOADED = re.compile(r"models--.+|\.locks|CACHEDIR\.TAG")
"""What huggingface_hub names in a cache."""
_BESIDE = {
    "": re.compile(re.escape(MARKER)),
    "fonts": re.compile(rf"{_KEY}\.json|\.{_KEY}\.json\.[0-9]+"),
    "locks": re.compile(rf"prune\.lock|(run|capture|download)\.{_KEY}\.lock"),
}
"""Files that are never pruned, by their folder."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that tokviz made."""

    kind: str
    """The folder that it is in; none for what stands beside those."""
    key: str | None
    """None for what a killed run left half-made."""
    path: Path
    files: tuple[Path, ...]
    """Itself or, of a folder, what of it has names that tokviz gives."""

    @property
    def is_as_stored(self) -> bool:
        """Whether its content has the checksum that it was stored with: so that it isn't somebody's under such a name."""
        if self.key is None:  # half-made; the name alone has digits of chance, 48 at least
            return True
        try:
            if self.kind == "states":
                return not self.files or _is_sealed(disk.read_regular(self.path / DESCRIPTION))
            return checksum(disk.read_regular(self.path)) == self.path.name.split(".")[1]
        except OSError:
            return False

    def remove(self) -> int:
        """Remove the files, and the folder if nothing else is in it; returns how many bytes they had.

        Raises
        ------
        StoreError : the disk is read-only, …
        """
        n_bytes = self.n_bytes
        try:
            for file in self.files:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{shown_path(self.path)}: can't remove: {error.strerror or error}") from error
        if disk.is_folder(self.path):
            disk.remove_empty(self.path)
        return n_bytes

    @property
    def n_bytes(self) -> int:
        return sum(file.lstat().st_size for file in self.files if disk.is_regular(file))


def entries(root: Path) -> Iterator[Entry]:
    """All that a run may have to remove."""
    root = root.resolve()
    for path in _listed(root):
        if _OFFLOAD.fullmatch(path.name) and disk.is_folder(path):
            yield Entry(
                kind="", key=None, path=path, files=tuple(filter(partial(_is_offloaded, path), disk.files_in(path)))
            )
        elif _SHARED.fullmatch(path.name) and disk.is_regular(path):
            yield Entry(kind="", key=None, path=path, files=(path,))
    for path in _listed(root / "states"):
        found = _CAPTURE.fullmatch(path.name)
        if (found or _HALF_MADE.fullmatch(path.name)) and disk.is_folder(path):
            files = _files(path, _OF_CAPTURE)
            if not files and any(path.iterdir()):
                continue
            yield Entry(kind="states", key=found and found["key"], path=path, files=files)
    downloads = (download(root, path.name) for path in _listed(root / "downloads") if _CAPTURE.fullmatch(path.name))
    yield from (each for each in downloads if each is not None)
    for kind in SUFFIXES:
        for path in _listed(root / kind):
            found = artefact(kind, path.name)
            is_own = _CAPTURE.fullmatch(found["key"]) if found else _HALF_MADE.fullmatch(path.name)
            if is_own and disk.is_regular(path):
                yield Entry(kind=kind, key=found and found["key"], path=path, files=(path,))


def download(root: Path, key: str) -> Entry | None:
    """A model that has been downloaded, as far as huggingface_hub has made it: a cache of its form; None where there is none."""
    path = root / "downloads" / key
    if not disk.is_folder(path):
        return None
    files = (each for each in disk.files_in(path) if _DOWNLOADED.fullmatch(each.relative_to(path).parts[0]))
    return Entry(kind="downloads", key=None, path=path, files=tuple(files))


def _is_offloaded(folder: Path, file: Path) -> bool:
    name = file.relative_to(folder).as_posix()
    if _LISTED.fullmatch(name):
        return disk.is_regular(file) or file.is_symlink()
    return bool(_OFFLOADED.fullmatch(name)) and disk.is_regular(file)


def locks(root: Path, *of: str) -> list[Path]:
    """The files of locks that runs have taken, of the kinds ``run``, ``capture`` and ``download``."""
    files = _files(root / "locks", _BESIDE["locks"])
    return [file for file in files if file.name.partition(".")[0] in of and not file.stat().st_size]


def new_key() -> str:
    """32 hexadecimal digits for the name of what isn't whole yet."""
    return f"{_beginning}{uuid.uuid4().hex}"[:32]


def begin_half_made(beginning: str) -> None:
    """From now on this process's ``new_key`` begins with these digits, by which whoever started it knows what it leaves."""
    global _beginning
    _beginning = beginning


def remove_half_made(root: Path, beginning: str) -> None:
    """Remove what a process has left half-made that was ended: it may be most of a disk, and others need room."""
    for entry in entries(root):
        if entry.key is None and beginning in entry.path.name:
            with suppress(StoreError):  # pruning tries again
                entry.remove()


def artefact(kind: str, name: str) -> re.Match[str] | None:
    """Key and checksum in the name of an artefact's file; None where it is not such a name."""
    found = _ARTEFACT.fullmatch(name)
    return found if found and found["suffix"] in SUFFIXES[kind] else None


def checksum(data: bytes) -> str:
    """Of an artefact, as it stands in its file's name."""
    return hashlib.sha256(data).hexdigest()[:_CHECKSUM_LENGTH]


def json_digest(content: object) -> str:
    """SHA-256 of what JSON can hold, as it stands in JSON."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _is_sealed(description: bytes) -> bool:
    """Of a capture, of this version or an older one."""
    try:
        stored = json.loads(description)
        return bool(stored["sha256"] == json_digest(stored["description"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _listed(folder: Path) -> list[Path]:
    """What is in a folder of the cache; another cache may be where a link leads."""
    return sorted(folder.iterdir()) if disk.is_folder(folder) else []


def _files(folder: Path, name: re.Pattern[str]) -> tuple[Path, ...]:
    return tuple(path for path in _listed(folder) if name.fullmatch(path.name) and disk.is_regular(path))


# --- the file by which a cache is known ----------------------------------------------------------------------------


def is_marked(root: Path) -> bool:
    """Whether a folder is known to be a cache of tokviz."""
    try:
        return disk.read_regular(root / MARKER).startswith(_MARK)
    except OSError:
        return False


def mark(root: Path) -> None:
    """Make a folder known as a cache, where nothing is in it, or only what a version that left no such file has made.

    Raises
    ------
    StoreError : it can't be written.
    """
    if is_marked(root) or stranger(root) is not None:
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        (root / MARKER).write_bytes(_MARK + _EXPLANATION)
    except OSError as error:
        raise StoreError(
            f"--cache {shown_path(root)}: expected a place where files can be made, but making one failed: "
            f"{error.strerror or error}; name another"
        ) from error


def stranger(root: Path) -> Path | None:
    """A file in the folder that tokviz hasn't made; None where there is none."""
    root = root.resolve()
    own = {file for entry in entries(root) for file in entry.files}
    own |= {file for folder, name in _BESIDE.items() for file in _files(root / folder, name)}
    if not _is_torn(root / MARKER):
        own.discard(root / MARKER)
    return next((file for file in disk.files_in(root) if file not in own), None)


def _is_torn(marker: Path) -> bool:
    """Whether a run was killed as it wrote a marker; one that isn't tokviz's has other bytes."""
    try:
        return (_MARK + _EXPLANATION).startswith(disk.read_regular(marker))
    except OSError:
        return False


def require_marked(root: Path) -> None:
    """Raise ``StoreError`` where a folder isn't known as a cache."""
    if is_marked(root):
        return
    found = stranger(root)
    remedy = (
        f"move {found.relative_to(root.resolve())} and what else isn't tokviz's out of it, then" if found else "first"
    )
    raise StoreError(
        f"{shown_path(root)}: expected a cache of tokviz, with the file {MARKER} in it, found none; {remedy} make a report "
        "with this cache, which writes that file"
    )
