"""Compiled templates are kept outside of the project: whatever becomes of them, pages are the same and nothing fails."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import jinja2
import pytest
from jinja2 import Environment

from tokviz.pages import render
from tokviz.pages.text.glossary import Explainer

PAGE = "Hello, {{ name }}!"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text(PAGE, encoding="utf-8")
    return folder


@pytest.fixture
def kept(temporary: Path, templates: Path) -> Path:
    """The one file of a template that was compiled."""
    assert filled(templates) == "Hello, reader!"
    [file] = temporary.rglob("*.cache")
    return file


def filled(*folders: Path) -> str:
    return render.environment(folders, Explainer()).get_template("page.html").render(name="reader")


def names(temporary: Path) -> set[str]:
    return {path.name for path in temporary.rglob("*") if path.is_file()}


@contextmanager
def nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.delattr(Environment, "compile")
        yield


def test_a_template_is_compiled_once(kept: Path, templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing_is_compiled(monkeypatch):
        assert filled(templates) == "Hello, reader!"
    (templates / "page.html").write_text("Bye, {{ name }}!", encoding="utf-8")
    assert filled(templates) == "Bye, reader!"


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_compiled_again(kept: Path, templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kept.read_bytes()
    for place in range(0, len(whole), 5):  # each bit of a byte in turn
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        kept.write_bytes(damaged)
        assert filled(templates) == "Hello, reader!", place
        with nothing_is_compiled(monkeypatch):
            assert filled(templates) == "Hello, reader!", place


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_part_of_a_file_is_compiled_again(
    kept: Path, templates: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(share * len(whole))])
    assert filled(templates) == "Hello, reader!"
    with nothing_is_compiled(monkeypatch):
        assert filled(templates) == "Hello, reader!"


@pytest.mark.parametrize("kind", ["pipe", "link", "link to nothing"])
def test_what_is_no_regular_file_is_replaced_unopened(kept: Path, templates: Path, kind: str) -> None:
    elsewhere = kept.with_name("elsewhere")
    kept.unlink()
    if kind == "pipe":
        os.mkfifo(kept)
    else:
        kept.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.write_bytes(b"mine")
    # Whoever opens a pipe waits for ever.
    opening = Thread(target=filled, args=(templates,), daemon=True)
    opening.start()
    opening.join(20)
    assert not opening.is_alive()
    assert kept.is_file()
    assert not kept.is_symlink()
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"mine"


def test_a_folder_in_the_place_stays_and_nothing_else_does(kept: Path, templates: Path, temporary: Path) -> None:
    kept.unlink()
    (kept / "mine").mkdir(parents=True)
    (kept / "mine" / "file").write_text("mine", encoding="utf-8")
    assert filled(templates) == "Hello, reader!"
    assert names(temporary) == {"file"}


def test_a_full_disk_changes_no_page(templates: Path, temporary: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    jinja = render.environment((templates,), Explainer())
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        page = jinja.get_template("page.html").render(name="reader")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert page == "Hello, reader!"
    assert names(temporary) == set()


def test_a_folder_that_goes_meanwhile_changes_no_page(templates: Path, temporary: Path) -> None:
    jinja = render.environment((templates,), Explainer())
    shutil.rmtree(temporary)
    assert jinja.get_template("page.html").render(name="reader") == "Hello, reader!"


@pytest.mark.parametrize("kind", ["a file", "a link", "nothing"])
def test_without_a_folder_of_the_users_own_nothing_is_kept(templates: Path, temporary: Path, kind: str) -> None:
    own = temporary / f"_jinja2-cache-{os.getuid()}"
    if kind == "a file":
        own.write_bytes(b"")
    elif kind == "a link":
        (temporary / "elsewhere").mkdir()
        own.symlink_to(temporary / "elsewhere")
    else:
        temporary.rmdir()
    assert filled(templates) == "Hello, reader!"
    assert not list(temporary.rglob("*.cache"))


def test_a_themes_templates_are_kept_apart(kept: Path, templates: Path, temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "theme").mkdir()
    assert filled(tmp_path / "theme", templates) == "Hello, reader!"
    assert len(names(temporary)) == 2


def test_another_version_of_jinja_compiles_again(
    kept: Path, templates: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jinja2, "__version__", "99.0")
    assert filled(templates) == "Hello, reader!"
    assert len(names(temporary)) == 2
