"""Places of the report as an essay shows them: plots to step through or side by side, a grid, a chart, a finding."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from markupsafe import Markup, escape

from tokviz.pages.charts.curves import Chart, model_charts
from tokviz.pages.charts.measures import related_measures
from tokviz.pages.essay.asked import PlaceError, Plots, among, depths_of, parse, shown_part
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.pictures import Shown
from tokviz.pages.text.extent import span
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.wording import count, joined, projection_label
from tokviz.records import ContextReport, EssayPlace, ModelReport, ProjectionReport, Report, depth_name
from tokviz.text import isolated, shown

Value = TypeVar("Value")

MOST_ON_PAPER = 6
"""So many plots of one place are printed."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One plot of several, or a grid."""

    name: str
    """``layer 6``, after model and words where these differ from plot to plot; empty of a grid."""
    href: str
    """Its place on the model's page."""
    picture: Picture | None
    problem: str
    """Why there would be none."""
    is_on_paper: bool = True

    @classmethod
    def of(cls, view: Shown, depth: int, name: str, *, is_on_paper: bool = True) -> Frame:
        href = _address(view, view.slide_id(depth))
        picture, problem = view.plate(depth), view.problem(depth)
        return cls(name=name, href=href, picture=picture, problem=problem, is_on_paper=is_on_paper)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A place of the report within an essay."""

    label: str
    """What it is of, for those who don't see it."""
    caption: Markup
    """The author's text, else what is tested of it."""
    source: Link
    """The page that it is of, and what is plotted."""
    frames: tuple[Frame, ...] = ()
    are_beside: bool = False
    """Side by side, not one after the other."""
    is_wide: bool = False
    """Whether it needs all of the page's width."""
    chart: Chart | None = None
    unprinted: str = ""
    """How many plots aren't printed."""
    first: int = 0
    """The plot that it opens at where it is taken away."""
    problem: str = ""
    """Why it has no plots there."""


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A place that isn't there since its model failed."""

    caption: Markup
    reason: str


def figure(report: Report, place: EssayPlace, page: str) -> Figure | Lost:
    """What the page shows of a place; ``PlaceError`` where the report doesn't have it, although nothing failed."""
    models = {model.slug: model for model in report.models}
    asked, first = parse(place.target), next(iter(models), "")
    # Places of no named model are those of the first one.
    plots = tuple(replace(each, slug=each.slug or first) for each in asked.plots)
    asked = replace(asked, slug=asked.slug or first if asked.kind == "chart" else "", plots=plots)
    if not models and asked.kind != "finding":
        raise PlaceError(
            f"expected a model whose plots can be shown, got none in this report for {shown(place.target)}"
        )
    for slug in asked.slugs:
        if slug not in models:
            raise PlaceError(f"no model {shown_part(slug)}{among(slug, models)}")
    failed = next((each.failure for slug in asked.slugs if (each := models[slug]).failure), None)
    if failed:
        return Lost(caption=Markup(place.caption), reason=failed)
    if asked.kind == "finding":
        return _of_finding(report, int(asked.name), place, page)
    if asked.kind == "chart":
        return _of_chart(report, models[asked.slug], asked.name, place, page)
    views = [(each, _view(report, models[each.slug], each, page)) for each in plots]
    if asked.kind == "grid":
        return _of_grid(views[0][1], place)
    places = [(view, depth) for each, view in views for depth in depths_of(each, view.context.states.n_depths)]
    return _of_plots(places, place.caption, are_beside=asked.are_beside)


def _view(report: Report, model: ModelReport, plots: Plots, page: str) -> Shown:
    drawn = {context.states.context.name: context for context in model.drawn}
    context = _known(drawn, plots.context, f"words {{}} of {plots.slug}")
    projections = {each.projection.name: each for each in context.projections}
    first = next(iter(projections))
    projection: ProjectionReport = _known(projections, plots.projection or first, f"projection {{}} of {plots.slug}")
    return Shown(report=report, model=model, context=context, shown=projection, page=page)


def _known(values: dict[str, Value], name: str, what: str) -> Value:
    if name not in values:
        raise PlaceError(f"no {what.format(shown_part(name))}{among(name, values)}")
    return values[name]


# --- plots -------------------------------------------------------------------------------------------------------


def _of_plots(places: Sequence[tuple[Shown, int]], caption: str, *, are_beside: bool) -> Figure:
    views = [view for view, _ in places]
    names = [_what_differs(views, view, depth) for view, depth in places]
    printed = set(np.linspace(0, len(places) - 1, min(len(places), MOST_ON_PAPER)).round().astype(int).tolist())
    frames = tuple(
        Frame.of(view, depth, name, is_on_paper=index in printed)
        for index, (name, (view, depth)) in enumerate(zip(names, places, strict=True))
    )
    n_unprinted = len(frames) - len(printed)
    return Figure(
        label=f"{_models(views)}, {joined(dict.fromkeys(names[:1] + names[-1:]))}",
        caption=Markup(caption) or escape(_tested(places)),
        source=Link(text=_what_is_alike(views), href=frames[0].href),
        frames=frames,
        are_beside=are_beside,
        unprinted=f"{count(n_unprinted, 'plot')} more on the page itself." if n_unprinted else "",
    )


