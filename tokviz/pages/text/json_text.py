"""Content as JSON that any file or script can hold."""

from __future__ import annotations

import json
import re
from typing import Any

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character beyond U+FFFF: Python's texts may hold one, files in UTF-8 can't."""


def compact(content: Any) -> str:
    """Without spaces, for scripts to read."""
    return _encodable(json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def spaced(content: Any, indent: int | None = None) -> str:
    """For people to read."""
    return _encodable(json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False))


def embedded(content: Any) -> str:
    """For a ``<script>`` of a page, which no text in it can end."""
    return compact(content).replace("<", "\\u003c")


def script(key: str, content: Any) -> str:
    """A script that hands its content to the page under a key of its own.

    A page opened from disk may not fetch, but it may add a ``<script>``.
    """
    return f"tokvizData({compact(key)},{compact(content)});\n"


def _encodable(text: str) -> str:
    """Lone surrogates have no form in UTF-8 but JSON's escape."""
    return LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
