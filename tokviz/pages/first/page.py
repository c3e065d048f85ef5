"""The first page: all models on one depth axis, the author's introduction, key facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tokviz.pages.charts.axis import Ruler
from tokviz.pages.essay.asked import PlaceError
from tokviz.pages.essay.shown import Figure, Lost, figure
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.findings.lines import Line, lines
from tokviz.pages.first.choice import Choice, choice, unshown_rows
from tokviz.pages.first.multiples import Multiples, multiples
from tokviz.pages.frame.frame import Frame, model_path, relative, series_path
from tokviz.pages.frame.pictures import Shown, picture, slide_id
from tokviz.pages.frame.small_plots import hue_class
from tokviz.pages.model.lens_data import has_lens
from tokviz.pages.series import sentences
from tokviz.pages.text import extent, landmarks
from tokviz.pages.text.extent import models_arrange, words_in_all
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.wording import (
    UNKNOWN,
    capitalized,
    count,
    day,
    millions,
    n_captured,
    projection_label,
    weights_format,
    why_not_captured,
)
from tokviz.records import Category, Marks, ModelReport, Report, SeriesReport
from tokviz.records.look import SHAPES
from tokviz.text import isolated, ranged


@dataclass(frozen=True, kw_only=True)
class LegendMark:
    """A category as the pictures show it."""

    name: str
    hue: str
    """A class of ``plate.css``."""
    shape: str
    """Path data about 0, 0, with the area of a circle of diameter 1; y runs down."""


@dataclass(frozen=True, kw_only=True)
class CategoryLegend:
    """All categories, in the order of the report."""

    shown: tuple[LegendMark, ...]
    folded: tuple[LegendMark, ...]
    more: str
    """What the folded ones stand under."""


@dataclass(frozen=True, kw_only=True)
class StripRow:
    """The strip of one context."""

    context: str
    href: str
    ruler: Ruler
    with_axis: bool
    """Only under a model's last strip: the depths are the same in all."""


@dataclass(frozen=True, kw_only=True)
class ModelStrips:
    """A model on the first screen."""

    name: str
    href: str
    facts: str
    lens: str | None
    """Where it is said what each layer would say; None where that isn't known."""
    failure: str | None
    strips: tuple[StripRow, ...]


@dataclass(frozen=True, kw_only=True)
class CheckpointStrip:
    """All depths of a checkpoint, small."""

    label: str
    href: str
    strip: Picture


@dataclass(frozen=True, kw_only=True)
class SeriesStrips:
    """A series on the first screen: its ends."""

    name: str
    href: str
    facts: str
    finding: str
    """Empty where the page opens with it."""
    faults: tuple[str, ...]
    """What is wrong with its checkpoints."""
    rows: tuple[CheckpointStrip, ...]


@dataclass(frozen=True, kw_only=True)
class FindingSection:
    """What the page opens with."""

    about: str
    """Of which model and words."""
    sentence: str
    is_authors: bool
    """Whether it is the author's own, which nothing has tested."""
    certainty: str
    """How sure it is; empty where that isn't known, or the sentence is the author's."""
    picture: Multiples | None
    """None where there is one depth only."""
    others: tuple[Line, ...]
    """What else was found."""
    card: str | None = None
    """Where the image is that shows it, if there is one."""
    href: str | None = None
    """Of the page that is about it, where there is one of its own."""


@dataclass(frozen=True, kw_only=True)
class FactsRow:
    """A model in the table of key facts: cells under ``IndexPage.columns``, or a failure."""

    model: Link
    cells: tuple[str, ...]
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class IndexPage:
    """All that the first page shows."""

    frame: Frame
    stylesheets: tuple[str, ...]
    title: str
    subtitle: str
    byline: tuple[Link, ...]
    """Author, day, licence, how to cite; an empty address where there is nothing to follow."""
    finding: FindingSection | None
    """None where no model could be captured, and there is no series."""
    projection: str
    """Which one the strips show."""
    span: str
    """``from the embedding to the last layer``: which depths they have."""
    legend: CategoryLegend | None
    models: tuple[ModelStrips, ...]
    more_models: tuple[ModelStrips, ...]
    """Folded, under ``more``."""
    more: str
    intro: tuple[str | Figure | Lost, ...]
    """Safe HTML, and places of the report that stand in it."""
    has_essay: bool
    """Whether there are such places: then it comes before what else was found, as readers follow a story."""
    series: tuple[SeriesStrips, ...]
    columns: tuple[str, ...]
    table: tuple[FactsRow, ...]


