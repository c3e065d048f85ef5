"""Where a depth stands on a strip, a ruler or a curve, lines over depth as SVG paths, and the ruler itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup, escape

from tokviz.pages.text.findings import norm_jump
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.sentences import runs
from tokviz.pages.text.wording import NBSP, number
from tokviz.records import ContextReport, Geometry, depth_name


@dataclass(frozen=True, kw_only=True)
class RulerGeometry:
    """Where things stand on every ruler, in percent of its width; styles and scripts read it from the page."""

    axis_start: float = 4.4
    """Where the embedding's panel of a strip has its centre."""
    axis_length: float = 91.2
    """How far the last layer's centre is from it."""
    labels_from: float = 18.0
    labels_to: float = 84.0
    """Between these a number on the axis doesn't touch ``embedding`` or ``layer 29``."""
    loose_from: float = 26.0
    loose_to: float = 76.0
    """Between these it doesn't touch them on a phone, either."""
    most_labels: int = 7
    """Of numbers on the axis; a count."""

    def style(self) -> str:
        """The geometry as CSS variables of the root element."""
        variables = [
            f"--{name.replace('_', '-')}:{value:g}{'' if name == 'most_labels' else '%'}"
            for name, value in vars(self).items()
        ]
        return f":root{{{';'.join(variables)}}}"


RULER = RulerGeometry()
NARROWEST_BAND = 2.0
"""In percent of a ruler's width, as all that follows: a narrower band has no space for its numeral on a phone."""
MARK_FLIP, MARK_GAP = 72.0, 0.8
"""From where on a mark's text stands left of it, and how far from it."""
MARK_FROM = 14.0
"""Left of this a mark's text would touch the name of a curve on a phone."""
SPARK_WIDTH, SPARK_HEIGHT = 1000.0, 100.0
LABEL_STEPS = (1, 2, 5, 10, 20, 50, 100)
WIDEST_LABEL_STEP = 1000


def place(depth: float, last: int) -> float:
    """In percent of the ruler's width; a single depth, ``last`` 0, stands where the embedding does."""
    return RULER.axis_start + RULER.axis_length * relative_depth(depth, last)


def relative_depth(depth: float, last: int) -> float:
    """A depth from 0 to 1, the last one; 0 for a single depth."""
    return depth / max(last, 1)


def ends(last: int) -> tuple[tuple[float, str], ...]:
    """What a model's charts name: the relative depth and the name of the first depth and of the last."""
    return tuple((relative_depth(depth, last), depth_name(depth)) for depth in sorted({0, last}))


def relative_depths(end: str) -> tuple[tuple[float, str], ...]:
    """What charts of models of any depth name; ``end``: the last depth."""
    return ((0.0, depth_name(0)), (0.5, f"50{NBSP}%"), (1.0, end))


def has_number(depth: int, last: int) -> bool:
    """Whether a depth between the two ends has its number on the axis."""
    step = next((step for step in LABEL_STEPS if last / step <= RULER.most_labels), WIDEST_LABEL_STEP)
    return (depth - 1) % step == 0 and RULER.labels_from <= place(depth, last) <= RULER.labels_to


def length(percentage: float) -> str:
    """A CSS percentage."""
    return f"{percentage:.3f}%"


def coordinate(value: float) -> str:
    """In a drawing: to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def spread(telling: Iterable[int], n_depths: int, n_shown: int) -> tuple[int, ...]:
    """The first depth, the last, those that tell something, and middles of the widest gaps between them.

    ``telling``: below ``n_depths``, at most ``n_shown`` − 2.
    """
    depths = sorted({0, n_depths - 1, *telling})
    while len(depths) < min(n_shown, n_depths):
        before, after = max(pairwise(depths), key=lambda gap: gap[1] - gap[0])
        depths = sorted([*depths, (before + after + 1) // 2])
    return tuple(depths)


# --- paths -----------------------------------------------------------------------------------------------------------


def path(x: Sequence[float], y: Sequence[float]) -> str:
    """A line through the points; NaN breaks it. A point between two gaps is a dot."""
    parts = []
    for run in runs(np.isfinite(y)):
        (left, top), *others = ((x[at], y[at]) for at in run)
        parts.append(line([(left, top), (left + 0.1, top), *others]))
    return "".join(parts)


def area(x: Sequence[float], y: Sequence[float], bottom: float) -> str:
    """From a line to the bottom: of each run of defined values a polygon of its own."""
    return "".join(
        f"{line([(x[run[0]], bottom), *((x[at], y[at]) for at in run), (x[run[-1]], bottom)])}Z"
        for run in runs(np.isfinite(y))
    )


def outline(x: Sequence[float], low: np.ndarray, high: np.ndarray) -> str | None:
    """The band between two curves as path data; broken where either isn't defined."""
    return (
        "".join(
            f"{line([*((x[at], high[at]) for at in run), *((x[at], low[at]) for at in reversed(run))])}Z"
            for run in runs(np.isfinite(low) & np.isfinite(high))
            if len(run) > 1
        )
        or None
    )


