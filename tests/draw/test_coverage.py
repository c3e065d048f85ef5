"""Which characters fonts have: read from any file, and kept for the next run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import made_fonts
import matplotlib
import numpy as np
import pytest
from command import loaded_by
from matplotlib.ft2font import FT2Font

from tokviz.draw import coverage, typefaces
from tokviz.draw.coverage import Coverage
from tokviz.draw.faces import Face, read_faces

ROOT = Path(__file__).parents[2]
OWN = sorted((Path(typefaces.__file__).parent / "fonts").glob("*.ttf"))
MATPLOTLIBS = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf"))


def characters(path: Path, index: int = 0) -> set[int]:
    return {code for first, last in read_faces(path)[index].ranges for code in range(first, last + 1)}


def drawn_characters(path: Path) -> set[int]:
    """Those that the library which draws finds a glyph for."""
    return {code for code, glyph in FT2Font(path).get_charmap().items() if glyph}


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [path for path in (*OWN, *MATPLOTLIBS) if not path.name.startswith("LastResort")],
    ids=lambda path: path.name,
)
def test_a_fonts_characters_are_those_that_can_be_drawn(path: Path) -> None:
    assert characters(path) == drawn_characters(path)


@pytest.mark.parametrize("form", [0, 4, 6, 12])
def test_every_form_of_map_is_read(tmp_path: Path, form: int) -> None:
    codes = {0x41: "a", 0x42: "b", 0x45: "c"}
    if form == 12:
        codes[0x1F408] = "a"
    path = made_fonts.put_mapped(tmp_path, "a.ttf", codes, form)
    assert characters(path) == set(codes)
    assert drawn_characters(path) == set(codes)


@pytest.mark.parametrize("form", [12, 13])
def test_a_font_of_placeholders_has_no_characters(tmp_path: Path, form: int) -> None:
    codes = {**dict.fromkeys(range(0x4E00, 0x5200), "a"), 0x41: "b"}
    assert characters(made_fonts.put_mapped(tmp_path, "a.ttf", codes, form)) == set()


def test_matplotlibs_placeholders_are_no_characters() -> None:
    (last_resort,) = (path for path in MATPLOTLIBS if path.name.startswith("LastResort"))
    assert characters(last_resort) == set()


def test_a_map_of_bytes_or_symbols_has_no_characters(tmp_path: Path) -> None:
    font = made_fonts.made("abc")
    font["cmap"].tables = font["cmap"].tables[:1]
    font["cmap"].tables[0].platformID, font["cmap"].tables[0].platEncID = 3, 0
    font.save(tmp_path / "a.ttf")
    assert characters(tmp_path / "a.ttf") == set()


def test_each_face_of_a_collection_has_its_own(tmp_path: Path) -> None:
    first, second = read_faces(made_fonts.put_collection(tmp_path, "a.ttc", "ab", "漢"))
    assert (first.index, second.index) == (0, 1)
    assert first.has(map(ord, "abc漢字")) == {0x61, 0x62}
    assert second.has(map(ord, "abc漢字")) == {0x6F22}
    assert first.digest != second.digest


def test_a_variable_font_is_told_apart(tmp_path: Path) -> None:
    (plain,) = read_faces(made_fonts.put(tmp_path, "a.ttf", "漢"))
    (varying,) = read_faces(made_fonts.put(tmp_path, "b.ttf", "漢", varying=True))
    assert (plain.varies, varying.varies) == (False, True)
    assert plain.ranges == varying.ranges


@pytest.mark.parametrize("make", [made_fonts.put, made_fonts.put_collection])
def test_a_file_that_ends_early_has_no_faces(tmp_path: Path, make: Callable[[Path, str, str], Path]) -> None:
    path = make(tmp_path, "a.ttf", "漢字")
    whole = path.read_bytes()
    assert read_faces(path)
    for length in range(0, len(whole) - 3, 7):  # the last table may be followed by up to three empty bytes
        path.write_bytes(whole[:length])
        assert read_faces(path) == ()


def test_a_damaged_file_is_never_the_end_of_a_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = made_fonts.put_collection(tmp_path, "a.ttc", "漢字", "abc")
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(150):
        damaged = whole.copy()
        places = random.integers(0, len(whole), 6)
        damaged[places] = random.integers(0, 256, 6)
        path.write_bytes(damaged.tobytes())
        read_faces(path)
    assert capfd.readouterr() == ("", "")


# --- keeping -------------------------------------------------------------------------------------------------------


@pytest.fixture
def font(tmp_path: Path) -> Path:
    return made_fonts.put_collection(tmp_path / "fonts", "a.ttc", "ab", "漢")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read, rather than remembered."""
    paths: list[Path] = []

    def read(path: Path) -> tuple[Face, ...]:
        paths.append(path)
        return read_faces(path)

    monkeypatch.setattr(coverage, "read_faces", read)
    return paths


