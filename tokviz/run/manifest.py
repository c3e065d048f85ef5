"""Which files of a site tokviz wrote: the list that it leaves there, with a digest of each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from tokviz import __version__

PATH = "data/manifest.json"
"""From the site's root."""
REPORT = "data/report.json"
"""A site of a version without a manifest is known by this."""

_WRITTEN_BEFORE = re.compile(
    r"(index|404)\.html|\.nojekyll|sitemap\.xml|(compare|explore|method|models/[^/]+)/index\.html"
    r"|assets/.+\.(js|css|woff2|png|txt|md)|images/.+\.(webp|svg)|data/.+\.(csv|json|js|html)"
)
"""What versions without a manifest could write."""

Digests = dict[str, str]
"""Path from the site's root, with forward slashes → SHA-256."""


def to_json(digests: Digests) -> str:
    """The manifest's text; equal files give equal bytes."""
    return json.dumps({"generator": f"tokviz {__version__}", "files": dict(sorted(digests.items()))}, indent=0) + "\n"


def is_site(folder: Path) -> bool:
    """Whether tokviz wrote the site in ``folder``."""
    return any(_of_tokviz(folder / path) is not None for path in (PATH, REPORT))


class OwnFiles:
    """What tokviz wrote into a site."""

    def __init__(self, digests: Mapping[str, str] | None) -> None:
        self._digests = digests

    @classmethod
    def of(cls, folder: Path) -> OwnFiles:
        """By the site's manifest; without one, by the paths that earlier versions could write."""
        content = _of_tokviz(folder / PATH)
        files = content.get("files") if content is not None else None
        return cls(files if isinstance(files, dict) else None)

    def __contains__(self, path: str) -> bool:
        if path == PATH:
            return True
        return bool(_WRITTEN_BEFORE.fullmatch(path)) if self._digests is None else path in self._digests

    def is_changed(self, path: str, file: Path) -> bool:
        """Whether somebody changed one of these files since; unknown, and so no, without a manifest."""
        return self._digests is not None and path != PATH and file_sha256(file) != self._digests[path]


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """Of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_tokviz(file: Path) -> dict[str, object] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return content if str(content["generator"]).startswith("tokviz") else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
