"""Which files of a site tokviz wrote: the list that it leaves there, with a digest of each and one of the list.

What the list doesn't prove to be tokviz's is somebody's: another file of a listed name, and every file where the list is
missing or damaged.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeGuard

from tokviz import __version__
from tokviz.run.store import disk

PATH = "data/manifest.json"
"""From the site's root."""
REPORT = "data/report.json"
"""A site whose manifest is lost is known by this."""

_COULD_BE_WRITTEN = re.compile(
    r"([^/]+/){0,2}index\.html|404\.html|\.nojekyll|sitemap\.xml"
    r"|assets/.+\.(js|css|woff2|png|txt|md)|images/.+\.(webp|svg)|data/.+\.(csv|json|js|html)"
)
"""What may be left over from a report whose manifest is lost; nothing is removed for it."""

Digests = dict[str, str]
"""Path from the site's root, with forward slashes → SHA-256."""


def to_json(digests: Digests) -> str:
    """The manifest's text; equal files give equal bytes."""
    generator, files = f"tokviz {__version__}", dict(sorted(digests.items()))
    return _text({"generator": generator, "sha256": _seal(generator, files), "files": files})


def _text(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=0) + "\n"


def _seal(generator: object, files: object) -> str:
    return sha256(json.dumps([generator, files], sort_keys=True).encode())


def is_site(folder: Path) -> bool:
    """Whether tokviz wrote the site in ``folder``."""
    return any(_of_tokviz(_content(folder / path)) is not None for path in (PATH, REPORT))


def is_unfinished(folder: Path) -> bool:
    """Whether the site in ``folder`` is a first look at a report that was still being made."""
    content = _of_tokviz(_content(folder / REPORT))
    return content is not None and content.get("unfinished") is True


class OwnFiles:
    """What tokviz can prove to have written into a site.

    Parameters
    ----------
    digests : of each file; None where nothing is known.
    sealed : whether the list has a digest of its own, as those of tokviz 0.1 haven't.
    listed : the content of the list's file, if that is as tokviz writes it.
    """

    def __init__(self, digests: Digests | None = None, *, sealed: bool = False, listed: bytes | None = None) -> None:
        self.is_known, self._sealed, self._listed = digests is not None, sealed, listed
        self._digests = {path: digest for path, digest in (digests or {}).items() if _is_possible(path)}

    @classmethod
    def of(cls, folder: Path) -> OwnFiles:
        """By the site's manifest; nothing is known by one that is missing or isn't as it was written."""
        raw = _content(folder / PATH)
        content = _of_tokviz(raw) or {}
        files, seal = content.get("files"), content.get("sha256")
        if not _are_digests(files) or seal not in (None, _seal(content["generator"], files)):
            return cls()
        # Somebody's remark in it would be lost with it.
        is_as_written = raw == _text(content).encode() and content.keys() <= {"generator", "sha256", "files"}
        return cls(files, sealed=seal is not None, listed=raw if is_as_written else None)

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the files that the list names."""
        return tuple(self._digests)

    def is_own(self, path: str, file: Path) -> bool:
        """Whether what is there now are the bytes that tokviz wrote."""
        if path == PATH:
            return self._listed is not None and disk.is_regular(file) and _content(file) == self._listed
        return path in self._digests and disk.is_regular(file) and _digest_of(file) == self._digests[path]

    def is_changed(self, path: str, file: Path) -> bool:
        """Whether somebody changed a file of tokviz's since; told only where the list is known to be as it was written."""
        return self._sealed and path in self._digests and disk.is_regular(file) and not self.is_own(path, file)

    def may_be_own(self, path: str) -> bool:
        """Whether a file that isn't known to be tokviz's has a name that tokviz gives."""
        return path in self._digests if self.is_known else bool(_COULD_BE_WRITTEN.fullmatch(path))


def _is_possible(path: str) -> bool:
    """Whether tokviz may have written a file of this path: in the site, and of no hidden name but one."""
    parts = PurePosixPath(path).parts
    return path == "/".join(parts) and not any(part.startswith(".") and part != ".nojekyll" for part in parts)


def _are_digests(files: object) -> TypeGuard[Digests]:
    return isinstance(files, dict) and all(isinstance(digest, str) for digest in files.values())


def _digest_of(file: Path) -> str | None:
    try:
        return disk.file_sha256(file)
    except OSError:  # what can't be read proves nothing
        return None


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _content(file: Path) -> bytes:
    try:
        return disk.read_regular(file)
    except OSError:
        return b""


def _of_tokviz(text: bytes) -> Mapping[str, object] | None:
    try:
        content = json.loads(text)
        return content if re.fullmatch(r"tokviz \d[\w.+-]*", content["generator"]) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
