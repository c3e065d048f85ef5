"""The notebooks of examples/ with their outputs, as they are committed: make notebooks.

python tests/notebooks.py [NAME …]   # run each in a new kernel and an empty folder, and write it again
"""

from __future__ import annotations

import base64
import html
import os
import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NAMES = ("fine-tuning", "first-steps", "states-from-elsewhere", "your-checkpoint")
MAX_NOTEBOOK, MAX_IMAGE = 400_000, 60_000
"""Bytes, as each run adds its own to the repository."""
_FRAME = re.compile(r'<iframe [^>]*srcdoc="([^"]*)"[^>]* height="(\d+)"')
_WIDTH = 960
"""Pixels of an explorer's picture."""


def read(name: str) -> Any:
    """One that is committed."""
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def to_run(notebook: Any) -> list[Any]:
    """All cells but the one that installs what is needed."""
    return [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]


def run(name: str) -> Any:
    """It, with the outputs of a new kernel; the metadata are as before, so that they differ by what was edited alone."""
    notebook = read(name)
    again = nbformat.v4.new_notebook(cells=to_run(notebook))
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(again, timeout=600, record_timing=False, kernel_name="python3")
        client.execute(cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    for cell in again.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise SystemExit(f"{name}, {cell.id}: expected no warning, got {output.text}")
            _make_small(output)
    return notebook


def _make_small(output: Any) -> None:
    """Images at the size at which they are shown, and a picture for an explorer, which is no use where nothing runs."""
    data = output.get("data", {})
    if frame := _FRAME.match(data.get("text/html", "")):
        data["image/png"] = _small(_picture(html.unescape(frame[1]), int(frame[2])), None)
        del data["text/html"]
    elif "image/png" in data:
        size = output.metadata.get("image/png")
        data["image/png"] = _small(base64.b64decode(data["image/png"]), size and (size["width"], size["height"]))


def _picture(document: str, height: int) -> bytes:
    import browser  # tests that only read notebooks need none

    page = browser.started().new_page(viewport={"width": _WIDTH, "height": height})
    page.add_init_script(browser.COUNT_SCHEDULED)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "explorer.html")
        file.write_text(document, encoding="utf-8")
        page.goto(file.as_uri())
        browser.wait_until_quiet(page)
        return page.screenshot()


def _small(png: bytes, size: tuple[int, int] | None) -> str:
    with Image.open(BytesIO(png)) as image:
        pixels = image.convert("RGB")
    buffer = BytesIO()
    (pixels.resize(size) if size else pixels).quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def main() -> None:
    """Run those that are named, or all."""
    for name in sys.argv[1:] or NAMES:
        text = nbformat.writes(run(name)) + "\n"
        (EXAMPLES / f"{name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
