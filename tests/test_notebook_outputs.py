"""The notebooks of examples/ as they are committed: each cell with what it shows, and nothing of the machine that ran them."""

from __future__ import annotations

import ast
import base64
import re
from io import BytesIO
from typing import Any

import notebooks
import pytest
from notebooks import EXAMPLES, MAX_IMAGE, MAX_NOTEBOOK, NAMES
from PIL import Image

EMBEDDED = re.compile(r"data:image/\w+;base64,([\w+/=]+)")
UNWANTED = re.compile(
    r"Traceback|\w*Warning\b|WARNING|site-packages|/(?:home|root|tmp|Users|work|var)/|[A-Z]:\\|0x[0-9a-f]{6,}|it/s|\d ?%\|"
    r"|\b\d+(?:\.\d+)? ?(?:s|ms|seconds|minutes)\b"
)
"""What only one run of one machine says: errors and warnings, paths, addresses, progress, times."""


@pytest.fixture(scope="module", params=NAMES)
def notebook(request: pytest.FixtureRequest) -> Any:
    return notebooks.read(request.param)


def shows(source: str) -> bool:
    """Whether a cell ends with a value, prints or draws."""
    last = ast.parse(source).body[-1]
    ends_with_value = isinstance(last, ast.Expr) and not source.rstrip().endswith(";")
    return ends_with_value or "print(" in source or "plt.subplots" in source


def texts(cell: Any) -> list[str]:
    found = []
    for output in cell.outputs:
        found.append(output.get("text", ""))
        found += [EMBEDDED.sub("", text) for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return found


def images(cell: Any) -> list[bytes]:
    encoded = []
    for output in cell.outputs:
        data = output.get("data", {})
        encoded += [data["image/png"]] if "image/png" in data else EMBEDDED.findall(data.get("text/html", ""))
    return [base64.b64decode(text) for text in encoded]


def test_all_of_them_are_known() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.ipynb")) == sorted(NAMES)


def test_a_cell_has_an_output_where_it_shows_something(notebook: Any) -> None:
    run = [cell for cell in notebooks.to_run(notebook) if cell.cell_type == "code"]
    assert {cell.id: bool(cell.outputs) for cell in run} == {cell.id: shows(cell.source) for cell in run}
    assert [cell.execution_count for cell in run] == list(range(1, len(run) + 1)), "of a new kernel: make notebooks"
    others = [cell for cell in notebook.cells if cell.cell_type == "code" and cell not in run]
    assert [(cell.outputs, cell.execution_count) for cell in others] == [([], None)]


def test_an_output_is_that_of_any_machine(notebook: Any) -> None:
    for cell in notebooks.to_run(notebook):
        if cell.cell_type == "code":
            assert [output.output_type for output in cell.outputs if output.output_type == "error"] == []
            assert {output.get("name", "stdout") for output in cell.outputs} <= {"stdout"}
            assert [UNWANTED.findall(text) for text in texts(cell) if UNWANTED.search(text)] == [], cell.id
        assert set(cell.metadata) == set(), cell.id
    assert {"kernelspec", "language_info"} == set(notebook.metadata)
    assert notebook.metadata.language_info == {"name": "python"}, "a version would differ at each run"


def test_images_are_small(notebook: Any) -> None:
    found = [image for cell in notebook.cells if cell.cell_type == "code" for image in images(cell)]
    assert len(found) >= 3
    for image in found:
        assert len(image) <= MAX_IMAGE
        with Image.open(BytesIO(image)) as opened:
            assert min(opened.size) > 60


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_small(name: str) -> None:
    assert (EXAMPLES / f"{name}.ipynb").stat().st_size <= MAX_NOTEBOOK


@pytest.mark.parametrize(
    "text",
    ["~/x/site-packages/a.py:21: TqdmWarning: IProgress", "/home/me/a", "Loading: 40 %|###", "took 3.2 s", "<a at 0x7f00aa11>"],
)  # fmt: skip
def test_what_is_unwanted_is_found(text: str) -> None:
    assert UNWANTED.search(text)
