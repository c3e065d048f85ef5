"""What captures differ in word by word, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tokviz.pages.text.data_text import csv_text, spreadsheet_safe
from tokviz.records import Category, PairedCapture, PairedMeasures, Report

_COLUMNS = ("measure", "category", "category_safe", "depth", "other_depth", "difference", "standard_error")
_HEADER = (*_COLUMNS, "low", "high", "p_value", "announced")
PATH = "data/word_by_word.csv"
"""Of the models, from the site's root."""


def of_capture(paired: PairedCapture, categories: Sequence[Category]) -> str:
    """A row per what a capture is held against, measure and depth, and for each category that a difference is shown for."""
    against = {
        "embedding": paired.embedding,
        "unchanged": paired.unchanged,
        "first_context": paired.first_context,
        "untrained_layers": paired.untrained,
    }
    rows = ([name, *row] for name, found in against.items() if found for row in _rows(found, categories))
    return csv_text(["against", *_HEADER], rows)


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text: of pairs of models a row per measure, category and pair of depths."""
    rows = (
        [each.model_a, each.model_b, each.context, *row]
        for each in report.differences
        if each.paired
        for row in _rows(each.paired, report.words.categories)
    )
    return {path: csv_text(["model_a", "model_b", "context", *_HEADER], rows) for path in downloads(report).values()}


def downloads(report: Report) -> dict[str, str]:
    """File's name → path from the site's root."""
    return {"word_by_word.csv": PATH} if any(each.paired for each in report.differences) else {}


def _rows(found: PairedMeasures, categories: Sequence[Category]) -> Iterator[list[Any]]:
    """Of all words at each depth, of a category where it is shown: with the others a table would be ten times as long."""
    labels = [categories[index].key for index in found.categories]
    for measure in PairedMeasures.MEASURES:
        every = getattr(found, measure)
        for paired, of_labels in ((every.overall, [""]), (every.by_category, labels)):
            columns = (paired.value, paired.error, paired.low, paired.high, paired.p_value, paired.holds)
            for label, *of_depths in zip(of_labels, *columns, strict=True):
                for (depth, other), *values, holds in zip(found.depths.tolist(), *of_depths, strict=True):
                    if holds or not label:
                        yield [measure, label, spreadsheet_safe(label), depth, other, *values, holds]
