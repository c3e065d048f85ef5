"""The pages of a large report: what they fetch before a reader does anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from large import MODELS, check_weights, make
from playwright.sync_api import Browser


@pytest.mark.process
@pytest.mark.thorough
def test_pages_of_models_of_forty_layers_are_light(tmp_path: Path, browser: Browser) -> None:
    """``make audit-large`` does the same with six models, and asks more of them."""
    assert check_weights(make(tmp_path, MODELS[:2]), browser) == 0
