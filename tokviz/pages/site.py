"""All pages of a site, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tokviz.pages.change.page import change_pages
from tokviz.pages.compare.layers import layers_page
from tokviz.pages.compare.page import compare_page, moved_page
from tokviz.pages.downloads import plots_notebook, tables, word_by_word
from tokviz.pages.excerpt import ESSAY, excerpt_path
from tokviz.pages.explore.page import explore_page
from tokviz.pages.first.page import index_page
from tokviz.pages.frame.frame import MOST_MODELS_IN_NAV, Values, relative
from tokviz.pages.frame.index import with_room_for_phones
from tokviz.pages.frame.look import STYLES, styles
from tokviz.pages.method.page import method_page
from tokviz.pages.model import profile_tables
from tokviz.pages.model.page import model_page
from tokviz.pages.series.page import series_page
from tokviz.pages.text.parts import Link
from tokviz.records import Context, ContextReport, ModelReport, Report, SeriesReport
from tokviz.text import isolated

OF_MODELS = ("model", "series", "change")
"""Templates of the pages of which a report may have many."""
MOVED = "moved"
"""The template of an address that leads to another page."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the site."""

    template: str
    """Without its ending."""
    view: Values
    nav: tuple[Link, ...] = ()
    """The pages that header and footer lead to."""


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """Every page of the site."""

    report: Report
    pages: tuple[Page, ...]
    files: Mapping[str, str]
    """What pages load that only this report has, by its path from the site's root: the author's look, and data."""

    @property
    def sitemap(self) -> list[str]:
        """Whole addresses of all pages but those that lead to others; empty when nobody knows where the site will stand."""
        return [page.view.frame.address for page in self.pages if page.view.frame.address and page.template != MOVED]


def with_downloads(report: Report, *, with_excerpts: bool = False) -> Report:
    """The report with the addresses of the files that are written beside its pages, for these to link to."""
    captured = [(model.slug, each.states.context.name) for model in report.models for each in model.contexts]
    taken = {f"{slug}/{name}/excerpt.html": excerpt_path(slug, name) for slug, name in captured if with_excerpts}
    taken |= {"essay.html": ESSAY} if with_excerpts and report.has_essay else {}
    return replace(
        report,
        downloads=tables.downloads(report.models)
        | taken
        | profile_tables.downloads(report)
        | word_by_word.downloads(report)
        | plots_notebook.downloads(report),
    )


def build(report: Report) -> SiteView:
    """Everything that the pages show, failed models included, as text and links."""
    pages = _pages(with_isolated_names(with_room_for_phones(report)))
    files = {STYLES: look} if (look := styles(report.look)) else {}
    for page in pages:
        files |= getattr(page.view, "scripts", {})
    return SiteView(report=report, pages=pages, files=files)


def _pages(report: Report) -> tuple[Page, ...]:
    """Those that have something to show, each with the header that leads to the others."""
    made = [(template, name, view) for template, name, view in _views(report) if view]
    few = sum(template in OF_MODELS for template, *_ in made) <= MOST_MODELS_IN_NAV
    listed = [(template, name, view.frame.path) for template, name, view in made if name]
    pages = []
    for template, _, view in made:
        own = view.frame.path
        nav = tuple(
            Link(text=name, href=relative(own, path), current=path == own)
            for kind, name, path in listed
            if few or kind not in OF_MODELS or path == own
        )
        pages.append(Page(template=template, view=view, nav=nav))
    return tuple(pages)


def with_isolated_names(report: Report) -> Report:
    """In sentences: the name of a model that ends in Hebrew, and the number after it, would change places."""
    return replace(
        report,
        models=tuple(_isolated_model(model) for model in report.models),
        series=tuple(_isolated_series(series) for series in report.series),
        contexts=tuple(map(_isolated_context, report.contexts)),
    )


def _isolated_model(model: ModelReport) -> ModelReport:
    return replace(model, name=isolated(model.name), contexts=tuple(map(_isolated_capture, model.contexts)))


def _isolated_series(series: SeriesReport) -> SeriesReport:
    checkpoints = tuple(
        replace(each, label=isolated(each.label), model=_isolated_model(each.model)) for each in series.checkpoints
    )
    return replace(series, name=isolated(series.name), checkpoints=checkpoints)


def _isolated_capture(capture: ContextReport) -> ContextReport:
    states = replace(capture.states, context=_isolated_context(capture.states.context))
    return replace(capture, states=states, interventions=tuple(map(_isolated_capture, capture.interventions)))


def _isolated_context(context: Context) -> Context:
    return replace(context, label=isolated(context.label))


def _views(report: Report) -> Iterator[tuple[str, str | None, Values | None]]:
    """Of each page its template, its name in the header of all pages, and its record, in the order of header and sitemap.

    The name is None where the header doesn't lead to it, the record where there is nothing for it to show.
    """
    yield "index", "Overview", index_page(report)
    for model in report.models:
        yield "model", model.display_name, model_page(report, model)
    for page in change_pages(report):
        yield "change", page.nav, page
    for series in report.series:
        yield "series", series.name, series_page(report, series)
    yield "compare", "Compare", compare_page(report)
    yield MOVED, None, moved_page(report)
    yield "layers", None, layers_page(report)
    yield "explore", "Explore", explore_page(report)
    yield "method", "Method", method_page(report)
