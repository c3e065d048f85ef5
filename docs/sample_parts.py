"""The parts of the sample report that the manual shows: its plots, and the numbers of its charts."""

from __future__ import annotations

import re
from pathlib import Path

import charts

PLOT = re.compile(r"\]\((?:\.\./)*(sample/([^)#\s]+\.webp))\)")
"""An image of the report: ``sample/images/…`` from the manual's root; and its path in the report."""


def plots(texts: list[str]) -> list[tuple[str, str]]:
    """Path in the manual, and path in the report, of each plot that pages show."""
    return sorted({found for text in texts for found in PLOT.findall(text)})


def parts(root: Path) -> list[str]:
    """The paths below ``root``, as far as they are there."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "docs" / "manual").rglob("*.md")]
    shown = [in_report for _, in_report in plots(texts)]
    numbers = [f"data/{charts.MODEL}/{folder}/geometry.csv" for folder in charts.CURVES]
    return [f"site/{path}" for path in (*shown, *numbers) if (root / "site" / path).is_file()]
