"""Every link of a site leads to a file and a place in it: lychee reads the pages as files, as a crawler would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from report_fixture import sample_report, write_site

ROOT = Path(__file__).parents[2]


def lychee(site: Path) -> dict[str, Any]:
    """Its report on all pages of a site; links to other hosts are left out."""
    command = shutil.which("lychee", path=sysconfig.get_path("scripts")) or "lychee"
    # Some addresses are what a script shows, not a place: "#alone/layer-11+sentence" is a slide and the context that stands
    # beside it, "#a=model/context/projection&at=…" a choice of pictures. What is a file or a slide in them is checked.
    options = ["--remap", r"(file:.*#[^=]+)\+.* $1", "--remap", r"(file:.*)#a=.* $1"]
    options += ["--offline", "--include-fragments", "--no-progress", "--format", "json", "--root-dir", str(site)]
    pages = sorted(str(path) for path in site.rglob("*.html"))
    run = subprocess.run([command, *options, *pages], check=False, capture_output=True, text=True, timeout=120)
    assert run.stdout.startswith("{"), run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def broken(site: Path) -> list[str]:
    report = lychee(site)
    assert report["successful"] > 100
    return [f"{page}: {link['url']}" for page, links in report["error_map"].items() for link in links]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(sample_report(), tmp_path_factory.mktemp("site"))


def test_no_link_of_the_committed_site_is_broken() -> None:
    assert broken(ROOT / "site") == []


def test_no_link_of_a_site_is_broken(site: Path) -> None:
    assert broken(site) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("#alone/layer-11", "#alone/layer-99"), ('href="models/smol-30', 'href="models/smol-31')],
    ids=["slide", "page"],
)
def test_a_broken_link_would_be_found(site: Path, tmp_path: Path, right: str, wrong: str) -> None:
    shutil.copytree(site, tmp_path / "site")
    index = tmp_path / "site" / "index.html"
    text = index.read_text(encoding="utf-8")
    assert right in text
    index.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    assert len(broken(tmp_path / "site")) == 1
