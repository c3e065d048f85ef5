"""``report.json``: what a report holds, and where its files are."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tokviz.pages.change.movers import movers_at
from tokviz.pages.findings.changes import Shift, shifts
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.text.data_text import rounded, spaced
from tokviz.pages.text.findings import as_json, finding_of
from tokviz.pages.text.problems import problems
from tokviz.records import (
    NOT_KNOWN,
    BatchCheck,
    Context,
    ContextReport,
    ModelCard,
    ModelReport,
    Report,
    SeriesReport,
    depth_name,
)

SCHEMA = 2
"""Of ``report.json``; raised when a key changes its meaning or goes."""


def text(report: Report) -> str:
    """The file’s content."""
    content = {
        "schema": SCHEMA,
        "generator": f"tokviz {report.version}",
        **({"unfinished": True} if report.underway else {}),
        **_parts(report, "title", "author", "site_url", "command", "projections"),
        "categories": [dataclasses.asdict(category) for category in report.words.categories],
        "contexts": [_asked(context, known=context.name not in report.without_template) for context in report.contexts],
        "findings": [_found(each) for each in findings(report)],
        **({"changes": changes} if (changes := [_change(each) for each in shifts(report)]) else {}),
        "models": [_model(model) for model in report.models],
        **({"series": [_series(series) for series in report.series]} if report.series else {}),
    }
    return spaced(content, indent=1) + "\n"


def _parts(record: Any, *names: str) -> dict[str, Any]:
    """Parts of a record that are as the file has them, under their own names."""
    return {name: getattr(record, name) for name in names}


def _asked(context: Context, *, known: bool) -> dict[str, Any]:
    """``known``: whether it is known what stands around the words."""
    around = _parts(context, "template", "templates")
    return _parts(context, "name", "label") | (around if known else dict.fromkeys(around))


def _model(model: ModelReport) -> dict[str, Any]:
    return {
        **_parts(model, "slug", "name", "source", "failure"),
        "finding": as_json(finding_of(model)),
        "card": _card(model.card),
        "contexts": [_context(context) for context in model.captures],
    }


def _found(found: Found) -> dict[str, Any]:
    """What pages list as found, in their order."""
    return {
        "slot": found.slot,
        "sentence": found.sentence,
        "evidence": found.said,
        "announced": found.is_announced,
        "model": None if found.is_of_all else found.model.slug,
        "context": found.context.states.context.name if found.is_announced else None,
        "depth": None if found.depth is None else depth_name(found.depth),
        "projection": found.projection,
        "beside": found.beside and found.beside.states.context.name,
        "other_model": found.other and found.other.slug,
    }


def _change(shift: Shift) -> dict[str, Any]:
    """What is measured of it is in ``data/change/``."""
    found = shift.found()
    return {
        "before": shift.before.slug,
        "after": shift.after.slug,
        "context": shift.pair.context,
        **_parts(found, "sentence"),
        "evidence": found.said,
        "announced": found.is_announced,
        "depth": depth_name(shift.depth),
        "movers": [each["word"] for each in movers_at(shift, shift.depth)],
    }


def _series(series: SeriesReport) -> dict[str, Any]:
    """What is measured of it is in ``data/series/SLUG.csv``."""
    keys = [each.key for each in series.checkpoints]
    return {
        **_parts(series, "slug", "name", "unit"),
        "reference": keys[series.reference],
        "faults": [
            {"kind": each.kind, "checkpoints": [keys[index] for index in each.checkpoints]} for each in series.faults
        ],
        "checkpoints": [
            {
                **_parts(each, "key", "label", "step", "left_out"),
                **_parts(each.model, "slug", "source", "failure"),
                "card": _card(each.model.card),
            }
            for each in series.checkpoints
        ],
    }


def _card(card: ModelCard | None) -> dict[str, Any] | None:
    """What isn't known, as of states from elsewhere, is null."""
    if card is None:
        return None
    known = {name: None if value in (NOT_KNOWN, "") else value for name, value in dataclasses.asdict(card).items()}
    if not card.widths:  # layers don't differ in it
        del known["widths"]
    return known | {"versions": dict(card.versions)}


def _context(context: ContextReport) -> dict[str, Any]:
    states = context.states
    return {
        "name": states.context.name,
        "intervention": states.intervention and dataclasses.asdict(states.intervention),
        "captured_at": states.captured_at,
        "module_paths": states.module_paths,
        "loss": context.loss and dataclasses.asdict(context.loss),
        # What is announced of the model against them, of each relation and then of each order.
        "untrained": context.untrained
        and {
            "random": context.untrained.random and _plain(dataclasses.asdict(context.untrained.random)),
            "own_embedding": [_plain(dataclasses.asdict(each)) for each in context.untrained.own_embedding],
            "announced_against_layers": context.untrained.by_layers,
            "problems": context.untrained.problems,
        },
        "lens": context.lens and {"reason": context.lens.reason, "read_as": context.lens.names},
        "tokenization_notes": states.tokenization.notes,
        "batch_check": states.batch_check and _batch_check(states.batch_check),
        "projections": [
            {
                "name": entry.projection.name,
                "explained_variance_ratio": _plain(entry.projection.explained_variance_ratio),
                "problems": problems(entry.projection),
                "plates": [plate.wide.path if plate else None for plate in entry.plates],
                "grid": entry.grid.wide.path if entry.grid else None,
            }
            for entry in context.projections
        ],
    }


def _plain(value: Any) -> Any:
    """With lists in place of arrays, and rounded numbers."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    return rounded(float(value)) if isinstance(value, float | np.floating) else value


def _batch_check(check: BatchCheck) -> dict[str, Any]:
    """How the words were run together, and how far their states agree with those of words run alone."""
    comparisons = [dataclasses.asdict(each) | {"depth": depth_name(each.depth)} for each in check.comparisons]
    found: dict[str, Any] = _plain(dataclasses.asdict(check) | {"comparisons": comparisons})
    return found
