"""The folders and who may import whom: imports point one way, and what is heavy waits until it is needed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from command import loaded_by

from tokviz.run.store import keys

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tokviz"
MIDDLE = ("models", "capture", "measure", "draw", "pages")
"""What they make is handed on as records: none of them imports another."""
BASE = {"errors", "text", "bundled"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "text": set(),
    "bundled": set(),
    "entry_points": {"errors"},
    "records": BASE,
    "config": BASE | {"records"},
    "models": BASE | {"records", "config", "entry_points"},
    "capture": BASE | {"records", "config"},
    "measure": BASE | {"records"},
    "draw": BASE | {"records"},
    "pages": BASE | {"records", "config"},
    "run": BASE | {"records", "config", "entry_points", *MIDDLE},
    "cli": BASE | {"records", "config", "models", "run", "serve"},
    "notebook": BASE | {"records", "config", *MIDDLE, "run"},
    "reloading": set(),
    "serve": BASE | {"records", "config", "run", "reloading"},
    "__init__": {"notebook"},
    "__main__": {"cli", "run"},
}
"""Whatever else stands in the package fails the tests until it has its line here."""
WITHIN: dict[str, dict[str, set[str]]] = {
    "pages": {
        "text": set(),
        "charts": {"text"},
        "frame": {"text", "charts"},
        "findings": {"text", "frame"},
        "essay": {"text", "charts", "frame", "findings"},
        "model": {"text", "charts", "frame", "findings"},
        "compare": {"text", "charts", "frame", "findings", "model"},
        **{page: {"text", "charts", "frame", "model"} for page in ("explore", "method")},
        "series": {"text", "charts", "frame", "findings", "explore"},
        "change": {"text", "charts", "frame", "findings", "explore"},
        "first": {"text", "charts", "frame", "findings", "essay", "model", "series"},
        "downloads": {"text", "charts", "frame", "findings", "model", "explore", "series", "change"},
    },
    "run": {
        "store": set(),
        "work": set(),
        "kinds": {"store", "work"},
        "plan": {"store", "work", "kinds"},
        "capturing": {"store", "work", "kinds", "plan"},
        "publishing": {"store", "kinds", "plan"},
    },
}
"""The same for the folders in a folder; the files beside them may import them all."""
HEAVY = {"torch", "transformers", "sklearn", "scipy", "matplotlib", "huggingface_hub"}
FILES = sorted(PACKAGE.rglob("*.py"))


def owner(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, package: str = "tokviz") -> set[str]:
    """The folders and files of a package that a file imports; the version may be known to all."""
    found, place = set(), f"{package}."
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            if node.module == package:
                found |= {alias.name for alias in node.names if alias.name != "__version__"}
            elif node.module and node.module.startswith(place):
                found.add(node.module.removeprefix(place).split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix(place).split(".")[0] for alias in node.names if alias.name.startswith(place)
            }
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    own = owner(path)
    assert own in MAY_IMPORT, f"{own} has no place yet: say in MAY_IMPORT what it may import"
    forbidden = imported(path) - MAY_IMPORT[own] - {own}
    assert not forbidden, f"{own} may not import {', '.join(sorted(forbidden))}"


@pytest.mark.parametrize(("folder", "inner"), [(folder, inner) for folder in WITHIN for inner in WITHIN[folder]])
def test_imports_point_one_way_within_a_folder(folder: str, inner: str) -> None:
    files = sorted((PACKAGE / folder / inner).rglob("*.py"))
    assert files
    found = set().union(*(imported(path, f"tokviz.{folder}") for path in files))
    assert found <= WITHIN[folder][inner] | {inner}


@pytest.mark.parametrize("folder", WITHIN)
def test_a_folder_in_a_folder_has_a_place(folder: str) -> None:
    assert {path.parent.name for path in (PACKAGE / folder).glob("*/*.py")} == {*WITHIN[folder]}


def test_no_test_imports_another() -> None:
    """What several share is a fixture or a module of ``tests/``, which pytest doesn't collect."""
    importing = [
        path.name
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"^\s*(from|import) test_", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importing == []


def test_the_package_is_ten_folders_and_a_few_files() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders == {"records", "config", *MIDDLE, "run", "cli", "notebook"}
    assert len(list(PACKAGE.glob("*.py"))) <= 8


@pytest.mark.parametrize("folder", sorted(keys.LIBRARIES))
def test_a_key_holds_all_code_that_its_product_can_depend_on(folder: str) -> None:
    """A folder's own imports, followed through everything that they import in turn."""
    reached, waiting = set(), {folder}
    while waiting:
        own = waiting.pop()
        reached.add(own)
        for path in FILES:
            if owner(path) == own:
                waiting |= imported(path) - reached
    held = {folder, *(path.removesuffix(".py") for path in keys.SHARED_CODE)}
    assert reached <= held


@pytest.mark.process
def test_the_command_loads_nothing_heavy_before_it_is_needed() -> None:
    assert HEAVY.isdisjoint(loaded_by("import tokviz.cli.application, tokviz.run.pipeline"))


@pytest.mark.parametrize("folder", ["tokviz", "templates", "generate.py"])
def test_no_file_has_outgrown_its_purpose(folder: str) -> None:
    files = [ROOT / folder] if (ROOT / folder).is_file() else (ROOT / folder).rglob("*")
    long = [
        path.name
        for path in files
        if path.suffix in {".py", ".html", ".js", ".css"}
        and path.parent.name != "vendor"
        and len(path.read_text(encoding="utf-8").splitlines()) > 450
    ]
    assert long == []
