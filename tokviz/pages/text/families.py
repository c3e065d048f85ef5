"""What the families of a report's tests ask, in words."""

from __future__ import annotations

from tokviz.records import Report

_ASKED = {
    "categories": "categories against chance",
    "surface": "categories against the words’ surface",
    "differences": "models against each other and against their untrained controls",
    "similarity": "similarity of models beyond categories",
    "lens": "what the lens reads",
    "paired": "captures held against each other word by word",
    "paired by category": "the same by category",
}
_FURTHER = {
    "offset": ": what the difference adds",
    "ends meet": ": whether its ends meet",
    "circle": ": whether it is a circle",
}
"""Questions about a relation or an order that are answered only where the first one is."""


def family_labels(report: Report) -> dict[str, str]:
    """By the families' keys."""
    return {each.key: _label(report, each.key) for each in report.families}


def _label(report: Report, key: str) -> str:
    if key in _ASKED:
        return _ASKED[key]
    first, _, further = key.partition(", ")
    kind, _, index = first.partition(" ")
    asked = report.relations[int(index)] if kind == "relation" else report.orders[int(index)]
    return f"the {kind} “{asked.label}”{_FURTHER[further] if further else ''}"
