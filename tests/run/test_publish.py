"""Whatever happens, the site is the old one whole or the new one whole, and nobody's files are lost."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from command import ROOT

from tokviz.errors import PublishError
from tokviz.run.publishing import publish
from tokviz.run.publishing.replacing import Spared

REPORT = {"data/report.json": '{"generator": "tokviz 1"}'}


def tree(folder: Path) -> dict[str, bytes]:
    """All files but the manifest."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop("data/manifest.json", None)
    return files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_stale_files_go_and_what_is_not_tokvizs_stays(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "images/old.webp": b"old"}, site)
    others = {
        "CNAME": b"report.example.org",
        ".git/HEAD": b"ref",
        "about.html": b"me",
        "images/mine.webp": b"mine",
        "llama/index.html": b"another report",
        "llama/data/report.json": b"{}",
    }
    for path, content in others.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    (site / "empty").mkdir()
    (site / "link").symlink_to("about.html")
    source = tmp_path / "new.webp"
    source.write_bytes(b"new")
    assert publish.publish({**REPORT, "images/new.webp": source, ".nojekyll": ""}, site) == Spared()
    assert tree(site) == {
        "data/report.json": REPORT["data/report.json"].encode(),
        "images/new.webp": b"new",
        ".nojekyll": b"",
        "link": b"me",
        **others,
    }
    assert (site / "empty").is_dir()
    assert (site / "link").is_symlink()
    assert names(tmp_path) == ["new.webp", "site"]


def test_own_files_that_were_changed_and_files_in_the_way_are_kept_aside(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old", "method/index.html": "method"}, site)
    (site / "index.html").write_text("corrected by hand")
    (site / "compare").write_text("a file where the report will have a folder")
    spared = publish.publish({**REPORT, "index.html": "new", "compare/index.html": "compared"}, site)
    assert sorted(spared.put_aside) == ["compare", "index.html"]
    assert tree(site)["index.html"] == b"new"
    assert tree(tmp_path / "site.kept") == {
        "index.html": b"corrected by hand",
        "compare": b"a file where the report will have a folder",
    }
    (site / "index.html").write_text("corrected again")
    assert publish.publish({**REPORT, "index.html": "newer"}, site).put_aside == ("index.html.1",)
    assert tree(tmp_path / "site.kept")["index.html.1"] == b"corrected again"


def test_where_files_are_put_aside_an_earlier_one_may_have_a_folders_name(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "compare/index.html": "old"}, site)
    (tmp_path / "site.kept").mkdir()
    (tmp_path / "site.kept" / "compare").write_text("put aside before")
    (site / "compare" / "index.html").write_text("corrected by hand")
    assert publish.publish(REPORT, site).put_aside == ("compare.1/index.html",)
    assert tree(tmp_path / "site.kept") == {
        "compare": b"put aside before",
        "compare.1/index.html": b"corrected by hand",
    }


def flipped(manifest: str) -> str:
    return manifest.replace('"images/a/old.webp"', '"images/a/olf.webp"')


def merged(manifest: str) -> str:
    return manifest.replace('"files"', '<<<<<<< HEAD\n"files"')


