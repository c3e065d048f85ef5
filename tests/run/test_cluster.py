"""The report on a real Dask cluster on this machine: the same bytes, even when a worker dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from command import COMMAND_IS_IN, ROOT, SMALL_CONFIG, differing, done, generate, wait_for
from families import Tiny
from invoking import run_in

from tokviz.errors import BackendError
from tokviz.run.work.clusters import _run_alike

pytestmark = pytest.mark.process

DASK = [sys.executable, "-m", "dask"]
Cluster = tuple[str, list[subprocess.Popen[bytes]]]


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny models and one that isn't there, and their report by this machine's processes."""
    folder = tmp_path_factory.mktemp("cluster")
    tables = []
    for family in ("qwen3", "bert"):
        tiny.copy(family, folder / family)
        tables.append(f'[[models]]\nsource = "{family}"\n')
    tables.append('[[models]]\nsource = "./missing"\n')
    (folder / "report.toml").write_text(SMALL_CONFIG + "".join(tables), encoding="utf-8")
    assert generate(folder, "--output", "local", "--cache", "local-cache").returncode == 3
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler that doesn't know tokviz, and two workers that do: its address, and the workers' processes."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    # The scheduler's own directory, and none of the project in its path.
    scheduler = subprocess.Popen(
        [*DASK, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers: list[subprocess.Popen[bytes]] = []
    try:
        # It is there before it is written.
        assert wait_for(lambda: file.exists() and file.read_text(encoding="utf-8").rstrip().endswith("}"), seconds=180)
        address = json.loads(file.read_text(encoding="utf-8"))["address"]
        for number in range(2):
            own = folder / f"worker-{number}"
            own.mkdir()
            workers.append(
                subprocess.Popen(
                    [*DASK, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"],
                    cwd=own,
                    env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(own)},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_a_worker_with_another_library_does_nothing() -> None:
    here = ("tokviz code 1", "numpy 2", "matplotlib 3")
    done = partial(_run_alike, expected=here, fn=list, args=("ab",), kwargs={})
    assert done(lambda: here) == ["a", "b"]
    with pytest.raises(BackendError, match="runs matplotlib 4 instead of matplotlib 3; install the same there"):
        done(lambda: (*here[:2], "matplotlib 4"))


@pytest.mark.thorough
def test_states_can_be_captured_there_and_nothing_else(project: Path, tmp_path: Path, cluster: Cluster) -> None:
    where = ("--cache", str(tmp_path / "cache"), "--backend", "dask", "--address", cluster[0])
    made = generate(project, "--model", "qwen3", "--output", str(tmp_path / "site"), *where, "--capture-only")
    assert "1 new capture" in done(made)
    assert not (tmp_path / "site").exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backend", "dask"], "expected --address"),
        (["--address", "tcp://127.0.0.1:1"], "expected --backend"),
        (["--backend", "dask", "--address", "nonsense", "--force"], "no cluster at nonsense"),
    ],
)
def test_a_wrong_cluster_is_one_line(project: Path, arguments: list[str], said: str) -> None:
    made = run_in(project, *arguments)
    assert made.exit_code == 1
    assert said in made.stderr
    assert made.stderr.strip().splitlines()[-1].startswith("error: ")


@pytest.mark.thorough
def test_neither_a_worker_that_dies_nor_a_model_that_fails_costs_the_run(
    project: Path, tmp_path: Path, cluster: Cluster
) -> None:
    """And the report is the same, the page of the model that failed, too."""
    address, workers = cluster
    output, cache = tmp_path / "site", tmp_path / "cache"
    where = ("--output", str(output), "--cache", str(cache), "--backend", "dask", "--address", address)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(generate, project, *where)
        assert wait_for(lambda: run.done() or len(list(cache.glob("images/*.webp"))) >= 3, seconds=180)
        workers[0].kill()
        workers[0].wait()
        assert not run.done()  # there was work left
        made = run.result(timeout=300)
    assert made.returncode == 3, made.stderr
    assert "error: missing: ./missing: expected a folder" in made.stderr
    assert "2 new captures, 30 new images" in made.stdout
    assert (output / "models" / "missing" / "index.html").is_file()
    assert differing(project / "local", output) <= COMMAND_IS_IN