def strokes(x: Sequence[float], low: np.ndarray, high: np.ndarray) -> str:
    """A vertical stroke at each place, from one height to another; none where they are alike."""
    both = zip(x, low.tolist(), high.tolist(), strict=True)
    known = ((left, top, bottom) for left, top, bottom in both if abs(top - bottom) >= 0.1)
    return "".join(
        f"M{_tenths(round(10 * left))} {_tenths(round(10 * top))}V{_tenths(round(10 * bottom))}"
        for left, top, bottom in known
    )


def line(points: Sequence[tuple[float, float]]) -> str:
    """Path data in tenths of a pixel, from point to point: half as long as with their places, and there are many.

    A letter that repeats may be left out before a sign, a space before a sign or a second decimal point.
    """
    (x, y), *others = [(round(10 * left), round(10 * top)) for left, top in points]
    parts, before = [f"M{_tenths(x)} {_tenths(y)}"], "M"
    for left, top in others:
        across, down = _tenths(left - x), _tenths(top - y)
        letter = "h" if top == y else "l"
        gap = "" if top < y or (down.startswith(".") and "." in across) else " "
        parts.append(("" if letter == before and left < x else letter) + across + ("" if letter == "h" else gap + down))
        x, y, before = left, top, letter
    return "".join(parts)


def _tenths(value: int) -> str:
    """``12``, ``.5``, ``-1.5``."""
    whole, tenth = divmod(abs(value), 10)
    return f"{'-' if value < 0 else ''}{whole or ('' if tenth else 0)}{f'.{tenth}' if tenth else ''}"


def logarithms(values: np.ndarray) -> np.ndarray:
    """log10, NaN where that isn't defined."""
    positive = np.where(values > 0, values, np.nan)
    return np.asarray(np.log10(positive))


def norm_range(captures: Iterable[ContextReport]) -> tuple[float, float]:
    """The scale of mean norms on the rulers of a model, which compare."""
    return log_range([each.geometry.spread.mean_norm for each in captures if each.geometry is not None])


