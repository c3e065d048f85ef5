"""The same report on local processes, on a local Ray, and on a local Dask cluster: how many pictures differ."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sample
from table import Row


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "report.toml").write_text(sample.config({"SmolLM2-135M": sample.smollm2()}), encoding="utf-8")
        local = _pictures(work, "local")
        rows = [_row("Ray", local, _pictures(work, "ray", "--backend", "ray", "--address", "local"))]
        with _dask() as address:
            rows.append(_row("Dask", local, _pictures(work, "dask", "--backend", "dask", "--address", address)))
    return rows


def _row(name: str, local: dict[str, bytes], found: dict[str, bytes]) -> Row:
    differing = sum(found.get(path) != content for path, content in local.items()) + len(found.keys() - local.keys())
    return Row(name=f"a local {name}: pictures that differ", ratio=differing, target=0, remark=f"{len(local)} pictures")


def _pictures(work: Path, name: str, *arguments: str) -> dict[str, bytes]:
    site = work / name
    sample.generate(work, "--cache", work / f"{name}-cache", "--output", site, *arguments)
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*.webp")}


@contextmanager
def _dask() -> Iterator[str]:
    """Scheduler and two workers, each a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "scheduler.json"
        dask = [sys.executable, "-m", "dask", "scheduler"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": sample.HERE.parent}
        common = ["--scheduler-file", str(told)]
        scheduler = subprocess.Popen([*dask, *common, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], **quiet)
        worker = [sys.executable, "-m", "dask", "worker", *common, "--nthreads", "1", "--no-dashboard"]
        workers = [subprocess.Popen([*worker, "--local-directory", folder], **quiet) for _ in range(2)]
        try:
            deadline = time.monotonic() + 60
            while not told.exists() and time.monotonic() < deadline:
                time.sleep(0.2)
            yield json.loads(told.read_text(encoding="utf-8"))["address"]
        finally:
            for process in (*workers, scheduler):
                process.terminate()
                process.wait(20)


if __name__ == "__main__":
    print(*run(), sep="\n")
