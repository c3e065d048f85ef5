"""Measures over depth as small charts, and those of a model's contexts, for its own page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.pages.charts.alt import alt_text
from tokviz.pages.charts.axis import Band, coordinate, ends, path, relative_depth, strokes
from tokviz.pages.charts.measures import WITHIN_A_MODEL, ControlKind, Measure, Reading, added_measures
from tokviz.pages.charts.notes import announced, controls_noted, not_given, over_templates, unscaled
from tokviz.pages.charts.scale import NAME_GAP, OF_A_MODEL, Layout, Scale, outline, spread_out
from tokviz.pages.charts.switches import Switch, switches_of
from tokviz.pages.text.wording import NBSP, capitalized, the_depth
from tokviz.records import ContextReport, Geometry, ModelReport

# --- what the templates show -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text in a chart; lengths, here as below, in the chart's own units."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A measure of one model in one context."""

    style: str
    """Number of its colour, from ``0``."""
    dash: str
    """Number of its dash pattern; colour and pattern together belong to one curve."""
    line: str
    """Path data; breaks where the measure isn't defined."""
    raw: str | None
    """Path data of the same measure of the states as they are, where it differs."""
    interval: str | None
    """Path data of the 95 % interval."""
    templates: str | None
    """Path data of a stroke per depth, from the lowest to the highest value among the context's templates."""
    switch: str
    """Of the name of the switch that shows it; empty where it is always shown."""
    is_thin: bool
    name: Label | None
    """At the curve's end."""
    leader: str | None
    """Path data from the curve's end to its name."""

    @property
    def switches(self) -> tuple[str, ...]:
        """The names of the switches that show something of it."""
        return (self.switch, "raw" if self.raw else "")


@dataclass(frozen=True, kw_only=True)
class ChartFrame:
    """A drawing, and the rectangle in it that the curves fill."""

    width: str
    height: str
    left: str
    right: str
    top: str
    bottom: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One measure over depth."""

    heading: str
    alt: str
    """What the curves say, in words."""
    frame: ChartFrame
    depths: tuple[Label, ...]
    values: tuple[Label, ...]
    """Along the vertical axis; each has a line."""
    dotted: tuple[str, ...]
    """Heights of thresholds, and of what the measure is by chance."""
    dashed: tuple[str, ...]
    """Heights of what the words' surface gives."""
    curves: tuple[Curve, ...]
    caption: str = ""
    stages: tuple[Band, ...] = ()
    emergence: str | None = None
    """Where massive activations emerge."""


@dataclass(frozen=True, kw_only=True)
class ModelCharts:
    """All that was measured in a model's contexts."""

    guide: str
    """How to read them."""
    note: str
    """What they show; empty where nothing is to be said."""
    scaling: str
    """What a reader sees who adds the curves without scaling; empty where that is nothing."""
    charts: tuple[Chart, ...]

    @property
    def switches(self) -> tuple[Switch, ...]:
        """What readers add to the charts, as far as these have it."""
        return switches_of(name for chart in self.charts for curve in chart.curves for name in curve.switches)

    @property
    def in_sight(self) -> tuple[Chart, ...]:
        """The first ones; the others are folded."""
        return self.charts[:MOST_IN_SIGHT]

    @property
    def folded(self) -> tuple[Chart, ...]:
        """All after them."""
        return self.charts[MOST_IN_SIGHT:]


MOST_IN_SIGHT = 3
"""Charts of a model's page that are seen at first."""


# --- a model's page ----------------------------------------------------------------------------------------------------


SURFACE = " Dashed: the words’ surface, without any model."


def model_charts(model: ModelReport, related: Sequence[Measure] = ()) -> ModelCharts | None:
    """A chart per measure, with a curve per context; None where nothing was measured.

    Parameters
    ----------
    related : those of the report's relations and orders.
    """
    measured = [(context, context.geometry) for context in model.captures if context.geometry is not None]
    if not measured:
        return None
    contexts = [context for context, _ in measured]
    charts = charts_over_depth(model, (*WITHIN_A_MODEL, *related, *added_measures(contexts)))
    emerged = any(geometry.massive.emergence_depth is not None for _, geometry in measured)
    of_which = f" of the words {measured[0][0].states.context.label}" if len(measured) > 1 else ""
    line = f"The vertical line marks where massive activations emerge{_emerging(measured)}. " if emerged else ""
    beside = over_templates(contexts) + controls_noted(contexts)
    bands = f"Light bands are 95{NBSP}% intervals{' over words' if beside else ''}"
    if any(context.rule for context, _ in measured):
        bands += ", for the unchanged model only"
    return ModelCharts(
        guide=f"Shaded: the stages{of_which}. {line}{bands}.{beside}",
        note=f"{announced(measured)}{not_given(measured)}".strip(),
        scaling=unscaled(measured).strip(),
        charts=charts,
    )