def log_range(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    """Of positive values, as powers of ten; a decade at least, so that a wiggle looks like one."""
    values = np.concatenate([np.empty(0), *map(logarithms, arrays)])
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    missing = max(1.0 - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


# --- the ruler -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """The depth axis, under the strip of all depths; it is also the carousel's slider. Lengths are percentages of its width."""

    strip: Picture | None
    last: int
    """The slider's greatest value."""
    hrefs: tuple[str, ...] = ()
    """Of the slides, by depth."""
    geometry: Geometry | None = None
    """What stands between strip and axis once a context has been measured."""
    norms: tuple[float, float] = (0.0, 1.0)
    """The scale of mean norms, in decades."""
    slides: str | None = None
    """Of a ruler without ticks, to which a script adds them and a link per depth: a slide's address, up to the depth."""

    def axis(self, name: str | None = None) -> Markup:
        """The line, its ticks and their labels, at the foot of the ruler; ``name``: what other rulers of the page call it by."""
        axis = f'<line class="axis" x1="{length(place(0, 1))}" x2="{length(place(1, 1))}" y1="-26" y2="-26"/>'
        if self.slides:
            ticks = ['<text x="0%" y="-4">embedding</text>']
            ticks += [f'<text x="100%" y="-4" text-anchor="end">{depth_name(self.last)}</text>'] if self.last else []
        else:
            ticks = [_tick(depth, self.last) for depth in range(self.last + 1)]
        return _drawing(f"<svg{_id(name)}", [axis, *ticks])

    def targets(self, *, tabbable: bool) -> Markup:
        """A link per depth, over strip and axis."""
        half, found = RULER.axis_length / max(self.last, 1) / 2, []
        for depth, href in enumerate(self.hrefs):
            name, x = depth_name(depth), place(depth, self.last)
            left, right = max(x - half, 0.0), min(x + half, 100.0)
            beside = "" if tabbable else f' tabindex="-1"><title>{name}</title'
            rect = f'<rect x="{length(left)}" width="{length(right - left)}"/>'
            found.append(f'<a href="{escape(href)}" aria-label="{name}"{beside}>{rect}</a>')
        return Markup("\n".join(found))

    def measures(self, name: str | None = None) -> Markup:
        """Stages, purity, mean norm, and where something breaks, above the axis; every text has a row in which no line runs."""
        geometry = self.geometry
        if geometry is None:
            return Markup("")
        bands, found = list(_bands(geometry, self.last)), mark_of(geometry)
        x = [SPARK_WIDTH * place(depth, self.last) / 100 for depth in range(self.last + 1)]
        purity, chance = (_heights(each, 0, 1) for each in (geometry.purity.value, geometry.purity.null_mean))
        norm = _heights(logarithms(geometry.spread.mean_norm), *self.norms)
        mark = length(place(found[0], self.last)) if found else ""
        parts = [
            *(f'<rect class="band{" shaded" if shaded else ""}" {at} y="-90" height="64"/>' for at, shaded, _ in bands),
            *([f'<line class="mark" x1="{mark}" x2="{mark}" y1="-90" y2="-16"/>'] if found else []),
            _spark(path(x, purity), y=-76, height=11, below=("chance", path(x, chance))),
            _spark(path(x, norm), y=-53, height=15, below=("spark-area", area(x, norm, SPARK_HEIGHT))),
        ]
        for at, _, text in bands:
            if text:
                text = f'<text class="band-name" x="50%" y="-30" text-anchor="middle">{text}</text>'
                parts.append(f'<svg {at} overflow="visible">{text}</svg>')
        return _drawing(f"<svg{_id(name)}", parts, ' aria-hidden="true"')

    def names(self) -> Markup:
        """Of the lines and of what breaks, over the slider's handle."""
        geometry = self.geometry
        if geometry is None:
            return Markup("")
        known = np.isfinite(geometry.purity.value).any()
        parts = [
            f'<text class="spark-name" x="0" y="-80">{"purity" if known else "purity not defined"}</text>',
            f'<text class="spark-name" x="0" y="-55">{norm_name(geometry)}</text>',
        ]
        if found := mark_of(geometry):
            depth, *texts = found
            x = place(depth, self.last)
            flips = x > MARK_FLIP
            label_x = length(x - MARK_GAP if flips else max(x + MARK_GAP, MARK_FROM))
            anchor = "end" if flips else "start"
            parts += [
                f'<text class="mark-name{kind}" x="{label_x}" y="{y}" text-anchor="{anchor}">{text}</text>'
                for text, kind, y in zip(texts, ("", " mark-numbers"), (-80, -56), strict=True)
                if text
            ]
        return _drawing("<svg", parts)


def _drawing(start: str, parts: Sequence[str], end: str = "") -> Markup:
    return Markup("\n".join([f'{start} y="100%" overflow="visible"{end}>', *parts, "</svg>"]))


def _id(name: str | None) -> str:
    return f' id="{escape(name)}" class="of-ruler"' if name else ""


def _tick(depth: int, last: int) -> str:
    """Both ends are named, and between them as many depths as fit."""
    x = place(depth, last)
    line, anchor, kind = f'x1="{length(x)}" x2="{length(x)}" y1="-26"', "middle", ""
    if depth in (0, last):
        label, x, anchor = depth_name(depth), 100.0 if depth else 0.0, "end" if depth else "start"
    elif has_number(depth, last):
        # On a phone its number would touch the names of the ends.
        label, kind = str(depth - 1), "" if RULER.loose_from <= x <= RULER.loose_to else ' class="tight"'
    else:
        return f'<line {line} y2="-22"/>'
    text = f'<text{kind} x="{length(x)}" y="-4" text-anchor="{anchor}">{label}</text>'
    return f'<line class="major" {line} y2="-18"/>\n{text}'


def _bands(geometry: Geometry, last: int) -> Iterator[tuple[str, bool, str]]:
    """Of each stage its place, whether it is shaded, and its number; no number where the band is too narrow for it."""
    for index, stage in enumerate(geometry.stages):
        # A depth's band reaches half-way to its neighbours; at the ends as far as the strip's panels do.
        left = max(place(stage.first_depth - 0.5, last), 0.0)
        right = min(place(stage.last_depth + 0.5, last), 100.0)
        name = f"{index + 1}" if right - left >= NARROWEST_BAND or len(geometry.stages) <= 1 else ""
        yield f'x="{length(left)}" width="{length(right - left)}"', index % 2 == 0, name


def _heights(values: np.ndarray, low: float, high: float) -> list[float]:
    return [SPARK_HEIGHT * (1 - float(value - low) / (high - low)) for value in values]


def _spark(line: str, *, y: int, height: int, below: tuple[str, str]) -> str:
    """A hairline in a drawing of its own; ``below``: the class of what lies under it, and its path."""
    kind, under = below
    box = f'width="100%" height="{height}" viewBox="0 0 1000 100" preserveAspectRatio="none" overflow="visible"'
    beneath = f'<path class="{kind}" d="{under}"/>\n' if under else ""
    return f'<svg y="{y}" {box}>\n{beneath}<path class="spark" d="{line}"/>\n</svg>'


def norm_name(geometry: Geometry) -> str:
    """``norm``; where nothing is marked, with its first and its last value: ``norm 3.1 → 41``."""
    norms = geometry.spread.mean_norm
    return "norm" if mark_of(geometry) else f"norm {_from_to(norms[0], norms[-1])}".rstrip()


def mark_of(geometry: Geometry) -> tuple[int, str, str] | None:
    """What is marked on a ruler: its depth, what it is, and the mean norm before and at it.

    Where massive activations emerge, else where the mean norm jumps.
    """
    depth, norms = geometry.massive.emergence_depth, geometry.spread.mean_norm
    if depth is not None:
        text = f"massive from layer {depth - 1}" if depth else "massive from the embedding"
        return depth, text, _from_to(norms[depth - 1], norms[depth]) if depth else ""
    jump = norm_jump(geometry)
    return None if jump is None else (jump, f"norm jumps at layer {jump - 1}", _from_to(norms[jump - 1], norms[jump]))


def _from_to(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}" if math.isfinite(before) and math.isfinite(after) else ""
