"""Models of the Hub whose weights aren't kept: what was downloaded goes, and what was there before stays as it was."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NoReturn

import hub_server
import pytest
from families import Tiny
from hub_server import Hub, commit_of

from tokviz import capture, models
from tokviz.config import ReportConfig
from tokviz.errors import BusyError, CaptureError, SourceError, TokvizError
from tokviz.run import prune
from tokviz.run.capturing import remote_capture
from tokviz.run.pipeline import capture_only
from tokviz.run.plan.options import Options
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.report import Plan
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.work.progress import Quiet

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

STEPS = ("step0", "step8")


@pytest.fixture(scope="module")
def steps(tiny: Tiny) -> dict[str, Path]:
    return {name: tiny("llama", seed) for seed, name in enumerate(STEPS)}


@pytest.fixture
def stand_in(tmp_path: Path, steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    shared = tmp_path / "home" / "hub"
    put_into_cache(steps["step0"], shared / "models--org--other", commit_of("main"))
    with hub_server.served(shared) as found:
        found.revisions["org/name"] = dict(steps)
        yield found


@pytest.fixture(autouse=True)
def nothing_shared_changes(stand_in: Hub, tmp_path: Path) -> Iterator[None]:
    """Whatever happens: not a byte nor a time of the shared cache, nor a name in it."""
    before = tree(tmp_path / "home")
    assert len(before) > 5
    yield
    assert tree(tmp_path / "home") == before


def put_into_cache(checkpoint: Path, repository: Path, commit: str, *, branch: str = "main") -> None:
    shutil.copytree(checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / branch).write_text(commit)


def tree(folder: Path) -> dict[str, str]:
    """All that is in a folder, at any depth, with its content and its time."""
    found = {}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(folder).as_posix()] = f"{path.lstat().st_mtime_ns} {hashlib.sha256(content).hexdigest()}"
    return found


def values(*revisions: str, contexts: tuple[str, ...] = (" {word}",), **of_models: Any) -> dict[str, Any]:
    tables = [
        {"name": each, "source": "org/name", "revision": each, "keep_weights": False, **of_models} for each in revisions
    ]
    named = [{"name": f"c{index}", "template": each} for index, each in enumerate(contexts)]
    return {"words": {"all": ["cat", "dog", "house"]}, "contexts": named, "models": tables}


def report(*revisions: str, **others: Any) -> ReportConfig:
    return ReportConfig.model_validate(values(*revisions, **others))


def options(folder: Path) -> Options:
    return Options(base=folder, output=folder / "site", cache=folder / "cache")


def plan(folder: Path, config: ReportConfig) -> Plan:
    return Plan(config, options(folder), Store(folder / "cache"))


def n_captured(folder: Path, config: ReportConfig) -> int:
    return capture_only(config, options(folder), Quiet()).n_captured


def identities(folder: Path, config: ReportConfig) -> list[str | None]:
    found = (context.captured for model in plan(folder, config).models for context in model.contexts)
    return [each.states.card.identity if each else None for each in found]


def downloaded(folder: Path) -> set[str]:
    """The names of the files that are in folders of downloads."""
    return {path.name for path in (folder / "cache" / "downloads").glob("*/models--*/snapshots/*/*")}


def download_folder(folder: Path, config: ReportConfig) -> Path:
    return folder / "cache" / "downloads" / keys.download_key(config.models[0])


def test_each_revision_is_downloaded_captured_removed_and_found_again(stand_in: Hub, tmp_path: Path) -> None:
    config = report(*STEPS)
    assert n_captured(tmp_path, config) == 2
    assert not (tmp_path / "cache" / "downloads").exists()
    assert identities(tmp_path, config) == [f"commit:{commit_of(step)}" for step in STEPS]
    stand_in.asked.clear()
    assert n_captured(tmp_path, config) == 0
    assert n_captured(tmp_path, report(*STEPS, keep_weights=True)) == 0
    assert stand_in.asked == []


def test_a_model_that_the_shared_cache_has_is_read_from_there_and_stays(stand_in: Hub, tmp_path: Path) -> None:
    config = report("main", source="org/other")
    assert n_captured(tmp_path, config) == 1
    assert identities(tmp_path, config) == [f"commit:{commit_of('main')}"]
    assert stand_in.asked == []
    assert downloaded(tmp_path) == set()


def test_a_tokenizer_of_the_hub_is_downloaded_and_removed_too(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.revisions["org/tokenizer"] = {"main": stand_in.revisions["org/name"]["step8"]}
    config = report("step0", tokenizer="org/tokenizer")
    assert n_captured(tmp_path, config) == 1
    assert identities(tmp_path, config) == [f"commit:{commit_of('step0')} tokenizer {commit_of('main')}"]
    assert downloaded(tmp_path) == set()
    assert n_captured(tmp_path, config) == 0


def test_what_is_added_later_is_captured_from_the_same_commit(stand_in: Hub, tmp_path: Path) -> None:
    assert n_captured(tmp_path, report("step0")) == 1
    stand_in.moved["step0"] = "step8"
    more = report("step0", contexts=(" {word}", "The {word}"))
    assert n_captured(tmp_path, more) == 1
    assert identities(tmp_path, more) == [f"commit:{commit_of('step0')}"] * 2
    assert downloaded(tmp_path) == set()


def capture_until_killed(folder: Path) -> None:
    """A run that is killed as it would capture."""
    setattr(capture, "capture_together", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010
    n_captured(folder, report("step0"))


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="forks this process, which has threads")
@pytest.mark.parametrize("place", ["download", "capture"])
def test_after_a_kill_the_next_run_goes_on_and_removes_what_was_left(stand_in: Hub, tmp_path: Path, place: str) -> None:
    stand_in.cut = "model.safetensors" if place == "download" else None
    # With the libraries of this process, whose import takes longer than all else.
    run = get_context("fork").Process(target=capture_until_killed, args=(tmp_path,), daemon=True)
    run.start()
    if place == "download":
        assert stand_in.is_cut.wait(120)
        run.kill()
    run.join(120)
    assert run.exitcode == -signal.SIGKILL
    stand_in.may_answer.set()
    stand_in.cut = None
    whole = {"config.json", "tokenizer.json", "tokenizer_config.json"}
    left = downloaded(tmp_path)
    assert whole <= left
    assert ("model.safetensors" in left) == (place == "capture")
    stand_in.asked.clear()
    assert n_captured(tmp_path, report("step0")) == 1
    assert {path.rpartition("/")[2] for path in stand_in.asked} & left == set()
    assert place == "download" or stand_in.asked == []
    assert not (tmp_path / "cache" / "downloads").exists()


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def failing(*_: object, **__: object) -> NoReturn:
    raise CaptureError("org/name: NaN in all layers")


def test_an_interruption_leaves_it_to_the_next_run_and_to_prune(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = report("step0")
    monkeypatch.setattr(capture, "capture_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        n_captured(tmp_path, config)
    assert "model.safetensors" in downloaded(tmp_path)
    own = download_folder(tmp_path, config) / "thesis.tex"
    own.write_text("theirs")
    lines = prune.prune(config, options(tmp_path), 30, Locks(waits=False), dry_run=False)
    assert any(line.startswith(f"{tmp_path / 'cache' / 'left behind'}: 1 removed") for line in lines), lines
    assert [path for path in (tmp_path / "cache" / "downloads").rglob("*") if not path.is_dir()] == [own]


def test_a_failure_removes_it(stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "capture_together", failing)
    with pytest.raises(TokvizError, match="NaN in all layers"):
        n_captured(tmp_path, report("step0"))
    assert not (tmp_path / "cache" / "downloads").exists()


def sharded(checkpoint: Path, folder: Path) -> Path:
    """The same in two files."""
    from transformers import AutoModelForCausalLM

    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    model.save_pretrained(folder, max_shard_size=model.num_parameters() * 2)
    return folder


def test_of_several_files_those_that_came_serve_the_next_run(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = report("step0")
    folder = sharded(stand_in.revisions["org/name"]["step0"], tmp_path / "sharded")
    *_, last = sorted(file.name for file in folder.glob("*.safetensors"))
    stand_in.revisions["org/name"] = {"step0": folder}
    stand_in.lost.add(last)
    monkeypatch.setattr(time, "sleep", lambda _: None)  # between attempts
    with pytest.raises(TokvizError, match="can't reach the Hub"):
        n_captured(tmp_path, config)
    came = {name for name in downloaded(tmp_path) if name.endswith(".safetensors")}
    assert len(came) == 2
    of_full_disk = SourceError("org/name: loading failed")
    of_full_disk.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert not models.is_kept_after(of_full_disk, config.models[0], download_folder(tmp_path, config))
    stand_in.lost.clear()
    stand_in.asked.clear()
    assert n_captured(tmp_path, config) == 1
    assert not {name for name in came if any(path.endswith(name) for path in stand_in.asked)}
    assert downloaded(tmp_path) == set()


def test_without_room_on_the_disk_nothing_is_downloaded(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(
        TokvizError, match=r"org/name: expected .* GB on the disk of the cache .*, found 0\.0 GB, of which"
    ):
        n_captured(tmp_path, report("step0"))
    assert downloaded(tmp_path) == set()


def test_what_a_kill_left_of_a_captured_model_goes_without_a_network_unless_another_run_has_it(
    stand_in: Hub, tmp_path: Path
) -> None:
    config = report("step0")
    assert n_captured(tmp_path, config) == 1
    left = download_folder(tmp_path, config)
    put_into_cache(stand_in.revisions["org/name"]["step0"], left / "models--org--name", commit_of("step0"))
    stand_in.asked.clear()
    with Locks(waits=False).on_download(tmp_path / "cache", left.name):
        assert n_captured(tmp_path, config) == 0
        assert left.is_dir()
        with pytest.raises(BusyError, match="another run uses the same download; wait until it has ended"):
            Locks(waits=False).on_download(tmp_path / "cache", left.name).__enter__()
    assert n_captured(tmp_path, config) == 0
    assert not left.exists()
    assert stand_in.asked == []


@pytest.mark.parametrize("sees_the_cache", [True, False])
def test_who_captures_downloads_and_removes(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sees_the_cache: bool
) -> None:
    config = report(*STEPS)
    planned = plan(tmp_path, config)
    requests = [due_request(model) for model in planned.models]
    if not sees_the_cache:
        monkeypatch.setattr(remote_capture, "_sees", lambda _: False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "worker"))
        (tmp_path / "worker").mkdir()
    with ThreadPoolExecutor(2) as workers:
        ended = list(remote_capture.capture_elsewhere(requests, workers, planned.store, Quiet()))
    assert [failure for _, failure in ended] == [None, None]
    assert identities(tmp_path, config) == [f"commit:{commit_of(step)}" for step in STEPS]
    assert downloaded(tmp_path) == set()
    assert sees_the_cache or list((tmp_path / "worker").iterdir()) == []
