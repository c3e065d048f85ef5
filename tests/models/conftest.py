"""Checkpoints that the tests of models share."""

from __future__ import annotations

import shutil
from pathlib import Path

import families
import pytest


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    families.build("llama", folder / "llama")
    families.build("bert", folder / "bert")
    return folder


@pytest.fixture
def llama(checkpoints, tmp_path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(checkpoints / "llama", tmp_path / "llama"))
