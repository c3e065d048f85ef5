"""The page of a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from tokviz.pages.frame.frame import contents, frame, relative, series_path
from tokviz.pages.frame.index import context_entry, drawings, model_entry
from tokviz.pages.frame.pictures import picture
from tokviz.pages.series import sentences
from tokviz.pages.series.maps import Map, maps, measures
from tokviz.pages.series.sentences import breaking, emergence
from tokviz.pages.series.series_data import are_late, csv_path, maps_path
from tokviz.pages.text import data_text
from tokviz.pages.text.parts import Frame, Link, Option, Picture
from tokviz.pages.text.wording import capitalized, facts_line, projection_label, whole_percent
from tokviz.records import Checkpoint, ContextReport, Renditions, Report, SeriesReport, depth_name

AXES = {"reference": "of the reference", "own": "its own"}
"""How readers choose the axes, by the projections' names."""
MOST_STRIPS = 24
"""Checkpoints that are shown small, in each context."""
MOST_IMAGES = 640
"""Links to plots as images."""
UNITS = {"steps": "Step", "tokens": "Tokens", None: "Checkpoint"}
"""Above the rows of a map, before the checkpoints."""
_NONE = ("none", "", "", "")
"""Of a checkpoint without massive values."""
_SCRIPTS = ("plates/plates.js", "series.js", "contents.js", "lightbox.js", "take.js")


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """One plot, of any checkpoint at any depth."""

    checkpoints: tuple[str, ...]
    depth: int
    """That is shown first."""
    depth_name: str
    last: int
    """The deepest depth."""
    picture: Picture | None
    """What is shown without scripts, of the last checkpoint: none where no plots are drawn as images."""
    caption: str
    first: Picture | None
    """The same of the first checkpoint, shown only without scripts."""
    first_caption: str
    size: tuple[int, int]
    """Of a plot, in pixels."""
    axes_note: str
    data: str
    """JSON for the page's own script."""
    plates: str | None
    """JSON for the scripts that draw."""


@dataclass(frozen=True, kw_only=True)
class WriterRow:
    """Who writes the massive values of one checkpoint in one context."""

    checkpoint: str
    """Its label, or those of the first and the last one of several."""
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Writers:
    """Of all checkpoints in one context."""

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
    finding: str
    said: tuple[str, ...]
    """Of all contexts."""
    faults: tuple[str, ...]
    """What is wrong with its checkpoints."""
    contexts: tuple[Option, ...]
    axes: tuple[Option, ...]
    viewer: Viewer | None
    """None where nothing was captured."""
    contents: tuple[Link, ...]
    unit: str
    """What the columns count: ``Step``."""
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
    viewer = _viewer(report, series, names, page) if names else None
    said = sentences.said(report, series, names)
    writers = tuple(filter(None, (_writers(series, name, labels[name]) for name in names)))
    strips = tuple(filter(None, (_strips(series, name, labels[name], page) for name in names)))
    strips_title = f"{'All' if len(series.shown) <= MOST_STRIPS else 'Some'} checkpoints, small"
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
        finding=sentences.finding(report, series),
        said=said,
        faults=(*sentences.faults(series), *sentences.failures(series)),
        contexts=tuple(Option(value=name, label=labels[name], checked=name == names[0]) for name in names),
        axes=tuple(Option(value=key, label=label, checked=key == "reference") for key, label in AXES.items()),
        viewer=viewer,
        contents=contents(
            ("Plots", "main", viewer),
            ("Maps", "maps", made),
            ("What is found", "found", said or writers),
            (strips_title, "strips", strips),
        ),
        unit=UNITS[series.unit],
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


