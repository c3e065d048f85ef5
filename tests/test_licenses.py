"""LICENSES.md names everything that is vendored or installed, with the licence that it has."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
LISTED = {
    package: licence
    for package, licence in re.findall(r"^\| ([\w-]+) \| ([\w. -]+) \| .+ \|$", TEXT, re.MULTILINE)
    if package not in ("files", "package")  # the heads of tables
}
"""Package → licence."""
VENDORED = ("templates/assets/vendor", "templates/assets/fonts", "tokviz/draw/fonts")
FAMILIES = {
    "Apache": "apache",
    "MIT": r"\bmit\b|permission is hereby granted, free of charge",
    "BSD": "bsd",
    "MPL": "mpl|mozilla",
    "PSF": "python software foundation|psf",
}
"""How the beginning of a licence's SPDX name is written in the metadata of packages."""


def required() -> list[str]:
    """Every direct requirement."""
    files = sorted(ROOT.glob("requirements*.txt"))
    lines = [line.partition("#")[0].strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return sorted({Requirement(line).name for line in lines if line and not line.startswith("-")})


def stated(name: str) -> str:
    """All that an installed package says of its licence; empty where it isn't installed or says nothing."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    values = [value for key in ("License-Expression", "License", "Classifier") for value in metadata.get_all(key) or []]
    return "\n".join(value for value in values if value.startswith("License") or "::" not in value).strip().lower()


def test_every_requirement_is_listed_and_nothing_else() -> None:
    packages = json.loads((ROOT / "tests" / "audit" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert sorted(LISTED) == sorted([*required(), *packages])


@pytest.mark.parametrize("name", required())
def test_a_package_has_the_licence_that_is_listed(name: str) -> None:
    found = stated(name)
    for licence in LISTED[name].split(" OR ") if found else ():
        family = re.split(r"\W", licence)[0]
        assert re.search(FAMILIES[family], found), f"{name}: {licence} is listed, the package says {found[:200]}"


def test_the_packages_of_node_have_the_licences_that_are_listed() -> None:
    lock = json.loads((ROOT / "tests" / "audit" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name in lock[""]["dependencies"]:
        assert lock[f"node_modules/{name}"]["license"] == LISTED[name]


def test_every_vendored_file_is_listed_with_the_text_of_its_licence() -> None:
    files = [path for folder in VENDORED for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert len(files) >= 8
    for path in files:
        assert f"`{path.relative_to(ROOT).as_posix()}`" in TEXT
    for named in re.findall(r"`((?:templates|tokviz)/[^`]+)`", TEXT):
        assert (ROOT / named).is_file(), named
