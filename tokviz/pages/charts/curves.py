"""Measures over depth as small charts, and those of a model's contexts, for its own page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from tokviz.pages.charts import notes
from tokviz.pages.charts.axis import coordinate, ends, outline, path, relative_depth, strokes
from tokviz.pages.charts.measures import WITHIN_A_MODEL, added_measures
from tokviz.pages.charts.reading import ControlKind, Measure, Reading
from tokviz.pages.charts.scale import NAME_GAP, OF_A_MODEL, Layout, Scale, spread_out
from tokviz.pages.text.wording import NBSP, capitalized, joined, the_depth
from tokviz.records import ContextReport, ModelReport

SWITCHES = {"raw": "without scaling", "changed": "neurons changed", "untrained": "untrained", "logit": "logit lens"}
"""What a reader may add to charts that show the model, its intervals, chance and the surface, and how that is called."""
CONTROL_NAMES: Mapping[ControlKind, str] = {
    "first": "first sentence",
    "random": "all random",
    "layers": "random layers",
    "logit": "logit lens",
    "chance": "chance",
}
"""At a curve's end."""
_SHORT = {"off": "neurons off", "mean": "at their mean", "control": "other neurons"}
"""Captures with neurons set to a value, by their rule."""
SURFACE = " Dashed: the words’ surface, without any model."

# --- one chart -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Series:
    """What becomes a curve."""

    name: str
    """In the description."""
    label: str
    """At the end; empty where a curve needs none."""
    index: int
    """Its colour and dash pattern follow from it."""
    reading: Reading
    switch: str = ""
    """The name of the switch that shows it; empty where it is always shown."""
    control: ControlKind | None = None
    """Of an untrained model, which is grey and has the dash pattern of the model beside it, or of the logit lens or chance, which are thin."""

    def classes(self, layout: Layout, *, dashed: bool = False) -> str:
        """Of its colour, of its dash pattern if asked for, which together belong to one curve, and of its switch."""
        color, dash = layout.style(self.index)
        color = str(self.control) if self.control in ("random", "layers") else color
        dash = f" dash-{'chance' if self.control == 'chance' else dash}" if dashed else ""
        return f"style-{color}{dash}{f' switch-{self.switch}' if self.switch else ''}"


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the charts of a row have in common."""

    measure: Measure
    layout: Layout
    scale: Scale
    depths: tuple[tuple[float, str], ...]
    """Relative depth and name."""
    places: tuple[float, ...] | None = None
    """How far along the axis each value stands, 0 to 1; None where they are at equal distances."""
    named: Callable[[int], str] = the_depth
    """What a value is of, by its index."""
    shaded: tuple[tuple[float, float], ...] = ()
    """Bands behind the curves, from one relative depth to another."""
    mark: float | None = None
    """The relative depth at which massive activations emerge."""

    @classmethod
    def of(cls, measure: Measure, series: Sequence[Series], **others: Any) -> Axes:
        """As long as the curves require; by default as tall as the names at their ends."""
        scale = Scale.of(measure, [each.reading for each in series])
        return cls(**{"layout": OF_A_MODEL.with_room_for(len(series))} | others, measure=measure, scale=scale)

    def x(self, n: int) -> list[float]:
        """Where each of ``n`` values stands."""
        return [self.layout.x(share) for share in (self.places or np.linspace(0, 1, n).tolist())]

    def heights(self, values: np.ndarray) -> np.ndarray:
        return self.layout.y(self.scale.shares(values))

    def end_of(self, series: Series) -> float | None:
        """The last height of a curve that is defined."""
        heights = self.heights(series.reading.values)
        known = heights[np.isfinite(heights)]
        return float(known[-1]) if len(known) else None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing of one measure, and what stands over and under it."""

    heading: str
    svg: Markup
    caption: str
    switches: frozenset[str]
    """The names of those that show something of it."""
    has_surface: bool
    """Whether it shows what the words' surface gives."""

    @property
    def name(self) -> str:
        """``category-purity``: in an address."""
        return "-".join(re.findall(r"[^\W_]+", self.heading.lower()))

    @property
    def place(self) -> str:
        """Where it stands on its page."""
        return f"curves/{self.name}"


