"""On a full disk a run ends with one line that says so, and the old site stays."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, done, generate_blank, hashes
from families import Tiny
from mounting import IN_A_NAMESPACE, can_mount

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.process,
    pytest.mark.skipif(not can_mount(), reason="This system lets nobody mount a small file system"),
]


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    tiny.copy("llama", folder / "llama")
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "abcdefgh" for c in "abcdefgh"]
    for name, some in (("report", words), ("few", words[:16])):
        text = f'[words]\nall = {some}\n[[models]]\nsource = "llama"\n'
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def generate_within(folder: Path, size: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with a small file system as ``folder/disk``, into which ``folder/before`` is copied."""
    run = shlex.join([sys.executable, str(ROOT / "generate.py"), "--draft", *arguments])
    script = f"""
        mount -t tmpfs -o size={size} tmpfs disk && cp -a before/. disk || exit 99
        {run}
        code=$?
        mkdir -p after && cp -a disk/. after
        exit $code
    """
    (folder / "disk").mkdir(exist_ok=True)
    (folder / "before").mkdir(exist_ok=True)
    return subprocess.run(
        [*IN_A_NAMESPACE, "sh", "-c", script],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
    )


def test_states_that_do_not_fit(project: Path) -> None:
    # 512 words × 4 depths × 32 dimensions of 4 bytes are 0.3 MB.
    made = generate_within(project, "200k", "--cache", "disk/cache")
    assert made.returncode == 1, made.stderr
    assert (
        "disk/cache: can't store hidden states: No space left on device: they need 0." in made.stderr.splitlines()[-1]
    )
    assert "Traceback" not in made.stderr
    assert not [path for path in (project / "after").rglob("*") if path.is_file() and "states" in path.parts]
    assert not (project / "site").exists()


def test_a_site_that_does_not_fit_beside_the_old_one(project: Path) -> None:
    few = ("--config", "few.toml")
    # All is drawn before: what has no room is the site.
    done(generate_blank(project, "--draft", *few, "--output", "before/site"))
    done(generate_blank(project, "--draft", *few, "--output", "drawn", "--svg"))
    before = hashes(project / "before" / "site")
    n_bytes = sum(path.stat().st_size for path in (project / "before").rglob("*"))
    made = generate_within(project, str(int(1.5 * n_bytes)), *few, "--output", "disk/site", "--svg", "--jobs", "1")
    assert made.returncode == 1, made.stderr
    assert made.stderr.splitlines()[-1].endswith(
        "disk/site: can't write the site: No space left on device; the old one is untouched"
    )
    assert hashes(project / "after" / "site") == before
