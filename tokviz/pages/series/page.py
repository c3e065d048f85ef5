"""The page of a series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

import numpy as np

from tokviz.pages.findings.changes import shifts
from tokviz.pages.findings.lines import lines
from tokviz.pages.frame.frame import Frame, Values, contents, relative, series_path
from tokviz.pages.frame.pictures import picture
from tokviz.pages.series import sentences
from tokviz.pages.series.charts import charts
from tokviz.pages.series.maps import maps, measures
from tokviz.pages.series.sentences import breaking, emergence
from tokviz.pages.series.series_data import are_late, csv_path, maps_path
from tokviz.pages.series.viewer import plates_of, viewer, with_plots
from tokviz.pages.text.extent import facts_line
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.sentences import in_quotes
from tokviz.pages.text.wording import whole_percent
from tokviz.records import ContextReport, Report, SeriesReport, depth_name
from tokviz.text import counted

MOST_STRIPS = 24
"""Checkpoints that are shown small, in each context."""
_SCRIPTS = ("plates/plates.js", "series.js", "contents.js", "lightbox.js", "take.js")


def series_page(report: Report, series: SeriesReport) -> Values:
    """One model at several steps of its training; failed checkpoints are named."""
    page = series_path(series.slug)
    contexts = {
        each.name: each.label for each in report.contexts if any(found.context(each.name) for found in series.shown)
    }
    made = maps(report, series, [*contexts])
    plot = viewer(report, series, [*contexts], page) if contexts else None
    told = sentences.paragraphs(report, series, [*contexts])
    writers = [(label, rows) for name, label in contexts.items() if (rows := _writers(series, name))]
    strips = [(name, small) for name, label in contexts.items() if (small := _strips(series, name, label, page))]
    curves = [(name, found) for name in contexts if (found := charts(series, name)) is not None]
    are_all = all(len(small) == len(series.shown) for _, small in strips)
    strips_title = f"{'All' if are_all else 'Some'} checkpoints, small"
    in_maps = {each["measure"] for each in made}
    card = next((each.model.card for each in series.shown if each.model.card), None)
    return Values(
        frame=Frame(
            report=report,
            path=page,
            title=f"{series.name} · {report.title}",
            description=f"The words in {series.name}, checkpoint by checkpoint and layer by layer.",
            entries=_SCRIPTS,
        ),
        series=series,
        facts=" · ".join([sentences.summary(series), *([facts_line(card)] if card else [])]),
        # With fewer than two checkpoints it is said once that nothing is.
        findings=[
            (name, said)
            for name in (contexts if len(series.shown) > 1 else [report.contexts[0].name])
            if (said := sentences.finding(report, series, name))
        ],
        told=told,
        changes=lines([each.found() for each in shifts(report) if each.series is series], page),
        certainty=sentences.certainty(series),
        faults=(*sentences.faults(series), *sentences.failures(series), *series.not_compared),
        contexts=contexts,
        templates=[*_templates(report, contexts)],
        viewer=plot,
        contents=contents(
            ("Plots", "main", plot),
            ("Charts", "charts", curves),
            ("Maps", "maps", made),
            ("What was found", "found", told or writers),
            (strips_title, "strips", strips),
        ),
        charts=curves,
        has_templates=any(each.has_templates for found in series.shown for each in found.model.contexts),
        has_controls=any(sentences.untrained(series, name) for name in contexts),
        measures={
            label: own
            for label, every in measures(report).items()
            if (own := [each for each in every if each.key in in_maps])
        },
        # The first one alone has its rows in a page that would be heavy with all of them.
        maps=(made[0], *({**each, "rows": ()} for each in made[1:])) if are_late(made) else made,
        late_maps=relative(page, maps_path(series)) if are_late(made) else "",
        writers=writers,
        strips=strips,
        strips_title=strips_title,
        images=[*_images(series, contexts, page)],
        csv=relative(page, csv_path(series)),
    )


def _templates(report: Report, contexts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Of each context its name and what its words stand in; nothing of those that stand alone."""
    for each in report.contexts:
        if each.name in contexts and (each.template.strip() != "{word}" or each.further_templates):
            more = f" and {counted(len(each.further_templates), 'more sentence')}" if each.further_templates else ""
            yield each.name, f"Each word is read in {in_quotes(each.template)}{more}."


def _writers(series: SeriesReport, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Who writes the massive values of which checkpoints, empty where there are none.

    Checkpoints that follow each other and have the same share a row.
    """
    rows = []
    for cells, group in groupby(series.shown, lambda each: _writer_cells(each.context(name))):
        labels = [each.label for each in group]
        rows.append((labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}", cells))
    return rows if any(cells[0] != "none" for _, cells in rows) else []


def _writer_cells(context: ContextReport | None) -> tuple[str, ...]:
    depth, found = emergence(context), breaking(context)
    if context is None or context.geometry is None or depth is None:
        return ("none", "", "", "")
    return (
        depth_name(depth),
        ", ".join(map(str, context.geometry.massive.dimensions[depth])),
        ", ".join(map(str, found.neurons)) if found else "",
        f"{whole_percent(found.share)} of dimension {found.dimension}, layer {found.layer}" if found else "",
    )


def _strips(series: SeriesReport, name: str, label: str, page: str) -> list[tuple[str, Picture]]:
    """All depths of checkpoints, small: as many as there is space for, among them both ends."""
    n, rows = len(series.shown), []
    for index in np.linspace(0, n - 1, min(n, MOST_STRIPS)):
        each = series.shown[round(index)]
        context = each.context(name)
        strip = context.projections[0].strip if context and context.projections else None
        if context and strip:
            alt = f"{each.label}, {label}: all {context.states.n_depths} depths, without labels"
            rows.append((each.label, picture(page, strip, alt)))
    return rows


def _images(series: SeriesReport, contexts: Mapping[str, str], page: str) -> Iterator[tuple[str, list[Link]]]:
    """The plates of a checkpoint that were drawn as images, for those without scripts and to take away."""
    for each in with_plots(series):
        for name, label in contexts.items():
            plates = plates_of(each.context(name))
            links = [Link(text=depth_name(depth), href=relative(page, plate.wide.path)) for depth, plate in plates]
            if links:
                yield f"{each.label}, {label}", links
