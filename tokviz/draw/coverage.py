"""Which characters font files have, kept so that a run which changes nothing needs not read them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path

from tokviz.draw.faces import Face, read_faces

FORMAT = 1
"""Raised when ``read_faces`` finds other things in the same file."""


class Coverage:
    """The faces of font files, read once for each path, size and time of change."""

    def __init__(self, folder: Path | None = None) -> None:
        """Look into ``folder`` for what an earlier ``Coverage`` kept; without one, every file is read."""
        self._folder = folder
        self._faces: dict[Path, tuple[Face, ...]] = {}
        self._unkept: dict[Path, dict[str, object]] = {}

    def faces(self, path: Path) -> tuple[Face, ...]:
        """The faces of a file that can be drawn; none of a damaged or missing one. Nothing is written."""
        if path not in self._faces:
            self._faces[path] = self._found(path)
        return self._faces[path]

    def keep(self) -> None:
        """Write down what was read; a folder that can't be written costs the next run a moment, no more."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for path, identity in self._unkept.items():
                content = {"file": identity, "faces": [_plain(face) for face in self._faces[path]]}
                body = json.dumps(content, separators=(",", ":")).encode()
                entry = self._entry(self._folder, path)
                partial = entry.with_name(f".{entry.name}.{os.getpid()}")
                partial.write_bytes(_checksum(body) + b"\n" + body)
                partial.replace(entry)
            self._unkept.clear()

    def _found(self, path: Path) -> tuple[Face, ...]:
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return ()
            identity = {
                "format": FORMAT,
                "path": os.fspath(path),
                "size": status.st_size,
                "modified_ns": status.st_mtime_ns,
            }
            kept = self._kept(path, identity)
            if kept is not None:
                return kept
            read = read_faces(path)
        except OSError:  # the next run may be allowed to read it
            return ()
        self._unkept[path] = identity
        return read

    def _kept(self, path: Path, identity: dict[str, object]) -> tuple[Face, ...] | None:
        """What is kept of a file, or None where that is nothing, of another file or damaged."""
        if self._folder is None:
            return None
        entry = self._entry(self._folder, path)
        try:
            if not entry.is_file():  # a pipe would be waited for
                return None
            checksum, _, body = entry.read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum != _checksum(body):
            return None
        content = json.loads(body)
        if content["file"] != identity:
            return None
        return tuple(
            Face(path=path, **{**face, "ranges": tuple((first, last) for first, last in face["ranges"])})
            for face in content["faces"]
        )

    @staticmethod
    def _entry(folder: Path, path: Path) -> Path:
        """One for each path: a font that changes takes its former self's place."""
        return folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"


def _plain(face: Face) -> dict[str, object]:
    return {"index": face.index, "digest": face.digest, "varies": face.varies, "ranges": face.ranges}


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