def charts_over_depth(model: ModelReport, measures: Sequence[Measure]) -> tuple[Chart, ...]:
    """A chart per measure that has a value, with a curve per capture that was measured; at least one was."""
    measured = [(context, context.geometry) for context in model.captures if context.geometry is not None]
    contexts, first = [context for context, _ in measured], measured[0][1]
    last = len(first.purity.value) - 1
    emerged = (geometry.massive.emergence_depth for _, geometry in measured)
    mark = next((coordinate(OF_A_MODEL.x(relative_depth(depth, last))) for depth in emerged if depth is not None), None)
    charts, n_names = [], len(measured) + 2 * any(context.untrained for context in contexts)
    for measure in measures:
        series = _of_contexts(measure, contexts)
        axes = Axes.of(measure, series, OF_A_MODEL.with_room_for(n_names), ends(last))
        if chart := make_chart(axes, series, heading=measure.name, subject=measure.name):
            caption = measure.explained(first)
            caption += " Thin: without scaling, where that differs." if any(curve.raw for curve in chart.curves) else ""
            caption += SURFACE if chart.dashed else ""
            charts.append(replace(chart, caption=caption, stages=_stages(first, OF_A_MODEL), emergence=mark))
    return tuple(charts)


def chart_of(measure: Measure, curves: Sequence[tuple[str, np.ndarray]], shaded: Sequence[int] = ()) -> Chart | None:
    """One chart with a curve per name and values, ``(n_depths,)``; None where no curve has a point.

    Parameters
    ----------
    shaded : depths with a band behind the curves.
    """
    series = tuple(
        Series(
            name=name,
            label=name,
            index=index,
            reading=Reading(values=values, interval=None, chance=None, thresholds=()),
        )
        for index, (name, values) in enumerate(curves)
    )
    last = len(curves[0][1]) - 1
    axes = Axes.of(measure, series, OF_A_MODEL.with_room_for(len(series)), ends(last))
    chart = make_chart(axes, series, heading=measure.name, subject=measure.name)
    bands = tuple(_band(depth, depth, last, OF_A_MODEL, shaded=True) for depth in shaded)
    return None if chart is None else replace(chart, caption=measure.caption, stages=bands)


def _emerging(measured: Sequence[tuple[ContextReport, Geometry]]) -> str:
    """In which context the line is drawn, if there are several."""
    found = (context.states.context.label for context, each in measured if each.massive.emergence_depth is not None)
    return f" in the words {next(found)}" if len(measured) > 1 else ""


def _of_contexts(measure: Measure, contexts: Sequence[ContextReport]) -> tuple[Series, ...]:
    labels = [context.states.context.label for context in contexts]
    models = [
        Series(
            name=capitalized(label),
            label=_short_label(context) if len(contexts) > 1 else "",
            index=index,
            reading=reading if context.rule is None else replace(reading, interval=None),
            switch="" if context.rule is None else "changed",
        )
        for index, (label, context) in enumerate(zip(labels, contexts, strict=True))
        if (reading := measure.reading(context))
    ]
    controls = (
        of_controls(measure, context, index, capitalized(context.states.context.label), named=index == 0)
        for index, context in enumerate(contexts)
    )
    return (*models, *(each for own in controls for each in own))


CONTROL_NAMES: Mapping[ControlKind, str] = {
    "first": "first sentence",
    "random": "all random",
    "layers": "random layers",
    "logit": "logit lens",
    "chance": "chance",
}
"""At a curve's end."""
_SWITCHES = {"logit": "logit", "chance": ""}


def of_controls(measure: Measure, context: ContextReport, index: int, name: str, *, named: bool) -> Iterator[Series]:
    """Curves of a context's untrained models.

    Parameters
    ----------
    index, name : of the curve of the model itself.
    named : whether they have names at their ends.
    """
    for kind, reading in measure.of_controls(context).items():
        label = CONTROL_NAMES[kind]
        yield Series(
            name=f"{name}, {label}",
            label=label if named else "",
            index=index,
            reading=reading,
            switch=_SWITCHES.get(kind, "untrained"),
            control=kind,
        )


def _short_label(context: ContextReport) -> str:
    """What fits at a curve's end, and tells it from its neighbours."""
    short = {"off": "neurons off", "mean": "at their mean"}.get(context.rule or "")
    return short or context.states.context.label


def _stages(geometry: Geometry, layout: Layout) -> tuple[Band, ...]:
    last = len(geometry.purity.value) - 1
    return tuple(
        _band(stage.first_depth, stage.last_depth, last, layout, shaded=index % 2 == 0)
        for index, stage in enumerate(geometry.stages)
    )


def _band(first: int, last: int, deepest: int, layout: Layout, *, shaded: bool) -> Band:
    """From half a depth before the first to half a depth after the last."""
    left = layout.x(relative_depth(max(first - 0.5, 0.0), deepest))
    right = layout.x(relative_depth(min(last + 0.5, deepest), deepest))
    return Band(name="", left=coordinate(left), width=coordinate(right - left), shaded=shaded)


