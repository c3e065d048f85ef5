"""Every link of a site leads to a file and a place in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import link_check
import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def broken(site: Path) -> list[str]:
    return link_check.broken(site, site.rglob("*.html"), least=100)


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
