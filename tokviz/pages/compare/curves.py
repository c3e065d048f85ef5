"""The compare page's charts: a row per measure, with a chart per context and in it a curve per model.

Of many models the page has the curves of the first ones; those of all stand in scripts, from which a reader chooses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokviz.pages.charts.axis import relative_depths
from tokviz.pages.charts.curves import SURFACE, Axes, Chart, Series, make_chart, of_controls, paths, said, switches_of
from tokviz.pages.charts.measures import BETWEEN_MODELS, added_measures, lens_measures, related_measures
from tokviz.pages.charts.notes import controls_noted, over_templates
from tokviz.pages.charts.reading import Measure
from tokviz.pages.charts.scale import NAME_GAP, OF_ALL_MODELS
from tokviz.pages.charts.word_by_word import BANDS, BETWEEN, charts_between
from tokviz.pages.compare.differing import Differing, short_of
from tokviz.pages.model.lens import has_lens, limits
from tokviz.pages.text import data_text
from tokviz.pages.text.extent import end_name
from tokviz.records import ModelReport, Report

MOST_DRAWN = OF_ALL_MODELS.n_styles
"""Curves in a chart as the page opens: as many as there are colours."""
MOST_WITH_CONTROLS = 4
"""Of so many models the curves of their untrained controls are drawn, too."""
MOST_AT_ONCE = 12
"""Curves that a reader can have in a chart: as many names as fit at their ends."""


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A chart, what it shows in words, and by model's number the curves that it could have."""

    chart: Chart
    subject: str
    curves: dict[int, dict[str, Any]]


def compare_curves(report: Report, found: Differing) -> dict[str, Any]:
    """Charts of all models that were measured; no rows where nothing was.

    A row is a measure of all models: one chart per context, on one scale. ``n_open`` of them are in sight: what models differ in, the
    first measure, and the second where a sentence is about it. Where readers choose from more curves than are drawn, ``choice`` is what
    the script needs, and ``scripts`` by slug what a model's script has for the charts; else both are empty.
    """
    models = [model for model in report.models if any(context.geometry for context in model.contexts)]
    names = dict(zip((each.name for each in report.models), short_of(report.models), strict=True))
    measured = [context.geometry for model in models for context in model.contexts if context.geometry]
    related = related_measures(report.relations, report.orders)
    added = added_measures(context for model in models for context in model.contexts)
    shown = (*BETWEEN_MODELS, *related, *lens_measures(report.relations), *added)
    made = [(measure, _charts(report, measure, models, names)) for measure in shown]
    charts = [each for _, of_measure in made for each in of_measure]
    few = len(models) <= MOST_DRAWN
    # The field of ``PairedMeasures`` that the sentence on a context is about, by its name.
    about = {each.standing.context.name: each.standing.measure for each in found.contexts}
    rows = _word_by_word(report, about, names) if len(models) <= MOST_WITH_CONTROLS else []
    n_open = len(rows) + (2 if rows and "silhouette" in about.values() else 1)
    for measure, of_measure in made:
        surface = SURFACE if any(each.chart.has_surface for each in of_measure) else ""
        if of_measure:
            caption, drawn = measure.explained(measured) + surface, [each.chart for each in of_measure]
            rows.append({"name": measure.name, "caption": caption, "charts": drawn})
    return {
        "rows": rows,
        "n_open": n_open,
        "note": _note(models),
        # Of each model its color's and its dash pattern's numbers, and whether the page has its curves as it opens.
        "legend": [(model, OF_ALL_MODELS.style(index), index < MOST_DRAWN) for index, model in enumerate(models)],
        "choice": "" if few else _choice([each.subject for each in charts]),
        "scripts": {}
        if few
        else {model.slug: _script(index, names[model.name], charts) for index, model in enumerate(models)},
        # The captures that they leave out.
        "unmeasured": [
            f"{model.display_name} ({context.states.context.label})"
            for model in report.models
            for context in model.contexts
            if context.geometry is None
        ],
        "switches": switches_of(each.chart for each in charts),
    }


