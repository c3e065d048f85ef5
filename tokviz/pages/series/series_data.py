"""A series → the files beside its page: numbers as CSV, and scripts with the places of the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from tokviz.pages.charts.reading import Measure
from tokviz.pages.explore import explore_data
from tokviz.pages.series.maps import maps, measures, read
from tokviz.pages.text.data_text import csv_text, script, spreadsheet_safe
from tokviz.records import Report, SeriesReport, depth_name

MOST_CELLS = 8000
"""How many the maps of a page may have together for them to stand in the page."""


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → content."""
    written: dict[str, str] = {}
    asked = [*chain(*measures(report).values())]
    columns = [column for each in asked for column in (each.key, f"{each.key}_announced")]
    header = ["checkpoint", "checkpoint_safe", "step", "left_out", "context", "depth", "layer", *columns]
    for series in report.series:
        written[csv_path(series)] = csv_text(header, _rows(series, asked))
        made = maps(report, series, [each.name for each in report.contexts])
        if are_late(made):
            # Rows of a depth's name, then of each checkpoint the number and its shade.
            entries = [
                {
                    "measure": each["measure"],
                    "context": each["context"],
                    "rows": [[name, *chain(*row)] for name, row in each["rows"]],
                }
                for each in made
            ]
            written[maps_path(series)] = script(f"{series.slug}/maps", entries)
        for checkpoint in series.checkpoints:
            for context in checkpoint.model.contexts:
                written |= explore_data.places(checkpoint.model.slug, context)
    if written and report.words.vocabulary is None:
        written["data/words.js"] = script("words", explore_data.words(report.words))
    return written


def csv_path(series: SeriesReport) -> str:
    """From the site's root."""
    return f"data/series/{series.slug}.csv"


def maps_path(series: SeriesReport) -> str:
    """From the site's root."""
    return f"data/series/{series.slug}-maps.js"


def are_late(made: Sequence[dict[str, Any]]) -> bool:
    """Whether the page would be heavy with the numbers of all its maps: a script then adds those that are asked for."""
    return sum(len(cells) for each in made for _, cells in each["rows"]) > MOST_CELLS


def _rows(series: SeriesReport, asked: Sequence[Measure]) -> Iterator[list[Any]]:
    for checkpoint in series.checkpoints:
        for context in checkpoint.model.contexts:
            found = [read(each, context) for each in asked]
            columns = [column for each in found for column in ((each.values, each.holds) if each else (None, None))]
            for depth in range(context.states.n_depths):
                yield [
                    checkpoint.label,
                    spreadsheet_safe(checkpoint.label),
                    checkpoint.step,
                    int(checkpoint.left_out),
                    context.states.context.name,
                    depth,
                    depth_name(depth),
                    *(None if column is None else column[depth] for column in columns),
                ]
