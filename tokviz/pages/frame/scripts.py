"""Which scripts a page loads, and in which order: each says in its first lines how it stands to others.

``// needs: common.js plates/plate.js``
    It uses what these define: they are loaded with it, and before it.
``// after: take.js``
    Where a page has these as well, it comes after them.
``// loads: save.js``
    It has these loaded later, when they are wanted; for readers and tests only.

Names are paths within the assets. An asset of a theme stands where tokviz's own of that name would. A site gets scripts without
these lines, and tokviz's own without comments and indentation, which are a quarter of their length; so are its styles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from tokviz.bundled import TEMPLATES

ASSETS = TEMPLATES / "assets"
_LINE = re.compile(r"// (needs|after|loads): (.+)")
_BESIDE_CODE = re.compile(rb"^\s*//.*\n|^[ \t]+|^\n", re.MULTILINE)
"""Lines of comments, indentation and empty lines; no text in tokviz's scripts is longer than a line."""
_BESIDE_STYLES = re.compile(rb"^\s*/\*.*?\*/\n|^[ \t]+|^\n", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(rb"(?:// (?:needs|after|loads): .+\n)+")


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a script's first lines name."""

    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()


def read_head(text: Iterable[str]) -> Head:
    """Of the lines of a script."""
    found = takewhile(bool, map(_LINE.match, text))
    return Head(**{each[1]: tuple(each[2].split()) for each in found if each})


@lru_cache(None)
def head(script: str) -> Head:
    """Of a file in the assets; read once, as every page asks for the same ones."""
    with (ASSETS / script).open("rb") as lines:  # as text it takes twice the time
        return read_head(line.decode() for line in lines)


def published(asset: Path, own: Path = ASSETS) -> Path | bytes:
    """What a site has of an asset; what others wrote is taken as it is but for such lines, and so is what can't be read.

    ``own``: where tokviz's own assets are.
    """
    if asset.suffix not in (".css", ".js"):
        return asset
    try:
        content = asset.read_bytes()
    except OSError:  # who copies it says so
        return asset
    if asset.is_relative_to(own) and not asset.is_relative_to(own / "vendor"):
        return (_BESIDE_CODE if asset.suffix == ".js" else _BESIDE_STYLES).sub(b"", content)
    named = _HEAD.match(content) if asset.suffix == ".js" else None
    return content[named.end() :] if named else asset


@lru_cache(None)
def in_order(entries: tuple[str, ...], there: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Scripts with all that they need, each after what it needs; without those that ``there`` and their needs are.

    Otherwise they keep the order in which they are named.
    """
    wanted = _with_needs(entries) - _with_needs(there)
    seen: set[str] = set()
    ordered: list[str] = []

    def place(script: str) -> None:
        if script in wanted and script not in seen:
            seen.add(script)
            for earlier in (*head(script).needs, *head(script).after):
                place(earlier)
            ordered.append(script)

    for entry in entries:
        place(entry)
    return tuple(ordered)


def _with_needs(entries: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [*entries]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            waiting += head(script).needs
    return found
