"""Links of pages, followed as files: lychee reads them as a crawler would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_OPTIONS = (
    "--offline", "--include-fragments", "--no-progress", "--format", "json",
    # Some addresses are what a script shows, not a place: "#alone/layer-11+sentence" is a slide and the context that stands
    # beside it, "#a=model/context/projection&at=…" a choice of pictures. What is a file or a slide in them is checked.
    "--remap", r"(file:.*#[^=]+)\+.* $1", "--remap", r"(file:.*)#a=.* $1",
    # Of a change page its script shows the depth that is asked for.
    "--remap", r"(file:.*/change/[^#]*)#.*/.* $1",
)  # fmt: skip


def broken(site: Path, pages: Iterable[Path], least: int) -> list[str]:
    """Links of ``pages`` that lead nowhere within ``site``; those to other hosts are left out.

    Parameters
    ----------
    least : so many links at least must be found whole, since a check of nothing finds nothing.
    """
    command = shutil.which("lychee", path=sysconfig.get_path("scripts")) or "lychee"
    arguments = [command, *_OPTIONS, "--root-dir", str(site), *map(str, sorted(pages))]
    run = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=120)
    assert run.stdout.startswith("{"), run.stderr
    report = json.loads(run.stdout)
    assert report["successful"] > least
    return [f"{page}: {link['url']}" for page, links in report["error_map"].items() for link in links]
