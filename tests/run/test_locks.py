"""Runs that share a site or a cache wait for each other, or refuse; the dead block nobody."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread

import filelock
import pytest
from command import ROOT, wait_for
from invoking import run_in
from narrow import present

from tokviz.errors import BusyError
from tokviz.run.store import locks
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.process

NO_WAIT = Locks(waits=False)
HOLDS = """
import sys, time
from pathlib import Path
from tokviz.run.store.locks import Locks
with Locks().{held}:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(held: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until the block ends or its input does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS.format(held=held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert present(process.stdout).readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_site_is_written_by_one_run_at_a_time(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with another(f"on_site(Path({str(site)!r}))") as process:
        with pytest.raises(BusyError, match="another run is writing this site; wait until it has ended"):
            NO_WAIT.on_site(site).__enter__()
        with NO_WAIT.on_site(tmp_path / "other"):
            pass
        heard: list[str] = []
        waiting = Thread(target=lambda: Locks(say=heard.append).on_site(site).__enter__(), daemon=True)
        waiting.start()
        assert wait_for(
            lambda: heard == [f"{site}: another run is writing this site; waiting until it has ended …"], 10
        )
        assert waiting.is_alive()
        present(process.stdin).close()
        waiting.join(20)
        assert not waiting.is_alive()


@pytest.mark.parametrize("on_a_network", [False, True])
def test_the_locks_file_goes_and_still_one_run_at_a_time_has_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_a_network: bool
) -> None:
    monkeypatch.setattr(locks, "_POLL_SECONDS", 0.001)
    if on_a_network:  # there a file that somebody has open gets another name, and keeps its link
        monkeypatch.setattr(Path, "unlink", lambda file: file.rename(tmp_path / f".nfs{uuid.uuid4().hex}"))
    held, n_held = Lock(), []

    def write() -> None:
        for _ in range(40):
            with Locks().on_site(tmp_path / "site"):
                if held.acquire(blocking=False):
                    time.sleep(0.0005)  # others come meanwhile
                    n_held.append(1)
                    held.release()

    with ThreadPoolExecutor(6) as runs:
        for run in [runs.submit(write) for _ in range(6)]:
            run.result()
    assert len(n_held) == 6 * 40
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".nfs")] == []


def test_the_command_refuses_to_begin_where_it_is_not_to_wait(tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text('[words]\na = ["b", "c"]\n[[models]]\nsource = "./none"\n', encoding="utf-8")
    with another(f"on_site(Path({str(tmp_path / 'site')!r}))"):
        refused = run_in(tmp_path, "--no-wait")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "error: site: another run is writing this site; wait until it has ended, or run without --no-wait"
    ]
    assert "no model could be captured" in run_in(tmp_path, "--no-wait").stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="This system has no /proc, where no file can be made")
@pytest.mark.parametrize("option", ["--output", "--cache"])
@pytest.mark.parametrize("folder", ["/proc/mine", "/proc/missing/mine"])
def test_a_place_where_no_file_can_be_made_is_told_at_once(tmp_path: Path, option: str, folder: str) -> None:
    (tmp_path / "report.toml").write_text('[words]\na = ["b", "c"]\n[[models]]\nsource = "./none"\n', encoding="utf-8")
    refused = run_in(tmp_path, option, folder)
    assert refused.exit_code == 1
    assert "expected a place where files can be made, but making one failed: " in refused.stderr
    assert folder in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    with another(f"on_site(Path({str(tmp_path / 'site')!r}))") as process:
        process.kill()
        process.wait()
        with NO_WAIT.on_site(tmp_path / "site"):
            pass


def test_only_the_same_captures_exclude_each_other(tmp_path: Path) -> None:
    with another(f"on_captures(Path({str(tmp_path)!r}), ['a', 'b'])"):
        with pytest.raises(BusyError, match="another run is capturing the same"):
            NO_WAIT.on_captures(tmp_path, ["b", "c"]).__enter__()
        with NO_WAIT.on_captures(tmp_path, ["c", "d"]) as others_were_first:
            assert not others_were_first


def test_whoever_waited_for_a_capture_knows_it(tmp_path: Path) -> None:
    seen: list[bool] = []

    def capture() -> None:
        with Locks().on_captures(tmp_path, ["a"]) as others_were_first:
            seen.append(others_were_first)

    with another(f"on_captures(Path({str(tmp_path)!r}), ['a'])") as process:
        waiting = Thread(target=capture, daemon=True)
        waiting.start()
        waiting.join(0.5)
        assert seen == []
        present(process.stdin).close()
        waiting.join(20)
    assert seen == [True]


def test_nothing_is_pruned_while_a_run_uses_the_cache(tmp_path: Path) -> None:
    with another(f"in_use(Path({str(tmp_path)!r}))") as process:
        with NO_WAIT.in_use(tmp_path):  # any number of runs may
            pass
        with pytest.raises(BusyError, match="another run uses this cache"):
            NO_WAIT.alone(tmp_path).__enter__()
        process.kill()
        process.wait()
        with NO_WAIT.alone(tmp_path):
            pass
    assert [path.name for path in (tmp_path / "locks").iterdir()] == ["prune.lock"]


def test_no_run_begins_while_the_cache_is_pruned(tmp_path: Path) -> None:
    with another(f"alone(Path({str(tmp_path)!r}))"), pytest.raises(BusyError, match="this cache is being pruned"):
        NO_WAIT.in_use(tmp_path).__enter__()


def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    heard: list[str] = []
    with Locks(say=heard.append).on_site(tmp_path / "site"):
        pass
    assert len(heard) == 1
    assert (
        "can't lock here ([Errno 38] Function not implemented); let only one run at a time use this folder" in heard[0]
    )
