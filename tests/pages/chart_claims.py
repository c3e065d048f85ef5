"""What the pages say of curves, read back as in ``claims``: their descriptions, the notes on them, and the mark of a ruler."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from claims import (
    DEPTH,
    close,
    depth_of,
    depths_where,
    is_massive,
    plain,
    require,
    require_depths,
    says,
)
from narrow import present
from rendered import Part

from tokviz.records import ContextReport, Geometry, ModelReport

Agrees = Callable[[str, float], bool]


def _whole(text: str, value: float) -> bool:
    return close(text.removesuffix(" %"), 100 * value, 1)


def _tenth(text: str, value: float) -> bool:
    return close(text.removesuffix(" %"), 100 * value, 0.1)


def _times(text: str, value: float) -> bool:
    return says(text.removesuffix(" ×"), value)


CURVES: dict[str, tuple[Callable[[ContextReport, Geometry], np.ndarray | None], Agrees]] = {
    "Category purity": (lambda _, each: each.purity.value, close),
    "Category purity in the plot": (lambda _, each: each.pictures[0].purity.value if each.pictures else None, close),
    "Silhouette": (lambda _, each: each.silhouette.value, close),
    "Effective rank": (lambda _, each: each.spread.effective_rank, says),
    "Effective rank per word": (lambda _, each: each.spread.effective_rank / each.n_measured, close),
    "Mean norm": (lambda _, each: each.spread.mean_norm, says),
    "Mean cosine": (lambda _, each: each.spread.mean_cosine, close),
    "PC1’s share of the variance": (
        lambda context, _: context.projections[0].projection.explained_variance_ratio[:, 0],
        _tenth,
    ),
    "Largest activation ÷ typical": (lambda _, each: each.massive.ratio, _times),
    "Largest share of one dimension": (lambda _, each: each.massive.top_share, _whole),
    "Change from the previous depth": (lambda _, each: 1 - each.change.cka, close),
}
"""What each chart shows, and how its numbers are written."""


def check_chart(alt: str, contexts: dict[str, ContextReport]) -> None:
    """The description of a chart.

    ``contexts`` : by the name of their curve; those without measures have none.
    """
    text = plain(alt)
    subject, _, rest = text.partition(". ")
    read, agrees = CURVES[subject.partition(" over relative depth")[0]]
    names = "|".join(map(re.escape, contexts))
    said = dict(re.findall(rf"({names}): (.+?)\.(?= (?:{names}): |$)", rest))
    require(" ".join(f"{name}: {course}." for name, course in said.items()) == rest, text, "parsed in part")
    shown = {name: read(each, each.geometry) for name, each in contexts.items() if each.geometry is not None}
    require(set(said) == {name for name, values in shown.items() if values is not None}, text, list(shown))
    for name, course in said.items():
        values = shown[name]
        if values is not None:
            check_course(course, values, agrees)


def check_course(text: str, values: np.ndarray, agrees: Agrees) -> None:
    """``0.85 at the embedding, 0.50 at layer 29, highest 0.90 at layer 3``: a curve's ends, and extremes between; ``0.85 throughout``."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        require(text == "not defined", text, values)
        return
    if same := re.fullmatch(r"(\S.*) throughout", text):
        require(len(known) > 1 and all(agrees(same[1], value) for value in values[known]), text, values)
        return
    parts = [re.fullmatch(rf"(?:(lowest|highest) )?(\S.*?) at ({DEPTH})", part) for part in text.split(", ")]
    require(all(parts), text, "of no known form")
    said = [(part[1], part[2], depth_of(part[3])) for part in parts if part]
    ends = [depth for kind, _, depth in said if not kind]
    require(ends == list(dict.fromkeys([int(known[0]), int(known[-1])])), text, values)
    extremes = {"lowest": values[known].min(), "highest": values[known].max()}
    for kind, number, depth in said:
        require(agrees(number, values[depth]), text, values[depth])
        require(not kind or values[depth] == extremes[kind], text, values)
    for name, extreme in extremes.items():
        require(any(values[depth] == extreme for _, _, depth in said), text, f"{name} is not told: {extreme}")


def check_charts(page: Part, model: ModelReport) -> None:
    """All charts of a model's page, if it has some, and what is said of them."""
    contexts = {context.states.context.label.capitalize(): context for context in model.captures}
    for chart in page.all("#curves figure"):
        check_chart(chart.one("svg")["aria-label"], contexts)
    if page.all("#curves"):
        check_curves_note(curves_text(page), model)


