"""What the tests of all trials share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the folders of trials stand side by side, with the kit, which the first process that needs it fills for all."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "torture"
    folder.mkdir(exist_ok=True)
    return folder.resolve()
