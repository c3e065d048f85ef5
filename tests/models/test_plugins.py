"""Kinds of sources that other packages add."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from example_packages import install
from families import Tiny

import tokviz
from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models import identity, locate, plugins
from tokviz.run.publishing.public import public_source


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = install("zipped-source", tmp_path / "site-packages")
    monkeypatch.syspath_prepend(str(folder))
    plugins._kinds.cache_clear()
    yield folder
    plugins._kinds.cache_clear()
    sys.modules.pop("zipped_source", None)


@pytest.fixture
def archive(tiny: Tiny, tmp_path: Path) -> Path:
    file = tmp_path / "model.zip"
    with ZipFile(file, "w") as archive:
        for path in tiny("llama").iterdir():
            archive.write(path, f"checkpoint/{path.name}")
    return file


def test_a_source_of_an_added_kind_is_captured(installed: Path, archive: Path, tiny: Tiny, tmp_path: Path) -> None:
    words = {"colors": ["red", "blue", "green"]}
    found = tokviz.study(f"zip:{archive}", words, cache=tmp_path / "cache", quiet=True, name="Zipped")
    plain = tokviz.study(tiny("llama"), words, cache=tmp_path / "cache", quiet=True, name="Plain")
    states = [each["alone"].states for each in (found["Zipped"], plain["Plain"])]
    assert (states[0].states[-1] == states[1].states[-1]).all()


def test_its_identity_is_that_of_its_files(installed: Path, archive: Path) -> None:
    model = ModelConfig(source="zip:model.zip")
    place = locate(model, archive.parent)
    assert (place.kind, place.path) == ("folder", archive.with_suffix("") / "checkpoint")
    before = identity(model, archive.parent)
    (archive.with_suffix("") / "checkpoint" / "config.json").touch()
    assert identity(model, archive.parent) != before


def test_what_fails_in_it_is_one_line(installed: Path, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    for name, said in (
        ("empty.zip", "expected a config.json in empty.zip, found none"),
        ("nowhere.zip", "No such file"),
    ):
        with pytest.raises(SourceError) as caught:
            locate(ModelConfig(source=f"zip:{name}"), tmp_path)
        assert str(caught.value).startswith(f"zip:{name}: the package tokviz-zipped-source: FileNotFoundError: ")
        assert said in str(caught.value)


def test_two_packages_with_one_kind_are_refused(installed: Path, tmp_path: Path) -> None:
    other = installed / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: other\nVersion: 1.0\n", encoding="utf-8")
    (other / "entry_points.txt").write_text("[tokviz.sources]\nzip = os:path", encoding="utf-8")
    plugins._kinds.cache_clear()
    with pytest.raises(SourceError) as caught:
        locate(ModelConfig(source="zip:model.zip"), tmp_path)
    said = str(caught.value)
    assert said.startswith("zip:model.zip: sources of the kind zip: expected one package that has it, got ")
    assert {"other", "tokviz-zipped-source"} == set(
        said.partition("got ")[2].removesuffix("; uninstall one").split(" and ")
    )


def test_without_the_package_there_is_no_such_kind(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"zip:model\.zip: expected a folder, a \.gguf file"):
        locate(ModelConfig(source="zip:model.zip"), tmp_path)


def test_its_path_is_not_published() -> None:
    assert public_source("zip:/home/somebody/secret/model.zip") == "zip:model.zip"
    assert public_source("Zip:/home/somebody/secret/model.zip") == "Zip:model.zip"
    assert public_source("zip:models/model.zip") == "zip:models/model.zip"
    assert public_source("package:name/model") == "package:name/model"
    assert public_source(r"C:\somebody\model") == "model"