def _word_by_word(report: Report, measures: Mapping[str, str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row by the measure that the sentence on a context is about; none where models weren't compared so."""
    charts = charts_between(report, measures, names, relative_depths(end_name(report)))
    each = (
        " Each context is shown by the measure that its sentence is about." if len(set(measures.values())) > 1 else ""
    )
    caption = f"The first model less the second, at equal relative depth. {BANDS}{each}"
    return [{"name": BETWEEN, "caption": caption, "charts": charts}] if charts else []


def _note(models: Sequence[ModelReport]) -> str:
    contexts = [context for model in models for context in model.contexts]
    grey = controls_noted(contexts) if len(models) <= MOST_WITH_CONTROLS else ""
    lens = f" {limits(contexts)}" if any(has_lens(each) for each in contexts) else ""
    return (over_templates(contexts) + grey + lens).strip()


def _charts(report: Report, measure: Measure, models: Sequence[ModelReport], names: Mapping[str, str]) -> list[_Made]:
    """The charts of a row."""
    per_context = [(context.label, _series(measure, models, names, context.name)) for context in report.contexts]
    everywhere = [each for _, series in per_context for each in series]
    layout = OF_ALL_MODELS.with_room_for(min(len(models), MOST_AT_ONCE))
    axes = Axes.of(measure, everywhere, layout=layout, depths=relative_depths(end_name(report)))
    made = []
    for label, series in per_context:
        subject = f"{measure.name} over relative depth, words {label}"
        drawn = [each for each in series if each.index < MOST_DRAWN]
        chart = make_chart(axes, series, heading=label, subject=subject, drawn=drawn)
        if chart is not None:
            curves = {} if len(models) <= MOST_DRAWN else {each.index: _curve(axes, each) for each in series}
            made.append(_Made(chart=chart, subject=subject, curves=curves))
    return made


def _series(
    measure: Measure, models: Sequence[ModelReport], names: Mapping[str, str], context_name: str
) -> tuple[Series, ...]:
    found = [
        (index, model, context, reading)
        for index, model in enumerate(models)
        for context in model.contexts
        if context.states.context.name == context_name and (reading := measure.reading(context))
    ]
    # Of many models each has its own on its page.
    with_controls = found if len(models) <= MOST_WITH_CONTROLS else []
    controls = [
        each
        for place, (index, model, context, _) in enumerate(with_controls)
        for each in of_controls(measure, context, index, model.display_name, named=place == 0)
    ]
    return (
        *(
            Series(name=model.display_name, label=names[model.name], index=index, reading=replace(reading, raw=None))
            for index, model, _, reading in found
        ),
        *controls,
    )


# --- what a reader chooses from --------------------------------------------------------------------------------------


def _script(index: int, name: str, charts: Sequence[_Made]) -> dict[str, Any]:
    """The model's name at the ends of its curves, its look, and its curve in each chart of the page; None where it has none."""
    style, dash = OF_ALL_MODELS.style(index)
    curves = [each.curves.get(index) for each in charts]
    return {"name": OF_ALL_MODELS.short(name), "style": style, "dash": dash, "charts": curves}


def _curve(axes: Axes, series: Series) -> dict[str, Any]:
    """A curve as it would be in the page, where it ends, and what the chart's description says of it."""
    curve, end = paths(axes, series), axes.end_of(series)
    return {
        **{kind: curve[kind] for kind in ("line", "interval", "templates")},
        "end": None if end is None else round(end, 1),
        "said": said(series.name, series.reading.values, axes.measure.write),
    }


def _choice(subjects: list[str]) -> str:
    """``subjects``: what each chart shows."""
    layout = OF_ALL_MODELS.with_room_for(MOST_AT_ONCE)
    places = {name: getattr(layout, name) for name in ("right", "name_at", "top", "bottom")}
    return data_text.embedded({"most": MOST_AT_ONCE, "places": {**places, "gap": NAME_GAP}, "subjects": subjects})
