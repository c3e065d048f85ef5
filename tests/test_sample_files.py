"""What is committed of the sample fits together: the images are those of ``make sample``, and the manifest lists what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sample_files
from command import ROOT

from tokviz.run.publishing import manifest
from tokviz.run.publishing.manifest import OwnFiles

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="This is no checkout")


@pytest.mark.process
def test_images_are_committed_only_by_make_sample() -> None:
    noted = sample_files.DIGEST.read_text(encoding="utf-8").strip()
    assert sample_files.digest(sample_files.committed()) == noted, "make sample writes tests/sample-images.sha256"


def test_the_digest_tells_a_changed_and_a_renamed_image() -> None:
    images = {"site/images/a.webp": "1", "site/images/b.webp": "2"}
    others = ({"site/images/a.webp": "1"}, {**images, "site/images/a.webp": "3"}, {"site/images/c.webp": "1"})
    assert len({sample_files.digest(each) for each in (images, *others)}) == 4


@pytest.fixture
def committed_site(tmp_path: Path) -> Path:
    """As it stands in git's index, whatever was made in its folder since."""
    sample_files._git("checkout-index", "--all", f"--prefix={tmp_path}/")
    return tmp_path / "site"


@pytest.mark.process
def test_the_manifest_lists_every_committed_file(committed_site: Path) -> None:
    own = OwnFiles.of(committed_site)
    files = {path.relative_to(committed_site).as_posix() for path in committed_site.rglob("*") if path.is_file()}
    assert files == {*own.paths, manifest.PATH}
    assert [path for path in own.paths if not own.is_own(path, committed_site / path)] == []
    assert "sha256" in json.loads((committed_site / manifest.PATH).read_text(encoding="utf-8"))


@pytest.mark.process
def test_text_is_made_again_around_the_committed_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in {"site/images/a.webp": "committed", "site/index.html": "old"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    for name, place in (("ROOT", tmp_path), ("SITE", tmp_path / "site")):
        monkeypatch.setattr(sample_files, name, place)
    sample_files._git("init", "--quiet")
    sample_files._git("add", "site")
    (tmp_path / "site" / "data").mkdir()
    (tmp_path / "site" / "images" / "a.webp").write_text("drawn again", encoding="utf-8")
    (tmp_path / "site" / "index.html").write_text("new", encoding="utf-8")
    assert sample_files.keep_committed_images() is None
    assert (tmp_path / "site" / "images" / "a.webp").read_text(encoding="utf-8") == "committed"
    own = OwnFiles.of(tmp_path / "site")
    assert all(own.is_own(path, tmp_path / "site" / path) for path in ("images/a.webp", "index.html"))
    (tmp_path / "site" / "images" / "b.webp").write_text("another", encoding="utf-8")
    assert "b.webp: expected the images that are committed" in str(sample_files.keep_committed_images())