def curves_text(page: Part) -> str:
    """All that is said of a model's charts."""
    guide, *scaling = page.texts("#curves > details:not(.told) > .note")
    return " ".join([guide, *page.texts("#curves .told > .note"), *scaling])


def check_curves_note(text: str, model: ModelReport) -> None:
    measured = [(each.states.context.label, each.geometry) for each in model.captures if each.geometry is not None]
    several = len(measured) > 1
    emerged = [label for label, geometry in measured if depths_where(is_massive, geometry.massive)]
    where = f" in the words {emerged[0]}" if emerged and several else ""
    stages = f" of the words {measured[0][0]}" if several else ""
    line = f"The vertical line marks where massive activations emerge{where}. " if emerged else ""
    changed = any(each.geometry and each.states.intervention for each in model.captures)
    bands = f"Light bands are 95 % intervals{', for the unchanged model only' if changed else ''}."
    before, *unscaled = re.split(r" (?=Without scaling)", plain(text))
    said, *announced = re.split(r" (?=Of \d+ depths?, purity|At no depth is purity)", before)
    check_announced(announced, model)
    require(said == f"Shaded: the stages{stages}. {line}{bands}", text, emerged)
    check_unscaled(unscaled, model)


def check_announced(said: Sequence[str], model: ModelReport) -> None:
    """How many depths the claims announce."""
    expected = []
    for context in model.contexts:
        geometry = context.geometry
        if geometry is None or not np.isfinite(geometry.purity.above_chance.score).any():
            continue
        purity = geometry.purity
        numbers, n_depths = [], str(np.isfinite(purity.value).sum())
        for each in (geometry.purity, *(picture.purity for picture in geometry.pictures[:1])):
            # That of the plot stands beside that of all dimensions.
            has_surface = np.isfinite(purity.surface) and np.isfinite(each.surface)
            claims = (each.above_chance, *((each.above_surface,) if has_surface else ()))
            numbers += [str(claim.holds.sum()) if claim.holds.any() else "none" for claim in claims]
        expected.append(
            (context.states.context.label, [] if set(numbers) == {"none"} else sorted([n_depths, *numbers]))
        )
    found = [
        re.match(r"Of (\d+) depths?, purity of the words (.+?) is shown to be above chance at (.+)\.$", text)
        or re.match(r"()At no depth is purity of the words (.+?) shown to be above chance(.*)\.$", text)
        for text in said
    ]
    told = [(each[2], sorted(re.findall(r"\d+|none", f"{each[1]} {each[3]}"))) for each in found if each]
    require(told == expected, str(said), expected)


def check_unscaled(said: Sequence[str], model: ModelReport) -> None:
    """Of each context where purity without scaling lies elsewhere; dimensions only where they explain half of it everywhere."""
    others = [each for each in model.contexts if each.geometry and np.isfinite(each.geometry.purity_raw.without).any()]
    require(len(said) == len(others), str(said), [each.states.context.label for each in others])
    for text, context in zip(said, others, strict=True):
        found = re.fullmatch(
            r"Without scaling, purity of the words (.+) lies outside the interval at (.+): "
            r"(?:mostly dimensions ([\d, ]+)|the dimensions’ scales differ)\.",
            text,
        )
        require(found and found[1] == context.states.context.label, text)
        geometry = present(context.geometry)
        raw = geometry.purity_raw
        depths = np.flatnonzero(np.isfinite(raw.without))
        require_depths(found[2] if found else "", np.isfinite(raw.without))
        gap, left = (np.abs(geometry.purity.value - each)[depths] for each in (raw.value, raw.without))
        dimensions = sorted({each for depth in depths for each in raw.dimensions[depth]})
        expected = ", ".join(map(str, dimensions)) if (left <= gap / 2).all() else None
        require(found and found[3] == expected, text, expected)


def check_mark(text: str | None, geometry: Geometry) -> None:
    """On a ruler: where massive values begin, or else a jump of the norm, which the embedding has no part in."""
    massive, norms = depths_where(is_massive, geometry.massive), geometry.spread.mean_norm
    jumps = [depth for depth in range(2, len(norms)) if norms[depth - 1] > 0 and norms[depth] >= 10 * norms[depth - 1]]
    if text is None:
        require(not massive and not jumps, "no mark", (massive, jumps))
        return
    if said := re.fullmatch(r"norm jumps at (layer \d+)", text):
        most = max(jumps, key=lambda depth: norms[depth] / norms[depth - 1], default=None)
        require(not massive and most == depth_of(said[1]), text, (massive, jumps))
        return
    found = re.fullmatch(rf"massive from ({DEPTH})", text)
    require(found and massive[:1] == [depth_of(found[1])], text, massive)
