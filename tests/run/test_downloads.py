"""Models of the hub whose weights aren't kept: what was downloaded goes, and what was there before stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import families
import hub_server
import pytest
from hub_server import Hub, commit_of

from tokviz.config import ReportConfig
from tokviz.run.pipeline import Outcome, capture_only
from tokviz.run.plan.options import Options
from tokviz.run.plan.plan import Plan
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Quiet

STEPS = ("step0", "step8")


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("steps")
    return {name: families.build("llama", folder / name, seed=seed) for seed, name in enumerate(STEPS)}


@pytest.fixture
def stand_in(tmp_path: Path, steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    shared = tmp_path / "home" / "hub"
    # Of another program's: a model, and the tokenizer's part of this one at an older commit.
    (shared / "models--org--other" / "blobs").mkdir(parents=True)
    (shared / "models--org--other" / "blobs" / "abc").write_bytes(b"weights")
    with hub_server.served(shared) as found:
        found.revisions["org/name"] = dict(steps)
        yield found


def report(*revisions: str, **values: Any) -> ReportConfig:
    tables = [
        {"name": each, "source": "org/name", "revision": each, "keep_weights": False, **values} for each in revisions
    ]
    return ReportConfig.model_validate({"words": {"all": ["cat", "dog", "house"]}, "models": tables})


def options(folder: Path) -> Options:
    return Options(base=folder, output=folder / "site", cache=folder / "cache")


def captured(folder: Path, config: ReportConfig) -> Outcome:
    return capture_only(config, options(folder), Quiet())


def identities(folder: Path, config: ReportConfig) -> list[str | None]:
    plan = Plan(config, options(folder), Store(folder / "cache"))
    found = (context.captured for model in plan.models for context in model.contexts)
    return [each.states.card.identity if each else None for each in found]


def tree(folder: Path) -> dict[str, str]:
    """All that is in a folder, at any depth, with its content and its time."""
    found = {}
    for path in folder.rglob("*"):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[path.relative_to(folder).as_posix()] = f"{path.lstat().st_mtime_ns} {hashlib.sha256(content).hexdigest()}"
    return found


def downloads(folder: Path) -> list[Path]:
    return list((folder / "cache" / "downloads").rglob("*"))


@pytest.mark.slow  # the first to load transformers
def test_each_revision_is_downloaded_captured_and_removed_and_found_again(stand_in: Hub, tmp_path: Path) -> None:
    before = tree(tmp_path / "home")
    config = report(*STEPS)
    assert captured(tmp_path, config).n_captured == 2
    assert tree(tmp_path / "home") == before
    assert downloads(tmp_path) == []
    assert identities(tmp_path, config) == [f"commit:{commit_of(step)}" for step in STEPS]
    stand_in.asked.clear()
    assert captured(tmp_path, config).n_captured == 0
    assert captured(tmp_path, report(*STEPS, keep_weights=True)).n_captured == 0
    assert stand_in.asked == []
