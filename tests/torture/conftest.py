"""What the tests of all trials share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root(of_all_processes: Path) -> Path:
    """Where the folders of trials stand side by side, with the kit, which the first process that needs it fills for all."""
    folder = of_all_processes / "torture"
    folder.mkdir(exist_ok=True)
    return folder