DAMAGES: dict[str, Callable[[str], str | None]] = {
    "lost": lambda _: None,
    "a flipped bit": flipped,
    "a merge conflict": merged,
    "merged with another": lambda text: text.replace('"files": {', f'"files": {{"about.html": "{"0" * 64}",'),
    "nested": lambda _: "[" * 100_000,
    "a list": lambda _: '{"generator": "tokviz 9", "files": []}',
    "other digests": lambda _: '{"generator": "tokviz 9", "files": {"index.html": 3}}',
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_where_the_manifest_is_lost_or_damaged_nothing_is_removed(tmp_path: Path, damage: str) -> None:
    site = tmp_path / "site"
    publish.publish(
        {**REPORT, "index.html": "old", "404.html": "same", "images/a/old.webp": "old", "models/a/index.html": "a"},
        site,
    )
    mine = {
        "images/photo.svg": b"mine",
        "data/mine.csv": b"1",
        "models/other/index.html": b"mine",
        "sitemap.xml": b"mine",
        "about.html": b"me",
    }
    for path, content in mine.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    (site / "index.html").write_text("by hand")
    manifest = site / "data" / "manifest.json"
    text = DAMAGES[damage](manifest.read_text())
    manifest.write_text(text) if text is not None else manifest.unlink()
    spared = publish.publish({**REPORT, "index.html": "new", "404.html": "same"}, site)
    assert tree(site) == {
        "data/report.json": REPORT["data/report.json"].encode(),
        "index.html": b"new",
        "404.html": b"same",
        "images/a/old.webp": b"old",
        "models/a/index.html": b"a",
        **mine,
    }
    assert tree(tmp_path / "site.kept") == {"index.html": b"by hand"}
    assert set(spared.put_aside) == {"index.html", *(["data/manifest.json"] if text else [])}
    assert set(spared.left_over) == {*mine, "images/a/old.webp", "models/a/index.html"} - {"about.html"}
    assert publish.publish({**REPORT, "index.html": "newer"}, site) == Spared()


def test_by_a_manifest_without_a_digest_of_its_own_go_the_files_that_match_it(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old", "method/index.html": "old", "404.html": "old"}, site)
    manifest = site / "data" / "manifest.json"
    content = json.loads(manifest.read_text())
    del content["sha256"]
    content["files"] = {**content["files"], "../thesis.tex": hashlib.sha256(b"years of work").hexdigest()}
    manifest.write_text(json.dumps(content, indent=0) + "\n")
    (tmp_path / "thesis.tex").write_text("years of work")
    (site / "404.html").write_text("by hand")
    assert publish.publish({**REPORT, "index.html": "new"}, site) == Spared(left_over=("404.html",))
    assert set(tree(site)) == {"data/report.json", "index.html", "404.html"}
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_the_committed_sample_is_known_by_its_manifest(tmp_path: Path) -> None:
    site = shutil.copytree(ROOT / "site", tmp_path / "site")
    assert publish.publish({**REPORT, "index.html": "new"}, site) == Spared()
    assert set(tree(site)) == {"data/report.json", "index.html"}


def test_what_is_no_file_is_never_opened_nor_lost(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old", "404.html": "old"}, site)
    (site / "404.html").unlink()
    os.mkfifo(site / "404.html")
    os.mkfifo(site / "pipe")
    os.mkfifo(tmp_path / f".site.tokviz-{'0' * 12}")
    assert publish.publish({**REPORT, "404.html": "new"}, site).put_aside == ("404.html",)
    assert (site / "404.html").read_text() == "new"
    assert stat.S_ISFIFO((tmp_path / "site.kept" / "404.html").stat().st_mode)
    assert stat.S_ISFIFO((site / "pipe").stat().st_mode)


def test_neighbours_with_similar_names_are_left_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    neighbours = [".site-old", ".site-new", ".site.tokviz-mine", ".site.tokviz-other"]
    for name in neighbours:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("mine")
    (tmp_path / ".site.tokviz-other" / "tokviz.json").write_text('{"swaps": "another"}')
    publish.publish(REPORT, site)
    publish.publish(REPORT, site)
    assert names(tmp_path) == sorted([*neighbours, "site"])
    assert all((tmp_path / name / "file").read_text() == "mine" for name in neighbours)


@pytest.mark.parametrize("note", [None, "", '{"swaps": "si'])
def test_what_a_run_left_that_was_killed_as_it_began_to_publish_goes(tmp_path: Path, note: str | None) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    begun = tmp_path / f".site.tokviz-{'0' * 12}"
    begun.mkdir()
    if note is not None:
        (begun / "tokviz.json").write_text(note)
    somebodys = tmp_path / f".site.tokviz-{'1' * 12}"
    somebodys.mkdir()
    (somebodys / "thesis.tex").write_text("years of work")
    publish.publish(REPORT, site)
    assert names(tmp_path) == [somebodys.name, "site"]


@pytest.mark.parametrize("path", ["../outside", "images/x/../../../outside", "{folder}/outside"])
def test_nothing_is_written_outside_of_the_site(tmp_path: Path, path: str) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    with pytest.raises(PublishError, match="expected names of files in the site, got "):
        publish.publish({**REPORT, path.format(folder=tmp_path): "mine"}, site)
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_a_failure_while_writing_leaves_the_old_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    with pytest.raises(PublishError, match="old one is untouched"):
        publish.publish({**REPORT, "index.html": "new", "images/x.webp": tmp_path / "missing.webp"}, site)
    assert (site / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("failure", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
def test_a_failure_between_the_two_renames_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    replace, calls = Path.replace, []

    def fails_the_second_time(source: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise failure
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fails_the_second_time)
    with pytest.raises((PublishError, KeyboardInterrupt), match=r"Permission denied|^$"):
        publish.publish({**REPORT, "index.html": "new"}, site)
    assert (site / "index.html").read_text() == "old"


def test_what_a_killed_run_left_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    (site / "about.html").write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(publish._Swap, "finish", _interrupt)  # after the two renames
        with pytest.raises(KeyboardInterrupt):
            publish.publish({**REPORT, "index.html": "new"}, site)
    assert tree(site)["index.html"] == b"new"
    assert "about.html" not in tree(site)
    assert publish.recover(site) == Spared()
    assert tree(site)["about.html"] == b"mine"
    assert names(tmp_path) == ["site"]


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(PublishError, match="they would be mixed"):
        publish.publish(REPORT, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("marker", ["", "[]", "3", '{"generator": "other"}', "{"])
def test_a_report_json_of_another_tool_is_no_licence(tmp_path: Path, marker: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "report.json").write_text(marker)
    with pytest.raises(PublishError, match="choose another --output"):
        publish.check_replaceable(tmp_path)


@pytest.mark.parametrize("present", [".ssh/id_ed25519", ".bashrc", ".config/a", ".cache/tokviz-cache.txt", ".git.old"])
def test_a_folder_with_nothing_but_hidden_files_of_other_programs_is_refused(tmp_path: Path, present: str) -> None:
    home = tmp_path / "home"
    (home / present).parent.mkdir(parents=True)
    (home / present).write_text("mine")
    name = re.escape(Path(present).parts[0])
    with pytest.raises(
        PublishError, match=rf"got other files, such as {name}; .*: choose another --output, or move them"
    ):
        publish.publish(REPORT, home)
    assert tree(tmp_path) == {f"home/{present}": b"mine"}


def test_hidden_files_beside_an_earlier_report_stay(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    (site / ".own").write_text("mine")
    publish.publish({**REPORT, "index.html": "new"}, site)
    assert (site / ".own").read_text() == "mine"


@pytest.mark.parametrize(
    "present", [".git/HEAD", ".git", ".gitignore", ".nojekyll", "CNAME", "README.md", ".github/a.yml"]
)
def test_a_folder_for_pages_may_be_there_already(tmp_path: Path, present: str) -> None:
    site = tmp_path / "site"
    (site / present).parent.mkdir(parents=True)
    (site / present).write_text("mine")
    publish.publish(REPORT, site)
    assert tree(site)[present] == b"mine"


def test_missing_folders_above_are_made(tmp_path: Path) -> None:
    publish.publish(REPORT, tmp_path / "a" / "b" / "site")
    assert set(tree(tmp_path)) == {"a/b/site/data/report.json", "a/b/site/data/manifest.json"}


def test_a_file_where_others_are_put_aside_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "site.kept").touch()
    with pytest.raises(
        PublishError, match=r"site\.kept: expected a folder, or nothing, where changed files are put aside"
    ):
        publish.check_replaceable(tmp_path / "site")


def test_a_file_or_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="got a file"):
        publish.check_replaceable(tmp_path / "file")
    with pytest.raises(PublishError, match="file is none"):
        publish.check_replaceable(tmp_path / "file" / "site")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(PublishError, match="got a link"):
        publish.check_replaceable(tmp_path / "dangling")


def test_places_that_cannot_be_written_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    access = os.access
    for closed in (site, tmp_path):
        with monkeypatch.context() as patched:
            patched.setattr(os, "access", lambda place, mode, closed=closed: place != closed and access(place, mode))
            with pytest.raises(PublishError, match=f"expected to be allowed to write in {closed};"):
                publish.check_replaceable(site)
    publish.check_replaceable(site)


def test_a_folder_that_a_killed_run_made_is_removed_but_for_what_is_not_its_own(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    begun = tmp_path / f".site.tokviz-{'0' * 12}"
    (begun / "new" / "data").mkdir(parents=True)
    (begun / "tokviz.json").write_text('{"swaps": "site", "files": ["index.html", "data/report.json", "../../site/x"]}')
    (begun / "new" / "index.html").write_text("half-wr")
    (begun / "new" / "notes.txt").write_text("mine")
    (site / "x").write_text("mine")
    publish.publish(REPORT, site)
    assert tree(begun) == {"tokviz.json": (begun / "tokviz.json").read_bytes(), "new/notes.txt": b"mine"}
    assert (site / "x").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="Modes and groups are those of POSIX")
def test_mode_and_group_of_the_folder_are_kept_and_new_files_follow_them(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    groups = [group for group in os.getgroups() if group != site.stat().st_gid] or [site.stat().st_gid]
    group = 4242 if os.geteuid() == 0 else groups[0]
    os.chown(site, -1, group)
    site.chmod(0o2770)
    publish.publish({**REPORT, "index.html": "new", "models/a/index.html": "new"}, site)
    modes = {path: stat.S_IMODE((site / path).stat().st_mode) for path in (".", "index.html", "models", "models/a")}
    assert modes == {".": 0o2770, "index.html": 0o640, "models": 0o2750, "models/a": 0o2750}
    new = {
        path for path in (site, *site.rglob("*")) if path != site / "data"
    }  # that folder was there with another group
    assert {path.stat().st_gid for path in new} == {group}


@pytest.mark.skipif(os.name != "posix", reason="Modes are those of POSIX")
def test_the_mode_of_a_folder_in_the_site_is_kept(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "images/a.webp": "old"}, site)
    (site / "images").chmod(0o700)
    (site / "images" / "secret").write_text("mine")
    publish.publish({**REPORT, "images/a.webp": "new"}, site)
    assert stat.S_IMODE((site / "images").stat().st_mode) == 0o700
    assert (site / "images" / "secret").read_text() == "mine"


LEFT = f".site.tokviz-{'0' * 12}"


def test_a_forged_folder_of_a_run_reaches_nothing_outside(tmp_path: Path) -> None:
    """As a clone of somebody's repository may bring one."""
    site, left, victim = tmp_path / "site", tmp_path / LEFT, tmp_path / "victim"
    publish.publish(REPORT, site)
    victim.mkdir()
    (victim / "id_rsa").write_text("key")
    (victim / "data").mkdir()
    listed = json.dumps({"generator": "tokviz 1", "files": {"id_rsa": hashlib.sha256(b"key").hexdigest()}}, indent=0)
    (victim / "data" / "manifest.json").write_text(f"{listed}\n")
    before = tree(victim)
    for link in ("new", "old"):
        left.mkdir()
        (left / "tokviz.json").write_text('{"swaps": "site", "files": ["id_rsa", "deep/id_rsa"]}')
        (left / link).symlink_to(victim)
        publish.publish(REPORT, site)
        assert tree(victim) == before
        assert (victim / "data" / "manifest.json").exists()
        shutil.rmtree(left)
    (left / "new").mkdir(parents=True)
    (left / "tokviz.json").write_text('{"swaps": "site", "files": ["deep/id_rsa"]}')
    (left / "new" / "deep").symlink_to(victim)
    publish.publish(REPORT, site)
    assert tree(victim) == before
    (left / "new" / "deep").unlink()
    (left / "merging").touch()
    (left / "new" / "data").mkdir(exist_ok=True)
    (left / "new" / "assets").symlink_to(victim)
    forged = {"generator": "tokviz 1", "files": {"assets/id_rsa": hashlib.sha256(b"key").hexdigest()}}
    (left / "new" / "data" / "manifest.json").write_text(json.dumps(forged, indent=0) + "\n")
    publish.publish(REPORT, site)
    publish.publish(REPORT, site)
    assert tree(victim) == before


def test_a_forged_list_names_nothing_outside_and_nothing_hidden(tmp_path: Path) -> None:
    site, left = tmp_path / "site", tmp_path / LEFT
    publish.publish(REPORT, site)
    (site / ".git").mkdir()
    (site / ".git" / "HEAD").write_text("ref")
    (tmp_path / "victim.txt").write_text("precious")
    files = {"../victim.txt": hashlib.sha256(b"precious").hexdigest(), ".git/HEAD": hashlib.sha256(b"ref").hexdigest()}
    forged = json.dumps({"generator": "tokviz 1", "files": files}, indent=0) + "\n"
    (left / "new" / "data").mkdir(parents=True)
    (left / "victim.txt").write_text("evil")
    (left / "merging").touch()
    (left / "tokviz.json").write_text('{"swaps": "site", "files": []}')
    (left / "new" / "data" / "manifest.json").write_text(forged)
    publish.publish(REPORT, site)
    assert (tmp_path / "victim.txt").read_text() == "precious"
    (site / "data" / "manifest.json").write_text(forged)
    publish.publish(REPORT, site)
    assert (tmp_path / "victim.txt").read_text() == "precious"
    assert (site / ".git" / "HEAD").read_text() == "ref"


def test_the_list_of_another_program_is_no_list(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    (site / "book.html").write_text("mine")
    files = {"book.html": hashlib.sha256(b"mine").hexdigest()}
    (site / "data" / "manifest.json").write_text(json.dumps({"generator": "tokvizard 3", "files": files}))
    publish.publish(REPORT, site)
    assert (site / "book.html").read_text() == "mine"


def test_a_remark_in_the_list_is_put_aside_with_it(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    manifest = site / "data" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"files"', '"remark": "precious",\n"files"'))
    assert publish.publish(REPORT, site).put_aside == ("data/manifest.json",)
    assert "precious" in (tmp_path / "site.kept" / "data" / "manifest.json").read_text()
    assert not (site / "index.html").exists()


@pytest.mark.parametrize("text", ["my thoughts", '{"swaps": "site", "mine": 1}', '{"swaps": "site" my text', "[]"])
def test_somebodys_file_of_a_notes_name_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / LEFT).mkdir()
    (tmp_path / LEFT / "tokviz.json").write_text(text)
    publish.publish(REPORT, tmp_path / "site")
    assert (tmp_path / LEFT / "tokviz.json").read_text() == text


def test_what_cannot_be_moved_hides_nothing_else_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    for name in ("a.txt", "stuck.txt", "z.txt"):
        (site / name).write_text("mine")
    replace = Path.replace

    def refused(source: Path, target: Path) -> Path:
        if source.name == "stuck.txt":
            raise PermissionError(13, "Permission denied", str(source))
        return replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refused)
        [problem] = publish.publish({**REPORT, "404.html": "new"}, site).problems
        for _ in range(2):  # an entry that is stuck stops nobody
            assert publish.recover(site).problems == (problem,)
            assert publish.publish({**REPORT, "404.html": "new"}, site).problems == ()
            assert set(tree(site)) == {"data/report.json", "404.html", "a.txt", "z.txt"}
            [old] = tmp_path.glob(".site.tokviz-*/old")
            assert set(tree(old)) == {"stuck.txt"}
            assert (
                f"what couldn't be moved of the old site is in {old}: {old / 'stuck.txt'}: Permission denied" in problem
            )
    assert publish.publish({**REPORT, "404.html": "new"}, site).problems == ()
    assert (site / "stuck.txt").read_text() == "mine"
    assert names(tmp_path) == ["site"]


def test_names_that_no_folder_can_have_are_refused(tmp_path: Path) -> None:
    for name in ("x" * 256, "é" * 200, f"{'x' * 256}/site"):
        with pytest.raises(PublishError, match="expected names of at most 255 bytes"):
            publish.publish(REPORT, tmp_path / name)
    with pytest.raises(PublishError, match="expected a name of at most 230 bytes"):
        publish.check_replaceable(tmp_path / ("x" * 250))


@pytest.mark.parametrize("output", ["../site", ".", "../site/../site", "images/.."])
def test_from_within_the_site_it_is_named_in_any_way(
    tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old", "images/a.webp": "old"}, site)
    (site / "about.html").write_text("mine")
    monkeypatch.chdir(site)
    publish.publish({**REPORT, "index.html": "new", "images/a.webp": "new"}, Path(output))
    assert (site / "index.html").read_text() == "new"
    assert (site / "about.html").read_text() == "mine"
    assert names(tmp_path) == ["site"]


def test_a_failure_says_where_the_site_is_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    publish.publish(REPORT, site)
    replace = Path.replace

    def only_the_first(source: Path, target: Path) -> Path:
        if source == site:
            return replace(source, target)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", only_the_first)
    with pytest.raises(PublishError) as raised:
        publish.publish(REPORT, site)
    assert not site.exists()
    [old] = tmp_path.glob(".site.tokviz-*/old")
    assert str(raised.value).endswith(f"the old one is in {old}, run again to put it back")
    with pytest.raises(PublishError, match="the site is in"):
        publish.recover(site)
    monkeypatch.undo()
    publish.recover(site)
    assert tree(site) == {"data/report.json": REPORT["data/report.json"].encode()}


def test_a_failure_before_there_is_any_site_says_so(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"there is none$"):
        publish.publish({"index.html": tmp_path / "missing.html"}, tmp_path / "site")
    assert names(tmp_path) == []