MOST_CATEGORIES_IN_SIGHT = 20
"""Categories beyond these are folded."""
MOST_MODELS_IN_SIGHT = 10
"""Of more models the strips are folded."""
MOST_LINKS = 640
"""To slides, of all strips together: a page with more would be heavy, and a script adds them as the strips come into view."""
BRIEF_SCRIPTS = ("strips.js",)
"""Of a page with brief rulers."""
ESSAY_SCRIPTS = ("essay.js",)
"""Of one whose introduction has places of the report."""
COLUMNS = (
    "Architecture",
    "Layers",
    "Width",
    "Parameters",
    "Weights",
    "Computed in",
    "Words of several tokens",
    "Captured",
)


def index_page(report: Report) -> IndexPage:
    """The first page: strips, introduction, key facts, how to read."""
    page = "index.html"
    subtitle = report.subtitle or _default_subtitle(report)
    brief = sum(context.states.n_depths for model in report.models for context in model.contexts) > MOST_LINKS
    models = tuple(_strips(report, model, page, brief=brief) for model in report.models)
    description = report.description or subtitle
    finding = _finding(report, page)
    scripts = (*(BRIEF_SCRIPTS if brief else ()), *(ESSAY_SCRIPTS if report.has_essay else ()))
    styles = ("plates/plate.css", *(("finding.css",) if finding else ()), *(("essay.css",) if report.has_essay else ()))
    return IndexPage(
        frame=Frame(
            report=report, path=page, title=report.title, description=description, kind="website", entries=scripts
        ),
        stylesheets=tuple(relative(page, f"assets/{name}") for name in styles),
        title=report.title,
        subtitle=subtitle,
        byline=_byline(report, page),
        finding=finding,
        projection=projection_label(report.projections[0]),
        span=extent.span(report),
        legend=legend(report.words.categories, report.look.marks, landmarks.marked(report)),
        models=models[:MOST_MODELS_IN_SIGHT],
        more_models=models[MOST_MODELS_IN_SIGHT:],
        more=f"{count(len(models) - MOST_MODELS_IN_SIGHT, 'more model')}",
        intro=tuple(_essay(report, page)),
        has_essay=report.has_essay,
        series=tuple(_series_strips(report, each, page) for each in report.series),
        columns=COLUMNS,
        table=tuple(_facts_row(model, page) for model in report.models),
    )


def _essay(report: Report, page: str) -> Iterator[str | Figure | Lost]:
    """The introduction."""
    for part in report.intro:
        if isinstance(part, str):
            yield part
        else:
            try:
                yield figure(report, part, page)
            except PlaceError as error:  # whoever checks the report tells whether something that failed excuses it
                yield Lost(caption=Markup(part.caption), reason=capitalized(f"{error}."))


def legend(categories: Sequence[Category], looks: Marks, marked: Sequence[Category]) -> CategoryLegend | None:
    """None without categories, which a vocabulary needn't have; ``marked``: those that have words in a plot."""
    keys = {category.key for category in marked}
    marks = tuple(
        LegendMark(name=category.label, hue=hue_class(looks, index), shape=SHAPES[looks.shape(index)])
        for index, category in enumerate(categories)
        if category.key in keys
    )
    if not marks:
        return None
    folded = marks[MOST_CATEGORIES_IN_SIGHT:]
    return CategoryLegend(
        shown=marks[:MOST_CATEGORIES_IN_SIGHT], folded=folded, more=count(len(folded), "more category")
    )


def _byline(report: Report, page: str) -> tuple[Link, ...]:
    """Who, when, under which licence, and how to cite; without an address where there is nothing to follow."""
    captured = [context.states.captured_at for model in report.models for context in model.contexts]
    return (
        *((Link(text=report.author, href=""),) if report.author else ()),
        *((Link(text=day(max(captured)), href=""),) if captured else ()),
        *((Link(text=report.license, href=report.license_url or ""),) if report.license else ()),
        *(() if report.underway else (Link(text="How to cite", href=relative(page, "method/index.html#cite")),)),
    )


