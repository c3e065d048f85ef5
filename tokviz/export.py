"""Records → CSV and JSON for readers who want the numbers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from tokviz.records import ContextReport, ModelReport, Report, WordList, depth_name

SCHEMA = 1
"""Of ``report.json``; raised when a key changes its meaning or goes."""


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text, for every file under ``data/``."""
    written = {"data/report.json": _report_json(report)}
    for model, context in _captured(report):
        folder = f"data/{model.slug}/{context.states.context.name}"
        written[f"{folder}/coordinates.csv"] = coordinates_csv(context, report.words)
        written[f"{folder}/tokens.csv"] = tokens_csv(context)
    return written


def downloads(models: Sequence[ModelReport]) -> dict[str, str]:
    """``SLUG/CONTEXT/coordinates.csv`` → path from the site's root."""
    return {
        f"{model.slug}/{context.states.context.name}/{name}": f"data/{model.slug}/{context.states.context.name}/{name}"
        for model in models
        for context in model.contexts
        for name in ("coordinates.csv", "tokens.csv")
    }


def coordinates_csv(context: ContextReport, words: WordList) -> str:
    """A row per depth and word: coordinates in the depth's own basis and in the embedding's, to 6 digits."""
    states = context.states
    projections = [entry.projection for entry in context.projections]
    header = ["depth", "layer", "module", "word", "categories", "reference"]
    for projection in projections:
        header += [f"{projection.name}_{column}" for column in ("pc1", "pc2", "embedding_pc1", "embedding_pc2")]
    rows = (
        [depth, depth_name(depth), path, word, _category_keys(words, row), int(states.tokenization.reference[row])]
        + [
            _number(value)
            for projection in projections
            for array in (projection.coordinates, projection.grid_coordinates)
            for value in array[depth, row]
        ]
        for depth, path in enumerate(states.module_paths)
        for row, word in enumerate(words.words)
    )
    return _csv(header, rows)


def tokens_csv(context: ContextReport) -> str:
    """A row per word: its text, tokens and the position that is read."""
    tokenization = context.states.tokenization
    return _csv(
        ["word", "text", "n_tokens", "position", "word_pieces", "pieces", "ids"],
        (
            [
                word.word,
                word.text,
                word.n_tokens,
                tokenization.position(row),
                json.dumps(word.word_pieces, ensure_ascii=False),
                json.dumps(word.pieces, ensure_ascii=False),
                json.dumps(word.ids),
            ]
            for row, word in enumerate(tokenization.words)
        ),
    )


def _report_json(report: Report) -> str:
    content = {
        "schema": SCHEMA,
        "generator": f"tokviz {report.version}",
        "title": report.title,
        "author": report.author,
        "site_url": report.site_url,
        "command": report.command,
        "projections": report.projections,
        "categories": [dataclasses.asdict(category) for category in report.words.categories],
        "contexts": [dataclasses.asdict(context) for context in report.contexts],
        "models": [_model(model) for model in report.models],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _model(model: ModelReport) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "name": model.name,
        "source": model.source,
        "failure": model.failure,
        "card": None
        if model.card is None
        else {**dataclasses.asdict(model.card), "versions": dict(model.card.versions)},
        "contexts": [_context(context) for context in model.contexts],
    }


def _context(context: ContextReport) -> dict[str, Any]:
    states = context.states
    return {
        "name": states.context.name,
        "captured_at": states.captured_at,
        "module_paths": states.module_paths,
        "tokenization_notes": states.tokenization.notes,
        "projections": [
            {
                "name": entry.projection.name,
                "explained_variance_ratio": [
                    [_number(value) for value in ratios] for ratios in entry.projection.explained_variance_ratio
                ],
                "problems": entry.projection.problems,
                "plates": [plate.wide.path if plate else None for plate in entry.plates],
                "grid": entry.grid.wide.path if entry.grid else None,
            }
            for entry in context.projections
        ],
    }


def _captured(report: Report) -> Iterable[tuple[ModelReport, ContextReport]]:
    return ((model, context) for model in report.models for context in model.contexts)


def _category_keys(words: WordList, row: int) -> str:
    return " ".join(words.categories[index].key for index in words.memberships[row])


def _number(value: float) -> float | None:
    """Six significant digits; None (an empty field, a JSON null) where there is no number."""
    return None if math.isnan(value) else float(f"{value:.6g}")


def _csv(header: list[str], rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