def _what_differs(views: Sequence[Shown], view: Shown, depth: int) -> str:
    """A plot's name: its depth, after model, words and projection where the plots have several."""
    parts = {
        view.model.display_name: {each.model.slug for each in views},
        view.context.states.context.label: {each.context.states.context.name for each in views},
        f"{projection_label(view.shown.projection.name)} PCA": {each.shown.projection.name for each in views},
    }
    return ", ".join([*(name for name, several in parts.items() if len(several) > 1), depth_name(depth)])


def _models(views: Iterable[Shown]) -> str:
    return joined(dict.fromkeys(isolated(each.model.display_name) for each in views))


def _what_is_alike(views: Sequence[Shown]) -> str:
    """Of which models the plots are, and of which words and projection, where all have the same: else each says it."""
    words = {isolated(each.context.states.context.label) for each in views}
    kinds = {projection_label(each.shown.projection.name) for each in views}
    parts = [
        *(f"words {each}" for each in words if len(words) == 1),
        *(f"{each} PCA" for each in kinds if len(kinds) == 1),
    ]
    return ", ".join([_models(views), *parts])


def _address(view: Shown, place: str) -> str:
    return relative(view.page, f"{model_path(view.model.slug)}#{place}")


def _tested(places: Sequence[tuple[Shown, int]]) -> str:
    """What is announced of one of these plots and can be seen in it; nothing where nothing is."""
    view, _ = places[0]
    if any(each.model.slug != view.model.slug for each, _ in places):
        return ""
    for found in findings(view.report, [view.model]):
        if found.is_announced and any(_shows(each, depth, found) for each, depth in places):
            return f"{found.sentence} {found.said}"
    return ""


def _shows(view: Shown, depth: int, found: Found) -> bool:
    is_there = (view.context.states.context, depth) == (found.context.states.context, found.depth)
    return is_there and found.projection in (None, view.shown.projection.name)


def _of_grid(view: Shown, place: EssayPlace) -> Figure:
    frame = Frame(name="", href=_address(view, view.grid_id), picture=view.grid, problem="There is no grid.")
    said = f"All layers in the embedding’s axes, {span(view.report)}."
    return Figure(
        label=f"{_models([view])}, {view.heading}: grid",
        caption=Markup(place.caption) or escape(said),
        source=Link(text=_what_is_alike([view]), href=frame.href),
        frames=(frame,),
        is_wide=True,
    )


# --- charts and findings -----------------------------------------------------------------------------------------


def _of_chart(report: Report, model: ModelReport, name: str, place: EssayPlace, page: str) -> Figure:
    made = model_charts(model, related_measures(report.relations, report.orders)) or {"charts": (), "guide": ""}
    charts: dict[str, Chart] = {each.name: each for each in made["charts"]}
    chart = _known(charts, name, f"chart {{}} on the page of {model.slug}")
    href = relative(page, f"{model_path(model.slug)}#{chart.place}")
    return Figure(
        label=f"{chart.heading} of {isolated(model.display_name)}",
        caption=Markup(place.caption) or escape(f"{chart.caption} {made['guide']}"),
        source=Link(text=isolated(model.display_name), href=href),
        chart=chart,
    )


def _of_finding(report: Report, number: int, place: EssayPlace, page: str) -> Figure:
    found = findings(report)
    if number > len(found):
        known = f"finding-1 … finding-{len(found)}" if len(found) > 1 else f"finding-{len(found)}" if found else "none"
        raise PlaceError(f"no finding-{number} on the first page; known: {known}")
    said = found[number - 1]
    own = place.caption or str(escape(f"{said.sentence} {said.said}".strip()))
    return _of_plots(_seen(report, said, page), own, are_beside=bool(said.beside or said.other))


def _seen(report: Report, said: Found, page: str) -> list[tuple[Shown, int]]:
    """The plots that show a finding: of one about all depths each of them."""

    def view(model: ModelReport, context: ContextReport) -> Shown:
        projections = {each.projection.name: each for each in context.drawn_projections or context.projections}
        chosen = projections.get(said.projection or "") or next(iter(projections.values()))
        return Shown(report=report, model=model, context=context, shown=chosen, page=page)

    own = view(said.model, said.context)
    depths = range(own.context.states.n_depths) if said.depth is None else [said.depth]
    places = [(own, depth) for depth in depths]
    if said.beside:
        places += [(view(said.model, said.beside), depth) for depth in depths]
    name = said.context.states.context.name
    others = said.other.contexts if said.other else ()
    if said.other and (context := next((each for each in others if each.states.context.name == name), None)):
        scale = (context.states.n_depths - 1) / max(own.context.states.n_depths - 1, 1)
        places += [(view(said.other, context), math.floor(depth * scale + 0.5)) for depth in depths]
    return places
