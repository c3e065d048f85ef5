"""Records → the scripts that the explorer loads when a reader asks for them.

Many numbers travel as base64 of little-endian integers, which is a quarter of their length in decimals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tokviz.pages.charts.axis import Ruler, norm_range
from tokviz.pages.frame.frame import data_path
from tokviz.pages.text.data_text import packed, rounded, script
from tokviz.pages.text.problems import problems
from tokviz.records import ContextReport, ModelReport, Neighbours, Projection, Report, WordList
from tokviz.records.axes import Limits, extents, size, span
from tokviz.text import visible_piece

STEPS = 65_535
"""A coordinate’s place between the axis limits of its depth takes 16 bits: enlarged 64 times, a plot of 1,000 pixels is a pixel
out."""
PART = 24 * 1024
"""Characters of a script that hands over places: those of more come in parts of several depths, as a page shows one of them first."""
ROUNDING = 1e-6
"""What a share in 32 bits may be out."""


def scripts(report: Report) -> dict[str, str]:
    """Path from the site's root → script: the words, and per model × context its tokens and each projection."""
    captured = [(model, context) for model in report.models for context in model.captures]
    if not report.is_explorable:
        return {}
    written = {"data/words.js": script("words", words(report.words))}
    for model, context in captured:
        written |= places(model.slug, context, _measures(model, context))
        if context.neighbours is not None:
            name = context.states.context.name
            path = f"{data_path(model.slug, name)}/neighbours.js"
            written[path] = script(f"{model.slug}/{name} neighbours", _neighbours(context.neighbours))
    return written


def places(slug: str, context: ContextReport, measures: dict[str, str] | None = None) -> dict[str, str]:
    """Path from the site's root → script, of what plots of one capture are drawn with; ``measures``: what its ruler shows."""
    name = context.states.context.name
    folder, key = data_path(slug, name), f"{slug}/{name}"
    tokenization = context.states.tokenization
    cut = {
        "pieces": [[visible_piece(piece) for piece in word.word_pieces] for word in tokenization.words],
        "outside": np.flatnonzero(~tokenization.reference).tolist(),
        "modules": context.states.module_paths,
    }
    written = {f"{folder}/words.js": script(key, {**cut, "measures": measures})}
    for entry in context.projections:
        name = entry.projection.name
        content, parts = coordinates(entry.projection)
        written[f"{folder}/coordinates-{name}.js"] = script(f"{key}/{name}", content)
        for part, each in enumerate(parts):
            written[f"{folder}/coordinates-{name}-{part}.js"] = script(f"{key}/{name}/{part}", each)
    return written


def words(found: WordList) -> dict[str, Any]:
    """All words, with the places of their categories."""
    return {"words": found.words, "memberships": found.memberships}


def _measures(model: ModelReport, context: ContextReport) -> dict[str, str] | None:
    """What is drawn on the ruler above its axis, of the first template, as plots are."""
    geometry = context.in_first_template.geometry
    if geometry is None:
        return None
    last, norms = context.states.n_depths - 1, norm_range(model.captures)
    ruler = Ruler(strip=None, last=last, geometry=geometry, norms=norms)
    return {"lines": ruler.measures(), "names": ruler.names()}


def _neighbours(neighbours: Neighbours) -> dict[str, Any]:
    """Rows of words in 8 bits where that is enough, else in 16; a word that has none to speak of stands there itself."""
    _, n_words, k = neighbours.rows.shape
    own = np.arange(n_words)[None, :, None]
    rows = np.where(neighbours.rows < 0, own, neighbours.rows)
    return {"k": k, "rows": packed(rows.astype("u1" if n_words <= 256 else "<u2"))}


def written_extents(limits: tuple[Limits, Limits]) -> list[float | None]:
    """The least PC1, its span, the least PC2, its span.

    Where all values of an axis are equal, there is a fifth number, 1 for PC1 and 2 for PC2 or their sum, and its span is as large as
    the values are, with them in the middle.
    """
    flat = sum(axis for axis, each in zip((1, 2), limits, strict=True) if not span(each))
    written = [rounded(value) for pair in zip(*_placed(limits), strict=True) for value in pair]
    return [*written, flat] if flat else written


def _placed(limits: tuple[Limits, Limits]) -> tuple[np.ndarray, np.ndarray]:
    spans = np.array([size(each) for each in limits])
    return np.array([sum(each) / 2 for each in limits]) - spans / 2, spans


def coordinates(projection: Projection) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Per depth the words' extents, and each word's place within them: 0 the least value, ``STEPS`` the greatest.

    Many places are parts of their own, of ``depths`` depths each; fewer stand with the extents. Words may lie beyond the extents, as these come from the reference words: each number that is 0 or ``STEPS`` stands apart, too, as a
    32-bit float, in the same order.
    """
    n_depths, n_words, _ = projection.coordinates.shape
    places = np.ones((n_depths, n_words, 2), dtype="<u2")  # at no end where nothing is drawn
    all_extents: list[list[float | None] | None] = []
    shares = np.zeros((n_depths, n_words, 2), dtype="<f4")
    for depth, placed in enumerate(projection.coordinates):
        if projection.problems[depth] or not np.isfinite(placed).all():
            all_extents.append(None)
            continue
        limits = extents(placed, projection.reference)
        low, spans = _placed(limits)
        shares[depth] = (placed - low) / spans
        places[depth] = np.clip(np.round(shares[depth] * STEPS), 0, STEPS)
        all_extents.append(written_extents(limits))
    within = (shares >= -ROUNDING) & (shares <= 1 + ROUNDING)
    shares[within] = np.clip(shares[within], 0, 1)
    per_part = max(PART // max(len(packed(places[:1])), 1), 1)
    parts = []
    for first in range(0, n_depths, per_part):
        own = places[first : first + per_part]
        ends = shares[first : first + per_part][(own == 0) | (own == STEPS)]
        parts.append({"places": packed(own), "ends": packed(ends)})
    content = {
        "extents": all_extents,
        "variance": [[rounded(ratio) for ratio in ratios] for ratios in projection.explained_variance_ratio],
        "problems": problems(projection),
    }
    return ({**content, **parts[0]}, []) if len(parts) == 1 else ({**content, "depths": per_part}, parts)
