"""The page of a series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from tokviz.pages.frame.frame import contents, frame, relative, series_path
from tokviz.pages.frame.pictures import picture
from tokviz.pages.series import sentences
from tokviz.pages.series.charts import ChartGroup, charts, charts_note
from tokviz.pages.series.maps import Map, maps, measures
from tokviz.pages.series.sentences import breaking, emergence
from tokviz.pages.series.series_data import are_late, csv_path, maps_path
from tokviz.pages.series.viewer import AXES, SCALES, Viewer, make_viewer, plates_of, with_plots
from tokviz.pages.text.extent import facts_line
from tokviz.pages.text.parts import Frame, Link, Option, Picture
from tokviz.pages.text.sentences import in_quotes
from tokviz.pages.text.wording import capitalized, whole_percent
from tokviz.records import Checkpoint, ContextReport, Report, SeriesReport, depth_name
from tokviz.text import counted

MOST_STRIPS = 24
"""Checkpoints that are shown small, in each context."""
UNITS = {"steps": "Step", "tokens": "Tokens", None: "Checkpoint"}
"""Above the rows of a map, before the checkpoints."""
_NONE = ("none", "", "", "")
"""What stands for a checkpoint without massive values."""
_SCRIPTS = ("plates/plates.js", "series.js", "contents.js", "lightbox.js", "take.js")


@dataclass(frozen=True, kw_only=True)
class ContextText:
    """What is shown of one context."""

    context: str
    text: str


@dataclass(frozen=True, kw_only=True)
class WriterRow:
    """Who writes the massive values of one checkpoint in one context."""

    checkpoint: str
    """Its label, or those of the first and the last one of several."""
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Writers:
    """The strips of all checkpoints in one context."""

    context: str
    label: str
    rows: tuple[WriterRow, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureGroup:
    """Measures of one kind, to choose from."""

    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class StripLine:
    """All depths of one checkpoint, small."""

    label: str
    strip: Picture


@dataclass(frozen=True, kw_only=True)
class StripGroup:
    """The checkpoints in one context."""

    context: str
    label: str
    rows: tuple[StripLine, ...]


@dataclass(frozen=True, kw_only=True)
class ImageLine:
    """The plots of a checkpoint as images."""

    label: str
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class SeriesPage:
    """All that the page shows."""

    frame: Frame
    stylesheets: tuple[str, ...]
    name: str
    facts: str
    findings: tuple[ContextText, ...]
    """One sentence each."""
    told: tuple[str, ...]
    """Paragraphs on all contexts."""
    certainty: str
    faults: tuple[str, ...]
    """What is wrong with its checkpoints."""
    contexts: tuple[Option, ...]
    templates: tuple[ContextText, ...]
    axes: tuple[Option, ...]
    scales: tuple[Option, ...]
    viewer: Viewer | None
    """None where nothing was captured."""
    contents: tuple[Link, ...]
    unit: str
    """What the columns count: ``Step``."""
    charts: tuple[ChartGroup, ...]
    charts_note: str
    columns: tuple[str, ...]
    """The checkpoints of the maps."""
    measures: tuple[MeasureGroup, ...]
    maps: tuple[Map, ...]
    late_maps: str
    """The script with the numbers of the maps that have no rows; empty where all have."""
    writers: tuple[Writers, ...]
    strips: tuple[StripGroup, ...]
    strips_title: str
    reference: str
    """The checkpoint on whose axes all are shown."""
    last: str
    """The deepest depth's name."""
    images: tuple[ImageLine, ...]
    csv: str
    method: str


def series_page(report: Report, series: SeriesReport) -> SeriesPage:
    """One model at several steps of its training; failed checkpoints are named."""
    page = series_path(series.slug)
    names = [each.name for each in report.contexts if any(found.context(each.name) for found in series.shown)]
    labels = {each.name: each.label for each in report.contexts}
    made = maps(report, series, names)
    viewer = make_viewer(report, series, names, page) if names else None
    told = sentences.paragraphs(report, series, names)
    writers = tuple(filter(None, (_writers(series, name, labels[name]) for name in names)))
    strips = tuple(filter(None, (_strips(series, name, labels[name], page) for name in names)))
    curves = tuple(filter(None, (charts(series, name, labels[name]) for name in names)))
    are_all = all(len(group.rows) == len(series.shown) for group in strips)
    strips_title = f"{'All' if are_all else 'Some'} checkpoints, small"
    return SeriesPage(
        frame=frame(
            report,
            page,
            f"{series.name} · {report.title}",
            f"The words in {series.name}, checkpoint by checkpoint and layer by layer.",
            scripts=_SCRIPTS,
        ),
        stylesheets=tuple(relative(page, f"assets/{name}") for name in ("series.css", "plates/plate.css")),
        name=series.name,
        facts=_facts(series),
        findings=tuple(_findings(report, series, names)),
        told=told,
        certainty=sentences.certainty(series),
        faults=(*sentences.faults(series), *sentences.failures(series)),
        contexts=tuple(Option(value=name, label=labels[name], checked=name == names[0]) for name in names),
        templates=tuple(_templates(report, names)),
        axes=tuple(Option(value=key, label=label, checked=key == "reference") for key, label in AXES.items()),
        scales=tuple(Option(value=key, label=label, checked=key == "each") for key, label in SCALES.items()),
        viewer=viewer,
        contents=contents(
            ("Plots", "main", viewer),
            ("Charts", "charts", curves),
            ("Maps", "maps", made),
            ("What was found", "found", told or writers),
            (strips_title, "strips", strips),
        ),
        unit=UNITS[series.unit],
        charts=curves,
        charts_note=charts_note(series, names) if curves else "",
        columns=tuple(_column(each) for each in series.shown),
        measures=tuple(_measure_groups(report, made)),
        maps=_with_few_rows(made) if are_late(made) else made,
        late_maps=relative(page, maps_path(series)) if are_late(made) else "",
        writers=writers,
        strips=strips,
        strips_title=strips_title,
        reference=series.checkpoints[series.reference].label,
        last=depth_name(viewer.last) if viewer else "",
        images=tuple(_images(series, names, labels, page)),
        csv=relative(page, csv_path(series)),
        method=relative(page, "method/index.html"),
    )