def _finding(report: Report, page: str) -> FindingSection | None:
    first, *others = findings(report) or (None,)
    if first is None:
        return _finding_of_series(report)
    chosen = choice(report)
    author = report.opening.sentence if report.opening and not unshown_rows(report) else None
    return FindingSection(
        about=_about(None if author else first, chosen),
        sentence=author or first.sentence,
        is_authors=author is not None,
        certainty="" if author else first.said,
        picture=multiples(report, first, chosen, page) if chosen else None,
        others=lines([*([first] if author else []), *others], page, report.cards),
        card=None if author else lines([first], page, report.cards)[0].card,
        href=lines([first], page)[0].href if first.slot == "change" else None,
    )


def _finding_of_series(report: Report) -> FindingSection | None:
    """Of a report that has no model but a series."""
    if not report.series:
        return None
    first = report.series[0]
    author = report.opening.sentence if report.opening else None
    sentence = author or sentences.finding(report, first)
    if not sentence:
        return None
    of_author = author is not None
    return FindingSection(
        about=first.name, sentence=sentence, is_authors=of_author, certainty="", picture=None, others=()
    )


def _about(said: Found | None, chosen: Choice | None) -> str:
    """Of which model and words the sentence is, None of the author's own, and how the plots under it are made."""
    parts = [said.about] if said else []
    if chosen and (said is None or said.is_of_all or said.model is not chosen.model):
        parts.append(f"plots of {isolated(chosen.model.display_name)}")
    return " · ".join([*parts, *([f"{projection_label(chosen.projection)} PCA"] if chosen else [])])


def _default_subtitle(report: Report) -> str:
    n_models = n_captured(report.models) + sum(bool(each.shown) for each in report.series)
    return f"How {models_arrange(n_models)} {words_in_all(report)}, {extent.span(report)}."


def _strips(report: Report, model: ModelReport, page: str, *, brief: bool) -> ModelStrips:
    target = model_path(model.slug)
    rows = []
    for index, context in enumerate(model.contexts, start=1):
        shown = context.projections[0]
        view = Shown(report=report, model=model, context=context, shown=shown, page=page)
        rows.append(
            StripRow(
                context=context.states.context.label,
                href=relative(page, f"{target}#{view.slide_id(0)}"),
                ruler=view.brief_ruler() if brief else view.ruler(with_measures=False),
                with_axis=index == len(model.contexts),
            )
        )
    return ModelStrips(
        name=model.display_name,
        href=relative(page, target),
        facts=extent.facts(model),
        lens=relative(page, f"{target}#lens") if any(map(has_lens, model.contexts)) else None,
        failure=model.failure,
        strips=tuple(rows),
    )


def _series_strips(report: Report, series: SeriesReport, page: str) -> SeriesStrips:
    """Of its first checkpoint and its last one, in the first context that both have."""
    href = relative(page, series_path(series.slug))
    ends = (series.shown[0], series.shown[-1]) if len(series.shown) > 1 else series.shown
    name = next((each.name for each in report.contexts if all(end.context(each.name) for end in ends)), None)
    rows = []
    for end in ends:
        context = end.context(name) if name else None
        strip = context.projections[0].strip if context and context.projections else None
        if context and strip:
            label = f"{end.label}, {context.states.context.label}"
            address = f"{href}#{slide_id(context.states.context.name, 0)}/{end.key}"
            rows.append(CheckpointStrip(label=label, href=address, strip=picture(page, strip, label)))
    opens = series is report.series[0] and not findings(report)
    reference = series.checkpoints[series.reference].label
    return SeriesStrips(
        name=series.name,
        href=href,
        facts=" · ".join([sentences.summary(series), *([f"on the axes of {reference}"] if rows else [])]),
        finding="" if opens else sentences.finding(report, series),
        faults=sentences.faults(series),
        rows=tuple(rows),
    )


def _facts_row(model: ModelReport, page: str) -> FactsRow:
    link = Link(text=model.display_name, href=relative(page, model_path(model.slug)))
    card = model.card
    if card is None:
        return FactsRow(model=link, cells=(), failure=why_not_captured(model))
    tokenization = model.contexts[0].states.tokenization
    several = int((tokenization.n_tokens > 1).sum())
    cells = (
        card.architecture,
        f"{card.n_layers:,}",
        ranged(card.least_and_most),
        millions(card.n_parameters) if card.n_parameters else UNKNOWN,
        weights_format(card),
        card.dtype,
        f"{several:,} of {len(tokenization.words):,}" if tokenization.is_known else UNKNOWN,
        day(model.contexts[0].states.captured_at),
    )
    return FactsRow(model=link, cells=cells, failure=None)
