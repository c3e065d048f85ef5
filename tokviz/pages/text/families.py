"""What the families of a report's tests ask, in words."""

from __future__ import annotations

from tokviz.records import Report

_ASKED = {
    "categories": "categories against chance",
    "surface": "categories against the words’ surface",
    "differences": "differences between models",
    "similarity": "similarity of models beyond categories",
}


def family_labels(report: Report) -> dict[str, str]:
    """By the families' keys."""
    return {each.key: _label(report, each.key) for each in report.families}


def _label(report: Report, key: str) -> str:
    kind, _, index = key.partition(" ")
    if kind in _ASKED:
        return _ASKED[kind]
    asked = report.relations[int(index)] if kind == "relation" else report.orders[int(index)]
    return f"the {kind} “{asked.label}”"
