"""The source distribution has the parts of the sample report that the manual shows, so that the manual can be built of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # a build backend runs this file by its path

import sample_parts


class Parts(BuildHookInterface[Any]):
    """What hatchling asks which files to add."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them, at the places that they have in the repository."""
        root = Path(self.root)
        build_data["force_include"].update({str(root / path): path for path in sample_parts.parts(root)})
