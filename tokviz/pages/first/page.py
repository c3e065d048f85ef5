"""The first page: all models on one depth axis, the author's introduction, key facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from tokviz.pages.charts.axis import Ruler
from tokviz.pages.essay.asked import PlaceError
from tokviz.pages.essay.shown import Figure, Lost, figure
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.findings.lines import lines
from tokviz.pages.first.choice import Choice, choice, unshown_rows
from tokviz.pages.first.multiples import Multiples
from tokviz.pages.frame.frame import Frame, Values, relative
from tokviz.pages.frame.pictures import Shown, picture, slide_id
from tokviz.pages.frame.small_plots import hue_class
from tokviz.pages.model.lens import has_lens
from tokviz.pages.series import sentences
from tokviz.pages.text import extent, landmarks
from tokviz.pages.text.extent import models_arrange, words_in_all
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.wording import capitalized, n_captured, projection_label
from tokviz.records import Category, Marks, ModelReport, Report, SeriesReport
from tokviz.records.look import SHAPES
from tokviz.text import isolated

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


def index_page(report: Report) -> Values:
    """The first page: strips, introduction, key facts, how to read."""
    page = "index.html"
    subtitle = report.subtitle or _default_subtitle(report)
    brief = sum(context.states.n_depths for model in report.models for context in model.contexts) > MOST_LINKS
    models = [(model, *_strips(report, model, page, brief=brief)) for model in report.models]
    finding = _finding(report, page)
    scripts = (*(BRIEF_SCRIPTS if brief else ()), *(ESSAY_SCRIPTS if report.has_essay else ()))
    styles = ("plates/plate.css", *(("finding.css",) if finding else ()), *(("essay.css",) if report.has_essay else ()))
    return Values(
        frame=Frame(
            report=report,
            path=page,
            title=report.title,
            description=report.description or subtitle,
            kind="website",
            entries=scripts,
        ),
        stylesheets=[relative(page, f"assets/{name}") for name in styles],
        subtitle=subtitle,
        # When the last of its captures was made.
        captured=max((each.states.captured_at for model in report.models for each in model.contexts), default=""),
        # None where no model could be captured, and there is no series.
        finding=finding,
        span=extent.span(report),
        legend=legend(report.words.categories, report.look.marks, landmarks.marked(report)),
        models=models[:MOST_MODELS_IN_SIGHT],
        # Folded.
        more_models=models[MOST_MODELS_IN_SIGHT:],
        intro=[*_essay(report, page)],
        series=[_series_strips(report, each, page) for each in report.series],
    )


def _essay(report: Report, page: str) -> Iterator[str | Figure | Lost]:
    """The introduction: safe HTML, and places of the report that stand in it."""
    for part in report.intro:
        if isinstance(part, str):
            yield part
        else:
            try:
                yield figure(report, part, page)
            except PlaceError as error:  # whoever checks the report tells whether something that failed excuses it
                yield Lost(caption=Markup(part.caption), reason=capitalized(f"{error}."))


def legend(categories: Sequence[Category], looks: Marks, marked: Sequence[Category]) -> dict[str, Any] | None:
    """Categories as the pictures show them, in the order of the report.

    Each has its name, a class of ``plate.css``, and path data about 0, 0, with the area of a circle of diameter 1; y runs down. None
    without categories, which a vocabulary needn't have; ``marked``: those that have words in a plot.
    """
    keys = {category.key for category in marked}
    marks = [
        (category.label, hue_class(looks, index), SHAPES[looks.shape(index)])
        for index, category in enumerate(categories)
        if category.key in keys
    ]
    if not marks:
        return None
    return {"shown": marks[:MOST_CATEGORIES_IN_SIGHT], "folded": marks[MOST_CATEGORIES_IN_SIGHT:]}


# --- what it opens with ----------------------------------------------------------------------------------------------


def _finding(report: Report, page: str) -> dict[str, Any] | None:
    """What the page opens with, and of which model and words that is.

    ``is_authors``: the sentence is the author's own, which nothing has tested, and then there is no ``certainty``. ``picture`` is None
    where there is one depth only, ``card`` where no image shows it, and ``href`` where no page is about it alone.
    """
    first, *others = findings(report) or (None,)
    if first is None:
        return _finding_of_series(report)
    chosen = choice(report)
    author = report.opening.sentence if report.opening and not unshown_rows(report) else None
    (own,) = lines([first], page, report.cards)
    return {
        "about": _about(None if author else first, chosen),
        "sentence": author or first.sentence,
        "is_authors": author is not None,
        "certainty": "" if author else first.said,
        "picture": Multiples(report=report, said=first, chosen=chosen) if chosen else None,
        "others": lines([*([first] if author else []), *others], page, report.cards),
        "card": None if author else own.card,
        "href": own.href if first.slot == "change" else None,
    }


def _finding_of_series(report: Report) -> dict[str, Any] | None:
    """Of a report that has no model but a series."""
    if not report.series:
        return None
    first = report.series[0]
    author = report.opening.sentence if report.opening else None
    sentence = author or sentences.finding(report, first)
    if not sentence:
        return None
    nothing = {"certainty": "", "picture": None, "others": (), "card": None, "href": None}
    return {"about": first.name, "sentence": sentence, "is_authors": author is not None, **nothing}


def _about(said: Found | None, chosen: Choice | None) -> str:
    """Of which model and words the sentence is, None of the author's own, and how the plots under it are made."""
    parts = [said.about] if said else []
    if chosen and (said is None or said.is_of_all or said.model is not chosen.model):
        parts.append(f"plots of {isolated(chosen.model.display_name)}")
    return " · ".join([*parts, *([f"{projection_label(chosen.projection)} PCA"] if chosen else [])])


