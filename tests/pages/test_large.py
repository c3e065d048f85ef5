"""The pages of a large report: what they fetch before a reader does anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from at_once import AtOnce
from large import MODELS, fetched_from, make
from playwright.sync_api import Browser
from weighing import most

from tokviz.draw import draw_image
from tokviz.records import Picture, Strip
from tokviz.run import pipeline


class StripsAlone(AtOnce):
    """Leaves all but strips blank: pages fetch no other pictures by themselves."""

    def drawn(self, picture: Picture) -> bytes:
        return draw_image(picture) if isinstance(picture, Strip) else super().drawn(picture)


@pytest.mark.process
@pytest.mark.thorough
def test_pages_of_models_of_forty_layers_are_light(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``make audit-large`` does the same with six models, and asks more of them."""
    monkeypatch.setattr(pipeline, "_start", lambda *_: StripsAlone())
    n_limited = 0
    for page, size, fetched in fetched_from(make(tmp_path, MODELS[:2]), browser):
        assert not [path for path in fetched if path.endswith(".webp") and "_strip" not in path], (page, size)
        limit = most(page, size)
        if limit is not None:
            n_limited += 1
            assert sum(map(len, fetched.values())) <= limit, (page, size)
    assert n_limited == 6