# --- one chart ---------------------------------------------------------------------------------------------------------


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
    """As in ``Curve``."""
    control: ControlKind | None = None
    """Of an untrained model, which is grey and has the dash pattern of the model beside it, or of the logit lens or chance, which are thin."""


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

    @classmethod
    def of(
        cls, measure: Measure, series: Sequence[Series], layout: Layout, depths: tuple[tuple[float, str], ...]
    ) -> Axes:
        scale = Scale.of(measure, [each.reading for each in series])
        return cls(measure=measure, layout=layout, scale=scale, depths=depths)

    def x(self, n: int) -> list[float]:
        """Where each of ``n`` values stands."""
        return [self.layout.x(share) for share in (self.places or np.linspace(0, 1, n).tolist())]

    def heights(self, values: np.ndarray) -> np.ndarray:
        return self.layout.y(self.scale.shares(values))


def make_chart(
    axes: Axes, series: Sequence[Series], *, heading: str, subject: str, drawn: Sequence[Series] | None = None
) -> Chart | None:
    """None where no curve has a point.

    Parameters
    ----------
    subject : what the description says that the chart shows.
    drawn : those that have a curve, if not all.
    """
    if not any(each.reading.is_defined for each in series):
        return None
    layout = axes.layout
    shown = series if drawn is None else drawn
    return Chart(
        heading=heading,
        alt=alt_text(subject, [(each.name, each.reading.values) for each in shown], axes.measure.write, axes.named),
        frame=_frame(layout),
        depths=tuple(
            Label(x=coordinate(layout.x(share)), y=coordinate(layout.bottom), text=text) for share, text in axes.depths
        ),
        values=tuple(
            Label(x=coordinate(layout.left - 5), y=coordinate(float(layout.y(np.array(share)))), text=text)
            for share, text in axes.scale.ticks()
        ),
        dotted=_dotted(axes, series),
        dashed=_dashed(axes, series),
        curves=_curves(axes, shown),
    )


def _frame(layout: Layout) -> ChartFrame:
    return ChartFrame(
        width=coordinate(layout.width),
        height=coordinate(layout.height),
        left=coordinate(layout.left),
        right=coordinate(layout.right),
        top=coordinate(layout.top),
        bottom=coordinate(layout.bottom),
    )


def _dotted(axes: Axes, series: Sequence[Series]) -> tuple[str, ...]:
    values = sorted({threshold for each in series for threshold in each.reading.thresholds})
    chances = [each.reading.chance for each in series if each.reading.chance is not None]
    known = np.concatenate([*chances, np.empty(0)])
    if np.isfinite(known).any() and not any(each.control == "chance" for each in series):
        values.append(float(np.nanmean(known)))
    return tuple(coordinate(height) for height in axes.heights(np.array(values)).tolist())


def _dashed(axes: Axes, series: Sequence[Series]) -> tuple[str, ...]:
    """One height for all: contexts and models differ in their tokens at most."""
    known = [each.reading.surface for each in series if each.reading.surface is not None]
    found = [each for each in known if np.isfinite(each)]
    return tuple(coordinate(height) for height in axes.heights(np.array([np.mean(found)])).tolist()) if found else ()


def _curves(axes: Axes, series: Sequence[Series]) -> tuple[Curve, ...]:
    layout = axes.layout
    heights = [axes.heights(each.reading.values) for each in series]
    ends = {
        place: end
        for place, (each, own) in enumerate(zip(series, heights, strict=True))
        if each.label and (end := end_of(own)) is not None
    }
    places = spread_out(list(ends.values()), gap=NAME_GAP, top=layout.top, bottom=layout.bottom)
    spots = dict(zip(ends, zip(ends.values(), places, strict=True), strict=True))
    return tuple(
        make_curve(axes, each, own, spots.get(place))
        for place, (each, own) in enumerate(zip(series, heights, strict=True))
    )


def end_of(heights: np.ndarray) -> float | None:
    """The last height that is defined."""
    known = heights[np.isfinite(heights)]
    return float(known[-1]) if len(known) else None


def make_curve(axes: Axes, series: Series, heights: np.ndarray, spot: tuple[float, float] | None) -> Curve:
    """A curve; ``spot`` is where it ends and where its name stands."""
    layout = axes.layout
    x = axes.x(len(heights))
    interval, templates, raw, name, leader = None, None, None, None, None
    if series.reading.raw is not None and np.isfinite(series.reading.raw).any():
        raw = path(x, axes.heights(series.reading.raw).tolist())
    if series.reading.interval:
        low, high = (axes.heights(bound) for bound in series.reading.interval)
        interval = outline(x, low, high)
    if series.reading.templates:
        templates = strokes(x, *(axes.heights(bound) for bound in series.reading.templates)) or None
    if spot:
        end, place = spot
        name = Label(x=coordinate(layout.right + layout.name_at), y=coordinate(place), text=layout.short(series.label))
        if layout.has_leaders:
            leader = f"M{layout.right + 2:.1f} {end:.1f}L{layout.right + layout.name_at - 3:.1f} {place:.1f}"
    style, dash = layout.style(series.index)
    style = str(series.control) if series.control in ("random", "layers") else style
    dash = "chance" if series.control == "chance" else dash
    line = path(x, heights.tolist())
    return Curve(
        style=style,
        dash=dash,
        line=line,
        raw=raw,
        interval=interval,
        templates=templates,
        switch=series.switch,
        is_thin=series.control in ("first", "logit", "chance"),
        name=name,
        leader=leader,
    )