def make_chart(
    axes: Axes,
    series: Sequence[Series],
    *,
    heading: str,
    subject: str = "",
    drawn: Sequence[Series] | None = None,
    caption: str = "",
) -> Chart | None:
    """None where no curve has a point; ``subject``: what is shown, if not the heading; ``drawn``: with a curve, if not all."""
    if not any(each.reading.is_defined for each in series):
        return None
    shown = series if drawn is None else drawn
    alt = alt_text(
        subject or heading, [(each.name, each.reading.values) for each in shown], axes.measure.write, axes.named
    )
    width, height = coordinate(axes.layout.width), coordinate(axes.layout.height)
    lines = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(alt)}">',
        *_ground(axes),
        *_curves(axes, series, shown),
        *_names(axes, shown),
        "</svg>",
    ]
    return Chart(
        heading=heading,
        svg=Markup("\n".join(lines)),
        caption=caption,
        switches=frozenset(name for each in shown for name in (each.switch, "raw" if each.reading.has_raw else "")),
        has_surface=any(each.reading.has_surface for each in series),
    )


def switches_of(charts: Iterable[Chart]) -> dict[str, str]:
    """What readers add to these charts, as far as they have it: name → label, in their order."""
    found = frozenset[str]().union(*(chart.switches for chart in charts))
    return {name: label for name, label in SWITCHES.items() if name in found}


def _ground(axes: Axes) -> Iterator[str]:
    """What lies behind the curves: bands, and what both axes name."""
    layout = axes.layout
    for first, last in axes.shaded:
        left, right = layout.x(first), layout.x(last)
        place = f'x="{coordinate(left)}" y="{coordinate(layout.top)}" width="{coordinate(right - left)}"'
        yield f'<rect class="band shaded" {place} height="{float(layout.bottom - layout.top)}"/>'
    ticks = [(coordinate(float(layout.y(np.array(share)))), text) for share, text in axes.scale.ticks()]
    start, width = coordinate(layout.left), coordinate(layout.right - layout.left)
    yield f'<path class="grid-line" d="{"".join(f"M{start} {y}h{width}" for y, _ in ticks)}"/>'
    for y, text in ticks:
        yield f'<text x="{coordinate(layout.left - 5)}" y="{y}" dy="4" text-anchor="end">{escape(text)}</text>'
    for index, (share, text) in enumerate(axes.depths):
        anchor = "start" if index == 0 else "end" if index == len(axes.depths) - 1 else "middle"
        place = f'x="{coordinate(layout.x(share))}" y="{coordinate(layout.bottom)}"'
        yield f'<text {place} dy="17" text-anchor="{anchor}">{escape(text)}</text>'


def _across(layout: Layout, kind: str, height: float) -> str:
    y = coordinate(height)
    return f'<line class="{kind}" x1="{coordinate(layout.left)}" x2="{coordinate(layout.right)}" y1="{y}" y2="{y}"/>'


def _curves(axes: Axes, series: Sequence[Series], shown: Sequence[Series]) -> Iterator[str]:
    """Intervals lie under all lines, and lines of the states as they are under the others."""
    layout, found = axes.layout, [(each, paths(axes, each)) for each in shown]
    for kind in ("interval", "templates"):
        for each, own in found:
            if own[kind]:
                yield f'<path class="{kind} {each.classes(layout)}" d="{own[kind]}"/>'
    yield from (_across(layout, "chance", height) for height in axes.heights(_dotted(series)).tolist())
    # One value for all: contexts and models differ in their tokens at most.
    surface = [each.reading.surface for each in series if each.reading.has_surface]
    for height in axes.heights(np.array([np.mean(surface)] if surface else [])).tolist():
        yield _across(layout, "chance surface", height)
    if axes.mark is not None:
        x = coordinate(layout.x(axes.mark))
        yield f'<line class="mark" x1="{x}" x2="{x}" y1="{float(layout.top - 4)}" y2="{coordinate(layout.bottom)}"/>'
    for each, own in found:
        if own["raw"]:
            switch = "" if each.switch else " switch-raw"
            yield f'<path class="curve raw {each.classes(layout)}{switch}" d="{own["raw"]}"/>'
    for each, own in found:
        thin = " raw" if each.control in ("first", "logit", "chance") else ""
        yield f'<path class="curve{thin} {each.classes(layout, dashed=True)}" d="{own["line"]}"/>'