def kept(folder: Path, path: Path) -> Coverage:
    found = Coverage(folder)
    found.faces(path)
    found.keep()
    return found


def test_a_file_is_read_once(tmp_path: Path, font: Path, reads: list[Path]) -> None:
    first = kept(tmp_path / "kept", font)
    again = Coverage(tmp_path / "kept")
    assert again.faces(font) == again.faces(font) == first.faces(font) == read_faces(font)
    assert reads == [font]


def test_nothing_is_written_but_by_keep(tmp_path: Path, font: Path) -> None:
    Coverage(tmp_path / "kept").faces(font)
    assert not (tmp_path / "kept").exists()


def test_a_damaged_font_needs_not_be_read_twice_either(tmp_path: Path, font: Path, reads: list[Path]) -> None:
    font.write_bytes(b"")
    kept(tmp_path / "kept", font)
    assert Coverage(tmp_path / "kept").faces(font) == ()
    assert reads == [font]


@pytest.mark.parametrize("same", ["time", "size"])
def test_a_changed_file_is_read_again_and_takes_its_former_place(
    tmp_path: Path, font: Path, reads: list[Path], same: str
) -> None:
    kept(tmp_path / "kept", font)
    times = font.stat()
    made_fonts.put_collection(font.parent, font.name, "ab", "字" if same == "size" else "漢字")
    if same == "time":
        os.utime(font, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        assert font.stat().st_size == times.st_size
        os.utime(font, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert kept(tmp_path / "kept", font).faces(font)[1].has([ord("字")])
    assert reads == [font, font]
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: data.replace(b"97", b"96")])
def test_a_damaged_entry_is_not_believed(
    tmp_path: Path, font: Path, reads: list[Path], damage: Callable[[bytes], bytes]
) -> None:
    kept(tmp_path / "kept", font)
    (entry,) = (tmp_path / "kept").iterdir()
    assert damage(entry.read_bytes()) != entry.read_bytes()
    entry.write_bytes(damage(entry.read_bytes()))
    assert Coverage(tmp_path / "kept").faces(font) == read_faces(font)
    assert reads == [font, font]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path, font: Path) -> None:
    (tmp_path / "kept").write_text("a file in the way")
    assert kept(tmp_path / "kept", font).faces(font) == read_faces(font)


def test_what_is_no_file_or_cannot_be_read_is_passed_over(
    tmp_path: Path, font: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.ttf").mkdir()
    for path in (tmp_path / "a.ttf", tmp_path / "missing.ttf"):
        assert Coverage().faces(path) == ()

    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(coverage, "read_faces", refuse)
    assert kept(tmp_path / "kept", font).faces(font) == ()
    monkeypatch.undo()
    assert Coverage(tmp_path / "kept").faces(font)


@pytest.mark.process
def test_what_is_kept_is_found_without_the_library_that_reads_fonts(tmp_path: Path) -> None:
    kept(tmp_path / "kept", OWN[0])
    code = (
        "import sys; from pathlib import Path; from tokviz.draw.coverage import Coverage; "
        "assert Coverage(Path(sys.argv[1])).faces(Path(sys.argv[2]))"
    )
    assert "fontTools" not in loaded_by(code, str(tmp_path / "kept"), str(OWN[0]))


def test_a_pipe_among_what_is_kept_is_not_waited_for(tmp_path: Path) -> None:
    font = OWN[0]
    kept = Coverage(tmp_path)
    kept.faces(font)
    kept.keep()
    [entry] = tmp_path.iterdir()
    entry.unlink()
    os.mkfifo(entry)
    assert Coverage(tmp_path).faces(font)
