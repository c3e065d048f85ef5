"""The comparison of two checkouts: what it finds in small folders, and that the cases' configs are what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from equality import equality
from equality.cases import CASES, Case
from equality.comparing import Difference, differences, html_lines
from tokviz import config
from tokviz.errors import ConfigError

PAGE = '<!doctype html>\n<html><body class="a  b">\n  <p>Two <b>words</b> of\n  text.</p>\n  <ul>\n    <li>one</li>\n  </ul></body></html>'


@pytest.fixture
def found(tmp_path: Path) -> Found:
    return Found(tmp_path)


class Found:
    """What differs between two folders with these files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, before: dict[str, str], after: dict[str, str]) -> list[Difference]:
        for side, files in (("before", before), ("after", after)):
            for name, text in files.items():
                path = self._folder / side / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return differences(self._folder / "before", self._folder / "after")


def test_white_space_that_no_reader_sees_is_ignored(found: Found) -> None:
    other = '<!doctype html><html>\n\n<body class="a b"><p>\n Two <b>words</b>\n of text. </p><ul><li>one</li></ul>\n</body></html>\n'
    assert found({"a.html": PAGE}, {"a.html": other}) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("words", "word"),
        ("Two <b>", "Two<b>"),
        ("</b> of", "</b>of"),
        ("<li>", "<li id=x>"),
        ("<ul>", "<ol>"),
        ("<p>", "<p><!-- why -->"),
    ],
)
def test_all_else_of_a_page_is_shown(found: Found, old: str, new: str) -> None:
    [difference] = found({"a.html": PAGE}, {"a.html": PAGE.replace(old, new)})
    assert difference.path == "a.html"
    assert "\n+" in difference.shown


def test_white_space_counts_where_it_is_kept() -> None:
    for tag in ("pre", "script", "style", "textarea"):
        assert html_lines(f"<{tag}>a  b\n c</{tag}>") == [f"<{tag}>", "a  b", " c", f"</{tag}>"]


def test_text_that_looks_like_a_tag_is_none() -> None:
    assert html_lines("<p>&lt;b> </p>") == ["<p>", "<b>", "</p>"]


def test_missing_files_are_named_and_messages_come_first(found: Found) -> None:
    shown = found({"b/x.csv": "1", "said/0.txt": "a"}, {"a.html": PAGE, "said/0.txt": "b"})
    assert [(each.path, each.shown) for each in shown[1:]] == [
        ("a.html", "missing BEFORE"),
        ("b/x.csv", "missing AFTER"),
    ]
    assert (shown[0].path, shown[0].shown) == ("said/0.txt", "-a\n+b")


def test_the_cache_and_the_checkpoints_are_not_compared(found: Found) -> None:
    assert found({".cache/a": "1", "models/a": "1"}, {}) == []
    assert len(found({"site/models/a.html": "1"}, {})) == 1


def test_other_text_is_compared_byte_for_byte(found: Found) -> None:
    assert len(found({"a.csv": "1,2\n", "b.css": "a{}\n"}, {"a.csv": "1, 2\n", "b.css": "a{}\r\n"})) == 2


def test_of_a_long_line_the_place_is_shown(found: Found) -> None:
    line = ",".join(map(str, range(1000)))
    [difference] = found({"a.js": line}, {"a.js": line.replace("555", "five")})
    assert "553,554,555,556" in difference.shown
    assert "553,554,five,556" in difference.shown
    assert len(difference.shown) < 500


def test_the_version_and_the_digests_of_files_may_differ(found: Found) -> None:
    def files(version: str, *paths: str) -> dict[str, str]:
        manifest = {"generator": f"tokviz {version}", "files": dict.fromkeys(paths, version)}
        return {"data/manifest.json": json.dumps(manifest), "data/report.json": f'"tokviz {version}"'}

    assert found(files("0.1.0", "a"), files("0.2.0", "a")) == []
    assert len(found(files("0.1.0", "a"), files("0.1.0", "a", "b"))) == 1


def test_times_may_differ() -> None:
    by = "(by a measurement of this machine, corrected by 2 earlier runs)"

    def said(first: str, end: str, took: str) -> str:
        return equality.without_times(f"1 model\ntime: first page {first}, all {end} {by}\nloading: {took} s\n")

    assert said("about 2 minutes", "about 4 minutes", "1.5") == said("under a minute", "about 5 minutes", "12")
    assert said("a", "b", "1") == f"1 model\ntime: N {by}\nloading: N s\n"


def test_changed_pixels_are_counted(found: Found, tmp_path: Path) -> None:
    image = Image.new("RGB", (30, 20), "white")
    for side in ("before", "after"):
        (tmp_path / side).mkdir()
        image.save(tmp_path / side / "a.webp", lossless=True)
        image.putpixel((3, 4), (254, 255, 255))
    assert [each.shown for each in found({}, {})] == ["1 of 600 pixels differ, 30×20"]
    image.resize((30, 21)).save(tmp_path / "after" / "a.webp")
    assert [each.shown for each in found({}, {})] == ["30×20 pixels, then 30×21"]


def test_a_picture_of_the_same_pixels_in_other_bytes_differs(found: Found, tmp_path: Path) -> None:
    for side, method in (("before", 0), ("after", 6)):
        (tmp_path / side).mkdir()
        Image.linear_gradient("L").save(tmp_path / side / "a.webp", lossless=True, method=method)
    assert [each.shown for each in found({}, {})] == ["0 of 65,536 pixels differ, 256×256"]


# --- the cases -------------------------------------------------------------------------------------------------------

CONFIGURED = [case for case in CASES if "report.toml" in case.files]


def test_there_are_sixty_and_their_names_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 60


@pytest.mark.parametrize("case", CONFIGURED, ids=lambda case: case.name)
def test_a_config_is_accepted_but_for_the_one_with_mistakes(case: Case, tmp_path: Path) -> None:
    written = [case.files, *(step for step in case.steps if not isinstance(step, str))]
    for files in written:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        if case.name == "mistakes":
            with pytest.raises(ConfigError, match="mistakes"):
                config.load(tmp_path / "report.toml")
        else:
            config.load(tmp_path / "report.toml")


@pytest.mark.parametrize(
    "arguments",
    [
        ["."],
        [".", ".", "--against", "x"],
        [".", "--against", "x"],
        [".", ".", "--only", "nothing"],
        [".", ".", "--keep", "."],
    ],
)
def test_what_is_asked_wrongly_is_refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["equality.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        equality.main()
    assert ended.value.code == 2
