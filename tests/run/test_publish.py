"""Whatever happens, the site is the old one whole or the new one whole, and nobody's files are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokviz.errors import PublishError
from tokviz.run import publish

REPORT = {"data/report.json": '{"generator": "tokviz 1"}'}


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_stale_files_go_and_a_domain_name_stays(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "images/old.webp": b"old"}, site)
    (site / "CNAME").write_text("report.example.org")
    source = tmp_path / "new.webp"
    source.write_bytes(b"new")
    publish.publish({**REPORT, "images/new.webp": source, ".nojekyll": ""}, site)
    assert tree(site) == {
        "data/report.json": REPORT["data/report.json"].encode(),
        "images/new.webp": b"new",
        ".nojekyll": b"",
        "CNAME": b"report.example.org",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.webp", "site"]


def test_a_failure_while_writing_leaves_the_old_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    with pytest.raises(PublishError, match="old one is untouched"):
        publish.publish({**REPORT, "index.html": "new", "images/x.webp": tmp_path / "missing.webp"}, site)
    assert (site / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_failure_between_the_two_renames_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    replace, calls = Path.replace, []

    def fails_the_second_time(source: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise PermissionError(13, "Permission denied")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fails_the_second_time)
    with pytest.raises(PublishError, match="Permission denied"):
        publish.publish({**REPORT, "index.html": "new"}, site)
    assert (site / "index.html").read_text() == "old"


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish({**REPORT, "index.html": "old"}, site)
    site.rename(tmp_path / ".site-old")  # killed between the renames
    (tmp_path / ".site-new").mkdir()
    (tmp_path / ".site-new" / "half.html").write_text("half")
    with pytest.raises(PublishError):
        publish.publish({**REPORT, "x": tmp_path / "missing"}, site)
    assert (site / "index.html").read_text() == "old"
    publish.publish({**REPORT, "index.html": "new"}, site)
    assert tree(site)["index.html"] == b"new"
    assert "half.html" not in tree(site)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(PublishError, match="they would be lost"):
        publish.publish(REPORT, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("marker", ["", "[]", "3", '{"generator": "other"}', "{"])
def test_a_report_json_of_another_tool_is_no_licence(tmp_path: Path, marker: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "report.json").write_text(marker)
    with pytest.raises(PublishError, match="choose another --output"):
        publish.check_replaceable(tmp_path)


def test_a_file_or_a_missing_parent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="got a file"):
        publish.check_replaceable(tmp_path / "file")
    with pytest.raises(PublishError, match="parent folder"):
        publish.check_replaceable(tmp_path / "nowhere" / "site")
