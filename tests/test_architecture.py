"""The rooms and who may import whom: imports point down, and what is heavy waits until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "charmap": 0,
    "direction": 0,
    "errors": 0,
    "plain": 1,
    "measures": 1,
    "records": 1,
    "config": 1,
    "view_compare": 1,
    "view_explore": 1,
    "view_records": 1,
    "view_site": 1,
    "progress": 1,
    "capturing": 3,
    "drawing": 3,
    "voice": 3,
    "measuring": 3,
    "options": 3,
    "projecting": 4,
    "scheduling": 5,
    "dry_run": 6,
    "notebook": 7,
    "pipeline": 6,
    "serve": 6,
    "pruning": 6,
}
"""Every other room stands on floor 2."""
HEAVY = {"torch", "transformers", "sklearn", "scipy", "matplotlib", "huggingface_hub"}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "tokviz").parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "tokviz":
            rooms |= {alias.name for alias in node.names if not alias.name.startswith("_")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tokviz."):
            rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("tokviz.")}
    return rooms


FILES = [
    path
    for path in sorted((ROOT / "tokviz").rglob("*.py"))
    if path.parent != ROOT / "tokviz" or path.stem != "__init__"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    own = room(path)
    for other in imported_rooms(path) - {own}:
        assert FLOORS.get(other, 2) < FLOORS.get(own, 2) or (FLOORS.get(own, 2), FLOORS.get(other, 2)) == (1, 1), (
            f"{own} imports {other}, which isn't below it"
        )


def test_the_rooms_of_floor_1_do_not_go_round_in_circles():
    below: dict[str, set[str]] = {}
    for path in FILES:
        if FLOORS.get(room(path)) == 1:
            below.setdefault(room(path), set()).update(imported_rooms(path) - {room(path)})
    assert not any(name in below.get(other, ()) for name, others in below.items() for other in others)


def test_the_command_loads_nothing_heavy_before_it_is_needed():
    code = "import sys, generate, tokviz.pipeline; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


@pytest.mark.parametrize("folder", ["tokviz", "templates", "generate.py"])
def test_no_room_has_outgrown_its_purpose(folder):
    files = [ROOT / folder] if (ROOT / folder).is_file() else (ROOT / folder).rglob("*")
    long = [
        path.name
        for path in files
        if path.suffix in {".py", ".html", ".js", ".css"}
        and path.parent.name != "vendor"
        and len(path.read_text(encoding="utf-8").splitlines()) > 450
    ]
    assert long == []