def _viewer(report: Report, series: SeriesReport, names: list[str], page: str) -> Viewer:
    shown = series.shown
    reference = series.checkpoints[series.reference].label
    # Turned in their plane, axes are no components any more.
    axes = {"reference": [f"PC{axis} of {reference}" for axis in (1, 2)], "own": ["Axis 1", "Axis 2"]}
    entries = [
        {
            **model_entry(each.model),
            "contexts": [
                {
                    **context_entry(context),
                    "last": context.states.n_depths - 1,
                    "projections": [{"name": key, "label": AXES[key], "axes": names} for key, names in axes.items()],
                }
                for context in each.model.contexts
            ],
        }
        for each in shown
    ]
    last = max(context.states.n_depths for each in shown for context in each.model.contexts) - 1
    depth = (last + 1) // 2
    longest = {
        "model": max((each.label for each in shown), key=len),
        "context": max((each.label for each in report.contexts), key=len),
    }
    with_plots = {each.key for each in _with_plots(series)}
    own = {
        "checkpoints": [
            {
                "key": each.key,
                "label": each.label,
                "slug": each.model.slug,
                "images": _image_links(each, page) if each.key in with_plots else {},
                "residuals": {
                    context.states.context.name: [_percent(value) for value in residual]
                    for context, residual in zip(each.model.contexts, each.residuals, strict=True)
                },
            }
            for each in shown
        ],
        "reference": reference,
        "maps": f"{series.slug}/maps",
    }
    width, height = report.look.plate_size
    return Viewer(
        checkpoints=tuple(each.label for each in shown),
        last=last,
        depth=depth,
        depth_name=depth_name(depth),
        picture=_plot(shown[-1], names[0], depth, page),
        caption=f"Axes: those of {reference}.",
        first=_plot(shown[0], names[0], depth, page) if len(shown) > 1 else None,
        first_caption=f"{capitalized(shown[0].label)}, on the same axes.",
        size=(width, height),
        axes_note=f"All plots are PCA, {projection_label(series.projection)}. “Of the reference”: each layer’s axes are fitted to {reference}, and nothing is fitted again. “Its own”: the checkpoint’s own first two components, turned or reflected in their plane toward the "
        "reference’s plot. Each plot has its own scale: how far words lie apart is read at the axes’ numbers.",
        data=data_text.embedded(own),
        plates=drawings(
            report,
            page,
            "plates/plates.js",
            "plates/board.js",
            data=relative(page, "data"),
            longest=longest,
            models=entries,
        ),
    )


def _percent(share: float) -> int | None:
    return round(100 * share) if np.isfinite(share) else None


def _plot(checkpoint: Checkpoint, name: str, depth: int, page: str) -> Picture | None:
    """As an image, where it was drawn."""
    context = checkpoint.context(name)
    plates = dict(_plates(context))
    if context is None or depth not in plates:
        return None
    return picture(page, plates[depth], f"{checkpoint.label}, {depth_name(depth)}, {context.states.context.label}")


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


def _with_plots(series: SeriesReport) -> tuple[Checkpoint, ...]:
    """Those whose plots as images are named: all, or where these are very many the ends."""
    shown = series.shown
    n = sum(len(_plates(context)) for each in shown for context in each.model.contexts)
    return shown if n <= MOST_IMAGES else (shown[0], shown[-1])


def _images(series: SeriesReport, names: list[str], labels: dict[str, str], page: str) -> list[ImageLine]:
    """The plates that were drawn as images, for those without scripts and to take away."""
    lines = []
    for each in _with_plots(series):
        for name in names:
            context = each.context(name)
            plates = _plates(context)
            links = tuple(Link(text=depth_name(depth), href=relative(page, plate.wide.path)) for depth, plate in plates)
            if links:
                lines.append(ImageLine(label=f"{each.label}, {labels[name]}", links=links))
    return lines


def _image_links(checkpoint: Checkpoint, page: str) -> dict[str, dict[int, str]]:
    """By the context's name and the depth, where they were drawn."""
    return {
        context.states.context.name: {depth: relative(page, plate.wide.path) for depth, plate in plates}
        for context in checkpoint.model.contexts
        if (plates := _plates(context))
    }


def _plates(context: ContextReport | None) -> list[tuple[int, Renditions]]:
    if context is None or not context.projections:
        return []
    return [(depth, plate) for depth, plate in enumerate(context.projections[0].plates) if plate]