def _findings(report: Report, series: SeriesReport, names: Sequence[str]) -> Iterator[ContextText]:
    """The finding of each context; with fewer than two checkpoints it is said once that nothing is."""
    for name in names if len(series.shown) > 1 else [report.contexts[0].name]:
        if text := sentences.finding(report, series, name):
            yield ContextText(context=name, text=text)


def _templates(report: Report, names: Sequence[str]) -> Iterator[ContextText]:
    """What the words of each context stand in; nothing of those that stand alone."""
    for each in report.contexts:
        if each.name in names and (each.template.strip() != "{word}" or each.further_templates):
            more = f" and {counted(len(each.further_templates), 'more sentence')}" if each.further_templates else ""
            yield ContextText(context=each.name, text=f"Each word is read in {in_quotes(each.template)}{more}.")


def _column(checkpoint: Checkpoint) -> str:
    """The heads of all columns say what they count."""
    return checkpoint.label if checkpoint.step is None else f"{checkpoint.step:,}"


def _measure_groups(report: Report, made: tuple[Map, ...]) -> Iterator[MeasureGroup]:
    known = {each.measure for each in made}
    found = [each for each in measures(report) if each.key in known]
    for label, related in (("Measures", False), ("Relations and orders", True)):
        options = tuple(
            Option(value=each.key, label=each.name, checked=each is found[0])
            for each in found
            if each.is_related == related
        )
        if options:
            yield MeasureGroup(label=label, options=options)


def _with_few_rows(made: tuple[Map, ...]) -> tuple[Map, ...]:
    """The first one alone has them in the page."""
    return (made[0], *(replace(each, rows=()) for each in made[1:]))


def _facts(series: SeriesReport) -> str:
    card = next((each.model.card for each in series.shown if each.model.card), None)
    return " · ".join([sentences.summary(series), *([facts_line(card)] if card else [])])


def _writers(series: SeriesReport, name: str, label: str) -> Writers | None:
    """Checkpoints that follow each other and have the same share a row."""
    rows = []
    for cells, group in groupby(series.shown, lambda each: _writer_cells(each.context(name))):
        labels = [each.label for each in group]
        of = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
        rows.append(WriterRow(checkpoint=of, cells=cells))
    return Writers(context=name, label=label, rows=tuple(rows)) if any(row.cells != _NONE for row in rows) else None


def _writer_cells(context: ContextReport | None) -> tuple[str, ...]:
    depth, found = emergence(context), breaking(context)
    if context is None or context.geometry is None or depth is None:
        return _NONE
    return (
        depth_name(depth),
        ", ".join(map(str, context.geometry.massive.dimensions[depth])),
        ", ".join(map(str, found.neurons)) if found else "",
        f"{whole_percent(found.share)} of dimension {found.dimension}, layer {found.layer}" if found else "",
    )


def _strips(series: SeriesReport, name: str, label: str, page: str) -> StripGroup | None:
    rows = []
    for each in _some(series.shown):
        context = each.context(name)
        strip = context.projections[0].strip if context and context.projections else None
        if context and strip:
            alt = f"{each.label}, {label}: all {context.states.n_depths} depths, without labels"
            rows.append(StripLine(label=each.label, strip=picture(page, strip, alt)))
    return StripGroup(context=name, label=capitalized(label), rows=tuple(rows)) if rows else None


def _some(shown: tuple[Checkpoint, ...]) -> tuple[Checkpoint, ...]:
    """As many as there is space for, among them both ends."""
    n = min(len(shown), MOST_STRIPS)
    return tuple(shown[round(index)] for index in np.linspace(0, len(shown) - 1, n))


def _images(series: SeriesReport, names: list[str], labels: dict[str, str], page: str) -> list[ImageLine]:
    """The plates that were drawn as images, for those without scripts and to take away."""
    lines = []
    for each in with_plots(series):
        for name in names:
            context = each.context(name)
            plates = plates_of(context)
            links = tuple(Link(text=depth_name(depth), href=relative(page, plate.wide.path)) for depth, plate in plates)
            if links:
                lines.append(ImageLine(label=f"{each.label}, {labels[name]}", links=links))
    return lines
