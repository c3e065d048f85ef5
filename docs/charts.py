"""Small charts of the sample report's numbers, as SVG within a page: what each metric tells, layer by layer."""

from __future__ import annotations

import csv
import html
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

MODEL = "smollm2-135m-instruct"
CURVES = {"alone": "alone", "sentence": "in a sentence", "alone-mean": "alone, two neurons at their mean"}
"""Folder of a capture → what it is called."""
_COLORS = ("#c0392b", "#2471a3", "#b7950b")
_DASHES = ("", "6 3", "2 3")
_MARKS = ("━━", "╍╍", "┅┅")
"""So that curves differ without color, too."""
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460, 180, 52, 30, 10
_WIDEST = 560
"""Pixels, at which letters are as large as those of the text; on phones they are still to be read."""


def chart(data: Path, column: str, *, is_log: bool = False) -> str:
    """A figure with a curve for each capture of the sample's first model.

    Parameters
    ----------
    data : the folder ``data`` of the sample report.
    column : of ``geometry.csv``.
    """
    curves = {label: _values(data / MODEL / folder / "geometry.csv", column) for folder, label in CURVES.items()}
    known = [value for values in curves.values() for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if is_log else (min(0.0, *known), max(known))

    def y(value: float) -> float:
        part = (math.log(value / low) / math.log(high / low)) if is_log else (value - low) / (high - low)
        return _TOP + (1 - part) * (_HEIGHT - _TOP - _BOTTOM)

    n_depths = len(next(iter(curves.values())))
    step = (_WIDTH - _LEFT - 8) / (n_depths - 1)
    ends = "; ".join(f"{label}: {_number(values[0])} to {_number(values[-1])}" for label, values in curves.items())
    style = f"width: 100%; max-width: {_WIDEST}px"
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(ends)}" fill="none" style="{style}">'
    parts = [head, *_axes((low, high), n_depths, step, y)]
    for number, values in enumerate(curves.values()):
        points = " ".join(
            f"{_LEFT + depth * step:.1f},{y(value):.1f}" for depth, value in enumerate(values) if math.isfinite(value)
        )
        dash = f' stroke-dasharray="{_DASHES[number]}"' if _DASHES[number] else ""
        parts.append(f'<polyline points="{points}" stroke="{_COLORS[number]}" stroke-width="2"{dash}/>')
    legend = " ".join(
        f'<span style="white-space: nowrap"><b style="color: {color}">{mark}</b> {html.escape(label)}</span>'
        for label, color, mark in zip(curves, _COLORS, _MARKS, strict=True)
    )
    drawing = "".join([*parts, "</svg>"])
    return f'<figure style="width: 100%">{drawing}<figcaption style="max-width: none">SmolLM2-135M, from the embedding to layer {n_depths - 2}. {legend}</figcaption></figure>'


def _values(file: Path, column: str) -> Sequence[float]:
    with file.open(encoding="utf-8", newline="") as opened:
        return [float(row[column] or "nan") for row in csv.DictReader(opened)]


def _axes(ends: tuple[float, float], n_depths: int, step: float, y: Callable[[float], float]) -> Iterator[str]:
    low, high = ends
    bottom = _HEIGHT - _BOTTOM
    yield f'<path d="M{_LEFT} {_TOP}V{bottom}H{_WIDTH - 8}" stroke="currentColor" stroke-opacity=".4"/>'
    text = 'fill="currentColor" font-size="13"'
    if low < 0:
        yield f'<path d="M{_LEFT} {y(0):.1f}H{_WIDTH - 8}" stroke="currentColor" stroke-opacity=".2"/>'
    for value, place in ((high, _TOP + 5), (low, bottom)):
        yield f'<text x="{_LEFT - 6}" y="{place}" text-anchor="end" {text}>{_number(value)}</text>'
    for depth in range(1, n_depths, 5):
        name = f"layer {depth - 1}" if depth == 1 else str(depth - 1)
        yield f'<text x="{_LEFT + depth * step:.1f}" y="{_HEIGHT - 10}" text-anchor="middle" {text}>{name}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.2f}"