def _default_subtitle(report: Report) -> str:
    n_models = n_captured(report.models) + sum(bool(each.shown) for each in report.series)
    return f"How {models_arrange(n_models)} {words_in_all(report)}, {extent.span(report)}."


# --- strips ----------------------------------------------------------------------------------------------------------


def _strips(
    report: Report, model: ModelReport, page: str, *, brief: bool
) -> tuple[str, bool, list[tuple[Shown, Ruler]]]:
    """What a model is, whether it is said what each layer would say, and of each context its strip."""
    views = [
        Shown(report=report, model=model, context=context, shown=context.projections[0], page=page)
        for context in model.contexts
    ]
    rulers = [view.brief_ruler() if brief else view.ruler(with_measures=False) for view in views]
    return extent.facts(model), any(map(has_lens, model.contexts)), [*zip(views, rulers, strict=True)]


def _series_strips(
    report: Report, series: SeriesReport, page: str
) -> tuple[SeriesReport, str, Sequence[str], str, list[tuple[str, str, Picture]]]:
    """Its facts; what is wrong with its checkpoints; its finding, empty where the page opens with it; strips with their names and slides.

    These are of its first checkpoint and its last one, in the first context that both have.
    """
    ends = (series.shown[0], series.shown[-1]) if len(series.shown) > 1 else series.shown
    name = next((each.name for each in report.contexts if all(end.context(each.name) for end in ends)), None)
    strips = []
    for end in ends:
        context = end.context(name) if name else None
        strip = context.projections[0].strip if context and context.projections else None
        if context and strip:
            label = f"{end.label}, {context.states.context.label}"
            strips.append((label, f"{slide_id(context.states.context.name, 0)}/{end.key}", picture(page, strip, label)))
    opens = series is report.series[0] and not findings(report)
    axes = [f"on the axes of {series.checkpoints[series.reference].label}"] if strips else []
    facts, finding = " · ".join([sentences.summary(series), *axes]), "" if opens else sentences.finding(report, series)
    return series, facts, sentences.faults(series), finding, strips
