"""Where names stand on the plates of the sample report, on all layers: near their marks, on none of them, with few tangled lines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import OpenPage
from plates_page import ENCODER, INK, SLUG, drawn, on_marks, overlapping, write_sample

HEIGHTS = {720: 576, 1100: 880}
"""Of plates, by their widths, in CSS pixels."""
FARTHEST = 40
"""Of a name from its mark's middle, in CSS pixels."""
MOST_CROSSINGS = 20
LEAST = {(SLUG, 720): 72, (SLUG, 1100): 78, (ENCODER, 720): 96, (ENCODER, 1100): 98}
"""So many of 116 words are named on each layer, in each context and projection."""
MEDIAN = {(SLUG, 720): 107, (SLUG, 1100): 115, (ENCODER, 720): 112, (ENCODER, 1100): 115}

DRAW = f"""async ([model, width, height]) => {{
    const content = JSON.parse(document.querySelector('[data-plates]').textContent);
    const index = new Explore.Index(content);
    const inkOf = {INK};
    const plates = [];
    for (const context of ['alone', 'sentence']) for (const projection of ['standardized', 'centered']) {{
        const capture = Tokviz.findCapture(content.models, {{ model, context, projection }});
        const about = Tokviz.plate.about(await index.view(capture), capture, content.categories);
        const layout = Tokviz.plate.layoutOf(about, width, height);
        const drawing = Tokviz.svg('svg', {{ class: 'plate-svg', width, height }});
        document.querySelector('main').prepend(drawing);
        about.view.extents.forEach((_, depth) => {{
            const {{ points, names }} = Tokviz.plate.draw(drawing, about, layout, depth, null);
            const {{ left, top }} = drawing.getBoundingClientRect();
            plates.push({{
                layer: `${{context}}, ${{projection}}, ${{depth}}`,
                names: inkOf([...drawing.querySelectorAll('.plate-names text')]),
                own: names.map(({{ row }}) => row),
                boxes: names.map((name) => [name.left, name.top, name.right, name.bottom]),
                lines: [...drawing.querySelectorAll('.plate-lines path')].map((line) => line.getAttribute('d').match(/[\\d.]+/g).map(Number)),
                marks: points.rows.map((row) => [left + points.x[row], top + points.y[row]]),
                places: points.rows.map((row) => [points.x[row], points.y[row]]),
                radius: layout.diameter / 2,
            }});
        }});
        drawing.remove();
    }}
    return JSON.stringify(plates);
}}"""
"""As one text, since Playwright hands over a number at a time."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("names"))


@pytest.mark.slow
@pytest.mark.parametrize("width", [720, pytest.param(1100, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("model", [SLUG, ENCODER])
def test_names_are_near_their_marks_and_hide_none_and_few_lines_cross(
    open_page: OpenPage, site: Path, model: str, width: int
) -> None:
    page = drawn(open_page, site, f"models/{model}/index.html")
    plates = json.loads(page.evaluate(DRAW, [model, width, HEIGHTS[width]]))
    counts = sorted(len(plate["names"]) for plate in plates)
    crossings = {plate["layer"]: n_crossings(plate["lines"]) for plate in plates}
    print(f"{model}, {width} px: {counts[0]} to {counts[-1]} names, {sum(counts)} in all; crossings {crossings}")
    assert len(plates) == 4 * (31 if model == SLUG else 7)
    assert max(crossings.values()) <= MOST_CROSSINGS
    assert counts[0] >= LEAST[model, width]
    assert counts[len(counts) // 2] >= MEDIAN[model, width]
    for plate in plates:
        assert farthest(plate) <= FARTHEST, plate["layer"]
        assert on_marks(plate) == [], plate["layer"]
        assert overlapping(plate["names"]) == [], plate["layer"]


def n_crossings(lines: list[list[float]]) -> int:
    """Of pairs in which the ends of each line lie on different sides of the other."""
    x1, y1, x2, y2 = np.array(lines).reshape(-1, 4).T

    def sides(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        found: np.ndarray = (x2 - x1)[:, None] * (y - y1[:, None]) - (y2 - y1)[:, None] * (x - x1[:, None])
        return found

    apart = sides(x1, y1) * sides(x2, y2) < 0
    return int(np.triu(apart & apart.T, 1).sum())


def farthest(plate: dict[str, Any]) -> float:
    """The largest distance of a name from its mark's middle."""

    def away(row: int, left: float, top: float, right: float, bottom: float) -> float:
        x, y = plate["places"][row]
        return math.hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom))

    return max(away(row, *box) for row, box in zip(plate["own"], plate["boxes"], strict=True))
