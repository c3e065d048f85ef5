"""Where another file system begins in a site, or where files are put aside: nothing is refused for ever, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT
from mounting import IN_A_NAMESPACE, can_mount
from trees import facts

from tokviz.run.publishing import publish
from tokviz.run.store import disk

REPORT = {"data/report.json": '{"generator": "tokviz 1"}'}
OLD = {**REPORT, "index.html": "old", "images/x.webp": "old", "images/old.webp": "old", "method/index.html": "old"}
NEW = {**REPORT, "index.html": "new", "images/x.webp": "new", "images/new.webp": "new"}
PUBLISH = """
import json, sys
from pathlib import Path
from tokviz.run.publishing.publish import publish
spared = publish(json.loads(sys.argv[1]), Path("site"))
print(json.dumps([spared.put_aside, spared.left_over]))
"""


def publish_within(folder: Path, mounts: tuple[str, ...], times: int = 1) -> list[list[list[str]]]:
    """What is spared where other file systems are mounted, each with what was in its folder; they end up in the folders again."""
    mount = "\n".join(
        f"cp -a {place} held && mount -t tmpfs tmpfs {place} && cp -a held/. {place} && rm -r held || exit 99"
        for place in mounts
    )
    # What is in a mount at the end is copied out of it.
    keep = "\n".join(f"cp -a {place} kept-{index}" for index, place in enumerate(mounts))
    run = f"{sys.executable} -c '{PUBLISH}' '{json.dumps(NEW)}' || exit 1\n" * times
    back = "\n".join(f"rm -rf {place} && mv kept-{index} {place}" for index, place in enumerate(mounts))
    script = f"{mount}\n{run}{keep}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*IN_A_NAMESPACE, "sh", "-c", script], cwd=folder, check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    subprocess.run(["sh", "-c", f"set -e\n{back}"], cwd=folder, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.process
@pytest.mark.skipif(not can_mount(), reason="This system lets nobody mount a small file system")
@pytest.mark.parametrize(
    "mounts", [("site/media",), ("site/images", "site/media"), ("site",), ("site.kept",), ("site/images", "site.kept")]
)
def test_other_file_systems_are_merged_into_and_what_is_theirs_stays(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    site = tmp_path / "site"
    publish.publish(OLD, site)
    mine = {"media/film.mp4": "mine", "images/photo.svg": "mine", "about.html": "mine"}
    for path, content in mine.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(content)
    (site / "images" / "link").symlink_to("photo.svg")
    os.mkfifo(site / "media" / "pipe")
    (site / "index.html").write_text("by hand")
    (tmp_path / "site.kept").mkdir()
    assert publish_within(tmp_path, mounts, times=2) == [[["index.html"], []], [[], []]]
    found = {path: each for path, each in facts(site).items() if not path.endswith("manifest.json")}
    assert found.keys() == {*NEW, *mine, "images/link", "media/pipe"}
    assert all((site / path).read_text() == content for path, content in {**NEW, **mine}.items())
    assert (tmp_path / "site.kept" / "index.html").read_text() == "by hand"
    assert not list(tmp_path.glob(".site.tokviz-*"))


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EBUSY])
def test_a_folder_that_the_system_does_not_rename_is_merged_into(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a container does with what came with its image."""
    site = tmp_path / "site"
    publish.publish(OLD, site)
    (site / "about.html").write_text("mine")
    replace = Path.replace

    def refused(source: Path, target: Path) -> Path:
        if source == site:
            raise OSError(code, os.strerror(code))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", refused)
    publish.publish(NEW, site)
    assert {path for path in facts(site) if path != "data/manifest.json"} == {*NEW, "about.html"}
    assert (site / "index.html").read_text() == "new"


def test_a_copy_with_other_bytes_is_noticed_and_the_original_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "one", tmp_path / "other"
    source.write_text("years of work")

    def other_device(_: Path, __: Path) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "replace", other_device)
    monkeypatch.setattr(shutil, "copy2", lambda _, to, **__: Path(to).write_text("years of wor\0"))
    with pytest.raises(OSError, match="its copy has other bytes"):
        disk.move(source, target)
    assert facts(tmp_path).keys() == {"one"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="The table of mounts is that of Linux")
def test_mounts_are_found_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a b").mkdir()
    table = f"36 35 0:31 / {str(tmp_path).replace(' ', chr(92) + '040')}/a\\040b rw - tmpfs tmpfs rw\n".encode()
    monkeypatch.setattr(Path, "read_bytes", lambda _: table)
    assert disk.has_mounts(tmp_path)
    assert disk.has_mounts(tmp_path / "a b")
    assert not disk.has_mounts(tmp_path / "a")
