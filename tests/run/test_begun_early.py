"""What the states of a model are enough for is begun while the rest of it is captured, and made once."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from at_once import run_at_once
from command import differing
from families import Tiny

from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.run.kinds.controls import UntrainedModels
from tokviz.run.making import Making
from tokviz.run.plan import steps
from tokviz.run.work.picture_queue import PictureQueue

CONFIG = ReportConfig.model_validate(
    {
        "words": {"people": ["James", "Mary", "doctor"], "times": ["January", "February", "Tuesday"]},
        "contexts": [{"name": "alone", "template": " {word}"}],
        "projections": ["centered"],
        "plate_size": [750, 600],
        "untrained": True,
        "models": [{"source": "qwen3"}],
    }
)


@pytest.fixture
def begun(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures and measures of a run, and where the untrained models are made among them."""
    tiny.copy("qwen3", tmp_path / "qwen3")
    found: list[str] = []
    submit, make, capture = PictureQueue.submit, steps._made, UntrainedModels.make

    def submitted(queue: PictureQueue, key: str, picture: Any) -> None:
        found.append(f"picture {key}")
        submit(queue, key, picture)

    def made(share: float | None, work: Any, arguments: Any) -> Any:
        found.append(work.args[1] if isinstance(work, partial) else work.__name__)
        return make(share, work, arguments)

    def captured(*arguments: Any) -> None:
        found.append("untrained models")
        capture(*arguments)

    monkeypatch.setattr(PictureQueue, "submit", submitted)
    monkeypatch.setattr(steps, "_made", made)
    monkeypatch.setattr(UntrainedModels, "make", captured)
    return found


def test_plots_and_measures_of_the_states_wait_for_nothing_and_are_made_once(begun: list[str], tmp_path: Path) -> None:
    run_at_once(CONFIG, tmp_path)
    assert max(Counter(begun).values()) == 1
    early = begun[: begun.index("untrained models")]
    assert sum(each.startswith("picture") for each in early) > 10
    assert {"_geometry", "neighbours", "same_category"} <= {*early}
    assert {"_paired", "_untrained"} <= {*begun[len(early) :]}


def test_the_site_is_the_same(begun: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_at_once(CONFIG, tmp_path)
    n_of_once = len(begun)
    monkeypatch.setattr(Making, "begin_early", lambda *_: None)
    run_at_once(CONFIG, tmp_path, output=tmp_path / "other", cache=tmp_path / "other-cache")
    assert not differing(tmp_path / "site", tmp_path / "other")
    assert len(begun) == 2 * n_of_once


def test_what_goes_wrong_early_is_told_with_its_model(
    begun: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_memory(*_: Any) -> None:
        raise MemoryError("Unable to allocate 3.2 TiB")

    monkeypatch.setattr("tokviz.measure.neighbours.neighbours", without_memory)
    with pytest.raises(TokvizError, match="qwen3: its hidden states can't be shown: MemoryError: Unable to allocate"):
        run_at_once(CONFIG, tmp_path)
    assert "untrained models" in begun
