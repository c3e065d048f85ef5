"""How far models are above chance, and what differs between them, as tables for download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tokviz.pages.model.profile_found import measures
from tokviz.pages.text.data_text import csv_text, rounded, spreadsheet_safe
from tokviz.records import Report, depth_name

FILES = PROFILE, DIFFERENCES = "profile.csv", "differences.csv"


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text."""
    written = {PROFILE: profile_csv, DIFFERENCES: differences_csv}
    return {path: written[name](report) for name, path in downloads(report).items()}


def downloads(report: Report) -> dict[str, str]:
    """File's name → path from the site's root."""
    has_profiles = any(context.profile for model in report.models for context in model.contexts)
    there = ((PROFILE, has_profiles), (DIFFERENCES, bool(report.differences)))
    return {name: f"data/{name}" for name, is_there in there if is_there}


def profile_csv(report: Report) -> str:
    """A row per model, context and measure, at the depth where it is furthest above chance."""
    header = ["model", "model_safe", "context", "measure", "measure_safe", "depth", "layer"]
    return csv_text([*header, "value", "chance", "above", "low", "high", "p_value"], _rows(report))


def _rows(report: Report) -> Iterator[list[Any]]:
    named = measures(report)
    for model in report.models:
        for context in model.contexts:
            for measure, peak in zip(named, context.profile.peaks if context.profile else (), strict=False):
                yield [
                    model.slug,
                    spreadsheet_safe(model.slug),
                    context.states.context.name,
                    measure.column,
                    spreadsheet_safe(measure.column),
                    peak.depth,
                    None if peak.depth is None else depth_name(peak.depth),
                    *map(rounded, (peak.value, peak.chance, peak.above, peak.low, peak.high, peak.p_value)),
                ]


def differences_csv(report: Report) -> str:
    """A row per pair of models, context and measure: by how much the first is further above chance than the second."""
    named = measures(report)
    rows = (
        [
            each.model_a,
            each.model_b,
            each.context,
            measure.column,
            spreadsheet_safe(measure.column),
            found.n,
            *map(rounded, (found.value, found.low, found.high, found.p_value_uncorrected, found.p_value)),
        ]
        for each in report.differences
        for measure, found in zip(named, each.differences.all, strict=False)
    )
    header = ["model_a", "model_b", "context", "measure", "measure_safe", "n", "difference", "low", "high"]
    return csv_text([*header, "p_value_uncorrected", "p_value"], rows)
