"""README as a package index shows it: links lead to the repository, which isn't there.

They are changed once ``[project.urls]`` of ``pyproject.toml`` has a ``Source``; until then they stay as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")
_IMAGES = (".webp", ".png", ".svg")


def absolute(text: str, source: str) -> str:
    """The text with whole addresses in the place of relative links; ``source`` is the repository's."""

    def link(found: re.Match[str]) -> str:
        view = "raw" if found[1].endswith(_IMAGES) else "blob"
        return f"]({source.rstrip('/')}/{view}/HEAD/{found[1]})"

    return _RELATIVE.sub(link, text)


class Readme(MetadataHookInterface):
    """What hatchling asks for the metadata's ``readme``."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, source) if source else text}
