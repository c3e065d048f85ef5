"""What a package index shows: the project's addresses, and README with links that lead to the repository.

Both need the repository's address, in ``[tool.tokviz]`` of ``pyproject.toml``; without one links stay as they are.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # a build backend runs this file by its path

import release

_RELATIVE = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")
_IMAGES = (".webp", ".png", ".svg")


def absolute(text: str, source: str) -> str:
    """The text with whole addresses in the place of relative links; ``source`` is the repository's."""

    def link(found: re.Match[str]) -> str:
        view = "raw" if found[1].endswith(_IMAGES) else "blob"
        return f"]({source.rstrip('/')}/{view}/HEAD/{found[1]})"

    return _RELATIVE.sub(link, text)


def _urls(source: str) -> dict[str, str]:
    return {"Source": source, "Changelog": f"{source}/blob/HEAD/CHANGELOG.md", "Issues": f"{source}/issues"}


class Readme(MetadataHookInterface):
    """What hatchling asks for the metadata's ``readme`` and ``urls``."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = release.setting(Path(self.root)).repository.rstrip("/")
        metadata["urls"] = _urls(source) if source else {}
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, source) if source else text}