def paths(axes: Axes, series: Series) -> dict[str, str | None]:
    """Path data of a curve, ``line``; and of its ``interval``, of its ``templates``, a stroke per depth, and of ``raw``, as far as it has them."""
    reading = series.reading
    x = axes.x(len(reading.values))
    return {
        "line": path(x, axes.heights(reading.values).tolist()),
        "interval": outline(x, *map(axes.heights, reading.interval)) if reading.interval else None,
        "templates": (strokes(x, *map(axes.heights, reading.templates)) or None) if reading.templates else None,
        "raw": path(x, axes.heights(reading.raw).tolist()) if reading.raw is not None and reading.has_raw else None,
    }


def _dotted(series: Sequence[Series]) -> np.ndarray:
    """Thresholds, and what the measure is by chance, the mean over depths and captures, unless that has a curve."""
    values = sorted({threshold for each in series for threshold in each.reading.thresholds})
    chances = [each.reading.chance for each in series if each.reading.chance is not None]
    known = np.concatenate([*chances, np.empty(0)])
    if np.isfinite(known).any() and not any(each.control == "chance" for each in series):
        values.append(float(np.nanmean(known)))
    return np.array(values)


def _names(axes: Axes, series: Sequence[Series]) -> Iterator[str]:
    """At the curves' ends, apart from each other; leaders lead to them."""
    layout = axes.layout
    named = [(each, end) for each in series if each.label and (end := axes.end_of(each)) is not None]
    places = spread_out([end for _, end in named], gap=NAME_GAP, top=layout.top, bottom=layout.bottom)
    for (each, end), place in zip(named, places, strict=True):
        classes, x = each.classes(layout), layout.right + layout.name_at
        if layout.has_leaders:
            yield f'<path class="leader {classes}" d="M{layout.right + 2:.1f} {end:.1f}L{x - 3:.1f} {place:.1f}"/>'
        text = escape(layout.short(each.label))
        yield f'<text class="end {classes}" x="{coordinate(x)}" y="{coordinate(place)}" dy="4">{text}</text>'


# --- in words, for those who don't see them ----------------------------------------------------------------------------


def alt_text(
    subject: str,
    curves: Sequence[tuple[str, np.ndarray]],
    write: Callable[[float], str],
    named: Callable[[int], str] = the_depth,
) -> str:
    """What a chart's curves say: where each begins and ends, and its extremes between."""
    return " ".join([f"{subject}.", *(said(name, values, write, named) for name, values in curves)])


def said(name: str, values: np.ndarray, write: Callable[[float], str], named: Callable[[int], str] = the_depth) -> str:
    """One curve in words."""
    return f"{name}: {_course(values, write, named)}."


def _course(values: np.ndarray, write: Callable[[float], str], named: Callable[[int], str]) -> str:
    known = np.flatnonzero(np.isfinite(values)).tolist()
    if not known:
        return "not defined"
    if len(known) > 1 and len({write(value) for value in values[known].tolist()}) == 1:
        return f"{write(values[known[0]])} throughout"
    ends = dict.fromkeys((known[0], known[-1]))
    extremes = (("lowest", known[np.argmin(values[known])]), ("highest", known[np.argmax(values[known])]))
    parts = [f"{write(values[depth])} at {named(depth)}" for depth in ends]
    parts += [f"{name} {write(values[depth])} at {named(depth)}" for name, depth in extremes if depth not in ends]
    return joined(parts)


# --- a model's page --------------------------------------------------------------------------------------------------


def model_charts(model: ModelReport, related: Sequence[Measure] = ()) -> dict[str, Any] | None:
    """A chart per measure, with a curve per context, and how they are read; None where nothing was measured.

    ``related``: those of the report's relations and orders.
    """
    measured = [(context, context.geometry) for context in model.captures if context.geometry is not None]
    if not measured:
        return None
    contexts = [context for context, _ in measured]
    charts = charts_over_depth(model, (*WITHIN_A_MODEL, *related, *added_measures(contexts)))
    emerged = [each.states.context.label for each, own in measured if own.massive.emergence_depth is not None]
    of_which = f" of the words {contexts[0].states.context.label}" if len(measured) > 1 else ""
    where = f" in the words {emerged[0]}" if emerged and len(measured) > 1 else ""
    line = f"The vertical line marks where massive activations emerge{where}. " if emerged else ""
    beside = notes.over_templates(contexts) + notes.controls_noted(contexts)
    bands = f"Light bands are 95{NBSP}% intervals{' over words' if beside else ''}"
    if any(context.rule for context in contexts):
        bands += ", for the unchanged model only"
    change = notes.without_change(measured[0][1])
    return {
        "guide": f"Shaded: the stages{of_which}. {line}{bands}.{beside}",
        "note": "".join(
            [*starmap(notes.announced, measured), *starmap(notes.without_neighbours, measured), change]
        ).strip(),
        # For those who add the curves without scaling.
        "scaling": "".join(starmap(notes.unscaled, measured)).strip(),
        "charts": charts,
        "switches": switches_of(charts),
    }


