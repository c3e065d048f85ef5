"""What two runs have left, compared: pages without regard to white space, all else byte for byte."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image

NOT_COMPARED = {"models", ".cache"}
"""At the top of a case's folder: the checkpoints that both read, and what is kept between runs."""
IN_A_LINE = re.compile(
    "a|abbr|b|bd[io]|button|cite|code|data|dfn|em|i|kbd|label|mark|output|q|s|samp|small|span|strong|su[bp]|time|tspan|u|var|wbr"
)
"""Elements beside which white space is seen by readers."""
SPACED = frozenset({"class", "content", "d", "points", "sizes", "srcset", "style"})
"""Attributes in which any white space is as good as another."""
VERBATIM = frozenset({"pre", "script", "style", "textarea"})
PICTURES = {".png", ".webp"}
PAGES = {".html"}
VERSION = re.compile(r"\btokviz \d+\.\d+\.\d+\w*")
MOST_LINES, LONGEST_LINE = 12, 160


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One file that differs."""

    path: str
    shown: str
    """The first place, or what is missing; of pictures how many pixels."""


def differences(before: Path, after: Path) -> list[Difference]:
    """Every file that isn't the same in two folders, messages and pages first."""
    paths = sorted({*_files(before), *_files(after)}, key=lambda path: (_rank(path), path))
    return [Difference(path=path, shown=shown) for path in paths if (shown := _difference(before / path, after / path))]


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if relative.parts[0] not in NOT_COMPARED and path.is_file():
            yield relative.as_posix()


def _rank(path: str) -> int:
    return 0 if path.startswith("said/") else 1 if path.endswith(".html") else 2


def _difference(before: Path, after: Path) -> str:
    """Empty for equal files."""
    for name, path in (("BEFORE", before), ("AFTER", after)):
        if not path.is_file():
            return f"missing {name}"
    old, new = before.read_bytes(), after.read_bytes()
    if old == new:
        return ""
    if before.suffix in PICTURES:
        return _pixels(old, new)
    try:
        texts = [VERSION.sub("tokviz VERSION", content.decode()) for content in (old, new)]
    except UnicodeDecodeError:
        return f"{len(old):,} bytes, then {len(new):,} others"
    lines = _lines_of(before)
    return _first_difference(*map(lines, texts))


def _lines_of(path: Path) -> Callable[[str], list[str]]:
    if path.name == "manifest.json":
        return _manifest
    return html_lines if path.suffix in PAGES else lambda text: text.split("\n")


def _manifest(text: str) -> list[str]:
    """Without the digests: the files that they are of are compared themselves."""
    return sorted(json.loads(text)["files"])


def _first_difference(before: list[str], after: list[str]) -> str:
    """A short diff from the first line that differs; empty if none does."""
    first = next((at for at, (a, b) in enumerate(zip_longest(before, after)) if a != b), None)
    if first is None:
        return ""
    # To compare whole files would take long, and of long lines all that counts is where they part.
    old, new = (lines[max(0, first - 1) : first + 2 * MOST_LINES] for lines in (before, after))
    parting = (lines[first] if first < len(lines) else "" for lines in (before, after))
    same = next((at for at, (a, b) in enumerate(zip_longest(*parting)) if a != b), 0)
    start = max(0, same - LONGEST_LINE // 2)
    diff = list(difflib.unified_diff(old, new, lineterm="", n=1))[3 : 3 + MOST_LINES]
    return "\n".join(
        line if len(line) <= LONGEST_LINE else f"{line[0]}…{line[1:][start:][:LONGEST_LINE]}…" for line in diff
    )


def _pixels(before: bytes, after: bytes) -> str:
    old, new = (Image.open(BytesIO(content)) for content in (before, after))
    if old.size != new.size:
        return "{}×{} pixels, then {}×{}".format(*old.size, *new.size)
    changed = (np.asarray(old.convert("RGBA")) != np.asarray(new.convert("RGBA"))).any(axis=2)
    return f"{changed.sum():,} of {changed.size:,} pixels differ, {old.size[0]}×{old.size[1]}"


# --- pages -----------------------------------------------------------------------------------------------------------


def html_lines(text: str) -> list[str]:
    """A tag or a text in each line, with white space as a reader sees it; between two tags there is none.

    The order of attributes doesn't count. Within ``VERBATIM`` white space stays.
    """
    parser = _Lines()
    parser.feed(text)
    parser.close()
    return parser.lines


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._verbatim = ""
        self._after_block = True
        self._after_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: " ".join((value or "").split()) if name in SPACED else value for name, value in attrs}
        self._tag(tag, "".join((f"<{tag}", *(f" {name}={value!r}" for name, value in sorted(values.items())), ">")))
        if tag in VERBATIM:
            self._verbatim = tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._verbatim:
            self._verbatim = ""
        self._tag(tag, f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._verbatim:
            self.lines += data.splitlines()
        elif data.strip():
            text = re.sub(r"\s+", " ", data)
            self.lines.append(text.lstrip() if self._after_block else text)
            self._after_text = True

    def handle_comment(self, data: str) -> None:
        self._tag("", f"<!--{data.strip()}-->")

    def handle_decl(self, decl: str) -> None:
        self._tag("", f"<!{decl}>")

    def _tag(self, name: str, line: str) -> None:
        self._after_block = not IN_A_LINE.fullmatch(name)
        if self._after_block and self._after_text:
            self.lines[-1] = self.lines[-1].rstrip()
        self._after_text = False
        self.lines.append(line)