def charts_over_depth(model: ModelReport, measures: Sequence[Measure]) -> tuple[Chart, ...]:
    """A chart per measure that has a value, with a curve per capture that was measured; at least one was."""
    measured = [(context, context.geometry) for context in model.captures if context.geometry is not None]
    contexts, geometries = [context for context, _ in measured], [geometry for _, geometry in measured]
    first = geometries[0]
    last = len(first.purity.value) - 1
    emerged = (each.massive.emergence_depth for each in geometries)
    mark = next((relative_depth(depth, last) for depth in emerged if depth is not None), None)
    stages = tuple(_band(each.first_depth, each.last_depth, last) for each in first.stages[::2])
    common = {
        "layout": OF_A_MODEL.with_room_for(len(measured) + 2 * any(context.untrained for context in contexts)),
        "depths": ends(last),
        "shaded": stages,
        "mark": mark,
    }
    charts = []
    for measure in measures:
        series = _of_contexts(measure, contexts)
        caption = measure.explained(geometries)
        caption += " Thin: without scaling, where that differs." if any(each.reading.has_raw for each in series) else ""
        caption += SURFACE if any(each.reading.has_surface for each in series) else ""
        charts.append(make_chart(Axes.of(measure, series, **common), series, heading=measure.name, caption=caption))
    return tuple(filter(None, charts))


def chart_of(measure: Measure, readings: Sequence[tuple[str, Reading]], *, shaded: Sequence[int] = ()) -> Chart | None:
    """A curve per name and reading, and bands behind them at shaded depths; None where no curve has a point."""
    series = [Series(name=name, label=name, index=index, reading=each) for index, (name, each) in enumerate(readings)]
    last = len(readings[0][1].values) - 1
    axes = Axes.of(measure, series, depths=ends(last), shaded=tuple(_band(depth, depth, last) for depth in shaded))
    return make_chart(axes, series, heading=measure.name, caption=measure.caption)


def _band(first: int, last: int, deepest: int) -> tuple[float, float]:
    """From half a depth before the first to half a depth after the last."""
    return relative_depth(max(first - 0.5, 0.0), deepest), relative_depth(min(last + 0.5, deepest), deepest)


def _of_contexts(measure: Measure, contexts: Sequence[ContextReport]) -> tuple[Series, ...]:
    names = [capitalized(context.states.context.label) for context in contexts]
    models = [
        Series(
            name=name,
            label=short_label(context) if len(contexts) > 1 else "",
            index=index,
            reading=reading if context.rule is None else replace(reading, interval=None),
            switch="" if context.rule is None else "changed",
        )
        for index, (name, context) in enumerate(zip(names, contexts, strict=True))
        if (reading := measure.reading(context))
    ]
    controls = (
        of_controls(measure, context, index, name, named=index == 0)
        for index, (name, context) in enumerate(zip(names, contexts, strict=True))
    )
    return (*models, *(each for own in controls for each in own))


def of_controls(measure: Measure, context: ContextReport, index: int, name: str, *, named: bool) -> Iterator[Series]:
    """Curves of a context's untrained models; ``index``, ``name``: of the model's own; ``named``: at their ends."""
    for kind, reading in measure.of_controls(context).items():
        label = CONTROL_NAMES[kind]
        yield Series(
            name=f"{name}, {label}",
            label=label if named else "",
            index=index,
            reading=reading,
            switch={"logit": "logit", "chance": ""}.get(kind, "untrained"),
            control=kind,
        )


def short_label(context: ContextReport) -> str:
    """What fits at a curve's end, and tells it from its neighbours."""
    return _SHORT.get(context.rule or "") or context.states.context.label
